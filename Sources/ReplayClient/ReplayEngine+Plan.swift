import HTTPModel
import NIOCore
import ReplaySchedule

// Without the import of NIOCore, append and removeFirst of its ring buffer mean the standard library's linear ones.
// From the plan to a connection: what is due waits in its lane, or for any lane of the pool, until the caps let it go.

extension ReplayEngine {
  /// Below this many upcoming requests more are taken from the handover. Without due times one is as good as many, and
  /// the handover is locked once for all that are there.
  private static let lowWater = 256

  func refill() {
    guard upcoming.count < (isUnpaced ? 1 : ReplayEngine.lowWater), !isPlanComplete else { return }
    let (planned, isOver) = handover.takePlanned(side: side)
    isPlanComplete = isOver
    upcoming.append(contentsOf: planned)
    // The reading thread may be waiting for room, and only what has ended makes it.
    if upcoming.isEmpty, waiting == 0, !ended.isEmpty { handBack() }
  }

  /// Moves what is due to where it waits for its connection.
  func release(_ now: Int64) {
    refill()
    while let request = upcoming.first {
      if let due = request.due {
        guard start &+ due <= now else { return }
        if let sides {
          sides.release(request, now: now)
          continue
        }
      } else if !recordedConnections {
        // Taken as lanes become free.
        return
      }
      releaseFirst(request, now: now)
    }
  }

  /// Sends, as far as it may, its part of an exchange that is due, and all before it.
  func release(through sequence: UInt64, now: Int64) {
    guard phase == .running else { return }
    refill()
    while let request = upcoming.first, request.sequence <= sequence { releaseFirst(request, now: now) }
    dispatch()
    flushAll()
  }

  private func releaseFirst(_ request: PlannedRequest, now: Int64) {
    if let due = request.due { request.scheduled = start &+ due }
    request.released = now
    upcoming.removeFirst()
    if isFarBehind {
      withhold(request, .fellBehind)
      return
    }
    waiting += 1
    if holdsAside(request, now: now) { return }
    if recordedConnections {
      queueOnLane(request)
    } else {
      request.ready = now
      poolQueue.append(request)
    }
  }

  /// So much more waits for this side than for another that reading would soon have to wait for it, and with that the
  /// others too; or so much that it would have to at once.
  private var isFarBehind: Bool {
    guard let sides, !isUnpaced else { return false }
    let limit = options.readAheadCount
    if waiting >= limit - limit / 8 { return true }
    guard waiting >= max(1, limit / 2) || waiting >= ReplayEngine.lowWater && memory.isScarce else { return false }
    let least = sides.engines.reduce(waiting) { min($0, $1.waiting) }
    return waiting - least >= waiting / 2
  }

  func queueOnLane(_ request: PlannedRequest) {
    releasedRound = max(releasedRound, request.round)
    let lane: Lane
    if let known = lanes[request.connectionKey] {
      lane = known
    } else {
      lane = Lane(key: request.connectionKey, overlaps: request.wasHTTP2)
      lanes[lane.key] = lane
    }
    lane.queue.append(request)
    if lane.state == .idle || lane.overlaps && lane.state == .busy && lane.queue.count == 1 && lane.maySend(request) {
      request.ready = request.released
      lane.state = .ready
      ready.append(lane)
    }
  }

  /// Sends what waits, as far as the caps and the breakers allow.
  func dispatch() {
    // Ending an attempt asks for the next; an attempt that fails at once must not nest without end.
    guard !isDispatching else { return }
    isDispatching = true
    defer { isDispatching = false }
    // An interrupt holds from the moment it is asked for, not from when this loop comes to it.
    while phase == .running, !handover.isStopping {
      guard inFlight < options.concurrency else { return block(.concurrency, clock.now) }
      let now = clock.now
      if now >= stopTime || now < resumeTime { return }
      guard recordedConnections ? dispatchLane(now) : dispatchFromPool(now) else { return }
    }
  }

  /// What keeps requests from being sent from now on.
  private func block(_ cause: LagCause, _ now: Int64) {
    blockedBy = cause
    blockedTime = now
  }

  /// - Returns: whether there may be more to send.
  private func dispatchLane(_ now: Int64) -> Bool {
    if ready.isEmpty, waiting - gates.waitingCount < ReplayEngine.lowWater, isUnpaced { release(now) }
    guard let lane = ready.first else { return false }
    guard isReleased(lane, now: now), hasRouteRoom(lane, now) else { return true }
    guard makeRoom(for: lane) else {
      block(.connections, now)
      return false
    }
    let target = target(for: lane, now)
    if target == nil, waitsForRecovery(now) { return false }
    ready.removeFirst()
    waiting -= 1
    let request = lane.queue.removeFirst()
    lane.state = .busy
    if let target {
      lane.target = target
      start(request, on: lane, now: now)
      if lane.overlaps { leave(lane, now: now) }
    } else {
      withhold(request, .breakerOpen)
      leave(lane, now: now)
    }
    return true
  }

