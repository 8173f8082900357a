// Attempts and captured answers, joined: either may come first.
//
// In: attempts as they end, exchanges as they finish. Out: pairs. Owner: one thread. Bounds: `byteLimit` bytes and
// `countLimit` halves wait. Beyond that the newest answer is left out, since attempts end about in the order of the
// answers: the oldest is the next to be asked for. Attempts, and what has waited for `patience`, go without the other half.

import HTTPModel
import NIOCore

struct PairTable {
  /// A half that waits for the other.
  private enum Half {
    case attempts(ReplayedExchange)
    case answer(Exchange)

    var bytes: Int {
      switch self {
      case .attempts(let replayed):
        MirrorIntake.size(of: replayed.exchange)
          + replayed.attempts.reduce(0) {
            $0 + 256 + ($1.response.map { $0.fields.storage.count + $0.body.bytes.count } ?? 0)
          }
      case .answer(let exchange): MirrorIntake.size(of: exchange)
      }
    }
  }

  private struct Waiting {
    var half: Half
    var bytes: Int
    /// Tells an entry from an earlier one with the same name.
    var serial: UInt64
  }

  /// What became of halves; cumulative.
  struct Counts: Hashable, Sendable {
    var paired: UInt64 = 0
    /// Attempts whose captured answer never came.
    var withoutAnswer: UInt64 = 0
    /// Captured answers whose attempt never ended: the request was withheld.
    var withoutAttempt: UInt64 = 0
  }

  private var waiting: [ExchangeID: Waiting] = [:]
  /// In the order of coming; some are gone.
  private var order = CircularBuffer<(id: ExchangeID, serial: UInt64, time: Int64)>(initialCapacity: 64)
  private var serial: UInt64 = 0
  /// Answers that found no room: their attempts need not wait for them.
  private var leftOut: Set<ExchangeID> = []
  private var leftOutOrder = CircularBuffer<ExchangeID>(initialCapacity: 64)
  private var bytes = 0
  private(set) var counts = Counts()
  private let byteLimit: Int
  private let countLimit: Int
  /// Nanoseconds.
  private let patience: Int64

  init(byteLimit: Int, countLimit: Int = 65_536, patience: Int64) {
    self.byteLimit = byteLimit
    self.countLimit = countLimit
    self.patience = patience
  }

  var count: Int { waiting.count }

  /// - Returns: the pair, where the answer was there.
  mutating func add(_ replayed: ReplayedExchange, now: Int64) -> ReplayedExchange? {
    if case .answer(let exchange)? = waiting[replayed.exchange.id]?.half {
      _ = take(exchange.id)
      counts.paired += 1
      return ReplayedExchange(exchange: exchange, attempts: replayed.attempts)
    }
    if leftOut.remove(replayed.exchange.id) != nil {
      counts.withoutAnswer += 1
      return replayed
    }
    // Captured whole before it was sent: nothing is to come.
    if replayed.exchange.response != nil {
      counts.paired += 1
      return replayed
    }
    put(.attempts(replayed), replayed.exchange.id, now)
    return nil
  }

  /// - Returns: the pair, where the attempts had ended.
  mutating func add(_ exchange: Exchange, now: Int64) -> ReplayedExchange? {
    if case .attempts(let replayed)? = waiting[exchange.id]?.half {
      _ = take(exchange.id)
      counts.paired += 1
      return ReplayedExchange(exchange: exchange, attempts: replayed.attempts)
    }
    let half = Half.answer(exchange)
    if bytes + half.bytes > byteLimit || waiting.count >= countLimit {
      leaveOut(exchange.id)
    } else {
      put(half, exchange.id, now)
    }
    return nil
  }

  private mutating func leaveOut(_ id: ExchangeID) {
    guard leftOut.insert(id).inserted else { return }
    leftOutOrder.append(id)
    // Some of them are gone: their attempts have come.
    if leftOutOrder.count > 2 * countLimit {
      leftOutOrder = CircularBuffer(leftOutOrder.filter { leftOut.contains($0) })
    }
    while leftOut.count > countLimit, let oldest = leftOutOrder.popFirst() { leftOut.remove(oldest) }
  }

  /// Attempts that waited too long for their answer, or whose place is needed; nil when there is none.
  mutating func takeOverdue(now: Int64) -> ReplayedExchange? {
    while let first = order.first {
      guard let entry = waiting[first.id], entry.serial == first.serial else {
        order.removeFirst()
        continue
      }
      guard bytes > byteLimit || waiting.count > countLimit || now &- first.time > patience else { return nil }
      order.removeFirst()
      if let replayed = giveUp(first.id) { return replayed }
    }
    return nil
  }

  /// What is left at the end, one at a time.
  mutating func takeRest() -> ReplayedExchange? { takeOverdue(now: .max) }

  private mutating func giveUp(_ id: ExchangeID) -> ReplayedExchange? {
    switch take(id) {
    case .attempts(let replayed)?:
      counts.withoutAnswer += 1
      return replayed
    case .answer?: counts.withoutAttempt += 1
    case nil: break
    }
    return nil
  }

  private mutating func put(_ half: Half, _ id: ExchangeID, _ now: Int64) {
    _ = giveUp(id)
    serial &+= 1
    let size = half.bytes
    bytes += size
    waiting[id] = Waiting(half: half, bytes: size, serial: serial)
    order.append((id, serial, now))
    // Entries that were taken leave their place in the order behind.
    if order.count > 2 * waiting.count + 1024 {
      order = CircularBuffer(order.filter { waiting[$0.id]?.serial == $0.serial })
    }
  }

  private mutating func take(_ id: ExchangeID) -> Half? {
    guard let entry = waiting.removeValue(forKey: id) else { return nil }
    bytes -= entry.bytes
    return entry.half
  }
}
