// Well-known types, which protobuf JSON writes in a form of their own (ProtoJSON format; google/protobuf/*.proto).
// Their fields are read by number, so that a set without their files will do. A value outside its type's range is shown
// by its fields, as any message is.

enum ProtobufWellKnown: Sendable {
  case any, timestamp, duration, fieldMask, `struct`, value, listValue
  case wrapper(ProtobufKind)

  init?(name: String) {
    let prefix = "google.protobuf."
    guard name.hasPrefix(prefix) else { return nil }
    switch name.dropFirst(prefix.count) {
    case "Any": self = .any
    case "Timestamp": self = .timestamp
    case "Duration": self = .duration
    case "FieldMask": self = .fieldMask
    case "Struct": self = .struct
    case "Value": self = .value
    case "ListValue": self = .listValue
    case "DoubleValue": self = .wrapper(.double)
    case "FloatValue": self = .wrapper(.float)
    case "Int64Value": self = .wrapper(.int64)
    case "UInt64Value": self = .wrapper(.uint64)
    case "Int32Value": self = .wrapper(.int32)
    case "UInt32Value": self = .wrapper(.uint32)
    case "BoolValue": self = .wrapper(.bool)
    case "StringValue": self = .wrapper(.string)
    case "BytesValue": self = .wrapper(.bytes)
    default: return nil
    }
  }
}

extension ProtobufRenderer {
  /// False where the message is to be shown by its fields; then nothing was written.
  mutating func wellKnown(
    _ type: ProtobufWellKnown, _ fields: [ProtobufField], depth: Int
  ) throws(ProtobufError) -> Bool {
    switch type {
    case .timestamp, .duration:
      guard fields.allSatisfy({ $0.number <= 2 && $0.wire == .varint }) else { return false }
      let seconds = Int64(bitPattern: fields.last { $0.number == 1 }?.value ?? 0)
      let nanoseconds = Int32(truncatingIfNeeded: fields.last { $0.number == 2 }?.value ?? 0)
      let isTime = if case .timestamp = type { true } else { false }
      guard let text = isTime ? timestamp(seconds, nanoseconds) : duration(seconds, nanoseconds) else { return false }
      json.string(text)
    case .wrapper(let kind):
      guard fields.allSatisfy({ $0.number == 1 && $0.wire == kind.wire }) else { return false }
      let zero = ProtobufField(number: 1, wire: kind.wire, start: 0, content: 0..<0, end: 0)
      try value(ProtobufFieldType(number: 1, kind: kind), fields.last ?? zero)
    case .fieldMask:
      guard fields.allSatisfy({ $0.number == 1 && $0.wire == .len }) else { return false }
      json.string(fields.map { camelCase(String(decoding: source[$0.content], as: UTF8.self)) }.joined(separator: ","))
    case .struct: return try structure(fields, depth: depth)
    case .listValue: return try list(fields, depth: depth)
    case .value: return try dynamicValue(fields, depth: depth)
    case .any: return try any(fields, depth: depth)
    }
    return true
  }

  /// Struct: a map from strings (1) to Value (2).
  private mutating func structure(_ fields: [ProtobufField], depth: Int) throws(ProtobufError) -> Bool {
    guard depth > 2 else { return false }
    var entries: [(key: String, value: [Range<Int>])] = []
    var places: [String: Int] = [:]
    for field in fields {
      guard field.number == 1, field.wire == .len else { return false }
      guard let parts = try? source.protobufFields(in: [field.content], depth: depth - 1),
        parts.allSatisfy({ $0.number <= 2 && $0.wire == .len })
      else { return false }
      let key = parts.last { $0.number == 1 }.map { String(decoding: source[$0.content], as: UTF8.self) } ?? ""
      let value = parts.filter { $0.number == 2 }.map(\.content)
      guard readsAsFields(value, depth: depth - 2) else { return false }
      if let place = places[key] {
        entries[place].value = value
      } else {
        places[key] = entries.count
        entries.append((key, value))
      }
    }
    json.open("{")
    for entry in entries {
      json.name(entry.key)
      try valueMessage(entry.value, depth: depth - 2)
    }
    json.close("}")
    return true
  }

  /// ListValue: Values (1).
  private mutating func list(_ fields: [ProtobufField], depth: Int) throws(ProtobufError) -> Bool {
    guard depth > 1,
      fields.allSatisfy({ $0.number == 1 && $0.wire == .len && readsAsFields([$0.content], depth: depth - 1) })
    else { return false }
    json.open("[")
    for field in fields { try valueMessage([field.content], depth: depth - 1) }
    json.close("]")
    return true
  }

