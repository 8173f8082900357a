// What a mirror makes of its attempts: pairs, comparisons, windows and their reports.
//
// In: attempts as they end, captured answers. Out: report files, a verdict for each window. Owner: the thread that feeds
// the shadow. Bounds: those of PairTable and RunAnalysis; a window's memory goes with it.

import HTTPModel
import ReplayClient
import ResponseDiff
import Synchronization
import TrafficRules

/// `@unchecked Sendable`: made by the thread that starts the feeding thread, then used by that one alone until it was
/// joined; others only look at ``figures``, which is behind a mutex.
final class MirrorJudge: @unchecked Sendable {
  /// What others may see.
  struct Figures: Sendable {
    var pairs = PairTable.Counts()
    var waitingPairs = 0
    var verdicts: [String: UInt64] = [:]
  }

  let figures = Mutex(Figures())
  private let plan: MirrorPlan
  private let intake: MirrorIntake
  private let description: RunDescription
  private let replayer: Replayer
  private let ledger: @Sendable () -> Ledger
  private let observer: AttemptObserver?
  private var rules: RunRules
  private var pairs: PairTable
  private var window: MirrorWindow
  private(set) var worst = Verdict.Outcome.pass

  init(
    _ plan: MirrorPlan, intake: MirrorIntake, description: RunDescription, replayer: Replayer,
    ledger: @escaping @Sendable () -> Ledger
  ) {
    self.plan = plan
    self.intake = intake
    self.description = description
    self.replayer = replayer
    self.ledger = ledger
    observer = plan.replay.observation?.watch(replayer)
    plan.replay.observation?.audit(
      "mirror", [("run", description.id), ("targets", description.targets.joined(separator: " "))])
    let patience = plan.replay.options.timeout &+ 60_000_000_000
    pairs = PairTable(byteLimit: plan.replay.options.memoryLimit, patience: patience)
    rules = RunRules(
      plan.replay.rules, ignore: plan.replay.ignore, keepsCredentials: plan.replay.keepsCredentials,
      injected: plan.replay.injection?.secrets ?? [], descriptors: plan.replay.descriptors)
    window = MirrorWindow(plan, rules, number: 1, intake: intake, ledger: ledger())
  }

  /// What is to be sent next; and whatever else is to be done now.
  func next(hasRoom: Bool) -> LiveStep {
    if hasRoom, let request = intake.takeRequest() { return .send(request.exchange, arrived: request.arrived) }
    let now = monotonicNow()
    for exchange in intake.takeAnswers() { pairs.add(exchange, now: now).map { judge($0) } }
    while let replayed = pairs.takeOverdue(now: now) { judge(replayed) }
    publish()
    if let interval = plan.reportInterval, now - window.began >= interval { endWindow() }
    return intake.isOver ? .over : .nothing
  }

  /// Moves what came of a request out of where it was.
  func deliver(_ replayed: inout ReplayedExchange) {
    for exchange in intake.takeAnswers() { pairs.add(exchange, now: monotonicNow()).map { judge($0) } }
    var taken = ReplayedExchange(exchange: Exchange(), attempts: [])
    swap(&taken, &replayed)
    pairs.add(taken, now: monotonicNow()).map { judge($0) }
  }

  /// Everything has ended: pairs that are not whole are judged as they are, and the last window is reported.
  func finish(_ outcome: ReplayOutcome) -> RunReport {
    for exchange in intake.takeAnswers() { pairs.add(exchange, now: .max).map { judge($0) } }
    while let replayed = pairs.takeRest() { judge(replayed) }
    publish()
    return report(outcome)
  }

  private func judge(_ pair: consuming ReplayedExchange) {
    window.refresh(&rules)
    rules.hideSecrets(in: &pair, isLive: true)
    observer?.count(pair)
    // A mirror has no schedule to keep: how late requests were is in the metrics, and no reason to doubt an answer.
    for index in pair.attempts.indices {
      if let sent = pair.attempts[index].sent { pair.attempts[index].scheduled = sent }
    }
    window.add(pair, by: &rules)
  }

  private func publish() {
    let (counts, waiting) = (pairs.counts, pairs.count)
    figures.withLock { ($0.pairs, $0.waitingPairs) = (counts, waiting) }
  }

  // MARK: Windows

  private func endWindow() {
    let report = report(nil)
    let reason = report.verdict.reasons.first ?? ""
    StandardError.say("window \(window.number): \(report.verdict.outcome.rawValue): \(reason)")
    window = MirrorWindow(plan, rules, number: window.number + 1, intake: intake, ledger: ledger())
  }

  /// - Parameter outcome: of the whole run, at its end.
  private func report(_ outcome: ReplayOutcome?) -> RunReport {
    let report = window.report(
      description, plan, progress: replayer.progress, counts: intake.counts, ledger: ledger(), outcome: outcome)
    let verdict = report.verdict.outcome
    figures.withLock { $0.verdicts[verdict.rawValue, default: 0] += 1 }
    if verdict == .fail || verdict == .inconclusive && worst == .pass { worst = verdict }
    for failure in window.write(report, plan) { StandardError.say(failure, .error) }
    return report
  }
}
