// Both directions of a gRPC exchange to its messages with their times.
// In: body bytes with packet times, gaps named. Out: StreamMessages. Owner: one exchange. Bounds: MessageRecordingLimits.

public import HTTPModel

/// What is kept of an exchange's messages.
public struct MessageRecordingLimits: Hashable, Sendable {
  /// Messages, 32 bytes each; those over it are counted.
  public var messages: Int
  /// Bytes kept of one message, and of all of them, where the body does not hold them.
  public var messageBytes: Int
  public var bytes: Int

  public init(messages: Int = 100_000, messageBytes: Int = 10 << 20, bytes: Int = 10 << 20) {
    self.messages = max(0, messages)
    self.messageBytes = max(0, messageBytes)
    self.bytes = max(0, bytes)
  }
}

/// Records the messages of a gRPC or gRPC-Web exchange as its bodies come in.
public struct GRPCRecorder: Sendable {
  public private(set) var messages: StreamMessages
  public private(set) var anomalies = AnomalySet()

  private struct Side: Sendable {
    var decoder: GRPCMessageDecoder
    var base64: Base64Stream?
    /// Packet time of the open message's first byte.
    var start: Timestamp?
    /// Bytes of the open message with its prefix, where the body does not hold them.
    var open: [UInt8] = []
    var decoded: [UInt8] = []
  }

  private var request: Side
  private var response: Side
  private let limits: MessageRecordingLimits

  /// - Parameters:
  ///   - request: what the request's Content-Type says; where no request was seen, what the response's does.
  ///   - response: the same for the response, whose form may be another; nil where it is the same.
  public init(
    request: MessageProtocol, response: MessageProtocol? = nil,
    limits: MessageRecordingLimits = MessageRecordingLimits()
  ) {
    let response = response ?? request
    func side(_ form: MessageProtocol) -> Side {
      Side(
        decoder: GRPCMessageDecoder(isWeb: form != .grpc), base64: form == .grpcWebText ? Base64Stream() : nil)
    }
    (self.request, self.response) = (side(request), side(response))
    messages = StreamMessages([request, response].contains(.grpcWebText) ? .grpcWebText : request)
    self.limits = limits
  }

  /// - Parameter bytes: the next of a body; borrowed until return.
  public mutating func receive(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamMessage.Direction, at time: Timestamp
  ) {
    withSide(direction) { side, recorder in
      guard side.base64 != nil else { return recorder.read(bytes, direction, &side, time) }
      side.decoded.removeAll(keepingCapacity: true)
      side.base64!.decode(bytes, into: &side.decoded)
      var decoded: [UInt8] = []
      swap(&decoded, &side.decoded)
      decoded.withUnsafeBytes { recorder.read($0, direction, &side, time) }
      swap(&decoded, &side.decoded)
      if side.base64!.isInvalid, side.decoder.isLocked {
        recorder.anomalies.insert(.messageCodingInvalid)
        side.decoder.gap(nil)
        recorder.read(UnsafeRawBufferPointer(start: nil, count: 0), direction, &side, time)
      }
    }
  }

  /// A DATA frame of HTTP/2 ended and another begins.
  public mutating func frameBoundary(_ direction: StreamMessage.Direction) {
    withSide(direction) { side, _ in side.decoder.frameBoundary() }
  }

  /// Bytes of a body were never captured.
  /// - Parameter count: nil where it is not known.
  public mutating func gap(_ count: UInt64?, _ direction: StreamMessage.Direction, at time: Timestamp) {
    withSide(direction) { side, recorder in
      // How much base64 stands for is not known: it may be padded anywhere.
      side.decoder.gap(side.base64 == nil ? count : count == 0 ? 0 : nil)
      recorder.read(UnsafeRawBufferPointer(start: nil, count: 0), direction, &side, time)
    }
  }

  /// A body has ended.
  public mutating func finish(_ direction: StreamMessage.Direction, at time: Timestamp) {
    withSide(direction) { side, recorder in
      if let base64 = side.base64, !base64.isWhole { recorder.anomalies.insert(.messageCodingInvalid) }
      side.decoder.finish()
      recorder.read(UnsafeRawBufferPointer(start: nil, count: 0), direction, &side, time)
    }
  }

