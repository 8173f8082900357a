public import HTTPModel

/// A TCP sequence or acknowledgment number: arithmetic modulo 2^32 (RFC 9293, 3.4).
public struct SequenceNumber: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt32

  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The number `distance` further on.
  @inlinable
  public static func + (number: SequenceNumber, distance: Int) -> SequenceNumber {
    SequenceNumber(rawValue: number.rawValue &+ UInt32(truncatingIfNeeded: distance))
  }

  /// The signed distance from `origin`, -2^31 ..< 2^31.
  @inlinable
  public func distance(from origin: SequenceNumber) -> Int {
    Int(Int32(bitPattern: rawValue &- origin.rawValue))
  }
}

/// The control bits of a segment (RFC 9293, 3.1); ECN's and the nonce are left out.
public struct TCPFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8

  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let fin = TCPFlags(rawValue: 0x01)
  public static let syn = TCPFlags(rawValue: 0x02)
  public static let rst = TCPFlags(rawValue: 0x04)
  public static let psh = TCPFlags(rawValue: 0x08)
  public static let ack = TCPFlags(rawValue: 0x10)
  public static let urg = TCPFlags(rawValue: 0x20)
}

/// What a packet says about TCP, and where in its bytes the payload stands.
public struct TCPSegment: Hashable, Sendable {
  public var source: TransportAddress
  public var destination: TransportAddress
  public var sequence: SequenceNumber
  /// Meaningful where ``flags`` has `.ack`.
  public var acknowledgment: SequenceNumber
  public var flags: TCPFlags
  public var window: UInt16
  /// The captured payload's place in the packet's bytes.
  public var payload: Range<Int>
  /// Bytes of payload on the wire: more than `payload.count` where the snap length cut the packet.
  public var payloadLengthOnWire: Int

  @inlinable
  public init(
    source: TransportAddress, destination: TransportAddress, sequence: SequenceNumber,
    acknowledgment: SequenceNumber, flags: TCPFlags, window: UInt16, payload: Range<Int>, payloadLengthOnWire: Int
  ) {
    self.source = source
    self.destination = destination
    self.sequence = sequence
    self.acknowledgment = acknowledgment
    self.flags = flags
    self.window = window
    self.payload = payload
    self.payloadLengthOnWire = payloadLengthOnWire
  }
}
