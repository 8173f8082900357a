import HTTPModel
import NIOCore
import NIOPosix
import ReplaySchedule

/// Carries out a plan on the event loop: releases requests when they are due, keeps the caps, ends the run.
///
/// Planned requests in, ended ones out, both through the ``Handover``; confined to the event loop. It holds what the
/// reading thread lets in and one entry for each open connection. Time is one timer: it fires when the next request is
/// due or when the connections' deadlines are looked through, whichever is first.
final class ReplayEngine {
  enum Phase { case running, draining, over }

  let options: ReplayOptions
  let clock: RunClock
  let handover: Handover
  let memory: HeldMemory
  var composer: RequestComposer
  let dialer: Dialer
  private let eventLoop: any EventLoop
  private let publish: (ReplayProgress) -> Void
  private let recordedConnections: Bool

  /// Where a request is put together; its storage is used again as soon as the kernel has the bytes.
  var output = ByteBuffer()

  private var phase = Phase.running
  private var start: Int64 = 0
  private var end = ReplayOutcome.End.finished
  /// When sending stops, or, while draining, when answers are given up.
  private var stopTime = Int64.max
  private var counts: ReplayOutcome
  private var latestEnd: Int64 = 0
  private var latestLag: Int64 = 0
  private var latestFailure: AttemptOutcome?

  /// Planned and not yet due; without due times, not yet needed.
  private var upcoming = CircularBuffer<PlannedRequest>(initialCapacity: 1024)
  private var isPlanComplete = false
  /// Due and not yet on their way.
  private var waiting = 0
  private var inFlight = 0
  private var ended: [PlannedRequest] = []

  /// ``ReplayOptions/Connections/recorded``: lanes by key, and those that wait for a cap, in turn.
  private var lanes: [UInt64: Lane] = [:]
  private var ready = CircularBuffer<Lane>(initialCapacity: 64)
  private var releasedRound: UInt32 = 0
  /// ``ReplayOptions/Connections/pool(_:)``: lanes without a request, and the requests that they take from.
  private var freeLanes: [Lane] = []
  private var poolQueue = CircularBuffer<PlannedRequest>(initialCapacity: 64)

  /// Open connections by ``TargetConnection/slot``, and how many more are being made.
  private var connections: [TargetConnection] = []
  private var connecting = 0
  private let connectionLimit: Int

  private var timer: NIOScheduledCallback?
  private var timerTime = Int64.max
  private var nextScan: Int64 = 0
  private var isDispatching = false

  init(
    options: ReplayOptions, clock: RunClock, handover: Handover, memory: HeldMemory, composer: RequestComposer,
    dialer: Dialer, eventLoop: any EventLoop, connectionLimit: Int, publish: @escaping (ReplayProgress) -> Void
  ) {
    self.options = options
    self.clock = clock
    self.handover = handover
    self.memory = memory
    self.composer = composer
    self.dialer = dialer
    self.eventLoop = eventLoop
    self.connectionLimit = connectionLimit
    self.publish = publish
    recordedConnections = options.connections == .recorded
    let now = clock.timestamp(clock.now)
    counts = ReplayOutcome(started: now, ended: now, end: .finished)
    if case .pool(let size) = options.connections {
      freeLanes = (0..<size).reversed().map { Lane(key: UInt64($0)) }
    }
  }
}

// MARK: - From outside

extension ReplayEngine {
  /// Starts the schedule; the first requests should be planned.
  func begin() {
    guard phase == .running else { return }
    start = clock.now
    latestEnd = start
    counts.started = clock.timestamp(start)
    if let duration = options.duration { stopTime = start &+ min(duration, Pacing.horizon) }
    wake()
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
    // Without due times nothing that was read ahead was due.
    if options.pacing != .maximum {
      counts.skipped[reason == .duration ? .durationOver : .interrupted, default: 0] += UInt64(waiting)
      counts.planned += UInt64(waiting)
    }
    waiting = 0
    upcoming.removeAll()
    poolQueue.removeAll()
    ready.removeAll()
    for lane in lanes.values {
      lane.queue.removeAll()
      if lane.state == .ready { lane.state = .idle }
    }
    wake()
  }
}

// MARK: - Time

extension ReplayEngine: NIOScheduledCallbackHandler {
  func handleScheduledCallback(eventLoop: some EventLoop) {
    timer = nil
    timerTime = .max
    if phase != .over { wake() }
  }

  /// Does everything whose time has come, and sets the timer for the rest.
  private func wake() {
    var now = clock.now
    if phase == .running, now >= stopTime {
      stop(.duration, grace: .max)
      return
    }
    if phase == .running { release(now) }
    dispatch()
    now = clock.now
    if now >= nextScan { scan(now) }
    if endIfDone() { return }
    setTimer(now)
  }

