// Where secrets stand in text. In: octets of a body, a message, a header value.
// Out: calls of the writer at each secret. Owner: one redactor. Bounds: linear, and two levels of text inside text.

import Glibc

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

  /// The first place of any of three at or after `start`: better than ``place(of:from:)`` where they are not far apart.
  @inline(__always)
  func place(ofAny signs: (UInt8, UInt8, UInt8), from start: Int) -> Int? {
    guard let base = baseAddress else { return nil }
    let raw = UnsafeRawPointer(base)
    let (a, b, c) = (Lanes(repeating: signs.0), Lanes(repeating: signs.1), Lanes(repeating: signs.2))
    var index = start
    while count &- index >= 16 {
      let block = raw.loadUnaligned(fromByteOffset: index, as: Lanes.self)
      let found = unsafeBitCast(
        allOnes(block .== a) | allOnes(block .== b) | allOnes(block .== c), to: SIMD2<UInt64>.self)
      if found[0] | found[1] != 0 {
        // The lanes stand in the words as the octets do in memory, the first one lowest.
        return found[0] != 0
          ? index &+ found[0].littleEndian.trailingZeroBitCount >> 3
          : index &+ 8 &+ found[1].littleEndian.trailingZeroBitCount >> 3
      }
      index &+= 16
    }
    while index < count {
      let byte = base[index]
      if byte == signs.0 || byte == signs.1 || byte == signs.2 { return index }
      index &+= 1
    }
    return nil
  }
}

private typealias Lanes = SIMD16<UInt8>

/// A mask's lane is 0 or -1.
@inline(__always)
private func allOnes(_ mask: SIMDMask<SIMD16<Int8>>) -> Lanes { unsafeBitCast(mask, to: Lanes.self) }

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
