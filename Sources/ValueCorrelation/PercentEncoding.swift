// Percent-encoding (RFC 3986, 2.1) and that of forms (WHATWG URL, 5.1). Owner: pure functions, linear.

enum PercentEncoding {
  /// Decodes; a percent sign without two hex digits stands for itself.
  /// - Parameter isForm: `+` is a space.
  /// - Returns: for each decoded byte, and for the end, where it begins in `text`; nil where nothing was encoded.
  static func decode(
    _ text: UnsafeBufferPointer<UInt8>, isForm: Bool
  ) -> (bytes: [UInt8], starts: [Int])? {
    guard text.contains(where: { $0 == UInt8(ascii: "%") || isForm && $0 == UInt8(ascii: "+") }) else { return nil }
    var bytes: [UInt8] = []
    var starts: [Int] = []
    var index = 0
    while index < text.count {
      starts.append(index)
      let byte = text[index]
      if byte == UInt8(ascii: "%"), index + 2 < text.count, let high = hex(text[index + 1]),
        let low = hex(text[index + 2])
      {
        bytes.append(high << 4 | low)
        index += 3
      } else {
        bytes.append(isForm && byte == UInt8(ascii: "+") ? 0x20 : byte)
        index += 1
      }
    }
    starts.append(index)
    return (bytes, starts)
  }

  /// Encodes whatever is neither unreserved nor stood unencoded in `recorded`, so that the spelling stays as it was.
  static func encode(_ value: [UInt8], like recorded: ArraySlice<UInt8>, isForm: Bool) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(value.count)
    for byte in value {
      if Words.isWordByte(byte) || mayStand(byte) && recorded.contains(byte) {
        bytes.append(byte)
      } else if isForm, byte == 0x20, !recorded.contains(UInt8(ascii: "%")) {
        bytes.append(UInt8(ascii: "+"))
      } else {
        bytes.append(UInt8(ascii: "%"))
        bytes.append(digit(byte >> 4))
        bytes.append(digit(byte & 15))
      }
    }
    return bytes
  }

  /// What may stand unencoded in a path segment, a query's or a form's value without meaning something else there.
  private static func mayStand(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "!"), UInt8(ascii: "$"), 0x27, UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"),
      UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "@"):
      true
    default: false
    }
  }

  static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}
