import HTTPModel
import NIOCore
import ReplaySchedule

// Without the import of NIOCore, append and removeFirst of its ring buffer mean the standard library's linear ones.
// From the plan to a connection: what is due waits in its lane, or for any lane of the pool, until the caps let it go.

extension ReplayEngine {
  /// Below this many upcoming requests more are taken from the handover.
  private static let lowWater = 256

  func refill() {
    guard upcoming.count < ReplayEngine.lowWater, !isPlanComplete else { return }
    let (planned, isOver) = handover.takePlanned()
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
  func dispatch() {
    // Ending an attempt asks for the next; an attempt that fails at once must not nest without end.
    guard !isDispatching else { return }
    isDispatching = true
    defer { isDispatching = false }
    // An interrupt holds from the moment it is asked for, not from when this loop comes to it.
    while phase == .running, inFlight < options.concurrency, !handover.isStopping {
      let now = clock.now
      if now >= stopTime { return }
      if recordedConnections {
        if ready.isEmpty, waiting < ReplayEngine.lowWater, options.pacing == .maximum { release(now) }
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
