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
  /// What the headers so far said of the virtual network.
  var encapsulation = Encapsulation()
  /// Headers so far that wrap a packet.
  var depth: Int32 = 0
  var isDisputed = false
  let bounds: ParsingBounds

  @inline(__always)
  init(end: Int, _ bounds: ParsingBounds) {
    self.end = end
    self.bounds = bounds
  }

  /// At the beginning of a datagram's payload.
  init(_ datagram: Datagram, _ payload: borrowing RawSpan, _ bounds: ParsingBounds) {
    self.init(end: max(datagram.payloadLengthOnWire, payload.byteCount), bounds)
    source = datagram.source
    destination = datagram.destination
    encapsulation = datagram.encapsulation
    depth = datagram.depth
    isDisputed = datagram.isDisputed
  }

  /// Whether the next `count` bytes were captured and belong to the packet.
  @inline(__always)
  func has(_ count: Int, in packet: borrowing RawSpan) -> Bool {
    offset + count <= min(end, packet.byteCount)
  }

  /// What it comes to that a wrapping header's `count` octets are not all there: cut off by the snap length, or too few
  /// to be that header.
  func missing(_ count: Int) -> Step { offset + count > end ? .notTCP : .fault(.tunnelHeaderCut) }

  /// Counts a header that wraps a packet.
  mutating func wrapped(_ layer: Layer) -> Step {
    depth &+= 1
    return depth > bounds.layers ? .fault(.encapsulationTooDeep) : .next(layer)
  }

  /// The same for what was found behind the header.
  mutating func wrapped(_ step: Step) -> Step {
    if case .next(let layer) = step { wrapped(layer) } else { step }
  }

  /// Ends the packet after `length` octets from here, where it was thought to be longer.
  mutating func shorten(to length: Int) { end = min(end, offset + length) }
}

extension RawSpan {
  /// The octets at `offset` as a number in network byte order. The caller has made sure that they are there.
  @inline(__always)
  func load<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Value.Type = Value.self) -> Value {
    unsafe Value(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
  }
}
