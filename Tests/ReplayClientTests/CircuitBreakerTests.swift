import Testing

@testable import ReplayClient

/// The breaker as a value: every transition of its diagram, and the ones that must not happen.
@Suite struct CircuitBreakerTests {
  private static let second: Int64 = 1_000_000_000

  /// Half of 10 s, from 4 results on; waits 1 s, at most 5 s; 2 probes.
  private static let options: BreakerOptions = {
    var options = BreakerOptions(share: 0.5, window: 10 * second)
    options.minimumCount = 4
    options.longestWait = 5 * second
    options.probes = 2
    return options
  }()

  private enum Event {
    /// A request at this time, in seconds: whether it is admitted.
    case ask(Double, Bool)
    /// The result of the request with this number, of those that were admitted.
    case result(Int, CircuitBreaker.Result, Double)
    case state(CircuitBreaker.State)
  }

  private func follow(_ events: [Event], _ location: SourceLocation = #_sourceLocation) {
    var breaker = CircuitBreaker(Self.options)
    var tickets: [CircuitBreaker.Ticket] = []
    for (step, event) in events.enumerated() {
      switch event {
      case .ask(let time, let expected):
        let now = Int64(time * 1e9)
        #expect(breaker.admits(at: now) == expected, "step \(step)", sourceLocation: location)
        let ticket = breaker.admit(at: now)
        #expect((ticket != nil) == expected, "step \(step)", sourceLocation: location)
        if let ticket { tickets.append(ticket) }
      case .result(let number, let result, let time):
        breaker.record(result, of: tickets[number], at: Int64(time * 1e9))
      case .state(let state): #expect(breaker.state == state, "step \(step)", sourceLocation: location)
      }
    }
  }

  /// Four requests of which the last two fail: open at second 1 until second 2.
  private static let opened: [Event] =
    (0..<4).map { _ in .ask(0, true) } + [
      .result(0, .success, 0.5), .result(1, .success, 0.6), .result(2, .failure, 0.7), .state(.closed),
      .result(3, .failure, 1), .state(.open(until: 2 * second)),
    ]

  @Test func closedStaysClosedBelowTheShareAndBelowTheCount() {
    follow((0..<3).flatMap { [.ask(0, true), .result($0, .failure, 0)] } + [.state(.closed)])
    follow(
      (0..<9).flatMap { [.ask(0, true), .result($0, $0 % 5 >= 3 ? .failure : .success, 0)] } + [.state(.closed)])
  }

  @Test func aShareOfFailuresOpensIt() { follow(Self.opened + [.ask(1.5, false), .ask(1.999, false)]) }

  @Test func afterItsTimeAFewAreAdmitted() {
    follow(Self.opened + [.ask(2, true), .state(.halfOpen), .ask(2, true), .ask(2, false), .ask(60, false)])
  }

  @Test func answeredProbesCloseIt() {
    follow(
      Self.opened + [
        .ask(2, true), .ask(2, true), .result(4, .success, 3), .state(.halfOpen), .ask(3, false),
        .result(5, .success, 3), .state(.closed), .ask(3, true),
        // What was counted before is forgotten.
        .result(6, .failure, 3), .state(.closed),
      ])
  }

  @Test func eachFailedProbingDoublesTheWaitUpToItsLimit() {
    let events: [Event] = [
      .ask(2, true), .result(4, .failure, 2), .state(.open(until: 4 * Self.second)),
      .ask(4, true), .result(5, .failure, 4), .state(.open(until: 8 * Self.second)),
      .ask(8, true), .result(6, .failure, 8), .state(.open(until: 13 * Self.second)),
      .ask(13, true), .result(7, .failure, 13), .state(.open(until: 18 * Self.second)),
      // Back once, it begins anew with the first wait.
      .ask(18, true), .ask(18, true), .result(8, .success, 18), .result(9, .success, 18), .state(.closed),
    ]
    let again: [Event] =
      (0..<4).map { _ in .ask(20, true) } + (10..<14).map { .result($0, .failure, 20) }
      + [.state(.open(until: 21 * Self.second))]
    follow(Self.opened + events + again)
  }

  @Test func anAbandonedProbeGivesItsPlaceBack() {
    follow(
      Self.opened + [
        .ask(2, true), .ask(2, true), .ask(2, false), .result(4, .abandoned, 2), .ask(2, true), .ask(2, false),
      ])
  }

