import Glibc
import HTTPModel
import ReplayClient
import Synchronization
import Testing

/// Which request travels on which connection.
@Suite(.timeLimit(.minutes(2))) struct ConnectionTests {
  @Test func eachRecordedConnectionIsOneConnectionInItsOrder() throws {
    let seen = Mutex<[Int: [String]]>([:])
    let server = HostileServer { peer in
      while let head = peer.read() {
        let path = String(head.split(separator: " ")[1])
        seen.withLock { $0[peer.number, default: []].append(path) }
        peer.answer()
      }
    }
    var session: [Exchange] = []
    for ordinal in 1...20 as ClosedRange<UInt32> {
      for connection in 1...10 as ClosedRange<UInt32> {
        session.append(get("/\(connection)/\(ordinal)", connection: connection, ordinal: ordinal))
      }
    }
    let (outcome, results) = try replay(session, to: server.url)
    #expect(outcome.attempts == [.answered: 200])
    #expect(outcome.connectionsOpened == 10)
    #expect(Set(results.map(\.exchange.id)).count == 200)
    let paths = Set(seen.withLock { $0 }.values)
    #expect(paths == Set((1...10).map { connection in (1...20).map { "/\(connection)/\($0)" } }))
  }

  @Test func aConnectionThatTheTargetAnnouncesToCloseIsOpenedAgain() throws {
    let server = HostileServer { peer in
      _ = peer.read()
      peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    }
    let (outcome, _) = try replay((1...5).map { get("/", ordinal: $0) }, to: server.url)
    #expect(outcome.attempts == [.answered: 5])
    #expect(outcome.connectionsOpened == 5 && outcome.resent == 0)
  }

  /// Answers the first request of a connection and closes on the second without a byte.
  private func forgetful() -> HostileServer {
    HostileServer { peer in
      guard peer.read() != nil else { return }
      peer.answer()
      _ = peer.read()
    }
  }

  @Test func aSafeRequestOnADeadConnectionIsSentOnceMore() throws {
    let server = forgetful()
    let (outcome, results) = try replay((1...4).map { get("/\($0)", ordinal: $0) }, to: server.url)
    #expect(outcome.attempts == [.answered: 4])
    // Each was first tried on the connection before it, and sent again on its own.
    #expect(outcome.resent == 3 && outcome.sent == 4)
    #expect(results.map(\.exchange.id.ordinal) == [1, 2, 3, 4])
  }

  @Test func anUnsafeRequestOnADeadConnectionIsNotSentAgain() throws {
    let session = (1...4).map { ordinal in
      recorded("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n", ordinal: UInt32(ordinal))
    }
    let server = forgetful()
    let (outcome, _) = try replay(session, to: server.url)
    #expect(outcome.attempts == [.answered: 2, .connectionReset: 2])
    #expect(outcome.resent == 0)
  }

  @Test func bytesNobodyAskedForEndTheConnection() throws {
    let server = HostileServer { peer in
      guard peer.read() != nil else { return }
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n")
      peer.readToEnd()
    }
    let results = try replay((1...3).map { get("/", ordinal: $0) }, to: server.url).results
    #expect(results.map { $0.attempts[0].response?.status } == [200, 200, 200])
    #expect(server.connections == 3)
  }

  @Test func aConnectionIsClosedWhereTheRecordingClosedIt() throws {
    let closed = Gate()
    let server = HostileServer { peer in
      let isFirst = peer.read()?.hasPrefix("GET /first ") == true
      // The second is answered only once the client has closed the first.
      if !isFirst { closed.pass() }
      peer.answer()
      peer.readToEnd()
      if isFirst { closed.open() }
    }
    let session = [get("/first", connection: 1), get("/second", connection: 2)]
    let (outcome, _) = try replay(session, to: server.url)
    #expect(outcome.attempts == [.answered: 2])
    #expect(outcome.connectionsOpened == 2)
  }

  @Test func aPoolTakesWhateverIsDue() throws {
    let server = HostileServer { $0.answerAll() }
    let session = (1...300).map { get("/\($0)", connection: UInt32($0)) }
    let (outcome, _) = try replay(session, to: server.url, testOptions { $0.connections = .pool(4) })
    #expect(outcome.attempts == [.answered: 300])
    #expect((1...4).contains(outcome.connectionsOpened))
    #expect(server.connections == Int(outcome.connectionsOpened))
  }

  @Test func aPoolKeepsItsSizeWhenConnectionsBreak() throws {
    let server = HostileServer { peer in
      guard peer.read() != nil else { return }
      peer.answer()
      _ = peer.read()
      peer.reset()
    }
    let (outcome, _) = try replay(
      (1...100).map { get("/\($0)", connection: UInt32($0)) }, to: server.url,
      testOptions { $0.connections = .pool(3) })
    #expect(outcome.attempts == [.answered: 100])
  }

  @Test func noMoreThanTheCapAreInFlight() throws {
    let inFlight = Mutex((now: 0, most: 0))
    let server = HostileServer { peer in
      while peer.read() != nil {
        inFlight.withLock { count in
          count.now += 1
          count.most = max(count.most, count.now)
        }
        sched_yield()
        inFlight.withLock { $0.now -= 1 }
        peer.answer()
      }
    }
    let session = (1...400).map { get("/", connection: UInt32($0)) }
    let (outcome, _) = try replay(session, to: server.url, testOptions { $0.concurrency = 3 })
    #expect(outcome.attempts == [.answered: 400])
    #expect(inFlight.withLock { $0.most } <= 3)
  }

  @Test func idleConnectionsMakeRoomAtTheLimit() throws {
    let server = HostileServer { $0.answerAll() }
    var session: [Exchange] = []
    for ordinal in 1...3 as ClosedRange<UInt32> {
      for connection in 1...40 as ClosedRange<UInt32> {
        session.append(get("/", connection: connection, ordinal: ordinal))
      }
    }
    let (outcome, _) = try replay(session, to: server.url, testOptions { $0.openConnections = 5 })
    #expect(outcome.attempts == [.answered: 120])
  }

  @Test func twoThousandConnections() throws {
    let server = HostileServer { $0.answerAll() }
    var session: [Exchange] = []
    for ordinal in 1...2 as ClosedRange<UInt32> {
      for connection in 1...2000 as ClosedRange<UInt32> {
        session.append(get("/", connection: connection, ordinal: ordinal))
      }
    }
    let (outcome, _) = try replay(session, to: server.url)
    #expect(outcome.attempts == [.answered: 4000])
    #expect(outcome.connectionsOpened == 2000)
  }
}
