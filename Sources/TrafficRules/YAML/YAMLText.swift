// Whether bytes are UTF-8, and in which line and column a byte stands. In: a file's bytes. Bounds: linear.

enum YAMLText {
  /// The first byte of the first sequence that is not UTF-8 (RFC 3629); nil where all are.
  static func firstInvalidByte(_ bytes: [UInt8]) -> Int? {
    var index = 0
    while index < bytes.count {
      guard let length = UTF8Sequence.length(in: bytes, at: index) else { return index }
      index += length
    }
    return nil
  }

  /// From 1 both; the column counts characters.
  static func position(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
    let before = bytes[..<min(offset, bytes.count)]
    let line = before.reduce(1) { $1 == 0x0a ? $0 + 1 : $0 }
    let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    return (line, before[start...].reduce(1) { $1 & 0xc0 == 0x80 ? $0 : $0 + 1 })
  }
}

/// Single characters of UTF-8 text.
enum UTF8Sequence {
  /// Bytes of the character at `index`; nil where none stands there.
  @inline(__always)
  static func length(in bytes: borrowing [UInt8], at index: Int) -> Int? {
    bytes.withUnsafeBufferPointer { length(in: $0, at: index, end: $0.count) }
  }

  static func length(in bytes: UnsafeBufferPointer<UInt8>, at index: Int, end: Int) -> Int? {
    let first = bytes[index]
    if first < 0x80 { return 1 }
    let (length, low, high): (Int, UInt8, UInt8)
    switch first {
    case 0xc2...0xdf: (length, low, high) = (2, 0x80, 0xbf)
    case 0xe0: (length, low, high) = (3, 0xa0, 0xbf)
    case 0xed: (length, low, high) = (3, 0x80, 0x9f)
    case 0xe1...0xef: (length, low, high) = (3, 0x80, 0xbf)
    case 0xf0: (length, low, high) = (4, 0x90, 0xbf)
    case 0xf1...0xf3: (length, low, high) = (4, 0x80, 0xbf)
    case 0xf4: (length, low, high) = (4, 0x80, 0x8f)
    default: return nil
    }
    guard index + length <= end, (low...high).contains(bytes[index + 1]) else { return nil }
    for offset in 2..<max(2, length) where bytes[index + offset] & 0xc0 != 0x80 { return nil }
    return length
  }
}
