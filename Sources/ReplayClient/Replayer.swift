import Glibc
public import HTTPModel
import NIOCore
import NIOPosix
import ReplaySchedule
import Synchronization

/// Sends a session's requests to one target or several as a schedule wants, and hands back what came. Where a primary and
/// a control are named they are sent the same requests at the same times.
///
/// The thread that calls ``run(next:closesConnection:deliver:)`` reads the session and takes the results, one event loop
/// on a thread of its own, or ``ReplayOptions/threads`` of them, does the network; a slow disk therefore delays no
/// request. They are joined by a bounded handover, so memory does not grow with the session.
public final class Replayer: Sendable {
  /// The shadow's, in the order of ``HTTPModel/Attempt/target``.
  public let targets: [WeightedTarget]
  public let primary: ReplayTarget?
  public let control: ReplayTarget?
  public let options: ReplayOptions
  let sides: [ReplaySide]

  struct State {
    var isInterrupted = false
    /// By side, where each target is and what its connections are made from, once that is known.
    var prepared: [[PreparedTarget]]?
    var running: Running?
    /// By side.
    var progress: [ReplayProgress]
    /// By side, what the plan withholds.
    var withheld: [UInt64]
  }

  /// What the event loops carry out.
  struct Running: Sendable {
    let loops: [(eventLoop: any EventLoop, sides: NIOLoopBound<ReplaySides>)]
    let handover: Handover
    let clock: RunClock

    /// Starts the schedule.
    /// - Returns: its start on the monotonic clock.
    func begin() -> Int64 {
      let start = clock.now
      execute { $0.begin(at: start) }
      return start
    }

    func stop(grace: Int64) {
      handover.stopSending()
      execute { $0.stop(.interrupted, grace: grace) }
    }

    func execute(_ body: @escaping @Sendable (ReplaySides) -> Void) {
      for (eventLoop, sides) in loops { eventLoop.execute { body(sides.value) } }
    }
  }

  let state: Mutex<State>

  public convenience init(target: ReplayTarget, options: ReplayOptions = ReplayOptions()) {
    self.init(targets: [WeightedTarget(target)], options: options)
  }

  /// - Parameters:
  ///   - targets: the shadow's. There is one, and no more than 65,535 of them.
  ///   - primary: whose answers the others are held against; nil where the recorded ones serve for that.
  ///   - control: a second instance of the primary.
  public init(
    targets: [WeightedTarget], primary: ReplayTarget? = nil, control: ReplayTarget? = nil,
    options: ReplayOptions = ReplayOptions()
  ) {
    precondition((1...Int(UInt16.max)).contains(targets.count), "a replay has a target")
    precondition(options.threads == 1 || primary == nil && control == nil, "threads share a shadow, and nothing else")
    self.targets = targets
    self.primary = primary
    self.control = control
    self.options = options
    sides = ReplaySide.all(shadow: targets, primary: primary, control: control, options: options)
    state = Mutex(
      State(
        progress: Array(repeating: ReplayProgress(), count: sides.count),
        withheld: Array(repeating: 0, count: sides.count)))
  }