  /// Nanoseconds between two looks at the connections' deadlines while something is in flight, and while nothing is.
  private var scanInterval: Int64 {
    inFlight > 0 || !ended.isEmpty ? max(1_000_000, min(10_000_000, options.timeout / 10)) : 250_000_000
  }

  /// Timers closer together than this are not worth their price; a request is rather sent so much late.
  private static let timerGrain: Int64 = 50_000

  private func setTimer(_ now: Int64) {
    var time = nextScan
    if phase == .running {
      // Either there is something to wait for, or the handover tells when there is.
      if upcoming.isEmpty { refill() }
      if let due = upcoming.first?.due { time = min(time, start &+ due) }
    }
    time = max(min(time, stopTime), now &+ ReplayEngine.timerGrain)
    guard time < timerTime || timerTime <= now else { return }
    timer?.cancel()
    timerTime = time
    // The clock of NIODeadline is the run's clock, CLOCK_MONOTONIC.
    timer = try? eventLoop.assumeIsolated().scheduleCallback(
      at: .uptimeNanoseconds(UInt64(time)), handler: self)
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

  private func publishProgress() {
    var progress = ReplayProgress()
    progress.planned = counts.planned + UInt64(waiting)
    progress.sent = counts.sent
    progress.answered = counts.attempts[.answered] ?? 0
    progress.failed = counts.attempts.values.reduce(0, +) - progress.answered
    progress.inFlight = UInt64(inFlight)
    progress.waiting = UInt64(waiting)
    progress.openConnections = UInt64(connections.count)
    progress.lag = latestLag
    progress.latestFailure = latestFailure
    publish(progress)
  }
}

// MARK: - The plan

extension ReplayEngine {
  /// Below this many upcoming requests more are taken from the handover.
  private static let lowWater = 256

  private func refill() {
    guard upcoming.count < ReplayEngine.lowWater, !isPlanComplete else { return }
    let (planned, isOver) = handover.takePlanned()
    isPlanComplete = isOver
    upcoming.append(contentsOf: planned)
    // The reading thread may be waiting for room, and only what has ended makes it.
    if upcoming.isEmpty, !ended.isEmpty { handBack() }
  }

  /// Moves what is due to where it waits for its connection.
  private func release(_ now: Int64) {
    refill()
    while let request = upcoming.first {
      if let due = request.due {
        guard start &+ due <= now else { return }
        request.scheduled = start &+ due
      } else if !recordedConnections {
        // Taken as lanes become free.
        return
      }
      upcoming.removeFirst()
      waiting += 1
      if recordedConnections { queueOnLane(request) } else { poolQueue.append(request) }
    }
  }

  private func queueOnLane(_ request: PlannedRequest) {
    releasedRound = request.round
    let lane: Lane
    if let known = lanes[request.connectionKey] {
      lane = known
    } else {
      lane = Lane(key: request.connectionKey)
      lanes[lane.key] = lane
    }
    lane.queue.append(request)
    if lane.state == .idle {
      lane.state = .ready
      ready.append(lane)
    }
  }

  /// Sends what waits, as far as the caps allow.
  private func dispatch() {
    // Ending an attempt asks for the next; an attempt that fails at once must not nest without end.
    guard !isDispatching else { return }
    isDispatching = true
    defer { isDispatching = false }
    // An interrupt holds from the moment it is asked for, not from when this loop comes to it.
    while phase == .running, inFlight < options.concurrency, !handover.isStopping {
      let now = clock.now
      if now >= stopTime { return }
      if recordedConnections {
        if ready.isEmpty, options.pacing == .maximum { release(now) }
        guard let lane = ready.first, makeRoom(for: lane) else { return }
        ready.removeFirst()
        waiting -= 1
        start(lane.queue.removeFirst(), on: lane, now: now)
      } else {
        guard !freeLanes.isEmpty, let request = nextOfPool() else { return }
        start(request, on: freeLanes.removeLast(), now: now)
      }
    }
  }

  private func nextOfPool() -> PlannedRequest? {
    if !poolQueue.isEmpty {
      waiting -= 1
      return poolQueue.removeFirst()
    }
    guard options.pacing == .maximum else { return nil }
    refill()
    return upcoming.isEmpty ? nil : upcoming.removeFirst()
  }

  private func start(_ request: PlannedRequest, on lane: Lane, now: Int64) {
    if request.due == nil { request.scheduled = now }
    counts.planned += 1
    counts.rounds = max(counts.rounds, request.round + 1)
    inFlight += 1
    lane.state = .busy
    request.lane = lane
    if let connection = lane.connection { connection.send(request, now: now) } else { open(lane, for: request) }
  }
}

// MARK: - Connections

extension ReplayEngine {
  /// Whether `lane` has a connection or may open one; closes some that are idle where that is what it takes.
  private func makeRoom(for lane: Lane) -> Bool {
    if lane.connection != nil || connections.count + connecting < connectionLimit { return true }
    var idle = connections.filter { $0.isIdle }
    guard !idle.isEmpty else { return false }
    idle.sort { $0.idleSince < $1.idleSince }
    // A share of them at once, so that the sorting is rare.
    for connection in idle.prefix(max(1, idle.count / 16)) { connection.close() }
    return true
  }

