// GoReplay's middleware: each request goes through other programs before it is sent, and they see what came of it.
//
// In: a session's exchanges. Out: the same in the same order, with the requests as the middleware gave them back; those
// that it kept to itself are left out. It also gets the recorded responses (type 2) and the replayed ones (type 3).
// Owner: the replay's reading thread. Bounds: 256 requests and 16 MiB of lines under way; where it reads too slowly
// reading the session waits, and replayed responses are left out with a count.

import Glibc
import HTTPModel
import Interchange

final class MiddlewareChain {
  struct Counts {
    var asked: UInt64 = 0
    var answered: UInt64 = 0
    /// It gave no answer: not to be sent.
    var dropped: UInt64 = 0
    /// Lines that are no message, or name no request that waits.
    var unreadable: UInt64 = 0
    /// Replayed responses that it had no room for.
    var shed: UInt64 = 0
    /// Sent as recorded, because it had ended.
    var passed: UInt64 = 0
  }

  private struct Pending {
    var exchange: Exchange
    var identifier: [UInt8]
    var asked: Int64
    var answer: GoReplayLine?
    /// Answers to requests behind it.
    var overtaken = 0
  }

  private let processes: MiddlewareProcesses
  private var pending: [Pending] = []
  private var outbox: [UInt8] = []
  private var written = 0
  private var inbox: [UInt8] = []
  private var isSourceDone = false
  private var round: UInt32 = 0
  private var isOver = false
  /// When it last took or gave a byte.
  private var lastMoved = monotonicNow()
  private var hasAnswered = false
  private(set) var counts = Counts()

  private static let window = 256
  private static let outboxLimit = 16 << 20
  private static let lineLimit = 512 << 20
  /// A request that is not given back for so long is one that is not to be sent.
  private static let patience: Int64 = 2_000_000_000
  /// The same while it has given nothing back yet: an interpreter takes its time to start.
  private static let patienceAtFirst: Int64 = 10_000_000_000
  /// Nor one behind which so many others were given back.
  private static let overtakingLimit = 64

  /// - Throws: `CommandFailure` where a command cannot be started.
  init(_ commands: [String]) throws { processes = try MiddlewareProcesses(commands) }

  deinit { processes.stop() }

  /// The next exchange to send; nil at the end of the round.
  func next(round: UInt32, from source: () throws -> Exchange?) throws -> Exchange? {
    if round != self.round {
      self.round = round
      isSourceDone = false
    }
    while true {
      if Interruption.isRequested { return nil }
      try fill(from: source)
      guard let first = pending.first else { return nil }
      if let answer = first.answer, let recorded = first.exchange.request {
        pending.removeFirst()
        guard let request = answer.request(insteadOf: recorded) else {
          counts.unreadable += 1
          continue
        }
        var exchange = first.exchange
        exchange.request = request
        exchange.stream = nil
        counts.answered += 1
        return exchange
      }
      if isOver {
        pending.removeFirst()
        counts.passed += 1
        return first.exchange
      }
      let now = monotonicNow()
      let patience = hasAnswered ? Self.patience : Self.patienceAtFirst
      let isLate = written == outbox.count && now - max(first.asked, lastMoved) > patience
      if first.exchange.request == nil {
        pending.removeFirst()
        return first.exchange
      }
      if isLate || first.overtaken > Self.overtakingLimit {
        pending.removeFirst()
        counts.dropped += 1
        continue
      }
      move(waiting: 20)
      if now - lastMoved > Self.patienceAtFirst { end("the middleware takes no more input") }
    }
  }

  /// What came of an attempt: of the shadow's, GoReplay's middleware knows no other.
  func tell(_ replayed: ReplayedExchange) {
    guard !isOver else { return }
    for attempt in replayed.attempts where attempt.role == .shadow {
      guard let line = GoReplayLine(attempt: attempt) else { continue }
      if outbox.count - written > Self.outboxLimit { counts.shed += 1 } else { outbox += line.line }
    }
    move(waiting: 0)
  }