  /// Checks the options, finds the targets' addresses and, with `options.checksTarget`, connects to each and closes.
  ///
  /// What is wrong is so told before anything is made for a run. ``run(next:closesConnection:deliver:)`` does it where
  /// it was not done.
  public func prepare() throws(ReplayError) {
    try options.validate()
    for target in sides.flatMap(\.targets) where !(1...10_000).contains(target.weight) {
      throw .optionOutOfRange(name: "weight", expected: "1 to 10000")
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    // It fails only where it was shut down before.
    defer { try? group.syncShutdownGracefully() }
    var prepared: [[PreparedTarget]] = []
    for (number, side) in sides.enumerated() {
      // Threads have the same targets.
      if number > 0, side.role == .shadow {
        prepared.append(prepared[0])
        continue
      }
      let preparation = TargetPreparation(options: side.options, eventLoop: group.next())
      var places: [PreparedTarget] = []
      for target in side.targets { places.append(try preparation.prepare(target.target)) }
      prepared.append(places)
    }
    state.withLock { $0.prepared = prepared }
  }

  /// Carries out the schedule; returns when the last attempt has ended and was delivered. Once for each instance.
  ///
  /// Raises the process's soft limit on open files to the hard one, for the connections.
  /// - Parameters:
  ///   - next: the session's exchanges of a round (from 0) in order of request start, one a call, nil at the end. The
  ///     first call with a new round begins again at the session's start. Called on this thread, ahead of sending.
  ///   - closesConnection: whether an exchange is the last of its recorded connection, where the caller knows; its
  ///     connection is then closed with it. Without it a connection closes after `options.idleTimeout`.
  ///   - deliver: takes each exchange that was attempted with one attempt for each role that was sent it, the shadow's
  ///     first, in the order in which the last of these attempts end. Called on this thread. What it leaves in it is
  ///     written over where nothing else refers to it. Withheld exchanges are only counted.
  /// - Throws: ``ReplayError`` before anything was sent where the options, the name or the target are at fault;
  ///   later only where `next` or `deliver` throws, after requests in flight were given up.
  public func run(
    next: (_ round: UInt32) throws -> Exchange?, closesConnection: (ExchangeID) -> Bool = { _ in false },
    deliver: (inout ReplayedExchange) throws -> Void
  ) throws(ReplayError) -> ReplayOutcome {
    try withEngine { running, memory throws(ReplayError) in
      try carryOut(running, memory: memory, next: next, closesConnection: closesConnection, deliver: deliver)
    }
  }

  /// Makes the event loop and what runs on it, and ends both after `body`.
  func withEngine(
    _ body: (Running, HeldMemory) throws(ReplayError) -> ReplayOutcome
  ) throws(ReplayError) -> ReplayOutcome {
    if state.withLock({ $0.prepared == nil }) { try prepare() }
    let connectionLimit =
      min(options.openConnections, raisedFileLimit() - Replayer.reservedFiles) / sides.count
    guard connectionLimit > 0 else { throw .systemFailure(reason: "the limit on open files (ulimit -n) is too low") }

    let group = MultiThreadedEventLoopGroup(numberOfThreads: options.threads)
    // It fails only where it was shut down before.
    defer { try? group.syncShutdownGracefully() }
    let handover = Handover(sides: sides.count)
    let memory = HeldMemory(limit: options.memoryLimit)
    let clock = RunClock()
    var loops: [(any EventLoop, NIOLoopBound<ReplaySides>)] = []
    for numbers in options.threads > 1 ? sides.indices.map({ [$0] }) : [Array(sides.indices)] {
      let eventLoop = group.next()
      let engines = try makeEngines(
        of: numbers, on: eventLoop, clock: clock, handover: handover, memory: memory, connectionLimit: connectionLimit)
      loops.append((eventLoop, engines))
    }
    let running = Running(loops: loops, handover: handover, clock: clock)
    state.withLock { state in
      state.running = running
      if state.isInterrupted { running.stop(grace: options.interruptGrace) }
    }
    defer { state.withLock { $0.running = nil } }
    return try body(running, memory)
  }

  /// Ends the run: nothing more is sent, answers have `options.interruptGrace` to come, the rest is `interrupted`.
  ///
  /// From any thread, at any time, any number of times; not from within a signal handler.
  public func interrupt() {
    state.withLock { state in
      state.isInterrupted = true
      // Under the lock, so that the event loop is still there.
      state.running?.stop(grace: options.interruptGrace)
    }
  }

  /// The counts of the moment, from any thread.
  public var progress: ReplayProgress {
    state.withLock { state in
      var progress = state.progress
      for side in sides.indices {
        progress[side].withheld = state.withheld[side]
        progress[side].planned += state.withheld[side]
        if side > 0, sides[side].role == .shadow {
          progress[0].add(progress[side])
        } else if side > 0 {
          progress[0].besides[sides[side].role] = progress[side]
        }
      }
      return progress[0]
    }
  }
}

extension Replayer {
  /// Requests planned before the schedule starts, so that it does not start late, and at a time afterwards.
  private static let firstBatch = 1024
  private static let batch = 128

  /// Enough for the event loop to go on with while this thread delivers.
  private static let leastReadAhead = 256

  /// Descriptors that stay for everything else in the process.
  private static let reservedFiles = 64

