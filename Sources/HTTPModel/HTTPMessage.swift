/// The version that a message names.
public enum HTTPVersion: UInt8, Sendable {
  case http10 = 10
  case http11 = 11
  case http2 = 20

  /// As in `show --format jsonl`: `http/1.0`, `http/1.1`, `h2`.
  public var identifier: String {
    switch self {
    case .http10: "http/1.0"
    case .http11: "http/1.1"
    case .http2: "h2"
    }
  }
}

/// A part of a body, in body bytes after transfer coding.
public struct BodyRange: Hashable, Sendable {
  /// Its first byte.
  public var lowerBound: UInt64
  /// Behind its last byte.
  public var upperBound: UInt64

  public init(lowerBound: UInt64, upperBound: UInt64) {
    self.lowerBound = lowerBound
    self.upperBound = upperBound
  }
}

/// How an HTTP/1 message's body was delimited (RFC 9112, 6.3).
public enum BodyFraming: UInt8, Sendable {
  case none = 0
  case contentLength = 1
  case chunked = 2
  /// Until the server closed the connection.
  case close = 3
  /// HTTP/2's END_STREAM.
  case stream = 4
}

/// A body after transfer coding and before content coding.
public struct HTTPBody: Hashable, Sendable {
  /// What was kept: all of it, or a prefix where ``size`` is over the limit. Bytes that a gap swallowed are left out
  /// and named in ``missing``.
  public var bytes: [UInt8]
  /// All bytes of the body, kept, cut or missing.
  public var size: UInt64
  /// True where every byte up to the body's end was seen and kept.
  public var isComplete: Bool
  /// How its end was told.
  public var framing: BodyFraming
  /// What was never captured, in rising order. The last range has `UInt64.max` as its end where the length is unknown.
  public var missing: [BodyRange]
  /// XXH64 of the whole body where it was seen whole but cut at the limit; else nil.
  public var cutHash: UInt64?
  /// The sizes of the chunks as they were sent, without the last (empty) one; empty for one chunk or another framing.
  public var chunkSizes: [UInt32]

  @inlinable
  public init(
    bytes: [UInt8] = [], size: UInt64 = 0, isComplete: Bool = true, framing: BodyFraming = .none,
    missing: [BodyRange] = [], cutHash: UInt64? = nil, chunkSizes: [UInt32] = []
  ) {
    self.bytes = bytes
    self.size = size
    self.isComplete = isComplete
    self.framing = framing
    self.missing = missing
    self.cutHash = cutHash
    self.chunkSizes = chunkSizes
  }

  /// Every byte was seen; it may have been cut on purpose, at the body limit.
  @inlinable public var isWhole: Bool { isComplete || cutHash != nil }

  /// Makes it an empty body, in the same array where nothing else refers to it and it is not unusually large.
  @inlinable
  mutating func reuse(framing: BodyFraming) {
    if bytes.capacity > HTTPBody.reusedLimit {
      bytes = []
    } else if !bytes.isEmpty {
      bytes.removeAll(keepingCapacity: true)
    }
    size = 0
    isComplete = true
    self.framing = framing
    if !missing.isEmpty { missing = [] }
    cutHash = nil
    if !chunkSizes.isEmpty { chunkSizes = [] }
  }

  @usableFromInline static let reusedLimit = 128 << 10
}

/// When a message's first and last byte were seen.
public struct MessageTiming: Hashable, Sendable {
  /// Of its first byte.
  public var start: Timestamp
  /// Of the last byte of its head.
  public var headEnd: Timestamp
  /// Of its last byte.
  public var end: Timestamp

  @inlinable
  public init(start: Timestamp, headEnd: Timestamp, end: Timestamp) {
    self.start = start
    self.headEnd = headEnd
    self.end = end
  }
}

/// An interim (1xx) response, kept apart from the final one it precedes (RFC 9110, 15.2).
public struct InformationalResponse: Hashable, Sendable {
  /// 100 ... 199.
  public var status: UInt16
  /// As in ``HTTPResponse/fields``.
  public var fields: HeaderFields
  /// Packet time of its last byte.
  public var time: Timestamp

  @inlinable
  public init(status: UInt16, fields: HeaderFields, time: Timestamp) {
    self.status = status
    self.fields = fields
    self.time = time
  }
}
