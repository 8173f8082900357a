// An exchange that begins in HTTP/1.1 and goes on in HTTP/2 (RFC 7540, 3.2).

import HTTP1Decoding
import HTTPModel

/// An exchange whose request was HTTP/1.1 and whose answer is HTTP/2.
struct HTTP1Upgrade {
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
    upgrade = HTTP1Upgrade(place: place)
    return true
  }

  /// The exchange that goes on in HTTP/2, and what the server has sent in it by now; the caller's from here on.
  mutating func takeUpgrade() -> HTTP1Upgrade? { upgrade.take() }
}
