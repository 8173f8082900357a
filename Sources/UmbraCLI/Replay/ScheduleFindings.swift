// What came of a replay's schedule and of what protects the shadow, in sentences: those that make a run inconclusive,
// and those that only explain it. In: the client's counts. Out: RunFacts' doubts and remarks.

import HTTPModel
import ReplayClient
import ReplaySchedule

extension RunFacts {
  /// How the remark begins that a run is one of several shards.
  static let shardRemark = "This is shard "

  mutating func judge(_ outcome: ReplayOutcome, _ plan: ReplayPlan) {
    if let limit = plan.maximumLag, outcome.largestLag > limit {
      doubts.append(
        "A request was sent \(shortDuration(outcome.largestLag)) late, over --max-lag \(TimeSpan(nanoseconds: limit))."
          + (outcome.late > 0 ? " " + lateness(outcome, plan) : ""))
    } else if outcome.late > 0 {
      remarks.append(lateness(outcome, plan))
    }
    if let withheld = outcome.skipped[.breakerOpen], withheld > 0 {
      let names = outcome.targets.filter { $0.breakerOpenings > 0 }.map { "\($0.target)" }.joined(separator: ", ")
      doubts.append(
        "The breaker opened for \(names): \(counted(withheld, "request")) that \(withheld == 1 ? "was" : "were") due "
          + "\(withheld == 1 ? "was" : "were") withheld to spare the shadow.")
    }
    judgeBesides(outcome, plan)
    remarks += targets(outcome) + traffic(outcome, plan) + plan.rulesRemarks
    if let live = plan.rules, live.generation > 1 {
      rules = live.comparisonTexts.isEmpty ? ["version: 1"] : live.comparisonTexts
    }
  }

  /// What limited the run, by the cause that most of the late requests had.
  private func lateness(_ outcome: ReplayOutcome, _ plan: ReplayPlan) -> String {
    let causes = outcome.lateBecause.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
    guard let (cause, count) = causes.first.map({ ($0.key, $0.value) }) else { return "" }
    let share = count == outcome.late ? "" : ", \(grouped(count)) of them"
    return "\(counted(outcome.late, "request")) went out more than 10ms late\(share) because "
      + reason(cause, outcome, plan) + "."
  }

  private func reason(_ cause: LagCause, _ outcome: ReplayOutcome, _ plan: ReplayPlan) -> String {
    switch cause {
    case .concurrency: return "the cap on requests in flight was reached (--concurrency \(plan.options.concurrency))"
    case .route: return "their route's cap on requests in flight was reached (routes, concurrency)"
    case .connections:
      if case .pool(let size) = plan.options.connections { return "all connections were busy (--connections \(size))" }
      return "no more connections could be open"
    case .streams: return "the target allowed no more streams at a time on their connection"
    case .target:
      return plan.options.dependencies == nil
        ? "the target had not answered the request before on their connection, or not taken a connection"
        : "the target had not given the answers that they needed, or not taken a connection"
    case .generator:
      let load = "its event loop used \(percentage(min(1, outcome.generatorLoad))) of a core"
      return outcome.generatorLoad > 0.85
        ? "the generator was at its limit (\(load))"
        : "the generator got too little time (\(load)): this machine is busy"
    }
  }

  /// Of several targets, what each did.
  private func targets(_ outcome: ReplayOutcome) -> [String] {
    guard outcome.targets.count > 1 else { return [] }
    return outcome.targets.map { target in
      var text = "\(target.target): \(counted(target.attempts, "attempt")), \(grouped(target.failed)) without an answer"
      if target.breakerOpenings > 0 { text += ", left alone \(counted(target.breakerOpenings, "time"))" }
      return text + "."
    }
  }

  private func traffic(_ outcome: ReplayOutcome, _ plan: ReplayPlan) -> [String] {
    var remarks: [String] = []
    remarks += outcome.advice
    if outcome.waitedForStream > 0 {
      remarks.append(
        "\(counted(outcome.waitedForStream, "request")) waited for a stream: the target allows only so many at a time.")
    }
    if let blocked = outcome.attempts[.blocked], blocked > 0 {
      remarks.append(
        "\(counted(blocked, "request")) \(blocked == 1 ? "was" : "were") not sent: an answer that "
          + "\(blocked == 1 ? "it" : "they") needed failed, lacked a value, came too late (--correlate-wait) or was "
          + "never asked for (--allow-unsafe, --shard).")
    }
    if outcome.retried > 0 { remarks.append("\(counted(outcome.retried, "time")) a request was tried again.") }
    if !plan.options.faults.isEmpty {
      let names = ["delay": "delayed", "abort": "answered without being sent", "reset": "cut off"]
      let struck = outcome.faults.sorted { $0.key < $1.key }.map { "\(grouped($0.value)) \(names[$0.key] ?? $0.key)" }
      remarks.append(
        "Faults were made on purpose: \(struck.isEmpty ? "none struck" : struck.joined(separator: ", ")) "
          + "(\(plan.options.faults.map(\.summary).joined(separator: "; "))).")
    }
    if plan.options.shard != .whole {
      let (index, count) = (plan.options.shard.index, plan.options.shard.count)
      remarks.append("\(RunFacts.shardRemark)\(index) of \(count): the other connections are not in it.")
    }
    return remarks
  }
}

extension ReplayPlan {
  /// How many exchanges this plan asks for of a session with so many; nil where its end is not the session's.
  func asked(of total: UInt64) -> UInt64? {
    guard options.rounds < .max, options.shard == .whole else { return nil }
    if case .profile(let profile) = options.pacing, profile.length != nil { return nil }
    let (product, overflow) = total.multipliedReportingOverflow(by: UInt64(options.rounds))
    return overflow ? nil : product
  }
}
