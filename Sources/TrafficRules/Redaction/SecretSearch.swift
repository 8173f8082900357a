// Where secrets stand in text. In: octets of a body, a message, a header value.
// Out: calls of the writer at each secret. Owner: one redactor. Bounds: linear, and two levels of text inside text.

import Glibc
import HTTPModel

/// Finds secrets by the names before them and by what they look like, and hands them to its writer.
struct SecretSearch {
  var writer: SecretWriter
  let catalog: SecretCatalog

  /// Text inside text that is looked into.
  static let nesting = 2

  /// Finds what there is; worth it where ``SecretCatalog/mayHoldSecret(_:_:)`` says so.
  mutating func search(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ form: TextForm, nesting: Int = 0) {
    if !catalog.values.isEmpty { searchValues(bytes) }
    switch form {
    case .json: searchJSON(bytes, 0..<bytes.count, nesting: nesting)
    case .form: searchPairs(bytes, 0..<bytes.count, in: .form, nesting: nesting)
    case .markup: searchMarkup(bytes, nesting: nesting)
    case .multipart(let boundary): searchParts(bytes, boundary, nesting: nesting)
    case .text:
      if bytes.contains(UInt8(ascii: "\"")) || !catalog.pointers.isEmpty {
        searchJSON(bytes, 0..<bytes.count, nesting: nesting)
      }
      if bytes.contains(UInt8(ascii: "=")) { searchPairs(bytes, 0..<bytes.count, in: .text, nesting: nesting) }
    case .opaque: return
    }
    if !catalog.kinds.isEmpty { searchKinds(bytes) }
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

extension UnsafeBufferPointer<UInt8> {
  /// The first place of `byte` at or after `start`.
  @inline(__always)
  func place(of byte: UInt8, from start: Int) -> Int? {
    guard start < count, let base = baseAddress, let found = memchr(base + start, Int32(byte), count &- start) else {
      return nil
    }
    return UnsafeRawPointer(base).distance(to: found)
  }

  func contains(_ byte: UInt8) -> Bool { place(of: byte, from: 0) != nil }

  /// The four octets before `end`, the first one lowest.
  @inline(__always)
  func littleWord(endingAt end: Int) -> UInt32 {
    UInt32(littleEndian: UnsafeRawPointer(baseAddress!).loadUnaligned(fromByteOffset: end &- 4, as: UInt32.self))
  }

  /// Whether any of three signs stands at a place that is wanted; they are asked about in no order.
  @inline(__always)
  func has(anyOf signs: (UInt8, UInt8, UInt8), where isWanted: (Int) -> Bool) -> Bool {
    guard let base = baseAddress else { return false }
    return hasOctet(
      of: base, from: 0, to: count,
      isInBlock: {
        $0 .== SIMD16(repeating: signs.0) .| ($0 .== SIMD16(repeating: signs.1))
          .| ($0 .== SIMD16(repeating: signs.2))
      }, isOne: { $0 == signs.0 || $0 == signs.1 || $0 == signs.2 }, where: isWanted)
  }
}

extension UnsafeMutableBufferPointer<UInt8> {
  func slice(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: UnsafeBufferPointer(self)[range])
  }

  func contains(_ byte: UInt8) -> Bool { UnsafeBufferPointer(self).contains(byte) }

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
