/// What a ``Reassembler`` may hold, and how long it waits. All times are nanoseconds of packet time.
public struct ReassemblyLimits: Hashable, Sendable {
  /// Memory of all segments that wait behind holes, bytes; each counts its payload and ``overheadPerHeldSegment``.
  /// Over it, the hole that has waited longest becomes a gap.
  public var heldBytes = 128 << 20
  /// The same for one direction of one connection; over it, that direction's first hole becomes a gap.
  public var heldBytesPerDirection = 16 << 20
  /// Segments that one direction may hold. Bounds the cost of a segment out of order.
  public var heldSegmentsPerDirection = 4096
  /// Connections in the table. When it is full, a new one takes the place of the one closed longest ago, else of the
  /// oldest that is half open, else of the one idle longest. At most 2^30.
  public var connections = 1 << 18
  /// Connections between the same two addresses and ports in different virtual networks. With one more, the one seen
  /// first takes its place. Bounds the cost of telling which one a segment belongs to.
  public var connectionsPerAddresses = 16
  /// A connection without a segment for so long is closed. Bodies may pause for minutes.
  public var idleTimeout: Int64 = 600_000_000_000
  /// The same for a connection of which only SYN or SYN-ACK were seen.
  public var halfOpenTimeout: Int64 = 60_000_000_000
  /// A hole becomes a gap after so long without a word from the receiver.
  public var gapTimeout: Int64 = 2_000_000_000
  /// A hole of which the receiver said, by an ACK after it opened, that it lacks the bytes too, becomes a gap after so
  /// long: a retransmission is due.
  public var retransmissionTimeout: Int64 = 60_000_000_000
  /// A hole that the receiver's ACK covers becomes a gap after so long, or after
  /// ``acknowledgedGapSegments`` further segments of the connection, whichever is first. Allows for a capture
  /// that reorders the two directions.
  public var acknowledgedGapTimeout: Int64 = 200_000_000
  /// See ``acknowledgedGapTimeout``.
  public var acknowledgedGapSegments: UInt32 = 32
  /// When capture joins in mid-connection, a direction's first bytes wait so long for older ones that arrive late, or
  /// for ``joinSegments`` segments, or for an ACK that covers them.
  public var joinTimeout: Int64 = 10_000_000
  /// See ``joinTimeout``.
  public var joinSegments = 8
  /// A closed connection is remembered for so long, so that late retransmissions do not look like a new one.
  public var closedLinger: Int64 = 5_000_000_000

  /// Counted for each held segment beside its payload: its entry and its allocation.
  public static let overheadPerHeldSegment = 128

  public init() {}

  /// The same with every value in a range that makes sense: no waiting for less than a nanosecond.
  var clamped: ReassemblyLimits {
    var limits = self
    limits.heldBytes = max(0, heldBytes)
    limits.heldBytesPerDirection = max(0, heldBytesPerDirection)
    limits.heldSegmentsPerDirection = max(0, heldSegmentsPerDirection)
    limits.connections = min(max(1, connections), 1 << 30)
    limits.connectionsPerAddresses = min(max(1, connectionsPerAddresses), 1024)
    limits.idleTimeout = max(1, idleTimeout)
    limits.halfOpenTimeout = max(1, halfOpenTimeout)
    limits.gapTimeout = max(1, gapTimeout)
    limits.retransmissionTimeout = max(limits.gapTimeout, retransmissionTimeout)
    limits.acknowledgedGapTimeout = max(1, acknowledgedGapTimeout)
    limits.acknowledgedGapSegments = max(1, acknowledgedGapSegments)
    limits.joinTimeout = max(1, joinTimeout)
    limits.joinSegments = min(max(1, joinSegments), 1024)
    limits.closedLinger = max(0, closedLinger)
    return limits
  }
}
