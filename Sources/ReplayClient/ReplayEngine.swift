import HTTPModel
import NIOCore
import NIOPosix
import ReplaySchedule

/// Carries out a plan on the event loop: releases requests when they are due, keeps the caps, ends the run.
///
/// Planned requests in, ended ones out, both through the ``Handover``; confined to the event loop. It holds what the
/// reading thread lets in and one entry for each open connection. Time is one timer: it fires when the next request is
/// due or when the connections' deadlines are looked through, whichever is first.
///
/// What changes with each request is kept without checks of exclusive access: one thread touches it, and what changes one
/// of these values (a queue, a count) calls nothing that could come back to it before it is done.
final class ReplayEngine {
  enum Phase { case running, draining, over }

  /// What waits for a time of its own.
  enum Delayed {
    /// A delayed request, or one that is tried again.
    case send(PlannedRequest)
    /// A throttled connection that may go on.
    case move(any TargetConnection)
    /// A request that waits for others' answers.
    case held(PlannedRequest)
  }

  let role: AttemptRole
  /// Which of the run's sides it is; and those, where there are several.
  let side: Int
  weak var sides: ReplaySides?
  let options: ReplayOptions
  let clock: RunClock
  let handover: Handover
  let memory: HeldMemory
  let targets: [TargetState]
  @exclusivity(unchecked) var balancer: TargetBalancer
  let eventLoop: any EventLoop
  let publish: (ReplayProgress) -> Void
  let recordedConnections: Bool
  /// Nothing is due at any time.
  let isUnpaced: Bool

  @exclusivity(unchecked) var phase = Phase.running
  var start: Int64
  var end = ReplayOutcome.End.finished
  /// When sending stops, or, while draining, when answers are given up.
  @exclusivity(unchecked) var stopTime = Int64.max
  @exclusivity(unchecked) var counts: ReplayOutcome
  /// By raw value of the outcome.
  @exclusivity(unchecked) var outcomes = [UInt64](repeating: 0, count: AttemptOutcome.allCases.count)
  @exclusivity(unchecked) var latestEnd: Int64
  @exclusivity(unchecked) var latestLag: Int64 = 0
  @exclusivity(unchecked) var latestFailure: AttemptOutcome?

  /// Planned and not yet due; without due times, not yet needed.
  @exclusivity(unchecked) var upcoming = CircularBuffer<PlannedRequest>(initialCapacity: 1024)
  @exclusivity(unchecked) var isPlanComplete = false
  /// Due and not yet on their way.
  @exclusivity(unchecked) var waiting = 0
  @exclusivity(unchecked) var inFlight = 0
  @exclusivity(unchecked) var ended: [PlannedRequest] = []
  @exclusivity(unchecked) var later = DelayQueue<Delayed>()
  /// What requests that need others' answers wait for.
  @exclusivity(unchecked) var answers = AnswerBoard()
  /// Caps of single routes, and the shortest time that one of them leaves to an attempt.
  @exclusivity(unchecked) var gates: RouteGates
  @exclusivity(unchecked) var shortestRouteTimeout = Int64.max
  /// Of the waits before requests are tried again.
  var random = SplitMix64(seed: UInt64.random(in: 0 ... .max))
  /// Until when nothing is sent because every target is left alone.
  @exclusivity(unchecked) var resumeTime = Int64.min
  /// What kept requests from being sent, and when last.
  @exclusivity(unchecked) var blockedBy = LagCause.generator
  @exclusivity(unchecked) var blockedTime = Int64.min
  /// CPU time of this thread when the schedule started.
  var startThreadTime: Int64 = 0

  /// ``ReplayOptions/Connections/recorded``: lanes by key, and those that wait for a cap, in turn.
  @exclusivity(unchecked) var lanes: [UInt64: Lane] = [:]
  @exclusivity(unchecked) var ready = CircularBuffer<Lane>(initialCapacity: 64)
  @exclusivity(unchecked) var releasedRound: UInt32 = 0
  /// ``ReplayOptions/Connections/pool(_:)``: what the targets' free lanes take from.
  @exclusivity(unchecked) var poolQueue = CircularBuffer<PlannedRequest>(initialCapacity: 64)

