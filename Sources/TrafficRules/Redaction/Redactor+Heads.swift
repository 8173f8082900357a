// Secrets in a message's head: the target's query, credentials and cookies, fields that are secret by their name. Most
// heads hold none: then nothing is written to. Bounds: one pass over the names, one over the values that are looked at.

import Glibc
public import HTTPModel

extension Redactor {
  /// Whether the two may come closer by being redacted: false where all that differs is in fields without secrets.
  public func mayHideDifference(between one: HTTPResponse, and other: HTTPResponse) -> Bool {
    guard one.body.bytes == other.body.bytes, one.trailers == other.trailers, one.fields.count == other.fields.count,
      one.informational.isEmpty, other.informational.isEmpty
    else { return true }
    let isSearched = !catalog.values.isEmpty || !catalog.kinds.isEmpty
    return one.fields.ranges.indices.contains { index in
      guard Self.isEqual(one.fields.name(at: index), other.fields.name(at: index)) else { return true }
      guard !Self.isEqual(one.fields.value(at: index), other.fields.value(at: index)) else { return false }
      return isSearched
        || one.fields.storage.withUnsafeBufferPointer { storage in
          FieldName(one.fields.ranges[index], storage).flatMap { catalog.kind(of: $0) } != nil
        }
    }
  }

  private static func isEqual(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
    guard a.count == b.count, !a.isEmpty else { return a.count == b.count }
    return a.withUnsafeBytes { a in b.withUnsafeBytes { memcmp(a.baseAddress!, $0.baseAddress!, a.count) == 0 } }
  }

  /// A request's target, which stands in its fields' storage: its query, and a password in an absolute one.
  mutating func redactTarget(_ fields: inout HeaderFields, _ target: Range<UInt32>, _ catalog: SecretCatalog) {
    let range = Int(target.lowerBound)..<Int(target.upperBound)
    // Looked at before it is touched: most targets have neither, and most queries name nothing secret.
    let (query, hasAddress) = fields.storage.withUnsafeBufferPointer { bytes -> (Range<Int>?, Bool) in
      guard !range.isEmpty, range.upperBound <= bytes.count else { return (nil, false) }
      let target = UnsafeBufferPointer(rebasing: bytes[range])
      guard let mark = target.place(of: UInt8(ascii: "?"), from: 0) else { return (nil, target[0] != 0x2f) }
      let holds = catalog.mayHoldSecret(inQuery: UnsafeBufferPointer(rebasing: target[(mark + 1)...]))
      return (holds ? range.lowerBound + mark + 1..<range.upperBound : nil, target[0] != 0x2f)
    }
    guard query != nil || hasAddress else { return }
    withStorage(&fields) { redactor, bytes in
      let place = redactor.search.writer.place
      if redactor.search.writer.inspects { redactor.search.writer.place += " target" }
      defer { redactor.search.writer.place = place }
      if let query { redactor.search.searchPairs(bytes, query, in: .query) }
      if hasAddress { redactor.search.searchUserInformation(bytes, range) }
    }
  }

  private mutating func withStorage(
    _ fields: inout HeaderFields, _ body: (inout Redactor, UnsafeMutableBufferPointer<UInt8>) -> Void
  ) {
    fields.storage.withUnsafeMutableBufferPointer { body(&self, $0) }
  }

  /// Hides what stands in a section's fields.
  mutating func redact(_ fields: inout HeaderFields, _ survey: FieldSurvey) {
    // A status line is there without any field.
    if !catalog.values.isEmpty { withStorage(&fields) { $0.search.searchValues($1) } }
    guard !fields.isEmpty, let first = rule.text.isEmpty ? survey.firstNotable : 0 else { return }
    let ranges = fields.ranges
    var emptied: [Int] = []
    withStorage(&fields) { redactor, bytes in
      for index in first..<ranges.count {
        let range = ranges[index]
        let value = Int(range.valueStart)..<Int(range.valueEnd)
        guard !value.isEmpty else { continue }
        let kind = FieldName(range, UnsafeBufferPointer(bytes)).flatMap { redactor.catalog.kind(of: $0) }
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

  /// `name=value; name=value`. A pair without `=` is a value. Set-Cookie's pairs after the first are attributes.
  private mutating func hidePairs(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ value: Range<Int>, isSetCookie: Bool
  ) {
    var start = value.lowerBound
    while start < value.upperBound {
      let end = bytes.slice(start..<value.upperBound).place(of: 0x3b, from: 0).map { start + $0 } ?? value.upperBound
      while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
      let content = start..<end
      let equals = bytes.slice(content).place(of: 0x3d, from: 0).map { start + $0 }
      let name = content.lowerBound..<(equals ?? content.lowerBound)
      if catalog.isSecretCookie(bytes.slice(name)) {
        search.writer.hide(bytes, (equals.map { $0 + 1 } ?? content.lowerBound)..<end, .plain, name: bytes.text(name))
      }
      if isSetCookie { return }
      start = end + 1
    }
  }
}