  /// Gives it what is left and ends it.
  func finish() {
    let end = monotonicNow() + Self.patience
    while !isOver, written < outbox.count, monotonicNow() < end { move(waiting: 20) }
    processes.stop()
  }

  /// What there is to say at the end.
  var sentences: [String] {
    var sentences: [String] = []
    if counts.dropped > 0 { sentences.append("the middleware kept \(counted(counts.dropped, "request")) to itself") }
    if counts.unreadable > 0 {
      sentences.append("\(counted(counts.unreadable, "line")) of the middleware answer no request and were left out")
    }
    if counts.shed > 0 {
      sentences.append(
        "the middleware was too slow for \(counted(counts.shed, "replayed response")), which it did not see")
    }
    if counts.passed > 0 {
      sentences.append("\(counted(counts.passed, "request")) went past the middleware, as recorded")
    }
    return sentences
  }

  // MARK: What goes to and fro

  private func fill(from source: () throws -> Exchange?) throws {
    while !isSourceDone,
      isOver ? pending.isEmpty : pending.count < Self.window && outbox.count - written < Self.outboxLimit
    {
      guard let exchange = try source() else {
        isSourceDone = true
        return
      }
      let identifier = GoReplayLine.identifier(exchange.id, round: round)
      guard !isOver, let request = GoReplayLine(requestOf: exchange, round: round) else {
        pending.append(Pending(exchange: exchange, identifier: identifier, asked: 0))
        continue
      }
      pending.append(Pending(exchange: exchange, identifier: identifier, asked: monotonicNow()))
      counts.asked += 1
      outbox += request.line
      if let response = GoReplayLine(responseOf: exchange, round: round) { outbox += response.line }
      move(waiting: 0)
    }
  }

  private func move(waiting milliseconds: Int32) {
    if milliseconds > 0 { processes.wait(milliseconds: milliseconds, forRoom: written < outbox.count) }
    while written < outbox.count {
      let taken = outbox.withUnsafeBytes { processes.write(UnsafeRawBufferPointer(rebasing: $0[written...])) }
      guard let taken else { return end("the middleware takes no more input") }
      if taken == 0 { break }
      written += taken
      lastMoved = monotonicNow()
    }
    if written == outbox.count || written > 1 << 20 {
      outbox.removeFirst(written)
      written = 0
    }
    let before = inbox.count
    let isOpen = processes.read(into: &inbox)
    if inbox.count > before {
      lastMoved = monotonicNow()
      hasAnswered = true
    }
    takeLines()
    if !isOpen { end("the middleware has closed its output") }
    if inbox.count > Self.lineLimit { end("the middleware writes a line that never ends") }
  }

  private func takeLines() {
    var start = 0
    while let end = inbox[start...].firstIndex(of: 0x0a) {
      take(inbox[start..<end])
      start = end + 1
    }
    if start > 0 { inbox.removeFirst(start) }
  }

  private func take(_ text: ArraySlice<UInt8>) {
    guard !text.isEmpty else { return }
    guard let line = GoReplayLine(line: text) else {
      counts.unreadable += 1
      return
    }
    // Responses that it hands through say nothing new.
    guard line.type == .request else { return }
    guard let index = pending.firstIndex(where: { $0.identifier == line.identifier && $0.answer == nil }) else {
      counts.unreadable += 1
      return
    }
    pending[index].answer = line
    for earlier in pending[..<index].indices where pending[earlier].answer == nil {
      pending[earlier].overtaken += 1
    }
  }

  private func end(_ reason: String) {
    guard !isOver else { return }
    isOver = true
    // A process that closes its output has a moment to end.
    let last = monotonicNow() + Self.patience
    var how = processes.ended()
    while how == nil, monotonicNow() < last {
      usleep(5_000)
      how = processes.ended()
    }
    StandardError.say("\(how ?? reason); requests go on as recorded", .warning)
  }
}
