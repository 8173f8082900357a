public import HTTPModel

/// What ``HTTP2FrameDecoder/nextEvent(in:at:time:)`` found next.
public enum HTTP2FrameEvent: Sendable {
  /// The client's connection preface (RFC 9113, 3.4), before its first frame.
  case preface
  /// Data of a DATA frame without padding; a frame comes in any number of pieces. An empty one has one with no bytes.
  /// - `begins`, `ends`: the piece is the frame's first, last; END_STREAM takes effect with the last.
  case data(HTTP2FrameHeader, HTTP2Octets, begins: Bool, ends: Bool)
  /// A header block, CONTINUATION joined. The header is that of the HEADERS or PUSH_PROMISE frame that began it.
  /// - `promised`: PUSH_PROMISE's stream, else 0.
  case block(HTTP2FrameHeader, promised: UInt32, HTTP2Octets)
  /// The same, where the block is lost: cut by a gap, over a limit, or never ended.
  case lostBlock(HTTP2FrameHeader, promised: UInt32)
  /// Any other frame of a known type, its payload whole.
  case control(HTTP2FrameHeader, HTTP2Octets)
  /// A frame of a known type whose payload is not as its type demands, and was passed over.
  case invalid(HTTP2FrameHeader, Anomaly)
  /// A frame that RFC 9113 does not define, passed over (5.5).
  case unknown(HTTP2FrameHeader)
  case anomaly(Anomaly, stream: UInt32)
  /// Bytes passed over on the way to a frame boundary.
  case skipped(Int)
  /// Frame boundaries are found again.
  case locked
  /// Boundaries were lost: what was taken for frames contradicts itself. A search begins.
  case lostBoundaries
}

/// Where bytes of an event stand. Good until the decoder's next call.
public enum HTTP2Octets: Hashable, Sendable {
  /// In the bytes of the call.
  case input(Range<Int>)
  /// In what the decoder holds of earlier calls.
  case held(Range<Int>)
}

/// What missing stream bytes did to a direction's framing.
public enum HTTP2FrameGap: Sendable {
  /// All of it was inside the data of a DATA frame; boundaries are kept.
  case insideData(HTTP2FrameHeader, count: UInt64)
  /// Inside a frame without data, or a frame's padding; boundaries are kept.
  case insideFrame(HTTP2FrameHeader)
  /// Boundaries are lost.
  /// - `data`: the DATA frame that was being read and how much of its data is missing at least.
  case lost(data: HTTP2FrameHeader?, count: UInt64)
}
