/// Appends JSON text (RFC 8259) to a byte buffer: values in, valid UTF-8 out, whatever the bytes came from.
///
/// Owner: whoever prints, serially. Memory: what was written since ``takeBytes()``. Commas and line breaks are the
/// writer's; that keys and values alternate and containers are closed is the caller's, and is not checked.
///
///     var json = JSONWriter()
///     json.beginObject()
///     json.key("id")
///     json.string("7-3")
///     json.endObject()
public struct JSONWriter: Sendable {
  /// How the text is laid out.
  public enum Layout: Sendable {
    /// One line, no spaces.
    case compact
    /// A member a line, two spaces a level.
    case indented
  }

  /// What was written so far.
  public private(set) var bytes: [UInt8] = []
  private let layout: Layout
  private var depth = 0
  /// A value stands before the next one in the same container.
  private var isAfterValue = false
  /// The container that was opened last holds nothing yet, or a key stands before its value.
  private var isAfterKey = false

  public init(layout: Layout = .compact, reservingCapacity capacity: Int = 0) {
    self.layout = layout
    bytes.reserveCapacity(max(0, capacity))
  }

  /// Hands over what was written and goes on with an empty buffer.
  public mutating func takeBytes() -> [UInt8] {
    let taken = bytes
    bytes = []
    return taken
  }

  /// Ends a top-level value: one line of JSON Lines, or the end of a document.
  public mutating func endLine() {
    bytes.append(0x0a)
    (isAfterValue, isAfterKey) = (false, false)
  }

  /// `{`
  public mutating func beginObject() { begin(0x7b) }
  /// `}`
  public mutating func endObject() { end(0x7d) }
  /// `[`
  public mutating func beginArray() { begin(0x5b) }
  /// `]`
  public mutating func endArray() { end(0x5d) }

  /// A member's name; its value is to follow.
  public mutating func key(_ name: String) {
    separate()
    quote(name)
    bytes.append(0x3a)
    if layout == .indented { bytes.append(0x20) }
    isAfterKey = true
  }

  /// A string, escaped.
  public mutating func string(_ value: String) {
    separate()
    quote(value)
    isAfterValue = true
  }

  /// Bytes off the wire as text: what is not well-formed UTF-8 becomes U+FFFD, one for each maximal subpart.
  public mutating func string(bytes value: some Collection<UInt8>) {
    separate()
    if value.withContiguousStorageIfAvailable({ quote($0) }) == nil {
      Array(value).withUnsafeBufferPointer { quote($0) }
    }
    isAfterValue = true
  }

  /// A whole number.
  public mutating func number(_ value: some BinaryInteger) { literal(String(value)) }

  /// The shortest digits that read back as the same value; `null` for what JSON has no number for.
  public mutating func number(_ value: Double) { literal(value.isFinite ? value.description : "null") }

