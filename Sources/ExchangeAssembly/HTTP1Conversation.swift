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

  private var pending: [PendingExchange] = []
  private var response: OpenResponse?
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
      if requestDecoder.isIdle {
        requestOrigin = origin
        requestOrigin.offset &+= UInt64(offset)
      }
      guard let event = requestDecoder.nextEvent(in: bytes, at: &offset) else { return }
      switch event {
      case .head(let head): beginRequest(head, at: origin.time, into: &output)
      case .body(let range):
        withRequestBody { output.append(UnsafeRawBufferPointer(rebasing: bytes[range]), to: &$0) }
      case .chunk(let size): withRequestBody { $0.beginChunk(size: size) }
      case .trailers(let fields): if !pending.isEmpty { pending[pending.count - 1].request.trailers = fields }
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
      if responseDecoder.isIdle {
        responseOrigin = origin
        responseOrigin.offset &+= UInt64(offset)
        expectResponse()
      }
      guard let event = responseDecoder.nextEvent(in: bytes, at: &offset) else { return }
      switch event {
      case .head(let head): beginResponse(head, at: origin.time)
      case .body(let range):
        if response != nil { output.append(UnsafeRawBufferPointer(rebasing: bytes[range]), to: &response!.body) }
      case .chunk(let size): response?.body.beginChunk(size: size)
      case .trailers(let fields): response?.response.trailers = fields
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
      withRequestBody { $0.skip(range) }
      noteRequest(anomaly)
    case .bodyCut(let from, let length):
      withRequestBody { $0.skip(BodyRange(lowerBound: from, upperBound: from &+ length)) }
      noteRequest(anomaly)
      endRequest(at: origin.time, complete: false, into: &output)
    case .messageLost:
      withRequestBody { $0.skipRest() }
      noteRequest(anomaly)
      endRequest(at: origin.time, complete: false, into: &output)
    case .betweenMessages, .outsideMessages: break
    }
    // A gap that reaches exactly to a body's end is followed by that end.
    receiveFromClient(UnsafeRawBufferPointer(start: nil, count: 0), at: origin, into: &output)
  }

  func gapFromServer(_ length: UInt64, anomaly: Anomaly, at origin: MessageOrigin, into output: inout AssemblyOutput) {
    serverGapOpen = true
    switch responseDecoder.gap(length) {
    case .insideBody(let range):
      response?.body.skip(range)
      noteResponse(anomaly)
    case .bodyCut(let from, let length):
      response?.body.skip(BodyRange(lowerBound: from, upperBound: from &+ length))
      noteResponse(anomaly)
      endResponse(at: origin.time, complete: false, into: &output)
    case .messageLost:
      response?.body.skipRest()
      noteResponse(anomaly)
      endResponse(at: origin.time, complete: false, into: &output)
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
        if !properly { response?.body.skipRest() }
        endResponse(at: time, complete: properly, into: &output)
      case .truncated(let reason): truncateResponse(reason, at: time, into: &output)
      case .anomaly(let anomaly): if properly { noteResponse(anomaly) }
      default: break
      }
    }
  }

  /// Nothing more will come: what is open is told as it stands.
  func close(at time: Timestamp, anomaly: Anomaly?, into output: inout AssemblyOutput) {
    if let anomaly {
      if response != nil { noteResponse(anomaly) }
      if pending.last?.isRequestDone == false { noteRequest(anomaly) }
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

  private func beginRequest(_ head: HTTP1Head, at time: Timestamp, into output: inout AssemblyOutput) {
    let timing = MessageTiming(start: requestOrigin.time, headEnd: time, end: time)
    guard let request = head.request(timing: timing) else { return }
    if pending.count >= limits.pendingRequests {
      pending[0].isAbandoned = true
      flush(into: &output)
    }
    var anomalies = head.anomalies
    anomalies.formUnion(requestAnomalies)
    anomalies.formUnion(connectionAnomalies)
    requestAnomalies = []
    pending.append(
      PendingExchange(
        ordinal: nextOrdinal, origin: requestOrigin, request: request,
        requestBody: BodyBuilder(
          framing: head.framing, expected: head.contentLength, limit: limits.bodyBytes),
        answered: head.answered, expectsContinue: head.expectsContinue, anomalies: anomalies))
    nextOrdinal += 1
  }

  private func withRequestBody(_ change: (inout BodyBuilder) -> Void) {
    guard let last = pending.indices.last, pending[last].requestBody != nil else { return }
    change(&pending[last].requestBody!)
  }

  private func endRequest(at time: Timestamp, complete: Bool, into output: inout AssemblyOutput) {
    guard let last = pending.indices.last, let body = pending[last].requestBody else { return }
    pending[last].requestBody = nil
    output.ledger[.bodyBytesOverLimit] += body.bytesOverLimit
    if body.isOverLimit { pending[last].anomalies.insert(.bodyOverLimit) }
    pending[last].request.body = body.finish(complete: complete)
    pending[last].request.timing.end = time
    if last == 0, pending[0].isDone { flush(into: &output) }
  }

  private func truncateRequest(
    _ reason: HTTP1Truncation, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    if reason != .declined { noteRequest(.http1TruncatedByClose) }
    withRequestBody { $0.skipRest(reason) }
    endRequest(at: time, complete: false, into: &output)
  }

  private func noteRequest(_ anomaly: Anomaly) {
    if let last = pending.indices.last, !pending[last].isRequestDone {
      pending[last].anomalies.insert(anomaly)
    } else {
      requestAnomalies.insert(anomaly)
    }
  }

  // MARK: Responses

  /// Before a response's first byte is decoded: which request will it answer?
  private func expectResponse() {
    matched = match()
    responseDecoder.answering = matched.map { pending[$0].answered } ?? .unknown
  }

  private func match() -> Int? {
    guard let first = pending.firstIndex(where: { $0.response == nil && !$0.isAbandoned }) else { return nil }
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

  private func beginResponse(_ head: HTTP1Head, at time: Timestamp) {
    if head.isInterim {
      interim.append(InformationalResponse(status: head.status ?? 0, fields: head.fields, time: time))
      return
    }
    let timing = MessageTiming(start: responseOrigin.time, headEnd: time, end: time)
    guard var answer = head.response(timing: timing) else { return }
    answer.informational = interim
    interim = []
    var anomalies = head.anomalies
    anomalies.formUnion(responseAnomalies)
    responseAnomalies = []
    if matched == nil { anomalies.insert(.http1ResponseWithoutRequest) }
    if let matched, !pending[matched].isRequestDone { anomalies.insert(.http1ResponseBeforeRequestEnd) }
    if let matched {
      serverGapOpen = false
      for index in 0..<matched where pending[index].response == nil { pending[index].isAbandoned = true }
    }
    response = OpenResponse(
      ordinal: matched.map { pending[$0].ordinal },
      response: answer,
      body: BodyBuilder(
        framing: head.framing, expected: head.contentLength, limit: limits.bodyBytes),
      anomalies: anomalies)
    if head.switchesProtocol { requestDecoder.enterTunnel() }
    if let matched, pending[matched].expectsContinue, pending[matched].requestBody?.size == 0 {
      requestDecoder.declineBody()
    }
  }

  private func endResponse(at time: Timestamp, complete: Bool, into output: inout AssemblyOutput) {
    guard var open = response.take() else { return }
    output.ledger[.bodyBytesOverLimit] += open.body.bytesOverLimit
    if open.body.isOverLimit { open.anomalies.insert(.bodyOverLimit) }
    open.response.body = open.body.finish(complete: complete)
    open.response.timing.end = time
    if let ordinal = open.ordinal, let index = pending.firstIndex(where: { $0.ordinal == ordinal }) {
      pending[index].response = open.response
      pending[index].anomalies.formUnion(open.anomalies)
      flush(into: &output)
    } else {
      open.anomalies.formUnion(connectionAnomalies)
      emit(request: nil, response: open.response, ordinal: nextOrdinal, anomalies: open.anomalies, into: &output)
      nextOrdinal += 1
    }
  }

  private func truncateResponse(
    _ reason: HTTP1Truncation, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    noteResponse(.http1TruncatedByClose)
    response?.body.skipRest(reason)
    endResponse(at: time, complete: false, into: &output)
  }

  private func noteResponse(_ anomaly: Anomaly) {
    if response != nil { response!.anomalies.insert(anomaly) } else { responseAnomalies.insert(anomaly) }
  }

  // MARK: Exchanges

  private func flush(into output: inout AssemblyOutput) {
    while let first = pending.first, first.isDone {
      var done = pending.removeFirst()
      if done.response == nil { done.anomalies.insert(.http1RequestWithoutResponse) }
      emit(
        request: done.request, response: done.response, ordinal: done.ordinal, anomalies: done.anomalies,
        into: &output)
    }
  }

  private func emit(
    request: HTTPRequest?, response: HTTPResponse?, ordinal: UInt32, anomalies: AnomalySet,
    into output: inout AssemblyOutput
  ) {
    var anomalies = anomalies
    let isWhole = (request?.body.isWhole ?? true) && (response?.body.isWhole ?? true)
    if !isWhole { anomalies.insert(.bodyIncomplete) }
    if request == nil {
      output.ledger[.responsesWithoutRequest] += 1
    } else if response == nil {
      output.ledger[.requestsWithoutResponse] += 1
    } else if isWhole {
      output.ledger[.exchangesComplete] += 1
    } else {
      output.ledger[.exchangesIncomplete] += 1
    }
    output.finish(
      Exchange(
        id: ExchangeID(connection: number, ordinal: ordinal), client: client, server: server, request: request,
        response: response, anomalies: anomalies))
  }
}

extension HTTPBody {
  /// Every byte was seen; it may have been cut on purpose, at the body limit.
  var isWhole: Bool { isComplete || cutHash != nil }
}
