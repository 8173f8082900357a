// The messages of a gRPC call or a WebSocket while they come in.
//
// In: body bytes, or those of a switched connection, with their packet time. Out: StreamMessages for the exchange.
// Owner: a pending exchange. Bounds: MessageRecordingLimits.

public import ContentCoding
import HTTPModel
public import MessageFraming

final class MessageRecording {
  private var grpc: GRPCRecorder?
  private let webSocket: WebSocketBox?
  /// Of the last bytes.
  private var now = Timestamp(nanoseconds: 0)

  /// An optional of what can't be copied could only be taken out.
  private final class WebSocketBox {
    var recorder: WebSocketRecorder<RawInflater>
    init(_ recorder: consuming WebSocketRecorder<RawInflater>) { self.recorder = recorder }
  }

  init(_ grpc: GRPCRecorder) {
    self.grpc = grpc
    webSocket = nil
  }

  init(_ handshake: WebSocketHandshake, limits: MessageRecordingLimits) {
    webSocket = WebSocketBox(
      WebSocketRecorder(
        deflate: handshake.deflate, clientInflater: RawInflater(), serverInflater: RawInflater(), limits: limits))
  }

  /// What stands in a body of this type, where that is gRPC; nil elsewhere.
  static func grpc(_ fields: HeaderFields, limit: Int) -> MessageRecording? {
    guard let type = GRPCContentType(fields: fields) else { return nil }
    return MessageRecording(GRPCRecorder(request: type.protocol, limits: limits(limit)))
  }

  /// Messages are kept as far as a body would be.
  static func limits(_ bodyLimit: Int) -> MessageRecordingLimits {
    MessageRecordingLimits(messageBytes: bodyLimit, bytes: bodyLimit)
  }

  func receive(_ bytes: UnsafeRawBufferPointer, _ direction: StreamMessage.Direction, at time: Timestamp) {
    now = time
    grpc?.receive(bytes, direction, at: time)
    webSocket?.recorder.receive(bytes, direction, at: time)
  }

  /// - Parameter count: nil where it is not known.
  func gap(_ count: UInt64?, _ direction: StreamMessage.Direction) {
    grpc?.gap(count, direction, at: now)
    webSocket?.recorder.gap(count, direction, at: now)
  }

  func finish(_ direction: StreamMessage.Direction, at time: Timestamp) {
    grpc?.finish(direction, at: time)
    webSocket?.recorder.finish(direction, at: time)
  }

  /// Puts what was recorded into the exchange.
  func tell(_ exchange: inout Exchange) {
    if let grpc {
      exchange.details.messages = grpc.messages
      exchange.anomalies.formUnion(grpc.anomalies)
    }
    if let webSocket {
      exchange.details.messages = webSocket.recorder.messages
      exchange.anomalies.formUnion(webSocket.recorder.anomalies)
    }
  }
}

extension RawInflater: MessageInflater {}
