// What is spoken on a connection, and who is the client.
//
// In: ordered bytes, gaps and ends of the two directions. Out: calls into the protocol's conversation. Owner:
// Conversation, or the streams of which these are the tunnelled ones. Bounds: those of the conversations; what is
// held until it is known what is spoken is bounded by UndecidedStreams.

import HTTP1Decoding
import HTTP2Decoding
import HTTPModel
import TCPReassembly
import TLSDecryption

/// Where the streams of a connection stand: above TCP itself, or within what an outer layer carries.
struct StreamPlace {
  var number: UInt32
  var ends: (originator: TransportAddress, responder: TransportAddress)
  /// The streams are read from their first bytes on, and the originator is the client.
  var sawStart: Bool
  var facts: ConnectionFacts?
  /// Of the first exchange that begins here.
  var firstOrdinal: UInt32 = 1
}

final class ApplicationStreams {
  private let place: StreamPlace
  private let limits: AssemblyLimits
  private var client: StreamDirection
  private var spoken = Spoken.undecided
  /// There while HTTP/1 is spoken. It stands outside this object, so that a segment neither moves it nor has it checked
  /// who else uses it.
  private var http1: UnsafeMutablePointer<HTTP1Conversation>?
  private var http2: HTTP2Conversation?
  private var undecided: UndecidedStreams?
  /// The exchange that became a WebSocket.
  private var webSocket: ExchangePlace?
  private var tls: TLSStreams?
  /// Within what HTTP/1 is spoken, after a CONNECT.
  private var tunnel: TunnelledStreams?
  /// The client's first bytes were no HTTP, and the server has sent nothing yet: what it answers decides.
  private var awaitsVerdict = false
  /// Of what is read no more, and of what needs no reader.
  private var settled = ByteAccount()

  private enum Spoken {
    case undecided, http1, http2, webSocket, tls
    /// Given up: bytes are counted and passed over.
    case foreign
  }

  /// - Parameter client: who is the client, as far as is known beforehand.
  init(_ place: StreamPlace, limits: AssemblyLimits, client: StreamDirection = .originator) {
    self.place = place
    self.limits = limits
    self.client = client
  }

  deinit {
    freeHTTP1()
    if let webSocket { ExchangeStore.free(webSocket) }
  }

  // MARK: In order

  func read(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) {
    switch spoken {
    case .http1: readHTTP1(bytes, direction, origin, into: &output)
    case .http2: http2!.receive(bytes, direction, at: origin.time, into: &output)
    case .webSocket: readWebSocket(bytes, direction, at: origin.time, into: &output)
    case .tls: tls!.read(bytes, direction, origin, into: &output)
    case .foreign:
      if awaitsVerdict, direction != client {
        judge(byAnswer: bytes, into: &output)
        return read(bytes, direction, origin, into: &output)
      }
      settled.notHTTP &+= UInt64(bytes.count)
    case .undecided:
      if decide(by: bytes, direction, origin, into: &output) { read(bytes, direction, origin, into: &output) }
    }
  }

  /// - Parameter origin: the place after the gap.
  func readGap(
    _ length: UInt64, _ anomaly: Anomaly, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) {
    undecided?.addGap(length, anomaly, direction, origin)
    tls?.readGap(length, direction, at: origin.time, into: &output)
    webSocket?.pointee.recording?.gap(length, direction == client ? .request : .response)
    webSocket?.pointee.exchange.anomalies.insert(anomaly)
    http2?.gap(length, anomaly, direction, at: origin.time, into: &output)
    if direction == client {
      http1?.pointee.gapFromClient(length, anomaly: anomaly, at: origin, into: &output)
    } else {
      http1?.pointee.gapFromServer(length, anomaly: anomaly, at: origin, into: &output)
    }
  }

  func readEnd(
    _ end: StreamEnd, _ direction: StreamDirection, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    undecided?.addEnd(end, direction, at: time)
    tls?.readEnd(end, direction, at: time, into: &output)
    tunnel?.readEnd(end, direction, at: time, into: &output)
    webSocket?.pointee.recording?.finish(direction == client ? .request : .response, at: time)
    http2?.end(direction, reset: end == .reset, at: time, into: &output)
    if direction == client {
      http1?.pointee.endOfClient(at: time, reset: end == .reset, into: &output)
    } else {
      http1?.pointee.endOfServer(at: time, reset: end == .reset, properly: end == .fin, into: &output)
    }
  }

  /// Bytes of this direction came twice and differed.
  func noteOverlap(_ direction: StreamDirection) {
    tls?.noteOverlap(direction)
    http2?.note(.tcpOverlapMismatch)
    if direction == client {
      http1?.pointee.noteClient(.tcpOverlapMismatch)
    } else {
      http1?.pointee.noteServer(.tcpOverlapMismatch)
    }
  }

