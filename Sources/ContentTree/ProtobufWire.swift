// The fields of one protobuf message, without knowing its type (protobuf encoding specification).
// In: bytes borrowed for the call. Out: fields in the order of the wire. Owner: a value.
// Bounds: ProtobufLimits; a level is read in one pass, groups in it up to their ends once more.

/// Limits of the protobuf readers.
public struct ProtobufLimits: Hashable, Sendable {
  /// The deepest nesting that can be asked for: rendering recurses as deep.
  public static let greatestDepth = 100

  /// Messages and groups inside one another, 1...``greatestDepth``; what lies deeper is shown as bytes.
  public let depth: Int
  /// Bytes of a message, and of the JSON text that it is rendered to.
  public let size: Int
  public let renderedSize: Int

  public init(depth: Int = 64, size: Int = 64 << 20, renderedSize: Int = 256 << 20) {
    self.depth = min(max(1, depth), Self.greatestDepth)
    self.size = min(max(0, size), 1 << 30)
    self.renderedSize = min(max(0, renderedSize), 1 << 30)
  }
}

/// Why bytes are not a protobuf message, or cannot be shown as one.
public struct ProtobufError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: String, CaseIterable, Sendable {
    case endOfMessage = "the message ends inside a field"
    case varint = "a varint of more than ten bytes"
    case tag = "not a field number and wire type"
    case group = "a group without its other end"
    case depth = "groups nested deeper than the limit"
    case size = "larger than the limit"
    case unknownType = "a message type that the descriptors do not hold"
    case descriptor = "not a FileDescriptorSet"
  }

  public var reason: Reason
  /// Bytes before the offending field.
  public var offset: Int

  public init(reason: Reason, offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  public var description: String { "protobuf, byte \(offset): \(reason.rawValue)" }
}

/// Wire types.
enum ProtobufWire: UInt8 {
  case varint = 0
  case i64 = 1
  case len = 2
  case group = 3
  case groupEnd = 4
  case i32 = 5

  var name: String {
    switch self {
    case .varint: "varint"
    case .i64: "i64"
    case .len: "len"
    case .group: "group"
    case .groupEnd: "group-end"
    case .i32: "i32"
    }
  }
}

/// A field as it stands on the wire.
struct ProtobufField {
  var number: UInt32
  var wire: ProtobufWire
  /// Bytes by which its tag, and a group's last tag, are longer than need be.
  var padding = 0
  var endPadding = 0
  /// Of a varint or fixed-width number.
  var value: UInt64 = 0
  /// Of its tag, of what it holds (empty for numbers), and of what follows it.
  var start: Int
  var content: Range<Int>
  var end: Int
  /// A group's beginning without its end.
  var isUnclosed = false
}

/// Reads fields one at a time.
struct ProtobufScanner {
  let bytes: UnsafeRawBufferPointer
  /// Groups inside one another that are followed.
  let depth: Int
  private(set) var position: Int
  private let end: Int
  private(set) var fault: ProtobufError.Reason?
  /// Numbers of the groups that are open; kept so that one scanner allocates once.
  private var open: [UInt32] = []

