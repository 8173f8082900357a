// Both directions of a WebSocket connection to its messages with their times.
// In: bytes after the switch with packet times, gaps named. Out: StreamMessages. Owner: one exchange.
// Bounds: MessageRecordingLimits, WebSocketLimits.

public import HTTPModel

/// Records the messages of a WebSocket connection, or of an HTTP/2 stream that became one, as they come in.
public struct WebSocketRecorder<Inflater: MessageInflater & ~Copyable>: ~Copyable {
  public private(set) var messages = StreamMessages(.webSocket)
  public private(set) var anomalies = AnomalySet()

  private var client: WebSocketDecoder<Inflater>
  private var server: WebSocketDecoder<Inflater>
  /// Packet times of the first bytes of open messages and of control frames.
  private var starts: [Timestamp?] = [nil, nil, nil, nil]
  private let limits: MessageRecordingLimits

  /// - Parameters:
  ///   - deflate: what the handshake agreed on; nil where that is nothing.
  ///   - inflaters: one for each side.
  ///   - inflatedBytes: bytes that one message may inflate to, most of them dropped where that is over the limits.
  public init(
    deflate: WebSocketDeflate?, clientInflater: consuming Inflater, serverInflater: consuming Inflater,
    limits: MessageRecordingLimits = MessageRecordingLimits(), inflatedBytes: Int = 64 << 20
  ) {
    let decoding = WebSocketLimits(messageBytes: limits.messageBytes, inflatedBytes: inflatedBytes)
    client = WebSocketDecoder(sender: .client, deflate: deflate, inflater: clientInflater, limits: decoding)
    server = WebSocketDecoder(sender: .server, deflate: deflate, inflater: serverInflater, limits: decoding)
    self.limits = limits
  }

  /// - Parameter bytes: the next of a direction; borrowed until return.
  public mutating func receive(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamMessage.Direction, at time: Timestamp
  ) {
    switch direction {
    case .request:
      Self.read(bytes, direction, time, &client, &messages, &anomalies, &starts, limits)
    case .response:
      Self.read(bytes, direction, time, &server, &messages, &anomalies, &starts, limits)
    }
  }

  /// Bytes were never captured.
  /// - Parameter count: nil where it is not known.
  public mutating func gap(_ count: UInt64?, _ direction: StreamMessage.Direction, at time: Timestamp) {
    switch direction {
    case .request: client.gap(count)
    case .response: server.gap(count)
    }
    receive(UnsafeRawBufferPointer(start: nil, count: 0), direction, at: time)
  }

  /// A direction has ended.
  public mutating func finish(_ direction: StreamMessage.Direction, at time: Timestamp) {
    switch direction {
    case .request: client.finish()
    case .response: server.finish()
    }
    receive(UnsafeRawBufferPointer(start: nil, count: 0), direction, at: time)
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamMessage.Direction, _ time: Timestamp,
    _ decoder: inout WebSocketDecoder<Inflater>, _ messages: inout StreamMessages, _ anomalies: inout AnomalySet,
    _ starts: inout [Timestamp?], _ limits: MessageRecordingLimits
  ) {
    let place = direction == .request ? 0 : 2
    var offset = 0
    while let event = decoder.nextEvent(in: bytes, at: &offset) {
      switch event {
      case .began(let isControl): starts[place + (isControl ? 1 : 0)] = time
      case .anomaly(let anomaly): anomalies.insert(anomaly)
      case .message(let message):
        let start = place + (message.isControl ? 1 : 0)
        let recorded = StreamMessage(
          direction: direction, kind: message.kind, flags: message.flags, time: time,
          microseconds: microseconds(from: starts[start], to: time), offset: 0, length: 0)
        starts[start] = nil
        decoder.withBytes(of: message) {
          messages.record(recorded, bytes: $0, isCut: false, limits: limits)
        }
      }
    }
  }
}

extension WebSocketRecorder: Copyable where Inflater: Copyable {}
extension WebSocketRecorder: Sendable where Inflater: Sendable & ~Copyable {}
