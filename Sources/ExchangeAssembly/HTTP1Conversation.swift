// One HTTP/1 connection: two decoders, and which response answers which request.
//
// In: ordered bytes and gaps of both directions, each with the time and the acknowledgment of its segment.
// Out: finished exchanges, to the output that the caller hands in. Owner: Conversation.
// Bounds: AssemblyLimits; the decoders' own limits on heads.
//
// Answers come in the order of the requests (RFC 9112, 9.3.2). That is enough where every byte was captured. Where a
// gap swallowed messages, acknowledgment numbers tell more: a response cannot answer a request of which the server had
// received nothing, nor one that was sent after the client had received a part of that response.

import HTTP1Decoding
import HTTPModel

struct HTTP1Conversation: ~Copyable {
  let number: UInt32
  let client: TransportAddress
  let server: TransportAddress
  let limits: AssemblyLimits

  var requestDecoder: HTTP1Decoder
  var responseDecoder: HTTP1Decoder

  /// In the order of the requests; the last may still be read.
  var pending: [ExchangePlace] = []
  /// Whose response is being read: one of ``pending``, or, where the request was never seen, one that stands here alone.
  var answering: ExchangePlace?
  private var isOrphan = false
  var interim: [InformationalResponse] = []
  private(set) var nextOrdinal: UInt32
  private let facts: ConnectionFacts?

  private var requestOrigin = MessageOrigin(offset: 0, acknowledged: nil, time: Timestamp(nanoseconds: 0))
  private var responseOrigin = MessageOrigin(offset: 0, acknowledged: nil, time: Timestamp(nanoseconds: 0))
  /// Which of ``pending`` the next response will answer.
  var matched: ExchangePlace?
  /// A gap of the server's stream lies between the last response that was matched and the next, in which there may have
  /// been whole responses.
  var serverGapOpen = false
  /// Where the client's stream goes on after the last gap in which there may have been whole requests.
  var requestsLostBefore: UInt64?

  /// Findings that go to every exchange from here on: joined in mid-stream.
  private var connectionAnomalies: AnomalySet
  /// Findings that go to the message at which they were made.
  private var requestAnomalies: AnomalySet = []
  private var responseAnomalies: AnomalySet = []

  /// What one of the ends sent is not HTTP/1: nothing more is to be read here.
  private var rejected: HTTP1Rejection.Kind?
  /// Where in the bytes of the call that was found; bytes of earlier calls stand in the parts' `held`.
  private(set) var rejectedAt = 0
  /// Bytes of tunnels that were handed on.
  private var handedOn: UInt64 = 0
  /// What the last call brought of a tunnel, after a CONNECT or a switch to what is not read here.
  private(set) var tunnelled: [UInt8] = []
  /// The server has agreed to go on in another protocol.
  var upgrade: HTTP1Upgrade?

  /// - Parameter isDamaged: bytes came before that are no HTTP; what follows is searched for messages.
  init(
    number: UInt32, client: TransportAddress, server: TransportAddress, joinedMidstream: Bool, isDamaged: Bool = false,
    firstOrdinal: UInt32 = 1,
    facts: ConnectionFacts? = nil, limits: AssemblyLimits
  ) {
    nextOrdinal = firstOrdinal
    self.facts = facts
    self.number = number
    self.client = client
    self.server = server
    self.limits = limits
    requestDecoder = HTTP1Decoder(role: .request, joinedMidstream: joinedMidstream || isDamaged)
    responseDecoder = HTTP1Decoder(role: .response, joinedMidstream: joinedMidstream || isDamaged)
    connectionAnomalies = joinedMidstream ? [.tcpMidstream] : []
  }

  deinit {
    for place in pending { ExchangeStore.free(place) }
    if isOrphan, let answering { ExchangeStore.free(answering) }
    if let upgrade { ExchangeStore.free(upgrade.place) }
  }

  // MARK: Bytes

