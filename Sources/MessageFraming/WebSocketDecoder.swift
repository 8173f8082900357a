// Purpose: the public face of the WebSocket decoder and the state it keeps between calls.
// Input -> output: one direction's bytes after the switch in order, with gaps named -> WebSocketEvent, pulled one at a time.
// Owner: one direction of one connection or HTTP/2 stream; not shared. Bounds: WebSocketLimits; one message is held.
// The transitions stand in WebSocketDecoder+StateMachine.swift.

public import HTTPModel

/// Which side's bytes a decoder reads: clients mask (RFC 6455, 5.1).
public enum WebSocketSender: Hashable, Sendable {
  case client, server
}

/// Undoes DEFLATE (RFC 1951) of a stream that is flushed now and then, without a frame around it.
///
/// Whoever owns the decoder supplies it, so that this target knows no compression library.
public protocol MessageInflater: ~Copyable {
  /// Inflates the next bytes; the window goes on from the call before.
  ///
  /// - Parameters:
  ///   - input: any part of the stream.
  ///   - output: what comes out is appended, up to `limit` bytes; the rest is counted and dropped.
  /// - Returns: bytes that came out; nil where the input is no DEFLATE. Nothing is inflated after that until a reset.
  mutating func inflate(_ input: UnsafeRawBufferPointer, limit: Int, into output: inout [UInt8]) -> Int?

  /// Forgets the window.
  mutating func reset()
}

/// For a direction on which compression was not agreed.
public struct NoInflater: MessageInflater, Sendable {
  public init() {}
  public mutating func inflate(_ input: UnsafeRawBufferPointer, limit: Int, into output: inout [UInt8]) -> Int? { nil }
  public mutating func reset() {}
}

/// Limits of a WebSocket decoder.
public struct WebSocketLimits: Hashable, Sendable {
  /// Bytes kept of a message, inflated.
  public var messageBytes: Int
  /// Bytes that one message may inflate to; what goes beyond is not inflated, nor is what depends on it.
  public var inflatedBytes: Int

  public init(messageBytes: Int = 10 << 20, inflatedBytes: Int = 64 << 20) {
    self.messageBytes = max(0, messageBytes)
    self.inflatedBytes = max(0, inflatedBytes)
  }
}

/// A message, or a control frame.
public struct WebSocketMessage: Hashable, Sendable {
  public var kind: StreamMessage.Kind
  /// As in the first frame; 0 where that was never seen.
  public var opcode: UInt8
  public var flags: StreamMessage.Flags
  public var frames: UInt32
  /// Payload bytes on the wire, those in gaps counted.
  public var wireSize: UInt64

  /// Close, ping, pong, and the opcodes from 11 on.
  public var isControl: Bool { opcode & 0x08 != 0 }
}

/// What ``WebSocketDecoder/nextEvent(in:at:)`` found next.
public enum WebSocketEvent: Hashable, Sendable {
  /// The next byte is the first of a message; of a control frame, which may come between a message's frames.
  case began(isControl: Bool)
  /// A message is whole, or as whole as it will be. Its bytes: ``WebSocketDecoder/withBytes(of:_:)``.
  case message(WebSocketMessage)
  case anomaly(Anomaly)
}

/// Decodes one direction of a WebSocket connection (RFC 6455): unmasks, joins, inflates (RFC 7692).
///
/// Pull events until nil, which means that all bytes of the call are consumed. How a stream is cut into calls does not
/// change what is told while boundaries are known; where they are lost, a call's first byte is taken for a candidate.
/// No input makes it fail.
public struct WebSocketDecoder<Inflater: MessageInflater & ~Copyable>: ~Copyable {
  public let sender: WebSocketSender
  public let limits: WebSocketLimits
  /// Frame boundaries are known.
  public internal(set) var isLocked: Bool

  enum State: Sendable {
    case header
    /// - `done`: payload bytes passed.
    case payload(WebSocketFrameHeader, done: UInt64)
    case lost
  }

  /// What becomes of a data frame's bytes.
  enum Treatment: Sendable {
    case keep, inflate, drop
  }

  var state = State.header
  var inflater: Inflater
  /// Compression was agreed.
  let isDeflateAgreed: Bool
  let takesContextOver: Bool
  /// The window holds bytes that were never seen.
  var isWindowLost: Bool
  /// A partial header.
  var partial: [UInt8] = []
  var isBegunTold = false
  /// The message whose FIN is to come, and the control frame that is being read.
  var open: WebSocketMessage?
  var openControl: WebSocketMessage?
  /// The next frame may belong to a message whose beginning was not seen.
  var isBeginningUnknown: Bool
  var treatment = Treatment.keep
  /// Bytes that the open message inflated to.
  var inflated = 0
  /// Bytes of the open or last message, of the last control frame; let go when those of the next one come.
  var payload: [UInt8] = []
  var control: [UInt8] = []
  var isPayloadOld = false
  /// Unmasked bytes on their way to the inflater.
  var scratch: [UInt8] = []
  /// A close frame was told; the stream ended.
  var isClosed = false
  var isEnded = false
  var pending: [WebSocketEvent] = []
  /// While lost: frames of the chain so far.
  var plausibleFrames = 0

  /// - Parameters:
  ///   - deflate: what was agreed; nil where nothing was.
  ///   - joinedMidstream: the first byte is not the first after the switch.
  public init(
    sender: WebSocketSender, deflate: WebSocketDeflate?, inflater: consuming Inflater,
    limits: WebSocketLimits = WebSocketLimits(), joinedMidstream: Bool = false
  ) {
    self.sender = sender
    self.limits = limits
    self.inflater = inflater
    isDeflateAgreed = deflate != nil
    takesContextOver = deflate?.takesContextOver(sender) ?? false
    isWindowLost = joinedMidstream && takesContextOver
    isLocked = !joinedMidstream
    isBeginningUnknown = joinedMidstream
    if joinedMidstream { state = .lost }
  }

  /// Lends what was kept of the message told last; after the next event it may be another's.
  public func withBytes<Result>(
    of message: WebSocketMessage, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try message.isControl ? control.withUnsafeBytes(body) : payload.withUnsafeBytes(body)
  }
}

extension WebSocketDecoder: Copyable where Inflater: Copyable {}
extension WebSocketDecoder: Sendable where Inflater: Sendable & ~Copyable {}

extension WebSocketDecoder where Inflater == NoInflater {
  /// For a direction on which compression was not agreed; compressed messages are kept as they are, and marked.
  public init(
    sender: WebSocketSender, limits: WebSocketLimits = WebSocketLimits(), joinedMidstream: Bool = false
  ) {
    self.init(
      sender: sender, deflate: nil, inflater: NoInflater(), limits: limits, joinedMidstream: joinedMidstream)
  }
}

/// The payload of a close frame (RFC 6455, 5.5.1).
public struct WebSocketClose: Hashable, Sendable {
  /// Nil where the frame has no payload.
  public var code: UInt16?
  public var reason: String

  public init(_ payload: some Collection<UInt8>) {
    let bytes = Array(payload)
    code = bytes.count >= 2 ? UInt16(bytes[0]) << 8 | UInt16(bytes[1]) : nil
    reason = String(decoding: bytes.dropFirst(2), as: UTF8.self)
  }

  /// Whether a code may stand in a frame (RFC 6455, 7.4; IANA's registry up to 1014).
  public static func isValid(code: UInt16) -> Bool {
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}
