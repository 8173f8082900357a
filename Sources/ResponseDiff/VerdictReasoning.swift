// A run's results to its verdict, in plain sentences, the weightiest first. Owner: RunAnalysis.finish.
//
// Fails when a gate is crossed. Inconclusive when the evidence is not good enough to say: nothing sent, nothing compared,
// a gate that could not be measured, an interrupted run, a generator that could not keep its schedule. Else passes.

extension Verdict {
  /// More than this share of late requests says that the load was not what was asked for.
  static let latenessBound = 0.1

  init(
    gates: [GateResult], schedule: ScheduleSummary, totals: RunTotals, clusters: [DifferenceCluster],
    completeness: Double?
  ) {
    let crossed = gates.filter { $0.outcome == .crossed }.map { "Gate crossed: \($0.gate) (\($0.explanation))." }
    let doubts = Verdict.doubts(gates, schedule, totals)
    let remarks = Verdict.remarks(totals, clusters, completeness)
    if !crossed.isEmpty {
      self.init(outcome: .fail, reasons: crossed + doubts + remarks)
    } else if !doubts.isEmpty {
      self.init(outcome: .inconclusive, reasons: doubts + remarks)
    } else {
      let held = gates.count == 1 ? "The gate holds: \(gates[0].gate)." : "All \(gates.count) gates hold."
      self.init(outcome: .pass, reasons: [held] + remarks)
    }
  }

  private static func doubts(_ gates: [GateResult], _ schedule: ScheduleSummary, _ totals: RunTotals) -> [String] {
    var doubts: [String] = []
    let interrupted = (schedule.skipped["interrupted"] ?? 0) + (totals.errors["interrupted"] ?? 0)
    if schedule.sent == 0 {
      doubts.append("Nothing was sent, so nothing can be said.")
    } else if totals.compared == 0 {
      doubts.append("No pair could be compared\(leftOut(totals)).")
    }
    if interrupted > 0 {
      doubts.append("The run was interrupted: \(Figures.count(interrupted)) of its requests have no answer.")
    } else if schedule.skipped["interrupted"] != nil {
      doubts.append("The run was interrupted: what it left unsent is not known.")
    }
    for gate in gates where gate.outcome == .noEvidence {
      doubts.append("Gate without evidence: \(gate.gate) (\(gate.explanation)).")
    }
    // Sent as fast as answers come, a run has no times of its own to keep.
    if schedule.pacing != "max", Double(schedule.late) > latenessBound * Double(schedule.sent) {
      let share = Figures.share(Double(schedule.late) / Double(schedule.sent))
      doubts.append("The schedule was not kept: \(share) of the requests were sent more than 10 ms late.")
    }
    return doubts
  }

  private static func remarks(
    _ totals: RunTotals, _ clusters: [DifferenceCluster], _ completeness: Double?
  ) -> [String] {
    var remarks: [String] = []
    let pairs = Figures.count(totals.compared)
    if totals.compared > 0, totals.different == 0 {
      // The rule of three: with no event in n, the 95 % upper bound of its rate is under 3/n.
      let bound = min(1, 3 / Double(totals.compared))
      remarks.append("No difference in \(pairs) pairs: fewer than \(Figures.share(bound)) of answers differ, at 95 %.")
    } else if totals.compared > 0 {
      let confirmed = clusters.filter(\.isConfirmed)
      let high = confirmed.filter { $0.severity == .high }.count
      let share = Figures.share(Double(totals.different) / Double(totals.compared))
      remarks.append(
        "\(Figures.count(totals.different)) of \(pairs) pairs differ (\(share)), in \(confirmed.count) "
          + "\(confirmed.count == 1 ? "cluster" : "clusters"), \(high) of high severity.")
      remarks.append("No control was asked: what differs by chance cannot be told from what the release changed.")
    }
    if totals.compared > 0, !totals.notComparable.isEmpty {
      remarks.append("Some attempts could not be compared\(leftOut(totals)).")
    }
    if let completeness, completeness < 1 {
      remarks.append("The capture behind the session is \(Figures.share(completeness)) complete.")
    }
    return remarks
  }

  private static func leftOut(_ totals: RunTotals) -> String {
    guard !totals.notComparable.isEmpty else { return "" }
    let reasons = totals.notComparable.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return ": " + reasons.map { "\($0.key) \(Figures.count($0.value))" }.joined(separator: ", ")
  }
}
