// What a run file says about its run beside the exchanges: who, when, how, and what came of the schedule.

import HTTPModel
import ReplayClient
import ReplaySchedule
import ResponseDiff
import SessionFile

/// The parts of a report that no single exchange tells; kept as metadata of the run file.
struct RunFacts {
  var description: RunDescription
  var pacing: String
  var planned: UInt64
  var skipped: [String: UInt64]
  /// Why the run's evidence is not good enough, and what else there is to say of it, as sentences.
  var doubts: [String] = []
  var remarks: [String] = []
  /// How the run was to be judged when it was made, as its flags had it.
  var ignore: [String] = []
  var gates: [String] = []
  /// What of the rules concerns comparing, as files; those that were in force at the end.
  var rules: [String] = []
  /// What tells the session from others, and which of its shares the run is; nil for the whole.
  var session = ""
  var shard: ReplayShard?

  /// `asked` is how many exchanges the session holds, times the rounds; nil where that is not what was asked for.
  init(description: RunDescription, pacing: String, outcome: ReplayOutcome, asked: UInt64?) {
    self.description = description
    self.pacing = pacing
    planned = outcome.planned
    skipped = Dictionary(uniqueKeysWithValues: outcome.skipped.map { ($0.key.rawValue, $0.value) })
    if outcome.end == .interrupted {
      // What had not come due yet was to be sent too.
      let unsent = asked.map { $0 > planned ? $0 - planned : 0 } ?? 0
      planned += unsent
      skipped[WithheldReason.interrupted.rawValue, default: 0] += unsent
    }
  }

  /// From a run file; `read` is how many exchanges it holds, for one that was never finished.
  init(metadata: SessionMetadata, path: String, created: Timestamp, read: UInt64) {
    description = RunDescription(
      id: metadata["run.id"] ?? "unknown", started: created, session: metadata["run.session"] ?? "unknown",
      targets: metadata.values("run.target"), primary: metadata["run.primary"], control: metadata["run.control"],
      toolVersion: metadata["tool"] ?? "unknown",
      command: metadata.values("run.argument"))
    pacing = metadata["run.pacing"] ?? "unknown"
    let finished = metadata["run.planned"].flatMap { UInt64($0) }
    planned = finished ?? read
    skipped = [:]
    for entry in metadata.entries where entry.key.hasPrefix("run.skipped.") {
      skipped[String(entry.key.dropFirst("run.skipped.".count))] = UInt64(entry.value)
    }
    doubts = metadata.values("run.doubt")
    remarks = metadata.values("run.remark")
    ignore = metadata.values("run.ignore")
    gates = metadata.values("run.gate")
    rules = metadata["run.rules.last"].map { _ in metadata.values("run.rules.last") } ?? metadata.values("run.rules")
    session = metadata["run.session.id"] ?? description.session
    let shard = (metadata["run.shard"] ?? "").split(separator: "/").compactMap { UInt32($0) }
    if shard.count == 2, shard[0] >= 1, shard[0] <= shard[1] { self.shard = ReplayShard(shard[0], of: shard[1]) }
    if finished == nil { skipped[WithheldReason.interrupted.rawValue, default: 0] += 0 }
  }

  /// What is known when the run begins.
  /// - Parameter session: what tells the session from others.
  static func metadata(_ description: RunDescription, _ plan: ReplayPlan, session: String) -> SessionMetadata {
    var metadata = SessionMetadata()
    metadata["tool"] = description.toolVersion
    metadata["run.id"] = description.id
    metadata["run.session"] = description.session
    metadata["run.session.id"] = session
    if plan.options.shard != .whole {
      metadata["run.shard"] = "\(plan.options.shard.index)/\(plan.options.shard.count)"
    }
    metadata["run.pacing"] = plan.options.pacing.description
    for target in description.targets { metadata.add("run.target", target) }
    metadata["run.primary"] = description.primary
    metadata["run.control"] = description.control
    for argument in description.command { metadata.add("run.argument", argument) }
    for place in plan.ignore { metadata.add("run.ignore", "\(place)") }
    for gate in plan.gates { metadata.add("run.gate", gate.text) }
    for text in plan.rules?.comparisonTexts ?? [] { metadata.add("run.rules", text) }
    return metadata
  }

  /// What is known when it has ended.
  var outcomeMetadata: SessionMetadata {
    var metadata = SessionMetadata()
    metadata["run.planned"] = "\(planned)"
    for (reason, count) in skipped.sorted(by: { $0.key < $1.key }) { metadata["run.skipped.\(reason)"] = "\(count)" }
    for doubt in doubts { metadata.add("run.doubt", doubt) }
    for remark in remarks { metadata.add("run.remark", remark) }
    for text in rules { metadata.add("run.rules.last", text) }
    return metadata
  }

  func report(
    from analysis: RunAnalysis, ledger: Ledger?, gates: [Gate], baseline: BaselineFindings? = nil
  ) -> RunReport {
    var report = analysis.finish(
      description: description, pacing: pacing, planned: planned, skipped: skipped, ledger: ledger, gates: gates,
      baseline: baseline)
    report.verdict = report.verdict.with(doubts: doubts, remarks: remarks)
    return report
  }
}

extension Verdict {
  /// What only the replay itself knows, taken in: a doubt makes a pass inconclusive.
  fileprivate func with(doubts: [String], remarks: [String]) -> Verdict {
    guard !doubts.isEmpty || !remarks.isEmpty else { return self }
    switch outcome {
    case .fail:
      let crossed = reasons.prefix { $0.hasPrefix("Gate crossed") }
      return Verdict(outcome: .fail, reasons: crossed + doubts + reasons.dropFirst(crossed.count) + remarks)
    case .inconclusive: return Verdict(outcome: .inconclusive, reasons: doubts + reasons + remarks)
    case .pass where doubts.isEmpty: return Verdict(outcome: .pass, reasons: reasons + remarks)
    // The first reason of a pass is that the gates hold.
    case .pass: return Verdict(outcome: .inconclusive, reasons: doubts + reasons.dropFirst() + remarks)
    }
  }
}
