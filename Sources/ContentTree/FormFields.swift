// application/x-www-form-urlencoded bodies as names and values (WHATWG URL, 5.1).
// In: a body. Out: fields in order. Owner: a pure function. Bounds: linear; at most `limit` fields.

/// One field of a form body, decoded.
public struct FormField: Hashable, Sendable {
  public var name: [UInt8]
  public var value: [UInt8]

  public init(name: [UInt8], value: [UInt8]) {
    self.name = name
    self.value = value
  }

  /// The fields of a body in order; nil where there are more than `limit`.
  ///
  /// Every byte string is a form: a percent sign without two hex digits after it stands for itself.
  public static func read(_ body: [UInt8], limit: Int = 10_000) -> [FormField]? {
    var fields: [FormField] = []
    for pair in body.split(separator: UInt8(ascii: "&")) {
      guard fields.count < limit else { return nil }
      let mark = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
      fields.append(FormField(name: decoded(pair[..<mark]), value: decoded(pair[mark...].dropFirst())))
    }
    return fields
  }

  private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var index = text.startIndex
    while index < text.endIndex {
      let byte = text[index]
      if byte == UInt8(ascii: "%"), index + 2 < text.endIndex, let high = hex(text[index + 1]),
        let low = hex(text[index + 2])
      {
        bytes.append(high << 4 | low)
        index += 3
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
        index += 1
      }
    }
    return bytes
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}