  /// - Parameters:
  ///   - bytes: what follows in the stream of one end, borrowed for the call.
  ///   - origin: place, time and acknowledgment of the first of them.
  /// - Returns: what is spoken here instead of HTTP/1, once that is known: nothing more is to be read.
  mutating func receive(
    _ bytes: UnsafeRawBufferPointer, fromClient: Bool, at origin: MessageOrigin, into output: inout AssemblyOutput
  ) -> HTTP1Rejection.Kind? {
    if fromClient {
      receiveFromClient(bytes, at: origin, into: &output)
    } else {
      receiveFromServer(bytes, at: origin, into: &output)
    }
    return rejected
  }

  mutating func receiveFromClient(
    _ bytes: UnsafeRawBufferPointer, at origin: MessageOrigin, into output: inout AssemblyOutput
  ) {
    var offset = 0
    while true {
      if requestDecoder.awaitsMessage {
        requestOrigin = origin
        requestOrigin.offset &+= UInt64(offset)
      }
      guard let step = requestDecoder.step(in: bytes, at: &offset, &output.parts) else { return }
      switch step {
      case .head: beginRequest(at: origin.time, into: &output)
      case .body(let range):
        openRequest?.pointee.appendToRequest(
          UnsafeRawBufferPointer(rebasing: bytes[range]), at: origin.time, &output)
      case .chunk(let size): openRequest?.pointee.beginRequestChunk(size: size)
      case .trailers: openRequest?.pointee.exchange.request!.trailers = output.parts.trailers
      case .end: endRequest(at: origin.time, complete: true, into: &output)
      case .truncated(let reason): truncateRequest(reason, at: origin.time, into: &output)
      case .anomaly(let anomaly): noteRequest(anomaly)
      case .skipped: break
      case .tunnel(let range):
        handedOn &+= UInt64(output.parts.held.count + range.count)
        tunnelled += output.parts.held
        tunnelled += bytes[range]
      case .notHTTP(let kind): reject(kind, at: offset)
      }
    }
  }

  mutating func receiveFromServer(
    _ bytes: UnsafeRawBufferPointer, at origin: MessageOrigin, into output: inout AssemblyOutput
  ) {
    var offset = 0
    while true {
      if responseDecoder.awaitsMessage {
        responseOrigin = origin
        responseOrigin.offset &+= UInt64(offset)
        expectResponse()
      }
      guard let step = responseDecoder.step(in: bytes, at: &offset, &output.parts) else { return }
      switch step {
      case .head: beginResponse(at: origin.time, into: &output)
      case .body(let range):
        answering?.pointee.appendToResponse(
          UnsafeRawBufferPointer(rebasing: bytes[range]), at: origin.time, &output)
      case .chunk(let size): answering?.pointee.beginResponseChunk(size: size)
      case .trailers: answering?.pointee.exchange.response!.trailers = output.parts.trailers
      case .end: endResponse(at: origin.time, complete: true, into: &output)
      case .truncated(let reason): truncateResponse(reason, at: origin.time, into: &output)
      case .anomaly(let anomaly): noteResponse(anomaly)
      case .skipped: break
      case .tunnel(let range):
        handedOn &+= UInt64(output.parts.held.count + range.count)
        if upgrade != nil {
          upgrade!.bytes += output.parts.held
          upgrade!.bytes += bytes[range]
        } else {
          tunnelled += output.parts.held
          tunnelled += bytes[range]
        }
      case .notHTTP(let kind): reject(kind, at: offset)
      }
    }
  }

  /// Without what was handed on.
  var account: ByteAccount {
    var account = ByteAccount(requestDecoder)
    account += ByteAccount(responseDecoder)
    account.tunnel = requestDecoder.counts.tunnel &+ responseDecoder.counts.tunnel &- handedOn
    return account
  }

  /// The server has sent something.
  var hasAnswered: Bool { responseDecoder.counts.total > 0 || responseDecoder.heldBytes > 0 }

  mutating func takeTunnelled() -> [UInt8] {
    defer { tunnelled = [] }
    return tunnelled
  }

