// Reports as runs give them: one that fails with findings of every severity, and the other outcomes.

import HTTPModel
import ResponseDiff

enum SampleReports {
  static let failing = RunReport(
    run: run(command: ["umbra", "replay", "day.umbra", "--target", "http://canary:8080", "-o", "day.umbra-run"]),
    verdict: Verdict(
      outcome: .fail,
      reasons: [
        "6 confirmed regressions, 4 of them of high severity; the gate `regressions == 0` is crossed.",
        "GET /orders/{id} answered 500 where 200 was recorded in 84 of 4,102 pairs.",
        "latency.p99.ratio is 1.67 and had to stay under 1.25.",
      ]),
    gates: [
      GateResult(
        gate: "regressions == 0", value: 6, outcome: .crossed,
        explanation: "6 clusters of differences are confirmed, the worst at status of GET /orders/{id}."),
      GateResult(
        gate: "latency.p99.ratio < 1.25", value: 1.6709, outcome: .crossed,
        explanation: "The shadow's p99 of 128ms is 1.67 times the primary's 76.7ms, over 12,004 pairs."),
      GateResult(
        gate: "error.rate < 0.01", value: 0.00116, outcome: .passed, explanation: "14 of 12,048 attempts failed."),
      GateResult(
        gate: "latency.p99{endpoint=\"GET /search\"} < 250", value: nil, outcome: .noEvidence,
        explanation: "Only 41 answers; a p99 needs at least 100."),
    ],
    ledger: ledger,
    schedule: ScheduleSummary(
      pacing: "1x", planned: 12_310, sent: 12_048, late: 31, skipped: ["unsafe-method": 250, "incomplete-request": 12],
      lag: quantiles(12_048, scale: 85), durationSeconds: 612.4),
    totals: RunTotals(
      attempts: 12_048, answered: 12_034, errors: ["timeout": 9, "connection-reset": 5], compared: 12_004,
      different: 561, statuses: [200: 11_401, 304: 310, 404: 239, 500: 84]),
    latency: latency(12_004, primary: 9_300, shadow: 11_100),
    endpoints: [
      endpoint("GET /orders/{id}", 4_102, 396, errors: 9, [200: 3_779, 404: 230, 500: 84], 8_000, 9_900),
      endpoint("GET /items", 3_950, 118, errors: 0, [200: 3_640, 304: 310], 12_400, 12_600),
      endpoint("GET /users/{id}/recommendations", 2_211, 47, errors: 5, [200: 2_197, 404: 9], 31_000, 52_000),
      endpoint("GET /static/{file}", 1_700, 0, errors: 0, [200: 1_700], 410, 395),
      endpoint("GET /search", 41, 0, errors: 0, [200: 41], 64_000, 61_000),
    ],
    clusters: clusters,
    evidence: ComparisonEvidence(hasLivePrimary: true, controlled: 11_990, tested: 41, baseline: "20261120-1"),
    timeline: timeline, suppressions: suppressions)

  /// One of each state, with and without what a rule may say of itself.
  private static let suppressions = [
    SuppressionTally.Row(
      suppression: Suppression(
        at: IgnoredLocation("body:/**/updated_at")!, form: .time, within: 5, reason: "clock <b>", owner: "orders",
        expires: Timestamp(seconds: 1_798_761_600, nanoseconds: 0)), state: .used, hits: 11_204,
      places: ["body:/items/*/updated_at", "body:/updated_at"]),
    SuppressionTally.Row(
      suppression: Suppression(at: IgnoredLocation("header:x-gone")!), state: .dead, hits: 0, places: []),
    SuppressionTally.Row(
      suppression: Suppression(
        at: IgnoredLocation("body:/total")!, form: .number, within: 0.01, reason: "rounding",
        expires: Timestamp(seconds: 1_790_000_000, nanoseconds: 0)), state: .expired, hits: 0, places: []),
    SuppressionTally.Row(
      suppression: Suppression(at: .body, reason: "everything moves"), state: .overBroad, hits: 1, places: ["body:/a"]),
  ]

