// One HTTP/2 connection: its streams, each an exchange.
//
// In: ordered bytes and gaps of both directions, with the time of their segments. Out: finished exchanges, to the output
// that the caller hands in, in the order in which their streams ended. Owner: Conversation. Bounds: HTTP2Limits for the
// streams that are followed, AssemblyLimits for their bodies.

import HTTP2Decoding
import HTTPModel
import TCPReassembly

final class HTTP2Conversation {
  private let number: UInt32
  private let ends: (originator: TransportAddress, responder: TransportAddress)
  private let limits: AssemblyLimits
  private let facts: ConnectionFacts?
  private var connection: HTTP2Connection
  /// By the decoder's slots.
  private var streams: [ExchangePlace?] = []
  private var nextOrdinal: UInt32
  /// Findings that go to every exchange from here on: joined in mid-stream.
  private var connectionAnomalies: AnomalySet
  private var tables = TableSharing()

  /// - Parameters:
  ///   - client: who is the client, where it is known; else the likelier one.
  ///   - firstOrdinal: of the connection's first exchange; more than 1 after an upgrade.
  init(
    number: UInt32, ends: (originator: TransportAddress, responder: TransportAddress), client: StreamDirection,
    joinedMidstream: Bool, firstOrdinal: UInt32 = 1, facts: ConnectionFacts?, limits: AssemblyLimits
  ) {
    self.number = number
    self.ends = ends
    self.limits = limits
    self.facts = facts
    nextOrdinal = firstOrdinal
    connection = HTTP2Connection(
      limits: limits.http2, client: HTTP2Side(client), joinedMidstream: joinedMidstream)
    connectionAnomalies = joinedMidstream ? [.tcpMidstream] : []
  }

  deinit {
    for case let place? in streams { ExchangeStore.free(place) }
  }

  /// The connection was HTTP/1.1 until now: the exchange at `place` is stream 1 (RFC 7540, 3.2).
  func adopt(_ place: ExchangePlace, settings: some Collection<UInt8>, isHead: Bool, at time: Timestamp) {
    let slot = connection.beginUpgraded(settings: settings, isHead: isHead, time: time)
    place.pointee.exchange.stream = 1
    self[slot] = place
  }

  // MARK: Bytes

  func receive(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    if output.headerTables != nil { assumeTables(from: output) }
    var offset = 0
    while let step = connection.step(from: HTTP2Side(direction), in: bytes, at: &offset, time: time) {
      take(step, bytes, into: &output)
    }
  }

  /// `length` bytes of the direction's stream were never captured.
  func gap(
    _ length: UInt64, _ anomaly: Anomaly, _ direction: StreamDirection, at time: Timestamp,
    into output: inout AssemblyOutput
  ) {
    connection.gap(length, from: HTTP2Side(direction), time: time)
    tables.assumed = 0
    receive(UnsafeRawBufferPointer(start: nil, count: 0), direction, at: time, into: &output)
  }

  func end(_ direction: StreamDirection, reset: Bool, at time: Timestamp, into output: inout AssemblyOutput) {
    if reset { note(.tcpReset) }
    connection.finish(HTTP2Side(direction), time: time)
    receive(UnsafeRawBufferPointer(start: nil, count: 0), direction, at: time, into: &output)
  }

  /// Nothing more will come: what is open is told as it stands.
  func close(at time: Timestamp, anomaly: Anomaly?, into output: inout AssemblyOutput) {
    if let anomaly { note(anomaly) }
    for direction in StreamDirection.allCases { end(direction, reset: false, at: time, into: &output) }
    connection.close(time: time)
    receive(UnsafeRawBufferPointer(start: nil, count: 0), .originator, at: time, into: &output)
    for slot in streams.indices { finish(slot, at: time, into: &output) }
    if output.headerTables != nil, tables.responses > 0 { showTables(in: &output) }
  }

  // MARK: Header tables

  /// What of the tables this connection has shown to others and assumed of them.
  private struct TableSharing {
    /// The version that was assumed.
    var assumed: UInt64 = 0
    /// Answers seen, and how many more there have to be before the tables are shown again: they settle soon, and a copy
    /// has its price.
    var responses = 0
    var nextShow = 1
  }

