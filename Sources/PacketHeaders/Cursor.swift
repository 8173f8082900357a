import HTTPModel

/// Where the parser stands in a packet, and what the layers above have said.
struct Cursor {
  /// Of the next header's first byte.
  var offset = 0
  /// Where the packet ends by what the layers so far say; may lie behind the captured bytes, or before their end.
  var end: Int
  /// Of the innermost IP header.
  var source = IPAddress(v4: 0)
  var destination = IPAddress(v4: 0)

  init(end: Int) { self.end = end }

  /// Whether the next `count` bytes were captured and belong to the packet.
  @inline(__always)
  func has(_ count: Int, in packet: borrowing RawSpan) -> Bool {
    offset + count <= min(end, packet.byteCount)
  }
}

extension RawSpan {
  /// The octets at `offset` as a number in network byte order. The caller has made sure that they are there.
  @inline(__always)
  func load<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Value.Type = Value.self) -> Value {
    unsafe Value(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
  }
}
