// A run's results to its verdict, in plain sentences, the weightiest first. Owner: RunAnalysis.finish.
//
// Fails when a gate is crossed. Inconclusive when the evidence is not good enough to say: nothing sent, nothing compared or
// too little, a gate that could not be measured, an interrupted run, a breaker that opened, a capture with holes, a
// generator that could not keep its schedule. Else passes.

struct VerdictReasoning {
  /// More than this share of late requests says that the load was not what was asked for.
  static let latenessBound = 0.1
  /// More than this share of requests that a breaker withheld says the same.
  static let withheldBound = 0.01
  /// Less than this share of the traffic says little of the whole. A gate on `completeness` takes its place.
  static let completenessBound = 0.9

  /// More than this share of pairs in which the control answers quite otherwise says that it is no second primary.
  static let strayBound = 0.1

  /// More than this share of requests that the primary did not answer says that there is little to hold the shadow against.
  static let primaryFailureBound = 0.1

  let gates: [GateResult]
  let schedule: ScheduleSummary
  let totals: RunTotals
  let clusters: [DifferenceCluster]
  let evidence: ComparisonEvidence
  let completeness: Double?
  let isCompletenessGated: Bool
  let minimumPairs: UInt64

  var verdict: Verdict {
    let crossed = gates.filter { $0.outcome == .crossed }.map { "Gate crossed: \($0.gate) (\($0.explanation))." }
    let doubts = doubts
    if !crossed.isEmpty { return Verdict(outcome: .fail, reasons: crossed + doubts + remarks) }
    if !doubts.isEmpty { return Verdict(outcome: .inconclusive, reasons: doubts + remarks) }
    let held = gates.count == 1 ? "The gate holds: \(gates[0].gate)." : "All \(gates.count) gates hold."
    return Verdict(outcome: .pass, reasons: [held] + remarks)
  }

  private var doubts: [String] {
    var doubts: [String] = []
    let interrupted = (schedule.skipped["interrupted"] ?? 0) + (totals.errors["interrupted"] ?? 0)
    if schedule.sent == 0 {
      doubts.append("Nothing was sent, so nothing can be said.")
    } else if totals.compared == 0 {
      doubts.append("No pair could be compared\(leftOut).")
    } else if totals.compared < minimumPairs {
      let bound = Figures.share(DifferenceStatistics.ruleOfThree(totals.compared))
      doubts.append(
        "Only \(Figures.count(totals.compared)) \(totals.compared == 1 ? "pair was" : "pairs were") compared: even if all "
          + "were equal, up to \(bound) of answers may differ, at 95 %.")
    }
    if interrupted > 0 {
      doubts.append("The run was interrupted: \(Figures.count(interrupted)) of its requests have no answer.")
    } else if schedule.skipped["interrupted"] != nil {
      doubts.append("The run was interrupted: what it left unsent is not known.")
    }
    for gate in gates where gate.outcome == .noEvidence {
      doubts.append("Gate without evidence: \(gate.gate) (\(gate.explanation)).")
    }
    if let withheld = schedule.skipped["breaker-open"], withheld > 0,
      Double(withheld) > Self.withheldBound * Double(schedule.planned)
    {
      doubts.append(
        "The breaker opened: \(Figures.count(withheld)) of \(Figures.count(schedule.planned)) requests were not sent.")
    }
    let asked = evidence.primaryFailed + totals.compared
    if Double(evidence.primaryFailed) > Self.primaryFailureBound * Double(asked) {
      let share = Figures.share(Double(evidence.primaryFailed) / Double(asked))
      doubts.append("The primary failed: it gave no whole answer to \(share) of the requests, which say nothing.")
    }
    if Double(evidence.strayed) > Self.strayBound * Double(evidence.controlled) {
      let share = Figures.share(Double(evidence.strayed) / Double(evidence.controlled))
      doubts.append(
        "The control gave no answer, or one of another class, in \(share) of the pairs: it measures no noise.")
    }
    // Sent as fast as answers come, a run has no times of its own to keep.
    if schedule.pacing != "max", Double(schedule.late) > Self.latenessBound * Double(schedule.sent) {
      let share = Figures.share(Double(schedule.late) / Double(schedule.sent))
      doubts.append("The schedule was not kept: \(share) of the requests were sent more than 10 ms late.")
    }
    if let completeness, completeness < Self.completenessBound, !isCompletenessGated {
      doubts.append(
        "The capture behind the session is only \(Figures.share(completeness)) complete: what is missing was not replayed."
      )
    }
    return doubts
  }

  private var remarks: [String] {
    var remarks = differenceRemarks
    if !evidence.hasLivePrimary, gates.contains(where: { $0.gate.contains(".ratio") }) {
      remarks.append(
        evidence.isMirrored
          ? "The primary's latencies were taken on the wire, the shadow's where requests are sent: ratios are a hint, no proof."
          : "The primary's latencies are those of the recording, taken at another time and place: ratios are a hint, no proof."
      )
    }
    if evidence.recorded > 0 {
      remarks.append(
        "\(Figures.count(evidence.recorded)) of the pairs \(evidence.recorded == 1 ? "was" : "were") held against the "
          + "recorded answers, which is weaker evidence: their requests may change something and were not sent to the "
          + "primary.")
    }
    if totals.compared > 0, !totals.notComparable.isEmpty {
      remarks.append("Some attempts could not be compared\(leftOut).")
    }
    if let completeness, completeness < 1, completeness >= Self.completenessBound || isCompletenessGated {
      remarks.append("The capture behind the session is \(Figures.share(completeness)) complete.")
    }
    return remarks
  }

  private var differenceRemarks: [String] {
    guard totals.compared > 0 else { return [] }
    let pairs = Figures.count(totals.compared)
    guard totals.different > 0 else {
      let bound = DifferenceStatistics.ruleOfThree(totals.compared)
      return ["No difference in \(pairs) pairs: fewer than \(Figures.share(bound)) of answers differ, at 95 %."]
    }
    let confirmed = clusters.filter(\.isConfirmed)
    let high = confirmed.count { $0.severity == .high }
    let share = Figures.share(Double(totals.different) / Double(totals.compared))
    var remarks = [
      "\(Figures.count(totals.different)) of \(pairs) pairs differ (\(share)), in \(confirmed.count) "
        + "\(confirmed.count == 1 ? "cluster" : "clusters"), \(high) of high severity."
    ]
    if evidence.controlled > 0 {
      let noise = clusters.count { $0.evidence == .noise || $0.evidence == .untestable }
      remarks.append(
        "Noise was measured against a control in \(Figures.count(evidence.controlled)) pairs: "
          + "\(Figures.count(evidence.tested)) places tested, at a false discovery rate of 5 %; "
          + "\(noise) of the clusters \(noise == 1 ? "is" : "are") noise.")
    } else {
      remarks.append("No control was asked: what differs by chance cannot be told from what the release changed.")
      let volatile = clusters.count { $0.evidence == .volatile }
      if volatile > 0 {
        remarks.append(
          "\(volatile) \(volatile == 1 ? "place holds" : "places hold") values that look made anew for each answer; "
            + "counted as noise, on weaker evidence than a control would give.")
      }
    }
    if let baseline = evidence.baseline {
      let known = confirmed.count(where: \.isKnown)
      remarks.append("\(known) of the clusters \(known == 1 ? "is" : "are") known from run \(baseline) and not judged.")
    }
    return remarks
  }

  private var leftOut: String {
    guard !totals.notComparable.isEmpty else { return "" }
    let reasons = totals.notComparable.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return ": " + reasons.map { "\($0.key) \(Figures.count($0.value))" }.joined(separator: ", ")
  }
}
