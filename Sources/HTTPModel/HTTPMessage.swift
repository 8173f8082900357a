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
  public var lowerBound: UInt64
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
}

/// When a message's first and last byte were seen.
public struct MessageTiming: Hashable, Sendable {
  public var start: Timestamp
  public var headEnd: Timestamp
  public var end: Timestamp

  @inlinable
  public init(start: Timestamp, headEnd: Timestamp, end: Timestamp) {
    self.start = start
    self.headEnd = headEnd
    self.end = end
  }
}

/// A request as it was sent.
///
/// `fields.storage` of an HTTP/1 request is the head as on the wire; method and target are ranges into it.
public struct HTTPRequest: Hashable, Sendable {
  public var version: HTTPVersion
  public var methodRange: Range<UInt32>
  public var targetRange: Range<UInt32>
  public var fields: HeaderFields
  public var trailers: HeaderFields
  public var body: HTTPBody
  public var timing: MessageTiming

  @inlinable
  public init(
    version: HTTPVersion, methodRange: Range<UInt32>, targetRange: Range<UInt32>, fields: HeaderFields,
    trailers: HeaderFields = HeaderFields(), body: HTTPBody = HTTPBody(), timing: MessageTiming
  ) {
    self.version = version
    self.methodRange = methodRange
    self.targetRange = targetRange
    self.fields = fields
    self.trailers = trailers
    self.body = body
    self.timing = timing
  }

  @inlinable public var method: ArraySlice<UInt8> {
    fields.storage[Int(methodRange.lowerBound)..<Int(methodRange.upperBound)]
  }

  /// The request target as sent: origin, absolute, authority or asterisk form (RFC 9112, 3.2).
  @inlinable public var target: ArraySlice<UInt8> {
    fields.storage[Int(targetRange.lowerBound)..<Int(targetRange.upperBound)]
  }

  /// The authority of an absolute-form or authority-form target, else the Host field; nil where there is none.
  public var authority: ArraySlice<UInt8>? {
    let target = self.target
    if method.elementsEqual("CONNECT".utf8) { return target }
    if target.first != 0x2f, let scheme = target.firstIndex(of: 0x3a), target[scheme...].starts(with: "://".utf8) {
      let rest = target[(scheme + 3)...]
      return rest.prefix { $0 != 0x2f && $0 != 0x3f && $0 != 0x23 }
    }
    return fields.first("host")
  }

  /// Safe by definition (RFC 9110, 9.2.1).
  public var isSafe: Bool { ["GET", "HEAD", "OPTIONS", "TRACE"].contains { method.elementsEqual($0.utf8) } }
}

/// An interim (1xx) response, kept apart from the final one it precedes (RFC 9110, 15.2).
public struct InformationalResponse: Hashable, Sendable {
  public var status: UInt16
  public var fields: HeaderFields
  public var time: Timestamp

  @inlinable
  public init(status: UInt16, fields: HeaderFields, time: Timestamp) {
    self.status = status
    self.fields = fields
    self.time = time
  }
}

/// A final response as it was sent.
public struct HTTPResponse: Hashable, Sendable {
  public var version: HTTPVersion
  public var status: UInt16
  /// Into `fields.storage`; empty in HTTP/2.
  public var reasonRange: Range<UInt32>
  public var fields: HeaderFields
  public var trailers: HeaderFields
  public var informational: [InformationalResponse]
  public var body: HTTPBody
  public var timing: MessageTiming

  @inlinable
  public init(
    version: HTTPVersion, status: UInt16, reasonRange: Range<UInt32>, fields: HeaderFields,
    trailers: HeaderFields = HeaderFields(), informational: [InformationalResponse] = [], body: HTTPBody = HTTPBody(),
    timing: MessageTiming
  ) {
    self.version = version
    self.status = status
    self.reasonRange = reasonRange
    self.fields = fields
    self.trailers = trailers
    self.informational = informational
    self.body = body
    self.timing = timing
  }

  @inlinable public var reason: ArraySlice<UInt8> {
    fields.storage[Int(reasonRange.lowerBound)..<Int(reasonRange.upperBound)]
  }
}
