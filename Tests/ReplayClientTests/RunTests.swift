import HTTPModel
import ReplayClient
import ReplaySchedule
import Synchronization
import Testing

/// Schedules, rounds, ends and errors of whole runs.
@Suite(.timeLimit(.minutes(2))) struct RunTests {
  private func scheduled(_ results: [ReplayedExchange], from start: Timestamp) -> [Int64] {
    results.map { $0.attempts[0].scheduled.nanoseconds(since: start) }.sorted()
  }

  @Test func recordedTimesAreDueAtTheirDistanceOverTheSpeed() throws {
    let server = HostileServer { $0.answerAll() }
    let session = [0, 5, 30, 31, 100].enumerated().map { index, time in
      get("/", connection: UInt32(index % 2 + 1), ordinal: UInt32(index + 1), milliseconds: Int64(time))
    }
    let (outcome, results) = try replay(session, to: server.url, testOptions { $0.pacing = try! Pacing(speed: "2x") })
    #expect(scheduled(results, from: outcome.started) == [0, 2_500_000, 15_000_000, 15_500_000, 50_000_000])
    #expect(outcome.end == .finished && outcome.rounds == 1)
    #expect(outcome.ended.nanoseconds(since: outcome.started) >= 50_000_000)
  }

  @Test func aConstantRateIsDueAtWholePeriodsOverAllRounds() throws {
    let server = HostileServer { $0.answerAll() }
    let session = (1...20).map { get("/", ordinal: $0) }
    let (outcome, results) = try replay(
      session, to: server.url,
      testOptions {
        $0.pacing = try! Pacing(rate: "3000/s")
        $0.rounds = 3
        $0.connections = .pool(4)
      })
    #expect(scheduled(results, from: outcome.started) == (0..<60).map { $0 * 1_000_000_000 / 3000 })
    #expect(results.map { $0.attempts[0].round }.sorted() == (0..<60).map { UInt32($0 / 20) })
    #expect(outcome.rounds == 3)
  }

  @Test func arrivalsAtTheServerFollowTheProfile() throws {
    let arrived = Mutex<[ContinuousClock.Instant]>([])
    let server = HostileServer { peer in
      while peer.read() != nil {
        arrived.withLock { $0.append(.now) }
        peer.answer()
      }
    }
    let (outcome, _) = try replay(
      (1...50).map { get("/", ordinal: $0) }, to: server.url,
      testOptions {
        $0.pacing = try! Pacing(rate: "200/s,500ms;0/s,1s;600/s,500ms")
        $0.rounds = .max
        $0.connections = .pool(8)
      })
    #expect(outcome.end == .finished && outcome.sent == 400 && outcome.rounds == 8)
    let times = arrived.withLock { $0.sorted() }
    // The longest silence is the pause, between the hundredth arrival and the next.
    let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
    #expect(gaps.indices.max { gaps[$0] < gaps[$1] } == 99)
  }

  @Test func everyRoundHasConnectionsOfItsOwn() throws {
    let server = HostileServer { $0.answerAll() }
    let session = [get("/a", connection: 1), get("/b", connection: 2), get("/c", connection: 1, ordinal: 2)]
    let (outcome, results) = try replay(session, to: server.url, testOptions { $0.rounds = 4 })
    #expect(results.count == 12)
    #expect(outcome.connectionsOpened == 8)
  }

  @Test func whatWaitsForASlowAnswerIsSentLateAndSaysSo() throws {
    let server = HostileServer { peer in
      while peer.read() != nil { peer.answer() }
    }
    // All are due at once on one connection: each waits for the answers before it.
    let session = (1...50).map { get("/", ordinal: $0) }
    let (outcome, results) = try replay(session, to: server.url, testOptions { $0.pacing = .realTime })
    #expect(Set(results.map { $0.attempts[0].scheduled }) == [outcome.started])
    let sent = results.map { $0.attempts[0].sent! }
    #expect(sent == sent.sorted() && sent.last! > sent.first!)
    #expect(outcome.largestLag == sent.last!.nanoseconds(since: outcome.started))
  }

  @Test func withheldExchangesAreCountedByReason() throws {
    let server = HostileServer { $0.answerAll() }
    var noRequest = get("/")
    noRequest.request = nil
    var unresolved = get("/")
    unresolved.request!.version = .http2
    unresolved.request!.targetRange = 0..<0
    var pushed = get("/")
    pushed.request!.version = .http2
    pushed.details.promisedBy = 1
    var cut = recorded("GET / HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\nbody")
    cut.request!.body.bytes.removeLast()
    cut.request!.body.isComplete = false
    var headless = get("/")
    headless.request!.fields = HeaderFields()
    let post = recorded("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n")
    let lowercase = recorded("get / HTTP/1.1\r\nHost: shop\r\n\r\n")
    let session = [noRequest, unresolved, pushed, cut, headless, post, post, lowercase, get("/")]
    var options = testOptions()
    options.methods = ReplayOptions().methods
    let (outcome, results) = try replay(session, to: server.url, options)
    #expect(results.count == 1)
    #expect(outcome.planned == 9)
    #expect(
      outcome.skipped == [.noRequest: 1, .unresolvedRequest: 1, .pushed: 1, .incompleteRequest: 2, .unsafeMethod: 3])
  }

  @Test func aSessionWithNothingToSendEnds() throws {
    let server = HostileServer { $0.answerAll() }
    var noRequest = get("/")
    noRequest.request = nil
    let options = testOptions { $0.rounds = .max }
    #expect(try replay([], to: server.url, options).outcome.planned == 0)
    #expect(try replay([noRequest], to: server.url, options).outcome.skipped == [.noRequest: 1])
    #expect(server.connections == 0)
  }

  @Test func theDurationEndsARun() throws {
    let server = HostileServer { $0.answerAll() }
    let (outcome, results) = try replay(
      [get("/")], to: server.url,
      testOptions {
        $0.rounds = .max
        $0.duration = 30_000_000
      })
    #expect(outcome.end == .duration)
    #expect(results.allSatisfy { $0.attempts[0].scheduled.nanoseconds(since: outcome.started) < 30_000_000 })
    #expect(outcome.attempts[.answered, default: 0] == UInt64(results.count))
  }

  @Test(arguments: [ReplayOptions.Connections.recorded, .pool(10)])
  func anInterruptGivesUpWhatIsInFlightAndCountsWhatWasDue(_ connections: ReplayOptions.Connections) throws {
    let replayer = Mutex<Replayer?>(nil)
    let arrived = Mutex(0)
    let server = HostileServer { peer in
      _ = peer.read()
      if arrived.withLock({
        $0 += 1; return $0
      }) == 10 {
        replayer.withLock { $0 }?.interrupt()
      }
      peer.readToEnd()
    }
    let session = (1...100).map { get("/", connection: UInt32($0 % 10), ordinal: UInt32($0)) }
    let running = Replayer(
      target: try ReplayTarget(url: server.url),
      options: testOptions {
        $0.pacing = .realTime
        $0.connections = connections
        $0.interruptGrace = 20_000_000
      })
    replayer.withLock { $0 = running }
    let (outcome, results) = try replay(session, with: running)
    #expect(outcome.end == .interrupted)
    #expect(outcome.attempts == [.interrupted: 10])
    #expect(outcome.skipped == [.interrupted: 90])
    #expect(results.allSatisfy { $0.attempts[0].sent != nil && $0.attempts[0].response == nil })
    #expect(running.progress.failed == 10 && running.progress.inFlight == 0)
  }

  @Test func answersThatComeInTheGraceCount() throws {
    let replayer = Mutex<Replayer?>(nil)
    let server = HostileServer { peer in
      _ = peer.read()
      replayer.withLock { $0 }?.interrupt()
      peer.answer()
      peer.readToEnd()
    }
    let running = Replayer(
      target: try ReplayTarget(url: server.url), options: testOptions { $0.interruptGrace = 60_000_000_000 })
    replayer.withLock { $0 = running }
    let (outcome, _) = try replay([get("/"), get("/", ordinal: 2)], with: running)
    #expect(outcome.end == .interrupted)
    #expect(outcome.attempts == [.answered: 1])
  }

  @Test func anInterruptBeforeTheRunEndsItAtOnce() throws {
    let server = HostileServer { $0.answerAll() }
    let replayer = Replayer(target: try ReplayTarget(url: server.url), options: testOptions())
    replayer.interrupt()
    let (outcome, results) = try replay([get("/")], with: replayer)
    #expect(outcome.end == .interrupted && results.isEmpty)
  }

  private struct Broken: Error {}

  @Test func aSessionThatCannotBeReadOnEndsTheRunAndKeepsWhatWasDone() throws {
    let server = HostileServer { $0.answerAll() }
    let replayer = Replayer(target: try ReplayTarget(url: server.url), options: testOptions())
    #expect {
      var reads = 0
      _ = try replayer.run(
        next: { _ in
          reads += 1
          if reads == 5000 { throw Broken() }
          return get("/", ordinal: UInt32(reads))
        }, deliver: { _ in })
    } throws: { error in
      if case .sessionFailed(let cause)? = error as? ReplayError { cause is Broken } else { false }
    }
  }

  @Test func aResultThatCannotBeKeptEndsTheRun() throws {
    let server = HostileServer { $0.answerAll() }
    let replayer = Replayer(target: try ReplayTarget(url: server.url), options: testOptions())
    var (read, delivered) = (UInt32(0), 0)
    #expect {
      // Without the error this would never end.
      _ = try replayer.run(
        next: { _ in
          read += 1
          return get("/", ordinal: read)
        },
        deliver: { _ in
          delivered += 1
          if delivered == 100 { throw Broken() }
        })
    } throws: { error in
      if case .deliveryFailed(let cause)? = error as? ReplayError { cause is Broken } else { false }
    }
    #expect(delivered == 100)
  }

  @Test func readingStaysWithinItsBounds() throws {
    let server = HostileServer { $0.answerAll() }
    for (count, memory) in [(1, 1), (10, 1 << 20), (1000, 20_000)] {
      let replayer = Replayer(
        target: try ReplayTarget(url: server.url),
        options: testOptions {
          $0.readAheadCount = count
          $0.memoryLimit = memory
        })
      var (read, delivered, most) = (0, 0, 0)
      let outcome = try replayer.run(
        next: { _ in
          guard read < 2000 else { return nil }
          read += 1
          most = max(most, read - delivered)
          return get("/", connection: UInt32(read % 7), ordinal: UInt32(read))
        }, deliver: { _ in delivered += 1 })
      #expect(outcome.attempts == [.answered: 2000])
      // An exchange counts for a little more than 1 KB, and half of the limit is left to answers.
      #expect(most <= min(count, max(1, memory / 2 / 1024 + 1)), "\(count) \(memory)")
    }
  }

  @Test func optionsOutOfRangeAreNamed() throws {
    let target = try ReplayTarget(url: "http://127.0.0.1:1")
    func refused(_ change: (inout ReplayOptions) -> Void) -> String? {
      var options = ReplayOptions()
      change(&options)
      do {
        _ = try Replayer(target: target, options: options).run(next: { _ in nil }, deliver: { _ in })
      } catch {
        if case .optionOutOfRange(let name, _) = error { return name }
      }
      return nil
    }
    #expect(refused { $0.concurrency = 0 } == "concurrency")
    #expect(refused { $0.connections = .pool(0) } == "connections")
    #expect(refused { $0.timeout = 0 } == "timeout")
    #expect(refused { $0.connectTimeout = .max } == "connect timeout")
    #expect(refused { $0.rounds = 0 } == "loop")
    #expect(refused { $0.duration = -1 } == "duration")
    #expect(refused { $0.marker = .init(name: "X Y", value: "1") } == "marker")
    #expect(refused { $0.marker = .init(name: "X", value: "1\r\nEvil: 2") } == "marker")
    #expect(refused { $0.host = .name("a\nb") } == "host")
  }
}
