// From the lanes of a capture to the thread that feeds the shadow.
//
// In: requests as soon as they are whole, and exchanges when they are finished, from any lane. Out: the same, to one
// thread. Bounds: `limit` bytes wait, half of them requests; what finds no room is left out and counted, the newest
// first. A lane never waits: it holds a lock for as long as it takes to append.

import HTTPModel
import NIOCore
import Synchronization

final class MirrorIntake: Sendable {
  /// What became of requests and of answers; cumulative.
  struct Counts: Hashable, Sendable {
    /// Requests that were whole.
    var seen: UInt64 = 0
    /// Handed on to be sent.
    var accepted: UInt64 = 0
    /// Left out because the queue was full.
    var shed: UInt64 = 0
    /// Replayed requests, seen again.
    var looped: UInt64 = 0
    /// Requests to a target itself.
    var toTarget: UInt64 = 0
    /// Answers left out because the queue was full.
    var answersShed: UInt64 = 0
  }

  /// Called once, by the thread that starts the capture, when its lanes are made and rights are given up; handed what
  /// tells the capture's ledger.
  typealias Start = @Sendable (@escaping @Sendable () -> Ledger) throws -> Void

  private struct State {
    var requests = CircularBuffer<(exchange: Exchange, arrived: Int64)>(initialCapacity: 64)
    var answers: [Exchange] = []
    var requestBytes = 0
    var answerBytes = 0
    /// Accepted, and not finished yet. The decoder's limits bound it: each comes again.
    var unfinished: Set<ExchangeID> = []
    var counts = Counts()
    var isOver = false
  }

  private let state = Mutex(State())
  private let limit: Int
  private let marker: [UInt8]?
  private let targets: Set<TransportAddress>
  private let start: Start
  private let wake: @Sendable () -> Void

  /// - Parameters:
  ///   - limit: bytes that may wait.
  ///   - marker: the name of the field that replayed requests carry.
  ///   - targets: where the targets are, as far as that is known: requests to them are not sent to them again.
  ///   - wake: lets the thread that takes look here.
  init(
    limit: Int, marker: String?, targets: Set<TransportAddress>,
    wake: @escaping @Sendable () -> Void, start: @escaping Start
  ) {
    self.limit = limit
    self.marker = marker.map { Array($0.utf8) }
    self.targets = targets
    self.start = start
    self.wake = wake
  }

  var counts: Counts { state.withLock { $0.counts } }

  /// Bytes that wait.
  var heldBytes: Int { state.withLock { $0.requestBytes + $0.answerBytes } }

  // MARK: The lanes' side

  func begin(_ ledger: @escaping @Sendable () -> Ledger) throws { try start(ledger) }

  /// A request that is whole; with its answer where that had to be waited for.
  func receive(request: Exchange) {
    let size = MirrorIntake.size(of: request)
    let isLoop = isMarked(request)
    let isToTarget = !isLoop && targets.contains(request.server)
    let arrived = monotonicNow()
    let wakes = state.withLock { state in
      state.counts.seen += 1
      if isLoop {
        state.counts.looped += 1
      } else if isToTarget {
        state.counts.toTarget += 1
      } else if state.requestBytes + size > limit / 2 || state.isOver {
        state.counts.shed += 1
      } else {
        state.counts.accepted += 1
        if request.response == nil { state.unfinished.insert(request.id) }
        state.requestBytes += size
        state.requests.append((request, arrived))
        return state.requests.count == 1
      }
      return false
    }
    if wakes { wake() }
  }

  /// An exchange to which nothing will be added.
  func receive(exchange: Exchange) {
    let size = MirrorIntake.size(of: exchange)
    let wakes = state.withLock { state in
      guard state.unfinished.remove(exchange.id) != nil, exchange.response != nil else { return false }
      guard state.answerBytes + size <= limit / 2 else {
        state.counts.answersShed += 1
        return false
      }
      state.answerBytes += size
      state.answers.append(exchange)
      return state.answers.count == 1
    }
    if wakes { wake() }
  }

  /// Ten times a second: what depends on time is looked at.
  func tick() { wake() }

  /// The capture has ended.
  func close() {
    state.withLock { $0.isOver = true }
    wake()
  }

  // MARK: The taking side

  /// The oldest request; nil where there is none now.
  func takeRequest() -> (exchange: Exchange, arrived: Int64)? {
    state.withLock { state in
      guard let first = state.requests.popFirst() else { return nil }
      state.requestBytes -= MirrorIntake.size(of: first.exchange)
      return first
    }
  }

  /// All answers that have come.
  func takeAnswers() -> [Exchange] {
    state.withLock { state in
      if state.answers.isEmpty { return [] }
      state.answerBytes = 0
      defer { state.answers = [] }
      return state.answers
    }
  }

  /// Nothing is here and nothing will come.
  var isOver: Bool { state.withLock { $0.isOver && $0.requests.isEmpty } }

  // MARK: What an exchange is

  /// Bytes of both messages, and a round figure for the rest.
  static func size(of exchange: Exchange) -> Int {
    var size = 1024
    if let request = exchange.request { size += request.fields.storage.count + request.body.bytes.count }
    if let response = exchange.response { size += response.fields.storage.count + response.body.bytes.count }
    return size
  }

  /// Whether it carries the marker, of this process or of another one.
  private func isMarked(_ exchange: Exchange) -> Bool {
    guard let marker, let fields = exchange.request?.fields else { return false }
    return fields.ranges.indices.contains { asciiCaseInsensitiveEqual(fields.name(at: $0), marker) }
  }
}
