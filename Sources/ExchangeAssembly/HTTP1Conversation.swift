// One HTTP/1 connection: two decoders, and which response answers which request.
//
// In: ordered bytes and gaps of both directions, each with the time and the acknowledgment of its segment.
// Out: finished exchanges, appended to the array that the caller hands in. Owner: ExchangeAssembler, one a connection.
// Bounds: AssemblyLimits; the decoders' own limits on heads.
//
// Answers come in the order of the requests (RFC 9112, 9.3.2). That is enough where every byte was captured. Where a
// gap swallowed messages, acknowledgment numbers tell more: a response cannot answer a request of which the server had
// received nothing, nor one that was sent after the client had received a part of that response.

import HTTP1Decoding
import HTTPModel

final class HTTP1Conversation {
  let number: UInt32
  let client: TransportAddress
  let server: TransportAddress
  private let limits: AssemblyLimits

  private var requestDecoder: HTTP1Decoder
  private var responseDecoder: HTTP1Decoder

  /// In the order of the requests; the last may still be read.
  var pending: [PendingExchange] = []
  /// Which of ``pending`` is being answered; nil between responses and for one whose request was never seen.
  private var answering: Int?
  /// A response whose request was never seen, while it is being read.
  private var orphan: PendingExchange?
  private var interim: [InformationalResponse] = []
  private var nextOrdinal: UInt32 = 1

  private var requestOrigin = MessageOrigin(offset: 0, acknowledged: nil, time: Timestamp(nanoseconds: 0))
  private var responseOrigin = MessageOrigin(offset: 0, acknowledged: nil, time: Timestamp(nanoseconds: 0))
  private var matched: Int?
  /// A gap of the server's stream lies between the last response that was matched and the next.
  private var serverGapOpen = false

  /// Findings that go to every exchange from here on: joined in mid-stream.
  private var connectionAnomalies: AnomalySet
  /// Findings that go to the message at which they were made.
  private var requestAnomalies: AnomalySet = []
  private var responseAnomalies: AnomalySet = []

  /// What one of the ends sent is not HTTP/1: nothing more is to be read here.
  private(set) var rejected: HTTP1Rejection.Kind?

  init(
    number: UInt32, client: TransportAddress, server: TransportAddress, joinedMidstream: Bool, limits: AssemblyLimits
  ) {
    self.number = number
    self.client = client
    self.server = server
    self.limits = limits
    requestDecoder = HTTP1Decoder(role: .request, joinedMidstream: joinedMidstream)
    responseDecoder = HTTP1Decoder(role: .response, joinedMidstream: joinedMidstream)
    connectionAnomalies = joinedMidstream ? [.tcpMidstream] : []
  }

  // MARK: Bytes

  /// - Parameters:
  ///   - bytes: what follows in the client's stream, borrowed for the call.
  ///   - origin: place, time and acknowledgment of the first of them.
  func receiveFromClient(
    _ bytes: UnsafeRawBufferPointer, at origin: MessageOrigin, into output: inout AssemblyOutput
  ) {
    var offset = 0
    while true {
      if requestDecoder.awaitsMessage {
        requestOrigin = origin
        requestOrigin.offset &+= UInt64(offset)
      }
      guard let event = requestDecoder.nextEvent(in: bytes, at: &offset) else { return }
      switch event {
      case .head(let head): beginRequest(head, at: origin.time, into: &output)
      case .body(let range): appendToRequest(UnsafeRawBufferPointer(rebasing: bytes[range]), &output)
      case .chunk(let size):
        if hasOpenRequest {
          let last = pending.count - 1
          pending[last].beginRequestChunk(size: size)
        }
      case .trailers(let fields): if hasOpenRequest { pending[pending.count - 1].exchange.request!.trailers = fields }
      case .end: endRequest(at: origin.time, complete: true, into: &output)
      case .truncated(let reason): truncateRequest(reason, at: origin.time, into: &output)
      case .anomaly(let anomaly): noteRequest(anomaly)
      case .skipped(let count): output.ledger[.bytesSkipped] += UInt64(count)
      case .tunnel(let held, let range): output.ledger[.bytesTunnel] += UInt64(held.count + range.count)
      case .notHTTP(let rejection): rejected = rejection.kind
      }
    }
  }

