/// What went through a ``Reassembler``. All counts are cumulative except ``heldBytes`` and ``openConnections``.
///
/// At any time `capturedBytes == deliveredBytes + duplicateBytes + ignored.total + heldBytes`.
public struct ReassemblyStatistics: Hashable, Sendable {
  /// Payload bytes that were left out because they belong to no place of a stream.
  public struct IgnoredBytes: Hashable, Sendable {
    /// More than 2^30 ahead of the stream or behind it.
    public var outOfWindow: UInt64 = 0
    /// Before the stream's first byte: keep-alive probes, segments older than a stream that was joined in its middle.
    public var beforeStart: UInt64 = 0
    /// After FIN or RST.
    public var afterEnd: UInt64 = 0
    /// Not stream data: the text of a RST, or a SYN's that began no connection.
    public var notStream: UInt64 = 0

    /// All of them.
    public var total: UInt64 { outOfWindow &+ beforeStart &+ afterEnd &+ notStream }

    public init() {}
  }

  /// TCP segments handed in.
  public var segments: UInt64 = 0
  /// Payload bytes handed in.
  public var capturedBytes: UInt64 = 0
  /// The same as they were on the wire: larger where the snap length cut segments.
  public var wireBytes: UInt64 = 0
  /// Told as stream bytes, in order.
  public var deliveredBytes: UInt64 = 0
  /// Bytes that were delivered or held already.
  public var duplicateBytes: UInt64 = 0
  /// Handed in and left out, by reason.
  public var ignored = IgnoredBytes()
  /// Bytes that wait behind holes now.
  public var heldBytes: UInt64 = 0

  /// Bytes that gaps told of, by cause.
  public var lostBytes: UInt64 = 0
  /// Of gaps: cut off by the capture's snap length.
  public var snapLengthBytes: UInt64 = 0
  /// Of gaps: given up at a memory limit.
  public var evictedGapBytes: UInt64 = 0
  /// Gaps told of.
  public var gaps: UInt64 = 0
  /// Overlaps with other bytes than before.
  public var overlapMismatches: UInt64 = 0

  /// Segments that had to wait behind a hole.
  public var segmentsOutOfOrder: UInt64 = 0
  /// Segments with payload of which nothing was new.
  public var segmentsRetransmitted: UInt64 = 0
  /// The same, where the first copy came in another virtual network: captured twice rather than sent twice.
  public var segmentsCopied: UInt64 = 0
  /// Segments without payload or SYN that belong to no known connection.
  public var segmentsUnattached: UInt64 = 0
  /// RST segments that stood outside the window and were not believed.
  public var resetsIgnored: UInt64 = 0

  /// Connections seen.
  public var connections: UInt64 = 0
  /// Joined after their start: no SYN or SYN-ACK was seen.
  public var connectionsMidstream: UInt64 = 0
  /// Closed because they were idle for too long; half-open ones are in ``halfOpenExpired``.
  public var connectionsExpired: UInt64 = 0
  /// Given up because the table was full.
  public var connectionsEvicted: UInt64 = 0
  /// Ended by a new one between the same ends.
  public var connectionsReplaced: UInt64 = 0
  /// SYNs that nothing answered in time.
  public var halfOpenExpired: UInt64 = 0
  /// SYNs given up because too many waited.
  public var halfOpenEvicted: UInt64 = 0
  /// In the table and not closed.
  public var openConnections: UInt64 = 0

  public init() {}
}