  /// The reading thread's part: reads ahead while there is room, takes and delivers what has ended.
  private func carryOut(
    _ running: Running, memory: HeldMemory, next: (UInt32) throws -> Exchange?, closesConnection: (ExchangeID) -> Bool,
    deliver: (inout ReplayedExchange) throws -> Void
  ) throws(ReplayError) -> ReplayOutcome {
    let handover = running.handover
    var plan = PlanReader(options: options, sides: sides.map(\.role))
    var delivery = Delivery(memory: memory)
    var (hasBegun, began) = (false, Int64(0))
    var failure: ReplayError?
    func fail(_ error: ReplayError) {
      failure = failure ?? error
      running.stop(grace: 0)
    }
    while true {
      let readAheadCount = readAheadCount(plan)
      let horizon = hasBegun ? horizon(began) : options.readAheadTime
      let isFarAhead = horizon.map { plan.latestDue > $0 } ?? false
      let reads =
        !plan.isOver && failure == nil && !handover.isStopping && !isFarAhead
        && (delivery.outstanding == 0 || delivery.outstanding < readAheadCount && memory.hasRoomToRead)
      if reads {
        var batch: [PlannedRequest] = []
        do {
          batch = try plan.read(
            limit: min(hasBegun ? Replayer.batch : Replayer.firstBatch, readAheadCount - delivery.outstanding),
            until: horizon, memory: memory, next: next, closesConnection: closesConnection)
        } catch { fail(.sessionFailed(error)) }
        // An exchange's parts count once.
        delivery.outstanding += batch.count { $0.side == 0 || $0.parts == 1 }
        delivery.equip(batch)
        let isLoopWaiting = handover.plan(batch, isSessionOver: plan.isOver)
        if !hasBegun {
          hasBegun = true
          began = running.begin()
        } else if isLoopWaiting {
          running.execute { $0.planHasGrown() }
        }
        publishWithheld(plan)
      }
      let (ended, outcomes) = handover.takeEnded(
        waits: !reads, atMost: isFarAhead && !plan.isOver ? plan.latestDue &- (horizon ?? 0) : nil)
      let error = delivery.take(ended, withRest: outcomes != nil, delivers: failure == nil, to: deliver)
      if let error { fail(.deliveryFailed(error)) }
      guard let outcomes else { continue }
      if let failure { throw failure }
      return outcome(outcomes, plan)
    }
  }

  /// How many requests are read and not delivered at most. Without due times no schedule is to be kept: what is read
  /// long before it is sent has left the caches when it is.
  private func readAheadCount(_ plan: PlanReader) -> Int {
    guard options.pacing == .maximum, case .pool(let size) = options.connections else { return options.readAheadCount }
    let overlaps = plan.hasHTTP2 || targets.contains { $0.target.scheme == .h2c }
    let inFlight = overlaps ? options.concurrency : min(options.concurrency, size * targets.count)
    return min(options.readAheadCount, max(Replayer.leastReadAhead, 2 * inFlight))
  }

  /// Up to which due time the session is read now, in nanoseconds from the schedule's start; nil for no such limit.
  private func horizon(_ began: Int64) -> Int64? {
    options.readAheadTime.map { (RunClock().now &- began).addingReportingOverflow($0).partialValue }
  }

  func publishWithheld(_ plan: PlanReader) {
    let withheld = ([plan.withheld] + plan.withheldBySide.dropFirst()).map { $0.values.reduce(0, +) }
    state.withLock { $0.withheld.replaceSubrange(withheld.indices, with: withheld) }
  }

  /// The sides' outcomes as one, with what the plan withheld.
  func outcome(_ outcomes: [ReplayOutcome], _ plan: PlanReader) -> ReplayOutcome {
    var outcomes = outcomes
    for (side, withheld) in ([plan.withheld] + plan.withheldBySide.dropFirst()).enumerated() {
      outcomes[side].skipped.merge(withheld, uniquingKeysWith: +)
      outcomes[side].planned += withheld.values.reduce(0, +)
    }
    for side in sides.indices.dropFirst() {
      if sides[side].role == .shadow {
        outcomes[0].add(outcomes[side])
      } else {
        outcomes[0].besides[sides[side].role] = outcomes[side]
      }
    }
    return outcomes[0]
  }

  /// - Parameter numbers: the sides that share the event loop.
  private func makeEngines(
    of numbers: [Int], on eventLoop: any EventLoop, clock: RunClock, handover: Handover, memory: HeldMemory,
    connectionLimit: Int
  ) throws(ReplayError) -> NIOLoopBound<ReplaySides> {
    let prepared = state.withLock { $0.prepared } ?? []
    do {
      return try eventLoop.submit { [self] in
        let engines = numbers.map { number in
          let side = sides[number]
          let states = prepared[number].enumerated().map { index, target in
            TargetState(
              target: target.target, index: index, options: side.options,
              dialer: target.dialer(side.options, on: eventLoop))
          }
          return ReplayEngine(
            role: side.role, side: number, options: side.options, clock: clock, handover: handover, memory: memory,
            targets: states, balancer: TargetBalancer(weights: side.targets.map(\.weight)), eventLoop: eventLoop,
            connectionLimit: connectionLimit,
            publish: { [self] progress in state.withLock { $0.progress[number] = progress } })
        }
        return NIOLoopBound(ReplaySides(engines), eventLoop: eventLoop)
      }.wait()
    } catch {
      throw .systemFailure(reason: "\(error)")
    }
  }

  /// Lets the process open as many files as it may.
  /// - Returns: how many that is.
  private func raisedFileLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = limit.rlim_max
      if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }
}
