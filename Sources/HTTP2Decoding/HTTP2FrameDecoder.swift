// Purpose: the public face of frame decoding and the state it keeps between calls.
// Input -> output: one direction's bytes in order, with gaps named -> HTTP2FrameEvent, pulled one at a time.
// Owner: one direction of one connection; not shared. Bounds: HTTP2Limits; holds at most one partial frame without
// data, one header block, and while it searches a window.
// The transitions stand in HTTP2FrameDecoder+StateMachine.swift.

public import HTTPModel

/// Decodes the frames of one direction of an HTTP/2 connection (RFC 9113, 4), from its first byte or from its middle.
///
/// Pull events until nil, which means that all bytes of the call are consumed. How a stream is cut into calls does not
/// change what is decoded, only how data and skipped bytes are cut into events. No input makes it fail.
public struct HTTP2FrameDecoder: Sendable {
  /// What it may hold.
  public let limits: HTTP2Limits

  /// What the peer allows as a payload (SETTINGS_MAX_FRAME_SIZE); nil where its SETTINGS were not seen. To be set where
  /// the acknowledgement stands in this direction.
  public var maxFrameSize: UInt32? = 16_384
  /// The highest stream that either side used so far, for searches; 0 where it is not known.
  public var highestStream: UInt32 = 0
  /// For searches; nil where it is not known.
  public var senderIsClient: Bool?

  /// Where every consumed byte went.
  public internal(set) var counts = HTTP2ByteCounts()
  /// Bytes taken over from earlier calls that are not in ``counts`` yet.
  public var heldBytes: Int {
    var count = partial.count + (search?.window.count ?? 0) + (replay.count - replayOffset)
    if case .preface(let matched) = state { count += matched }
    return count
  }
  /// Frame boundaries are known.
  public var isLocked: Bool { search == nil }
  /// Packet time of the last byte of the event.
  public internal(set) var time = Timestamp(nanoseconds: 0)
  /// Packet time of the first byte of the event's frame; of a block, of the frame that began it.
  public internal(set) var frameStart = Timestamp(nanoseconds: 0)

  enum State: Sendable {
    /// So many bytes of the preface were seen.
    case preface(Int)
    /// `partial` holds what there is of the header.
    case header
    /// A DATA frame whose padding's length is next.
    case padLength(HTTP2FrameHeader)
    /// - `padding`: bytes after the data.
    case data(HTTP2FrameHeader, remaining: Int, padding: Int, begun: Bool)
    /// `partial` holds what there is of the payload.
    case payload(HTTP2FrameHeader)
    case skip(remaining: Int)
    case searching
  }

  var state: State
  let isPrefaceOptional: Bool
  /// A partial header or payload.
  var partial: [UInt8] = []
  /// What events of earlier bytes point into; the fragments of an open block.
  var held: [UInt8] = []
  /// The frame that began the block whose CONTINUATION is to come.
  var open: OpenBlock?
  /// The next events, where one thing makes several.
  var pending: [HTTP2FrameEvent] = []
  var search: FrameBoundarySearch?
  /// When the search's bytes came.
  var marks: [ArrivalMark] = []
  /// Bytes of the search that are being decoded now that boundaries are known, from `replayOffset` on, and when they came.
  var replay: [UInt8] = []
  var replayOffset = 0
  var replayMarks: [ArrivalMark] = []
  /// Frames since boundaries were found; what contradicts itself soon was never right.
  var framesSinceLock = Int.max

  struct OpenBlock: Sendable {
    var header: HTTP2FrameHeader
    var promised: UInt32
    var start: Timestamp
    var continuations = 0
    /// A part is missing or over a limit.
    var isLost = false
    /// The frame that is being passed over ends it.
    var isEnding = false
  }

  /// Bytes before `end`, and after the mark before, came at `time`.
  struct ArrivalMark: Sendable {
    var end: Int
    var time: Timestamp
  }

  static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
  /// Frames after which boundaries that were found are held for certain.
  static let certainty = 8

  /// - Parameters:
  ///   - expectsPreface: the first bytes are a client's preface (RFC 9113, 3.4).
  ///   - joinedMidstream: the first byte is not the stream's: search for a frame.
  public init(limits: HTTP2Limits = HTTP2Limits(), expectsPreface: Bool = false, joinedMidstream: Bool = false) {
    self.limits = limits
    // A capture may begin right behind the handshake, and then the preface is the best of proofs.
    state = expectsPreface || joinedMidstream ? .preface(0) : .header
    isPrefaceOptional = joinedMidstream
    if joinedMidstream { maxFrameSize = nil }
  }

  /// Lends the bytes of an event.
  /// - Parameter input: the bytes of the call that gave the event.
  public func withBytes<Result>(
    _ octets: HTTP2Octets, in input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    switch octets {
    case .input(let range): return try body(UnsafeRawBufferPointer(rebasing: input[range]))
    case .held(let range): return try held.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
  }

  /// Takes the held bytes away, so that they can be read while the decoder's owner changes; to be given back.
  mutating func takeHeld() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &held)
    return taken
  }

  mutating func giveBack(_ bytes: consuming [UInt8]) { held = bytes }
}