  init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, depth: Int) {
    self.bytes = bytes
    self.depth = depth
    (position, end) = (range.lowerBound, range.upperBound)
  }

  /// The next field with its content, groups up to their ends; nil at the end or where `fault` says what is wrong.
  mutating func next() -> ProtobufField? {
    guard var field = nextTag() else { return nil }
    guard field.wire != .groupEnd else { return fail(.group, at: field.start) }
    guard field.wire == .group else { return field }
    guard closeGroup(&field) else { return fail(fault ?? .group, at: field.start) }
    return field
  }

  /// The same, forgivingly: ends of groups by themselves are fields, as are beginnings without an end.
  mutating func nextForgiving() -> ProtobufField? {
    guard var field = nextTag() else { return nil }
    guard field.wire == .group else { return field }
    let after = position
    if !closeGroup(&field) {
      fault = nil
      field.isUnclosed = true
      position = after
    }
    return field
  }

  /// Finds the end of the group whose tag was just read.
  private mutating func closeGroup(_ field: inout ProtobufField) -> Bool {
    open.removeAll(keepingCapacity: true)
    open.append(field.number)
    while let inner = nextTag() {
      if inner.wire == .group {
        if open.count >= depth {
          fault = .depth
          return false
        }
        open.append(inner.number)
      } else if inner.wire == .groupEnd {
        if inner.number != open.removeLast() { return false }
        if open.isEmpty {
          field.content = field.end..<inner.start
          field.end = inner.end
          field.endPadding = inner.padding
          return true
        }
      }
    }
    return false
  }

  private mutating func nextTag() -> ProtobufField? {
    guard position < end, fault == nil else { return nil }
    let start = position
    guard let tag = varint() else { return fail(fault ?? .endOfMessage, at: start) }
    let number = tag >> 3
    guard let wire = ProtobufWire(rawValue: UInt8(tag & 7)), number > 0, number < 1 << 29 else {
      return fail(.tag, at: start)
    }
    let shortest = max(1, (70 &- tag.leadingZeroBitCount) / 7)
    var field = ProtobufField(
      number: UInt32(number), wire: wire, padding: position &- start &- shortest, start: start,
      content: position..<position, end: position)
    switch wire {
    case .varint:
      guard let value = varint() else { return fail(fault ?? .endOfMessage, at: start) }
      field.value = value
    case .i64:
      guard let value = fixed(UInt64.self) else { return fail(.endOfMessage, at: start) }
      field.value = value
    case .i32:
      guard let value = fixed(UInt32.self) else { return fail(.endOfMessage, at: start) }
      field.value = UInt64(value)
    case .len:
      guard let length = varint(), length <= UInt64(end &- position) else {
        return fail(fault ?? .endOfMessage, at: start)
      }
      field.content = position..<position &+ Int(length)
      position &+= Int(length)
    case .group, .groupEnd: break
    }
    field.end = position
    return field
  }

  /// At most ten bytes; bits over 64 are dropped, as in every reader.
  mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = bytes[position]
      position &+= 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift &+= 7
      if shift == 70 {
        fault = .varint
        return nil
      }
    }
    fault = .endOfMessage
    return nil
  }

  var isAtEnd: Bool { position >= end }

  /// A number of fixed width; nil where there is none.
  mutating func fixed<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
    guard end &- position >= MemoryLayout<Number>.size else { return nil }
    let value = Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    position &+= MemoryLayout<Number>.size
    return value
  }

  private mutating func fail(_ reason: ProtobufError.Reason, at offset: Int) -> ProtobufField? {
    fault = reason
    position = offset
    return nil
  }
}

extension UnsafeRawBufferPointer {
  /// The fields of a message that stands in `ranges`, one behind the other, by rising number and then in their order.
  func protobufFields(in ranges: [Range<Int>], depth: Int) throws(ProtobufError) -> [ProtobufField] {
    var fields: [ProtobufField] = []
    var isSorted = true
    for range in ranges {
      var scanner = ProtobufScanner(self, range, depth: depth)
      while let field = scanner.next() {
        if let last = fields.last, last.number > field.number { isSorted = false }
        fields.append(field)
      }
      if let fault = scanner.fault { throw ProtobufError(reason: fault, offset: scanner.position) }
    }
    if !isSorted { fields.sort { ($0.number, $0.start) < ($1.number, $1.start) } }
    return fields
  }

  /// Whether a range reads as fields to its end, and has some.
  private func isProtobufMessage(_ range: Range<Int>, depth: Int) -> Bool {
    var scanner = ProtobufScanner(self, range, depth: depth)
    while scanner.next() != nil {}
    return scanner.fault == nil && !range.isEmpty
  }

  /// What bytes of unknown type most likely are.
  ///
  /// Characters alone are text, though they may happen to read as fields; a message nearly always has a byte that is no
  /// character, a tag among them. What reads as fields is a message, also where it could be text with line breaks.
  func protobufContent(_ range: Range<Int>, depth: Int) -> ProtobufContent {
    if range.isEmpty { return .text }
    let piece = UnsafeRawBufferPointer(rebasing: self[range])
    var hasLineBreaks = false
    var hasControls = false
    for byte in piece where byte < 0x20 || byte == 0x7f {
      if byte == 0x0a || byte == 0x0d || byte == 0x09 { hasLineBreaks = true } else { hasControls = true }
    }
    let isText = !hasControls && isUTF8(piece)
    if isText, !hasLineBreaks { return .text }
    if depth > 0, isProtobufMessage(range, depth: depth) { return .message }
    return isText ? .text : .bytes
  }
}

enum ProtobufContent {
  case message, text, bytes
}

/// RFC 3629, 4.
func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
  bytes.withMemoryRebound(to: UInt8.self) { (try? UTF8Span(validating: $0.span)) != nil }
}