  func receiveFromServer(
    _ bytes: UnsafeRawBufferPointer, at origin: MessageOrigin, into output: inout AssemblyOutput
  ) {
    var offset = 0
    while true {
      if responseDecoder.awaitsMessage {
        responseOrigin = origin
        responseOrigin.offset &+= UInt64(offset)
        expectResponse()
      }
      guard let event = responseDecoder.nextEvent(in: bytes, at: &offset) else { return }
      switch event {
      case .head(let head): beginResponse(head, at: origin.time)
      case .body(let range): appendToResponse(UnsafeRawBufferPointer(rebasing: bytes[range]), &output)
      case .chunk(let size):
        withOpenResponse { $0.responseBody!.beginChunk(size: size, of: &$0.exchange.response!.body) }
      case .trailers(let fields): withOpenResponse { $0.exchange.response!.trailers = fields }
      case .end: endResponse(at: origin.time, complete: true, into: &output)
      case .truncated(let reason): truncateResponse(reason, at: origin.time, into: &output)
      case .anomaly(let anomaly): noteResponse(anomaly)
      case .skipped(let count): output.ledger[.bytesSkipped] += UInt64(count)
      case .tunnel(let held, let range): output.ledger[.bytesTunnel] += UInt64(held.count + range.count)
      case .notHTTP(let rejection): rejected = rejection.kind
      }
    }
  }

  /// `length` bytes of the client's stream were never captured.
  func gapFromClient(_ length: UInt64, anomaly: Anomaly, at origin: MessageOrigin, into output: inout AssemblyOutput) {
    switch requestDecoder.gap(length) {
    case .insideBody(let range):
      skipInRequest(range)
      noteRequest(anomaly)
    case .bodyCut(let from, let length):
      skipInRequest(BodyRange(lowerBound: from, upperBound: from &+ length))
      noteRequest(anomaly)
      endRequest(at: origin.time, complete: false, into: &output)
    case .messageLost:
      noteRequest(anomaly)
      loseRequest(at: origin.time, into: &output)
    case .betweenMessages, .outsideMessages: break
    }
    // A gap that reaches exactly to a body's end is followed by that end.
    receiveFromClient(UnsafeRawBufferPointer(start: nil, count: 0), at: origin, into: &output)
  }

  func gapFromServer(_ length: UInt64, anomaly: Anomaly, at origin: MessageOrigin, into output: inout AssemblyOutput) {
    serverGapOpen = true
    switch responseDecoder.gap(length) {
    case .insideBody(let range):
      withOpenResponse { $0.responseBody!.skip(range, of: &$0.exchange.response!.body) }
      noteResponse(anomaly)
    case .bodyCut(let from, let length):
      let range = BodyRange(lowerBound: from, upperBound: from &+ length)
      withOpenResponse { $0.responseBody!.skip(range, of: &$0.exchange.response!.body) }
      noteResponse(anomaly)
      endResponse(at: origin.time, complete: false, into: &output)
    case .messageLost:
      noteResponse(anomaly)
      loseResponse(at: origin.time, into: &output)
    case .betweenMessages, .outsideMessages: break
    }
    receiveFromServer(UnsafeRawBufferPointer(start: nil, count: 0), at: origin, into: &output)
  }

  /// The client sent FIN, or the connection was reset.
  func endOfClient(at time: Timestamp, reset: Bool, into output: inout AssemblyOutput) {
    if reset { noteRequest(.tcpReset) }
    while let event = requestDecoder.finish() {
      switch event {
      case .end: endRequest(at: time, complete: true, into: &output)
      case .truncated(let reason): truncateRequest(reason, at: time, into: &output)
      case .anomaly(let anomaly): noteRequest(anomaly)
      default: break
      }
    }
  }

  /// The server sent FIN, or the connection was reset.
  /// - Parameter properly: the server ended the stream itself, so that a close-delimited body is whole.
  func endOfServer(at time: Timestamp, reset: Bool, properly: Bool, into output: inout AssemblyOutput) {
    if reset { noteResponse(.tcpReset) }
    while let event = responseDecoder.finish() {
      switch event {
      case .end:
        if properly {
          endResponse(at: time, complete: true, into: &output)
        } else {
          loseResponse(at: time, into: &output)
        }
      case .truncated(let reason): truncateResponse(reason, at: time, into: &output)
      case .anomaly(let anomaly): if properly { noteResponse(anomaly) }
      default: break
      }
    }
  }