  private mutating func withSide(
    _ direction: StreamMessage.Direction, _ body: (inout Side, inout GRPCRecorder) -> Void
  ) {
    // Moved out and back, so that no buffer is shared while it is written to.
    var side = Side(decoder: GRPCMessageDecoder())
    switch direction {
    case .request:
      swap(&side, &request)
      body(&side, &self)
      swap(&side, &request)
    case .response:
      swap(&side, &response)
      body(&side, &self)
      swap(&side, &response)
    }
  }

  private mutating func read(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamMessage.Direction, _ side: inout Side, _ time: Timestamp
  ) {
    let keeps = !messages.protocol.leavesBytesInBody
    var offset = 0
    while true {
      let before = offset
      let event = side.decoder.nextEvent(in: bytes, at: &offset)
      if keeps, side.open.count < limits.messageBytes {
        side.open.append(contentsOf: bytes[before..<min(offset, before + limits.messageBytes + 5)])
      }
      switch event {
      case .began:
        side.start = time
        side.open.removeAll(keepingCapacity: side.open.capacity <= 64 << 10)
      case .message(let message): record(message, message.length, direction, &side, time)
      case .truncated(let message, let passed): record(message, passed, direction, &side, time, isTruncated: true)
      case .anomaly(let anomaly): anomalies.insert(anomaly)
      case nil: return
      }
    }
  }

  private mutating func record(
    _ message: GRPCMessage, _ passed: UInt32, _ direction: StreamMessage.Direction, _ side: inout Side,
    _ time: Timestamp, isTruncated: Bool = false
  ) {
    var flags: StreamMessage.Flags = message.isCompressed ? [.compressed, .stillCompressed] : []
    if message.isIncomplete || isTruncated { flags.insert(.incomplete) }
    let recorded = StreamMessage(
      direction: direction, kind: message.isTrailers ? .trailers : .grpc, flags: flags, time: time,
      microseconds: microseconds(from: side.start, to: time), offset: message.offset, length: UInt64(passed))
    side.start = nil
    if messages.protocol.leavesBytesInBody {
      messages.record(recorded, limits: limits)
    } else {
      side.open.withUnsafeBytes {
        messages.record(
          recorded, bytes: UnsafeRawBufferPointer(rebasing: $0.dropFirst(5).prefix(limits.messageBytes)),
          isCut: $0.count - 5 < passed && !flags.contains(.incomplete), limits: limits)
      }
    }
  }
}

extension StreamMessages {
  /// The fields of a gRPC-Web answer's trailers message; nil where there is none, or it is compressed or not whole.
  /// - Parameter body: the response's.
  public func webTrailers(in body: HTTPBody?) -> HeaderFields? {
    guard let message = messages.last(where: { $0.kind == .trailers && $0.direction == .response }),
      message.flags.isDisjoint(with: [.stillCompressed, .incomplete, .cut])
    else { return nil }
    return bytes(of: message, in: body).map { HeaderFields(grpcWebTrailers: $0) }
  }

  /// Adds a message whose bytes the body holds.
  mutating func record(_ message: StreamMessage, limits: MessageRecordingLimits) {
    guard messages.count < limits.messages else {
      omitted &+= 1
      return
    }
    messages.append(message)
  }

  /// Adds a message and its bytes.
  mutating func record(
    _ message: StreamMessage, bytes piece: UnsafeRawBufferPointer, isCut: Bool, limits: MessageRecordingLimits
  ) {
    let kept = UnsafeRawBufferPointer(rebasing: piece.prefix(max(0, limits.bytes - bytes.count)))
    var message = message
    message.offset = UInt64(bytes.count)
    message.length = UInt64(kept.count)
    if isCut || kept.count < piece.count { message.flags.insert(.cut) }
    if messages.count < limits.messages { bytes.append(contentsOf: kept) }
    record(message, limits: limits)
  }
}

/// At least 0, at most what 32 bits hold; 0 where the beginning is not known.
func microseconds(from start: Timestamp?, to end: Timestamp) -> UInt32 {
  guard let start else { return 0 }
  return UInt32(clamping: end.nanoseconds(since: start) / 1000)
}