  private func open(_ lane: Lane, for request: PlannedRequest) {
    connecting += 1
    let connection = TargetConnection(engine: self, lane: lane)
    dialer.connect(connection) { [self] failure in
      connecting -= 1
      let now = clock.now
      if let failure {
        end(request, failure, response: nil, now: now)
      } else if request.lane == nil || phase != .running && end == .interrupted {
        connection.abandon()
        end(request, .interrupted, response: nil, now: now)
      } else {
        counts.connectionsOpened += 1
        connection.slot = connections.count
        connections.append(connection)
        lane.connection = connection
        connection.send(request, now: now)
      }
    }
  }

  /// A connection has let go of its lane.
  func didClose(_ connection: TargetConnection, of lane: Lane) {
    let slot = connection.slot
    guard slot >= 0 else { return }
    connection.slot = -1
    let last = connections.removeLast()
    if last !== connection {
      connections[slot] = last
      last.slot = slot
    }
    if recordedConnections, lane.state == .idle { lanes[lane.key] = nil }
  }

  /// A kept connection was closed without a byte of an answer. A safe request goes once more, on a connection of its
  /// own: the target closed an idle connection and most likely never saw it (RFC 9112, 9.3.1).
  func connectionWasDead(_ request: PlannedRequest, now: Int64) {
    guard phase == .running, !request.isResent, request.request.isSafe, let lane = request.lane else {
      end(request, .connectionReset, response: nil, now: now)
      return
    }
    request.isResent = true
    counts.resent += 1
    open(lane, for: request)
  }
}

// MARK: - Attempts

extension ReplayEngine {
  /// More than this late counts as late, in nanoseconds.
  private static let lateness: Int64 = 10_000_000

  /// The first bytes of a request are about to be handed to the kernel.
  func didSend(_ request: PlannedRequest, bytes: Int) {
    counts.bytesSent &+= UInt64(bytes)
    if request.isResent { return }
    counts.sent += 1
    guard request.due != nil else { return }
    latestLag = request.sent &- request.scheduled
    counts.largestLag = max(counts.largestLag, latestLag)
    if latestLag > ReplayEngine.lateness { counts.late += 1 }
  }

  func didReceive(bytes: Int) { counts.bytesReceived &+= UInt64(bytes) }

  /// The attempt is over: keeps it, and lets its lane go on.
  func end(_ request: PlannedRequest, _ outcome: AttemptOutcome, response: HTTPResponse?, now: Int64) {
    guard let lane = request.lane, let exchange = request.exchange?.id else { return }
    request.lane = nil
    request.attempt = Attempt(
      exchange: exchange, round: request.round, target: options.targetIndex,
      scheduled: clock.timestamp(request.scheduled), sent: request.sent == 0 ? nil : clock.timestamp(request.sent),
      firstByte: request.firstByte == 0 ? nil : clock.timestamp(request.firstByte), end: clock.timestamp(now),
      outcome: outcome, response: response)
    counts.attempts[outcome, default: 0] += 1
    if outcome != .answered { latestFailure = outcome }
    latestEnd = max(latestEnd, now)
    inFlight -= 1
    ended.append(request)
    if ended.count >= ReplayEngine.batch { handBack() }
    leave(lane, after: request)
    dispatch()
    _ = endIfDone()
  }

  /// Ended requests that are worth waking the reading thread for.
  private static let batch = 128

  private func leave(_ lane: Lane, after request: PlannedRequest) {
    if !recordedConnections {
      lane.state = .idle
      freeLanes.append(lane)
    } else if lane.queue.isEmpty {
      lane.state = .idle
      if lane.connection == nil { lanes[lane.key] = nil }
    } else {
      lane.state = .ready
      ready.append(lane)
    }
  }

  private func handBack() {
    handover.end(ended)
    ended.removeAll(keepingCapacity: true)
  }

  /// Ends the run where nothing is left to do.
  private func endIfDone() -> Bool {
    guard phase != .over, inFlight == 0 else { return phase == .over }
    guard phase == .draining || isPlanComplete && upcoming.isEmpty && waiting == 0 else { return false }
    phase = .over
    timer?.cancel()
    timer = nil
    while let connection = connections.last { connection.close() }
    publishProgress()
    counts.end = end
    counts.ended = clock.timestamp(latestEnd)
    handover.end(ended, outcome: counts)
    ended = []
    return true
  }
}