  @Test func resultsOfAnEarlierStateChangeNothing() {
    // The fifth was sent while it was closed and fails when it is half open.
    let early: [Event] = (0..<5).map { _ in .ask(0, true) }
    let open: [Event] = (0..<4).map { .result($0, .failure, 1) }
    follow(
      early + open + [
        .state(.open(until: 2 * Self.second)), .result(4, .failure, 1.5), .state(.open(until: 2 * Self.second)),
        .ask(2, true), .state(.halfOpen), .result(4, .success, 2), .result(4, .failure, 2), .state(.halfOpen),
      ])
  }

  @Test func whatLeavesTheWindowDoesNotCount() {
    let early: [Event] = (0..<3).flatMap { [.ask(0, true), .result($0, .failure, 0)] }
    follow(early + [.ask(11, true), .result(3, .failure, 11), .state(.closed)])
    follow(early + [.ask(8, true), .result(3, .failure, 8), .state(.open(until: 9 * Self.second))])
    // A silence of many windows, and times that stand still or go back.
    follow(
      early + [.ask(1e6, true), .result(3, .failure, 1e6), .ask(1, true), .result(4, .failure, 1), .state(.closed)])
  }

  @Test func abandonedRequestsCountForNothing() {
    follow((0..<40).flatMap { [.ask(0, true), .result($0, .abandoned, 0)] } + [.state(.closed)])
  }
}

@Suite struct TargetBalancerTests {
  private func picks(
    _ balancer: inout TargetBalancer, _ count: Int, at now: Int64 = 0, without: Set<Int> = []
  ) -> [Int?] {
    (0..<count).map { _ in balancer.pick(at: now) { !without.contains($0) } }
  }

  @Test func weightsAreMixedEvenly() {
    var balancer = TargetBalancer(weights: [5, 1, 1])
    #expect(picks(&balancer, 7) == [0, 0, 1, 0, 2, 0, 0])
    #expect(picks(&balancer, 7) == [0, 0, 1, 0, 2, 0, 0])
  }

  @Test func oneThatIsLeftAloneGetsNothing() {
    var balancer = TargetBalancer(weights: [1, 1, 2])
    #expect(!picks(&balancer, 30, without: [1]).contains(1))
    #expect(picks(&balancer, 3, without: [0, 1, 2]) == [nil, nil, nil])
  }

  @Test func oneThatCameBackStartsSlowly() {
    var balancer = TargetBalancer(weights: [1, 1])
    balancer.cameBack(1, at: 0)
    func share(at time: Int64) -> Double { Double(picks(&balancer, 1000, at: time).filter { $0 == 1 }.count) / 1000 }
    // 0.1 of 1.1, 0.55 of 1.55, half.
    #expect(abs(share(at: 0) - 0.091) < 0.01)
    #expect(abs(share(at: TargetBalancer.slowStart / 2) - 0.355) < 0.01)
    #expect(abs(share(at: TargetBalancer.slowStart) - 0.5) < 0.01)
  }
}

@Suite struct DelayQueueTests {
  @Test func theEarliestComesFirstAndEqualTimesInOrder() {
    var queue = DelayQueue<Int>()
    var random = SystemRandomNumberGenerator()
    let times = (0..<500).map { _ in Int64.random(in: 0..<50, using: &random) }
    for (index, time) in times.enumerated() { queue.add(index, at: time) }
    var taken: [Int] = []
    for now in stride(from: Int64(0), to: 60, by: 7) {
      while let index = queue.take(at: now) {
        #expect(times[index] <= now)
        taken.append(index)
      }
      #expect(queue.nextTime > now)
    }
    #expect(taken == times.indices.sorted { (times[$0], $0) < (times[$1], $1) })
    #expect(queue.isEmpty && queue.take(at: .max) == nil)
  }
}

@Suite struct RetryBackoffTests {
  @Test func waitsAreAnywhereUpToADoublingBound() {
    #expect(RetryBackoff.wait(tries: 0, random: 0) == 0)
    #expect(RetryBackoff.wait(tries: 0, random: .max) == 100_000_000)
    #expect(RetryBackoff.wait(tries: 1, random: .max) == 200_000_000)
    #expect(RetryBackoff.wait(tries: 1, random: .max / 2) == 100_000_000)
    #expect(RetryBackoff.wait(tries: 50, random: .max) == 10_000_000_000)
  }
}