  /// Nothing more is read here: what is open is told as it stands.
  func close(at time: Timestamp, anomaly: Anomaly?, into output: inout AssemblyOutput) {
    if undecided != nil { settle(isHTTP2: false, into: &output) }
    if let tls {
      tls.close(at: time, anomaly: anomaly, into: &output)
      settle(tls.account)
    }
    tls = nil
    if let tunnel {
      tunnel.close(at: time, anomaly: anomaly, into: &output)
      settle(tunnel.account)
    }
    tunnel = nil
    http1?.pointee.close(at: time, anomaly: anomaly, into: &output)
    freeHTTP1()
    if let http2 {
      http2.close(at: time, anomaly: anomaly, into: &output)
      settle(http2.account)
    }
    http2 = nil
    if let webSocket {
      if let anomaly { webSocket.pointee.exchange.anomalies.insert(anomaly) }
      output.finish(webSocket)
    }
    webSocket = nil
    if awaitsVerdict { output.ledger[.connectionsNotHTTP] += 1 }
    awaitsVerdict = false
    spoken = .foreign
  }

  /// See ``WireDecoder/takeUnanswered(before:)``.
  func tellUnanswered(before time: Timestamp, into unanswered: inout [Exchange]) {
    http1?.pointee.tellUnanswered(before: time, into: &unanswered)
    http2?.tellUnanswered(before: time, into: &unanswered)
    tls?.tellUnanswered(before: time, into: &unanswered)
  }

  /// Ciphertext is held for secrets that may yet come.
  var waitsForSecrets: Bool { tls?.waits ?? tunnel?.waitsForSecrets ?? false }

  /// ``retry(at:into:)`` may have something to do.
  var isBlocked: Bool { tls?.isBlocked ?? tunnel?.isBlocked ?? false }

  /// Secrets may have come, or time has passed: what waits for them is looked at again.
  func retry(at time: Timestamp, into output: inout AssemblyOutput) {
    tls?.retry(at: time, into: &output)
    tunnel?.retry(at: time, into: &output)
  }

  /// Goes to every exchange that is open.
  func note(_ anomaly: Anomaly) {
    http2?.note(anomaly)
    http1?.pointee.noteClient(anomaly)
  }

  private func freeHTTP1() {
    guard let http1 else { return }
    settle(http1.pointee.account)
    http1.deinitialize(count: 1)
    http1.deallocate()
    self.http1 = nil
  }

  // MARK: Where the bytes went

  var account: ByteAccount {
    var account = settled
    if let http1 { account += http1.pointee.account }
    if let http2 { account += http2.account }
    if let tls { account += tls.account }
    if let tunnel { account += tunnel.account }
    if let undecided { account.pending &+= UInt64(undecided.payloadBytes) }
    return account
  }

  private func settle(_ account: ByteAccount) {
    var account = account
    account.close()
    settled += account
  }

  // MARK: HTTP/1, and what it may turn into

  private func readHTTP1(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) {
    let rejected = http1!.pointee.receive(bytes, fromClient: direction == client, at: origin, into: &output)
    if let rejected {
      leaveHTTP1(rejected, bytes, direction, origin, into: &output)
    } else if http1!.pointee.upgrade != nil {
      upgrade(at: origin.time, into: &output)
    } else if !http1!.pointee.tunnelled.isEmpty {
      readTunnel(direction, origin, into: &output)
    }
  }

  private func readTunnel(_ direction: StreamDirection, _ origin: MessageOrigin, into output: inout AssemblyOutput) {
    let bytes = http1!.pointee.takeTunnelled()
    if tunnel == nil { tunnel = TunnelledStreams(client: client) }
    var within = place
    within.sawStart = true
    within.firstOrdinal = http1!.pointee.nextOrdinal
    bytes.withUnsafeBytes {
      tunnel!.read($0, direction, origin, place: within, limits: limits, into: &output)
    }
  }

  /// What was taken for HTTP/1 is something else.
  private func leaveHTTP1(
    _ kind: HTTP1Rejection.Kind, _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) {
    let (held, offset) = (output.parts.held, http1!.pointee.rejectedAt)
    let hasAnswered = http1!.pointee.hasAnswered
    http1!.pointee.close(at: origin.time, anomaly: nil, into: &output)
    freeHTTP1()
    if kind == .http2, direction == client {
      beginHTTP2(joinedMidstream: false)
      held.withUnsafeBytes { http2!.receive($0, direction, at: origin.time, into: &output) }
      http2!.receive(
        UnsafeRawBufferPointer(rebasing: bytes[offset...]), direction, at: origin.time, into: &output)
      return
    }
    awaitsVerdict = kind == .other && direction == client && !hasAnswered
    if !awaitsVerdict { output.ledger[kind == .tls ? .connectionsEncrypted : .connectionsNotHTTP] += 1 }
    settled.notHTTP &+= UInt64(held.count + bytes.count - offset)
    spoken = .foreign
  }

  /// A server that answers with HTTP has taken what came for a request, a bad one: what follows is HTTP.
  private func judge(byAnswer bytes: UnsafeRawBufferPointer, into output: inout AssemblyOutput) {
    awaitsVerdict = false
    if MessageOpening.role(bytes) == .response {
      beginHTTP1(afterDamage: true)
    } else {
      output.ledger[.connectionsNotHTTP] += 1
    }
  }

