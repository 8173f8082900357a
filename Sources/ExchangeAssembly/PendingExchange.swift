// An exchange of a connection between its request's first byte and its response's last.

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
  var exchange = Exchange()
  /// Of the request; of the response where no request was seen.
  var origin = MessageOrigin(offset: 0, acknowledged: nil, time: Timestamp(nanoseconds: 0))
  /// Nil once the message's last byte was seen, and before its head.
  var requestBody: OpenBody?
  var responseBody: OpenBody?
  /// What of the request its answer's framing depends on.
  var answered = AnsweredMethod.unknown
  /// The request announced its body with `Expect: 100-continue`.
  var expectsContinue = false
  /// Told as unanswered: its answer was lost, or another has been matched to a later request.
  var isAbandoned = false
  /// Its request was handed out before its answer came.
  var isToldEarly = false
  /// Of a gRPC call or a WebSocket.
  var recording: MessageRecording?
  /// Of HTTP/2, before the final response.
  var interim: [InformationalResponse] = []
  /// Of the exchange that stood here before, for their memory.
  var spareRequest: HTTPRequest?
  var spareResponse: HTTPResponse?

  var awaitsResponse: Bool { exchange.response == nil && !isAbandoned }
  var isDone: Bool {
    requestBody == nil && responseBody == nil && (exchange.response != nil || isAbandoned)
  }

  /// Makes it a place for another exchange, which may use the memory of this one.
  mutating func clear() {
    if exchange.request != nil { spareRequest = exchange.request.take() }
    if exchange.response != nil { spareResponse = exchange.response.take() }
    requestBody = nil
    responseBody = nil
    answered = .unknown
    expectsContinue = false
    isAbandoned = false
    isToldEarly = false
    if recording != nil { recording = nil }
    if !interim.isEmpty { interim = [] }
    if exchange.stream != nil { exchange.stream = nil }
    if exchange.isTLS { exchange.isTLS = false }
    if exchange.connection != nil { exchange.connection = nil }
    if exchange.hasDetails { exchange.details = ExchangeDetails() }
  }

  /// - Parameter head: a request's; given other memory in exchange for its fields.
  mutating func beginRequest(_ head: inout HTTP1Head, timing: MessageTiming, limit: Int) {
    guard case .request(let method, let target) = head.startLine else { return }
    answered = head.answered
    expectsContinue = head.expectsContinue
    swap(&exchange.request, &spareRequest)
    if exchange.request == nil {
      exchange.request = HTTPRequest(
        version: head.version, methodRange: method, targetRange: target, fields: HeaderFields(),
        body: HTTPBody(framing: head.framing), timing: timing)
    } else {
      exchange.request!.reuse(
        version: head.version, methodRange: method, targetRange: target, framing: head.framing, timing: timing)
    }
    swap(&exchange.request!.fields, &head.fields)
    requestBody = OpenBody(limit: limit)
    requestBody!.reserve(head.contentLength, in: &exchange.request!.body)
    if head.framing != .none { recording = MessageRecording.grpc(exchange.request!.fields, limit: limit) }
  }

  /// - Parameter head: a response's; given other memory in exchange for its fields.
  mutating func beginResponse(
    _ head: inout HTTP1Head, interim: inout [InformationalResponse], timing: MessageTiming, limit: Int
  ) {
    guard case .response(let status, let reason) = head.startLine else { return }
    swap(&exchange.response, &spareResponse)
    if exchange.response == nil {
      exchange.response = HTTPResponse(
        version: head.version, status: status, reasonRange: reason, fields: HeaderFields(),
        body: HTTPBody(framing: head.framing), timing: timing)
    } else {
      exchange.response!.reuse(
        version: head.version, status: status, reasonRange: reason, framing: head.framing, timing: timing)
    }
    if !interim.isEmpty { swap(&exchange.response!.informational, &interim) }
    swap(&exchange.response!.fields, &head.fields)
    responseBody = OpenBody(limit: limit)
    // A response to HEAD promises what it does not send.
    if head.framing == .contentLength { responseBody!.reserve(head.contentLength, in: &exchange.response!.body) }
  }

  mutating func appendToRequest(
    _ part: UnsafeRawBufferPointer, at time: Timestamp, _ output: inout AssemblyOutput
  ) {
    recording?.receive(part, .request, at: time)
    output.append(part, to: &exchange.request!.body, &requestBody!)
  }

  mutating func appendToResponse(
    _ part: UnsafeRawBufferPointer, at time: Timestamp, _ output: inout AssemblyOutput
  ) {
    recording?.receive(part, .response, at: time)
    output.append(part, to: &exchange.response!.body, &responseBody!)
  }

  mutating func beginRequestChunk(size: UInt64) { requestBody!.beginChunk(size: size, of: &exchange.request!.body) }

  mutating func beginResponseChunk(size: UInt64) {
    responseBody!.beginChunk(size: size, of: &exchange.response!.body)
  }

  mutating func skipInRequest(_ range: BodyRange) {
    recording?.gap(range.upperBound == .max ? nil : range.count, .request)
    requestBody!.skip(range, of: &exchange.request!.body)
  }

  mutating func skipInResponse(_ range: BodyRange) {
    recording?.gap(range.upperBound == .max ? nil : range.count, .response)
    responseBody!.skip(range, of: &exchange.response!.body)
  }

  mutating func skipRestOfRequest(_ reason: HTTP1Truncation) {
    requestBody!.skipRest(reason, of: &exchange.request!.body)
  }

  mutating func skipRestOfResponse(_ reason: HTTP1Truncation) {
    responseBody!.skipRest(reason, of: &exchange.response!.body)
  }

  /// - Returns: body bytes that were counted and not kept.
  mutating func endRequest(at time: Timestamp, complete: Bool) -> UInt64 {
    guard requestBody != nil else { return 0 }
    let overLimit = requestBody!.finish(&exchange.request!.body, complete: complete)
    if requestBody!.isOverLimit { exchange.anomalies.insert(.bodyOverLimit) }
    requestBody = nil
    recording?.finish(.request, at: time)
    exchange.request!.timing.end = time
    return overLimit
  }

  /// - Returns: body bytes that were counted and not kept.
  mutating func endResponse(at time: Timestamp, complete: Bool) -> UInt64 {
    guard responseBody != nil else { return 0 }
    let overLimit = responseBody!.finish(&exchange.response!.body, complete: complete)
    if responseBody!.isOverLimit { exchange.anomalies.insert(.bodyOverLimit) }
    responseBody = nil
    recording?.finish(.response, at: time)
    exchange.response!.timing.end = time
    return overLimit
  }
}
