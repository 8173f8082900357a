// Single values as protobuf JSON: 64-bit whole numbers in quotes, reals shortest, bytes in base64, enums by name.

/// A whole number, in the width and sign of its kind.
enum ProtobufWholeNumber {
  case narrow(Int64)
  case signed(Int64)
  case unsigned(UInt64)

  var text: String {
    switch self {
    case .narrow(let value), .signed(let value): String(value)
    case .unsigned(let value): String(value)
    }
  }
}

extension ProtobufKind {
  /// A whole number as its bits on the wire say it; nil of other kinds.
  func wholeNumber(_ bits: UInt64) -> ProtobufWholeNumber? {
    switch self {
    case .int32, .sfixed32, .enum: .narrow(Int64(Int32(truncatingIfNeeded: bits)))
    case .uint32, .fixed32: .narrow(Int64(UInt32(truncatingIfNeeded: bits)))
    case .sint32:
      .narrow(Int64(Int32(bitPattern: UInt32(truncatingIfNeeded: bits) >> 1) ^ -Int32(truncatingIfNeeded: bits & 1)))
    case .int64, .sfixed64: .signed(Int64(bitPattern: bits))
    case .uint64, .fixed64: .unsigned(bits)
    case .sint64: .signed(Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1))
    default: nil
    }
  }
}

extension ProtobufRenderer {
  /// - Parameter isMissing: the value of a map's entry that was not sent.
  mutating func value(
    _ type: ProtobufFieldType, _ field: ProtobufField, isMissing: Bool = false
  ) throws(ProtobufError) {
    try checkSize(field.start)
    switch type.kind {
    case .double: real(Double(bitPattern: field.value))
    case .float: real(Float(bitPattern: UInt32(truncatingIfNeeded: field.value)))
    case .bool: json.literal(field.value != 0 ? "true" : "false")
    case .string: text(field.content)
    case .bytes: json.base64(UnsafeRawBufferPointer(rebasing: source[field.content]))
    case .enum: enumeration(type, field.value, isMissing: isMissing)
    default:
      switch type.kind.wholeNumber(field.value) {
      case .narrow(let value): json.number(value)
      case .signed(let value): json.number(value, isQuoted: true)
      case .unsigned(let value): json.number(value, isQuoted: true)
      case nil: break
      }
    }
  }

  mutating func real(_ value: some BinaryFloatingPoint & CustomStringConvertible) {
    if value.isFinite {
      json.literal(value.description)
    } else {
      json.quoted(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
    }
  }

  /// A string, or its base64 where it is no UTF-8.
  mutating func text(_ range: Range<Int>) {
    let piece = UnsafeRawBufferPointer(rebasing: source[range])
    if isUTF8(piece) { json.string(piece) } else { json.base64(piece, prefix: "base64:") }
  }

  private mutating func enumeration(_ type: ProtobufFieldType, _ bits: UInt64, isMissing: Bool) {
    if type.type == "google.protobuf.NullValue" { return json.literal("null") }
    let known = type.typeIndex.flatMap { descriptors?.enums[$0] }
    let number = isMissing ? known?.first ?? 0 : Int32(truncatingIfNeeded: bits)
    if let name = known?.values[number] { json.string(name) } else { json.number(number) }
  }
}
