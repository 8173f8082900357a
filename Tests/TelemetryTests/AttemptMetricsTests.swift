import HTTPModel
import Telemetry
import Testing

@Suite("Metrics of attempts")
struct AttemptMetricsTests {
  private func replayed(
    target: UInt16 = 0, _ outcome: AttemptOutcome, status: UInt16?, sent: Int64? = 1000, end: Int64 = 2_001_000
  ) -> ReplayedExchange {
    var exchange = Exchange()
    exchange.id = ExchangeID(connection: 1, ordinal: 1)
    let response = status.map {
      HTTPResponse(
        version: .http11, status: $0, reasonRange: 0..<0, fields: HeaderFields(), body: HTTPBody(framing: .none),
        timing: MessageTiming(
          start: Timestamp(nanoseconds: 0), headEnd: Timestamp(nanoseconds: 0), end: Timestamp(nanoseconds: 0)))
    }
    let attempt = Attempt(
      exchange: exchange.id, target: target, scheduled: Timestamp(nanoseconds: 0),
      sent: sent.map { Timestamp(nanoseconds: $0) }, firstByte: sent.map { Timestamp(nanoseconds: $0 + 500_000) },
      end: Timestamp(nanoseconds: end), outcome: outcome, response: response)
    return ReplayedExchange(exchange: exchange, attempts: [attempt])
  }

  private func lines(_ metrics: AttemptMetrics) -> [Substring] {
    String(decoding: Exposition.text(metrics.families(), .prometheus), as: UTF8.self).split(separator: "\n")
  }

  @Test("Attempts are counted by target, outcome and class of status")
  func counts() {
    let metrics = AttemptMetrics(targets: ["http://a", "http://b"])
    metrics.count(replayed(.answered, status: 204))
    metrics.count(replayed(.answered, status: 200))
    metrics.count(replayed(target: 1, .connectionRefused, status: nil, sent: nil))
    metrics.count(replayed(target: 9, .timeout, status: 599))
    let lines = lines(metrics)
    #expect(lines.contains(#"umbra_attempts_total{target="http://a",outcome="answered",status="2xx",role="shadow"} 2"#))
    #expect(
      lines.contains(
        #"umbra_attempts_total{target="http://b",outcome="connection-refused",status="none",role="shadow"} 1"#))
    #expect(lines.contains(#"umbra_attempts_total{target="other",outcome="timeout",status="5xx",role="shadow"} 1"#))
    #expect(lines.contains(#"umbra_attempt_duration_seconds_bucket{target="http://a",role="shadow",le="0.0025"} 2"#))
    #expect(lines.contains(#"umbra_attempt_first_byte_seconds_bucket{target="http://a",role="shadow",le="0.0005"} 2"#))
    #expect(lines.contains("umbra_schedule_lag_seconds_count 3"))
  }

  @Test("Primary and control are told apart from the shadow, and its lag alone is the schedule's")
  func roles() {
    let metrics = AttemptMetrics(targets: ["http://a"], besides: [.primary: "http://p"])
    var replayed = replayed(.answered, status: 200)
    for role in [AttemptRole.primary, .control] {
      replayed.attempts.append(replayed.attempts[0])
      replayed.attempts[replayed.attempts.count - 1].role = role
    }
    metrics.count(replayed)
    let lines = lines(metrics)
    for (target, role) in [("http://a", "shadow"), ("http://p", "primary"), ("other", "control")] {
      let labels = "target=\"\(target)\",outcome=\"answered\",status=\"2xx\",role=\"\(role)\""
      #expect(lines.contains("umbra_attempts_total{\(labels)} 1"))
    }
    #expect(lines.contains(#"umbra_attempt_duration_seconds_count{target="http://p",role="primary"} 1"#))
    #expect(lines.contains("umbra_schedule_lag_seconds_count 1"))
  }

  @Test("Whatever the status, labels stay few")
  func boundedLabels() {
    let metrics = AttemptMetrics(targets: (0..<100).map { "http://\($0)" })
    for target: UInt16 in 0..<200 {
      for status: UInt16 in [0, 99, 100, 600, 999, 65_535] {
        metrics.count(replayed(target: target, .answered, status: status))
      }
    }
    let attempts = lines(metrics).filter { $0.hasPrefix("umbra_attempts_total{") }
    #expect(attempts.count <= (AttemptMetrics.targetLimit + 1) * 6)
    #expect(attempts.contains { $0.contains(#"target="other""#) })
  }

  @Test("A negative duration counts as none")
  func clockSteps() {
    let metrics = AttemptMetrics(targets: ["t"])
    metrics.count(replayed(.answered, status: 200, sent: 5000, end: 1000))
    #expect(lines(metrics).contains(#"umbra_attempt_duration_seconds_bucket{target="t",role="shadow",le="0.0001"} 1"#))
  }
}