  /// Nothing more will come: what is open is told as it stands.
  func close(at time: Timestamp, anomaly: Anomaly?, into output: inout AssemblyOutput) {
    if let anomaly {
      if hasOpenResponse { noteResponse(anomaly) }
      if hasOpenRequest { noteRequest(anomaly) }
    }
    endOfClient(at: time, reset: false, into: &output)
    endOfServer(at: time, reset: false, properly: false, into: &output)
    endRequest(at: time, complete: false, into: &output)
    endResponse(at: time, complete: false, into: &output)
    for index in pending.indices { pending[index].isAbandoned = true }
    flush(into: &output)
  }

  /// An overlap with other bytes was seen in this direction.
  func noteClient(_ anomaly: Anomaly) { noteRequest(anomaly) }
  func noteServer(_ anomaly: Anomaly) { noteResponse(anomaly) }

  // MARK: Requests

  private func beginRequest(_ head: consuming HTTP1Head, at time: Timestamp, into output: inout AssemblyOutput) {
    if pending.count >= limits.pendingRequests {
      pending[0].isAbandoned = true
      flush(into: &output)
    }
    var next = newExchange(requestOrigin, head.anomalies)
    next.exchange.anomalies.formUnion(requestAnomalies)
    requestAnomalies = []
    next.answered = head.answered
    next.expectsContinue = head.expectsContinue
    next.beginRequest(
      head, timing: MessageTiming(start: requestOrigin.time, headEnd: time, end: time), limit: limits.bodyBytes)
    pending.append(next)
  }

  private func newExchange(_ origin: MessageOrigin, _ anomalies: AnomalySet) -> PendingExchange {
    defer { nextOrdinal += 1 }
    var exchange = Exchange(
      id: ExchangeID(connection: number, ordinal: nextOrdinal), client: client, server: server, anomalies: anomalies)
    exchange.anomalies.formUnion(connectionAnomalies)
    return PendingExchange(exchange: exchange, origin: origin, answered: .unknown, expectsContinue: false)
  }

  /// The request that is being read, if there is one, is the last.
  private var hasOpenRequest: Bool { !pending.isEmpty && pending[pending.count - 1].requestBody != nil }

  private func appendToRequest(_ part: UnsafeRawBufferPointer, _ output: inout AssemblyOutput) {
    guard hasOpenRequest else { return }
    let last = pending.count - 1
    pending[last].appendToRequest(part, &output)
  }

  private func skipInRequest(_ range: BodyRange) {
    guard hasOpenRequest else { return }
    let last = pending.count - 1
    pending[last].skipInRequest(range)
  }

  private func endRequest(at time: Timestamp, complete: Bool, into output: inout AssemblyOutput) {
    guard hasOpenRequest else { return }
    let last = pending.count - 1
    output.ledger[.bodyBytesOverLimit] += pending[last].endRequest(at: time, complete: complete)
    if last == 0 { flush(into: &output) }
  }

  private func truncateRequest(_ reason: HTTP1Truncation, at time: Timestamp, into output: inout AssemblyOutput) {
    if reason != .declined { noteRequest(.http1TruncatedByClose) }
    if hasOpenRequest {
      let last = pending.count - 1
      pending[last].skipRestOfRequest(reason)
    }
    endRequest(at: time, complete: false, into: &output)
  }

  private func noteRequest(_ anomaly: Anomaly) {
    if hasOpenRequest {
      pending[pending.count - 1].exchange.anomalies.insert(anomaly)
    } else {
      requestAnomalies.insert(anomaly)
    }
  }

  /// The rest of the request's body, of unknown length, will not come.
  private func loseRequest(at time: Timestamp, into output: inout AssemblyOutput) {
    if hasOpenRequest {
      let last = pending.count - 1
      pending[last].skipRestOfRequest(.chunked)
    }
    endRequest(at: time, complete: false, into: &output)
  }

  // MARK: Responses

  /// Before a response's first byte is decoded: which request will it answer?
  private func expectResponse() {
    matched = match()
    responseDecoder.answering = matched.map { pending[$0].answered } ?? .unknown
  }

