import Glibc
import HTTPModel
import ReplaySchedule
import Synchronization
import Testing

@testable import ReplayClient

/// Limits of single routes, and what rules say of requests.
@Suite(.timeLimit(.minutes(2))) struct RouteTests {
  /// Rules by path.
  private final class PathRules: RequestRules {
    private let byPath: [String: RequestHandling]
    private let rewrite: (@Sendable (HTTPRequest) -> HTTPRequest?)?
    /// Seen by ``handling(of:round:)``, in order.
    let asked = Log()

    init(
      byPath: [String: RequestHandling] = [:], rewrite: (@Sendable (HTTPRequest) -> HTTPRequest?)? = nil
    ) {
      self.byPath = byPath
      self.rewrite = rewrite
    }

    final class Log: Sendable {
      let entries = Mutex<[String]>([])
    }

    func handling(of exchange: Exchange, round: UInt32) -> RequestHandling {
      let path = exchange.request.map { String(decoding: $0.target, as: UTF8.self) } ?? ""
      asked.entries.withLock { $0.append("\(path) \(round)") }
      return byPath[path] ?? RequestHandling()
    }

    func rewritten(_ request: HTTPRequest, of exchange: Exchange, for role: AttemptRole) -> HTTPRequest? {
      rewrite?(request)
    }
  }

  private func route(_ number: Int = 1, _ change: (inout RequestRoute) -> Void) -> RequestHandling {
    var handling = RequestHandling()
    var route = RequestRoute(number: number)
    change(&route)
    handling.route = route
    return handling
  }

  @Test(arguments: [ReplayOptions.Connections.recorded, .pool(32)], [true, false])
  func aRouteKeepsItsCapAndOthersGoOn(connections: ReplayOptions.Connections, hasDueTimes: Bool) throws {
    let load = Mutex((now: 0, most: 0, free: 0))
    let server = HostileServer { peer in
      while let request = peer.read() {
        let isCapped = request.hasPrefix("GET /capped ")
        load.withLock { load in
          if isCapped {
            load.now += 1
            load.most = max(load.most, load.now)
          } else {
            load.free += 1
          }
        }
        if isCapped { usleep(2000) }
        load.withLock { if isCapped { $0.now -= 1 } }
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      }
    }
    let session = (1...200 as ClosedRange<UInt32>).map {
      get($0 % 4 == 0 ? "/free" : "/capped", connection: $0 % 40 + 1, ordinal: $0)
    }
    let rules = PathRules(byPath: ["/capped": route { $0.concurrency = 3 }])
    let (outcome, results) = try replay(
      session, to: server.url,
      testOptions {
        $0.connections = connections
        $0.rules = rules
        if hasDueTimes { $0.pacing = .realTime }
      })
    #expect(results.count == 200 && outcome.attempts == [.answered: 200])
    load.withLock { #expect($0.most == 3 && $0.free == 50) }
  }

  @Test func requestsThatAreNotSentLetOthersOfTheirRoutePass() throws {
    // The breaker opens while most requests wait for their route.
    let server = HostileServer { peer in
      while peer.read() != nil {
        usleep(500)
        peer.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
      }
    }
    for connections in [ReplayOptions.Connections.recorded, .pool(8)] {
      var breaker = BreakerOptions(share: 0.5, window: 10_000_000_000)
      (breaker.minimumCount, breaker.wait, breaker.longestWait) = (5, 60_000_000_000, 60_000_000_000)
      let (outcome, results) = try replay(
        (1...60 as ClosedRange<UInt32>).map { get("/a", connection: $0) }, to: server.url,
        testOptions {
          $0.connections = connections
          $0.pacing = .realTime
          $0.breaker = breaker
          $0.rules = PathRules(byPath: ["/a": route { $0.concurrency = 1 }])
        })
      #expect(UInt64(results.count) + (outcome.skipped[.breakerOpen] ?? 0) == 60)
      #expect(outcome.skipped[.breakerOpen] ?? 0 > 0)
    }
  }

  @Test func timeoutsAndRetriesAreTheRoutes() throws {
    let tries = Mutex(0)
    let server = HostileServer { peer in
      while let request = peer.read() {
        if request.hasPrefix("GET /silent ") { continue }
        if request.hasPrefix("GET /cut "),
          tries.withLock({
            $0 += 1; return $0 <= 2
          })
        {
          return
        }
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      }
    }
    let rules = PathRules(byPath: [
      "/silent": route(1) { $0.timeout = 30_000_000 },
      "/cut": route(2) {
        $0.retries = 2
        $0.backoff = .none
      },
    ])
    let (outcome, results) = try replay(
      [get("/silent", connection: 1), get("/cut", connection: 2), get("/other", connection: 3)], to: server.url,
      testOptions { $0.rules = rules })
    #expect(outcome.attempts == [.answered: 2, .timeout: 1] && results.count == 3)
    #expect(outcome.retried > 0)
  }

  @Test func rulesWithholdAllowRewriteAndStrike() throws {
    var withheld = RequestHandling()
    withheld.withheld = .excludedByRules
    var (allowed, refused, struck) = (RequestHandling(), RequestHandling(), RequestHandling())
    (allowed.allowsUnsafe, refused.allowsUnsafe) = (true, false)
    struck.faults = [.abort(share: 1, status: 418), .throttle(bytesPerSecond: 1_000_000)]
    let rules = PathRules(
      byPath: ["/out": withheld, "/in": allowed, "/no": refused, "/hit": struck],
      rewrite: { request in
        guard request.target.elementsEqual("/old".utf8) else { return nil }
        var request = request
        request.fields.storage.replaceSubrange(
          Int(request.targetRange.lowerBound)..<Int(request.targetRange.upperBound), with: "/new".utf8)
        return request
      })
    let heard = Mutex<[String]>([])
    let server = HostileServer { peer in
      while let request = peer.read() {
        let line = String(request.prefix { $0 != "\r\n" })
        heard.withLock { $0.append(line) }
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      }
    }
    func post(_ path: String, _ ordinal: UInt32) -> Exchange {
      recorded("POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", ordinal: ordinal)
    }
    let session = [
      get("/out", ordinal: 1), post("/in", 2), post("/no", 3), post("/else", 4), get("/hit", ordinal: 5),
      get("/old", ordinal: 6),
    ]
    let (outcome, results) = try replay(
      session, to: server.url,
      testOptions {
        $0.methods = ["GET", "POST"]
        $0.rules = rules
        $0.rounds = 2
      })
    #expect(outcome.skipped == [.excludedByRules: 2, .unsafeMethod: 2])
    #expect(
      Set(heard.withLock { $0 }) == ["POST /in HTTP/1.1", "POST /else HTTP/1.1", "GET /new HTTP/1.1"])
    let statuses = results.filter { $0.exchange.id.ordinal == 5 }.map { $0.attempts[0].response?.status }
    #expect(statuses == [418, 418])
    // What is kept is what was recorded.
    #expect(results.allSatisfy { $0.exchange.request?.target.elementsEqual("/new".utf8) == false })
    #expect(rules.asked.entries.withLock { $0.count } == 12)
  }

  @Test func readingGoesAheadNoFurtherThanAsked() throws {
    let server = HostileServer { peer in
      while peer.read() != nil { peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
    }
    let rules = PathRules()
    var most = 0
    let session = (0..<60 as Range<UInt32>).map { get("/\($0)", ordinal: $0 + 1, milliseconds: Int64($0) * 10) }
    _ = try replay(
      session, to: server.url,
      testOptions {
        $0.pacing = .realTime
        $0.rules = rules
        $0.readAheadTime = 50_000_000
      }
    ) { result in
      // Answers are handed back within a quarter of a second of their coming.
      let ahead = rules.asked.entries.withLock { $0.count } - Int(result.exchange.id.ordinal)
      most = max(most, ahead)
    }
    #expect(rules.asked.entries.withLock { $0.count } == 60)
    #expect(most < 59)
  }
}
