import HTTPModel
import Testing

@testable import ResponseDiff

@Suite struct GateTests {
  @Test(
    arguments: [
      ("regressions == 0", .regressions, nil, .equal, 0), ("diff.rate<=1%", .differenceRate, nil, .lessOrEqual, 0.01),
      (" error.rate < 0.01 ", .errorRate, nil, .less, 0.01),
      ("status.rate{endpoint=\"GET /a/{id}\"} < 5%", .statusRate, "GET /a/{id}", .less, 0.05),
      ("completeness >= 99.9%", .completeness, nil, .greaterOrEqual, 0.999),
      ("schedule.late.rate > 0", .lateRate, nil, .greater, 0),
      ("latency.p99 < 250ms", .latency(percentile: 99), nil, .less, 250_000),
      ("latency.p99.9 < 1.5s", .latency(percentile: 99.9), nil, .less, 1_500_000),
      ("latency.p50.ratio < 1.2", .latencyRatio(percentile: 50), nil, .less, 1.2),
      ("latency.p95.ratio < 120%", .latencyRatio(percentile: 95), nil, .less, 1.2),
      ("latency.p99 { endpoint = \"GET /\\\"x\\\"\" } < 30us", .latency(percentile: 99), "GET /\"x\"", .less, 30),
    ] as [(String, Gate.Metric, String?, Gate.Comparison, Double)])
  func parses(text: String, metric: Gate.Metric, endpoint: String?, comparison: Gate.Comparison, value: Double) throws {
    let gate = try Gate(parsing: text)
    #expect(gate.metric == metric && gate.endpoint == endpoint && gate.comparison == comparison)
    #expect(abs(gate.value - value) < 1e-9)
    #expect(!gate.text.hasPrefix(" ") && !gate.text.hasSuffix(" "))
  }

  @Test(arguments: [
    ("", 1, "expected a metric"), ("regresions == 0", 1, "did you mean regressions?"),
    ("latency.p99", 12, "expected one of"),
    ("error.rate != 0", 12, "'!=' is none of"), ("error.rate = 0", 12, "'=' is none of"),
    ("error.rate < 5", 14, "did you mean 5%?"),
    ("error.rate < 5ms", 15, "is no unit"), ("latency.p99 < 250", 18, "needs a unit"),
    ("latency.p99 < fast", 15, "expected a value"),
    ("latency.p100 < 1s", 1, "is no metric"), ("latency.p < 1s", 1, "is no metric"),
    ("regressions == 0 or so", 18, "nothing may follow"),
    ("error.rate{path=\"/\"} < 1", 12, "expected endpoint"), ("error.rate{endpoint=/} < 1", 21, "double quotes"),
    ("error.rate{endpoint=\"/ < 1", 27, "does not end"),
    ("completeness{endpoint=\"/\"} > 0", 13, "whole capture"), ("error.rate < .5", 14, "expected a value"),
    ("error.rate < -1", 14, "expected a value"),
    ("foo == 0", 1, "known: regressions, diff.rate"), ("diff.rate < 1.2.3", 13, "expected a value"),
  ])
  func refuses(text: String, column: Int, part: String) {
    do {
      _ = try Gate(parsing: text)
      Issue.record("\(text) was read")
    } catch {
      #expect(error.column == column && error.message.contains(part), "\(error)")
    }
  }

  private func evidence(compared: UInt64 = 100, different: UInt64 = 2, samples: Int64 = 100) -> RunEvidence {
    var record = EndpointRecord(isPrecise: true)
    (record.compared, record.different, record.attempts, record.errors) = (compared, different, 100, 3)
    (record.answered, record.sent, record.late) = (97, 100, 5)
    for answer in 0..<97 { record.statuses.count(answer < 7 ? 503 : 200) }
    for sample in 0..<samples {
      record.shadowPaired.record(nanoseconds: (sample + 1) * 2_000_000)
      record.primary.record(nanoseconds: (sample + 1) * 1_000_000)
    }
    return RunEvidence(
      whole: record, endpoints: ["GET /": record], clusters: [], completeness: nil, hasLivePrimary: false)
  }

  @Test(
    arguments: [
      ("regressions == 0", .passed), ("diff.rate <= 2%", .passed), ("diff.rate < 2%", .crossed),
      ("error.rate < 3%", .crossed), ("error.rate <= 3%", .passed),
      ("status.rate < 8%", .passed), ("status.rate < 7%", .crossed), ("completeness > 0", .noEvidence),
      ("schedule.late.rate <= 5%", .passed),
      ("latency.p50 < 101ms", .passed), ("latency.p50 < 99ms", .crossed), ("latency.p99 < 1s", .passed),
      ("latency.p99.9 < 1s", .noEvidence),
      ("latency.p99.ratio < 1.9", .crossed), ("latency.p99.ratio < 2.1", .passed),
      ("error.rate{endpoint=\"GET /\"} < 3%", .crossed), ("error.rate{endpoint=\"GET /x\"} < 3%", .noEvidence),
    ] as [(String, GateResult.Outcome)])
  func evaluates(text: String, outcome: GateResult.Outcome) throws {
    let result = evidence().evaluate(try Gate(parsing: text))
    #expect(result.outcome == outcome, "\(result)")
    #expect((result.value == nil) == (outcome == .noEvidence))
    #expect(result.gate == text && !result.explanation.isEmpty)
  }

  @Test(
    arguments: [
      (0, "0"), (1, "1"), (1234567, "1,230,000"), (0.01234, "0.0123"), (12.34, "12.3"), (999.7, "1,000"),
      (99.96, "100"), (0.1, "0.1"), (1.5, "1.5"), (-2, "-2"), (.infinity, "very large"),
    ] as [(Double, String)])
  func figures(value: Double, text: String) {
    if value == 1_234_567 {
      #expect(Figures.count(UInt64(value)) == "1,234,567")
    } else {
      #expect(Figures.number(value) == text)
    }
  }
}
