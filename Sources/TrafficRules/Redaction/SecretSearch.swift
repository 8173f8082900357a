// Where secrets stand in text: the searches share what they know. In: octets of a body, a message, a header value.
// Out: calls of the writer at each secret. Owner: one redactor. Bounds: linear, and two levels of text inside text.

import ContentTree
import Glibc

/// Finds secrets by the names before them and by what they look like, and hands them to its writer.
struct SecretSearch {
  var writer: SecretWriter
  let fields: NameTable
  let query: NameTable
  let form: NameTable
  let pointers: [JSONPointerPattern]
  let kinds: Set<RedactRule.TextKind>
  /// Octets that are hidden wherever they stand.
  let values: [[UInt8]]

  /// Text inside text that is looked into.
  static let nesting = 2

  mutating func search(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ form: TextForm, nesting: Int = 0) {
    if !values.isEmpty { searchValues(bytes) }
    switch form {
    case .json: searchJSON(bytes, 0..<bytes.count, nesting: nesting)
    case .form: searchPairs(bytes, 0..<bytes.count, in: .form, nesting: nesting)
    case .markup: searchMarkup(bytes, nesting: nesting)
    case .multipart(let boundary): searchParts(bytes, boundary, nesting: nesting)
    case .text:
      // Looked at before it is read: most texts have neither.
      if bytes.contains(UInt8(ascii: "\"")) || !pointers.isEmpty {
        searchJSON(bytes, 0..<bytes.count, nesting: nesting)
      }
      if bytes.contains(UInt8(ascii: "=")) { searchPairs(bytes, 0..<bytes.count, in: .text, nesting: nesting) }
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
      search.search(text, TextForm(startOf: UnsafeBufferPointer(text)) ?? .text, nesting: nesting + 1)
      swap(&search.writer, &writer)
    }
  }
}

extension UnsafeMutableBufferPointer<UInt8> {
  func slice(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: UnsafeBufferPointer(self)[range])
  }

  func contains(_ byte: UInt8) -> Bool {
    guard let baseAddress else { return false }
    return memchr(baseAddress, Int32(byte), count) != nil
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
