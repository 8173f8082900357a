import HTTPModel
import NIOCore
import ReplaySchedule

// Connections that open and close, and attempts that end.

extension ReplayEngine {
  /// Whether `lane` has a connection or may open one; closes some that are idle where that is what it takes.
  func makeRoom(for lane: Lane) -> Bool {
    if lane.connection != nil || connections.count + connecting < connectionLimit { return true }
    var idle = connections.filter { $0.isIdle }
    guard !idle.isEmpty else { return false }
    idle.sort { $0.idleSince < $1.idleSince }
    // A share of them at once, so that the sorting is rare.
    for connection in idle.prefix(max(1, idle.count / 16)) { connection.close() }
    return true
  }

  func open(_ lane: Lane, for request: PlannedRequest) {
    connecting += 1
    let connection = TargetConnection(engine: self, lane: lane)
    targets[lane.target].dialer.connect(connection) { [self] failure in
      connecting -= 1
      let now = clock.now
      if let failure {
        fail(request, failure, response: nil, now: now)
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
      fail(request, .connectionReset, response: nil, now: now)
      return
    }
    request.isResent = true
    counts.resent += 1
    open(lane, for: request)
  }

  /// An attempt got no answer for its connection's sake: it is tried again where that is allowed, else it is over.
  ///
  /// Only safe requests of which no byte was answered are: whatever the target did with them can be done twice.
  func fail(_ request: PlannedRequest, _ outcome: AttemptOutcome, response: HTTPResponse?, now: Int64) {
    guard phase == .running, !handover.isStopping, request.retries < options.retries, request.request.isSafe,
      response == nil, request.firstByte == 0, request.lane != nil
    else {
      end(request, outcome, response: response, now: now)
      return
    }
    tell(.failure, of: request, now: now)
    request.failure = outcome
    let wait = RetryBackoff.wait(tries: request.retries, random: random.next())
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
    var others: [TargetConnection] = []
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
        _ = targets[lane.target].record(.abandoned, of: request, at: now)
        request.lane = nil
        inFlight -= 1
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

  func didReceive(bytes: Int) { counts.bytesReceived &+= UInt64(bytes) }

  /// What an attempt's end says about its target. Answers that say that there is nobody to answer count as none
  /// (RFC 9110, 15.6.3 to 15.6.5); any other status is for the comparison to judge.
  private static func result(_ outcome: AttemptOutcome, _ response: HTTPResponse?) -> CircuitBreaker.Result {
    if outcome == .interrupted { return .abandoned }
    guard outcome == .answered, let response else { return .failure }
    return (502...504).contains(response.status) ? .failure : .success
  }

  private func tell(_ result: CircuitBreaker.Result, of request: PlannedRequest, now: Int64) {
    guard let index = request.lane?.target, targets[index].record(result, of: request, at: now) else { return }
    balancer.cameBack(index, at: now)
    resumeTime = .min
  }

  /// The attempt is over: keeps it, and lets its lane go on.
  /// - Parameter result: what it says about the target, where that is not what its outcome says.
  func end(
    _ request: PlannedRequest, _ outcome: AttemptOutcome, response: HTTPResponse?, now: Int64,
    result: CircuitBreaker.Result? = nil
  ) {
    guard let lane = request.lane, let exchange = request.exchange?.id else { return }
    if request.ticket != nil { tell(result ?? ReplayEngine.result(outcome, response), of: request, now: now) }
    targets[lane.target].count(isFailure: outcome != .answered)
    request.lane = nil
    request.attempt = Attempt(
      exchange: exchange, round: request.round, target: UInt16(lane.target),
      scheduled: clock.timestamp(request.scheduled), sent: request.sent == 0 ? nil : clock.timestamp(request.sent),
      firstByte: request.firstByte == 0 ? nil : clock.timestamp(request.firstByte), end: clock.timestamp(now),
      outcome: outcome, response: response)
    outcomes[Int(outcome.rawValue)] += 1
    if outcome != .answered { latestFailure = outcome }
    latestEnd = max(latestEnd, now)
    inFlight -= 1
    ended.append(request)
    if ended.count >= ReplayEngine.batch { handBack() }
    leave(lane, now: now)
    dispatch()
    _ = endIfDone()
  }

  /// Ended requests that are worth waking the reading thread for.
  static let batch = 128

  /// Lets a lane go on after a request.
  func leave(_ lane: Lane, now: Int64) {
    if !recordedConnections {
      lane.state = .idle
      targets[lane.target].freeLanes.append(lane)
    } else if let next = lane.queue.first {
      next.ready = now
      lane.state = .ready
      ready.append(lane)
    } else {
      lane.state = .idle
      if lane.connection == nil { lanes[lane.key] = nil }
    }
  }

  func handBack() {
    handover.end(ended)
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
    handover.end(ended, outcome: counts)
    ended = []
    return true
  }
}
