// Secrets never reach a file: before a record is written, their values become tokens.
//
// In: an exchange or a response as captured. Out: the same with other values where secrets stood. Owner: the writing
// stage; copies share the key, because equal values give equal tokens only under one key. Bounds: linear in the
// message; see TokenMemory, SpeltText and `decodedLimit`.

import ContentCoding
public import ContentTree
import Crypto
import Glibc
public import HTTPModel

/// Replaces secrets in headers, queries, cookies and bodies by tokens that keep equality, length and form.
///
/// What says how to read a value stays: the scheme of an authorization (RFC 9110, 11.4), names of cookies and the
/// attributes of Set-Cookie (RFC 6265), the punctuation and the kinds of characters of short values. No body changes its
/// length, save one in a content coding, which is stored in the same coding without compression and whose Content-Length
/// follows, and a gRPC message that is compressed or of which fields are removed, whose prefix follows. What was cut or
/// damaged is searched as far as it goes.
public struct Redactor {
  let rule: RedactRule
  /// Types of gRPC messages; nil where they are not known.
  let descriptors: ProtobufDescriptors?
  /// Those in which a field with a well-known name may stand.
  let typesWithSecrets: Set<String>
  var search: SecretSearch
  var call = CallContext()
  private let headers: NameTable
  private let cookies: NameTable?
  /// Octets of a body without its content coding; of a larger one nothing is kept.
  static let decodedLimit = 64 << 20

  /// - Parameters:
  ///   - key: any number of octets; the same key gives the same tokens. nil for one of its own, so that tokens can't be
  ///     compared between sessions nor turned back by guessing values.
  ///   - descriptors: by which fields of gRPC messages are known by name.
  public init(_ rule: RedactRule = RedactRule(), key: [UInt8]? = nil, descriptors: ProtobufDescriptors? = nil) {
    self.init(
      rule, mode: .replace(rule.style), key: key.map { SymmetricKey(data: $0) } ?? SymmetricKey(size: .bits256),
      descriptors)
  }

  /// One that makes all secrets the same: for comparing what was redacted under different keys.
  public static func blanking(
    _ rule: RedactRule = RedactRule(), descriptors: ProtobufDescriptors? = nil
  ) -> Redactor {
    Redactor(rule, mode: .blank, key: SymmetricKey(size: .bits256), descriptors)
  }

  private init(
    _ rule: RedactRule, mode: SecretWriter.Mode, key: SymmetricKey, _ descriptors: ProtobufDescriptors?
  ) {
    self.rule = rule
    self.descriptors = descriptors
    func table(_ known: [String], _ patterns: [TextPattern]) -> NameTable {
      NameTable(rule.hasDefaults ? known : [], patterns: patterns, except: rule.keep)
    }
    headers = table(WellKnownNames.headers, rule.headers)
    // Without defaults only cookies that are named; else all that are not kept.
    cookies = rule.hasDefaults ? nil : NameTable([], patterns: rule.cookies)
    let fields = table(WellKnownNames.fields, [])
    typesWithSecrets =
      descriptors?.messages { name in
        var name = name
        return name.withUTF8 { fields.contains($0) }
      } ?? []
    search = SecretSearch(
      writer: SecretWriter(mode: mode, key: key), fields: fields,
      query: table(WellKnownNames.fields + WellKnownNames.query, rule.query),
      form: table(WellKnownNames.fields, rule.form), pointers: rule.json, kinds: rule.text,
      values: SecretSearch.spellings(of: rule.values))
  }

