// One connection: who is the client, what is spoken, and which of the two directions may be read now.
//
// In: what a direction's stream brings, with the acknowledgment number of its segment. Out: calls into the protocol's
// conversation, in causal order. Owner: ExchangeAssembler. Bounds: bytes that wait count against AssemblyLimits.heldBytes;
// beyond it, or after `patience`, causality is given up and bytes are read as they come.
//
// A segment's acknowledgment number says how much of the other stream its sender had received: those bytes come first.
// Captures of two taps, or of several queues, bring directions out of step; a response must not be read before the
// request that it answers.

import HTTP1Decoding
import HTTPModel
import TCPReassembly

final class Conversation {
  private let number: UInt32
  private let opened: OpenedConnection
  private let limits: AssemblyLimits
  private var spoken = Spoken.undecided
  /// There while HTTP/1 is spoken. It stands outside this object, so that a segment neither moves it nor has it checked
  /// who else uses it.
  private var http1: UnsafeMutablePointer<HTTP1Conversation>?
  private var client = StreamDirection.originator
  /// How far each direction has been read.
  private var read: (originator: UInt64, responder: UInt64) = (0, 0)
  private var waiting = (originator: WaitingItems(), responder: WaitingItems())

  private enum Spoken {
    case undecided
    case http1
    /// Given up: bytes are counted and passed over.
    case foreign
  }

  /// Packet time after which bytes no longer wait for the other direction: longer than reassembly takes to call the
  /// missing bytes a gap.
  private static let patience: Int64 = 3_000_000_000

  init(number: UInt32, opened: OpenedConnection, limits: AssemblyLimits) {
    self.number = number
    self.opened = opened
    self.limits = limits
  }

  deinit { freeHTTP1() }

  // MARK: Causal order

  func receive(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) {
    if hasWaiting { makeWay(at: origin.time, into: &output) }
    let other = direction.opposite
    if self[waiting: direction].isEmpty, origin.acknowledged ?? 0 <= self[read: other] || !output.mayHold {
      read(bytes, direction, origin, into: &output)
      if hasWaiting { release(into: &output) }
    } else {
      wait(WaitingItem(content: .bytes(Array(bytes)), origin: origin), direction, in: &output)
    }
  }

  /// `length` bytes at `origin` were never captured.
  func receiveGap(
    _ length: UInt64, _ anomaly: Anomaly, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) {
    if hasWaiting { makeWay(at: origin.time, into: &output) }
    guard self[waiting: direction].isEmpty else {
      wait(WaitingItem(content: .gap(length, anomaly), origin: origin), direction, in: &output)
      return
    }
    readGap(length, anomaly, direction, origin, into: &output)
    if hasWaiting { release(into: &output) }
  }

  func receiveEnd(
    _ end: StreamEnd, _ direction: StreamDirection, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    if hasWaiting { makeWay(at: time, into: &output) }
    guard self[waiting: direction].isEmpty else {
      let origin = MessageOrigin(offset: 0, acknowledged: nil, time: time)
      wait(WaitingItem(content: .end(end), origin: origin), direction, in: &output)
      return
    }
    readEnd(end, direction, at: time, into: &output)
  }

  func noteOverlap(_ direction: StreamDirection) {
    if direction == client {
      http1?.pointee.noteClient(.tcpOverlapMismatch)
    } else {
      http1?.pointee.noteServer(.tcpOverlapMismatch)
    }
  }

  func close(_ reason: CloseReason, at time: Timestamp, into output: inout AssemblyOutput) {
    while hasWaiting { releaseOldest(into: &output) }
    let anomaly: Anomaly? =
      switch reason {
      case .expired: .tcpIdleExpired
      case .evicted: .tcpEvicted
      case .finished, .reset, .replaced, .captureEnded: nil
      }
    giveUp(at: time, anomaly: anomaly, into: &output)
  }

  /// Nothing more is read here: what is open is told as it stands.
  private func giveUp(at time: Timestamp, anomaly: Anomaly?, into output: inout AssemblyOutput) {
    guard spoken == .http1 else { return }
    http1?.pointee.close(at: time, anomaly: anomaly, into: &output)
    freeHTTP1()
    spoken = .foreign
  }

  private func freeHTTP1() {
    http1?.deinitialize(count: 1)
    http1?.deallocate()
    http1 = nil
  }

  /// See ``WireDecoder/takeUnanswered(before:)``.
  func tellUnanswered(before time: Timestamp, into unanswered: inout [Exchange]) {
    http1?.pointee.tellUnanswered(before: time, into: &unanswered)
  }

  private var hasWaiting: Bool { !waiting.originator.isEmpty || !waiting.responder.isEmpty }

  private func wait(_ item: WaitingItem, _ direction: StreamDirection, in output: inout AssemblyOutput) {
    output.hold(item.cost)
    self[waiting: direction].append(item)
  }

  /// Reads what no longer has to wait.
  private func release(into output: inout AssemblyOutput) {
    var progress = true
    while progress {
      progress = false
      for direction in StreamDirection.allCases {
        while let first = self[waiting: direction].first,
          first.origin.acknowledged ?? 0 <= self[read: direction.opposite]
        {
          applyFirst(of: direction, into: &output)
          progress = true
        }
      }
    }
  }

