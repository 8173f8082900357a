// Secrets never reach a file: before a record is written, their values become tokens.
//
// In: an exchange or a response as captured. Out: the same with other values where secrets stood. Owner: the writing
// stage; copies share the key, because equal values give equal tokens only under one key. Bounds: linear in the
// message; see TokenMemory, SpeltText and `decodedLimit`.

import ContentCoding
public import ContentTree
import Crypto
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
  /// Octets of a body without its content coding; of a larger one nothing is kept.
  static let decodedLimit = 64 << 20

  var catalog: SecretCatalog { search.catalog }

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
    let catalog = SecretCatalog(rule)
    typesWithSecrets =
      descriptors?.messages { name in
        var name = name
        return name.withUTF8 { catalog.fields.contains($0) }
      } ?? []
    search = SecretSearch(writer: SecretWriter(mode: mode, key: key), catalog: catalog)
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
    let catalog = catalog
    let recorded = exchange.hasDetails ? exchange.details.messages : nil
    call.begin(recorded)
    if exchange.request != nil { redactRequest(&exchange.request!, catalog) }
    if exchange.response != nil { redactResponse(&exchange.response!, catalog) }
    if recorded != nil { redactMessages(&exchange) }
  }

  /// - Parameter request: what it answers, where that is known: it says of which type gRPC messages are.
  public mutating func redact(_ response: inout HTTPResponse, to request: HTTPRequest? = nil) {
    let catalog = catalog
    call.begin(nil)
    if let request, catalog.survey(request.fields).isCall { call.path = Array(request.path) }
    redactResponse(&response, catalog)
  }

  private mutating func redactRequest(_ request: inout HTTPRequest, _ catalog: SecretCatalog) {
    if search.writer.inspects { search.writer.place = "request" }
    // Taken out while they are looked at, so that no look has to hold on to them.
    var (fields, bytes) = (HeaderFields(), [UInt8]())
    swap(&fields, &request.fields)
    swap(&bytes, &request.body.bytes)
    redactTarget(&fields, request.targetRange, catalog)
    let head = catalog.survey(fields, bytes)
    if head.mayHoldSecret { redact(&fields, head) }
    swap(&bytes, &request.body.bytes)
    swap(&fields, &request.fields)
    if head.isCall || call.recorded != nil { call.path = Array(request.path) }
    if !request.trailers.storage.isEmpty { redact(&request.trailers) }
    guard head.mayBodyHoldSecret else { return }
    var body = HTTPBody()
    swap(&body, &request.body)
    redact(&body, &request.fields, head)
    swap(&body, &request.body)
  }

  private mutating func redactResponse(_ response: inout HTTPResponse, _ catalog: SecretCatalog) {
    if search.writer.inspects { search.writer.place = "response" }
    call.direction = .response
    var (fields, bytes) = (HeaderFields(), [UInt8]())
    swap(&fields, &response.fields)
    swap(&bytes, &response.body.bytes)
    let head = catalog.survey(fields, bytes)
    if head.mayHoldSecret { redact(&fields, head) }
    swap(&bytes, &response.body.bytes)
    swap(&fields, &response.fields)
    if !response.trailers.storage.isEmpty { redact(&response.trailers) }
    if !response.informational.isEmpty {
      for index in response.informational.indices { redact(&response.informational[index].fields) }
    }
    guard head.mayBodyHoldSecret else { return }
    var body = HTTPBody()
    swap(&body, &response.body)
    redact(&body, &response.fields, head)
    swap(&body, &response.body)
  }

  private mutating func redact(_ fields: inout HeaderFields) { redact(&fields, catalog.survey(fields)) }

  // MARK: Bodies

  private mutating func redact(_ body: inout HTTPBody, _ fields: inout HeaderFields, _ head: FieldSurvey) {
    let place = search.writer.place
    if search.writer.inspects { search.writer.place += " body" }
    defer { search.writer.place = place }
    search.writer.hasChanged = false
    if head.hasContentEncoding {
      let codings = ContentCoding.names(in: fields.indices(of: "content-encoding").map { fields.value(at: $0) })
      guard codings.isEmpty else { return redactCoded(&body, &fields, head, codings) }
    }
    if head.isCall { return redactCall(&body, &fields) }
    body.bytes.withUnsafeMutableBufferPointer { bytes in
      search.search(bytes, head.form(of: UnsafeBufferPointer(bytes), fields))
    }
    if search.writer.hasChanged { body.cutHash = nil }
  }

  private mutating func redactCoded(
    _ body: inout HTTPBody, _ fields: inout HeaderFields, _ head: FieldSurvey, _ codings: [String]
  ) {
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
    content.withUnsafeMutableBufferPointer { bytes in
      let text = UnsafeBufferPointer(bytes)
      let form = head.form(of: text, fields)
      if catalog.mayHoldSecret(text, form) { search.search(bytes, form) }
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
