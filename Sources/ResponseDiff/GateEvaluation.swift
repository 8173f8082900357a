// A gate and a run's numbers to what came of it. In: counters and clusters. Out: GateResult. Owner: RunAnalysis.finish.

/// The numbers that gates are measured on.
struct RunEvidence {
  var whole: EndpointRecord
  var endpoints: [String: EndpointRecord]
  var clusters: [DifferenceCluster]
  /// Of the capture; nil where the session holds no ledger.
  var completeness: Double?
  var hasLivePrimary: Bool

  func evaluate(_ gate: Gate) -> GateResult {
    func result(_ value: Double?, _ outcome: GateResult.Outcome, _ explanation: String) -> GateResult {
      GateResult(gate: gate.text, value: value, outcome: outcome, explanation: explanation)
    }
    guard let record = gate.endpoint == nil ? whole : endpoints[gate.endpoint!] else {
      return result(nil, .noEvidence, "no request of this endpoint was replayed; stats and reports list the endpoints")
    }
    switch measure(gate, record) {
    case .failure(let missing): return result(nil, .noEvidence, missing.reason)
    case .success(let measured):
      return result(measured.value, gate.holds(measured.value) ? .passed : .crossed, measured.text)
    }
  }

  private struct Measured {
    var value: Double
    var text: String
  }

  private struct MissingEvidence: Error { var reason: String }

  private func measure(_ gate: Gate, _ record: EndpointRecord) -> Result<Measured, MissingEvidence> {
    switch gate.metric {
    case .regressions:
      guard record.compared > 0 else { return .failure(MissingEvidence(reason: "no pair was compared")) }
      // What was counted together beyond the limit may be of any endpoint.
      let places = [gate.endpoint, RunAnalysis.overflowEndpoint]
      let confirmed = clusters.filter { $0.isConfirmed && (gate.endpoint == nil || places.contains($0.endpoint)) }
      let count = confirmed.count(where: \.isRegression)
      let known = confirmed.count - count
      return .success(
        Measured(
          value: Double(count),
          text: "\(count) \(known > 0 ? "new, \(known) known," : "confirmed") in "
            + "\(Figures.count(record.compared)) pairs"))
    case .differenceRate: return share(record.different, of: record.compared, "pairs compared", "with differences")
    case .errorRate: return share(record.errors, of: record.attempts, "attempts", "without a whole answer")
    case .statusRate: return share(record.serverErrors, of: record.answered, "answers", "with a 5xx status")
    case .lateRate: return share(record.late, of: record.sent, "requests sent", "more than 10 ms late")
    case .completeness:
      guard let completeness else { return .failure(MissingEvidence(reason: "the session holds no capture ledger")) }
      return .success(Measured(value: completeness, text: "the capture is \(Figures.share(completeness)) complete"))
    case .latency(let percentile): return quantile(percentile, of: record.shadow, "answers of the shadow")
    case .latencyRatio(let percentile):
      return quantile(percentile, of: record.shadowPaired, "answers of the shadow").flatMap { shadow in
        quantile(percentile, of: record.primary, hasLivePrimary ? "of the primary" : "recorded answers").flatMap {
          primary in
          guard primary.value > 0 else {
            return .failure(MissingEvidence(reason: "the recorded latencies are under a microsecond"))
          }
          let ratio = shadow.value / primary.value
          let sides = "\(shadow.text), against \(primary.text)"
          return .success(Measured(value: ratio, text: "\(Figures.number(ratio)): \(sides)"))
        }
      }
    }
  }

  private func share(
    _ part: UInt64, of all: UInt64, _ what: String, _ which: String
  ) -> Result<Measured, MissingEvidence> {
    guard all > 0 else { return .failure(MissingEvidence(reason: "there are no \(what)")) }
    let value = Double(part) / Double(all)
    let counts = "\(Figures.count(part)) of \(Figures.count(all)) \(what) \(which)"
    return .success(Measured(value: value, text: "\(Figures.share(value)): \(counts)"))
  }

  /// A percentile of fewer samples than leave one above it would be the largest sample by another name.
  private func quantile(
    _ percentile: Double, of histogram: LatencyHistogram, _ what: String
  ) -> Result<Measured, MissingEvidence> {
    let needed = (100 / (100 - percentile) - 1e-6).rounded(.up)
    guard Double(histogram.count) >= needed else {
      let reason = "needs \(Figures.number(needed)) \(what); there are \(Figures.count(histogram.count))"
      return .failure(MissingEvidence(reason: reason))
    }
    let value = histogram.value(at: percentile)
    let text = "\(Figures.duration(microseconds: value)) over \(Figures.count(histogram.count)) \(what)"
    return .success(Measured(value: value, text: text))
  }
}

extension Gate {
  func holds(_ measured: Double) -> Bool {
    switch comparison {
    case .less: measured < value
    case .lessOrEqual: measured <= value
    case .greater: measured > value
    case .greaterOrEqual: measured >= value
    case .equal: measured == value
    }
  }
}
