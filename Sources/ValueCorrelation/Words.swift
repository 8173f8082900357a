// The words of a text: runs of the characters that tokens and ids are made of. Owner: pure functions, linear.

enum Words {
  /// Texts with more words than this are not looked into.
  static let limit = 64

  /// RFC 3986's unreserved characters: what stands in a URL as it is. A JWT is one word.
  @inline(__always)
  static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: true
    default: false
    }
  }

  /// Their ranges in `text`, in order; empty where there are more than ``limit``.
  static func ranges(in text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var index = 0
    while index < text.count {
      guard isWordByte(text[index]) else {
        index += 1
        continue
      }
      let start = index
      while index < text.count, isWordByte(text[index]) { index += 1 }
      if ranges.count == limit { return [] }
      ranges.append(start..<index)
    }
    return ranges
  }

  /// The word that corresponds to one of another text: by its place from the start where the numbers of words agree,
  /// else by its place from the end, where the ids of URLs stand.
  static func corresponding(
    to index: UInt16, of count: UInt16, in text: UnsafeBufferPointer<UInt8>
  ) -> Range<Int>? {
    let ranges = ranges(in: text)
    if ranges.count == Int(count) { return Int(index) < ranges.count ? ranges[Int(index)] : nil }
    let place = ranges.count - (Int(count) - Int(index))
    return ranges.indices.contains(place) ? ranges[place] : nil
  }
}
