import Glibc
import HTTPModel
import ReplaySchedule
import Synchronization
import Testing

@testable import ReplayClient

/// What keeps a replay from hurting its targets, against servers that fail.
@Suite(.timeLimit(.minutes(2))) struct ProtectionTests {
  /// Opens at once, tries again after a few milliseconds.
  private func nervous(_ share: Double = 0.5) -> BreakerOptions {
    var options = BreakerOptions(share: share, window: 10_000_000_000)
    options.minimumCount = 5
    options.wait = 5_000_000
    options.longestWait = 20_000_000
    options.probes = 1
    return options
  }

  private func busy(_ peer: Peer) {
    while peer.read() != nil { peer.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") }
  }

  // MARK: Breaker

  @Test func aFailingTargetIsLeftAloneAndWhatWasDueIsCounted() throws {
    let server = HostileServer { busy($0) }
    var breaker = nervous()
    (breaker.wait, breaker.longestWait) = (60_000_000_000, 60_000_000_000)
    let (outcome, results) = try replay(
      (1...50).map { get("/", ordinal: $0) }, to: server.url,
      testOptions {
        $0.pacing = .realTime
        $0.breaker = breaker
      })
    #expect(results.count == 5)
    #expect(outcome.skipped == [.breakerOpen: 45])
    #expect(outcome.targets[0].breakerOpenings == 1 && outcome.targets[0].endedOpen)
  }

  @Test func withoutAScheduleTheRunWaitsUntilTheTargetIsBack() throws {
    let asked = Mutex(0)
    let server = HostileServer { peer in
      while peer.read() != nil {
        let number = asked.withLock {
          $0 += 1
          return $0
        }
        peer.write("HTTP/1.1 \(number <= 7 ? "503" : "200") X\r\nContent-Length: 0\r\n\r\n")
      }
    }
    for connections in [ReplayOptions.Connections.recorded, .pool(2)] {
      asked.withLock { $0 = 0 }
      let (outcome, results) = try replay(
        (1...30).map { get("/", ordinal: $0) }, to: server.url,
        testOptions {
          $0.breaker = nervous()
          $0.connections = connections
        })
      #expect(results.count == 30 && outcome.skipped.isEmpty)
      #expect(outcome.targets[0].breakerOpenings == 1 && !outcome.targets[0].endedOpen)
    }
  }

  @Test func aTargetThatNeverComesBackIsGivenUp() throws {
    let refusing = RefusingPort()
    defer { withExtendedLifetime(refusing) {} }
    let (outcome, results) = try replay(
      (1...100).map { get("/", connection: $0) }, to: "http://127.0.0.1:\(refusing.port)",
      testOptions {
        $0.breaker = nervous()
        $0.concurrency = 1
      })
    // Five to open it, and a probe for each time that it was tried.
    #expect(results.count == 10)
    #expect(outcome.skipped == [.breakerOpen: 90])
  }

  @Test func errorsThatAreAnswersDoNotOpenIt() throws {
    let server = HostileServer { peer in
      while peer.read() != nil { peer.write("HTTP/1.1 500 Bug\r\nContent-Length: 0\r\n\r\n") }
    }
    let (outcome, _) = try replay(
      (1...50).map { get("/", ordinal: $0) }, to: server.url, testOptions { $0.breaker = nervous() })
    #expect(outcome.attempts == [.answered: 50] && outcome.skipped.isEmpty)
  }

  // MARK: Several targets

  @Test func targetsShareConnectionsByWeight() throws {
    let servers = (0..<3).map { _ in HostileServer { $0.answerAll() } }
    for connections in [ReplayOptions.Connections.recorded, .pool(1)] {
      let replayer = Replayer(
        targets: try zip(servers, [5, 2, 1] as [UInt32]).map {
          WeightedTarget(try ReplayTarget(url: $0.url), weight: $1)
        },
        options: testOptions {
          $0.connections = connections
          $0.pacing = try! Pacing(rate: "2000/s")
          $0.concurrency = connections == .recorded ? 1024 : 1
        })
      let (outcome, results) = try replay((1...160).map { get("/", connection: $0) }, with: replayer)
      #expect(outcome.targets.map(\.attempts) == [100, 40, 20])
      #expect((0..<3).map { target in results.filter { $0.attempts[0].target == target }.count } == [100, 40, 20])
    }
  }

  @Test func aTargetThatFailsLosesItsConnectionsToTheOthers() throws {
    let bad = HostileServer { busy($0) }
    let good = HostileServer { $0.answerAll() }
    var breaker = nervous()
    (breaker.wait, breaker.longestWait) = (60_000_000_000, 60_000_000_000)
    let replayer = Replayer(
      targets: try [bad, good].map { WeightedTarget(try ReplayTarget(url: $0.url)) },
      options: testOptions { $0.breaker = breaker })
    var session: [Exchange] = []
    for ordinal in 1...10 as ClosedRange<UInt32> {
      for connection in 1...10 as ClosedRange<UInt32> {
        session.append(get("/", connection: connection, ordinal: ordinal))
      }
    }
    let (outcome, _) = try replay(session, with: replayer)
    #expect(outcome.attempts == [.answered: 100] && outcome.skipped.isEmpty)
    // The requests of its connections that were on their way when it was left alone, and those that opened it.
    #expect((5...10).contains(outcome.targets[0].attempts))
    #expect(outcome.targets[1].breakerOpenings == 0)
  }

  // MARK: Retries

  @Test func safeRequestsAreTriedAgainAfterTheirConnectionFailed() throws {
    let server = HostileServer { peer in
      guard peer.read() != nil else { return }
      if peer.number <= 2 { return }
      peer.answer()
    }
    let (outcome, results) = try replay([get("/")], to: server.url, testOptions { $0.retries = 3 })
    #expect(outcome.attempts == [.answered: 1])
    #expect(outcome.retried == 2 && outcome.sent == 1 && server.connections == 3)
    #expect(results[0].attempts.count == 1)
  }

  @Test func triesEnd() throws {
    let refusing = RefusingPort()
    defer { withExtendedLifetime(refusing) {} }
    let (outcome, _) = try replay(
      [get("/")], to: "http://127.0.0.1:\(refusing.port)", testOptions { $0.retries = 2 })
    #expect(outcome.attempts == [.connectionRefused: 1])
    #expect(outcome.retried == 2)
  }

  @Test(arguments: [
    "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n", "DELETE / HTTP/1.1\r\nHost: shop\r\n\r\n",
  ])
  func nothingThatMayHaveHappenedIsDoneTwice(_ request: String) throws {
    let server = HostileServer { _ = $0.read() }
    let (outcome, _) = try replay([recorded(request)], to: server.url, testOptions { $0.retries = 5 })
    #expect(outcome.attempts == [.closedEarly: 1])
    #expect(outcome.retried == 0 && server.connections == 1)
  }

  @Test func anAnswerThatHasBegunIsNotAskedForAgain() throws {
    let server = HostileServer { peer in
      guard peer.read() != nil else { return }
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1")
    }
    let (outcome, _) = try replay([get("/")], to: server.url, testOptions { $0.retries = 5 })
    #expect(outcome.attempts == [.closedEarly: 1] && server.connections == 1)
  }

  @Test func anInterruptEndsTheWaitForAnotherTry() throws {
    let replayer = Mutex<Replayer?>(nil)
    let server = HostileServer { peer in
      guard peer.read() != nil else { return }
      if peer.number == 3 { replayer.withLock { $0 }?.interrupt() }
    }
    let running = Replayer(target: try ReplayTarget(url: server.url), options: testOptions { $0.retries = 100 })
    replayer.withLock { $0 = running }
    let (outcome, _) = try replay([get("/")], with: running)
    // Without the interrupt it would go on for many minutes.
    #expect(outcome.attempts.values.reduce(0, +) == 1)
    #expect(outcome.retried < 5)
  }

  // MARK: Timeouts

  @Test func theFirstByteHasATimeOfItsOwn() throws {
    let server = HostileServer { peer in
      guard let head = peer.read() else { return }
      if head.contains("/silent") { return peer.readToEnd() }
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
      usleep(150_000)
      peer.write("ok")
    }
    let options = testOptions { $0.firstByteTimeout = 50_000_000 }
    let silent = try attempt(get("/silent"), to: server, options)
    #expect(silent.outcome == .timeout && silent.firstByte == nil)
    #expect(silent.end.nanoseconds(since: silent.sent!) < options.timeout)
    #expect(try attempt(get("/slow"), to: server, options).outcome == .answered)
  }

  // MARK: Faults

  @Test func abortedRequestsAreAnsweredWithoutBeingSent() throws {
    let server = HostileServer { $0.answerAll() }
    let (outcome, results) = try replay(
      (1...20).map { get("/", ordinal: $0) }, to: server.url,
      testOptions {
        $0.faults = [.abort(share: 1, status: 503)]
        $0.breaker = nervous()
      })
    #expect(server.connections == 0 && outcome.sent == 0 && outcome.faults == ["abort": 20])
    #expect(outcome.skipped.isEmpty)
    let attempt = results[0].attempts[0]
    #expect(attempt.outcome == .answered && attempt.sent == nil && attempt.response?.status == 503)
    #expect(attempt.response?.fields.first("x-umbra-fault").map { text($0) } == "abort")
  }

  @Test func resetsCutTheRequestInTheMiddle() throws {
    let arrived = Mutex<[String]>([])
    let server = HostileServer { peer in
      let head = peer.read(through: "\r\n")
      arrived.withLock { $0.append(head ?? "nothing") }
      if peer.read() == nil { arrived.withLock { $0.append("cut") } }
    }
    let request = "GET / HTTP/1.1\r\nHost: shop\r\nX-Filling: 0123456789\r\n\r\n"
    let (outcome, results) = try replay(
      [recorded(request), recorded(request, ordinal: 2)], to: server.url,
      testOptions {
        $0.faults = [.reset(share: 1)]
        $0.retries = 5
        $0.breaker = nervous()
      })
    #expect(outcome.attempts == [.connectionReset: 2] && outcome.faults == ["reset": 2] && outcome.retried == 0)
    #expect(results[0].attempts[0].sent != nil && outcome.sent == 2)
    #expect(!arrived.withLock { $0 }.contains { $0.contains("filling") })
  }

  @Test func delaysMoveTheScheduleInsteadOfBeingLate() throws {
    let server = HostileServer { $0.answerAll() }
    let (outcome, results) = try replay(
      (1...10).map { get("/", connection: $0) }, to: server.url,
      testOptions {
        $0.pacing = .realTime
        $0.faults = [.delay(share: 1, 30_000_000...60_000_000)]
      })
    #expect(outcome.faults == ["delay": 10])
    for attempt in results.map({ $0.attempts[0] }) {
      let delay = attempt.scheduled.nanoseconds(since: outcome.started)
      #expect((30_000_000...60_000_000).contains(delay) && attempt.sent! >= attempt.scheduled)
    }
  }

  @Test func aDelayedRequestIsNotSentAfterTheDuration() throws {
    let server = HostileServer { $0.answerAll() }
    let (outcome, results) = try replay(
      [get("/")], to: server.url,
      testOptions {
        $0.pacing = .realTime
        $0.duration = 20_000_000
        $0.faults = [.delay(share: 1, 60_000_000_000...60_000_000_000)]
      })
    #expect(outcome.end == .duration && results.isEmpty && outcome.skipped == [.durationOver: 1])
  }

  @Test func aThrottleSlowsBothWays() throws {
    let body = String(repeating: "x", count: 4000)
    let server = HostileServer { peer in
      guard let head = peer.read() else { return }
      if head.hasPrefix("POST") { _ = peer.read(through: "END") }
      peer.answer(head.hasPrefix("POST") ? "ok" : body)
      // What the kernel holds of a closed connection is read at once.
      peer.readToEnd()
    }
    let options = testOptions { $0.faults = [.throttle(bytesPerSecond: 20_000)] }
    let answer = try attempt(get("/"), to: server, options)
    #expect(answer.outcome == .answered && answer.response.map { text($0.body.bytes) } == body)
    // 4,000 bytes at 20,000 a second, of which the first piece comes at once.
    #expect(answer.end.nanoseconds(since: answer.sent!) >= 150_000_000)
    let upload = try attempt(
      recorded("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4003\r\n\r\n\(body)END"), to: server, options)
    #expect(upload.outcome == .answered)
    #expect(upload.end.nanoseconds(since: upload.sent!) >= 150_000_000)
  }

  // MARK: Idempotency keys

  @Test func idempotencyKeysAreOfTheRun() throws {
    let seen = Mutex<[String]>([])
    let server = HostileServer { peer in
      while let head = peer.read() {
        seen.withLock { $0.append(head) }
        peer.answer()
      }
    }
    let key = "Idempotency-Key: 0a1b2c"
    func request(_ method: String, _ ordinal: UInt32) -> Exchange {
      recorded(
        "\(method) / HTTP/1.1\r\nHost: shop\r\n\(key)\r\nX-Request-Id: 0a1b2c\r\nContent-Length: 0\r\n\r\n",
        ordinal: ordinal)
    }
    _ = try replay(
      [request("POST", 1), request("POST", 2), request("GET", 3)], to: server.url,
      testOptions {
        $0.idempotencyRun = "run"
        $0.host = .name("canary")
      })
    let heads = seen.withLock { $0 }
    #expect(heads[0] == heads[1] && !heads[0].contains(key) && heads[0].contains("\r\nIdempotency-Key: "))
    #expect(heads.allSatisfy { $0.contains("X-Request-Id: 0a1b2c") && $0.contains("Host: canary\r\n") })
    #expect(heads[2].contains(key))
  }

  // MARK: What limits a run

  @Test func latenessIsPutDownToItsCause() throws {
    let slow = HostileServer { peer in
      while peer.read() != nil {
        usleep(30_000)
        peer.answer()
      }
    }
    func causes(_ session: [Exchange], _ change: (inout ReplayOptions) -> Void) throws -> [LagCause: UInt64] {
      try replay(
        session, to: slow.url,
        testOptions {
          $0.pacing = .realTime
          change(&$0)
        }
      ).outcome.lateBecause
    }
    // All due at once: on one connection, on many with a cap, and on a small pool.
    let target = try causes((1...5).map { get("/", ordinal: $0) }) { _ in }
    #expect(target[.target, default: 0] >= 3)
    let apart = (1...6).map { get("/", connection: $0) }
    #expect(try causes(apart) { $0.concurrency = 1 }[.concurrency, default: 0] >= 4)
    #expect(try causes(apart) { $0.connections = .pool(1) }[.connections, default: 0] >= 4)
  }
}
