import HTTPModel
import NIOCore
import ReplaySchedule

// Connections that open and close, and attempts that end.

extension ReplayEngine {
  /// Whether `lane` has a connection or may open one; closes some that are idle where that is what it takes.
  func makeRoom(for lane: Lane) -> Bool {
    if lane.hasConnection || connections.count + connecting < connectionLimit { return true }
    var idle = connections.filter { $0.isIdle }
    guard !idle.isEmpty else { return false }
    idle.sort { $0.idleSince < $1.idleSince }
    // A share of them at once, so that the sorting is rare.
    for connection in idle.prefix(max(1, idle.count / 16)) { connection.close() }
    return true
  }

  /// Sends a request on its lane: on a connection that it has, on the one that is being made, or on another.
  func dispatch(_ request: PlannedRequest, on lane: Lane, now: Int64) {
    if let connection = lane.connection {
      connection.send(request, now: now)
    } else if let connection = lane.spare.popLast() {
      connection.send(request, now: now)
    } else if lane.isConnecting {
      lane.awaiting.append(request)
    } else {
      open(lane, for: request)
    }
  }

  private func open(_ lane: Lane, for request: PlannedRequest) {
    connecting += 1
    let index = lane.target
    let route = targets[index].route(for: request)
    if lane.overlaps, route.mayBeHTTP2 { lane.isConnecting = true }
    var dialer = targets[index].dialer
    if let own = request.fault?.bytesPerSecond { dialer.bytesPerSecond = min(dialer.bytesPerSecond ?? .max, own) }
    dialer.connect(route, engine: self, lane: lane) { [self] result in
      connecting -= 1
      let now = clock.now
      switch result {
      case .success(let connection):
        if route == .plainTrial || route == .secure(.either) {
          targets[index].speaksHTTP2 = connection.multiplexes
        }
        didOpen(connection, lane, for: request, now: now)
      case .failure(let failure):
        if route == .plainTrial, failure.mayBeHTTP1 {
          targets[index].speaksHTTP2 = false
          lane.isConnecting = false
          open(lane, for: request)
        } else {
          fail(request, failure.outcome, response: nil, now: now)
        }
        for request in awaiting(of: lane) {
          fail(request, failure, elsewhere: targets[index].speaksHTTP2 == false, now: now)
        }
      }
      flushAll()
    }
  }

  /// Requests that waited for a connection, which is there now or will not be.
  private func awaiting(of lane: Lane) -> [PlannedRequest] {
    lane.isConnecting = false
    defer { lane.awaiting.removeAll() }
    return lane.awaiting
  }

  /// A request whose lane got no connection that multiplexes: it goes on one of its own where there are others.
  private func fail(_ request: PlannedRequest, _ failure: DialFailure, elsewhere: Bool, now: Int64) {
    if elsewhere, let lane = request.lane {
      dispatch(request, on: lane, now: now)
    } else {
      fail(request, failure.outcome, response: nil, now: now)
    }
  }

  private func didOpen(_ connection: any TargetConnection, _ lane: Lane, for request: PlannedRequest, now: Int64) {
    let others = awaiting(of: lane)
    guard request.lane != nil, phase == .running || end != .interrupted else {
      connection.abandon()
      for request in [request] + others { end(request, .interrupted, response: nil, now: now) }
      return
    }
    counts.connectionsOpened += 1
    connection.slot = connections.count
    connections.append(connection)
    if !recordedConnections, lane.overlaps, !connection.multiplexes { lane.becomeSequential() }
    if connection.multiplexes || !lane.overlaps { lane.connection = connection }
    connection.send(request, now: now)
    for request in others { dispatch(request, on: lane, now: now) }
    if !recordedConnections, lane.overlaps { list(lane) }
  }

  /// A connection takes no more requests, and is about to be closed.
  func didClose(_ connection: any TargetConnection, of lane: Lane?) {
    let slot = connection.slot
    guard slot >= 0 else { return }
    connection.slot = -1
    let last = connections.removeLast()
    if last !== connection {
      connections[slot] = last
      last.slot = slot
    }
    if let lane { forget(lane) }
  }

  /// Drops a recorded connection's lane that has nothing any more.
  private func forget(_ lane: Lane) {
    if recordedConnections, lane.state == .idle, lane.active == 0, !lane.hasConnection { lanes[lane.key] = nil }
  }

  /// A kept connection was closed without a byte of an answer. A safe request goes once more, on a connection of its
  /// own: the target closed an idle connection and most likely never saw it (RFC 9112, 9.3.1).
  func connectionWasDead(_ request: PlannedRequest, now: Int64) {
    guard phase == .running, !request.isResent, request.request.isSafe, let lane = request.lane else {
      fail(request, .connectionReset, response: nil, now: now)
      return
    }
    request.isResent = true
    counts.resent += 1
    dispatch(request, on: lane, now: now)
  }

