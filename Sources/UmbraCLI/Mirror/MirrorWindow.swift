// One window of a mirror: what was compared in it, and its report.

import Glibc
import HTTPModel
import ReplayClient
import ReplaySchedule
import Reporting
import ResponseDiff

struct MirrorWindow {
  let number: Int
  /// Monotonic nanoseconds.
  let began = monotonicNow()
  private let started = Timestamp(nanoseconds: wallNow())
  private var analysis: RunAnalysis
  private var judged: UInt64 = 0
  /// What had been counted when it began.
  private let countsBefore: MirrorIntake.Counts
  private let ledgerBefore: Ledger
  private var withheldBefore: UInt64 = 0

  init(
    _ plan: MirrorPlan, _ rules: borrowing RunRules, number: Int, intake: MirrorIntake, ledger: Ledger
  ) {
    self.number = number
    countsBefore = intake.counts
    ledgerBefore = ledger
    analysis = RunAnalysis(
      options: AnalysisOptions(comparison: rules.options, endpoints: rules.endpoints),
      descriptors: plan.replay.descriptors)
    analysis.isMirrored = true
  }

  /// Goes by other rules where they have changed.
  mutating func refresh(_ rules: inout RunRules) { rules.refresh(&analysis) }

  mutating func add(_ pair: ReplayedExchange, by rules: inout RunRules) {
    rules.add(pair, to: &analysis, isLive: true)
    judged += 1
  }

  /// - Parameter outcome: of the whole run, where this window is its last.
  func report(
    _ description: RunDescription, _ plan: MirrorPlan, progress: ReplayProgress, counts: MirrorIntake.Counts,
    ledger: Ledger, outcome: ReplayOutcome?
  ) -> RunReport {
    var description = description
    description.started = started
    let shed = counts.shed - countsBefore.shed
    let isWhole = number == 1
    var facts = RunFacts(
      description: description, pacing: "as captured",
      outcome: outcome ?? ReplayOutcome(started: started, ended: Timestamp(nanoseconds: wallNow()), end: .finished),
      asked: nil)
    if let outcome, isWhole {
      facts.judge(outcome, plan.replay)
    } else {
      (facts.planned, facts.skipped) = (judged, [:])
      facts.remarks += plan.replay.rulesRemarks
    }
    if shed > 0 {
      facts.planned += shed
      facts.skipped["shed", default: 0] += shed
      facts.doubts.append(
        "\(counted(shed, "captured request")) \(shed == 1 ? "was" : "were") not mirrored: the queue was full (--queue)."
      )
    }
    let ledger = ledger.since(ledgerBefore)
    for (row, reason) in [
      (Ledger.Row.exchangesFiltered, WithheldReason.excludedByRules), (.exchangesSampledOut, .sampledOut),
    ] where ledger[row] > 0 {
      facts.planned += ledger[row]
      facts.skipped[reason.rawValue, default: 0] += ledger[row]
    }
    let looped = counts.looped - countsBefore.looped
    if looped > 0 {
      facts.remarks.append(
        "\(counted(looped, "request")) carried the marker and \(looped == 1 ? "was" : "were") not mirrored again.")
    }
    let toTarget = counts.toTarget - countsBefore.toTarget
    if toTarget > 0 {
      facts.remarks.append(
        "\(counted(toTarget, "request")) went to a target itself and \(toTarget == 1 ? "was" : "were") not sent to it again (--force sends them)."
      )
    }
    return facts.report(from: analysis, ledger: ledger, gates: plan.replay.gates)
  }

  /// Writes the reports that were asked for, each in one step: a reader sees the one before or this one.
  /// - Returns: what could not be written, and why.
  func write(_ report: RunReport, _ plan: MirrorPlan) -> [String] {
    var failures: [String] = []
    for (path, format) in plan.replay.reports {
      let name = SessionNamePattern(pattern: path).name(
        seconds: started.nanoseconds / 1_000_000_000, ordinal: 1, isRow: false)
      do {
        try ReportFile.write(report, to: name + ".part", as: format, runFile: "RUN")
        if rename(name + ".part", name) != 0 {
          failures.append("can't write \(name): \(systemError())")
          unlink(name + ".part")
        }
      } catch let failure as CommandFailure {
        failures.append(failure.message)
      } catch { failures.append("can't write \(name): \(error)") }
    }
    return failures
  }
}
