// Where secrets stand in text: the searches share what they know. In: octets of a body, a message, a header value.
// Out: calls of the writer at each secret. Owner: one redactor. Bounds: linear, and two levels of text inside text.

import ContentTree

/// Finds secrets by the names before them and by what they look like, and hands them to its writer.
struct SecretSearch {
  var writer: SecretWriter
  let fields: NameTable
  let query: NameTable
  let form: NameTable
  let pointers: [JSONPointerPattern]
  let kinds: Set<RedactRule.TextKind>

  /// What a text is, as far as it matters here.
  enum TextForm {
    case json, form, markup, text
    case multipart(boundary: [UInt8])
    /// Not text.
    case opaque
  }

  /// Text inside text that is looked into.
  static let nesting = 2

  mutating func search(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ form: TextForm, nesting: Int = 0) {
    switch form {
    case .json: searchJSON(bytes, 0..<bytes.count, nesting: nesting)
    case .form: searchPairs(bytes, 0..<bytes.count, in: .form, nesting: nesting)
    case .markup: searchMarkup(bytes, nesting: nesting)
    case .multipart(let boundary): searchParts(bytes, boundary, nesting: nesting)
    case .text:
      searchJSON(bytes, 0..<bytes.count, nesting: nesting)
      searchPairs(bytes, 0..<bytes.count, in: .text, nesting: nesting)
    case .opaque: return
    }
    if !kinds.isEmpty { searchKinds(bytes) }
  }

  /// Looks into a text that stands in another one.
  mutating func lookInside(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, _ spelling: TextSpelling, nesting: Int
  ) {
    guard nesting < Self.nesting else { return }
    var search = self
    // The writer goes along and comes back, so that one key and one list of findings serve all levels.
    writer.lookInside(bytes, range, spelling) { writer, text in
      swap(&search.writer, &writer)
      search.search(text, SecretSearch.form(of: UnsafeBufferPointer(text)) ?? .text, nesting: nesting + 1)
      swap(&search.writer, &writer)
    }
  }

  // MARK: What a text is

  /// By a Content-Type and the first octets; an object or an array is JSON whatever is said of it.
  static func form(contentType: ArraySlice<UInt8>?, _ bytes: UnsafeBufferPointer<UInt8>) -> TextForm {
    let type = contentType.map { String(decoding: $0.prefix(256), as: UTF8.self) } ?? ""
    let lowered = type.lowercased()
    let name = lowered.prefix { $0 != ";" }
    if ["image/", "audio/", "video/", "font/", "application/grpc"].contains(where: lowered.hasPrefix) {
      return name.hasSuffix("svg+xml") ? .markup : .opaque
    }
    if lowered.hasPrefix("multipart/"), let boundary = boundary(type) { return .multipart(boundary: boundary) }
    if name.contains("json") { return .json }
    if let seen = form(of: bytes) { return seen }
    if name.contains("x-www-form-urlencoded") { return .form }
    if name.contains("xml") || name.contains("html") { return .markup }
    if name.hasPrefix("text/") || name.contains("javascript") { return .text }
    return bytes.prefix(512).contains { $0 < 0x09 || $0 == 0x7f } ? .opaque : .text
  }

  /// nil where the first octets say nothing.
  static func form(of bytes: UnsafeBufferPointer<UInt8>) -> TextForm? {
    switch bytes.first(where: { $0 > 0x20 && $0 != 0xef && $0 != 0xbb && $0 != 0xbf }) {
    case UInt8(ascii: "{"), UInt8(ascii: "["): .json
    case UInt8(ascii: "<"): .markup
    default: nil
    }
  }

  private static func boundary(_ type: String) -> [UInt8]? {
    for part in type.split(separator: ";").dropFirst() {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2, pair[0].filter({ $0 != " " && $0 != "\t" }).lowercased() == "boundary" else { continue }
      let value = pair[1].filter { $0 != "\"" && $0 != " " }
      return value.isEmpty || value.utf8.count > 200 ? nil : Array("--\(value)".utf8)
    }
    return nil
  }
}

extension UnsafeMutableBufferPointer<UInt8> {
  func slice(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: UnsafeBufferPointer(self)[range])
  }

  func text(_ range: Range<Int>) -> String { String(decoding: slice(range).prefix(64), as: UTF8.self) }

  /// The first place of `wanted` at or after `from`.
  func firstIndex(of wanted: [UInt8], from: Int) -> Int? {
    guard let first = wanted.first else { return nil }
    var index = from
    while index + wanted.count <= count {
      if self[index] == first, slice(index..<index + wanted.count).elementsEqual(wanted) { return index }
      index += 1
    }
    return nil
  }
}
