// Carries out a replay: a session's exchanges to the client, what comes of them to the analysis and the run file.
//
// In: a plan. Out: a run file, reports, the run's report value. The client's event loop has a thread of its own; reading
// the session, comparing and encoding stand on the caller's, compressing and writing on the writer's.

import Glibc
import HTTPModel
import ReplayClient
import ReplaySchedule
import Reporting
import ResponseDiff
import SessionFile
import Synchronization
import Telemetry
import TrafficRules

final class ReplaySession {
  private var plan: ReplayPlan
  private let runID = ReplaySession.newRunID()
  // What changes with each answer is touched by one thread, and nothing that changes it calls back to here.
  @exclusivity(unchecked) private var rules: RunRules
  private let encoder = SessionEncoder()
  private var writer: SessionWriter?
  private var observer: AttemptObserver?
  @exclusivity(unchecked) private var analysis: RunAnalysis
  /// Of the attempt at which open blocks were looked through last.
  private var newestEnd = Timestamp(nanoseconds: 0)

  init(_ plan: ReplayPlan) {
    self.plan = plan
    self.plan.options.marker = plan.marker.marker(runID: runID)
    self.plan.options.idempotencyRun = plan.rewritesIdempotencyKeys ? runID : nil
    self.plan.options.replacedFields = plan.observation?.replacedFields
    rules = RunRules(
      plan.rules, ignore: plan.ignore, keepsCredentials: plan.keepsCredentials,
      injected: plan.injection?.secrets ?? [], descriptors: plan.descriptors)
    analysis = RunAnalysis(
      options: AnalysisOptions(comparison: rules.options, endpoints: rules.endpoints), descriptors: plan.descriptors)
    analysis.asksPrimary = plan.primary != nil
  }

  func run() throws -> RunReport {
    let source = try ExchangeSource(path: plan.session, expecting: .session, key: plan.sessionKey)
    guard source.total > 0 else {
      source.reportDamage()
      throw CommandFailure("\(plan.session) holds no exchanges: there is nothing to replay", status: .inconclusive)
    }
    try plan.correlate(source)
    let description = RunDescription(
      id: runID, started: Timestamp(nanoseconds: wallNow()), session: plan.session,
      targets: plan.targets.map { "\($0.target)" }, primary: plan.primary.map { "\($0)" },
      control: plan.control.map { "\($0)" }, toolVersion: umbraVersion, command: CommandLine.arguments)
    let replayer = Replayer(
      targets: plan.targets, primary: plan.primary, control: plan.control, options: plan.options)
    // A target that is not there must not leave a run file behind, which would stand in the way of the next try.
    do { try replayer.prepare() } catch { throw CommandFailure("\(error)") }
    if let told = try plan.observation?.start() { StandardError.say(told) }
    StandardError.say(
      "run \(runID): \(counted(source.total, "exchange")) to \(description.targets.joined(separator: ", ")), "
        + plan.options.pacing.description, .debug)
    observer = plan.observation?.watch(replayer)
    plan.observation?.audit(
      "replay",
      [("run", runID), ("session", plan.session), ("targets", description.targets.joined(separator: " "))]
        + plan.besides.map { ($0.role.identifier, "\($0.target)") })
    let rulesWatcher = try plan.watchRules()
    defer { rulesWatcher?.stop() }
    let middleware = plan.middleware.isEmpty ? nil : try MiddlewareChain(plan.middleware)
    try openRun(description, of: source)
    let watcher = ReplayWatcher(replayer, progress: plan.progress)
    watcher.start()
    defer { watcher.stop() }
    let capturedServers = plan.capturedServers
    var round: UInt32 = 0
    let outcome: ReplayOutcome
    do {
      outcome = try replayer.run(
        next: { wanted in
          func read() throws -> Exchange? {
            if wanted != round {
              source.rewind()
              round = wanted
            }
            guard let exchange = try source.next() else { return nil }
            try capturedServers.refuse(exchange)
            return exchange
          }
          guard let middleware else { return try read() }
          return try middleware.next(round: wanted, from: read)
        },
        deliver: { replayed in
          middleware?.tell(replayed)
          try self.deliver(&replayed)
          source.recycle(&replayed.exchange)
        })
    } catch {
      watcher.stop()
      _ = try? writer?.finish()
      switch error {
      case .sessionFailed(let failure as CommandFailure), .deliveryFailed(let failure as CommandFailure): throw failure
      default: throw CommandFailure("\(error)")
      }
    }
    watcher.stop()
    middleware?.finish()
    for sentence in middleware?.sentences ?? [] { StandardError.say(sentence, .warning) }
    source.reportDamage()
    var facts = RunFacts(
      description: description, pacing: plan.options.pacing.description, outcome: outcome,
      asked: plan.asked(of: source.total))
    facts.judge(outcome, plan)
    try finishRun(facts, ledger: source.ledger)
    let report = facts.report(from: analysis, ledger: source.ledger, gates: plan.gates)
    for (path, format) in plan.reports {
      try ReportFile.write(report, to: path, as: format, runFile: plan.runFile ?? "RUN")
    }
    return report
  }

