// What a value looks like, whatever it is: enough to say that a value that is made anew for each answer still is one of
// its kind. In: a scalar's bytes, a JSON node, or a value as differences quote it. Out: its shape.
// Owner: a pure function. Bounds: the first 512 bytes are looked at; one pass, no allocation.

public import ContentTree

/// The form of a value: a UUID, a time, a token, a counter.
///
/// Where values can't be compared, because each answer has another one, ``accepts(_:)`` says whether a value still has
/// the form that was expected.
public enum ValueShape: String, CaseIterable, Sendable {
  /// No value.
  case absent
  case null
  case boolean
  /// A whole number: an identifier or a counter.
  case integer
  case real
  /// A whole number that is a time in seconds since 1970, between 2001 and 2286.
  case epochSeconds = "epoch-seconds"
  /// The same in milliseconds.
  case epochMilliseconds = "epoch-milliseconds"
  /// A string without characters.
  case empty
  /// A string of digits.
  case digits
  case uuid
  /// `2026-11-21`.
  case date
  /// A date and a time of day (RFC 3339 and its relatives), with or without a zone.
  case time
  /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
  case httpDate = "http-date"
  /// At least eight hexadecimal digits.
  case hex
  /// At least twelve characters of base64's, with digits among the letters; JSON Web Tokens too.
  case token
  case email
  case url
  /// An IPv4 or IPv6 address.
  case address
  /// Any other string.
  case text
  case array
  case object

  /// Made anew for each answer, as a rule: two of one such shape that differ say nothing.
  public var isVolatile: Bool {
    switch self {
    case .uuid, .time, .httpDate, .token, .hex, .epochSeconds, .epochMilliseconds: true
    default: false
    }
  }

  /// A point in time, however spelt.
  public var isTime: Bool {
    switch self {
    case .date, .time, .httpDate, .epochSeconds, .epochMilliseconds: true
    default: false
    }
  }

  /// It is a number of any form.
  public var isNumber: Bool {
    switch self {
    case .integer, .real, .epochSeconds, .epochMilliseconds: true
    default: false
    }
  }

  /// A JSON string, of whatever form.
  public var isString: Bool {
    switch self {
    case .absent, .null, .boolean, .array, .object: false
    default: !isNumber
    }
  }

  /// Whether a value of the other shape can stand where values of this one stood.
  ///
  /// Numbers stand for numbers, except that a time stays a time; what is random may look like its neighbour (a hexadecimal
  /// token of digits only). An empty string stands for an empty one alone: that a value went missing is a finding.
  public func accepts(_ other: ValueShape) -> Bool {
    if self == other { return true }
    switch self {
    case .integer, .real: return other.isNumber
    case .epochSeconds, .epochMilliseconds: return false
    case .hex, .token, .digits: return other == .hex || other == .token || other == .digits
    case .text: return other.isString && other != .empty
    default: return false
    }
  }

  /// In the words of a sentence: `a UUID`.
  public var phrase: String {
    switch self {
    case .absent: "nothing"
    case .null: "null"
    case .boolean: "a boolean"
    case .integer: "a whole number"
    case .real: "a number"
    case .epochSeconds: "a time in seconds"
    case .epochMilliseconds: "a time in milliseconds"
    case .empty: "an empty string"
    case .digits: "digits"
    case .uuid: "a UUID"
    case .date: "a date"
    case .time, .httpDate: "a time"
    case .hex: "hexadecimal digits"
    case .token: "a token"
    case .email: "an e-mail address"
    case .url: "a URL"
    case .address: "an IP address"
    case .text: "text"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension ValueShape {
  /// Of a JSON value.
  public init(of node: JSONNode, in document: JSONDocument) {
    switch document.kind(of: node) {
    case .null: self = .null
    case .true, .false: self = .boolean
    case .integer: self = document.withText(of: node) { ValueShape(ofInteger: $0) }
    case .real: self = .real
    case .string: self = document.withText(of: node) { ValueShape(ofString: $0) }
    case .array: self = .array
    case .object: self = .object
    }
  }

  /// Of the characters of a string, a field's value, a cookie.
  public init(ofText bytes: some Collection<UInt8>) {
    self =
      bytes.withContiguousStorageIfAvailable { ValueShape(ofString: UnsafeRawBufferPointer($0)) }
      ?? Array(bytes.prefix(Self.limit + 1)).withUnsafeBytes { ValueShape(ofString: $0) }
  }

  /// Of a value as a ``Difference`` quotes it: JSON text where it came from JSON; nil is ``absent``.
  ///
  /// A quotation that was shortened may have lost what its shape shows.
  public init(ofQuoted text: String?) {
    guard var text else {
      self = .absent
      return
    }
    self = text.withUTF8 { bytes in
      let raw = UnsafeRawBufferPointer(bytes)
      guard let first = raw.first else { return .empty }
      switch first {
      case UInt8(ascii: "\""):
        let rest = raw.dropFirst()
        return ValueShape(ofString: UnsafeRawBufferPointer(rebasing: rest.last == first ? rest.dropLast() : rest))
      case UInt8(ascii: "{"): return .object
      case UInt8(ascii: "["): return .array
      default: break
      }
      if raw.elementsEqual("null".utf8) { return .null }
      if raw.elementsEqual("true".utf8) || raw.elementsEqual("false".utf8) { return .boolean }
      let shape = ValueShape(ofString: raw)
      if shape == .digits { return ValueShape(ofInteger: raw) }
      return shape == .text && Self.isNumber(raw)
        ? (raw.contains { $0 == 0x2e || $0 | 0x20 == 0x65 } ? .real : .integer) : shape
    }
  }

  private static let limit = 512

  private static func isNumber(_ text: UnsafeRawBufferPointer) -> Bool {
    var digits = 0
    for (index, byte) in text.enumerated() {
      switch byte {
      case 0x30...0x39: digits += 1
      case UInt8(ascii: "-") where index == 0: break
      case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
        if digits == 0 { return false }
      default: return false
      }
    }
    return digits > 0
  }

  private init(ofInteger text: UnsafeRawBufferPointer) {
    // 10 digits from 1_000_000_000 are 2001 to 2286.
    let isPlausible = text.count > 0 && text[0] >= 0x31 && text[0] <= 0x39
    self =
      isPlausible && text.count == 10 ? .epochSeconds : isPlausible && text.count == 13 ? .epochMilliseconds : .integer
  }

  private init(ofString text: UnsafeRawBufferPointer) {
    guard text.count > 0 else {
      self = .empty
      return
    }
    guard text.count <= Self.limit else {
      // Signed tokens are long; so is prose, which has spaces.
      self = text.prefix(Self.limit).allSatisfy(Self.isTokenByte) ? .token : .text
      return
    }
    self = ShapeCounts(text).shape(of: text)
  }

  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="), UInt8(ascii: "."), UInt8(ascii: "+"),
      UInt8(ascii: "/"), UInt8(ascii: "~"):
      true
    default: false
    }
  }
}

/// How many characters of each kind a short string has.
private struct ShapeCounts {
  var (digits, hex, upper, lower, dashes, colons, dots, slashes, spaces, at, others) = (
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  )

