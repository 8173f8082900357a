// The inside of JSON strings (RFC 8259, 7), with the place of each decoded byte. Owner: pure functions, linear.

enum JSONStringSpelling {
  /// Decodes the inside of a string that a JSON reader has accepted.
  /// - Returns: for each decoded byte, and for the end, where it begins in `text`; nil where nothing is escaped.
  static func decode(_ text: UnsafeBufferPointer<UInt8>) -> (bytes: [UInt8], starts: [Int])? {
    guard text.contains(UInt8(ascii: "\\")) else { return nil }
    var bytes: [UInt8] = []
    var starts: [Int] = []
    var index = 0
    while index < text.count {
      let start = index
      let before = bytes.count
      if text[index] != UInt8(ascii: "\\") || index + 1 == text.count {
        bytes.append(text[index])
        index += 1
      } else {
        let escape = text[index + 1]
        index += 2
        switch escape {
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0c)
        case UInt8(ascii: "n"): bytes.append(0x0a)
        case UInt8(ascii: "r"): bytes.append(0x0d)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"): index = appendScalar(text, index, to: &bytes)
        default: bytes.append(escape)
        }
      }
      starts.append(contentsOf: repeatElement(start, count: bytes.count - before))
    }
    starts.append(index)
    return (bytes, starts)
  }

  /// What `\u` stands for, four digits or a pair of them, in UTF-8; a lone surrogate becomes U+FFFD.
  private static func appendScalar(
    _ text: UnsafeBufferPointer<UInt8>, _ start: Int, to bytes: inout [UInt8]
  ) -> Int {
    guard let first = unit(text, start) else { return start }
    var scalar = UInt32(first)
    var end = start + 4
    if first & 0xfc00 == 0xd800, end + 1 < text.count, text[end] == UInt8(ascii: "\\"),
      text[end + 1] == UInt8(ascii: "u"), let second = unit(text, end + 2), second & 0xfc00 == 0xdc00
    {
      scalar = 0x10000 + (UInt32(first & 0x3ff) << 10 | UInt32(second & 0x3ff))
      end += 6
    }
    bytes.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{fffd}").utf8)
    return end
  }

  private static func unit(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> UInt16? {
    guard start + 4 <= text.count else { return nil }
    var unit: UInt16 = 0
    for index in start..<start + 4 {
      guard let digit = PercentEncoding.hex(text[index]) else { return nil }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  /// Escapes what has to be.
  static func encode(_ value: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(value.count)
    for byte in value {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
      case ..<0x20:
        text.append(contentsOf: "\\u00".utf8)
        text.append(0x30 + (byte >> 4))
        text.append(byte & 15 < 10 ? 0x30 + (byte & 15) : 0x57 + (byte & 15))
      default: text.append(byte)
      }
    }
    return text
  }
}