  private var hosts: ShownHeaderTables.Hosts {
    connection.client == .originator
      ? ShownHeaderTables.Hosts(client: ends.originator.address, server: ends.responder)
      : ShownHeaderTables.Hosts(client: ends.responder.address, server: ends.originator)
  }

  private func assumeTables(from output: borrowing AssemblyOutput) {
    guard let shown = output.headerTables?[hosts], shown.version != tables.assumed else { return }
    tables.assumed = shown.version
    connection.assumeHeaderTable(shown.request, of: connection.client)
    connection.assumeHeaderTable(shown.response, of: connection.client.opposite)
  }

  /// After the first answer, the second, the fourth and so on, and at the end.
  private func countResponse(into output: inout AssemblyOutput) {
    tables.responses += 1
    guard tables.responses == tables.nextShow else { return }
    tables.nextShow *= 2
    showTables(in: &output)
  }

  private func showTables(in output: inout AssemblyOutput) {
    for side in HTTP2Side.allCases where connection.headerTableKnowledge(of: side) != .whole { return }
    output.headerTables!.show(
      connection.headerTable(of: connection.client), connection.headerTable(of: connection.client.opposite),
      between: hosts)
  }

  var account: ByteAccount { ByteAccount(connection) }

  /// Goes to every exchange that is open.
  func note(_ anomaly: Anomaly) {
    for case let place? in streams { place.pointee.exchange.anomalies.insert(anomaly) }
  }

  /// Adds the exchanges whose request ended before `time` and has no answer yet; each once.
  func tellUnanswered(before time: Timestamp, into unanswered: inout [Exchange]) {
    for case let place? in streams where place.pointee.mayBeToldEarly(before: time) {
      place.pointee.isToldEarly = true
      unanswered.append(place.pointee.exchange)
    }
  }

  // MARK: Events

  private func take(_ event: HTTP2Step, _ bytes: UnsafeRawBufferPointer, into output: inout AssemblyOutput) {
    let fromClient = event.sender == connection.client
    switch event.content {
    case .head:
      if connection.parts.head.isRequest {
        beginRequest(event, into: &output)
      } else {
        beginResponse(event, into: &output)
      }
    case .informational:
      let place = self[event.slot] ?? begin(event, in: output.store)
      place.pointee.addInformational(connection.parts.head, at: event.time)
    case .promise(let parent):
      beginRequest(event, into: &output)
      guard let place = self[event.slot] else { return }
      place.pointee.exchange.details.promisedBy = parent
      end(place, HTTP2MessageEnd(), fromClient: true, at: event.time, into: &output)
    case .body(let range):
      append(UnsafeRawBufferPointer(rebasing: bytes[range]), event, fromClient, into: &output)
    case .heldBody:
      connection.parts.held.withUnsafeBytes { append($0, event, fromClient, into: &output) }
    case .missing(let range):
      self[event.slot]?.pointee.skip(range, inRequest: fromClient)
      self[event.slot]?.pointee.exchange.anomalies.insert(.tcpGap)
    case .trailers: self[event.slot]?.pointee.setTrailers(connection.parts.trailers, ofRequest: fromClient)
    case .headLost: self[event.slot]?.pointee.exchange.anomalies.insert(.h2HeadLost)
    case .end(let end):
      if let place = self[event.slot] { self.end(place, end, fromClient: fromClient, at: event.time, into: &output) }
    case .reset(let code):
      self[event.slot]?.pointee.exchange.details.reset = StreamReset(code: code.rawValue, byClient: fromClient)
      self[event.slot]?.pointee.exchange.anomalies.insert(.h2StreamReset)
    case .closed(let reason):
      if reason == .evicted { self[event.slot]?.pointee.exchange.anomalies.insert(.h2StreamEvicted) }
      finish(event.slot, at: event.time, into: &output)
    case .anomaly(let anomaly): noteAnomaly(anomaly, event)
    case .framesLost: note(.h2FrameBoundaryLost)
    case .rolesReversed: tables.assumed = 0
    case .goaway, .skipped: break
    }
  }

