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