  private func deliver(_ replayed: inout ReplayedExchange) throws {
    rules.refresh(&analysis)
    let isAsRecorded = rules.hideSecrets(in: &replayed)
    rules.add(replayed, to: &analysis, isAsRecorded: isAsRecorded)
    observer?.count(replayed)
    guard let writer else { return }
    let ended = replayed.end ?? newestEnd
    if let block = encoder.append(replayed), !writer.put(block) { throw failedWriting() }
    guard ended.nanoseconds(since: newestEnd) > ReplaySession.sealInterval else { return }
    newestEnd = ended
    let age = ended.advanced(byNanoseconds: -ReplaySession.sealInterval)
    while let block = encoder.sealIfOlder(than: age) {
      if !writer.put(block) { throw failedWriting() }
    }
  }

  /// What a killed process loses of its run at most, in nanoseconds, while answers come.
  private static let sealInterval: Int64 = 1_000_000_000

  // MARK: The run file

  private func openRun(_ description: RunDescription, of source: ExchangeSource) throws {
    guard let path = plan.runFile else { return }
    do {
      let writer = try SessionWriter(
        path == "-"
          ? .descriptor(STDOUT_FILENO, name: "standard output") : .path(path, overwrite: plan.overwrite),
        kind: .run, created: description.started, key: plan.runKey)
      _ = writer.put(.metadata(RunFacts.metadata(description, plan, session: source.identity)))
      self.writer = writer
    } catch { throw CommandFailure("\(error)") }
  }

  private func finishRun(_ facts: RunFacts, ledger: Ledger?) throws {
    guard let writer else { return }
    while let block = encoder.sealBlock() {
      if !writer.put(block) { throw failedWriting() }
    }
    do { try writer.finish(ledger: ledger, metadata: facts.outcomeMetadata) } catch { throw CommandFailure("\(error)") }
  }

  private func failedWriting() -> CommandFailure {
    CommandFailure(writer?.problem.map { "\($0)" } ?? "the run could not be written")
  }

  /// 48 random bits after the date: unique enough to find in another system's logs.
  static func newRunID() -> String {
    let day = "\(Timestamp(nanoseconds: wallNow()))".prefix(10).filter { $0 != "-" }
    let random = String(UInt64.random(in: 0..<(1 << 48)), radix: 16)
    return day + "-" + String(repeating: "0", count: 12 - random.count) + random
  }
}

/// Looks at a running replay four times a second: shows how far it is, and hands a signal on.
final class ReplayWatcher: Sendable {
  private let replayer: Replayer
  private let mode: ProgressMode
  private let ended = Atomic<Bool>(false)
  private let thread = Mutex<pthread_t?>(nil)

  init(_ replayer: Replayer, progress: ProgressMode) {
    self.replayer = replayer
    mode = progress
  }

  func start() {
    var identifier = pthread_t()
    let context = Unmanaged.passRetained(self)
    let status = pthread_create(
      &identifier, nil,
      { argument in
        Unmanaged<ReplayWatcher>.fromOpaque(argument!).takeRetainedValue().watch()
        return nil
      }, context.toOpaque())
    if status == 0 { thread.withLock { $0 = identifier } } else { context.release() }
  }

  /// Takes the live line away; more than once does nothing more.
  func stop() {
    ended.store(true, ordering: .relaxed)
    if let thread = thread.withLock({ $0.take() }) { pthread_join(thread, nil) }
  }

  private func watch() {
    var line = ProgressLine(mode)
    var isInterrupted = false
    while !ended.load(ordering: .relaxed) {
      if Interruption.isRequested, !isInterrupted {
        isInterrupted = true
        replayer.interrupt()
      }
      let progress = replayer.progress
      line.show(
        "\(grouped(progress.sent)) sent  \(grouped(progress.answered)) answered  \(grouped(progress.failed)) failed  "
          + "\(progress.inFlight) in flight  lag \(shortDuration(progress.lag))"
          + (progress.breakersOpen > 0 ? "  BREAKER OPEN" : "") + progress.besidesText, now: monotonicNow())
      usleep(50_000)
    }
    line.clear()
  }
}
