// What others learn of each attempt: counts, a span, a line.

import HTTPModel
import Telemetry

/// Owner: the thread that takes a replay's results.
struct AttemptObserver {
  let metrics: AttemptMetrics
  let tracing: AttemptTracing
  let targets: [String]
  let besides: [AttemptRole: String]
  let exporter: SpanExporter?
  let logs: Observation?

  /// Takes what was replayed, its credentials redacted.
  func count(_ replayed: ReplayedExchange) {
    metrics.count(replayed)
    guard exporter != nil || logs != nil, let request = replayed.exchange.request else { return }
    for attempt in replayed.attempts {
      if let exporter, let span = tracing.span(of: attempt, request) { exporter.add(span) }
      if let logs {
        let names = attempt.role == .shadow ? targets : besides[attempt.role].map { [$0] } ?? []
        let target = Int(attempt.target) < names.count ? names[Int(attempt.target)] : "other"
        logs.access(AccessLine(attempt, of: replayed.exchange, request, target: target).bytes)
      }
    }
  }
}
