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

/// Built in place, so that its messages are never copied: what it ends as is what is handed on.
struct PendingExchange {
  var exchange: Exchange
  /// Of the request; of the response where no request was seen.
  var origin: MessageOrigin
  /// Nil once the message's last byte was seen, and before its head.
  var requestBody: OpenBody?
  var responseBody: OpenBody?
  /// What of the request its answer's framing depends on.
  var answered: AnsweredMethod
  /// The request announced its body with `Expect: 100-continue`.
  var expectsContinue: Bool
  /// Told as unanswered: its answer was lost, or another has been matched to a later request.
  var isAbandoned = false
  /// Its request was handed out before its answer came.
  var isToldEarly = false

  var awaitsResponse: Bool { exchange.response == nil && !isAbandoned }
  var isDone: Bool {
    requestBody == nil && responseBody == nil && (exchange.response != nil || isAbandoned)
  }

  mutating func beginRequest(_ head: consuming HTTP1Head, timing: MessageTiming, limit: Int) {
    let expected = head.contentLength
    requestBody = OpenBody(limit: limit)
    exchange.request = head.request(timing: timing)
    requestBody!.reserve(expected, in: &exchange.request!.body)
  }

  mutating func beginResponse(
    _ head: consuming HTTP1Head, interim: [InformationalResponse], timing: MessageTiming, limit: Int
  ) {
    let expected = head.contentLength
    responseBody = OpenBody(limit: limit)
    exchange.response = head.response(timing: timing)
    if !interim.isEmpty { exchange.response!.informational = interim }
    // A response to HEAD promises what it does not send.
    if exchange.response!.body.framing == .contentLength {
      responseBody!.reserve(expected, in: &exchange.response!.body)
    }
  }

  mutating func appendToRequest(_ part: UnsafeRawBufferPointer, _ output: inout AssemblyOutput) {
    output.append(part, to: &exchange.request!.body, &requestBody!)
  }

  mutating func appendToResponse(_ part: UnsafeRawBufferPointer, _ output: inout AssemblyOutput) {
    output.append(part, to: &exchange.response!.body, &responseBody!)
  }

  mutating func beginRequestChunk(size: UInt64) { requestBody!.beginChunk(size: size, of: &exchange.request!.body) }

  mutating func skipInRequest(_ range: BodyRange) { requestBody!.skip(range, of: &exchange.request!.body) }

  mutating func skipRestOfRequest(_ reason: HTTP1Truncation) {
    requestBody!.skipRest(reason, of: &exchange.request!.body)
  }

  /// - Returns: body bytes that were counted and not kept.
  mutating func endRequest(at time: Timestamp, complete: Bool) -> UInt64 {
    guard let body = requestBody.take() else { return 0 }
    body.finish(&exchange.request!.body, complete: complete)
    if body.isOverLimit { exchange.anomalies.insert(.bodyOverLimit) }
    exchange.request!.timing.end = time
    return body.bytesOverLimit(of: exchange.request!.body)
  }

  /// - Returns: body bytes that were counted and not kept.
  mutating func endResponse(at time: Timestamp, complete: Bool) -> UInt64 {
    guard let body = responseBody.take() else { return 0 }
    body.finish(&exchange.response!.body, complete: complete)
    if body.isOverLimit { exchange.anomalies.insert(.bodyOverLimit) }
    exchange.response!.timing.end = time
    return body.bytesOverLimit(of: exchange.response!.body)
  }
}