  /// Open connections by ``TargetConnection/slot``, and how many more are being made.
  @exclusivity(unchecked) var connections: [any TargetConnection] = []
  @exclusivity(unchecked) var connecting = 0
  let connectionLimit: Int

  private var timer: NIOScheduledCallback?
  @exclusivity(unchecked) private var alarm = Alarm()
  @exclusivity(unchecked) private var nextScan: Int64 = 0
  @exclusivity(unchecked) var isDispatching = false
  /// Attempts that have ended since others could take their places; and whether these will be let soon.
  @exclusivity(unchecked) var freed = 0
  @exclusivity(unchecked) var goesOnSoon = false
  /// What was written is not handed to the system before all that came with it is read.
  @exclusivity(unchecked) var isReading = false
  @exclusivity(unchecked) private var unflushed: [any TargetConnection] = []

  init(
    role: AttemptRole, side: Int, options: ReplayOptions, clock: RunClock, handover: Handover, memory: HeldMemory,
    targets: [TargetState],
    balancer: TargetBalancer, eventLoop: any EventLoop, connectionLimit: Int,
    publish: @escaping (ReplayProgress) -> Void
  ) {
    self.role = role
    self.side = side
    self.options = options
    self.clock = clock
    self.handover = handover
    self.memory = memory
    self.targets = targets
    self.balancer = balancer
    self.eventLoop = eventLoop
    self.connectionLimit = connectionLimit
    self.publish = publish
    recordedConnections = options.connections == .recorded
    isUnpaced = options.pacing == .maximum
    gates = RouteGates(share: options.threads > 1 ? EvenShare(side, of: options.threads) : .whole)
    start = clock.now
    latestEnd = start
    counts = ReplayOutcome(started: clock.timestamp(start), ended: clock.timestamp(start), end: .finished)
  }
}

// MARK: - From outside

extension ReplayEngine {
  /// Lets the schedule start at a time of the clock, which is now. Nothing is sent before ``planHasGrown()``.
  func begin(at now: Int64) {
    guard phase == .running else { return }
    start = now
    latestEnd = start
    startThreadTime = clock.threadTime
    counts.started = clock.timestamp(start)
    if let duration = options.duration { stopTime = start &+ min(duration, Pacing.horizon) }
  }

  /// The plan has grown, or is complete.
  func planHasGrown() { if phase != .over { wake() } }

  /// Stops sending; what is in flight has `grace` nanoseconds.
  func stop(_ reason: ReplayOutcome.End, grace: Int64) {
    guard phase == .running else { return }
    phase = .draining
    end = reason
    handover.stopSending()
    stopTime = grace < Int64.max ? clock.now &+ grace : .max
    let withheld: WithheldReason = reason == .duration ? .durationOver : .interrupted
    // Without due times nothing that was read ahead was due.
    if !isUnpaced, waiting > 0 {
      counts.skipped[withheld, default: 0] += UInt64(waiting)
      counts.planned += UInt64(waiting)
    }
    waiting = 0
    upcoming.removeAll()
    poolQueue.removeAll()
    ready.removeAll()
    answers.removeAll()
    gates.removeWaiting()
    for lane in lanes.values {
      lane.queue.removeAll()
      if lane.state == .ready { lane.state = .idle }
    }
    giveUpDelayed(withheld, now: clock.now)
    wake()
  }
}

// MARK: - Time

extension ReplayEngine: NIOScheduledCallbackHandler {
  func handleScheduledCallback(eventLoop: some EventLoop) {
    guard alarm.fired(now: clock.now) else { return }
    timer = nil
    if phase != .over { wake() }
  }

