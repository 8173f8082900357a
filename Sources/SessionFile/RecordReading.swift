// The primitives of a record, the other way: bytes of unknown honesty to values.
//
// Every read is checked against the record's end; what does not fit throws `RecordFault` and never traps. Nothing is
// allocated for a length before that many bytes are known to be there.

/// A record that cannot be decoded.
struct RecordFault: Error {}

struct RecordReader {
  private(set) var next: UnsafeRawPointer
  let end: UnsafeRawPointer

  init(_ bytes: UnsafeRawBufferPointer) {
    // An empty buffer may have no address; its own end is then as good as any.
    next = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
    end = next + bytes.count
  }

  @inline(__always) var isAtEnd: Bool { next >= end }
  @inline(__always) var remaining: Int { end - next }

  @inline(__always)
  mutating func varint() throws(RecordFault) -> UInt64 {
    guard next < end else { throw RecordFault() }
    let first = next.load(as: UInt8.self)
    next += 1
    if first < 0x80 { return UInt64(first) }
    return try rest(of: UInt64(first & 0x7f))
  }

  private mutating func rest(of first: UInt64) throws(RecordFault) -> UInt64 {
    var value = first
    var shift: UInt64 = 7
    while next < end, shift < 64 {
      let byte = next.load(as: UInt8.self)
      next += 1
      // The tenth byte has room for one bit.
      if shift == 63, byte > 1 { throw RecordFault() }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw RecordFault()
  }

  @inline(__always)
  mutating func zigzag() throws(RecordFault) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  @inline(__always)
  mutating func narrow<Value: FixedWidthInteger>(_ type: Value.Type) throws(RecordFault) -> Value {
    guard let value = Value(exactly: try varint()) else { throw RecordFault() }
    return value
  }

  @inline(__always)
  mutating func fixed<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) throws(RecordFault) -> Value {
    guard remaining >= MemoryLayout<Value>.size else { throw RecordFault() }
    let value = Value(littleEndian: next.loadUnaligned(as: Value.self))
    next += MemoryLayout<Value>.size
    return value
  }

  /// The next `count` bytes, borrowed from the block.
  @inline(__always)
  mutating func take(_ count: UInt64) throws(RecordFault) -> UnsafeRawBufferPointer {
    guard count <= UInt64(remaining) else { throw RecordFault() }
    let taken = UnsafeRawBufferPointer(start: next, count: Int(count))
    next += Int(count)
    return taken
  }

  /// The next field's number and type.
  @inline(__always)
  mutating func tag() throws(RecordFault) -> (number: UInt64, type: WireType) {
    let tag = try varint()
    guard let type = WireType(rawValue: UInt8(truncatingIfNeeded: tag & 7)) else { throw RecordFault() }
    return (tag >> 3, type)
  }

  /// The content of a field with a length of either kind.
  @inline(__always)
  mutating func contents(_ type: WireType) throws(RecordFault) -> UnsafeRawBufferPointer {
    switch type {
    case .bytes: return try take(try varint())
    case .long: return try take(UInt64(try fixed(UInt32.self)))
    case .varint, .fixed64: throw RecordFault()
    }
  }

  /// The content of a varint field.
  @inline(__always)
  mutating func value(_ type: WireType) throws(RecordFault) -> UInt64 {
    guard type == .varint else { throw RecordFault() }
    return try varint()
  }

  @inline(__always)
  mutating func signedValue(_ type: WireType) throws(RecordFault) -> Int64 {
    guard type == .varint else { throw RecordFault() }
    return try zigzag()
  }

  mutating func skip(_ type: WireType) throws(RecordFault) {
    switch type {
    case .varint: _ = try varint()
    case .fixed64: _ = try fixed(UInt64.self)
    case .bytes, .long: _ = try contents(type)
    }
  }
}
