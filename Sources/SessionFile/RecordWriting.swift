// The primitives of a record: varints, tagged fields, lengths filled in afterwards.
//
// Values in, bytes behind a pointer out. The caller has made room for the record's upper bound first, so nothing is
// checked per byte; `BlockBytes.setCount` stops the process if that bound was wrong.

/// A field's tag is `number << 3 | wireType`, a varint. Readers pass over numbers that they do not know.
enum WireType: UInt8 {
  /// LEB128, up to ten bytes.
  case varint = 0
  /// Eight bytes, little-endian.
  case fixed64 = 1
  /// A varint length, then so many bytes.
  case bytes = 2
  /// A four-byte little-endian length, then so many bytes: for what is as long as it turns out to be.
  case long = 3
}

struct RecordWriter {
  /// Where the next byte goes.
  private(set) var next: UnsafeMutableRawPointer

  /// More than any tag with a varint, a fixed value or a length takes.
  static let fieldBound = 16

  init(at start: UnsafeMutableRawPointer) { next = start }

  @inline(__always)
  mutating func byte(_ value: UInt8) {
    next.storeBytes(of: value, as: UInt8.self)
    next += 1
  }

  @inline(__always)
  mutating func fixed<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    next.storeBytes(of: value.littleEndian, as: Value.self)
    next += MemoryLayout<Value>.size
  }

  @inline(__always)
  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      byte(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    byte(UInt8(truncatingIfNeeded: rest))
  }

  @inline(__always)
  mutating func varint(_ value: UInt32) { varint(UInt64(value)) }

  /// Small magnitudes of either sign stay short.
  @inline(__always)
  mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

  @inline(__always)
  mutating func tag(_ number: UInt8, _ type: WireType) { varint(UInt64(number) << 3 | UInt64(type.rawValue)) }

  /// A varint field; 0 is what a reader takes for an absent one, so it is left out.
  @inline(__always)
  mutating func field(_ number: UInt8, _ value: UInt64) {
    guard value != 0 else { return }
    tag(number, .varint)
    varint(value)
  }

  @inline(__always)
  mutating func field(_ number: UInt8, signed value: Int64) {
    guard value != 0 else { return }
    tag(number, .varint)
    zigzag(value)
  }

  @inline(__always)
  mutating func field(_ number: UInt8, _ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    tag(number, .bytes)
    varint(UInt64(bytes.count))
    copy(bytes)
  }

  @inline(__always)
  mutating func copy(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { source in
      if let base = source.baseAddress { next.copyMemory(from: base, byteCount: source.count) }
    }
    next += bytes.count
  }

  /// Begins a field whose length is not known yet; ``endLong(_:)`` fills it in.
  @inline(__always)
  mutating func beginLong(_ number: UInt8) -> UnsafeMutableRawPointer {
    tag(number, .long)
    next += 4
    return next
  }

  @inline(__always)
  func endLong(_ start: UnsafeMutableRawPointer) {
    (start - 4).storeBytes(of: UInt32(truncatingIfNeeded: next - start).littleEndian, as: UInt32.self)
  }
}
