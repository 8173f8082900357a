// The bodies of two responses to differences.
// In: two responses that may have bodies. Out: differences, or why there was nothing to compare. Owner: ResponseComparator.
// Bounds: the decoded size, the JSON reader's limits, the number of differences.

import ContentCoding
import ContentTree
import HTTPModel

struct BodyComparison {
  let options: ComparisonOptions
  let grpc: GRPCComparison

  func compare(_ expected: HTTPResponse, _ actual: HTTPResponse, isGRPC: Bool, into result: inout Comparison) {
    let (e, a) = (expected.body, actual.body)
    let codings = (expected.fields.contentCodings, actual.fields.contentCodings)
    guard e.isComplete, a.isComplete else {
      return compareBySize(e, a, haveSameCodings: codings.0 == codings.1, into: &result)
    }
    if codings.0 == codings.1, equalBytes(e.bytes, a.bytes) { return }
    if isGRPC, codings.0.isEmpty, codings.1.isEmpty, grpc.compareMessages(expected, actual, into: &result) { return }
    switch (content(e.bytes, codings.0), content(a.bytes, codings.1)) {
    case (.decoded(let x), .decoded(let y)):
      if !equalBytes(x, y) { compareContent(x, y, expected.fields, actual.fields, into: &result) }
    case (.decoded, .broken(let reason)):
      result.differences.append(
        Difference(location: .body, kind: .error, severity: .high, expected: nil, actual: reason))
    case _ where codings.0 == codings.1:
      // Neither side can be read further, or the recorded one cannot: what was sent is compared as it is.
      compareOctets(e.bytes, a.bytes, into: &result)
    case (.tooLarge, _), (_, .tooLarge): result.uncomparedBody = .cut
    default: result.uncomparedBody = .unknownCoding
    }
  }

  private enum Content {
    case decoded([UInt8])
    case broken(String)
    case tooLarge
    case unknown
  }

  private func content(_ bytes: [UInt8], _ codings: [String]) -> Content {
    if codings.isEmpty { return .decoded(bytes) }
    do throws(ContentCodingError) {
      return .decoded(try ContentCoding.decode(bytes, codings: codings, limit: options.decodedBodyLimit))
    } catch {
      switch error {
      case .unknownCoding, .tooManyCodings: return .unknown
      case .overLimit: return .tooLarge
      case .truncated(let coding, _): return .broken("\(coding.rawValue) data that end too early")
      case .malformed(let coding, _): return .broken("not \(coding.rawValue) data")
      }
    }
  }

  /// At least one body was cut or is incomplete: sizes and hashes of the whole are all there is.
  private func compareBySize(_ e: HTTPBody, _ a: HTTPBody, haveSameCodings: Bool, into result: inout Comparison) {
    guard let x = digest(e) else { return result.uncomparedBody = .expectedIncomplete }
    guard let y = digest(a) else { return result.uncomparedBody = .actualIncomplete }
    guard haveSameCodings else { return result.uncomparedBody = .cut }
    if e.size == a.size, x == y { return }
    result.differences.append(
      Difference(
        location: .body, kind: .changed, severity: .medium, expected: "\(e.size) bytes, XXH64 \(hexText(x))",
        actual: "\(a.size) bytes, XXH64 \(hexText(y))"))
  }

  private func digest(_ body: HTTPBody) -> UInt64? {
    if !body.isComplete { return body.cutHash }
    var hash = BodyHash()
    hash.update(body.bytes)
    return hash.value
  }

  private func compareContent(
    _ e: [UInt8], _ a: [UInt8], _ expected: HeaderFields, _ actual: HeaderFields, into result: inout Comparison
  ) {
    if e.isEmpty || a.isEmpty {
      let kind: DifferenceKind = e.isEmpty ? .added : .removed
      result.differences.append(
        Difference(
          location: .body, kind: kind, severity: kind.fieldSeverity,
          expected: e.isEmpty ? nil : excerptText(e, limit: options.excerptLimit),
          actual: a.isEmpty ? nil : excerptText(a, limit: options.excerptLimit)))
      return
    }
    let values = (expected.first("content-type"), actual.first("content-type"))
    let types = (MediaTypeName(values.0), MediaTypeName(values.1))
    if types.0.isProtobuf, types.1.isProtobuf { return grpc.compare(e, a, nil, into: &result) }
    let charsets = (Charset(of: e, contentType: values.0), Charset(of: a, contentType: values.1))
    guard charsets == (.utf8, .utf8) else {
      // What is compared is text, not how its characters are coded: that stands in Content-Type.
      let (x, y) = (charsets.0.decoded(e), charsets.1.decoded(a))
      return equalBytes(x, y) ? () : compareTyped(x, y, types.0, types.1, into: &result)
    }
    compareTyped(e, a, types.0, types.1, into: &result)
  }

  private func compareTyped(
    _ e: [UInt8], _ a: [UInt8], _ expected: MediaTypeName, _ actual: MediaTypeName, into result: inout Comparison
  ) {
    if expected.isJSON || actual.isJSON || (looksLikeJSON(e) && looksLikeJSON(a)) {
      if compareJSON(e, a, isDeclared: expected.isJSON && actual.isJSON, into: &result) { return }
    }
    if expected.isForm, actual.isForm, compareForms(e, a, into: &result) { return }
    if expected.isXML, actual.isXML, compareMarkup(e, a, .xml, into: &result) { return }
    if expected.isHTML, actual.isHTML, compareMarkup(e, a, .html, into: &result) { return }
    compareOctets(e, a, into: &result)
  }

