/// One target while a run lasts: where it is, whether it may be asked, what came of it. Confined to the event loop,
/// and kept without checks of exclusive access: nothing that changes a part of it calls back.
final class TargetState {
  let dialer: Dialer
  let composer: RequestComposer
  /// For connections that multiplex.
  let multiplexedComposer: HTTP2RequestComposer
  private let choice: ProtocolChoice
  /// Whether the target has taken HTTP/2 where it had the choice; nil while it had none.
  var speaksHTTP2: Bool?
  @exclusivity(unchecked) private(set) var breaker: CircuitBreaker?
  /// ``ReplayOptions/Connections/pool(_:)``: places without a request.
  @exclusivity(unchecked) private var freeLanes: [Lane] = []
  @exclusivity(unchecked) private var freeStreams = FreeStreams()
  @exclusivity(unchecked) private(set) var outcome: TargetOutcome

  init(target: ReplayTarget, index: Int, options: ReplayOptions, dialer: Dialer) {
    self.dialer = dialer
    composer = RequestComposer(options: options, target: target)
    multiplexedComposer = HTTP2RequestComposer(options: options, target: target)
    choice = options.protocolChoice
    breaker = options.breaker.map { CircuitBreaker($0) }
    outcome = TargetOutcome(target: target)
    if case .pool(let size) = options.connections {
      for place in (0..<size).reversed() {
        add(Lane(key: UInt64(place), target: index, overlaps: false))
        add(Lane(key: UInt64(place), target: index, overlaps: true))
      }
    }
  }

  /// How a connection for this request is made.
  func route(for request: PlannedRequest) -> Route {
    Route(to: dialer.target.scheme, choice, wasHTTP2: request.wasHTTP2, speaksHTTP2: speaksHTTP2)
  }

  func hasLane(for request: PlannedRequest) -> Bool {
    route(for: request).mayBeHTTP2 ? !freeStreams.isEmpty : !freeLanes.isEmpty
  }

  /// Takes the next place of the pool; ``hasLane(for:)`` must hold.
  func takeLane(for request: PlannedRequest) -> Lane {
    let lane = route(for: request).mayBeHTTP2 ? freeStreams.removeFirst() : freeLanes.removeLast()
    lane.isListed = false
    return lane
  }

  /// Puts a place of the pool among the free ones. Of those that multiplex see ``FreeStreams``; of the others those used
  /// last come first, so that few are kept open.
  func add(_ lane: Lane) {
    lane.isListed = true
    if lane.overlaps { freeStreams.add(lane) } else { freeLanes.append(lane) }
  }

  /// A request of a free place that multiplexes has ended.
  func update(_ lane: Lane) { freeStreams.update(lane) }

  func admits(at now: Int64) -> Bool { breaker == nil || breaker!.admits(at: now) }

  /// Takes a place for a request; ``admits(at:)`` must hold.
  func admit(_ request: PlannedRequest, at now: Int64) {
    request.ticket = breaker?.admit(at: now)
  }

  /// When it may be asked again, and whether that is worth waiting for.
  var recovery: (time: Int64, isHopeful: Bool)? {
    guard let breaker else { return nil }
    let time: Int64 = if case .open(let until) = breaker.state { until } else { .max }
    return (time, breaker.failedProbings < TargetState.patience)
  }

  /// Without a schedule a run waits for a target that is left alone, but not longer than until so many probings have
  /// failed in a row: about half a minute.
  private static let patience: UInt32 = 5

  func count(isFailure: Bool) {
    outcome.attempts &+= 1
    if isFailure { outcome.failed &+= 1 }
  }

  /// Tells the breaker what came of a request.
  /// - Returns: whether the target has come back with it.
  func record(_ result: CircuitBreaker.Result, of request: PlannedRequest, at now: Int64) -> Bool {
    guard let ticket = request.ticket, breaker != nil else { return false }
    request.ticket = nil
    let before = breaker!.state
    breaker!.record(result, of: ticket, at: now)
    let after = breaker!.state
    if before == after { return false }
    outcome.breakerOpenings = breaker!.openings
    outcome.endedOpen = after != .closed
    return before == .halfOpen && after == .closed
  }
}
