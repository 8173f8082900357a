// Base64 in either alphabet (RFC 4648, 4 and 5), with or without padding. Owner: pure functions, linear.

struct Base64 {
  /// The alphabet with `-` and `_`.
  var isURL: Bool
  var isPadded: Bool

  /// Bytes of text that strictly is base64, and how it is spelt; nil of everything else.
  static func decode(_ text: UnsafeBufferPointer<UInt8>) -> (bytes: [UInt8], spelling: Base64)? {
    var content = text.count
    while content > 0, text.count - content < 2, text[content - 1] == UInt8(ascii: "=") { content -= 1 }
    let isPadded = content < text.count
    guard content % 4 != 1, !isPadded || text.count % 4 == 0 else { return nil }
    var isURL = false
    var bytes: [UInt8] = []
    bytes.reserveCapacity(content / 4 * 3 + 3)
    var (bits, held): (UInt32, UInt32) = (0, 0)
    for index in 0..<content {
      let byte = text[index]
      let value: UInt8
      switch byte {
      case 0x41...0x5a: value = byte - 0x41
      case 0x61...0x7a: value = byte - 0x61 + 26
      case 0x30...0x39: value = byte - 0x30 + 52
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      case UInt8(ascii: "-"), UInt8(ascii: "_"):
        value = byte == UInt8(ascii: "-") ? 62 : 63
        isURL = true
      default: return nil
      }
      bits = bits << 6 | UInt32(value)
      held += 6
      if held >= 8 {
        held -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> held))
      }
    }
    return (bytes, Base64(isURL: isURL, isPadded: isPadded || content % 4 == 0 && !isURL))
  }

  func encode(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let left = min(3, bytes.count - index)
      var word = UInt32(bytes[index]) << 16
      if left > 1 { word |= UInt32(bytes[index + 1]) << 8 }
      if left > 2 { word |= UInt32(bytes[index + 2]) }
      for place in 0...left { text.append(character(UInt8(word >> UInt32(18 - 6 * place) & 63))) }
      if isPadded { text.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - left)) }
      index += 3
    }
    return text
  }

  private func character(_ value: UInt8) -> UInt8 {
    switch value {
    case ..<26: value + 0x41
    case ..<52: value - 26 + 0x61
    case ..<62: value - 52 + 0x30
    case 62: isURL ? UInt8(ascii: "-") : UInt8(ascii: "+")
    default: isURL ? UInt8(ascii: "_") : UInt8(ascii: "/")
    }
  }
}
