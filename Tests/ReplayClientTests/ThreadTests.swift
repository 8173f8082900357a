import Glibc
import HTTPModel
import ReplaySchedule
import Synchronization
import Testing

@testable import ReplayClient

/// Several event loops that share one plan.
@Suite(.timeLimit(.minutes(2))) struct ThreadTests {
  /// What a server sees: requests by connection, in order, and how many were in flight at most.
  private struct Seen {
    var connections: [[String]] = []
    var now = 0
    var most = 0
  }

  private func answering(_ seen: borrowing Mutex<Seen>, _ peer: Peer, delay: UInt32) {
    var mine: [String] = []
    while let request = peer.read() {
      seen.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      mine.append(String(request.split(separator: " ")[1]))
      usleep(delay)
      seen.withLock { $0.now -= 1 }
      peer.answer()
    }
    if !mine.isEmpty { seen.withLock { [mine] in $0.connections.append(mine) } }
  }

  /// Servers see the end of a connection a moment after the run.
  private func eventually(_ holds: () -> Bool) -> Bool {
    for _ in 0..<3000 where !holds() { usleep(10_000) }
    return holds()
  }

  @Test(arguments: [1, 2, 3, 8], ["1x", "max"])
  func recordedConnectionsStayTogetherAndTheWholeIsOneRun(threads: Int, speed: String) throws {
    let seen = Mutex(Seen())
    let server = HostileServer { answering(seen, $0, delay: 300) }
    let session = (0..<300 as Range<UInt32>).map {
      get("/\($0 % 30)/\($0 / 30)", connection: $0 % 30 + 1, ordinal: $0 / 30 + 1, milliseconds: Int64($0) / 3)
    }
    let (outcome, results) = try replay(
      session, to: server.url,
      testOptions {
        $0.threads = threads
        $0.pacing = try! Pacing(speed: speed)
        $0.concurrency = 20
      })
    #expect(outcome.attempts == [.answered: 300] && outcome.planned == 300 && outcome.sent == 300)
    #expect(outcome.connectionsOpened == 30 && outcome.targets.count == 1 && outcome.targets[0].attempts == 300)
    #expect(Set(results.map(\.exchange.id)).count == 300 && outcome.end == .finished && outcome.rounds == 1)
    #expect(outcome.started <= outcome.ended && outcome.besides.isEmpty)
    #expect(eventually { seen.withLock { $0.connections.count } == 30 })
    seen.withLock { seen in
      #expect(seen.most <= 20)
      for requests in seen.connections {
        let connection = requests[0].split(separator: "/")[0]
        #expect(requests == (0..<10).map { "/\(connection)/\($0)" })
      }
    }
  }

  @Test func aPoolIsSharedAndItsSizeKept() throws {
    let seen = Mutex(Seen())
    let server = HostileServer { answering(seen, $0, delay: 300) }
    let session = (0..<200 as Range<UInt32>).map { get("/\($0)", connection: 1, ordinal: $0 + 1) }
    let (outcome, results) = try replay(
      session, to: server.url,
      testOptions {
        $0.threads = 3
        $0.pacing = .maximum
        $0.connections = .pool(7)
        $0.rounds = 2
      })
    #expect(outcome.attempts == [.answered: 400] && results.count == 400 && outcome.rounds == 2)
    #expect(outcome.connectionsOpened == 7)
    seen.withLock { #expect($0.most <= 7) }
  }

  @Test func aRoutesCapHoldsOverAllThreads() throws {
    final class Capped: RequestRules {
      func handling(of exchange: Exchange, round: UInt32) -> RequestHandling {
        var (handling, route) = (RequestHandling(), RequestRoute(number: 1))
        route.concurrency = 5
        handling.route = route
        return handling
      }
      func rewritten(_ request: HTTPRequest, of exchange: Exchange, for role: AttemptRole) -> HTTPRequest? { nil }
    }
    let seen = Mutex(Seen())
    let server = HostileServer { answering(seen, $0, delay: 500) }
    let session = (0..<200 as Range<UInt32>).map { get("/\($0)", connection: $0 % 50, ordinal: $0) }
    let (outcome, _) = try replay(
      session, to: server.url,
      testOptions {
        $0.threads = 2
        $0.pacing = .maximum
        $0.rules = Capped()
      })
    #expect(outcome.attempts == [.answered: 200])
    seen.withLock { #expect($0.most <= 5) }
  }

  @Test func aDurationAndAnInterruptEndAllThreads() throws {
    let server = HostileServer { $0.answerAll() }
    let session = (0..<100 as Range<UInt32>).map { get("/", connection: $0, ordinal: 1, milliseconds: Int64($0) * 5) }
    let (outcome, results) = try replay(
      session, to: server.url,
      testOptions {
        $0.threads = 4
        $0.pacing = .realTime
        $0.rounds = .max
        $0.duration = 700_000_000
      })
    #expect(outcome.end == .duration && results.count >= 100)
    #expect(outcome.planned == outcome.attempts.values.reduce(0, +) + outcome.skipped.values.reduce(0, +))

    let replayer = Replayer(
      target: try ReplayTarget(url: server.url),
      options: testOptions {
        $0.threads = 4
        $0.pacing = .realTime
        $0.rounds = .max
      })
    var (next, delivered) = (0, 0)
    let interrupted = try replayer.run(
      next: { _ in
        next += 1
        return next % 101 == 0 ? nil : session[next % 101 - 1]
      },
      deliver: { _ in
        delivered += 1
        if delivered == 20 { replayer.interrupt() }
      })
    #expect(interrupted.end == .interrupted && delivered >= 20)
    #expect(replayer.progress.sent == interrupted.sent && replayer.progress.inFlight == 0)
  }

  @Test func whatThreadsCannotShareIsRefused() throws {
    func refused(_ change: (inout ReplayOptions) -> Void) -> Bool {
      let replayer = try? Replayer(target: ReplayTarget(url: "http://127.0.0.1:9"), options: testOptions(change))
      do {
        _ = try replayer?.prepare()
        return false
      } catch {
        if case .optionOutOfRange = error { return true }
        return false
      }
    }
    #expect(refused { $0.threads = 0 } && refused { $0.threads = 65 })
    #expect(
      refused {
        $0.threads = 4
        $0.concurrency = 3
      })
    #expect(
      refused {
        $0.threads = 4
        $0.connections = .pool(3)
      })
  }

  @Test func sharesAddUp() {
    for (total, count) in [(7, 3), (1, 1), (64, 64), (1024, 5), (3, 4)] {
      let shares = (0..<count).map { EvenShare($0, of: count).of(total) }
      #expect(shares.reduce(0, +) == total && shares.max()! - shares.min()! <= 1)
    }
  }
}
