// One connection: which of the two directions may be read now.
//
// In: what a direction's stream brings, with the acknowledgment number of its segment. Out: the same to the streams'
// reader, in causal order. Owner: ExchangeAssembler. Bounds: bytes that wait count against AssemblyLimits.heldBytes;
// beyond it, or after `patience`, causality is given up and bytes are read as they come.
//
// A segment's acknowledgment number says how much of the other stream its sender had received: those bytes come first.
// Captures of two taps, or of several queues, bring directions out of step; a response must not be read before the
// request that it answers.

import HTTPModel
import PacketHeaders
import TCPReassembly

final class Conversation {
  private let streams: ApplicationStreams
  // Asked for each segment by the one owner, and no method calls back: hence unchecked.
  /// How far each direction has been read.
  @exclusivity(unchecked) private var read: (originator: UInt64, responder: UInt64) = (0, 0)
  /// The bytes that the connection brought.
  var delivered: UInt64 = 0
  @exclusivity(unchecked) private var waiting = (originator: WaitingItems(), responder: WaitingItems())

  /// Packet time after which bytes no longer wait for the other direction: longer than reassembly takes to call the
  /// missing bytes a gap.
  private static let patience: Int64 = 3_000_000_000

  init(number: UInt32, opened: OpenedConnection, limits: AssemblyLimits) {
    streams = ApplicationStreams(
      StreamPlace(
        number: number, ends: (opened.originator, opened.responder), sawStart: opened.sawHandshake,
        facts: opened.encapsulation.isEmpty
          ? nil : ConnectionFacts(encapsulation: opened.encapsulation.description)), limits: limits)
  }

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

  func noteOverlap(_ direction: StreamDirection) { streams.noteOverlap(direction) }

  func close(_ reason: CloseReason, at time: Timestamp, into output: inout AssemblyOutput) {
    while hasWaiting { releaseOldest(into: &output) }
    let anomaly: Anomaly? =
      switch reason {
      case .expired: .tcpIdleExpired
      case .evicted: .tcpEvicted
      case .finished, .reset, .replaced, .captureEnded: nil
      }
    streams.close(at: time, anomaly: anomaly, into: &output)
  }

  /// Where they went.
  var account: ByteAccount {
    var account = streams.account
    account.pending &+= waiting.originator.payloadBytes &+ waiting.responder.payloadBytes
    return account
  }

  /// Ciphertext is held for secrets that may yet come.
  var waitsForSecrets: Bool { !hasWaiting && streams.waitsForSecrets }

  /// ``retry(at:into:)`` may have something to do.
  var isBlocked: Bool { streams.isBlocked }
  /// The assembler has it in its list of those that are.
  var isListed = false

  /// See ``ApplicationStreams/retry(at:into:)``.
  func retry(at time: Timestamp, into output: inout AssemblyOutput) { streams.retry(at: time, into: &output) }

  /// See ``WireDecoder/takeUnanswered(before:)``.
  func tellUnanswered(before time: Timestamp, into unanswered: inout [Exchange]) {
    streams.tellUnanswered(before: time, into: &unanswered)
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
    streams.read(bytes, direction, origin, into: &output)
  }

  private func readGap(
    _ length: UInt64, _ anomaly: Anomaly, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) {
    self[read: direction] = origin.offset &+ length
    var after = origin
    after.offset = self[read: direction]
    streams.readGap(length, anomaly, direction, after, into: &output)
  }

  private func readEnd(
    _ end: StreamEnd, _ direction: StreamDirection, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    streams.readEnd(end, direction, at: time, into: &output)
  }
}