  /// Forty slices in which the shadow slows down and fails towards the end.
  private static let timeline = Timeline(
    secondsPerSlice: 15.31,
    slices: (0..<40).map { index in
      let load = 300 + Double(index * 37 % 60)
      let (errors, failed) = (index > 34 ? UInt64(2) : 0, index > 28 ? UInt64(7) : 0)
      let slowness = index > 28 ? 1.6 : 1
      return TimeSlice(
        start: Double(index) * 15.31, attempts: UInt64(load), errors: errors,
        statusClasses: [0, 0, UInt64(load) - errors - failed - 14, 8, 6, failed], different: 8 + failed,
        primaryP50: 9_300 + Double(index * 13 % 50) * 20, primaryP95: 31_000 + Double(index * 7 % 50) * 90,
        shadowP50: (9_900 + Double(index * 11 % 50) * 20) * slowness,
        shadowP95: (36_000 + Double(index * 17 % 50) * 120) * slowness)
    })

  static let green = RunReport(
    run: run(command: ["umbra", "replay", "day.umbra", "--target", "http://canary:8080"]),
    verdict: Verdict(
      outcome: .pass,
      reasons: ["No difference in 12,004 compared pairs: fewer than 0.03 % differ, at 95 %.", "All 2 gates held."]),
    gates: [
      GateResult(gate: "regressions == 0", value: 0, outcome: .passed, explanation: "No cluster is confirmed."),
      GateResult(gate: "completeness >= 0.99", value: 0.99983, outcome: .passed, explanation: "2 exchanges were cut."),
    ],
    ledger: ledger,
    schedule: ScheduleSummary(
      pacing: "500/s", planned: 12_004, sent: 12_004, late: 0, skipped: [:], lag: quantiles(12_004, scale: 40),
      durationSeconds: 24.01),
    totals: RunTotals(
      attempts: 12_004, answered: 12_004, errors: [:], compared: 12_004, different: 0,
      statuses: [200: 11_694, 304: 310]),
    latency: latency(12_004, primary: 9_300, shadow: 9_150),
    endpoints: [
      endpoint("GET /orders/{id}", 8_054, 0, errors: 0, [200: 8_054], 8_000, 7_900),
      endpoint("GET /items", 3_950, 0, errors: 0, [200: 3_640, 304: 310], 12_400, 12_100),
    ],
    clusters: [])

  static let inconclusive = RunReport(
    run: run(command: ["umbra", "mirror", "-i", "eth0", "-p", "8080", "--target", "http://canary:8080"]),
    verdict: Verdict(
      outcome: .inconclusive,
      reasons: [
        "The schedule was not kept: 38.2% of 1,204 requests left more than 10 ms late.",
        "The session holds no ledger: how complete its capture was is not known.",
      ]),
    gates: [
      GateResult(
        gate: "regressions == 0", value: nil, outcome: .noEvidence, explanation: "The run was too late to judge by.")
    ],
    ledger: nil,
    schedule: ScheduleSummary(
      pacing: "10x", planned: 1_900, sent: 1_204, late: 460, skipped: ["interrupted": 696],
      lag: quantiles(1_204, scale: 48_000), durationSeconds: 5_041),
    totals: RunTotals(
      attempts: 1_204, answered: 1_204, errors: [:], compared: 1_204, different: 3, statuses: [200: 1_204]),
    latency: LatencySummary(primary: nil, shadow: quantiles(1_204, scale: 9_000), shadowFromSchedule: nil),
    endpoints: [
      EndpointSummary(
        endpoint: "GET /orders/{id}", compared: 1_204, different: 3, errors: 0, statuses: [200: 1_204],
        latency: LatencySummary(primary: nil, shadow: quantiles(1_204, scale: 9_000), shadowFromSchedule: nil))
    ],
    clusters: [rare])

  private static var rare: DifferenceCluster {
    var cluster = clusters[4]
    (cluster.count, cluster.compared) = (3, 1_204)
    cluster.explanation = "`total` differs in 3 of 1,204 answers of GET /orders/{id}, by at most 0.01."
    return cluster
  }

  static let empty = RunReport(
    run: run(command: ["umbra", "replay", "day.umbra", "--target", "http://canary:8080"]),
    verdict: Verdict(outcome: .inconclusive, reasons: ["The session holds no exchange that could be sent."]),
    gates: [], ledger: Ledger(),
    schedule: ScheduleSummary(
      pacing: "1x", planned: 0, sent: 0, late: 0, skipped: [:], lag: nil, durationSeconds: 0),
    totals: RunTotals(attempts: 0, answered: 0, errors: [:], compared: 0, different: 0, statuses: [:]),
    latency: LatencySummary(primary: nil, shadow: nil, shadowFromSchedule: nil), endpoints: [], clusters: [])