  /// The target said that it has done nothing with a request: whatever it is, it may go again (RFC 9113, 8.7).
  func wasNotProcessed(_ request: PlannedRequest, now: Int64) {
    guard phase == .running, let lane = request.lane, request.refusals < ReplayEngine.refusalLimit else {
      fail(request, .streamReset, response: nil, now: now)
      return
    }
    if request.sent != 0 {
      request.refusals += 1
      request.firstByte = 0
      counts.resent += 1
    }
    dispatch(request, on: lane, now: now)
  }

  /// How often a target may refuse a request before that is its answer.
  private static let refusalLimit: UInt32 = 8

  /// An attempt got no answer for its connection's sake: it is tried again where that is allowed, else it is over.
  ///
  /// Only safe requests of which no byte was answered are: whatever the target did with them can be done twice.
  func fail(_ request: PlannedRequest, _ outcome: AttemptOutcome, response: HTTPResponse?, now: Int64) {
    guard phase == .running, !handover.isStopping, request.retries < request.route?.retries ?? options.retries,
      request.request.isSafe, response == nil, request.firstByte == 0, request.lane != nil
    else {
      end(request, outcome, response: response, now: now)
      return
    }
    tell(.failure, of: request, now: now)
    request.failure = outcome
    let wait = RetryBackoff.wait(
      tries: request.retries, random: random.next(), backoff: request.route?.backoff ?? .exponential)
    request.retries += 1
    postpone(.send(request), until: now &+ wait)
  }

  /// The time of a request that waited by itself has come.
  func resume(_ request: PlannedRequest, now: Int64) {
    guard let lane = request.lane else { return }
    guard let failure = request.failure else {
      proceed(request, now: now)
      return
    }
    guard let target = target(for: lane, now) else {
      end(request, failure, response: nil, now: now)
      return
    }
    lane.target = target
    guard makeRoom(for: lane) else {
      postpone(.send(request), until: now &+ ReplayEngine.roomInterval)
      return
    }
    counts.retried += 1
    targets[target].admit(request, at: now)
    proceed(request, now: now)
  }

  /// Nanoseconds between two looks for room for a connection.
  private static let roomInterval: Int64 = 10_000_000

  /// Gives up what waits by itself when sending stops.
  func giveUpDelayed(_ reason: WithheldReason, now: Int64) {
    var others: [any TargetConnection] = []
    defer { for connection in others { later.add(.move(connection), at: now) } }
    while let next = later.take(at: .max) {
      guard case .send(let request) = next else {
        if case .move(let connection) = next { others.append(connection) }
        continue
      }
      guard let lane = request.lane else { continue }
      if let failure = request.failure {
        end(request, failure, response: nil, now: now)
      } else {
        _ = targets[request.target].record(.abandoned, of: request, at: now)
        request.lane = nil
        lane.end(request)
        inFlight -= 1
        goOn(gates.leave(request.route))
        counts.planned -= 1
        withhold(request, reason)
        leave(lane, now: now)
      }
    }
  }
}

extension ReplayEngine {
  /// More than this late counts as late, in nanoseconds.
  private static let lateness: Int64 = 10_000_000

  /// The first bytes of a request are about to be handed to the kernel.
  /// - Parameter isAgain: some of it was handed to it before.
  func didSend(_ request: PlannedRequest, bytes: Int, isAgain: Bool) {
    counts.bytesSent &+= UInt64(bytes)
    if isAgain { return }
    counts.sent += 1
    guard request.due != nil else { return }
    latestLag = request.sent &- request.scheduled
    counts.largestLag = max(counts.largestLag, latestLag)
    guard latestLag > ReplayEngine.lateness else { return }
    counts.late += 1
    counts.lateBecause[lagCause(of: request), default: 0] += 1
  }

  /// Which part of its way took a late request longest.
  private func lagCause(of request: PlannedRequest) -> LagCause {
    let waited = request.started &- request.ready
    let parts: [(LagCause, Int64)] = [
      (.generator, request.released &- request.scheduled),
      // The answer before it on its connection; the connection itself.
      (.target, max(request.ready &- request.released, request.sent &- request.started)),
      (blockedTime >= request.ready ? blockedBy : .generator, waited),
    ]
    return parts.max { $0.1 < $1.1 }?.0 ?? .generator
  }

  /// Nanoseconds that an attempt has.
  func timeout(of request: PlannedRequest) -> Int64 { request.route?.timeout ?? options.timeout }

  func didReceive(bytes: Int) { counts.bytesReceived &+= UInt64(bytes) }
  func didWrite(bytes: Int) { counts.bytesSent &+= UInt64(bytes) }

  /// A request waits because the target allows no more streams at a time.
  func didWaitForStream() {
    counts.waitedForStream += 1
    blockedBy = .streams
    blockedTime = clock.now
  }

