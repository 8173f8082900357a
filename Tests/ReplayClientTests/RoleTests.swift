import Glibc
import HTTPModel
import ReplaySchedule
import Synchronization
import Testing

@testable import ReplayClient

/// A primary and a control beside the shadow: who is sent what, in which order, and that none holds up another.
@Suite(.timeLimit(.minutes(2))) struct RoleTests {
  private let post = recorded("POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\n{}", ordinal: 2)

  private func replayer(
    _ shadow: String, primary: String? = nil, control: String? = nil, _ options: ReplayOptions
  ) throws -> Replayer {
    try Replayer(
      targets: [WeightedTarget(ReplayTarget(url: shadow))], primary: primary.map { try ReplayTarget(url: $0) },
      control: control.map { try ReplayTarget(url: $0) }, options: options)
  }

  /// Which requests came, by their first lines, with who saw them.
  private final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    func server(_ name: String) -> HostileServer {
      HostileServer { [weak self] peer in
        while let head = peer.read() {
          if head.contains("Content-Length: 2") { _ = peer.read(count: 2) }
          let line = head.prefix { $0 != "\r\n" }
          self?.lines.withLock { $0.append("\(name) \(line)") }
          peer.answer(name)
        }
      }
    }
  }

  @Test(arguments: ["max", "1x"], [ReplayOptions.Connections.recorded, .pool(2)])
  func everyRoleIsSentTheRequestAndItsAnswersComeTogether(
    _ speed: String, _ connections: ReplayOptions.Connections
  ) throws {
    let log = Log()
    let servers = ["shadow", "primary", "control"].map { log.server($0) }
    let session = (1...40).map { get("/\($0)", connection: UInt32($0 % 3), ordinal: UInt32($0)) }
    let replayer = try replayer(
      servers[0].url, primary: servers[1].url, control: servers[2].url,
      testOptions {
        $0.pacing = try! Pacing(speed: speed)
        $0.connections = connections
        $0.rounds = 2
        $0.marker = ReplayOptions.Marker(name: "X-Mark", value: "1")
      })
    let (outcome, results) = try replay(session, with: replayer)
    #expect(results.count == 80 && log.all.count == 240)
    for result in results {
      #expect(result.attempts.map(\.role) == [.shadow, .primary, .control])
      #expect(result.attempts.allSatisfy { $0.exchange == result.exchange.id && $0.outcome == .answered })
      #expect(
        result.attempts.map { text($0.response?.body.bytes ?? []) } == ["shadow", "primary", "control"])
      #expect(Set(result.attempts.map(\.round)).count == 1)
      if speed == "1x" { #expect(Set(result.attempts.map(\.scheduled)).count == 1) }
    }
    for role in [AttemptRole.primary, .control] {
      #expect(outcome.besides[role]?.attempts == [.answered: 80] && outcome.besides[role]?.sent == 80)
    }
    #expect(replayer.progress.besides[.control]?.answered == 80)
  }

  // MARK: Order

  @Test func theOrderIsDrawnAndTheSameForTheSameSeed() {
    func orders(seed: UInt64, count: Int) -> [[Int]] {
      (1...600).map {
        SideOrder.order(of: count, seed: seed, exchange: ExchangeID(connection: 7, ordinal: $0), round: 0)
      }
    }
    for count in 2...3 {
      let drawn = orders(seed: 1, count: count)
      #expect(drawn == orders(seed: 1, count: count) && drawn != orders(seed: 2, count: count))
      let tally = Dictionary(grouping: drawn, by: { $0 }).mapValues(\.count)
      let expected = 600 / (count == 2 ? 2 : 6)
      #expect(tally.count == (count == 2 ? 2 : 6))
      // Five standard deviations of the most frequent count.
      #expect(tally.values.allSatisfy { abs($0 - expected) < 62 })
    }
    let first = ExchangeID(connection: 1, ordinal: 1)
    let rounds = (0..<64).map { SideOrder.order(of: 2, seed: 1, exchange: first, round: $0) }
    #expect(Set(rounds).count == 2)
  }

  @Test func requestsGoOutInTheOrderThatWasDrawn() throws {
    let servers = (0..<2).map { _ in HostileServer { $0.answerAll() } }
    let session = (1...60).map { get("/", ordinal: $0, milliseconds: Int64($0) * 4) }
    let replayer = try replayer(
      servers[0].url, primary: servers[1].url, testOptions { $0.pacing = try! Pacing(speed: "1x") })
    let results = try replay(session, with: replayer).results
    // Those before which both had answered.
    let ordered = results.sorted { $0.exchange.id < $1.exchange.id }
    let punctual = zip(ordered, ordered.dropFirst()).filter { before, result in
      before.attempts.allSatisfy { $0.end < result.attempts[0].scheduled }
    }.map(\.1)
    for result in punctual {
      let order = SideOrder.order(of: 2, seed: replayer.options.seed, exchange: result.exchange.id, round: 0)
      let isShadowFirst = result.attempts[0].sent! <= result.attempts[1].sent!
      #expect(isShadowFirst == (order == [0, 1]))
    }
  }

  // MARK: One does not hold up another

  @Test func aDeadPrimaryLeavesTheShadowAlone() throws {
    let refusing = RefusingPort()
    defer { withExtendedLifetime(refusing) {} }
    let server = HostileServer { $0.answerAll() }
    var breaker = BreakerOptions(share: 0.5, window: 10_000_000_000)
    (breaker.minimumCount, breaker.wait, breaker.longestWait) = (5, 60_000_000_000, 60_000_000_000)
    let replayer = try replayer(
      server.url, primary: "http://127.0.0.1:\(refusing.port)",
      testOptions {
        $0.pacing = .realTime
        $0.breaker = breaker
      })
    let (outcome, results) = try replay((1...30).map { get("/", connection: $0) }, with: replayer)
    #expect(outcome.attempts == [.answered: 30] && outcome.skipped.isEmpty)
    #expect(results.count == 30 && results.allSatisfy { $0.attempts[0].outcome == .answered })
    let primary = try #require(outcome.besides[.primary])
    #expect(primary.targets[0].breakerOpenings == 1)
    let refused = try #require(primary.attempts[.connectionRefused])
    #expect(refused >= 5 && refused + (primary.skipped[.breakerOpen] ?? 0) == 30)
    #expect(primary.planned == 30)
  }

  @Test func aDeadShadowLeavesThePrimaryAlone() throws {
    let refusing = RefusingPort()
    defer { withExtendedLifetime(refusing) {} }
    let server = HostileServer { $0.answerAll() }
    let replayer = try replayer(
      "http://127.0.0.1:\(refusing.port)", primary: server.url, testOptions { $0.pacing = .realTime })
    let (outcome, results) = try replay((1...30).map { get("/", connection: $0) }, with: replayer)
    #expect(outcome.attempts == [.connectionRefused: 30])
    #expect(outcome.besides[.primary]?.attempts == [.answered: 30])
    #expect(results.allSatisfy { $0.attempts.count == 2 })
  }

  @Test func aSlowControlHoldsUpNeitherCapNorSchedule() throws {
    let gate = Gate()
    let waiting = Mutex(0)
    let slow = HostileServer { peer in
      while peer.read() != nil {
        waiting.withLock { $0 += 1 }
        gate.pass()
        peer.answer()
      }
    }
    let fast = Mutex(0)
    let server = HostileServer { peer in
      while peer.read() != nil {
        let isLast = fast.withLock {
          $0 += 1
          return $0 == 40
        }
        peer.answer()
        // All of the shadow's and the primary's are there while the control has not answered any.
        if isLast { gate.open() }
      }
    }
    let replayer = try replayer(
      server.url, primary: server.url, control: slow.url,
      testOptions {
        $0.pacing = .realTime
        $0.concurrency = 2
      })
    let (outcome, results) = try replay((1...20).map { get("/", connection: $0) }, with: replayer)
    #expect(results.count == 20 && outcome.attempts == [.answered: 20])
    #expect(outcome.besides[.control]?.attempts == [.answered: 20])
    #expect(waiting.withLock { $0 } == 20)
  }

  @Test func aSideThatFallsFarBehindGivesUpWhatIsDueBeforeTheOthersWait() throws {
    let asked = Mutex(0)
    let slow = HostileServer { peer in
      while peer.read() != nil {
        for _ in 0..<3000 where asked.withLock({ $0 }) < 300 { usleep(10_000) }
        peer.answer()
      }
    }
    let server = HostileServer { peer in
      while peer.read() != nil {
        asked.withLock { $0 += 1 }
        peer.answer()
      }
    }
    let replayer = try replayer(
      slow.url, primary: server.url,
      testOptions {
        $0.pacing = .realTime
        $0.readAheadCount = 200
      })
    let session = (1...400).map { get("/", ordinal: $0, milliseconds: Int64($0)) }
    let (outcome, results) = try replay(session, with: replayer)
    let behind = try #require(outcome.skipped[.fellBehind])
    #expect(behind > 50 && outcome.attempts == [.answered: 400 - behind])
    // The primary went on while the shadow had answered nothing.
    #expect(try #require(outcome.besides[.primary]?.attempts[.answered]) >= 300)
    #expect(results.count { $0.attempts.contains { $0.role == .shadow } } == 400 - Int(behind))
  }

  // MARK: What may change something

  @Test func whatMayChangeSomethingGoesToTheShadowAlone() throws {
    let log = Log()
    let servers = ["shadow", "primary", "control"].map { log.server($0) }
    let call = recorded(
      "GET /pkg.S/M HTTP/1.1\r\nHost: shop\r\nContent-Type: application/grpc\r\n\r\n", ordinal: 3)
    let replayer = try replayer(
      servers[0].url, primary: servers[1].url, control: servers[2].url, testOptions())
    let (outcome, results) = try replay([get("/"), post, call], with: replayer)
    #expect(outcome.attempts == [.answered: 3])
    #expect(
      log.all.filter { !$0.hasPrefix("shadow") }.sorted() == ["control GET / HTTP/1.1", "primary GET / HTTP/1.1"])
    #expect(results.map(\.attempts.count).sorted() == [1, 1, 3])
    for role in [AttemptRole.primary, .control] {
      #expect(outcome.besides[role]?.skipped == [.unsafeMethod: 1, .grpcCall: 1])
      #expect(outcome.besides[role]?.planned == 3)
    }
  }

  @Test func withAFlagOfItsOwnItGoesToAll() throws {
    let log = Log()
    let servers = ["shadow", "primary"].map { log.server($0) }
    let replayer = try replayer(
      servers[0].url, primary: servers[1].url, testOptions { $0.sendsUnsafeToPrimary = true })
    _ = try replay([get("/"), post], with: replayer)
    #expect(log.all.count { $0.hasSuffix("POST /orders HTTP/1.1") } == 2)
  }

  @Test func faultsStrikeTheShadowAlone() throws {
    let servers = (0..<2).map { _ in HostileServer { $0.answerAll() } }
    let replayer = try replayer(
      servers[0].url, primary: servers[1].url, testOptions { $0.faults = [.abort(share: 1, status: 503)] })
    let results = try replay((1...5).map { get("/", ordinal: $0) }, with: replayer).results
    #expect(results.allSatisfy { $0.attempts.map { $0.response?.status } == [503, 200] })
    #expect(servers[0].connections == 0)
  }

  // MARK: Values of their own

  /// What the second exchange needs is the body of the answer to the first; it goes into the path.
  private struct OwnValues: ReplayDependencies {
    var isFromPost = false

    func producers(of dependant: ExchangeID) -> [ExchangeID] {
      dependant.ordinal == 3 ? [ExchangeID(connection: 1, ordinal: isFromPost ? 2 : 1)] : []
    }
    func isProducer(_ exchange: ExchangeID) -> Bool { exchange.ordinal == (isFromPost ? 2 : 1) }
    func values(in response: HTTPResponse, to producer: ExchangeID) -> [UInt32: [UInt8]] { [0: response.body.bytes] }
    func substituted(
      _ request: HTTPRequest, of dependant: ExchangeID, values: (ExchangeID) -> [UInt32: [UInt8]]
    ) -> HTTPRequest? {
      guard let value = values(producers(of: dependant)[0])[0] else { return nil }
      return get("/own/" + text(value)).request
    }
  }

  @Test func eachSideIsGivenBackItsOwnValues() throws {
    let log = Log()
    let servers = ["shadow", "primary", "control"].map { log.server($0) }
    let replayer = try replayer(
      servers[0].url, primary: servers[1].url, control: servers[2].url,
      testOptions { $0.dependencies = OwnValues() })
    _ = try replay([get("/"), post, get("/own/recorded", ordinal: 3)], with: replayer)
    let own = log.all.filter { $0.contains("/own/") }.sorted()
    #expect(own == ["control", "primary", "shadow"].map { "\($0) GET /own/\($0) HTTP/1.1" })
  }

  @Test func whatNeedsTheAnswerToAnUnsafeRequestIsBlockedForThePrimary() throws {
    let log = Log()
    let servers = ["shadow", "primary"].map { log.server($0) }
    let replayer = try replayer(
      servers[0].url, primary: servers[1].url, testOptions { $0.dependencies = OwnValues(isFromPost: true) })
    let (outcome, _) = try replay([get("/"), post, get("/own/recorded", ordinal: 3)], with: replayer)
    #expect(outcome.attempts == [.answered: 3])
    #expect(outcome.besides[.primary]?.attempts == [.answered: 1, .blocked: 1])
    #expect(log.all.filter { $0.contains("/own/") } == ["shadow GET /own/shadow HTTP/1.1"])
  }

  // MARK: Ends

  @Test func anInterruptDeliversWhatThereIs() throws {
    let running = Mutex<Replayer?>(nil)
    let silent = HostileServer { $0.readToEnd() }
    let server = HostileServer { peer in
      while peer.read() != nil {
        peer.answer()
        running.withLock { $0 }?.interrupt()
      }
    }
    let replayer = try replayer(
      server.url, primary: silent.url,
      testOptions {
        $0.pacing = .realTime
        $0.concurrency = 1
        $0.interruptGrace = 0
      })
    running.withLock { $0 = replayer }
    let (outcome, results) = try replay((1...30).map { get("/", ordinal: $0) }, with: replayer)
    #expect(outcome.end == .interrupted)
    #expect(outcome.besides[.primary]?.attempts.keys.allSatisfy { $0 == .interrupted } == true)
    #expect(results.flatMap(\.attempts).count { $0.role == .shadow } == Int(outcome.attempts.values.reduce(0, +)))
  }
}
