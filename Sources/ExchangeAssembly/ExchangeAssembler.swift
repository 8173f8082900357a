// Stream events to exchanges.
//
// In: events of a Reassembler with the payload that they borrow. Out: finished exchanges, drained by the caller.
// Owner: one capture, one thread. Bounds: AssemblyLimits.

public import HTTPModel
public import TCPReassembly
import TLSDecryption

/// Puts HTTP exchanges together from the streams of many connections.
public struct ExchangeAssembler {
  private var conversations: [Conversation?] = []
  private var output: AssemblyOutput
  /// Of TCP connections that are over, whose ciphertext waits for its secrets. What they hold counts against the limit.
  private var lingering: [Conversation] = []
  /// Those to be looked at again when time has passed. Some may be closed.
  private var blocked: [Conversation] = []
  private let limits: AssemblyLimits

  public init(limits: AssemblyLimits = AssemblyLimits()) {
    self.limits = limits
    output = AssemblyOutput(limits: limits)
    output.tellsRequests = limits.tellsRequests
  }

  /// Takes the next event.
  /// - Parameters:
  ///   - payload: of the segment that is being received; `.segment` ranges refer to it.
  ///   - now: the packet time of that segment.
  public mutating func receive(_ event: StreamEvent, payload: UnsafeRawBufferPointer, at now: Timestamp) {
    switch event {
    case .opened(let handle, let opened):
      while conversations.count <= handle.index { conversations.append(nil) }
      conversations[handle.index] = Conversation(number: handle.number, opened: opened, limits: limits)
    case .data(let handle, let direction, let offset, let bytes, let acknowledged, let time):
      guard let conversation = conversations[handle.index] else { return }
      conversation.delivered &+= UInt64(bytes.count)
      let origin = MessageOrigin(offset: offset, acknowledged: acknowledged, time: time)
      switch bytes {
      case .segment(let range):
        conversation.receive(UnsafeRawBufferPointer(rebasing: payload[range]), direction, origin, into: &output)
      case .held(let held):
        held.withUnsafeBytes { conversation.receive($0, direction, origin, into: &output) }
      }
      if output.somethingWaits { list(conversation) }
    case .gap(let handle, let direction, let offset, let length, let cause):
      output.ledger[.gaps] += 1
      output.ledger[cause == .snapLength ? .bytesSnapCut : .bytesGap] += length
      guard let conversation = conversations[handle.index] else { return }
      conversation.receiveGap(
        length, cause == .snapLength ? .tcpSnapLengthCut : .tcpGap, direction,
        MessageOrigin(offset: offset, acknowledged: nil, time: now), into: &output)
      if output.somethingWaits { list(conversation) }
    case .overlapMismatch(let handle, let direction, _, _):
      output.ledger[.overlapMismatches] += 1
      conversations[handle.index]?.noteOverlap(direction)
    case .ended(let handle, let direction, let end):
      guard let conversation = conversations[handle.index] else { return }
      conversation.receiveEnd(end, direction, at: now, into: &output)
      if output.somethingWaits { list(conversation) }
    case .closed(let handle, let reason):
      if let conversation = conversations[handle.index] {
        if conversation.waitsForSecrets, reason == .finished || reason == .reset {
          lingering.append(conversation)
        } else {
          close(conversation, reason, at: now)
        }
      }
      conversations[handle.index] = nil
    }
  }

  /// The next finished exchange, in the order in which they ended; nil when there is none yet.
  public mutating func nextExchange() -> Exchange? {
    var exchange = Exchange()
    return nextExchange(into: &exchange) ? exchange : nil
  }

  /// See ``WireDecoder/nextExchange(into:)``.
  public mutating func nextExchange(into exchange: inout Exchange) -> Bool { output.next(into: &exchange) }

  /// See ``WireDecoder/addKeyLog(_:source:)``.
  mutating func addKeyLog(_ bytes: UnsafeRawBufferPointer, source: Int) {
    output.keys.append(bytes, source: source)
  }

  mutating func endKeyLogLine(source: Int) { output.keys.endLine(source: source) }

  /// Time has passed, and secrets may have come.
  mutating func retry(at time: Timestamp) {
    guard limits.readsTLS else { return }
    for conversation in blocked { conversation.retry(at: time, into: &output) }
    output.somethingWaits = false
    blocked.removeAll {
      $0.isListed = $0.isBlocked
      return !$0.isListed
    }
    for conversation in lingering where !conversation.waitsForSecrets { close(conversation, .finished, at: time) }
    lingering.removeAll { !$0.waitsForSecrets }
  }

  private mutating func list(_ conversation: Conversation) {
    output.somethingWaits = false
    guard !conversation.isListed, conversation.isBlocked else { return }
    conversation.isListed = true
    blocked.append(conversation)
  }

  /// The capture has ended: what waits for secrets waits no more.
  mutating func finish(at time: Timestamp) {
    retry(at: time)
    for conversation in lingering { close(conversation, .captureEnded, at: time) }
    lingering = []
  }

  private mutating func close(_ conversation: Conversation, _ reason: CloseReason, at time: Timestamp) {
    conversation.close(reason, at: time, into: &output)
    conversation.account.enter(&output.ledger, delivered: conversation.delivered)
  }

  /// See ``WireDecoder/shownHeaderTables``.
  var shownHeaderTables: ShownHeaderTables? {
    get { output.headerTables }
    set { output.headerTables = newValue }
  }

  /// See ``WireDecoder/unreadable``.
  var unreadable: [UnreadableTLS: UInt64] { output.unreadable }

  /// See ``WireDecoder/takeRequests()``.
  mutating func takeRequests() -> [Exchange] { output.takeRequests() }

  /// See ``WireDecoder/takeUnanswered(before:)``.
  public func takeUnanswered(before time: Timestamp) -> [Exchange] {
    var unanswered: [Exchange] = []
    for conversation in conversations { conversation?.tellUnanswered(before: time, into: &unanswered) }
    return unanswered
  }

  /// Body bytes held in unfinished messages, and bytes that wait for their other direction.
  public var heldBytes: Int { output.heldBytes }

  /// What assembly knows of the ledger: bytes by where they went, exchanges, gaps, connections that are not HTTP. Looks at
  /// every open connection: each one's bytes are held against what those that read them counted.
  public var ledger: Ledger {
    var ledger = output.ledger
    for case let conversation? in conversations {
      conversation.account.enter(&ledger, delivered: conversation.delivered)
    }
    for conversation in lingering { conversation.account.enter(&ledger, delivered: conversation.delivered) }
    return ledger
  }
}