  /// Reads what has waited too long, and all that waits where no more may be held.
  private func makeWay(at now: Timestamp, into output: inout AssemblyOutput) {
    while let oldest = oldestWaiting,
      !output.mayHold || now.nanoseconds(since: oldest.origin.time) > Self.patience
    {
      releaseOldest(into: &output)
    }
  }

  private var oldestWaiting: WaitingItem? {
    switch (waiting.originator.first, waiting.responder.first) {
    case (let a?, let b?): a.origin.time <= b.origin.time ? a : b
    case (let a, let b): a ?? b
    }
  }

  private func releaseOldest(into output: inout AssemblyOutput) {
    guard hasWaiting else { return }
    let direction: StreamDirection
    switch (waiting.originator.first, waiting.responder.first) {
    case (let a?, let b?): direction = a.origin.time <= b.origin.time ? .originator : .responder
    case (.some, nil): direction = .originator
    default: direction = .responder
    }
    applyFirst(of: direction, into: &output)
    release(into: &output)
  }

  private func applyFirst(of direction: StreamDirection, into output: inout AssemblyOutput) {
    let item = self[waiting: direction].removeFirst()
    output.release(item.cost)
    switch item.content {
    case .bytes(let bytes):
      bytes.withUnsafeBytes { read($0, direction, item.origin, into: &output) }
    case .gap(let length, let anomaly): readGap(length, anomaly, direction, item.origin, into: &output)
    case .end(let end): readEnd(end, direction, at: item.origin.time, into: &output)
    }
  }

  private subscript(read direction: StreamDirection) -> UInt64 {
    get { direction == .originator ? read.originator : read.responder }
    set { if direction == .originator { read.originator = newValue } else { read.responder = newValue } }
  }

  private subscript(waiting direction: StreamDirection) -> WaitingItems {
    get { direction == .originator ? waiting.originator : waiting.responder }
    _modify {
      if direction == .originator { yield &waiting.originator } else { yield &waiting.responder }
    }
  }

  // MARK: Reading

  private func read(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) {
    self[read: direction] = origin.offset &+ UInt64(bytes.count)
    if spoken == .undecided { decide(by: bytes, direction, into: &output) }
    guard spoken == .http1 else {
      output.ledger[.bytesNotHTTP] += UInt64(bytes.count)
      return
    }
    let rejected = http1!.pointee.receive(bytes, fromClient: direction == client, at: origin, into: &output)
    if let rejected {
      giveUp(at: origin.time, anomaly: nil, into: &output)
      output.ledger[rejected == .tls ? .connectionsEncrypted : .connectionsNotHTTP] += 1
      output.ledger[.bytesNotHTTP] += UInt64(bytes.count)
    }
  }

  private func readGap(
    _ length: UInt64, _ anomaly: Anomaly, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) {
    self[read: direction] = origin.offset &+ length
    var after = origin
    after.offset = self[read: direction]
    if direction == client {
      http1?.pointee.gapFromClient(length, anomaly: anomaly, at: after, into: &output)
    } else {
      http1?.pointee.gapFromServer(length, anomaly: anomaly, at: after, into: &output)
    }
  }

  private func readEnd(
    _ end: StreamEnd, _ direction: StreamDirection, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    if direction == client {
      http1?.pointee.endOfClient(at: time, reset: end == .reset, into: &output)
    } else {
      http1?.pointee.endOfServer(at: time, reset: end == .reset, properly: end == .fin, into: &output)
    }
  }

  /// The sender of the SYN is the client. Where no handshake was seen: who sends something that begins like a request
  /// or a response tells; else the ports do, the well-known or lower one being the server's.
  private func decide(
    by bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, into output: inout AssemblyOutput
  ) {
    if opened.sawHandshake {
      client = .originator
    } else if let role = MessageOpening.role(bytes) {
      client = role == .request ? direction : direction.opposite
    } else {
      let (a, b) = (opened.originator.port, opened.responder.port)
      let (isA, isB) = (limits.isServerPort(a), limits.isServerPort(b))
      client = isA == isB ? (b <= a ? .originator : .responder) : (isB ? .originator : .responder)
    }
    let (clientEnd, serverEnd) =
      client == .originator ? (opened.originator, opened.responder) : (opened.responder, opened.originator)
    http1 = .allocate(capacity: 1)
    http1!.initialize(
      to: HTTP1Conversation(
        number: number, client: clientEnd, server: serverEnd, joinedMidstream: !opened.sawHandshake, limits: limits))
    spoken = .http1
  }
}

/// Tells a request from a response by its first bytes.
enum MessageOpening {
  enum Role { case request, response }

  /// nil where the bytes begin like neither.
  static func role(_ bytes: UnsafeRawBufferPointer) -> Role? {
    if bytes.starts(with: "HTTP/1.".utf8) { return .response }
    // A method is a token and a target follows it; all registered methods are upper case (RFC 9110, 16.1).
    let method = bytes.prefix(24).prefix { $0 >= 0x41 && $0 <= 0x5a || $0 == 0x2d }
    guard (3...20).contains(method.count), method.count < bytes.count, bytes[method.count] == 0x20 else { return nil }
    let line = bytes[(method.count + 1)...].prefix(16_384).prefix { $0 != 0x0a }
    return line.count < 9 || line.contains(subsequence: "HTTP/1.".utf8) ? .request : nil
  }
}

extension Slice<UnsafeRawBufferPointer> {
  fileprivate func contains(subsequence: some Collection<UInt8>) -> Bool {
    indices.contains { self[$0...].starts(with: subsequence) }
  }
}