  /// The head stands in the decoder's parts.
  private func beginRequest(_ event: HTTP2Step, into output: inout AssemblyOutput) {
    let place = self[event.slot] ?? begin(event, in: output.store)
    place.pointee.beginRequest(
      &connection.parts.head,
      timing: MessageTiming(start: connection.parts.head.start, headEnd: event.time, end: event.time),
      limit: limits.bodyBytes)
  }

  private func beginResponse(_ event: HTTP2Step, into output: inout AssemblyOutput) {
    if output.headerTables != nil { countResponse(into: &output) }
    let place = self[event.slot] ?? begin(event, in: output.store)
    if place.pointee.exchange.request == nil { place.pointee.exchange.anomalies.insert(.http1ResponseWithoutRequest) }
    place.pointee.beginResponse(
      &connection.parts.head,
      timing: MessageTiming(start: connection.parts.head.start, headEnd: event.time, end: event.time),
      limit: limits.bodyBytes)
  }

  private func begin(_ event: HTTP2Step, in store: ExchangeStore) -> ExchangePlace {
    let place = store.take()
    let isReversed = connection.client == .responder
    place.pointee.exchange.id = ExchangeID(connection: number, ordinal: nextOrdinal)
    place.pointee.exchange.client = isReversed ? ends.responder : ends.originator
    place.pointee.exchange.server = isReversed ? ends.originator : ends.responder
    place.pointee.exchange.stream = event.stream
    place.pointee.exchange.isTLS = facts?.tls != nil
    place.pointee.exchange.connection = facts
    place.pointee.exchange.anomalies = connectionAnomalies
    place.pointee.origin = MessageOrigin(offset: 0, acknowledged: nil, time: event.time)
    nextOrdinal += 1
    self[event.slot] = place
    return place
  }

  private func append(
    _ part: UnsafeRawBufferPointer, _ event: HTTP2Step, _ ofRequest: Bool, into output: inout AssemblyOutput
  ) {
    guard let place = self[event.slot] else { return }
    if ofRequest, place.pointee.requestBody != nil {
      place.pointee.appendToRequest(part, at: event.time, &output)
    } else if !ofRequest, place.pointee.responseBody != nil {
      place.pointee.appendToResponse(part, at: event.time, &output)
    }
  }

  private func end(
    _ place: ExchangePlace, _ end: HTTP2MessageEnd, fromClient ofRequest: Bool, at time: Timestamp,
    into output: inout AssemblyOutput
  ) {
    if let missing = end.missing {
      place.pointee.skip(missing, inRequest: ofRequest)
      place.pointee.exchange.anomalies.insert(.tcpGap)
    }
    let complete = end.missing == nil
    output.ledger[.bodyBytesOverLimit] +=
      ofRequest
      ? place.pointee.endRequest(at: time, complete: complete)
      : place.pointee.endResponse(at: time, complete: complete)
    if ofRequest, complete, output.tellsRequests { output.tellRequest(place) }
  }

  private func noteAnomaly(_ anomaly: Anomaly, _ event: HTTP2Step) {
    if let place = self[event.slot] {
      place.pointee.exchange.anomalies.insert(anomaly)
    } else if event.stream == 0 {
      note(anomaly)
    }
  }

  private func finish(_ slot: Int, at time: Timestamp, into output: inout AssemblyOutput) {
    guard let place = self[slot] else { return }
    self[slot] = nil
    // What has not ended by now was cut.
    place.pointee.cut(request: true)
    place.pointee.cut(request: false)
    output.ledger[.bodyBytesOverLimit] += place.pointee.endRequest(at: time, complete: false)
    output.ledger[.bodyBytesOverLimit] += place.pointee.endResponse(at: time, complete: false)
    if place.pointee.exchange.request == nil, place.pointee.exchange.response == nil {
      // Interim answers or a lost head, and nothing else: there is no message to tell of.
      output.store.put(place)
    } else {
      output.finish(place)
    }
  }

  private subscript(slot: Int) -> ExchangePlace? {
    get { slot >= 0 && slot < streams.count ? streams[slot] : nil }
    set {
      guard slot >= 0 else { return }
      while streams.count <= slot { streams.append(nil) }
      streams[slot] = newValue
    }
  }
}

extension HTTP2Side {
  init(_ direction: StreamDirection) { self = direction == .originator ? .originator : .responder }
}