  /// Says of a key which it is, and nothing else of it: 16 hex digits.
  public static func fingerprint(ofKey key: [UInt8]) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Array("umbra redaction key".utf8), using: SymmetricKey(data: key))
    return code.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// What looks secret in an exchange, which is not changed.
  public static func findings(
    in exchange: Exchange, rule: RedactRule, descriptors: ProtobufDescriptors? = nil
  ) -> [SecretFinding] {
    var redactor = Redactor(rule, mode: .inspect, key: SymmetricKey(size: .bits256), descriptors)
    return redactor.findings(in: exchange)
  }

  /// One that changes nothing and tells what it finds.
  public static func inspecting(_ rule: RedactRule, descriptors: ProtobufDescriptors? = nil) -> Redactor {
    Redactor(rule, mode: .inspect, key: SymmetricKey(size: .bits256), descriptors)
  }

  /// Of an ``inspecting(_:descriptors:)`` one: what looks secret in an exchange.
  public mutating func findings(in exchange: Exchange) -> [SecretFinding] {
    search.writer.findings = []
    var copy = exchange
    redact(&copy)
    return search.writer.findings
  }

  /// The same of an answer to a request.
  public mutating func findings(in response: HTTPResponse, to request: HTTPRequest?) -> [SecretFinding] {
    search.writer.findings = []
    var copy = response
    redact(&copy, to: request)
    return search.writer.findings
  }

  public mutating func redact(_ exchange: inout Exchange) {
    let recorded = exchange.details.messages
    call = CallContext(path: Redactor.callPath(exchange.request, recorded), recorded: recorded)
    if exchange.request != nil {
      search.writer.place = "request"
      let target = exchange.request!.targetRange
      redactTarget(&exchange.request!.fields, Int(target.lowerBound)..<Int(target.upperBound))
      redact(&exchange.request!.fields)
      redact(&exchange.request!.trailers)
      if !exchange.request!.body.bytes.isEmpty {
        var body = HTTPBody()
        swap(&body, &exchange.request!.body)
        redactBody(&body, &exchange.request!.fields)
        swap(&body, &exchange.request!.body)
      }
    }
    if exchange.response != nil { redactResponse(&exchange.response!) }
    if recorded != nil { redactMessages(&exchange) }
  }

  /// - Parameter request: what it answers, where that is known: it says of which type gRPC messages are.
  public mutating func redact(_ response: inout HTTPResponse, to request: HTTPRequest? = nil) {
    call = CallContext(path: Redactor.callPath(request, nil))
    redactResponse(&response)
  }

  /// The path of what is, or may be, a gRPC call.
  private static func callPath(_ request: HTTPRequest?, _ recorded: StreamMessages?) -> [UInt8]? {
    guard let request, recorded != nil || request.fields.first("content-type").map(isCall) ?? false else { return nil }
    return Array(request.path)
  }

  private mutating func redactResponse(_ response: inout HTTPResponse) {
    search.writer.place = "response"
    call.direction = .response
    redact(&response.fields)
    redact(&response.trailers)
    for index in response.informational.indices { redact(&response.informational[index].fields) }
    guard !response.body.bytes.isEmpty else { return }
    var body = HTTPBody()
    swap(&body, &response.body)
    redactBody(&body, &response.fields)
    swap(&body, &response.body)
  }

  /// Whether the two may come closer by being redacted: false where all that differs is in fields without secrets.
  public func mayHideDifference(between one: HTTPResponse, and other: HTTPResponse) -> Bool {
    guard one.body.bytes == other.body.bytes, one.trailers == other.trailers, one.fields.count == other.fields.count,
      one.informational.isEmpty, other.informational.isEmpty
    else { return true }
    let isSearched = !search.values.isEmpty || !rule.text.isEmpty
    return one.fields.ranges.indices.contains { index in
      guard Self.isEqual(one.fields.name(at: index), other.fields.name(at: index)) else { return true }
      guard !Self.isEqual(one.fields.value(at: index), other.fields.value(at: index)) else { return false }
      return isSearched || one.fields.storage.withUnsafeBufferPointer { kind(of: one.fields.ranges[index], $0) != nil }
    }
  }

  private static func isEqual(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
    guard a.count == b.count, !a.isEmpty else { return a.count == b.count }
    return a.withUnsafeBytes { a in b.withUnsafeBytes { memcmp(a.baseAddress!, $0.baseAddress!, a.count) == 0 } }
  }

  // MARK: Heads

  private mutating func redactTarget(_ fields: inout HeaderFields, _ range: Range<Int>) {
    let storage = fields.storage
    guard range.upperBound <= storage.count else { return }
    // Looked at before it is touched: most targets have neither.
    let hasQuery = storage[range].firstIndex(of: UInt8(ascii: "?"))
    let hasAddress = range.first.map { storage[$0] != 0x2f } ?? false
    guard hasQuery != nil || hasAddress else { return }
    withStorage(&fields) { redactor, bytes in
      let place = redactor.search.writer.place
      if redactor.search.writer.inspects { redactor.search.writer.place += " target" }
      defer { redactor.search.writer.place = place }
      if let hasQuery { redactor.search.searchPairs(bytes, hasQuery + 1..<range.upperBound, in: .query) }
      if hasAddress { redactor.search.searchUserInformation(bytes, range) }
    }
  }

  private mutating func withStorage(
    _ fields: inout HeaderFields, _ body: (inout Redactor, UnsafeMutableBufferPointer<UInt8>) -> Void
  ) {
    fields.storage.withUnsafeMutableBufferPointer { body(&self, $0) }
  }

  private enum FieldKind { case authorization, cookie, setCookie, address, secret }

  private mutating func redact(_ fields: inout HeaderFields) {
    // A status line is there without any field.
    if !search.values.isEmpty { withStorage(&fields) { $0.search.searchValues($1) } }
    guard !fields.isEmpty else { return }
    let ranges = fields.ranges
    var emptied: [Int] = []
    let first = fields.storage.withUnsafeBufferPointer { bytes in
      ranges.firstIndex { kind(of: $0, bytes) != nil } ?? (rule.text.isEmpty ? nil : 0)
    }
    guard let first else { return }
    withStorage(&fields) { redactor, bytes in
      for index in first..<ranges.count {
        let range = ranges[index]
        let value = Int(range.valueStart)..<Int(range.valueEnd)
        guard !value.isEmpty else { continue }
        let kind = redactor.kind(of: range, UnsafeBufferPointer(bytes))
        let place = redactor.search.writer.place
        if redactor.search.writer.inspects {
          redactor.search.writer.place +=
            " header \(bytes.text(Int(range.nameStart)..<Int(range.nameEnd)).lowercased())"
        }
        if redactor.redactValue(bytes, value, kind) { emptied.append(index) }
        redactor.search.writer.place = place
      }
    }
    let blank: [UInt8] = if case .blank = search.writer.mode { Array("redacted.0000000000000000".utf8) } else { [] }
    if !emptied.isEmpty { fields.replaceValues(emptied.map { ($0, blank) }) }
  }

  /// - Returns: whether the whole value is to be replaced afterwards, its length too.
  private mutating func redactValue(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ value: Range<Int>, _ kind: FieldKind?
  ) -> Bool {
    switch kind {
    case .authorization:
      // `SCHEME SP credentials`; without a space all of it is secret.
      let scheme = value.first { bytes[$0] == 0x20 }.map { $0 + 1 } ?? value.lowerBound
      search.writer.hide(bytes, scheme..<value.upperBound, .plain)
    case .cookie: hidePairs(bytes, value, isSetCookie: false)
    case .setCookie: hidePairs(bytes, value, isSetCookie: true)
    case .address:
      search.searchPairs(bytes, value, in: .text)
      search.searchUserInformation(bytes, value)
    case .secret:
      switch search.writer.mode {
      case .blank, .replace(.remove): return true
      default: search.writer.hide(bytes, value, .plain)
      }
    case nil: break
    }
    if !rule.text.isEmpty { search.searchKinds(UnsafeMutableBufferPointer(rebasing: bytes[value])) }
    return false
  }

  /// By the name's length first, since nearly every field is none of these.
  private func kind(of range: FieldRange, _ bytes: UnsafeBufferPointer<UInt8>) -> FieldKind? {
    guard range.nameStart < range.nameEnd, Int(range.nameEnd) <= bytes.count else { return nil }
    let name = UnsafeBufferPointer(rebasing: bytes[Int(range.nameStart)..<Int(range.nameEnd)])
    func isNamed(_ text: StaticString) -> Bool {
      name.count == text.utf8CodeUnitCount && name.indices.allSatisfy { name[$0] | 0x20 == text.utf8Start[$0] }
    }
    switch name.count {
    case 6 where isNamed("cookie"): return .cookie
    case 10 where isNamed("set-cookie"): return .setCookie
    case 13 where isNamed("authorization"): return rule.hasDefaults || headers.contains(name) ? .authorization : nil
    case 19 where isNamed("proxy-authorization"):
      return rule.hasDefaults || headers.contains(name) ? .authorization : nil
    case 7 where isNamed("referer"), 8 where isNamed("location"), 16 where isNamed("content-location"),
      4 where isNamed("link"),
      7 where isNamed("refresh"):
      return headers.contains(name) ? .secret : .address
    default: return headers.contains(name) ? .secret : nil
    }
  }

  /// `name=value; name=value`. A pair without `=` is a value. Set-Cookie's pairs after the first are attributes.
  private mutating func hidePairs(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ value: Range<Int>, isSetCookie: Bool
  ) {
    var start = value.lowerBound
    while start < value.upperBound {
      let end = (start..<value.upperBound).first { bytes[$0] == 0x3b } ?? value.upperBound
      let content = ((start..<end).first { bytes[$0] != 0x20 && bytes[$0] != 0x09 } ?? end)..<end
      let equals = content.first { bytes[$0] == 0x3d }
      let name = content.lowerBound..<(equals ?? content.lowerBound)
      if isSecretCookie(bytes.slice(name)) {
        search.writer.hide(bytes, (equals.map { $0 + 1 } ?? content.lowerBound)..<end, .plain, name: bytes.text(name))
      }
      if isSetCookie { return }
      start = end + 1
    }
  }

  private func isSecretCookie(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    if let cookies { return cookies.contains(name) }
    return rule.keep.isEmpty || !rule.keep.contains(String(decoding: name, as: UTF8.self).lowercased())
  }

  // MARK: Bodies

  private mutating func redactBody(_ body: inout HTTPBody, _ fields: inout HeaderFields) {
    let place = search.writer.place
    if search.writer.inspects { search.writer.place += " body" }
    defer { search.writer.place = place }
    let type = fields.first("content-type")
    search.writer.hasChanged = false
    if fields.first("content-encoding") != nil {
      let codings = ContentCoding.names(in: fields.indices(of: "content-encoding").map { fields.value(at: $0) })
      guard codings.isEmpty else { return redactCoded(&body, &fields, codings) }
    }
    if let type, Redactor.isCall(type) { return redactCall(&body, &fields) }
    body.bytes.withUnsafeMutableBufferPointer { bytes in
      search.search(bytes, TextForm(contentType: type, UnsafeBufferPointer(bytes)))
    }
    if search.writer.hasChanged { body.cutHash = nil }
  }

  private mutating func redactCoded(_ body: inout HTTPBody, _ fields: inout HeaderFields, _ codings: [String]) {
    var (content, isWhole): ([UInt8], Bool) = ([], true)
    do throws(ContentCodingError) {
      content = try ContentCoding.decode(body.bytes, codings: codings, limit: Self.decodedLimit)
    } catch {
      isWhole = false
      switch error {
      case .truncated(_, let decoded), .malformed(_, let decoded): content = decoded
      // What cannot be looked through is not kept.
      case .overLimit: return search.writer.inspects ? () : drop(&body)
      case .unknownCoding, .tooManyCodings: return
      }
    }
    let type = fields.first("content-type")
    content.withUnsafeMutableBufferPointer { bytes in
      search.search(bytes, TextForm(contentType: type, UnsafeBufferPointer(bytes)))
    }
    guard search.writer.hasChanged else { return }
    guard isWhole, body.isComplete, let coded = StoredCoding.encode(content, codings: codings) else {
      return drop(&body)
    }
    body.bytes = coded
    body.size = UInt64(coded.count)
    body.chunkSizes = []
    let lengths = fields.indices(of: "content-length")
    if !lengths.isEmpty { fields.replaceValues(lengths.map { ($0, Array("\(coded.count)".utf8)) }) }
  }

  /// A part of a body in a content coding can't be written anew so that it still is that part.
  mutating func drop(_ body: inout HTTPBody) {
    body.bytes = []
    body.isComplete = false
    body.missing = [BodyRange(lowerBound: 0, upperBound: body.size)]
    body.cutHash = nil
    body.chunkSizes = []
  }
}