  /// False where neither is markup. What differs only in what markup does not mean (white space, comments, the order of
  /// attributes) is equal.
  private func compareMarkup(_ e: [UInt8], _ a: [UInt8], _ markup: Markup, into result: inout Comparison) -> Bool {
    guard let expected = markup.document(of: e, limits: options.json) else { return false }
    guard let actual = markup.document(of: a, limits: options.json) else {
      guard markup == .xml, a.count <= options.json.size else { return false }
      result.differences.append(
        Difference(location: .body, kind: .type, severity: .high, expected: "XML", actual: "not well-formed XML"))
      return true
    }
    JSONBodyComparison(options: options, expected: expected, actual: actual, dialect: .markup).run(into: &result)
    return true
  }

  private func looksLikeJSON(_ bytes: [UInt8]) -> Bool {
    let first = bytes.first { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 }
    return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
  }

  /// False where they are not JSON, so that something else has to compare them.
  private func compareJSON(_ e: [UInt8], _ a: [UInt8], isDeclared: Bool, into result: inout Comparison) -> Bool {
    guard let expected = try? JSONDocument(e, limits: options.json) else { return false }
    let actual: JSONDocument
    do throws(JSONError) { actual = try JSONDocument(a, limits: options.json) } catch {
      guard isDeclared, error.reason.isSyntax else { return false }
      result.differences.append(
        Difference(
          location: .body, kind: .type, severity: .high, expected: "JSON", actual: "not \(error)"))
      return true
    }
    JSONBodyComparison(options: options, expected: expected, actual: actual).run(into: &result)
    return true
  }

  /// Fields by name; several with one name are one list. False where there are too many.
  private func compareForms(_ e: [UInt8], _ a: [UInt8], into result: inout Comparison) -> Bool {
    guard let x = FormField.read(e), let y = FormField.read(a) else { return false }
    let expected = Dictionary(grouping: x, by: \.name), actual = Dictionary(grouping: y, by: \.name)
    var seen: Set<[UInt8]> = []
    for name in (x + y).map(\.name) where seen.insert(name).inserted {
      let token = String(decoding: name, as: UTF8.self)
      guard !isIgnored([token]), expected[name] != actual[name] else { continue }
      let kind: DifferenceKind = expected[name] == nil ? .added : actual[name] == nil ? .removed : .changed
      func text(_ fields: [FormField]?) -> String? {
        fields.map { excerptText($0.map(\.value).joined(separator: "&".utf8).map { $0 }, limit: options.excerptLimit) }
      }
      result.differences.append(
        Difference(
          location: .bodyPath(boundedName(JSONPointerPattern(steps: [.name(token)]).description)), kind: kind,
          severity: kind.fieldSeverity, expected: text(expected[name]), actual: text(actual[name])))
      if result.differences.count > options.differenceLimit { break }
    }
    return true
  }

  private func isIgnored(_ tokens: [String]) -> Bool {
    options.ignore.contains { location in
      if case .bodyPath(let pattern) = location { return pattern.covers(tokens) }
      return false
    }
  }

  /// Text by its first line that differs, all else by size, place and hash.
  func compareOctets(_ e: [UInt8], _ a: [UInt8], into result: inout Comparison) {
    let offset = firstDifference(e, a)
    if offset == e.count, offset == a.count { return }
    let (expected, actual): (String, String)
    if isText(e), isText(a) {
      let line = e[..<offset].reduce(into: 1) { if $1 == 0x0a { $0 += 1 } }
      (expected, actual) = (lineText(e, around: offset, line), lineText(a, around: offset, line))
    } else {
      func text(_ bytes: [UInt8]) -> String {
        var hash = BodyHash()
        hash.update(bytes)
        return "\(bytes.count) bytes, XXH64 \(hexText(hash.value)), from byte \(offset)"
      }
      (expected, actual) = (text(e), text(a))
    }
    result.differences.append(
      Difference(location: .body, kind: .changed, severity: .medium, expected: expected, actual: actual))
  }

  /// UTF-8 without NUL.
  private func isText(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { bytes in bytes.firstIndex(of: 0) == nil } && String(validating: bytes, as: UTF8.self) != nil
  }

  private func lineText(_ bytes: [UInt8], around offset: Int, _ number: Int) -> String {
    let start = bytes[..<offset].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let end = bytes[offset...].firstIndex(of: 0x0a) ?? bytes.count
    // A long line is shown from shortly before the place, at the beginning of a character.
    var first = max(start, offset - options.excerptLimit / 2)
    while first > start, first < bytes.count, bytes[first] & 0xc0 == 0x80 { first -= 1 }
    let text = excerptText(bytes[first..<end], limit: options.excerptLimit)
    return "line \(number): " + (first > start ? "…" : "") + text
  }
}

extension JSONError.Reason {
  /// The bytes break JSON's rules; false where a limit was reached.
  fileprivate var isSyntax: Bool { self != .depth && self != .size && self != .nodes }
}

extension HeaderFields {
  /// The names in Content-Encoding, in the order applied.
  var contentCodings: [String] {
    let places = indices(of: "content-encoding")
    return places.isEmpty ? [] : ContentCoding.names(in: places.map { value(at: $0) })
  }
}
