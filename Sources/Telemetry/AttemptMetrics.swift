public import HTTPModel
import Synchronization

/// Counts attempts for who scrapes, by target, outcome, class of status and role.
///
/// One short lock for each attempt, on the thread that takes results, not on the one that sends. Bounds: targets beyond
/// ``targetLimit`` are counted together as `other`.
public final class AttemptMetrics: Sendable {
  private struct Place: Hashable, Comparable {
    var role: AttemptRole
    var target: Int

    static func < (a: Place, b: Place) -> Bool { (a.role.rawValue, a.target) < (b.role.rawValue, b.target) }
  }

  private struct Kind: Hashable {
    var place: Place
    var outcome: AttemptOutcome
    /// 1 to 5; 0 where there is no status.
    var statusClass: UInt8
  }

  private struct Durations {
    var total = DurationHistogram()
    var firstByte = DurationHistogram()
  }

  private struct State {
    var counts: [Kind: UInt64] = [:]
    var durations: [Place: Durations] = [:]
    var recorded = DurationHistogram()
    var lag = DurationHistogram()
  }

  /// Targets that are told apart.
  public static let targetLimit = 32

  private let names: [String]
  private let besides: [AttemptRole: String]
  private let state = Mutex(State())

  /// - Parameters:
  ///   - targets: names of the shadow's, by ``HTTPModel/Attempt/target``.
  ///   - besides: names of the primary and of the control, where they are asked.
  public init(targets: [String], besides: [AttemptRole: String] = [:]) {
    names = Array(targets.prefix(AttemptMetrics.targetLimit))
    self.besides = besides
  }

  public func count(_ replayed: ReplayedExchange) {
    state.withLock { state in
      for attempt in replayed.attempts {
        let target = attempt.role == .shadow ? min(Int(attempt.target), names.count) : 0
        Self.count(attempt, Place(role: attempt.role, target: target), &state)
      }
      guard let request = replayed.exchange.request, let response = replayed.exchange.response,
        replayed.attempts.contains(where: { $0.role == .shadow && $0.outcome == .answered })
      else { return }
      state.recorded.record(nanoseconds: response.timing.end.nanoseconds(since: request.timing.end))
    }
  }

  private static func count(_ attempt: Attempt, _ place: Place, _ state: inout State) {
    let status = attempt.response.map { UInt8(min(5, $0.status / 100)) } ?? 0
    state.counts[Kind(place: place, outcome: attempt.outcome, statusClass: status), default: 0] += 1
    guard let sent = attempt.sent else { return }
    if attempt.role == .shadow { state.lag.record(nanoseconds: sent.nanoseconds(since: attempt.scheduled)) }
    guard attempt.outcome == .answered else { return }
    state.durations[place, default: Durations()].total.record(nanoseconds: attempt.end.nanoseconds(since: sent))
    if let firstByte = attempt.firstByte {
      state.durations[place]!.firstByte.record(nanoseconds: firstByte.nanoseconds(since: sent))
    }
  }

  public func families() -> [MetricFamily] {
    let state = state.withLock { $0 }
    func name(_ place: Place) -> String {
      if place.role != .shadow { return besides[place.role] ?? "other" }
      return place.target < names.count ? names[place.target] : "other"
    }
    let counts = state.counts.sorted {
      ($0.key.place, $0.key.outcome.rawValue, $0.key.statusClass)
        < ($1.key.place, $1.key.outcome.rawValue, $1.key.statusClass)
    }
    let durations = state.durations.sorted { $0.key < $1.key }
    return [
      MetricFamily(
        .attempts,
        samples: counts.map { kind, count in
          MetricFamily.Sample(
            labels: [
              name(kind.place), kind.outcome.identifier, kind.statusClass == 0 ? "none" : "\(kind.statusClass)xx",
              kind.place.role.identifier,
            ], value: .count(count))
        }),
      MetricFamily(
        .attemptDuration,
        samples: durations.map {
          MetricFamily.Sample(labels: [name($0.key), $0.key.role.identifier], value: .histogram($0.value.total))
        }),
      MetricFamily(
        .firstByteDuration,
        samples: durations.map {
          MetricFamily.Sample(labels: [name($0.key), $0.key.role.identifier], value: .histogram($0.value.firstByte))
        }),
      MetricFamily(
        .recordedDuration, samples: [MetricFamily.Sample(labels: [], value: .histogram(state.recorded))]),
      MetricFamily(.scheduleLag, samples: [MetricFamily.Sample(labels: [], value: .histogram(state.lag))]),
    ]
  }
}
