// Text as a format spells it, read and written over in place. In: octets with escapes. Out: the characters, and where
// they changed the same escapes with other digits. Owner: one call. Bounds: memory of 4 octets for each character.

/// How characters are written in what surrounds them.
enum TextSpelling {
  case plain
  /// A JSON string between its quotes (RFC 8259, 7).
  case json
  /// A form's or a query's name or value.
  case percent
}

/// The characters of a spelt text, each with the place where it is spelt.
struct SpeltText {
  /// Decoded, as UTF-8.
  var characters: [UInt8] = []
  /// Of each unit: octets in the spelling, octets decoded.
  private var units: [(spelt: UInt8, decoded: UInt8)] = []
  private let start: Int
  private let spelling: TextSpelling

  /// More is not read but blanked.
  static let limit = 256 << 10

  init(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, _ spelling: TextSpelling) {
    start = range.lowerBound
    self.spelling = spelling
    characters.reserveCapacity(range.count)
    units.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = bytes[index]
      let left = range.upperBound - index
      switch spelling {
      case .json where byte == 0x5c && left >= 2: index += readEscape(bytes, index, left)
      case .percent where byte == 0x25 && left >= 3:
        if let high = hexadecimalValue(bytes[index + 1]), let low = hexadecimalValue(bytes[index + 2]) {
          add(3, high << 4 | low)
          index += 3
        } else {
          add(1, byte)
          index += 1
        }
      case .percent where byte == 0x2b:
        add(1, 0x20)
        index += 1
      default:
        add(1, byte)
        index += 1
      }
    }
  }

  private mutating func add(_ spelt: UInt8, _ byte: UInt8) {
    characters.append(byte)
    units.append((spelt, 1))
  }

  private mutating func readEscape(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ index: Int, _ left: Int) -> Int {
    let kind = bytes[index + 1]
    if kind == UInt8(ascii: "u"), left >= 6, let unit = Self.hexadecimal(bytes, index + 2) {
      var (scalar, length) = (UInt32(unit), 6)
      if unit >= 0xd800, unit < 0xdc00, left >= 12, bytes[index + 6] == 0x5c, bytes[index + 7] == UInt8(ascii: "u"),
        let low = Self.hexadecimal(bytes, index + 8), low >= 0xdc00, low < 0xe000
      {
        (scalar, length) = (0x10000 + (UInt32(unit) - 0xd800) << 10 + (UInt32(low) - 0xdc00), 12)
      }
      // A surrogate alone is no character.
      let text = UTF8.encode(Unicode.Scalar(scalar) ?? "\u{fffd}")!
      characters.append(contentsOf: text)
      units.append((UInt8(length), UInt8(text.count)))
      return length
    }
    let plain: UInt8 =
      switch kind {
      case UInt8(ascii: "n"): 0x0a
      case UInt8(ascii: "r"): 0x0d
      case UInt8(ascii: "t"): 0x09
      case UInt8(ascii: "b"): 0x08
      case UInt8(ascii: "f"): 0x0c
      case 0x22, 0x5c, 0x2f: kind
      // No escape of JSON's: the backslash stands for itself.
      default: 0
      }
    guard plain != 0 else {
      add(1, 0x5c)
      return 1
    }
    add(2, plain)
    return 2
  }

  private static func hexadecimal(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ index: Int) -> UInt16? {
    var value: UInt16 = 0
    for offset in 0..<4 {
      guard let digit = hexadecimalValue(bytes[index + offset]) else { return nil }
      value = value << 4 | UInt16(digit)
    }
    return value
  }

  /// Writes the characters back where they differ from `before`.
  func write(to bytes: UnsafeMutableBufferPointer<UInt8>, before: [UInt8]) {
    var (place, index) = (start, 0)
    for unit in units {
      let end = index + Int(unit.decoded)
      if characters[index..<end] != before[index..<end] { write(characters[index..<end], to: bytes, place, unit.spelt) }
      place += Int(unit.spelt)
      index = end
    }
  }

  private func write(
    _ new: ArraySlice<UInt8>, to bytes: UnsafeMutableBufferPointer<UInt8>, _ place: Int, _ spelt: UInt8
  ) {
    let first = new[new.startIndex]
    switch spelt {
    case 1: bytes[place] = first
    case 3:
      bytes[place + 1] = hexadecimalDigit(first >> 4)
      bytes[place + 2] = hexadecimalDigit(first & 15)
    case 6, 12:
      var decoder = UTF8()
      var iterator = new.makeIterator()
      guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return }
      let words = Array(String(scalar).utf16)
      // A mask of one word where a pair stood is written twice.
      for pair in 0..<Int(spelt / 6) {
        let word = words[min(pair, words.count - 1)]
        for digit in 0..<4 {
          bytes[place + pair * 6 + 2 + digit] = hexadecimalDigit(UInt8(word >> UInt16(12 - 4 * digit) & 15))
        }
      }
    // Short escapes stay: so do the characters that need them.
    default: break
    }
  }
}
