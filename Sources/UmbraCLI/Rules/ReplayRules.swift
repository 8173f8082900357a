// What rules make of the requests of a replay or a mirror: selection, sample, rewriting, routes, faults, credentials.
//
// In: the rules as of now, an exchange. Out: what the client does with its request. Owner: shared by the thread that reads
// and the event loop, behind a mutex that is held for one request. Bounds: those of the rules.

import HTTPModel
import ReplayClient
import ReplaySchedule
import Synchronization
import TrafficRules

final class ReplayRules: RequestRules {
  private struct State {
    var generation = 0
    var rules = RuleSet()
    var sampler: Sampler?
    /// Of throttles for a share: whether a connection is among them.
    var throttled: [Sampler?] = []
    var round: UInt32 = 0
    /// What the first of the routes in force has.
    var firstRoute = 0
    var nextRoute = 0
    var injection: InjectionRules?
    var injected: UInt64 = 0
  }

  private let live: LiveRules
  /// Whether exchanges are selected and sampled here; a mirror does it where it captures.
  private let selects: Bool
  private let state: Mutex<State>

  init(_ live: LiveRules, selects: Bool = true, injection: InjectionRules? = nil) {
    self.live = live
    self.selects = selects
    state = Mutex(State(injection: injection))
  }

  /// Requests that were given live credentials.
  var injected: UInt64 { state.withLock { $0.injected } }

  func handling(of exchange: Exchange, round: UInt32) -> RequestHandling {
    state.withLock { state in
      refresh(&state)
      if round != state.round {
        // Each round takes the same sample.
        state.round = round
        state.sampler = state.rules.sample.map { Sampler($0) }
      }
      var handling = RequestHandling()
      if selects, exchange.request != nil { handling.withheld = withholding(exchange, &state) }
      if let index = state.rules.routes.firstIndex(where: { $0.match.matches(exchange) }) {
        let rule = state.rules.routes[index]
        handling.allowsUnsafe = rule.allowsUnsafe
        handling.route = rule.route(number: state.firstRoute + index)
      }
      for (index, rule) in state.rules.faults.enumerated() where rule.match.matches(exchange) {
        if state.throttled[index]?.takes(exchange) ?? true { handling.faults.append(rule.fault) }
      }
      return handling
    }
  }

  /// What is rewritten is what the shadow wants otherwise; credentials are put in for everybody, or the primary and the
  /// control would refuse what they are asked.
  func rewritten(_ request: HTTPRequest, of exchange: Exchange, for role: AttemptRole) -> HTTPRequest? {
    state.withLock { state in
      let rewritten =
        state.rules.rewrites.isEmpty || role != .shadow ? nil : state.rules.rewritten(request, of: exchange)
      guard let injected = state.injection?.applied(to: rewritten ?? request, of: exchange) else { return rewritten }
      if role == .shadow { state.injected &+= 1 }
      return injected
    }
  }

  private func withholding(_ exchange: Exchange, _ state: inout State) -> WithheldReason? {
    if !state.rules.select.isEmpty, !state.rules.selection(of: exchange).isTaken { return .excludedByRules }
    return state.sampler?.takes(exchange) == false ? .sampledOut : nil
  }

  private func refresh(_ state: inout State) {
    guard state.generation != live.generation else { return }
    state.generation = live.generation
    let before = state.rules.sample
    state.rules = live.rules
    // A sample that stays the same goes on where it was.
    if state.sampler == nil || state.rules.sample != before { state.sampler = state.rules.sample.map { Sampler($0) } }
    state.throttled = state.rules.faults.map { rule in
      guard case .throttle = rule.kind, rule.share < 1 else { return nil }
      return Sampler(SampleRule(share: rule.share, unit: .connection, seed: "throttle \(rule.place.line)"))
    }
    // Requests under way keep the caps that they were sent under.
    state.firstRoute = state.nextRoute
    state.nextRoute += state.rules.routes.count
  }
}

extension RouteRule {
  /// Its limits, as the client takes them; nil where it has none.
  func route(number: Int) -> RequestRoute? {
    guard timeout != nil || retries != nil || backoff != nil || concurrency != nil else { return nil }
    var route = RequestRoute(number: number)
    (route.timeout, route.retries, route.concurrency) = (timeout, retries, concurrency)
    switch backoff {
    case .some(.none): route.backoff = .none
    case .constant: route.backoff = .constant
    case .exponential, nil: route.backoff = .exponential
    }
    return route
  }
}

extension FaultRule {
  /// As the client makes it.
  var fault: Fault {
    switch kind {
    case .delay(let times): .delay(share: share, times)
    case .abort(let status): .abort(share: share, status: status)
    case .reset: .reset(share: share)
    case .throttle(let bytesPerSecond): .throttle(bytesPerSecond: bytesPerSecond)
    }
  }
}

extension ReplayOptions {
  /// Goes by rules; where these can change, the session is read no more than a moment ahead.
  mutating func apply(_ rules: ReplayRules, areLive: Bool) {
    self.rules = rules
    guard areLive else { return }
    readAheadTime = 500_000_000
    if pacing == .maximum { readAheadCount = min(readAheadCount, max(64, 2 * concurrency)) }
  }
}

extension ReplayPlan {
  /// Goes by rules where there are any, and puts live credentials in.
  mutating func apply(_ rules: RulesOptions, injection: InjectionRules?) throws {
    self.injection = injection
    guard rules.isGiven || injection != nil else { return }
    let live = try rules.live(descriptors: descriptors)
    if let cap = live.rules.routes.compactMap(\.concurrency).min(), cap < options.threads {
      throw CommandFailure(
        "a route of the rules allows \(counted(cap, "request")) in flight, which \(options.threads) threads can't share: "
          + "lower --threads", status: .usage)
    }
    self.rules = live
    options.apply(ReplayRules(live, injection: injection), areLive: !live.paths.isEmpty)
  }

  /// What there is to say of rules at a run's end.
  var rulesRemarks: [String] {
    var remarks: [String] = []
    if let rules, rules.generation > 1 { remarks.append("The rules changed \(counted(rules.generation - 1, "time")).") }
    if let rules, rules.failedReloads > 0 {
      remarks.append(
        "\(counted(rules.failedReloads, "change")) of the rules \(rules.failedReloads == 1 ? "was" : "were") not good "
          + "and changed nothing.")
    }
    if injection != nil, let injected = (options.rules as? ReplayRules)?.injected {
      remarks.append("\(counted(injected, "request")) carried live credentials (--inject).")
    }
    return remarks
  }

  /// Reads rules again when their files change, and shows that to others.
  /// - Returns: what does so; nil where there are no files.
  func watchRules() throws -> RulesWatcher? {
    guard let rules, !rules.paths.isEmpty else { return nil }
    observation?.watch(rules)
    observation?.audit(
      "rules", [("rules", rules.paths.joined(separator: " ")), ("rules_in_force", rules.rules.summary)])
    return try RulesWatcher(rules, observation: observation)
  }
}

extension MirrorPlan {
  /// Goes by rules where there are any: selection, sample and redaction where it captures, all else where it sends, and
  /// puts live credentials in.
  mutating func apply(_ rules: RulesOptions, injection: InjectionRules?) throws {
    replay.injection = injection
    guard rules.isGiven || injection != nil || replay.descriptors != nil else { return }
    let live = try rules.live(descriptors: replay.descriptors)
    capture.rules = live
    capture.hidden = injection?.secrets ?? []
    replay.rules = live
    replay.options.apply(ReplayRules(live, selects: false, injection: injection), areLive: false)
  }
}
