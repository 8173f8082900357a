import HTTPModel
import NIOCore

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
    outcomes[Int(outcome.rawValue)] += 1
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
    handover.end(ended, outcome: counts)
    ended = []
    return true
  }
}
