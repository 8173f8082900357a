public import HTTPModel
import Synchronization

/// Counts attempts for who scrapes, by target, outcome and class of status.
///
/// One short lock for each attempt, on the thread that takes results, not on the one that sends. Bounds: targets beyond
/// ``targetLimit`` are counted together as `other`.
public final class AttemptMetrics: Sendable {
  private struct Kind: Hashable {
    var target: Int
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
    var durations: [Int: Durations] = [:]
    var recorded = DurationHistogram()
    var lag = DurationHistogram()
  }

  /// Targets that are told apart.
  public static let targetLimit = 32

  private let names: [String]
  private let state = Mutex(State())

  /// - Parameter targets: names, by ``HTTPModel/Attempt/target``.
  public init(targets: [String]) { names = Array(targets.prefix(AttemptMetrics.targetLimit)) }

  public func count(_ replayed: ReplayedExchange) {
    state.withLock { state in
      for attempt in replayed.attempts { Self.count(attempt, min(Int(attempt.target), names.count), &state) }
      guard let request = replayed.exchange.request, let response = replayed.exchange.response,
        replayed.attempts.contains(where: { $0.outcome == .answered })
      else { return }
      state.recorded.record(nanoseconds: response.timing.end.nanoseconds(since: request.timing.end))
    }
  }

  private static func count(_ attempt: Attempt, _ target: Int, _ state: inout State) {
    let status = attempt.response.map { UInt8(min(5, $0.status / 100)) } ?? 0
    state.counts[Kind(target: target, outcome: attempt.outcome, statusClass: status), default: 0] += 1
    guard let sent = attempt.sent else { return }
    state.lag.record(nanoseconds: sent.nanoseconds(since: attempt.scheduled))
    guard attempt.outcome == .answered else { return }
    state.durations[target, default: Durations()].total.record(nanoseconds: attempt.end.nanoseconds(since: sent))
    if let firstByte = attempt.firstByte {
      state.durations[target]!.firstByte.record(nanoseconds: firstByte.nanoseconds(since: sent))
    }
  }

  public func families() -> [MetricFamily] {
    let state = state.withLock { $0 }
    func name(_ target: Int) -> String { target < names.count ? names[target] : "other" }
    let counts = state.counts.sorted {
      ($0.key.target, $0.key.outcome.rawValue, $0.key.statusClass)
        < ($1.key.target, $1.key.outcome.rawValue, $1.key.statusClass)
    }
    let durations = state.durations.sorted { $0.key < $1.key }
    return [
      MetricFamily(
        .attempts,
        samples: counts.map { kind, count in
          MetricFamily.Sample(
            labels: [
              name(kind.target), kind.outcome.identifier, kind.statusClass == 0 ? "none" : "\(kind.statusClass)xx",
            ], value: .count(count))
        }),
      MetricFamily(
        .attemptDuration,
        samples: durations.map { MetricFamily.Sample(labels: [name($0.key)], value: .histogram($0.value.total)) }),
      MetricFamily(
        .firstByteDuration,
        samples: durations.map { MetricFamily.Sample(labels: [name($0.key)], value: .histogram($0.value.firstByte)) }),
      MetricFamily(
        .recordedDuration, samples: [MetricFamily.Sample(labels: [], value: .histogram(state.recorded))]),
      MetricFamily(.scheduleLag, samples: [MetricFamily.Sample(labels: [], value: .histogram(state.lag))]),
    ]
  }
}