  /// The server has agreed to go on in another protocol.
  private func upgrade(at time: Timestamp, into output: inout AssemblyOutput) {
    guard let upgrade = http1!.pointee.takeUpgrade() else { return }
    let firstOrdinal = http1!.pointee.nextOrdinal
    http1!.pointee.close(at: time, anomaly: nil, into: &output)
    freeHTTP1()
    switch upgrade.kind {
    case .http2:
      beginHTTP2(joinedMidstream: false, firstOrdinal: firstOrdinal)
      let request = upgrade.place.pointee.exchange.request!
      http2!.adopt(
        upgrade.place, settings: request.fields.first("http2-settings") ?? [],
        isHead: request.method.elementsEqual("HEAD".utf8), at: time)
      upgrade.bytes.withUnsafeBytes { http2!.receive($0, client.opposite, at: time, into: &output) }
    case .webSocket:
      webSocket = upgrade.place
      spoken = .webSocket
      upgrade.bytes.withUnsafeBytes { readWebSocket($0, client.opposite, at: time, into: &output) }
    }
  }

  private func readWebSocket(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    settled.tunnel &+= UInt64(bytes.count)
    webSocket!.pointee.recording!.receive(bytes, direction == client ? .request : .response, at: time)
  }

  // MARK: What is spoken

  /// The sender of the SYN is the client. Where no handshake was seen: who sends something that begins like a request
  /// or a response tells; else, where it is not HTTP/2, the ports do, the well-known or lower one being the server's.
  /// - Returns: it is known now and `bytes` are still to be read.
  private func decide(
    by bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) -> Bool {
    if let undecided {
      // They are among what is read again.
      if let verdict = undecided.add(bytes, direction, origin) { settle(isHTTP2: verdict, into: &output) }
      return false
    } else if HTTP2Recognition.preface(bytes) == .yes {
      client = direction
      beginHTTP2(joinedMidstream: false)
    } else if output.readsTLS, place.facts?.tls == nil, Self.beginsTLS(bytes) {
      client = direction
      tls = TLSStreams(place, client: client, limits: limits)
      spoken = .tls
    } else if place.sawStart {
      if direction == .responder, HTTP2Recognition.serverPreface(bytes) == .yes {
        beginHTTP2(joinedMidstream: false)
      } else {
        beginHTTP1()
      }
    } else if let role = MessageOpening.role(bytes) {
      client = role == .request ? direction : direction.opposite
      beginHTTP1()
    } else {
      client = clientByPorts
      undecided = UndecidedStreams(limits: limits.http2)
      return decide(by: bytes, direction, origin, into: &output)
    }
    return true
  }

  /// A handshake record with a ClientHello, or as much of one as is there: nothing else that is read here begins so.
  private static func beginsTLS(_ bytes: UnsafeRawBufferPointer) -> Bool {
    switch TLSConnection.recognise(bytes) {
    case .clientHello: true
    case .needsMore: bytes.first == 22
    case .serverHello, .laterRecord, .notTLS: false
    }
  }

  private var clientByPorts: StreamDirection {
    let (a, b) = (place.ends.originator.port, place.ends.responder.port)
    let (isA, isB) = (limits.isServerPort(a), limits.isServerPort(b))
    return isA == isB ? (b <= a ? .originator : .responder) : (isB ? .originator : .responder)
  }

  /// Reads again, in order, what was held until it was known what is spoken.
  private func settle(isHTTP2: Bool, into output: inout AssemblyOutput) {
    guard let held = undecided.take() else { return }
    if isHTTP2 {
      client = held.client ?? client
      beginHTTP2(joinedMidstream: true)
    } else {
      beginHTTP1()
    }
    for item in held.items {
      switch item.content {
      case .bytes(let bytes): bytes.withUnsafeBytes { read($0, item.direction, item.origin, into: &output) }
      case .gap(let length, let anomaly): readGap(length, anomaly, item.direction, item.origin, into: &output)
      case .end(let end): readEnd(end, item.direction, at: item.origin.time, into: &output)
      }
    }
  }

  /// - Parameter afterDamage: the streams are not read from their first bytes on.
  private func beginHTTP1(afterDamage: Bool = false) {
    let (clientEnd, serverEnd) =
      client == .originator
      ? (place.ends.originator, place.ends.responder) : (place.ends.responder, place.ends.originator)
    http1 = .allocate(capacity: 1)
    http1!.initialize(
      to: HTTP1Conversation(
        number: place.number, client: clientEnd, server: serverEnd, joinedMidstream: !place.sawStart,
        isDamaged: afterDamage, firstOrdinal: place.firstOrdinal, facts: place.facts, limits: limits))
    spoken = .http1
  }

  private func beginHTTP2(joinedMidstream: Bool, firstOrdinal: UInt32? = nil) {
    http2 = HTTP2Conversation(
      number: place.number, ends: place.ends, client: client, joinedMidstream: joinedMidstream,
      firstOrdinal: firstOrdinal ?? place.firstOrdinal, facts: place.facts, limits: limits)
    spoken = .http2
  }
}
