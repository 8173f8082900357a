// Messages of GoReplay's middleware protocol: a line each, the hexadecimal digits of a record's meta line and message.
//
// In: messages or lines. Out: lines or messages. Owner: whoever talks to the middleware. Bounds: linear.

import HTTP1Decoding
public import HTTPModel

/// One message that goes to a middleware or comes from it.
public struct GoReplayLine: Hashable, Sendable {
  /// Request, recorded response or replayed response.
  public var type: GoReplayRecordType
  /// Joins a request with its responses.
  public var identifier: [UInt8]
  /// When its first byte was sent.
  public var time: Timestamp
  /// Nanoseconds.
  public var latency: Int64
  /// HTTP/1.1 as on the wire.
  public var message: [UInt8]

  private init(_ meta: GoReplayMeta, message: [UInt8]) {
    type = meta.type
    identifier = meta.identifier
    time = meta.time
    latency = meta.latency
    self.message = message
  }

  private var meta: GoReplayMeta { GoReplayMeta(type: type, identifier: identifier, time: time, latency: latency) }

  /// The request of an exchange; nil where there is none.
  public init?(requestOf exchange: Exchange, round: UInt32) {
    guard let request = exchange.request else { return nil }
    var message: [UInt8] = []
    serialize(request: request, into: &message)
    let timing = request.timing
    self.init(
      GoReplayMeta(
        type: .request, identifier: Self.identifier(exchange.id, round: round), time: timing.start,
        latency: max(0, timing.end.nanoseconds(since: timing.start))), message: message)
  }

  /// The recorded response of an exchange; nil where there is none.
  public init?(responseOf exchange: Exchange, round: UInt32) {
    guard let response = exchange.response else { return nil }
    var message: [UInt8] = []
    serialize(response: response, into: &message)
    let timing = response.timing
    self.init(
      GoReplayMeta(
        type: .response, identifier: Self.identifier(exchange.id, round: round), time: timing.start,
        latency: max(0, timing.end.nanoseconds(since: timing.start))), message: message)
  }

  /// What came of an attempt; nil where no response did.
  public init?(attempt: Attempt) {
    guard let response = attempt.response else { return nil }
    var message: [UInt8] = []
    serialize(response: response, into: &message)
    self.init(
      GoReplayMeta(
        type: .replayedResponse, identifier: Self.identifier(attempt.exchange, round: attempt.round), time: attempt.end,
        latency: max(0, attempt.end.nanoseconds(since: attempt.sent ?? attempt.scheduled))), message: message)
  }

  /// - Parameter line: without its line end.
  /// - Returns: nil where it is no message of the protocol.
  public init?(line: some Collection<UInt8>) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(line.count / 2)
    var high: UInt8?
    for digit in line {
      guard let value = Self.value(ofDigit: digit) else {
        if digit == 0x0d { continue }
        return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    guard high == nil, let end = bytes.firstIndex(of: 0x0a), let meta = GoReplayMeta(bytes[..<end]) else { return nil }
    self.init(meta, message: Array(bytes[(end + 1)...]))
  }

  /// With its line end.
  public var line: [UInt8] {
    let bytes = meta.line + message
    var line: [UInt8] = []
    line.reserveCapacity(2 * bytes.count + 1)
    for byte in bytes {
      for value in [byte >> 4, byte & 15] { line.append(value < 10 ? 0x30 + value : 0x57 + value) }
    }
    line.append(0x0a)
    return line
  }

  /// The message as a request, whole or not; nil where it is none.
  /// - Parameter recorded: gives the times, and what of a large body was not kept.
  public func request(insteadOf recorded: HTTPRequest) -> HTTPRequest? {
    guard type == .request else { return nil }
    let parsed = message.withUnsafeBytes {
      RecordedMessage(
        $0, role: .request, answering: .unknown, start: recorded.timing.start, latency: 0, bodyLimit: .max)
    }
    guard var request = parsed.request else { return nil }
    request.timing = recorded.timing
    if recorded.body.isComplete, request.body.framing == .contentLength,
      !request.body.isComplete || parsed.end < message.count
    {
      // A middleware that changed the body and not its length: the body is what counts, as it is in GoReplay.
      setLength(of: &request)
    }
    return request
  }

  private func setLength(of request: inout HTTPRequest) {
    let headEnd = request.fields.storage.count
    guard message.count >= headEnd else { return }
    let body = Array(message[headEnd...])
    request.body = HTTPBody(bytes: body, size: UInt64(body.count), framing: .contentLength)
    let lengths = request.fields.indices(of: "content-length")
    request.fields.replaceValues(lengths.map { ($0, Array("\(body.count)".utf8)) })
  }

  /// 24 hexadecimal digits: connection, place on it, round.
  public static func identifier(_ id: ExchangeID, round: UInt32) -> [UInt8] {
    [id.connection, id.ordinal, round].flatMap { word in
      (0..<8).map { digit in
        let value = UInt8(truncatingIfNeeded: word >> UInt32(28 - 4 * digit)) & 15
        return value < 10 ? 0x30 + value : 0x57 + value
      }
    }
  }

  private static func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x37
    case 0x61...0x66: digit - 0x57
    default: nil
    }
  }
}
