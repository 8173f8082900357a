// What steps are told with; HTTP2Event is the same with the arrays in it.

public import HTTPModel

/// What ``HTTP2Connection/step(from:in:at:time:)`` found next: an ``HTTP2Event`` whose arrays stand in
/// ``HTTP2Connection/parts`` instead.
public struct HTTP2Step: Sendable {
  /// What happened.
  public var content: Content
  /// See ``HTTP2Event``, as the others.
  public var stream: UInt32
  /// See ``HTTP2Event``.
  public var slot: Int
  /// See ``HTTP2Event``.
  public var sender: HTTP2Side
  /// See ``HTTP2Event``.
  public var time: Timestamp

  /// What happened; what has memory of its own stands in ``HTTP2Parts``.
  public enum Content: Sendable {
    /// In ``HTTP2Parts/head``, as are the next two.
    case head
    case informational
    case promise(by: UInt32)
    case body(Range<Int>)
    /// In ``HTTP2Parts/held``.
    case heldBody
    case missing(BodyRange)
    /// In ``HTTP2Parts/trailers``.
    case trailers
    case headLost
    case end(HTTP2MessageEnd)
    case reset(HTTP2ErrorCode)
    case closed(HTTP2StreamClosing)
    case goaway(lastStream: UInt32, HTTP2ErrorCode)
    case anomaly(Anomaly)
    case framesLost
    case skipped(Int)
    case rolesReversed
  }
}

/// Memory that steps are told in, valid until the next step.
///
/// Whoever wants to keep an array takes it, best by swapping it for one of no further use: a head is written into the
/// arrays that stand here, and allocates only where they are too small.
public struct HTTP2Parts: Sendable {
  /// The last head told.
  public var head = HTTP2Head()
  /// The last trailer section told.
  public var trailers = HTTP2Trailers()
  /// Body bytes that had waited.
  public var held: [UInt8] = []

  public init() {}
}

extension HTTP2Connection {
  /// The next event, or nil when all of `bytes` is consumed and more is needed.
  ///
  /// ``step(from:in:at:time:)`` says the same at less cost.
  /// - Parameters:
  ///   - sender: who sent the bytes.
  ///   - bytes: borrowed until return; ranges in the event are indices into it.
  ///   - offset: where to go on, at most `bytes.count`; moved over what is consumed.
  ///   - time: of the packet that brought them.
  public mutating func nextEvent(
    from sender: HTTP2Side, in bytes: UnsafeRawBufferPointer, at offset: inout Int, time: Timestamp
  ) -> HTTP2Event? {
    step(from: sender, in: bytes, at: &offset, time: time).map { HTTP2Event($0, parts) }
  }
}

extension HTTP2Event {
  fileprivate init(_ step: HTTP2Step, _ parts: HTTP2Parts) {
    let content: Content =
      switch step.content {
      case .head: .head(parts.head)
      case .informational: .informational(parts.head)
      case .promise(let parent): .promise(parts.head, by: parent)
      case .body(let range): .body(range)
      case .heldBody: .heldBody(parts.held)
      case .missing(let range): .missing(range)
      case .trailers: .trailers(parts.trailers)
      case .headLost: .headLost
      case .end(let end): .end(end)
      case .reset(let code): .reset(code)
      case .closed(let reason): .closed(reason)
      case .goaway(let last, let code): .goaway(lastStream: last, code)
      case .anomaly(let anomaly): .anomaly(anomaly)
      case .framesLost: .framesLost
      case .skipped(let count): .skipped(count)
      case .rolesReversed: .rolesReversed
      }
    self.init(content: content, stream: step.stream, slot: step.slot, sender: step.sender, time: step.time)
  }
}