  private func match() -> Int? {
    var first = 0
    while first < pending.count, !pending[first].awaitsResponse { first += 1 }
    guard first < pending.count else { return nil }
    // The server had not received a byte of that request: the response answers one that was never captured.
    if let received = responseOrigin.acknowledged, received <= pending[first].origin.offset { return nil }
    guard serverGapOpen else { return first }
    // Answers were lost in a gap. The request that this one answers was sent before its first byte had arrived; of
    // those, the ones that were sent last are the likeliest, and of several sent together the first.
    var best = first
    for index in pending.indices[first...].dropFirst() {
      guard let seen = pending[index].origin.acknowledged, seen <= responseOrigin.offset,
        (responseOrigin.acknowledged ?? .max) > pending[index].origin.offset,
        seen > pending[best].origin.acknowledged ?? 0
      else { continue }
      best = index
    }
    return best
  }

  private func beginResponse(_ head: consuming HTTP1Head, at time: Timestamp) {
    if head.isInterim {
      interim.append(InformationalResponse(status: head.status ?? 0, fields: head.fields, time: time))
      return
    }
    if head.switchesProtocol { requestDecoder.enterTunnel() }
    var anomalies = head.anomalies
    anomalies.formUnion(responseAnomalies)
    responseAnomalies = []
    let timing = MessageTiming(start: responseOrigin.time, headEnd: time, end: time)
    let earlier = interim
    if !interim.isEmpty { interim = [] }
    guard let matched else {
      anomalies.insert(.http1ResponseWithoutRequest)
      var alone = newExchange(responseOrigin, anomalies)
      alone.beginResponse(head, interim: earlier, timing: timing, limit: limits.bodyBytes)
      orphan = alone
      return
    }
    serverGapOpen = false
    for index in 0..<matched where pending[index].awaitsResponse { pending[index].isAbandoned = true }
    if pending[matched].requestBody != nil { anomalies.insert(.http1ResponseBeforeRequestEnd) }
    if pending[matched].expectsContinue, pending[matched].requestBody != nil,
      pending[matched].exchange.request!.body.size == 0
    {
      requestDecoder.declineBody()
    }
    pending[matched].exchange.anomalies.formUnion(anomalies)
    pending[matched].beginResponse(head, interim: earlier, timing: timing, limit: limits.bodyBytes)
    answering = matched
  }

  /// Changes the exchange whose response is being read; nothing where there is none.
  private func withOpenResponse(_ change: (inout PendingExchange) -> Void) {
    if let answering {
      change(&pending[answering])
    } else if orphan != nil {
      change(&orphan!)
    }
  }

  private func appendToResponse(_ part: UnsafeRawBufferPointer, _ output: inout AssemblyOutput) {
    withOpenResponse { $0.appendToResponse(part, &output) }
  }

  private func endResponse(at time: Timestamp, complete: Bool, into output: inout AssemblyOutput) {
    withOpenResponse { output.ledger[.bodyBytesOverLimit] += $0.endResponse(at: time, complete: complete) }
    if answering != nil {
      answering = nil
      flush(into: &output)
    } else if let alone = orphan.take() {
      output.finish(alone.exchange)
    }
  }

  private func truncateResponse(_ reason: HTTP1Truncation, at time: Timestamp, into output: inout AssemblyOutput) {
    noteResponse(.http1TruncatedByClose)
    withOpenResponse { $0.responseBody!.skipRest(reason, of: &$0.exchange.response!.body) }
    endResponse(at: time, complete: false, into: &output)
  }

  private func loseResponse(at time: Timestamp, into output: inout AssemblyOutput) {
    withOpenResponse { $0.responseBody!.skipRest(.chunked, of: &$0.exchange.response!.body) }
    endResponse(at: time, complete: false, into: &output)
  }

  private var hasOpenResponse: Bool { answering != nil || orphan != nil }

  private func noteResponse(_ anomaly: Anomaly) {
    if hasOpenResponse {
      withOpenResponse { $0.exchange.anomalies.insert(anomaly) }
    } else {
      responseAnomalies.insert(anomaly)
    }
  }

  // MARK: Exchanges

  /// Hands on what is done, in the order of the requests.
  private func flush(into output: inout AssemblyOutput) {
    while !pending.isEmpty, pending[0].isDone {
      output.finish(pending.removeFirst().exchange)
      if answering != nil { answering! -= 1 }
      if matched != nil { matched = matched! == 0 ? nil : matched! - 1 }
    }
  }
}
