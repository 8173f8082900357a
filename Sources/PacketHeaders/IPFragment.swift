public import HTTPModel

/// A part of an IP datagram (RFC 791, 3.2; RFC 8200, 4.5), and where its payload stands.
public struct IPFragment: Hashable, Sendable {
  public var source: IPAddress
  public var destination: IPAddress
  public var identification: UInt32
  /// The protocol behind the IP header, or behind IPv6's fragment header; IPv6 takes the first fragment's.
  public var protocolNumber: UInt8
  /// Of the payload's first octet within the datagram's payload: a multiple of 8, at most 65,528.
  public var offset: Int
  /// More fragments follow behind this one.
  public var hasMore: Bool
  /// The captured payload within the packet's bytes.
  public var payload: Range<Int>
  /// Payload octets by the IP header; more than `payload.count` where the snap length cut the packet.
  public var payloadLengthOnWire: Int
  /// What the datagram came wrapped in.
  public var encapsulation: Encapsulation
  /// Headers around the datagram's payload, counted against ``Decapsulation/upTo(_:)``.
  var depth: Int32
}

/// An IP datagram's payload, put together from fragments.
public struct Datagram: Sendable {
  public var source: IPAddress
  public var destination: IPAddress
  public var protocolNumber: UInt8
  public var encapsulation: Encapsulation
  /// The payload's octets on the wire; only so many as ``DatagramReassembler/payload`` has were captured.
  public var payloadLengthOnWire: Int
  /// Fragments overlapped and did not agree; the bytes are those that came first.
  public var isDisputed: Bool
  var depth: Int32
}