  init(_ text: UnsafeRawBufferPointer) {
    for byte in text {
      switch byte {
      case 0x30...0x39: digits &+= 1
      case 0x41...0x5a:
        upper &+= 1
        if byte <= 0x46 { hex &+= 1 }
      case 0x61...0x7a:
        lower &+= 1
        if byte <= 0x66 { hex &+= 1 }
      case UInt8(ascii: "-"): dashes &+= 1
      case UInt8(ascii: ":"): colons &+= 1
      case UInt8(ascii: "."): dots &+= 1
      case UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: "_"), UInt8(ascii: "="), UInt8(ascii: "~"):
        slashes &+= 1
      case UInt8(ascii: " "): spaces &+= 1
      case UInt8(ascii: "@"): at &+= 1
      default: others &+= 1
      }
    }
  }

  func shape(of text: UnsafeRawBufferPointer) -> ValueShape {
    let count = text.count
    let letters = upper &+ lower
    if digits == count { return .digits }
    if count == 36, digits + hex == 32, dashes == 4, [8, 13, 18, 23].allSatisfy({ text[$0] == UInt8(ascii: "-") }) {
      return .uuid
    }
    if let time = timeShape(of: text) { return time }
    if spaces == 0, others == 0, at == 1, dots > 0, text.first != UInt8(ascii: "@") { return .email }
    if spaces == 0, colons > 0, slashes > 1, isURL(text) { return .url }
    if dots == 3, digits + 3 == count, count <= 15 { return .address }
    if colons >= 2, colons <= 7, dots == 0, digits + hex + colons == count, letters == hex { return .address }
    if digits + hex == count, count >= 8, digits > 0 { return .hex }
    if spaces == 0, others == 0, at == 0, colons == 0, count >= 12, digits >= 2, letters >= 2, looksRandom(count) {
      return .token
    }
    return .text
  }

  /// Long and with letters of both cases, or with many digits among its letters: a word or a name has neither.
  private func looksRandom(_ count: Int) -> Bool {
    digits &* 6 >= count || upper > 1 && lower > 1 && count >= 16 || count >= 40
  }

  private func timeShape(of text: UnsafeRawBufferPointer) -> ValueShape? {
    if colons == 2, spaces >= 4, digits >= 9, upper + lower <= 12, others <= 1, text.count <= 33 { return .httpDate }
    guard text.count >= 10, digits >= 8, text.prefix(4).allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
    let mark = text[4]
    guard mark == UInt8(ascii: "-") || mark == UInt8(ascii: "/"), text[7] == mark,
      [5, 6, 8, 9].allSatisfy({ text[$0] &- 0x30 < 10 })
    else { return nil }
    if text.count == 10 { return .date }
    let divider = text[10]
    guard divider | 0x20 == UInt8(ascii: "t") || divider == 0x20, colons >= 1, upper + lower <= 5, text.count <= 40
    else {
      return nil
    }
    return .time
  }

  private func isURL(_ text: UnsafeRawBufferPointer) -> Bool {
    guard let colon = text.firstIndex(of: UInt8(ascii: ":")), colon > 1, colon + 2 < text.count else { return false }
    return text[colon + 1] == UInt8(ascii: "/") && text[colon + 2] == UInt8(ascii: "/")
  }
}
