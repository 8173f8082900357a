/// How messages stand in a body or in a connection after its switch.
public enum MessageProtocol: UInt8, CaseIterable, Sendable {
  /// Length-prefixed messages in an HTTP/2 body.
  case grpc = 0
  /// The same in any HTTP body, the trailers as a last message.
  case grpcWeb = 1
  /// The same again, in base64.
  case grpcWebText = 2
  /// RFC 6455 frames.
  case webSocket = 3

  /// The stable name.
  public var identifier: String {
    switch self {
    case .grpc: "grpc"
    case .grpcWeb: "grpc-web"
    case .grpcWebText: "grpc-web-text"
    case .webSocket: "websocket"
    }
  }

  /// Whether a message's bytes stand in the body as they are; else they are kept beside the messages.
  public var leavesBytesInBody: Bool { self == .grpc || self == .grpcWeb }
}

/// One message of a stream: when it came, what it is, where its bytes stand. 32 bytes wide.
public struct StreamMessage: Hashable, Sendable {
  /// Which way it went: the request's, or the response's.
  public enum Direction: UInt8, Sendable {
    case request = 0
    case response = 1
  }

  /// The raw value is WebSocket's opcode for its own; gRPC's start at 0x10.
  public enum Kind: UInt8, Sendable {
    /// A message of which the beginning, and with it the opcode, was never seen.
    case unknown = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xa
    /// A WebSocket opcode that RFC 6455 reserves.
    case reserved = 0xf
    case grpc = 0x10
    /// gRPC-Web's trailers.
    case trailers = 0x11
  }

  /// What is to be said of its bytes.
  public struct Flags: OptionSet, Hashable, Sendable {
    /// What a session file stores.
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// It was compressed on the wire.
    public static let compressed = Flags(rawValue: 1)
    /// The bytes that are kept are still compressed.
    public static let stillCompressed = Flags(rawValue: 2)
    /// A part was never captured.
    public static let incomplete = Flags(rawValue: 4)
    /// Bytes were left out, over a limit or behind damage; ``StreamMessage/length`` counts what was kept.
    public static let cut = Flags(rawValue: 8)
    /// It came in more than one frame.
    public static let fragmented = Flags(rawValue: 16)
  }

  /// Packet time of its last byte: when its receiver could act.
  public var time: Timestamp
  /// Where its bytes begin: in the body where ``MessageProtocol/leavesBytesInBody``, gaps counted; else in
  /// ``StreamMessages/bytes``.
  public var offset: UInt64
  /// Bytes kept.
  public var length: UInt64
  /// Microseconds from its first byte to its last, at most 71 minutes.
  public var microseconds: UInt32
  /// Who sent it.
  public var direction: Direction
  /// What it is.
  public var kind: Kind
  /// What is to be said of its bytes.
  public var flags: Flags

  @inlinable
  public init(
    direction: Direction, kind: Kind, flags: Flags = [], time: Timestamp, microseconds: UInt32 = 0, offset: UInt64,
    length: UInt64
  ) {
    self.direction = direction
    self.kind = kind
    self.flags = flags
    self.time = time
    self.microseconds = microseconds
    self.offset = offset
    self.length = length
  }

  /// Packet time of its first byte, to the microsecond.
  public var start: Timestamp { time.advanced(byNanoseconds: -1000 * Int64(microseconds)) }
}

/// The messages of an exchange, of both directions in the order in which they were whole.
public struct StreamMessages: Hashable, Sendable {
  /// How they were framed.
  public var `protocol`: MessageProtocol
  /// In the order in which they were whole.
  public var messages: [StreamMessage]
  /// The messages' bytes where the body does not hold them: unmasked, joined, inflated.
  public var bytes: [UInt8]
  /// Messages that were seen and left out at a limit.
  public var omitted: UInt64

  public init(
    _ protocol: MessageProtocol, messages: [StreamMessage] = [], bytes: [UInt8] = [], omitted: UInt64 = 0
  ) {
    self.protocol = `protocol`
    self.messages = messages
    self.bytes = bytes
    self.omitted = omitted
  }

  /// What was kept of a message's bytes, its flags saying whether that is all; nil where its body lacks a part of them.
  /// - Parameter body: of the message's direction; looked at where ``MessageProtocol/leavesBytesInBody``.
  public func bytes(of message: StreamMessage, in body: HTTPBody?) -> ArraySlice<UInt8>? {
    guard `protocol`.leavesBytesInBody else { return slice(bytes, message.offset, message.length) }
    guard let body, message.length <= UInt64.max - message.offset else { return nil }
    let end = message.offset + message.length
    var before: UInt64 = 0
    for range in body.missing where range.lowerBound < end {
      // An empty message needs no bytes.
      if range.upperBound > message.offset, message.length > 0 { return nil }
      before &+= min(range.upperBound, message.offset) &- min(range.lowerBound, message.offset)
    }
    return slice(body.bytes, message.offset &- min(before, message.offset), message.length)
  }

  private func slice(_ bytes: [UInt8], _ offset: UInt64, _ length: UInt64) -> ArraySlice<UInt8>? {
    if length == 0 { return [] }
    guard offset <= UInt64(bytes.count), length <= UInt64(bytes.count) - offset else { return nil }
    return bytes[Int(offset)..<Int(offset + length)]
  }
}