  /// `true` or `false`.
  public mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }
  /// `null`
  public mutating func null() { literal("null") }

  /// A value that is JSON text already, on one line.
  public mutating func value(text: some Sequence<UInt8>) {
    separate()
    bytes.append(contentsOf: text)
    isAfterValue = true
  }

  private mutating func literal(_ text: String) {
    separate()
    bytes.append(contentsOf: text.utf8)
    isAfterValue = true
  }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    depth += 1
    isAfterValue = false
  }

  private mutating func end(_ bracket: UInt8) {
    depth -= 1
    if isAfterValue { breakLine() }
    bytes.append(bracket)
    (isAfterValue, isAfterKey) = (true, false)
  }

  /// Whatever stands between what was written and the next key or value.
  private mutating func separate() {
    if isAfterKey {
      isAfterKey = false
      return
    }
    if isAfterValue { bytes.append(0x2c) }
    if depth > 0 { breakLine() }
    isAfterValue = false
  }

  private mutating func breakLine() {
    guard layout == .indented else { return }
    bytes.append(0x0a)
    for _ in 0..<max(0, 2 * depth) { bytes.append(0x20) }
  }

  private mutating func quote(_ text: String) {
    var text = text
    text.withUTF8 { quote($0) }
  }

  private mutating func quote(_ text: UnsafeBufferPointer<UInt8>) {
    bytes.append(0x22)
    var index = 0
    while index < text.count {
      let run = JSONWriter.plainRun(in: text, from: index)
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[index..<run]))
      index = run
      guard index < text.count else { break }
      if text[index] < 0x80 {
        escape(text[index])
        index += 1
      } else {
        let (scalar, length) = JSONWriter.scalar(in: text, at: index)
        if let scalar, JSONWriter.isInvisible(scalar) {
          escape(unit: UInt16(scalar))
        } else if scalar != nil {
          bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[index..<index + length]))
        } else {
          bytes.append(contentsOf: "\u{fffd}".utf8)
        }
        index += length
      }
    }
    bytes.append(0x22)
  }

  /// The end of the ASCII at `start` that needs no escape; eight bytes a step.
  private static func plainRun(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let raw = UnsafeRawBufferPointer(text)
    var index = start
    while index + 8 <= raw.count {
      let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let quotes = word ^ (ones &* 0x22)
      let slashes = word ^ (ones &* 0x5c)
      // A byte's top bit is set where the byte is below 0x20, a quote, a backslash, or 0x7f and above.
      let special = (word &- ones &* 0x20) | (quotes &- ones) | (slashes &- ones) | (word &+ ones) | word
      if special & highs != 0 { break }
      index += 8
    }
    while index < text.count {
      let byte = text[index]
      if byte < 0x20 || byte == 0x22 || byte == 0x5c || byte >= 0x7f { break }
      index += 1
    }
    return index
  }

  private mutating func escape(_ byte: UInt8) {
    let letter: UInt8
    switch byte {
    case 0x22, 0x5c: letter = byte
    case 0x08: letter = 0x62
    case 0x09: letter = 0x74
    case 0x0a: letter = 0x6e
    case 0x0c: letter = 0x66
    case 0x0d: letter = 0x72
    default: return escape(unit: UInt16(byte))
    }
    bytes.append(0x5c)
    bytes.append(letter)
  }

  private mutating func escape(unit: UInt16) {
    bytes.append(0x5c)
    bytes.append(0x75)
    for shift in stride(from: 12, through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: unit >> UInt16(shift) & 0xf)
      bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }

  /// C1 controls, line separators and bidirectional controls, which a terminal that prints the JSON must not obey, and
  /// the byte order mark, which some readers drop.
  private static func isInvisible(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x80...0x9f, 0x061c, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff: true
    default: false
    }
  }

  /// The scalar at a byte that is not ASCII (The Unicode Standard, table 3-7), or nil and the length of the
  /// maximal subpart that one replacement character stands for.
  private static func scalar(in text: UnsafeBufferPointer<UInt8>, at index: Int) -> (value: UInt32?, length: Int) {
    let lead = text[index]
    var second: ClosedRange<UInt8> = 0x80...0xbf
    let following: Int
    switch lead {
    case 0xc2...0xdf: following = 1
    case 0xe0...0xef:
      following = 2
      if lead == 0xe0 { second = 0xa0...0xbf } else if lead == 0xed { second = 0x80...0x9f }
    case 0xf0...0xf4:
      following = 3
      if lead == 0xf0 { second = 0x90...0xbf } else if lead == 0xf4 { second = 0x80...0x8f }
    default: return (nil, 1)
    }
    var value = UInt32(lead) & (0x3f >> UInt32(following))
    for step in 1...following {
      guard index + step < text.count else { return (nil, step) }
      let byte = text[index + step]
      guard (step == 1 ? second : 0x80...0xbf).contains(byte) else { return (nil, step) }
      value = value << 6 | UInt32(byte & 0x3f)
    }
    return (value, following + 1)
  }
}