  private mutating func reject(_ kind: HTTP1Rejection.Kind, at offset: Int) {
    rejected = kind
    rejectedAt = offset
  }

  /// An overlap with other bytes was seen in this direction.
  mutating func noteClient(_ anomaly: Anomaly) { noteRequest(anomaly) }
  mutating func noteServer(_ anomaly: Anomaly) { noteResponse(anomaly) }

  // MARK: Requests

  /// The head of one stands in `output.parts`.
  private mutating func beginRequest(at time: Timestamp, into output: inout AssemblyOutput) {
    if pending.count >= limits.pendingRequests {
      pending[0].pointee.isAbandoned = true
      flush(into: &output)
    }
    let place = newExchange(requestOrigin, output.parts.head.anomalies, in: output.store)
    place.pointee.exchange.anomalies.formUnion(requestAnomalies)
    requestAnomalies = AnomalySet()
    place.pointee.beginRequest(
      &output.parts.head, timing: MessageTiming(start: requestOrigin.time, headEnd: time, end: time),
      limit: limits.bodyBytes)
    pending.append(place)
  }

  private mutating func newExchange(
    _ origin: MessageOrigin, _ anomalies: AnomalySet, in store: ExchangeStore
  ) -> ExchangePlace {
    let place = store.take()
    place.pointee.exchange.id = ExchangeID(connection: number, ordinal: nextOrdinal)
    place.pointee.exchange.client = client
    place.pointee.exchange.server = server
    if let facts {
      place.pointee.exchange.isTLS = facts.tls != nil
      place.pointee.exchange.connection = facts
    }
    place.pointee.exchange.anomalies = anomalies
    place.pointee.exchange.anomalies.formUnion(connectionAnomalies)
    place.pointee.origin = origin
    nextOrdinal += 1
    return place
  }

  /// The request that is being read, if there is one, is the last.
  @inline(__always)
  var openRequest: ExchangePlace? {
    guard !pending.isEmpty else { return nil }
    let last = pending[pending.count - 1]
    return last.pointee.requestBody != nil ? last : nil
  }

  mutating func endRequest(at time: Timestamp, complete: Bool, into output: inout AssemblyOutput) {
    guard let place = openRequest else { return }
    output.ledger[.bodyBytesOverLimit] += place.pointee.endRequest(at: time, complete: complete)
    if complete, output.tellsRequests { output.tellRequest(place) }
    if pending.count == 1 { flush(into: &output) }
  }

  mutating func truncateRequest(
    _ reason: HTTP1Truncation, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    if reason != .declined { noteRequest(.http1TruncatedByClose) }
    openRequest?.pointee.skipRestOfRequest(reason)
    endRequest(at: time, complete: false, into: &output)
  }

  mutating func noteRequest(_ anomaly: Anomaly) {
    if let place = openRequest {
      place.pointee.exchange.anomalies.insert(anomaly)
    } else {
      requestAnomalies.insert(anomaly)
    }
  }

  /// The rest of the request's body, of unknown length, will not come.
  mutating func loseRequest(at time: Timestamp, into output: inout AssemblyOutput) {
    openRequest?.pointee.skipRestOfRequest(.chunked)
    endRequest(at: time, complete: false, into: &output)
  }

  // MARK: Responses

  /// Before a response's first byte is decoded: which request will it answer?
  private mutating func expectResponse() {
    matched = match()
    responseDecoder.answering = matched?.pointee.answered ?? .unknown
  }

