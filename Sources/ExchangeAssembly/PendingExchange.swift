// An exchange of an HTTP/1 connection between its request's first byte and its response's last.

import HTTP1Decoding
import HTTPModel

/// Places in the two streams of a connection at which a message's first byte was sent.
struct MessageOrigin {
  /// Offset of the message's first byte in its own stream.
  var offset: UInt64
  /// How much of the other stream the sender had received by then, from the segment's acknowledgment number; nil
  /// where that is not known.
  var acknowledged: UInt64?
  var time: Timestamp
}

struct PendingExchange {
  var ordinal: UInt32
  var origin: MessageOrigin
  var request: HTTPRequest
  /// Nil once the request's last byte was seen.
  var requestBody: BodyBuilder?
  /// What of the request its answer's framing depends on.
  var answered: AnsweredMethod
  var response: HTTPResponse?
  /// Told as unanswered: its answer was lost, or another has been matched to a later request.
  var isAbandoned = false
  /// It announced its body with `Expect: 100-continue`.
  var expectsContinue: Bool
  var anomalies: AnomalySet

  var isRequestDone: Bool { requestBody == nil }
  var isDone: Bool { isRequestDone && (response != nil || isAbandoned) }
}

/// A response while its bytes arrive.
struct OpenResponse {
  /// The pending exchange that it answers; nil for a response whose request was never seen.
  var ordinal: UInt32?
  var response: HTTPResponse
  var body: BodyBuilder
  var anomalies: AnomalySet
}
