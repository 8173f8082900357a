import HTTPModel
import NIOCore

// Requests that need the target's own values: they wait for the answers that hold them, take the values in, or are blocked.
//
// On a recorded HTTP/1 connection a request that waits holds those behind it, so that their order stays. Elsewhere it
// waits aside. Each waits for requests before it in the session only, so that no two wait for each other.

extension ReplayEngine {
  /// Lets a request that is due wait aside where it has to and nothing of its connection's order depends on it.
  func holdsAside(_ request: PlannedRequest, now: Int64) -> Bool {
    guard !request.needs.isEmpty, !recordedConnections || request.wasHTTP2,
      answers.readiness(of: request) == .waits
    else { return false }
    hold(request, on: nil, now: now)
    return true
  }

  /// Looks at the next request of a lane that is ready: lets it wait with its lane, or ends it where it is blocked.
  /// - Returns: whether it can be sent as far as others' answers are concerned.
  func isReleased(_ lane: Lane, now: Int64) -> Bool {
    guard let request = lane.queue.first, !request.needs.isEmpty else { return true }
    switch answers.readiness(of: request) {
    case .waits:
      ready.removeFirst()
      hold(request, on: lane, now: now)
      return false
    case .ready where substitute(request): return true
    case .ready, .blocked:
      ready.removeFirst()
      waiting -= 1
      lane.queue.removeFirst()
      lane.state = .busy
      end(blocked: request, now: now)
      leave(lane, now: now)
      return false
    }
  }

  /// The same for the next request of a pool, which does not wait any more.
  func isReleasedInPool(_ request: PlannedRequest, now: Int64) -> Bool {
    if request.needs.isEmpty { return true }
    if answers.readiness(of: request) == .ready, substitute(request) { return true }
    if poolQueue.isEmpty {
      upcoming.removeFirst()
    } else {
      waiting -= 1
      poolQueue.removeFirst()
    }
    end(blocked: request, now: now)
    return false
  }

  private func hold(_ request: PlannedRequest, on lane: Lane?, now: Int64) {
    request.isHeld = true
    request.heldLane = lane
    answers.add(request)
    if request.holdLimit == 0 {
      request.holdLimit = now &+ options.dependencyTimeout
      postpone(.held(request), until: request.holdLimit)
    }
  }

  /// A request has waited long enough.
  func holdLimitPassed(_ request: PlannedRequest, now: Int64) {
    guard request.isHeld else { return }
    request.isBlocked = true
    release(held: request, now: now)
  }

  /// Lets a request go on that waited; whether it can be sent is looked at when it is its turn.
  private func release(held request: PlannedRequest, now: Int64) {
    request.isHeld = false
    request.ready = now
    if let lane = request.heldLane.take() {
      ready.append(lane)
    } else if recordedConnections {
      queueOnLane(request)
    } else {
      poolQueue.append(request)
    }
  }

  /// An exchange that others wait for has ended, or is not going to be sent.
  func settle(_ request: PlannedRequest, _ outcome: AttemptOutcome?, _ response: HTTPResponse?, now: Int64) {
    guard request.isNeeded, let dependencies = options.dependencies else { return }
    let values = outcome == .answered ? response.map { dependencies.values(in: $0, to: request.id) } : nil
    for waiting in answers.settle(request.id, round: request.round, values) where waiting.isHeld {
      if answers.readiness(of: waiting) == .waits { answers.add(waiting) } else { release(held: waiting, now: now) }
    }
  }

  /// Puts the target's values into a request; false where one is missing.
  private func substitute(_ request: PlannedRequest) -> Bool {
    guard !request.isSubstituted, let dependencies = options.dependencies, let exchange = request.exchange else {
      return true
    }
    let changed = dependencies.substituted(request.request, of: exchange.id) {
      answers.values(of: $0, round: request.round)
    }
    guard let changed else {
      request.isBlocked = true
      return false
    }
    request.request = options.rules?.rewritten(changed, of: exchange, for: role) ?? changed
    request.isSubstituted = true
    return true
  }

  /// Ends a request that was never sent.
  private func end(blocked request: PlannedRequest, now: Int64) {
    if request.due == nil { request.scheduled = now }
    counts.planned += 1
    counts.rounds = max(counts.rounds, request.round + 1)
    request.attempt = Attempt(
      exchange: request.id, round: request.round, role: role, scheduled: clock.timestamp(request.scheduled), sent: nil,
      firstByte: nil, end: clock.timestamp(now), outcome: .blocked, response: nil)
    outcomes[Int(AttemptOutcome.blocked.rawValue)] += 1
    latestFailure = .blocked
    latestEnd = max(latestEnd, now)
    ended.append(request)
    settle(request, nil, nil, now: now)
    goOn(gates.next(of: request.route))
    if ended.count >= ReplayEngine.batch { handBack() }
  }
}