  @inline(__always)  // A call would be handed a copy of the conversation.
  private func match() -> ExchangePlace? {
    var first = 0
    while first < pending.count, !pending[first].pointee.awaitsResponse { first += 1 }
    guard first < pending.count else { return nil }
    // The server had not received a byte of that request: the response answers one that was never captured.
    if let received = responseOrigin.acknowledged, received <= pending[first].pointee.origin.offset { return nil }
    guard serverGapOpen else { return pending[first] }
    // Answers were lost in a gap. The request that this one answers was sent before its first byte had arrived; of
    // those, the ones that were sent last are the likeliest, and of several sent together the first.
    var best = pending[first]
    for place in pending[first...].dropFirst() {
      guard let seen = place.pointee.origin.acknowledged, seen <= responseOrigin.offset,
        (responseOrigin.acknowledged ?? .max) > place.pointee.origin.offset,
        seen > best.pointee.origin.acknowledged ?? 0
      else { continue }
      best = place
    }
    // The server had also received what is missing after that request: the answer may be to a request that was there.
    if best == pending.last, let lost = requestsLostBefore, lost > best.pointee.origin.offset,
      responseOrigin.acknowledged ?? 0 >= lost
    {
      return nil
    }
    return best
  }

  /// The head of one stands in `output.parts`.
  private mutating func beginResponse(at time: Timestamp, into output: inout AssemblyOutput) {
    if output.parts.head.isInterim {
      let head = output.parts.head
      interim.append(InformationalResponse(status: head.status ?? 0, fields: head.fields, time: time))
      return
    }
    if output.parts.head.switchesProtocol {
      requestDecoder.enterTunnel()
      if upgradeToHTTP2(at: time, &output.parts.head) { return }
    }
    var anomalies = output.parts.head.anomalies
    anomalies.formUnion(responseAnomalies)
    responseAnomalies = AnomalySet()
    let place: ExchangePlace
    if let matched {
      place = matched
      serverGapOpen = false
      abandon(before: place)
      if place.pointee.requestBody != nil { anomalies.insert(.http1ResponseBeforeRequestEnd) }
      if place.pointee.expectsContinue, place.pointee.requestBody != nil,
        place.pointee.exchange.request!.body.size == 0
      {
        requestDecoder.declineBody()
      }
      place.pointee.exchange.anomalies.formUnion(anomalies)
    } else {
      anomalies.insert(.http1ResponseWithoutRequest)
      place = newExchange(responseOrigin, anomalies, in: output.store)
      isOrphan = true
      // Of the answer to a HEAD that was lost no body comes, whatever it announces.
      responseDecoder.declineBody()
    }
    place.pointee.beginResponse(
      &output.parts.head, interim: &interim,
      timing: MessageTiming(start: responseOrigin.time, headEnd: time, end: time), limit: limits.bodyBytes)
    answering = place
    if place.pointee.exchange.response?.status == 101 { upgradeToWebSocket(at: time) }
  }

  /// Requests that were sent before one that is being answered will not be.
  private func abandon(before answered: ExchangePlace) {
    for place in pending {
      if place == answered { return }
      if place.pointee.awaitsResponse { place.pointee.isAbandoned = true }
    }
  }

  mutating func endResponse(at time: Timestamp, complete: Bool, into output: inout AssemblyOutput) {
    guard let place = answering else { return }
    output.ledger[.bodyBytesOverLimit] += place.pointee.endResponse(at: time, complete: complete)
    answering = nil
    if isOrphan {
      isOrphan = false
      output.finish(place)
    } else {
      flush(into: &output)
    }
  }

  mutating func truncateResponse(
    _ reason: HTTP1Truncation, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    if reason != .declined { noteResponse(.http1TruncatedByClose) }
    answering?.pointee.skipRestOfResponse(reason)
    endResponse(at: time, complete: false, into: &output)
  }

  mutating func loseResponse(at time: Timestamp, into output: inout AssemblyOutput) {
    answering?.pointee.skipRestOfResponse(.chunked)
    endResponse(at: time, complete: false, into: &output)
  }

  mutating func noteResponse(_ anomaly: Anomaly) {
    if let answering {
      answering.pointee.exchange.anomalies.insert(anomaly)
    } else {
      responseAnomalies.insert(anomaly)
    }
  }

  // MARK: Exchanges

  /// Hands on what is done, in the order of the requests.
  mutating func flush(into output: inout AssemblyOutput) {
    while let first = pending.first, first.pointee.isDone {
      if matched == first { matched = nil }
      pending.removeFirst()
      output.finish(first)
    }
  }
}
