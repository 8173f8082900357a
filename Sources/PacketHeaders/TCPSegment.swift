public import HTTPModel

/// The control bits of a TCP header (RFC 9293, 3.1; ECE and CWR from RFC 3168).
public struct TCPFlags: OptionSet, Hashable, Sendable {
  public var rawValue: UInt8

  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  @inlinable public static var fin: TCPFlags { TCPFlags(rawValue: 0x01) }
  @inlinable public static var syn: TCPFlags { TCPFlags(rawValue: 0x02) }
  @inlinable public static var rst: TCPFlags { TCPFlags(rawValue: 0x04) }
  @inlinable public static var psh: TCPFlags { TCPFlags(rawValue: 0x08) }
  @inlinable public static var ack: TCPFlags { TCPFlags(rawValue: 0x10) }
  @inlinable public static var urg: TCPFlags { TCPFlags(rawValue: 0x20) }
  @inlinable public static var ece: TCPFlags { TCPFlags(rawValue: 0x40) }
  @inlinable public static var cwr: TCPFlags { TCPFlags(rawValue: 0x80) }
}

/// What a TCP header says, and where its payload stands.
public struct TCPSegment: Hashable, Sendable {
  public var source: TransportAddress
  public var destination: TransportAddress
  public var sequence: SequenceNumber
  /// Meaningful with ``TCPFlags/ack``.
  public var acknowledgment: SequenceNumber
  public var flags: TCPFlags
  /// As in the header, not scaled.
  public var window: UInt16
  /// The captured payload within the packet's bytes; a subrange of them even where empty.
  public var payload: Range<Int>
  /// Payload octets that the IP header, or without one the frame's length, says were sent: at least `payload.count`,
  /// and more where the snap length cut the packet.
  public var payloadLengthOnWire: Int
  /// The virtual network that the addresses belong to.
  public var encapsulation: Encapsulation
  /// Put together from IP fragments that overlapped and did not agree.
  public var isDisputed: Bool

  @inlinable
  public init(
    source: TransportAddress, destination: TransportAddress, sequence: SequenceNumber, acknowledgment: SequenceNumber,
    flags: TCPFlags, window: UInt16, payload: Range<Int>, payloadLengthOnWire: Int,
    encapsulation: Encapsulation = .none, isDisputed: Bool = false
  ) {
    self.source = source
    self.destination = destination
    self.sequence = sequence
    self.acknowledgment = acknowledgment
    self.flags = flags
    self.window = window
    self.payload = payload
    self.payloadLengthOnWire = payloadLengthOnWire
    self.encapsulation = encapsulation
    self.isDisputed = isDisputed
  }
}
