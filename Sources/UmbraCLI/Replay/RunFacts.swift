// What a run file says about its run beside the exchanges: who, when, how, and what came of the schedule.

import HTTPModel
import ReplayClient
import ResponseDiff
import SessionFile

/// The parts of a report that no single exchange tells; kept as metadata of the run file.
struct RunFacts {
  var description: RunDescription
  var pacing: String
  var planned: UInt64
  var skipped: [String: UInt64]

  /// `asked` is how many exchanges the session holds, times the rounds.
  init(description: RunDescription, pacing: String, outcome: ReplayOutcome, asked: UInt64) {
    self.description = description
    self.pacing = pacing
    planned = outcome.planned
    skipped = Dictionary(uniqueKeysWithValues: outcome.skipped.map { ($0.key.rawValue, $0.value) })
    if outcome.end == .interrupted {
      // What had not come due yet was to be sent too.
      let unsent = asked > planned ? asked - planned : 0
      planned += unsent
      skipped[WithheldReason.interrupted.rawValue, default: 0] += unsent
    }
  }

  /// From a run file; `read` is how many exchanges it holds, for one that was never finished.
  init(metadata: SessionMetadata, path: String, created: Timestamp, read: UInt64) {
    description = RunDescription(
      id: metadata["run.id"] ?? "unknown", started: created, session: metadata["run.session"] ?? "unknown",
      targets: metadata.values("run.target"), toolVersion: metadata["tool"] ?? "unknown",
      command: metadata.values("run.argument"))
    pacing = metadata["run.pacing"] ?? "unknown"
    let finished = metadata["run.planned"].flatMap { UInt64($0) }
    planned = finished ?? read
    skipped = [:]
    for entry in metadata.entries where entry.key.hasPrefix("run.skipped.") {
      skipped[String(entry.key.dropFirst("run.skipped.".count))] = UInt64(entry.value)
    }
    if finished == nil { skipped[WithheldReason.interrupted.rawValue, default: 0] += 0 }
  }

  /// What is known when the run begins.
  static func metadata(_ description: RunDescription, pacing: String) -> SessionMetadata {
    var metadata = SessionMetadata()
    metadata["tool"] = description.toolVersion
    metadata["run.id"] = description.id
    metadata["run.session"] = description.session
    metadata["run.pacing"] = pacing
    for target in description.targets { metadata.add("run.target", target) }
    for argument in description.command { metadata.add("run.argument", argument) }
    return metadata
  }

  /// What is known when it has ended.
  var outcomeMetadata: SessionMetadata {
    var metadata = SessionMetadata()
    metadata["run.planned"] = "\(planned)"
    for (reason, count) in skipped.sorted(by: { $0.key < $1.key }) { metadata["run.skipped.\(reason)"] = "\(count)" }
    return metadata
  }

  func report(from analysis: RunAnalysis, ledger: Ledger?, gates: [Gate]) -> RunReport {
    analysis.finish(
      description: description, pacing: pacing, planned: planned, skipped: skipped, ledger: ledger, gates: gates)
  }
}
