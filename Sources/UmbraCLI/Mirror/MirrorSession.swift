// Carries out a mirror: a live capture, and a replay of what it sees while it sees it.
//
// In: a plan. Out: a session file where that is wanted, reports, a verdict. The capture has the threads that it always
// has; one more feeds the shadow and compares, and its event loop has one. Between the two stands MirrorIntake: whatever
// the shadow does, the capture goes on as if there were none.

import Glibc
import HTTPModel
import ReplayClient
import ResponseDiff
import Synchronization
import Telemetry

struct MirrorSession {
  struct Result {
    var capture: CaptureSummary
    var report: RunReport
    /// Of all windows.
    var worst: Verdict.Outcome
  }

  private var plan: MirrorPlan
  private let runID = ReplaySession.newRunID()

  init(_ plan: MirrorPlan) {
    self.plan = plan
    self.plan.replay.options.marker = plan.replay.marker.marker(runID: runID)
    self.plan.replay.options.idempotencyRun = plan.replay.rewritesIdempotencyKeys ? runID : nil
    self.plan.replay.options.replacedFields = plan.replay.observation?.replacedFields
  }

  func run() throws -> Result {
    let replayer = try preparedReplayer()
    let feeder = MirrorFeeder(plan, replayer: replayer, description: description)
    var capture = plan.capture
    capture.mirror = feeder.intake
    let session = CaptureSession(capture)
    let summary: CaptureSummary
    do { summary = try session.run() } catch {
      replayer.interrupt()
      _ = try? feeder.finish()
      throw error
    }
    guard let (report, worst) = try feeder.finish() else {
      throw CommandFailure("nothing was captured: the interface was never there", status: .inconclusive)
    }
    return Result(capture: summary, report: report, worst: worst)
  }

  /// A shadow that is not there yet is no reason not to begin; a wrong name is.
  private func preparedReplayer() throws -> Replayer {
    let replayer = Replayer(targets: plan.replay.targets, options: plan.replay.options)
    do {
      try replayer.prepare()
      return replayer
    } catch .targetUnreachable(let target, let address, let reason) {
      StandardError.say(
        "\(target) (\(address)) can't be reached now: \(reason); requests are sent to it nevertheless", .warning)
      var options = plan.replay.options
      options.checksTarget = false
      return Replayer(targets: plan.replay.targets, options: options)
    } catch { throw CommandFailure("\(error)") }
  }

  private var description: RunDescription {
    RunDescription(
      id: runID, started: Timestamp(nanoseconds: wallNow()), session: plan.capture.origin.description,
      targets: plan.replay.targets.map { "\($0.target)" }, toolVersion: umbraVersion, command: CommandLine.arguments)
  }
}

/// The thread that feeds the shadow, from the capture's beginning to the last answer.
private final class MirrorFeeder: Sendable {
  private struct State {
    var thread: BackgroundThread?
    var judge: MirrorJudge?
    var result: Swift.Result<ReplayOutcome, ReplayError>?
  }

  let intake: MirrorIntake
  private let plan: MirrorPlan
  private let replayer: Replayer
  private let state: Mutex<State>

  init(_ plan: MirrorPlan, replayer: Replayer, description: RunDescription) {
    self.plan = plan
    self.replayer = replayer
    let starting = Starting()
    state = Mutex(State())
    intake = MirrorIntake(
      limit: plan.queueLimit, marker: plan.replay.options.marker?.name, targets: plan.targetAddresses,
      wake: { replayer.wake() }, start: { try starting.body.withLock { $0 }?($0) })
    starting.body.withLock { body in
      body = { [weak self] ledger in try self?.start(description, ledger) }
    }
  }

  /// What is done at the capture's beginning; set once the feeder is there.
  private final class Starting: Sendable {
    let body = Mutex<(@Sendable (@escaping @Sendable () -> Ledger) throws -> Void)?>(nil)
  }

  private func start(_ description: RunDescription, _ ledger: @escaping @Sendable () -> Ledger) throws {
    let judge = MirrorJudge(plan, intake: intake, description: description, replayer: replayer, ledger: ledger)
    plan.replay.observation?.add { [intake] in MirrorFeeder.families(intake, judge) }
    let thread = try BackgroundThread { [self] in
      let result: Swift.Result<ReplayOutcome, ReplayError>
      do throws(ReplayError) {
        result = .success(try replayer.run(live: { judge.next(hasRoom: $0) }, deliver: { judge.deliver(&$0) }))
      } catch { result = .failure(error) }
      state.withLock { $0.result = result }
    }
    state.withLock { ($0.thread, $0.judge) = (thread, judge) }
  }

  /// The capture has ended: lets what was sent be answered, then reports.
  /// - Returns: nil where the capture never began.
  func finish() throws -> (report: RunReport, worst: Verdict.Outcome)? {
    intake.close()
    guard
      let (thread, judge) = state.withLock({ state in
        state.thread.flatMap { thread in state.judge.map { (thread, $0) } }
      })
    else { return nil }
    let began = monotonicNow()
    // Whoever ends a mirror that is idle, or nearly so, has not cut anything off.
    let (soon, end) = (began + MirrorFeeder.lastMoment, began + plan.replay.options.timeout)
    while state.withLock({ $0.result == nil }) {
      let now = monotonicNow()
      if Interruption.isRequested && now > soon || now > end { replayer.interrupt() }
      usleep(10_000)
    }
    thread.join()
    switch state.withLock({ $0.result }) {
    case .success(let outcome)?: return (judge.finish(outcome), judge.worst)
    case .failure(let error)?: throw CommandFailure("\(error)")
    case nil: return nil
    }
  }

  /// Nanoseconds after the capture's end in which what was sent may be answered as if nobody had asked for an end.
  private static let lastMoment: Int64 = 300_000_000

  private static func families(_ intake: MirrorIntake, _ judge: MirrorJudge) -> [MetricFamily] {
    let (counts, figures) = (intake.counts, judge.figures.withLock { $0 })
    return [
      MetricFamily(
        .mirrorRequests,
        by: [
          ("accepted", counts.accepted), ("shed", counts.shed), ("looped", counts.looped),
          ("to-target", counts.toTarget),
        ]),
      MetricFamily(
        .mirrorPairs,
        by: [
          ("compared", figures.pairs.paired), ("without-answer", figures.pairs.withoutAnswer),
          ("without-attempt", figures.pairs.withoutAttempt), ("answer-shed", counts.answersShed),
        ]),
      MetricFamily(.mirrorQueueBytes, UInt64(intake.heldBytes)),
      MetricFamily(.mirrorWaitingPairs, UInt64(figures.waitingPairs)),
      MetricFamily(
        .mirrorWindows,
        by: ["pass", "fail", "inconclusive"].map { ($0, figures.verdicts[$0, default: 0]) }),
    ]
  }
}
