// The decoder's own view of its events: what is found, without memory of its own, and one place for what has some.

public import HTTPModel

/// What ``HTTP1Decoder/step(in:at:_:)`` found next: an ``HTTP1Event`` whose arrays stand in ``HTTP1Parts`` instead.
public enum HTTP1Step: Sendable {
  /// In ``HTTP1Parts/head``.
  case head
  case body(Range<Int>)
  case chunk(size: UInt64)
  /// In ``HTTP1Parts/trailers``.
  case trailers
  case end
  case truncated(HTTP1Truncation)
  case skipped(Int)
  case anomaly(Anomaly)
  /// Bytes of earlier calls in ``HTTP1Parts/held``.
  case tunnel(Range<Int>)
  /// Bytes of earlier calls in ``HTTP1Parts/held``.
  case notHTTP(HTTP1Rejection.Kind)
}

/// Memory that steps are told in, valid until the next step that uses it.
///
/// One serves any number of decoders, one call at a time. Whoever wants to keep an array takes it, best by swapping it
/// for one of no further use: a head is written into the arrays that stand here, and allocates only where they are too
/// small.
public struct HTTP1Parts: Sendable {
  /// The last head told.
  public var head = HTTP1Head()
  /// The last trailer section told.
  public var trailers = HeaderFields()
  /// Body bytes that had waited.
  public var held: [UInt8] = []
  /// Field names of the heads that were read with these parts.
  var names = KnownNames()

  public init() {}
}

extension HTTP1Decoder {
  /// The next event of the stream, or nil when all of `bytes` is consumed and more is needed.
  ///
  /// - Parameters:
  ///   - bytes: borrowed until return; ranges in the event are indices into it.
  ///   - offset: where to go on, at most `bytes.count`; moved over what is consumed.
  public mutating func nextEvent(in bytes: UnsafeRawBufferPointer, at offset: inout Int) -> HTTP1Event? {
    var parts = HTTP1Parts()
    return nextEvent(in: bytes, at: &offset, &parts)
  }

  /// The same, quicker where the parts have served before: those of one decoder, or of several.
  public mutating func nextEvent(
    in bytes: UnsafeRawBufferPointer, at offset: inout Int, _ parts: inout HTTP1Parts
  ) -> HTTP1Event? {
    step(in: bytes, at: &offset, &parts).map { HTTP1Event($0, parts) }
  }

  /// The stream has ended: what that makes of the message being read. Call again until nil. Nil where none is.
  public mutating func finish() -> HTTP1Event? {
    var parts = HTTP1Parts()
    return finishingStep(&parts).map { HTTP1Event($0, parts) }
  }
}

extension HTTP1Event {
  fileprivate init(_ step: HTTP1Step, _ parts: HTTP1Parts) {
    self =
      switch step {
      case .head: .head(parts.head)
      case .body(let range): .body(range)
      case .chunk(let size): .chunk(size: size)
      case .trailers: .trailers(parts.trailers)
      case .end: .end
      case .truncated(let reason): .truncated(reason)
      case .skipped(let count): .skipped(count)
      case .anomaly(let anomaly): .anomaly(anomaly)
      case .tunnel(let range): .tunnel(held: parts.held, range)
      case .notHTTP(let kind): .notHTTP(HTTP1Rejection(kind: kind, held: parts.held))
      }
  }
}
