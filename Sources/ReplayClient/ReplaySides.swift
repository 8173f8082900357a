import HTTPModel
import ReplaySchedule

/// Whom a run asks in one role. Each has targets, connections, breakers, retries and a cap of its own, so that what one
/// of them does neither holds up nor hurries another.
struct ReplaySide: Sendable {
  let role: AttemptRole
  let targets: [WeightedTarget]
  let options: ReplayOptions

  /// The shadow, which is asked always and first in every list, and whom else the run asks. With several threads, which
  /// ask nobody else, the shadow's part of each.
  static func all(
    shadow: [WeightedTarget], primary: ReplayTarget?, control: ReplayTarget?, options: ReplayOptions
  ) -> [ReplaySide] {
    if options.threads > 1 {
      return (0..<options.threads).map { index in
        ReplaySide(role: .shadow, targets: shadow, options: options.shared(by: EvenShare(index, of: options.threads)))
      }
    }
    // What is made to go wrong on purpose goes wrong for the shadow.
    var sound = options
    sound.faults = []
    return [ReplaySide(role: .shadow, targets: shadow, options: options)]
      + [(AttemptRole.primary, primary), (.control, control)].compactMap { role, target in
        target.map { ReplaySide(role: role, targets: [WeightedTarget($0)], options: sound) }
      }
  }
}

/// One of several parts of a whole number, as equal as they can be.
struct EvenShare {
  let index: Int
  let count: Int

  /// - Parameter index: from 0.
  init(_ index: Int, of count: Int) { (self.index, self.count) = (index, count) }

  static let whole = EvenShare(0, of: 1)

  func of(_ total: Int) -> Int { total / count + (index < total % count ? 1 : 0) }
}

extension ReplayOptions {
  /// What one thread may do.
  fileprivate func shared(by share: EvenShare) -> ReplayOptions {
    var options = self
    options.concurrency = share.of(concurrency)
    if case .pool(let size) = connections { options.connections = .pool(share.of(size)) }
    return options
  }
}

/// In which order the sides are sent an exchange's request: any, by the seed and the exchange, the same in every run of
/// them. Who is asked first finds caches cold; over many requests that evens out.
enum SideOrder {
  private static let orders: [[[Int]]] = [
    [[]], [[0]], [[0, 1], [1, 0]], [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]],
  ]

  /// Keeps these draws apart from others made of the same seed.
  private static let domain: UInt64 = 0x7369_6465_7300_0001

  /// - Parameter count: of the sides, up to 3.
  static func order(of count: Int, seed: UInt64, exchange: ExchangeID, round: UInt32) -> [Int] {
    let place = UInt64(exchange.connection) << 32 | UInt64(exchange.ordinal)
    let drawn = SplitMix64.mixed(SplitMix64.mixed(seed ^ domain) ^ place ^ UInt64(round) << 13)
    let possible = orders[count]
    return possible[Int(drawn.multipliedFullWidth(by: UInt64(possible.count)).high)]
  }
}

/// The engines of one run that share an event loop: one for each side, or for one thread's part. Confined to it.
final class ReplaySides {
  let engines: [ReplayEngine]

  init(_ engines: [ReplayEngine]) {
    self.engines = engines
    if engines.count > 1 { for engine in engines { engine.sides = self } }
  }

  /// Starts all schedules at one time, on the monotonic clock.
  func begin(at start: Int64) {
    for engine in engines { engine.begin(at: start) }
    planHasGrown()
  }

  func planHasGrown() { for engine in engines { engine.planHasGrown() } }

  func stop(_ reason: ReplayOutcome.End, grace: Int64) { for engine in engines { engine.stop(reason, grace: grace) } }

  /// Lets every side's part of an exchange that is due go, one directly after the other.
  func release(_ request: PlannedRequest, now: Int64) {
    for side in request.order { engines[side].release(through: request.sequence, now: now) }
  }
}

/// Brings together again what the sides did with an exchange. Owner: the reading thread. Bounds: what is read ahead.
struct SideGathering {
  private var open: [UInt64: [PlannedRequest]] = [:]

  /// All parts in the order of the sides, once this was the last.
  private mutating func add(_ request: PlannedRequest) -> [PlannedRequest]? {
    guard open[request.sequence, default: []].count == request.parts - 1 else {
      open[request.sequence, default: []].append(request)
      return nil
    }
    return (open.removeValue(forKey: request.sequence) ?? []).bySide(adding: request)
  }

  /// Takes a part that has ended.
  /// - Returns: what the sides did with its exchange, once this was the last part and where one was sent.
  /// - Parameter outstanding: exchanges whose parts have not all ended.
  mutating func joined(
    _ request: PlannedRequest, _ memory: HeldMemory, _ outstanding: inout Int
  ) -> ReplayedExchange? {
    if request.parts > 1 {
      guard let parts = add(request) else { return nil }
      outstanding -= 1
      return Replayer.joined(parts, memory)
    }
    outstanding -= 1
    memory.add(-request.heldBytes)
    // Taken out, so that its arrays are moved rather than shared.
    guard let exchange = request.exchange.take(), let attempt = request.attempt.take() else { return nil }
    return ReplayedExchange(exchange: exchange, attempts: [attempt])
  }

  /// What was left alone by a run that ended early, in the session's order.
  mutating func takeRest() -> [[PlannedRequest]] {
    defer { open = [:] }
    return open.sorted { $0.key < $1.key }.map { $0.value.bySide() }
  }
}

extension [PlannedRequest] {
  fileprivate func bySide(adding last: PlannedRequest? = nil) -> [PlannedRequest] {
    (self + (last.map { [$0] } ?? [])).sorted { $0.side < $1.side }
  }
}
