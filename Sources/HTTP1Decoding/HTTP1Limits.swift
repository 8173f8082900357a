/// What one direction of a connection may make a decoder hold or look at. All sizes are in bytes.
///
/// A decoder holds at most one partial head, chunk line or trailer section: `maxHeadBytes` is its worst case.
public struct HTTP1Limits: Sendable {
  /// A start line with its header section, or a trailer section. What is larger is passed over
  /// (`http1.head-too-large`) and the next message is searched for.
  public var maxHeadBytes = 1 << 20
  /// A start line. What is longer is no HTTP.
  public var maxStartLineBytes = 128 << 10
  /// The fields of one section.
  public var maxFields = 4096
  /// A chunk-size line with its extensions.
  public var maxChunkLineBytes = 16 << 10
  /// How much of a stream that was joined in its middle is searched for a first message before it is given up.
  public var maxSearchBytes: UInt64 = 16 << 20

  public init() {}
}

/// Where the bytes went that a decoder consumed. Together with ``HTTP1Decoder/heldBytes`` they add up to all bytes
/// handed to it.
public struct HTTP1ByteCounts: Hashable, Sendable {
  /// Start lines, header sections and the empty lines after them.
  public var head: UInt64 = 0
  /// Chunk-size lines, chunk ends, empty lines before a start line.
  public var framing: UInt64 = 0
  /// Body bytes after transfer coding.
  public var body: UInt64 = 0
  /// Trailer sections with the empty line.
  public var trailers: UInt64 = 0
  /// Passed over: damaged heads, what stood before the next start line, PROXY protocol headers.
  public var skipped: UInt64 = 0
  /// After a protocol switch.
  public var tunnel: UInt64 = 0
  /// On a stream that was given up.
  public var notHTTP: UInt64 = 0

  public init() {}

  /// What belongs to HTTP messages, framing included.
  public var message: UInt64 { head &+ framing &+ body &+ trailers }
  /// All of them: the bytes handed in.
  public var total: UInt64 { message &+ skipped &+ tunnel &+ notHTTP }
}