  /// The failing report with this many clusters, three examples each with answers of some 20 KB.
  static func large(clusters count: Int) -> RunReport {
    var report = failing
    let items = (0..<300).map { "    {\n      \"sku\": \"A-\(1000 + $0)\",\n      \"stock\": \($0 % 17)\n    }" }
    let body = "{\n  \"items\": [\n" + items.joined(separator: ",\n") + "\n  ]\n}"
    let expectedText = "HTTP/1.1 200 OK\ncontent-type: application/json\n\n" + body
    let actualText = expectedText.replacing("\"stock\": 3\n", with: "\"stock\": 4\n")
    report.clusters = (0..<count).map { number in
      var cluster = clusters[number * clusters.count / count]
      cluster.id = "\(cluster.id)-\(number)"
      cluster.endpoint += "/v\(number)"
      var example = cluster.examples[0]
      (example.expectedText, example.actualText) = (expectedText, actualText)
      cluster.examples = (0..<3).map { index in
        example.exchange = ExchangeID(connection: UInt32(number + 1), ordinal: UInt32(index + 1))
        return example
      }
      return cluster
    }
    return report
  }
}

extension SampleReports {
  private static func run(command: [String]) -> RunDescription {
    RunDescription(
      id: "20261121-094503-7f3a", started: Timestamp(seconds: 1_795_254_303, nanoseconds: 120_000_000),
      session: "day.umbra", targets: ["http://canary:8080"], toolVersion: "0.1.0", command: command)
  }

  static func quantiles(_ count: UInt64, scale: Double) -> Quantiles {
    Quantiles(
      count: count, mean: scale * 1.31, p50: scale, p90: scale * 2.2, p95: scale * 3.4, p99: scale * 8.25,
      p999: scale * 21, max: scale * 44.6)
  }

  private static func latency(_ count: UInt64, primary: Double, shadow: Double) -> LatencySummary {
    var tail = quantiles(count, scale: shadow)
    (tail.p99, tail.p999, tail.max) = (tail.p99 * 1.4, tail.p999 * 1.7, tail.max * 1.2)
    var due = tail
    (due.p99, due.p999, due.max) = (tail.p99 * 1.3, tail.p999 * 1.6, tail.max * 1.5)
    func interval(_ value: Double) -> LatencyIntervals.Interval {
      LatencyIntervals.Interval(value: value, low: 1.12, high: value * 1.31)
    }
    let shares = (0...18).map { Double($0) * 0.05 } + [0.95, 0.99, 0.999, 1]
    return LatencySummary(
      primary: quantiles(count, scale: primary), shadow: tail, shadowFromSchedule: due,
      intervals: LatencyIntervals(
        samples: min(count, 4096), p50: interval(shadow / primary), p95: interval(shadow / primary),
        p99: count < 500 ? nil : interval(1.4 * shadow / primary)),
      curve: shares.map { share in
        LatencyPoint(
          share: share, primary: primary * (0.4 + share + 8 * share * share * share * share),
          shadow: shadow * (0.4 + share + 11 * share * share * share * share))
      })
  }

  private static func endpoint(
    _ name: String, _ compared: UInt64, _ different: UInt64, errors: UInt64, _ statuses: [UInt16: UInt64],
    _ primary: Double, _ shadow: Double
  ) -> EndpointSummary {
    EndpointSummary(
      endpoint: name, compared: compared, different: different, errors: errors, statuses: statuses,
      latency: latency(compared, primary: primary, shadow: shadow))
  }

  private static var ledger: Ledger {
    var ledger = Ledger()
    let counts: [(Ledger.Row, UInt64)] = [
      (.packetsSeen, 148_220), (.packetsKernelDropped, 12), (.packetsNotTCP, 310), (.packetsFiltered, 4_100),
      (.bytesSeen, 88_410_204), (.bytesMessage, 88_114_730), (.bytesDuplicate, 291_000), (.bytesSkipped, 4_474),
      (.bytesGap, 2_896), (.connectionsSeen, 412), (.connectionsMidstream, 9), (.connectionsNotHTTP, 3), (.gaps, 2),
      (.segmentsOutOfOrder, 118), (.segmentsRetransmitted, 204), (.exchangesComplete, 12_308),
      (.exchangesIncomplete, 2), (.exchangesFiltered, 77),
    ]
    for (row, count) in counts { ledger[row] = count }
    return ledger
  }
}
