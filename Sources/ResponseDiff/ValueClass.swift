// What a quoted value looks like: enough to say that an identifier became another identifier, or no identifier at all.
// In: a value as differences quote it (JSON text, or a field's value). Out: its class. Owner: a pure function.
// Bounds: the first 64 bytes are looked at.

enum ValueClass: String {
  case nothing = "nothing"
  case null = "null"
  case boolean = "a boolean"
  case number = "a number"
  case epoch = "a time in seconds or milliseconds"
  case time = "a time"
  case uuid = "a UUID"
  case token = "a token"
  case text = "text"
  case structure = "a structure"

  /// Made anew for each answer, as a rule: two of them that differ say nothing.
  var isVolatile: Bool { self == .uuid || self == .time || self == .token || self == .epoch }

  init(_ value: String?) {
    guard let value else {
      self = .nothing
      return
    }
    var bytes = Array(value.utf8.prefix(64))[...]
    // A weak entity tag (RFC 9110, 8.8.3).
    if bytes.starts(with: "W/\"".utf8) { bytes = bytes.dropFirst(2) }
    let isQuoted = bytes.first == UInt8(ascii: "\"")
    if isQuoted { bytes = bytes.dropFirst().prefix { $0 != UInt8(ascii: "\"") } }
    if bytes.isEmpty {
      self = isQuoted ? .text : .nothing
      return
    }
    if !isQuoted {
      switch bytes.first {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        self = .structure
        return
      default: break
      }
      if bytes.elementsEqual("null".utf8) {
        self = .null
        return
      }
      if bytes.elementsEqual("true".utf8) || bytes.elementsEqual("false".utf8) {
        self = .boolean
        return
      }
    }
    let scalar = ValueClass.ofScalar(bytes)
    self = isQuoted && scalar == .number ? .text : scalar
  }

  private static func ofScalar(_ bytes: ArraySlice<UInt8>) -> ValueClass {
    var (digits, hex, letters, upper, lower, dashes, colons, spaces, others) = (0, 0, 0, 0, 0, 0, 0, 0, 0)
    for byte in bytes {
      switch byte {
      case 0x30...0x39: digits += 1
      case 0x41...0x5a, 0x61...0x7a:
        letters += 1
        if byte | 0x20 <= 0x66 { hex += 1 }
        if byte < 0x5b { upper += 1 } else { lower += 1 }
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="): dashes += 1
      case UInt8(ascii: ":"): colons += 1
      case UInt8(ascii: " "), UInt8(ascii: ","): spaces += 1
      default: others += 1
      }
    }
    let count = bytes.count
    if count == 36, digits + hex == 32, dashes == 4 { return .uuid }
    if digits >= 8, dashes == 2 || dashes == 3, isYear(bytes) { return .time }
    // An HTTP date: `Sun, 06 Nov 1994 08:49:37 GMT`.
    if colons == 2, spaces >= 4, digits >= 9, letters <= 10 { return .time }
    let isNumber =
      digits > 0 && letters <= 1 && colons == 0 && spaces == 0 && digits + letters + dashes + others == count
    if isNumber, others <= 2, dashes <= 2 {
      let isEpoch = digits == count && (count == 10 || count == 13) && bytes.first == UInt8(ascii: "1")
      return isEpoch ? .epoch : .number
    }
    if spaces == 0, colons == 0, others <= 2, count >= 12, digits >= 2, letters >= 2 {
      let isHex = digits + hex + dashes + others == count
      if isHex || count >= 16 && digits >= 3 { return .token }
    }
    return .text
  }

  /// `YYYY-MM`.
  private static func isYear(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.count >= 10 && bytes.prefix(4).allSatisfy { $0 &- 0x30 < 10 } && bytes.dropFirst(4).first == UInt8(ascii: "-")
      && bytes.dropFirst(7).first == UInt8(ascii: "-")
  }
}
