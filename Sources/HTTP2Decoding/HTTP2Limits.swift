/// What one connection may make the decoder hold or look at. Sizes are in bytes.
///
/// Worst case of what is held: for each of the two directions `maxHeaderBlockBytes` and four times `maxSearchBytes`, the two
/// HPACK tables, and about 150 bytes for each of `maxStreams`.
public struct HTTP2Limits: Sendable {
  /// A header block, its CONTINUATION frames joined. The head of a larger one is lost
  /// (`h2.header-block-too-large`), and with it what is known of the HPACK table.
  public var maxHeaderBlockBytes = 1 << 20
  /// CONTINUATION frames of one block; more are an anomaly (`h2.continuation-flood`) and are joined all the same.
  public var maxContinuations = 1024
  /// Streams that are followed at a time. Beyond it the one that was silent for longest is given up
  /// (`h2.stream-evicted`).
  public var maxStreams = 4096
  /// Entries of one SETTINGS frame that are looked at (`h2.settings-flood`).
  public var maxSettings = 64
  /// SETTINGS frames that may wait for their acknowledgement; of more, the oldest count as acknowledged.
  public var maxPendingSettings = 16
  /// Streams that a client may reset within a second before they were answered (`h2.rapid-reset`; CVE-2023-44487).
  public var maxResetsPerSecond = 100
  /// How far back a frame may stand that a search for boundaries still gives back; twice as much is held.
  public var maxSearchBytes = 96 << 10
  /// How much of a direction is searched before ``HTTP2Recognition`` says no.
  public var maxRecognitionBytes = 64 << 10
  /// Of header compression.
  public var hpack = HPACKLimits()

  public init() {}
}

/// Where the bytes of one direction went. Together with ``HTTP2FrameDecoder/heldBytes`` they add up to all bytes handed
/// over.
public struct HTTP2ByteCounts: Hashable, Sendable {
  /// Preface, frame headers, padding, and frames that carry neither fields nor data.
  public var framing: UInt64 = 0
  /// Header blocks.
  public var blocks: UInt64 = 0
  /// DATA without padding.
  public var data: UInt64 = 0
  /// Passed over on the way to a frame boundary.
  public var skipped: UInt64 = 0

  public init() {}

  /// All of them: the bytes handed in.
  public var total: UInt64 { framing &+ blocks &+ data &+ skipped }
}
