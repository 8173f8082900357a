public import HTTPModel

/// What ``HTTP2Connection/nextEvent(from:in:at:time:)`` found next. ``HTTP2Step`` is the same without arrays in it.
public struct HTTP2Event: Sendable {
  /// What happened.
  public var content: Content
  /// 0 where the whole connection is concerned.
  public var stream: UInt32
  /// The stream's place in the decoder's table, from 0 on and small: an index for what the caller keeps of the stream.
  /// It stays the same until ``Content/closed(_:)``; after that another stream may have it. -1 where the stream is not
  /// followed (any more).
  public var slot: Int
  /// Who sent what the event tells of.
  public var sender: HTTP2Side
  /// Packet time of the last byte that it took.
  public var time: Timestamp

  /// What happened.
  public enum Content: Sendable {
    /// A request's or a final response's head. Body, trailers and ``end(_:)`` of the same sender follow.
    case head(HTTP2Head)
    /// An interim (1xx) response.
    case informational(HTTP2Head)
    /// The server promises the stream of this event: `head` is the request that it answers, as if the client had sent
    /// it and ended. The push is an exchange of its own.
    case promise(HTTP2Head, by: UInt32)
    /// Body bytes, padding excluded; indices into the bytes of the call.
    case body(Range<Int>)
    /// The same, of bytes that earlier calls brought and that were held until frame boundaries were proven.
    case heldBody([UInt8])
    /// Bytes of the body that were never captured, in place and known in number.
    case missing(BodyRange)
    case trailers(HTTP2Trailers)
    /// A head or trailer section whose block was not captured whole or is over a limit. If it was the head, the body is
    /// not told.
    case headLost
    /// The sender's message is complete. Told for each message whose head was told.
    case end(HTTP2MessageEnd)
    /// RST_STREAM. Messages that were not complete stay so; ``closed(_:)`` follows.
    case reset(HTTP2ErrorCode)
    /// Nothing more will come of the stream, and ``slot`` is free.
    case closed(HTTP2StreamClosing)
    case goaway(lastStream: UInt32, HTTP2ErrorCode)
    /// Of the stream, or of the connection where ``stream`` is 0. Oddities of a head are in the head.
    case anomaly(Anomaly)
    /// Frames of this sender were lost, so bytes of any of its streams may be missing: which, nobody knows. Bodies that
    /// turn out to be touched say so at their ``end(_:)``.
    case framesLost
    /// This many bytes were passed over on the way to a frame boundary. Some may be of earlier calls.
    case skipped(Int)
    /// It is now certain who the client is, and it is not who was thought: see ``HTTP2Connection/client``.
    case rolesReversed
  }
}

/// How a message ended.
public struct HTTP2MessageEnd: Hashable, Sendable {
  /// What of the body a gap of unknown extent has swallowed: from where on, and how much where Content-Length tells;
  /// else to `UInt64.max`. Nil where all of it was seen, apart from what was told as
  /// ``HTTP2Event/Content/missing(_:)``.
  public var missing: BodyRange?

  public init(missing: BodyRange? = nil) { self.missing = missing }
}

/// How a stream came to its end, or out of sight.
public enum HTTP2StreamClosing: Hashable, Sendable {
  /// Both messages are complete.
  case ended
  case reset
  /// Given up because of ``HTTP2Limits/maxStreams``.
  case evicted
  /// The connection is over.
  case connectionClosed
}

/// What of a stream's silence flow control explains.
public struct HTTP2Blocking: Hashable, Sendable {
  /// The sender has used up a window at this time and has not been given more.
  public var since: Timestamp
  /// Of the connection, not of the stream alone.
  public var isOfConnection: Bool
}