  private func dispatchFromPool(_ now: Int64) -> Bool {
    guard let request = firstOfPool(now) else { return false }
    guard isReleasedInPool(request, now: now), hasRouteRoomInPool(request, now) else { return true }
    guard let place = placeInPool(request, now) else {
      block(.connections, now)
      return false
    }
    if place == .nowhere, waitsForRecovery(now) { return false }
    if poolQueue.isEmpty {
      upcoming.removeFirst()
    } else {
      waiting -= 1
      poolQueue.removeFirst()
    }
    switch place {
    case .target(let index):
      let lane = targets[index].takeLane(for: request)
      start(request, on: lane, now: now)
      if lane.overlaps, lane.connection != nil { list(lane) }
    case .nowhere: withhold(request, .breakerOpen)
    }
    return true
  }

  /// Lets a lane wait whose next request is of a route that has as many in flight as it may.
  private func hasRouteRoom(_ lane: Lane, _ now: Int64) -> Bool {
    guard let route = lane.queue.first?.route, !gates.hasRoom(for: route) else { return true }
    ready.removeFirst()
    gates.wait(.lane(lane), for: route)
    block(.route, now)
    return false
  }

  /// The same for the next request of a pool.
  private func hasRouteRoomInPool(_ request: PlannedRequest, _ now: Int64) -> Bool {
    guard let route = request.route, !gates.hasRoom(for: route) else { return true }
    if poolQueue.isEmpty {
      upcoming.removeFirst()
      waiting += 1
    } else {
      poolQueue.removeFirst()
    }
    gates.wait(.request(request), for: route)
    block(.route, now)
    return false
  }

  /// Lets go on what has waited for a route, before what came later.
  func goOn(_ waiting: RouteGates.Waiting?) {
    switch waiting {
    case .lane(let lane): ready.prepend(lane)
    case .request(let request): poolQueue.prepend(request)
    case nil: break
    }
  }

  private enum PoolPlace: Equatable {
    case target(Int)
    /// Every target is left alone.
    case nowhere
  }

  /// nil where the pools of all targets that may be asked are busy.
  private func placeInPool(_ request: PlannedRequest, _ now: Int64) -> PoolPlace? {
    if targets.count == 1 {
      guard targets[0].admits(at: now) else { return .nowhere }
      return targets[0].hasLane(for: request) ? .target(0) : nil
    }
    guard targets.contains(where: { $0.admits(at: now) }) else { return .nowhere }
    return balancer.pick(at: now) { [targets] in targets[$0].hasLane(for: request) && targets[$0].admits(at: now) }
      .map { .target($0) }
  }

  private func firstOfPool(_ now: Int64) -> PlannedRequest? {
    if let first = poolQueue.first { return first }
    guard isUnpaced else { return nil }
    refill()
    while let first = upcoming.first, holdsAside(first, now: now) {
      upcoming.removeFirst()
      waiting += 1
      refill()
    }
    return upcoming.first
  }

  /// The target of a lane's next request: that of its connection while it may be asked, else the next that may.
  func target(for lane: Lane, _ now: Int64) -> Int? {
    if lane.hasConnection, targets[lane.target].admits(at: now) { return lane.target }
    let target =
      targets.count == 1
      ? (targets[0].admits(at: now) ? 0 : nil)
      : balancer.pick(at: now) { [targets] in targets[$0].admits(at: now) }
    if target != nil { lane.leaveTarget() }
    return target
  }

  /// Where nothing is due at any time, a run waits for a target that is left alone; a schedule goes on without it.
  private func waitsForRecovery(_ now: Int64) -> Bool {
    guard isUnpaced else { return false }
    let recoveries = targets.compactMap(\.recovery)
    guard recoveries.contains(where: \.isHopeful) else { return false }
    let earliest = recoveries.map(\.time).min() ?? .max
    // Half open, its probes' ends wake the run.
    if earliest < .max { resumeTime = max(earliest, now &+ 1) }
    return true
  }

  private func start(_ request: PlannedRequest, on lane: Lane, now: Int64) {
    if request.due == nil { request.scheduled = now }
    counts.planned += 1
    counts.rounds = max(counts.rounds, request.round + 1)
    inFlight += 1
    gates.enter(request.route)
    if let timeout = request.route?.timeout { shortestRouteTimeout = min(shortestRouteTimeout, timeout) }
    lane.state = .busy
    request.lane = lane
    request.target = lane.target
    lane.begin(request)
    targets[lane.target].admit(request, at: now)
    if let delay = request.fault?.delay, delay > 0 {
      request.scheduled &+= delay
      counts.faults["delay", default: 0] += 1
      postpone(.send(request), until: max(now, request.scheduled))
    } else {
      proceed(request, now: now)
    }
  }

  /// Sends a request that has a lane, unless a fault answers it.
  func proceed(_ request: PlannedRequest, now: Int64) {
    guard let lane = request.lane else { return }
    request.started = now
    if let status = request.fault?.abortStatus {
      counts.faults["abort", default: 0] += 1
      end(
        request, .answered, response: InjectedFault.answer(status: status, at: clock.timestamp(now)), now: now,
        result: .abandoned)
    } else {
      dispatch(request, on: lane, now: now)
    }
  }

  /// Counts a request that is not sent and gives it back.
  func withhold(_ request: PlannedRequest, _ reason: WithheldReason) {
    counts.planned += 1
    counts.skipped[reason, default: 0] += 1
    ended.append(request)
    settle(request, nil, nil, now: clock.now)
    goOn(gates.next(of: request.route))
    if ended.count >= ReplayEngine.batch { handBack() }
  }
}
