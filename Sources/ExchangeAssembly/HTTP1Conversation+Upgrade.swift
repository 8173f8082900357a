// Exchanges that begin in HTTP/1.1 and go on as something else: HTTP/2 (RFC 7540, 3.2), WebSocket (RFC 6455).

import HTTP1Decoding
import HTTPModel
import MessageFraming

/// An exchange whose connection goes on in another protocol, which takes it over.
struct HTTP1Upgrade {
  enum Kind {
    /// The answer comes as stream 1.
    case http2
    /// The messages that follow belong to the exchange.
    case webSocket
  }

  var kind: Kind
  var place: ExchangePlace
  /// Of the server, after the 101.
  var bytes: [UInt8] = []
}

extension HTTP1Conversation {
  /// 101 with `Upgrade: h2c` (RFC 7540, 3.2): the answer comes as HTTP/2's stream 1.
  mutating func upgradeToHTTP2(at time: Timestamp, _ head: inout HTTP1Head) -> Bool {
    guard head.status == 101, let place = matched, place == pending.first, place.pointee.requestBody == nil,
      head.fields.first("upgrade")?.elementsEqual("h2c".utf8) ?? false,
      place.pointee.exchange.request?.fields.first("http2-settings") != nil
    else { return false }
    place.pointee.interim = interim + [InformationalResponse(status: 101, fields: head.fields, time: time)]
    interim = []
    matched = nil
    pending.removeFirst()
    upgrade = HTTP1Upgrade(kind: .http2, place: place)
    return true
  }

  /// The answer that is being read is a 101: where it switches to WebSocket, the exchange stays open for its messages.
  mutating func upgradeToWebSocket(at time: Timestamp) {
    guard let place = answering, place == pending.first, place.pointee.requestBody == nil,
      let handshake = WebSocketHandshake(
        request: place.pointee.exchange.request, response: place.pointee.exchange.response!)
    else { return }
    _ = place.pointee.endResponse(at: time, complete: true)
    place.pointee.recording = MessageRecording(handshake, limits: MessageRecording.limits(limits.bodyBytes))
    answering = nil
    matched = nil
    pending.removeFirst()
    upgrade = HTTP1Upgrade(kind: .webSocket, place: place)
  }

  /// The exchange that goes on in another protocol, and what the server has sent in it by now; the caller's from here on.
  mutating func takeUpgrade() -> HTTP1Upgrade? { upgrade.take() }
}