  /// What an attempt's end says about its target. Answers that say that there is nobody to answer count as none
  /// (RFC 9110, 15.6.3 to 15.6.5); any other status is for the comparison to judge.
  private static func result(_ outcome: AttemptOutcome, _ response: HTTPResponse?) -> CircuitBreaker.Result {
    if outcome == .interrupted || outcome == .cancelled { return .abandoned }
    guard outcome == .answered, let response else { return .failure }
    return (502...504).contains(response.status) ? .failure : .success
  }

  private func tell(_ result: CircuitBreaker.Result, of request: PlannedRequest, now: Int64) {
    guard request.lane != nil, targets[request.target].record(result, of: request, at: now) else { return }
    balancer.cameBack(request.target, at: now)
    resumeTime = .min
  }

  /// The attempt is over: keeps it, and lets its lane go on.
  /// - Parameter result: what it says about the target, where that is not what its outcome says.
  func end(
    _ request: PlannedRequest, _ outcome: AttemptOutcome, response: HTTPResponse?, now: Int64,
    result: CircuitBreaker.Result? = nil
  ) {
    guard let lane = request.lane else { return }
    if request.ticket != nil { tell(result ?? ReplayEngine.result(outcome, response), of: request, now: now) }
    targets[request.target].count(isFailure: outcome != .answered && outcome != .cancelled)
    request.lane = nil
    lane.end(request)
    request.attempt = Attempt(
      exchange: request.id, round: request.round, target: UInt16(request.target), role: role,
      scheduled: clock.timestamp(request.scheduled), sent: request.sent == 0 ? nil : clock.timestamp(request.sent),
      firstByte: request.firstByte == 0 ? nil : clock.timestamp(request.firstByte), end: clock.timestamp(now),
      outcome: outcome, response: response)
    outcomes[Int(outcome.rawValue)] += 1
    if outcome != .answered { latestFailure = outcome }
    latestEnd = max(latestEnd, now)
    inFlight -= 1
    goOn(gates.leave(request.route))
    ended.append(request)
    settle(request, outcome, response, now: now)
    if ended.count >= ReplayEngine.batch { handBack() }
    leave(lane, now: now)
    goOnSoon()
  }

  /// Requests that are let go together, at most: what was read for one is still near for the next, and the target is
  /// given work while more answers are read.
  private static let burst = 16

  /// Lets others take the places of attempts that have ended: at once where these are many, else when all answers that
  /// came together are read.
  private func goOnSoon() {
    freed += 1
    guard freed < ReplayEngine.burst else { return goOn() }
    guard !goesOnSoon else { return }
    goesOnSoon = true
    eventLoop.assumeIsolated().execute { [self] in
      goesOnSoon = false
      if freed > 0 { goOn() }
    }
  }

  private func goOn() {
    freed = 0
    dispatch()
    flushAll()
    _ = endIfDone()
  }

  /// Ended requests that are worth waking the reading thread for.
  static let batch = 128

  /// Lets a lane go on after a request.
  func leave(_ lane: Lane, now: Int64) {
    if !recordedConnections {
      lane.state = .idle
      list(lane)
    } else if lane.state == .ready {
      // Of requests that overlap, another one waits already.
      return
    } else if let next = lane.queue.first {
      if lane.overlaps, !lane.maySend(next) { return }
      next.ready = now
      lane.state = .ready
      ready.append(lane)
    } else if lane.active == 0 {
      lane.state = .idle
      forget(lane)
    }
  }

  /// Puts a place of a pool among the free ones where it takes more.
  func list(_ lane: Lane) {
    if lane.isListed {
      if lane.overlaps { targets[lane.target].update(lane) }
    } else if lane.takesMore {
      targets[lane.target].add(lane)
    }
  }

  func handBack() {
    handover.end(ended, side: side)
    ended.removeAll(keepingCapacity: true)
  }

  /// Ends the run where nothing is left to do.
  func endIfDone() -> Bool {
    guard phase != .over, inFlight == 0 else { return phase == .over }
    guard phase == .draining || isPlanComplete && upcoming.isEmpty && waiting == 0 else { return false }
    phase = .over
    cancelTimer()
    while let connection = connections.last { connection.close() }
    publishProgress()
    for outcome in AttemptOutcome.allCases where outcomes[Int(outcome.rawValue)] > 0 {
      counts.attempts[outcome] = outcomes[Int(outcome.rawValue)]
    }
    counts.end = end
    counts.ended = clock.timestamp(latestEnd)
    counts.targets = targets.map(\.outcome)
    counts.generatorLoad = Double(clock.threadTime - startThreadTime) / Double(max(1, clock.now - start))
    handover.end(ended, side: side, outcome: counts)
    ended = []
    return true
  }
}
