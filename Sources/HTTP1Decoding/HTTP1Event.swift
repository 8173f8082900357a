public import HTTPModel

/// What ``HTTP1Decoder/nextEvent(in:at:)`` found next. Ranges are indices into the bytes of that call.
public enum HTTP1Event: Sendable {
  /// A whole head. ``body(_:)``, ``chunk(size:)`` and ``trailers(_:)`` follow as they come, then ``end`` or
  /// ``truncated(_:)``. An interim (1xx) response is a head and an end.
  case head(HTTP1Head)
  /// Body bytes after transfer coding; a body comes in any number of pieces.
  case body(Range<Int>)
  /// A chunk with data begins; the last, empty chunk is not told. See ``HTTP1Decoder/chunkExtension``.
  case chunk(size: UInt64)
  /// The trailer section, where it has fields. Its storage is the section as on the wire with the final empty line.
  case trailers(HeaderFields)
  /// The message is complete.
  case end
  /// The message ends here without being complete.
  case truncated(HTTP1Truncation)
  /// This many bytes were passed over on the way to a start line. Some may be of earlier calls.
  case skipped(Int)
  /// An oddity outside a head: of the message being read, or between messages. Oddities of a head are in the head.
  case anomaly(Anomaly)
  /// Bytes after a protocol switch (101, a successful CONNECT, ``HTTP1Decoder/enterTunnel()``).
  /// - `held`: bytes of earlier calls that were held back while it was not yet known that this is a tunnel.
  case tunnel(held: [UInt8], Range<Int>)
  /// The stream is not HTTP/1. Told once; the decoder then swallows what comes.
  case notHTTP(HTTP1Rejection)
}

/// Why a message is incomplete.
public enum HTTP1Truncation: Hashable, Sendable {
  /// The stream ended inside a start line or header section, so no head was told.
  case head
  /// The stream ended inside a body of known length.
  /// - `missing`: the bytes that did not come.
  case body(missing: UInt64)
  /// The stream ended inside a chunked body, or the chunked coding is broken from here on.
  case chunked
  /// The stream ended in a trailer section. The body is whole.
  case trailers
  /// The body that was announced did not come. See ``HTTP1Decoder/declineBody()``.
  case declined
}

/// A stream that is not HTTP/1.
public struct HTTP1Rejection: Hashable, Sendable {
  /// What its first bytes look like.
  public enum Kind: Hashable, Sendable {
    /// A TLS record of the handshake.
    case tls
    /// HTTP/2's connection preface (RFC 9113, 3.4).
    case http2
    case other
  }

  /// What it is instead.
  public var kind: Kind
  /// The stream's bytes of earlier calls. What follows them stands at the offset of this call, not yet consumed, so
  /// another decoder can take over from `held` and that offset.
  public var held: [UInt8]

  public init(kind: Kind, held: [UInt8]) {
    self.kind = kind
    self.held = held
  }
}

/// What missing stream bytes did to a decoder.
public enum HTTP1GapEffect: Hashable, Sendable {
  /// All of it was body; decoding goes on in place. The range is in body bytes after transfer coding.
  case insideBody(BodyRange)
  /// The body misses everything from `from` on, and the gap reaches beyond its end. The message is over, incomplete.
  case bodyCut(from: UInt64, length: UInt64)
  /// The message being read is over, incomplete: its head was cut, or its framing is lost (a chunked body).
  case messageLost
  /// No message was being read. Whole messages may be missing.
  case betweenMessages
  /// The bytes carried no messages: a tunnel, a stream that was given up, or one still being searched.
  case outsideMessages
}

/// What a response answers, as far as its framing depends on it (RFC 9112, 6.3).
public enum AnsweredMethod: Hashable, Sendable {
  case head
  case connect
  case other
  /// The request was not seen: the response's own fields decide.
  case unknown
}
