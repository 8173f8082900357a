// JSON as the demo shop writes it: members in the order given, numbers as spelled.
// Owner: a value. Bounds: what it is built from.

/// A JSON value (RFC 8259) that remembers how its numbers are spelled.
enum ShopJSON: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  case object([Member])
  case array([ShopJSON])
  case string(String)
  /// Written as it stands.
  case number(String)

  struct Member: Hashable, Sendable {
    var name: String
    var value: ShopJSON

    init(_ name: String, _ value: ShopJSON) {
      self.name = name
      self.value = value
    }
  }

  init(stringLiteral value: String) { self = .string(value) }
  init(integerLiteral value: Int) { self = .number(String(value)) }

  /// UTF-8 without white space.
  var bytes: [UInt8] {
    var output: [UInt8] = []
    write(to: &output)
    return output
  }

  private func write(to output: inout [UInt8]) {
    switch self {
    case .object(let members):
      output.append(0x7b)
      for (index, member) in members.enumerated() {
        if index > 0 { output.append(0x2c) }
        Self.write(member.name, to: &output)
        output.append(0x3a)
        member.value.write(to: &output)
      }
      output.append(0x7d)
    case .array(let elements):
      output.append(0x5b)
      for (index, element) in elements.enumerated() {
        if index > 0 { output.append(0x2c) }
        element.write(to: &output)
      }
      output.append(0x5d)
    case .string(let text): Self.write(text, to: &output)
    case .number(let text): output.append(contentsOf: text.utf8)
    }
  }

  private static func write(_ text: String, to output: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    output.append(0x22)
    for byte in text.utf8 {
      switch byte {
      case 0x22, 0x5c: output += [0x5c, byte]
      case 0..<0x20: output += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: output.append(byte)
      }
    }
    output.append(0x22)
  }
}
