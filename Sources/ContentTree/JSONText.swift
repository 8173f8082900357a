// JSON text made piece by piece: what renders other formats into the tree that JSON has.
// In: values in order. Out: bytes. Owner: a renderer. That names and values alternate is the renderer's to see to.

struct JSONText {
  private(set) var bytes: [UInt8] = []
  /// A value stands before the next one in the same container.
  private var needsComma = false

  /// - Parameter bracket: ASCII.
  mutating func open(_ bracket: Unicode.Scalar) {
    separate()
    bytes.append(UInt8(truncatingIfNeeded: bracket.value))
    needsComma = false
  }

  mutating func close(_ bracket: Unicode.Scalar) {
    bytes.append(UInt8(truncatingIfNeeded: bracket.value))
    needsComma = true
  }

  mutating func name(_ text: String) {
    string(text)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// - Parameter spelt: a name in quotes and a colon, as ``spelling(ofName:)`` makes it.
  mutating func name(spelt: [UInt8]) {
    separate()
    bytes.append(contentsOf: spelt)
    needsComma = false
  }

  /// A name in quotes and a colon.
  static func spelling(ofName name: String) -> [UInt8] {
    var text = JSONText()
    text.name(name)
    return text.bytes
  }

  /// A number, `true`, `false` or `null`, as spelt.
  mutating func literal(_ text: String) {
    separate()
    append(text)
  }

  /// A number in quotes.
  mutating func quoted(_ text: String) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    append(text)
    bytes.append(UInt8(ascii: "\""))
  }

  /// A whole number.
  /// - Parameter isQuoted: in quotes, as protobuf writes those of 64 bits.
  mutating func number(_ value: some FixedWidthInteger, isQuoted: Bool = false) {
    separate()
    if isQuoted { bytes.append(UInt8(ascii: "\"")) }
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    var rest = UInt64(value.magnitude)
    let start = bytes.count
    repeat {
      bytes.append(0x30 &+ UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
    if isQuoted { bytes.append(UInt8(ascii: "\"")) }
  }

  private mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  mutating func string(_ text: String) {
    var text = text
    text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
  }

  /// - Parameter text: UTF-8.
  mutating func string(_ text: UnsafeRawBufferPointer) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    var start = 0
    for index in 0..<text.count {
      let byte = text[index]
      guard byte < 0x20 || byte == 0x22 || byte == 0x5c || byte == 0x7f else { continue }
      bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start..<index]))
      start = index + 1
      switch byte {
      case 0x22, 0x5c: bytes.append(contentsOf: [0x5c, byte])
      case 0x0a: bytes.append(contentsOf: "\\n".utf8)
      case 0x0d: bytes.append(contentsOf: "\\r".utf8)
      case 0x09: bytes.append(contentsOf: "\\t".utf8)
      default:
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(contentsOf: [hexadecimal(byte >> 4), hexadecimal(byte & 15)])
      }
    }
    bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start...]))
    bytes.append(UInt8(ascii: "\""))
  }

  /// Bytes as a string of base64 (RFC 4648, 4), after `prefix`.
  mutating func base64(_ data: UnsafeRawBufferPointer, prefix: String = "") {
    separate()
    bytes.append(UInt8(ascii: "\""))
    bytes.append(contentsOf: prefix.utf8)
    bytes.reserveCapacity(bytes.count + data.count / 3 * 4 + 8)
    var index = 0
    while index < data.count {
      let left = min(3, data.count - index)
      var word = UInt32(data[index]) << 16
      if left > 1 { word |= UInt32(data[index + 1]) << 8 }
      if left > 2 { word |= UInt32(data[index + 2]) }
      for place in 0..<4 {
        bytes.append(place > left ? UInt8(ascii: "=") : base64Character(UInt8(word >> UInt32(18 - 6 * place) & 63)))
      }
      index += 3
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }
}

private func base64Character(_ value: UInt8) -> UInt8 {
  switch value {
  case ..<26: value + 0x41
  case ..<52: value - 26 + 0x61
  case ..<62: value - 52 + 0x30
  case 62: UInt8(ascii: "+")
  default: UInt8(ascii: "/")
  }
}

func hexadecimal(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
