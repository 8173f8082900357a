// Captured packets of any link type to TCP segments, fragments put together on the way.
//
// In: packets with their time, in any order of link types. Out: a PacketContent each. Owner: one capture, serial.
// Bounds: FragmentLimits; nothing is allocated for packets that are no fragments.

public import HTTPModel

/// Reads packets down to TCP: a ``PacketParser`` for each link type and one ``DatagramReassembler``.
///
/// A datagram that its last fragment completes is read as if it had come whole with that fragment; so fragments are put
/// together within tunnels, of tunnels, and of both.
@safe public struct PacketReader: ~Copyable {
  public let options: ParsingOptions
  /// Times that one packet may complete a datagram with a fragment in it.
  private static let rounds = 8

  private var parser: PacketParser
  private var fragments: DatagramReassembler
  /// What the ranges of the last content are offsets into: the packet itself, or a datagram put together from several.
  /// Borrowed until the next ``read(_:lengthOnWire:linkType:at:)``.
  public private(set) var bytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)

  public init(options: ParsingOptions = ParsingOptions(), limits: FragmentLimits = FragmentLimits()) {
    self.options = options
    parser = PacketParser(linkType: .ethernet, options: options)
    fragments = DatagramReassembler(limits: limits)
  }

  /// Reads one packet.
  ///
  /// - Parameters:
  ///   - packet: the captured bytes, borrowed until the next call.
  ///   - lengthOnWire: the packet's length when it was sent; less than captured counts as captured.
  /// - Returns: ``PacketContent/fragment`` where the datagram is not complete.
  @inline(__always)
  public mutating func read(
    _ packet: UnsafeRawBufferPointer, lengthOnWire: Int, linkType: LinkType, at time: Timestamp
  ) -> PacketContent {
    if linkType != parser.linkType { parser = PacketParser(linkType: linkType, options: options) }
    unsafe bytes = unsafe packet
    let content = unsafe parser.parse(packet.bytes, lengthOnWire: lengthOnWire)
    if case .fragment = content { return unsafe reassemble(packet, lengthOnWire: lengthOnWire, at: time) }
    return content
  }

  private mutating func reassemble(
    _ packet: UnsafeRawBufferPointer, lengthOnWire: Int, at time: Timestamp
  ) -> PacketContent {
    var next = unsafe parser.fragment(packet.bytes, lengthOnWire: lengthOnWire)
    for _ in 0..<Self.rounds {
      guard let fragment = next, let datagram = unsafe fragments.receive(fragment, of: bytes, at: time) else { break }
      unsafe bytes = unsafe fragments.payload
      let content = unsafe parser.parse(datagram, payload: bytes.bytes)
      guard case .fragment = content else { return content }
      next = unsafe parser.fragment(datagram, payload: bytes.bytes)
    }
    return .fragment
  }

  /// Lets packet time pass: datagrams that have waited too long are given up.
  public mutating func advance(to time: Timestamp) { fragments.advance(to: time) }

  /// The capture has ended: what still waits is given up and counted as expired.
  public mutating func finish() { fragments.finish() }

  public var fragmentStatistics: FragmentStatistics { fragments.statistics }
}
