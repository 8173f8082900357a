// One HTTP/1 message from its bytes.
//
// In: a record's payload. Out: the request or response, and how many bytes belong to it. Owner: a reader, for a call.
// Bounds: `bodyLimit` bytes of a body are kept, the rest is counted and hashed.

import HTTP1Decoding
import HTTPModel

/// A request or response read from a record.
struct RecordedMessage {
  var request: HTTPRequest?
  var response: HTTPResponse?
  var anomalies = AnomalySet()
  /// Behind its last byte.
  var end = 0
  /// It ended where its framing says.
  var isWhole = false

  /// - Parameters:
  ///   - answering: what a response answers, where that is known.
  ///   - from: nanoseconds; the message's first and last byte are as far apart as `latency` says.
  init(
    _ payload: UnsafeRawBufferPointer, role: HTTP1Decoder.Role, answering: AnsweredMethod, start: Timestamp,
    latency: Int64, bodyLimit: Int
  ) {
    var decoder = HTTP1Decoder(role: role, joinedMidstream: false)
    decoder.answering = answering
    let timing = MessageTiming(start: start, headEnd: start, end: start.advanced(byNanoseconds: latency))
    var body = CollectedBody(limit: bodyLimit)
    var interim: [InformationalResponse] = []
    var framing = BodyFraming.none
    var trailers = HeaderFields()
    var isInterim = false
    var truncation: HTTP1Truncation?
    var isOver = false
    func take(_ event: HTTP1Event, _ message: inout RecordedMessage) {
      switch event {
      case .head(let head):
        isInterim = head.isInterim
        message.anomalies.formUnion(head.anomalies)
        if isInterim, let status = head.status {
          interim.append(InformationalResponse(status: status, fields: head.fields, time: start))
          return
        }
        framing = head.framing
        if role == .request {
          message.request = head.request(timing: timing)
        } else {
          message.response = head.response(timing: timing)
        }
      case .body(let range): body.append(UnsafeRawBufferPointer(rebasing: payload[range]))
      case .chunk(let size): body.beginChunk(size)
      case .trailers(let fields): trailers = fields
      case .end: if !isInterim { isOver = true }
      case .truncated(let reason): truncation = reason
      case .anomaly(let anomaly): message.anomalies.insert(anomaly)
      case .notHTTP, .skipped, .tunnel: break
      }
    }
    var offset = 0
    while !isOver, let event = decoder.nextEvent(in: payload, at: &offset) { take(event, &self) }
    end = isOver ? offset : payload.count
    if !isOver {
      while let event = decoder.finish() { take(event, &self) }
    }
    isWhole = isOver && truncation == nil
    let content = body.finish(framing: framing, truncation: truncation)
    if request != nil {
      request!.body = content
      request!.trailers = trailers
    }
    if response != nil {
      response!.body = content
      response!.trailers = trailers
      response!.informational = interim
    }
    if truncation != nil { anomalies.insert(.http1TruncatedByClose) }
  }
}

/// A body as its pieces come.
struct CollectedBody {
  let limit: Int
  private var body = HTTPBody()
  private var hash: BodyHash?

  init(limit: Int) { self.limit = limit }

  mutating func append(_ part: UnsafeRawBufferPointer) {
    body.size &+= UInt64(part.count)
    if hash == nil, body.bytes.count + part.count > limit {
      var begun = BodyHash()
      begun.update(body.bytes)
      hash = begun
      body.bytes.append(contentsOf: part.prefix(limit - body.bytes.count))
    } else if hash == nil {
      body.bytes.append(contentsOf: part)
    }
    hash?.update(part)
  }

  mutating func beginChunk(_ size: UInt64) {
    if body.chunkSizes.count < 65_536 { body.chunkSizes.append(UInt32(clamping: size)) }
  }

  consuming func finish(framing: BodyFraming, truncation: HTTP1Truncation?) -> HTTPBody {
    body.framing = framing
    switch truncation {
    case .body(let missing):
      let end = body.size.addingReportingOverflow(missing)
      body.missing = [BodyRange(lowerBound: body.size, upperBound: end.overflow ? .max : end.partialValue)]
      if !end.overflow { body.size = end.partialValue }
    case .chunked: body.missing = [BodyRange(lowerBound: body.size, upperBound: .max)]
    case .head, .trailers, .declined, nil: break
    }
    body.isComplete = body.missing.isEmpty && hash == nil
    if body.missing.isEmpty { body.cutHash = hash?.value }
    if body.chunkSizes.count == 1 || body.chunkSizes.count == 65_536 { body.chunkSizes = [] }
    return body
  }
}