  private mutating func valueMessage(_ ranges: [Range<Int>], depth: Int) throws(ProtobufError) {
    try checkSize(ranges.first?.lowerBound ?? 0)
    let fields = try source.protobufFields(in: ranges, depth: depth)
    if try !dynamicValue(fields, depth: depth) { try untypedMessage(ranges, depth: depth) }
  }

  /// Value: the last of null (1), number (2), string (3), bool (4), Struct (5), ListValue (6); nothing is null.
  private mutating func dynamicValue(_ fields: [ProtobufField], depth: Int) throws(ProtobufError) -> Bool {
    guard let last = fields.max(by: { $0.start < $1.start }) else {
      json.literal("null")
      return true
    }
    switch (last.number, last.wire) {
    case (1, .varint): json.literal("null")
    case (2, .i64): real(Double(bitPattern: last.value))
    case (3, .len): text(last.content)
    case (4, .varint): json.literal(last.value != 0 ? "true" : "false")
    case (5, .len), (6, .len):
      let parts = fields.filter { $0.number == last.number && $0.wire == .len }.map(\.content)
      guard depth > 1, let inner = try? source.protobufFields(in: parts, depth: depth - 1) else { return false }
      return last.number == 5
        ? try structure(inner, depth: depth - 1) : try list(inner, depth: depth - 1)
    default: return false
    }
    return true
  }

  private func readsAsFields(_ ranges: [Range<Int>], depth: Int) -> Bool {
    (try? source.protobufFields(in: ranges, depth: depth)) != nil
  }

  /// Any: a type's URL (1) and a message's bytes (2).
  private mutating func any(_ fields: [ProtobufField], depth: Int) throws(ProtobufError) -> Bool {
    guard depth > 1, fields.allSatisfy({ $0.number <= 2 && $0.wire == .len }) else { return false }
    let url = fields.last { $0.number == 1 }.map { String(decoding: source[$0.content], as: UTF8.self) } ?? ""
    guard !url.isEmpty else { return false }
    let content = fields.last { $0.number == 2 }?.content ?? 0..<0
    let name = url.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    let inner = try? source.protobufFields(in: [content], depth: depth - 1)
    json.open("{")
    json.name("@type")
    json.string(url)
    if let inner, let index = descriptors?.messageIndex[name], let type = descriptors?.messages[index] {
      if type.wellKnown == nil {
        try members(of: type, inner, depth: depth - 1)
      } else {
        json.name("value")
        try message(index, [content], depth: depth - 1)
      }
    } else if !content.isEmpty {
      json.name("value")
      try untypedContent(content, depth: depth)
    }
    json.close("}")
    return true
  }

  /// RFC 3339 from the year 1 to 9999; nil outside.
  private func timestamp(_ seconds: Int64, _ nanoseconds: Int32) -> String? {
    guard (-62_135_596_800...253_402_300_799).contains(seconds), (0...999_999_999).contains(nanoseconds) else {
      return nil
    }
    let shifted = seconds + 62_135_596_800
    let time = shifted % 86_400
    // Days since 0000-03-01, so that a leap day ends its year of 365.25 days; an era has 146,097.
    let days = shifted / 86_400 + 306
    let day = days % 146_097
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
    let dayOfYear = day - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let date = (
      year: year + days / 146_097 * 400 + (month < 10 ? 0 : 1), month: month < 10 ? month + 3 : month - 9,
      day: dayOfYear - (153 * month + 2) / 5 + 1
    )
    return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
      + "\(padded(time / 3600, 2)):\(padded(time / 60 % 60, 2)):\(padded(time % 60, 2))\(fraction(nanoseconds))Z"
  }

  /// Seconds and an `s`; nil over 10,000 years, and where the two parts have different signs.
  private func duration(_ seconds: Int64, _ nanoseconds: Int32) -> String? {
    guard (-315_576_000_000...315_576_000_000).contains(seconds),
      (-999_999_999...999_999_999).contains(nanoseconds),
      seconds == 0 || nanoseconds == 0
        || (seconds < 0) == (nanoseconds < 0)
    else { return nil }
    return (seconds < 0 || nanoseconds < 0 ? "-" : "")
      + "\(seconds.magnitude)\(fraction(Int32(nanoseconds.magnitude)))s"
  }

  /// Nothing, or a point and three, six or nine digits.
  private func fraction(_ nanoseconds: Int32) -> String {
    if nanoseconds == 0 { return "" }
    if nanoseconds % 1_000_000 == 0 { return "." + padded(Int64(nanoseconds / 1_000_000), 3) }
    if nanoseconds % 1000 == 0 { return "." + padded(Int64(nanoseconds / 1000), 6) }
    return "." + padded(Int64(nanoseconds), 9)
  }

  private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
