// One pass over a JSON text (RFC 8259) that fills the records of a JSONDocument.
// In: bytes borrowed for the call. Out: records and decoded strings, or the first error. Owner: JSONDocument.init.
// Bounds: JSONLimits. No recursion: an open container's `next` holds its parent's index until it is closed.

struct JSONReader: ~Copyable {
  private let base: UnsafePointer<UInt8>
  private let count: Int
  private let limits: JSONLimits
  private var position = 0
  private var records: UnsafeMutablePointer<JSONRecord>
  private var recordCount = 0
  private var capacity: Int
  private var decoded: [UInt8] = []
  private var depth = 0

  /// No container: the value at hand is the whole text.
  private static let none = UInt32.max

  private init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
    base = bytes.baseAddress!
    count = bytes.count
    self.limits = limits
    capacity = min(limits.nodes, max(16, bytes.count / 5))
    records = .allocate(capacity: capacity)
  }

  deinit { records.deallocate() }

  static func read(
    _ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits
  ) -> Result<(records: [JSONRecord], decoded: [UInt8]), JSONError> {
    guard bytes.count <= limits.size else { return .failure(JSONError(reason: .size, offset: limits.size)) }
    guard bytes.count > 0 else { return .failure(JSONError(reason: .empty, offset: 0)) }
    var reader = JSONReader(bytes, limits: limits)
    if let reason = reader.readText() { return .failure(JSONError(reason: reason, offset: reader.position)) }
    let records = Array(UnsafeBufferPointer(start: reader.records, count: reader.recordCount))
    return .success((records, reader.decoded))
  }

  /// nil, or what is wrong at `position`.
  private mutating func readText() -> JSONError.Reason? {
    if count >= 3, base[0] == 0xef, base[1] == 0xbb, base[2] == 0xbf { position = 3 }
    skipWhitespace()
    if position == count { return .empty }
    var container = Self.none
    while true {
      if position == count { return .endOfText }
      let byte = base[position]
      var isOpen = false
      switch byte {
      case UInt8(ascii: "\""):
        if let reason = readString() { return reason }
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        let isObject = byte == UInt8(ascii: "{")
        if depth == limits.depth { return .depth }
        guard append(offset: position, kind: isObject ? .object : .array, next: container) else { return .nodes }
        depth &+= 1
        container = UInt32(truncatingIfNeeded: recordCount &- 1)
        position &+= 1
        skipWhitespace()
        if position == count { return .endOfText }
        if base[position] != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
          if isObject, let reason = readName() { return reason }
          records[Int(container)].extra = 1
          isOpen = true
        }
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        if let reason = readNumber() { return reason }
      case UInt8(ascii: "t"):
        if let reason = readLiteral("true", .true) { return reason }
      case UInt8(ascii: "f"):
        if let reason = readLiteral("false", .false) { return reason }
      case UInt8(ascii: "n"):
        if let reason = readLiteral("null", .null) { return reason }
      default:
        return .unexpectedByte
      }
      // A value has just ended, or an empty container stands before its closing bracket; close what closes here.
      while !isOpen {
        skipWhitespace()
        if container == Self.none { return position == count ? nil : .trailing }
        if position == count { return .endOfText }
        let index = Int(container)
        let isObject = records[index].kind == .object
        let byte = base[position]
        if byte == UInt8(ascii: ","), records[index].extra > 0 {
          position &+= 1
          skipWhitespace()
          if isObject, let reason = readName() { return reason }
          records[index].extra &+= 1
          isOpen = true
        } else if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
          position &+= 1
          depth &-= 1
          container = records[index].next
          records[index].next = UInt32(truncatingIfNeeded: recordCount)
          records[index].length = UInt32(truncatingIfNeeded: position) &- records[index].offset
        } else {
          return .unexpectedByte
        }
      }
    }
  }

  /// A member's name, the colon and the white space around it.
  private mutating func readName() -> JSONError.Reason? {
    if position == count { return .endOfText }
    guard base[position] == UInt8(ascii: "\"") else { return .unexpectedByte }
    if let reason = readString() { return reason }
    skipWhitespace()
    if position == count { return .endOfText }
    guard base[position] == UInt8(ascii: ":") else { return .unexpectedByte }
    position &+= 1
    skipWhitespace()
    return nil
  }

  private mutating func readLiteral(_ literal: StaticString, _ kind: JSONKind) -> JSONError.Reason? {
    let length = literal.utf8CodeUnitCount
    guard count &- position >= length else { return .literal }
    let spelling = literal.utf8Start
    for offset in 0..<length where base[position &+ offset] != spelling[offset] { return .literal }
    guard append(offset: position, length: length, kind: kind) else { return .nodes }
    position &+= length
    return nil
  }

  private mutating func readNumber() -> JSONError.Reason? {
    let start = position
    var kind = JSONKind.integer
    var cursor = position
    if base[cursor] == UInt8(ascii: "-") { cursor &+= 1 }
    if cursor < count, base[cursor] == UInt8(ascii: "0") {
      cursor &+= 1
    } else {
      let first = cursor
      cursor = endOfDigits(from: cursor)
      if cursor == first { return fail(.number, at: cursor) }
    }
    if cursor < count, base[cursor] == UInt8(ascii: ".") {
      kind = .real
      let first = cursor &+ 1
      cursor = endOfDigits(from: first)
      if cursor == first { return fail(.number, at: cursor) }
    }
    if cursor < count, base[cursor] | 0x20 == UInt8(ascii: "e") {
      kind = .real
      cursor &+= 1
      if cursor < count, base[cursor] == UInt8(ascii: "+") || base[cursor] == UInt8(ascii: "-") { cursor &+= 1 }
      let first = cursor
      cursor = endOfDigits(from: first)
      if cursor == first { return fail(.number, at: cursor) }
    }
    guard append(offset: start, length: cursor &- start, kind: kind) else { return .nodes }
    position = cursor
    return nil
  }

  @inline(__always)
  private func endOfDigits(from start: Int) -> Int {
    var cursor = start
    while cursor < count, base[cursor] &- 0x30 < 10 { cursor &+= 1 }
    return cursor
  }

  private mutating func readString() -> JSONError.Reason? {
    let start = position &+ 1
    var cursor = start
    while true {
      cursor = endOfPlain(from: cursor)
      if cursor == count { return fail(.endOfText, at: count) }
      let byte = base[cursor]
      if byte == UInt8(ascii: "\"") {
        guard append(offset: start, length: cursor &- start, kind: .string) else { return .nodes }
        position = cursor &+ 1
        return nil
      }
      if byte == UInt8(ascii: "\\") { return readEscapedString(from: start, firstEscape: cursor) }
      if byte < 0x20 { return fail(.controlCharacter, at: cursor) }
      let length = wellFormedLength(at: cursor)
      if length == 0 { return fail(.utf8, at: cursor) }
      cursor &+= length
    }
  }

  /// The first byte at or after `start` that is a quote, a backslash, a control character or not ASCII; eight a step.
  @inline(__always)
  private func endOfPlain(from start: Int) -> Int {
    var cursor = start
    let ones: UInt64 = 0x0101_0101_0101_0101
    while cursor &+ 8 <= count {
      let word = UInt64(
        littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: cursor, as: UInt64.self))
      let quote = word ^ ones &* 0x22
      let backslash = word ^ ones &* 0x5c
      // Each term has the top bit of the first byte that matches; bytes after it may be wrong and do not matter.
      let marks = (word &- ones &* 0x20) | (quote &- ones) | (backslash &- ones) | word
      let stops = marks & (ones &* 0x80)
      if stops != 0 { return cursor &+ stops.trailingZeroBitCount / 8 }
      cursor &+= 8
    }
    while cursor < count {
      let byte = base[cursor]
      if byte == 0x22 || byte == 0x5c || byte < 0x20 || byte >= 0x80 { break }
      cursor &+= 1
    }
    return cursor
  }

  /// The length of the well-formed UTF-8 sequence at `cursor` (RFC 3629, 4), 0 where there is none.
  private func wellFormedLength(at cursor: Int) -> Int {
    let lead = base[cursor]
    let left = count &- cursor
    func continues(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
      offset < left && range.contains(base[cursor &+ offset])
    }
    switch lead {
    case 0xc2...0xdf: return continues(1) ? 2 : 0
    case 0xe0: return continues(1, 0xa0...0xbf) && continues(2) ? 3 : 0
    case 0xed: return continues(1, 0x80...0x9f) && continues(2) ? 3 : 0
    case 0xe1...0xef: return continues(1) && continues(2) ? 3 : 0
    case 0xf0: return continues(1, 0x90...0xbf) && continues(2) && continues(3) ? 4 : 0
    case 0xf1...0xf3: return continues(1) && continues(2) && continues(3) ? 4 : 0
    case 0xf4: return continues(1, 0x80...0x8f) && continues(2) && continues(3) ? 4 : 0
    default: return 0
    }
  }

  /// A string with at least one escape: its decoded form goes to the side buffer, after its length.
  private mutating func readEscapedString(from start: Int, firstEscape: Int) -> JSONError.Reason? {
    let place = decoded.count
    decoded.append(contentsOf: [0, 0, 0, 0])
    decoded.append(contentsOf: UnsafeBufferPointer(start: base + start, count: firstEscape &- start))
    var cursor = firstEscape
    while true {
      if cursor == count { return fail(.endOfText, at: count) }
      let byte = base[cursor]
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") {
        guard let after = readEscape(at: cursor) else { return fail(.escape, at: cursor) }
        cursor = after
        continue
      }
      if byte < 0x20 { return fail(.controlCharacter, at: cursor) }
      var end = endOfPlain(from: cursor)
      if end == cursor {
        let length = wellFormedLength(at: cursor)
        if length == 0 { return fail(.utf8, at: cursor) }
        end = cursor &+ length
      }
      decoded.append(contentsOf: UnsafeBufferPointer(start: base + cursor, count: end &- cursor))
      cursor = end
    }
    let length = UInt32(truncatingIfNeeded: decoded.count &- place &- 4)
    for byte in 0..<4 { decoded[place &+ byte] = UInt8(truncatingIfNeeded: length >> UInt32(8 &* byte)) }
    guard append(offset: start, length: cursor &- start, kind: .string) else { return .nodes }
    records[recordCount &- 1].isEscaped = true
    records[recordCount &- 1].extra = UInt32(truncatingIfNeeded: place)
    position = cursor &+ 1
    return nil
  }

  /// Decodes the escape at `cursor`; where the text goes on, or nil where it is none.
  private mutating func readEscape(at cursor: Int) -> Int? {
    guard cursor &+ 1 < count else { return nil }
    switch base[cursor &+ 1] {
    case UInt8(ascii: "\""): decoded.append(0x22)
    case UInt8(ascii: "\\"): decoded.append(0x5c)
    case UInt8(ascii: "/"): decoded.append(0x2f)
    case UInt8(ascii: "b"): decoded.append(0x08)
    case UInt8(ascii: "f"): decoded.append(0x0c)
    case UInt8(ascii: "n"): decoded.append(0x0a)
    case UInt8(ascii: "r"): decoded.append(0x0d)
    case UInt8(ascii: "t"): decoded.append(0x09)
    case UInt8(ascii: "u"):
      guard let unit = hexUnit(at: cursor &+ 2) else { return nil }
      if unit & 0xfc00 == 0xd800, cursor &+ 7 < count, base[cursor &+ 6] == UInt8(ascii: "\\"),
        base[cursor &+ 7] == UInt8(ascii: "u"), let low = hexUnit(at: cursor &+ 8), low & 0xfc00 == 0xdc00
      {
        appendScalar(0x10000 &+ (unit & 0x3ff) << 10 &+ (low & 0x3ff))
        return cursor &+ 12
      }
      appendScalar(unit)
      return cursor &+ 6
    default: return nil
    }
    return cursor &+ 2
  }

  private func hexUnit(at cursor: Int) -> UInt32? {
    guard count &- cursor >= 4 else { return nil }
    var unit: UInt32 = 0
    for offset in 0..<4 {
      let byte = base[cursor &+ offset]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte &- 0x30
      case 0x41...0x46: digit = byte &- 0x37
      case 0x61...0x66: digit = byte &- 0x57
      default: return nil
      }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  /// UTF-8's scheme, for surrogates too.
  private mutating func appendScalar(_ scalar: UInt32) {
    func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: scalar >> shift) & 0x3f }
    switch scalar {
    case ..<0x80:
      decoded.append(UInt8(truncatingIfNeeded: scalar))
    case ..<0x800:
      decoded.append(0xc0 | UInt8(truncatingIfNeeded: scalar >> 6))
      decoded.append(tail(0))
    case ..<0x10000:
      decoded.append(0xe0 | UInt8(truncatingIfNeeded: scalar >> 12))
      decoded.append(tail(6))
      decoded.append(tail(0))
    default:
      decoded.append(0xf0 | UInt8(truncatingIfNeeded: scalar >> 18))
      decoded.append(tail(12))
      decoded.append(tail(6))
      decoded.append(tail(0))
    }
  }

  @inline(__always)
  private mutating func skipWhitespace() {
    while position < count {
      let byte = base[position]
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
      position &+= 1
    }
  }

  private mutating func fail(_ reason: JSONError.Reason, at offset: Int) -> JSONError.Reason {
    position = offset
    return reason
  }

  /// - Parameter next: of a container, its parent while it is open.
  @inline(__always)
  private mutating func append(offset: Int, length: Int = 0, kind: JSONKind, next: UInt32? = nil) -> Bool {
    if recordCount == capacity {
      guard capacity < limits.nodes else { return false }
      let wider = min(limits.nodes, capacity &* 2)
      let moved = UnsafeMutablePointer<JSONRecord>.allocate(capacity: wider)
      moved.moveInitialize(from: records, count: recordCount)
      records.deallocate()
      records = moved
      capacity = wider
    }
    (records + recordCount).initialize(
      to: JSONRecord(
        offset: UInt32(truncatingIfNeeded: offset), length: UInt32(truncatingIfNeeded: length), extra: 0,
        next: next ?? UInt32(truncatingIfNeeded: recordCount &+ 1), kind: kind, isEscaped: false))
    recordCount &+= 1
    return true
  }
}