  /// Does everything whose time has come, and sets the timer for the rest.
  private func wake() {
    var now = clock.now
    if phase == .running, now >= stopTime {
      stop(.duration, grace: .max)
      return
    }
    while let delayed = later.take(at: now) {
      switch delayed {
      case .send(let request): resume(request, now: now)
      case .move(let connection): connection.moveOn(now: now)
      case .held(let request): holdLimitPassed(request, now: now)
      }
    }
    if phase == .running { release(now) }
    dispatch()
    flushAll()
    now = clock.now
    if now >= nextScan { scan(now) }
    if endIfDone() { return }
    setTimer(now)
  }

  /// Does this when its time has come.
  func postpone(_ delayed: Delayed, until time: Int64) {
    later.add(delayed, at: time)
    if time < alarm.time { setTimer(clock.now) }
  }

  /// Nanoseconds between two looks at the connections' deadlines while something is in flight, and while nothing is.
  private var scanInterval: Int64 {
    inFlight > 0 || !ended.isEmpty ? max(1_000_000, min(10_000_000, shortestTimeout / 10)) : 250_000_000
  }

  private var shortestTimeout: Int64 { min(options.timeout, options.firstByteTimeout ?? .max, shortestRouteTimeout) }

  /// Timers closer together than this are not worth their price; a request is rather sent so much late. Spinning until
  /// a request is due instead would gain some 30 µs of the median and cost a quarter of a core at 5,000 requests/s.
  private static let timerGrain: Int64 = 50_000

  private func setTimer(_ now: Int64) {
    if phase == .over { return }
    var time = min(nextScan, later.nextTime)
    if resumeTime > now { time = min(time, resumeTime) }
    if phase == .running {
      // Either there is something to wait for, or the handover tells when there is.
      if upcoming.isEmpty { refill() }
      if let due = upcoming.first?.due { time = min(time, start &+ due) }
    }
    time = max(min(time, stopTime), now &+ ReplayEngine.timerGrain)
    guard alarm.set(time, now: now) else { return }
    timer?.cancel()
    // The clock of NIODeadline is the run's clock, CLOCK_MONOTONIC.
    timer = try? eventLoop.assumeIsolated().scheduleCallback(
      at: .uptimeNanoseconds(UInt64(time)), handler: self)
  }

  func cancelTimer() {
    timer?.cancel()
    timer = nil
  }

  private func scan(_ now: Int64) {
    if phase == .draining, now >= stopTime {
      for connection in connections { connection.interrupt(now: now) }
    }
    let isLastRound = isPlanComplete && upcoming.isEmpty
    // A connection that closes gives its place to the last one, which this order has seen already.
    for index in connections.indices.reversed() where index < connections.count {
      let connection = connections[index]
      if connection.deadline <= now {
        connection.deadlinePassed(now: now)
      } else if recordedConnections, connection.isIdle, let lane = connection.lane, lane.state == .idle,
        isLastRound || lane.key >> 32 < releasedRound
      {
        connection.close()
      }
    }
    if !ended.isEmpty { handBack() }
    publishProgress()
    nextScan = now &+ scanInterval
  }

  /// Requests that go out together on a connection go in one write.
  func flushSoon(_ connection: any TargetConnection) { unflushed.append(connection) }

  func flushAll() {
    guard !unflushed.isEmpty, !isReading, !isDispatching else { return }
    let connections = unflushed
    unflushed.removeAll(keepingCapacity: true)
    for connection in connections { connection.flush() }
  }

  func countReset() { counts.faults["reset", default: 0] += 1 }

  func publishProgress() {
    var progress = ReplayProgress()
    progress.planned = counts.planned + UInt64(waiting)
    progress.sent = counts.sent
    progress.answered = outcomes[Int(AttemptOutcome.answered.rawValue)]
    progress.failed = outcomes.reduce(0, +) - progress.answered
    progress.inFlight = UInt64(inFlight)
    progress.waiting = UInt64(waiting)
    progress.openConnections = UInt64(connections.count)
    progress.breakersOpen = UInt64(targets.filter { $0.outcome.endedOpen }.count)
    progress.lag = latestLag
    progress.latestFailure = latestFailure
    publish(progress)
  }
}
