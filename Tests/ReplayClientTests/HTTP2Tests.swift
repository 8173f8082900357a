import HTTP2Decoding
import HTTPModel
import ReplayClient
import ReplaySchedule
import Synchronization
import Testing

/// What is spoken on HTTP/2, frame by frame.
@Suite(.timeLimit(.minutes(2))) struct HTTP2Tests {
  private func replayed(
    _ session: [Exchange], to server: HostileServer, _ options: ReplayOptions = testOptions()
  ) throws -> (outcome: ReplayOutcome, results: [ReplayedExchange]) {
    try replay(session, to: "h2c://127.0.0.1:\(server.port)", options)
  }

  @Test func requestsThatOverlappedOverlapOnOneConnection() throws {
    let server = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      // All three must be there before the first is answered.
      var streams: [UInt32] = []
      while streams.count < 3, let frame = peer.requestFrame() { streams.append(frame.stream) }
      for stream in streams.reversed() { peer.answer(stream: stream, "stream \(stream)") }
      peer.readToEnd()
    }
    let session = (0..<3).map { (number: UInt32) in
      multiplexed("/\(number)", ordinal: number + 1, milliseconds: Int64(number), length: 10)
    }
    let (outcome, results) = try replayed(session, to: server)
    #expect(outcome.attempts == [.answered: 3] && outcome.connectionsOpened == 1)
    #expect(results.map { text($0.attempts[0].response!.body.bytes) } == ["stream 5", "stream 3", "stream 1"])
    #expect(results.allSatisfy { $0.attempts[0].response?.version == .http2 })
  }

  @Test func whatFollowedAnAnswerFollowsItWithoutASchedule() throws {
    let order = Mutex<[UInt32]>([])
    let server = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      while let frame = peer.requestFrame() {
        order.withLock { $0.append(frame.stream) }
        peer.answer(stream: frame.stream)
        order.withLock { $0.append(frame.stream) }
      }
    }
    let session = (0..<4).map { (number: UInt32) in
      multiplexed("/\(number)", ordinal: number + 1, milliseconds: 10 * Int64(number), length: 5)
    }
    #expect(try replayed(session, to: server).outcome.attempts == [.answered: 4])
    #expect(order.withLock { $0 } == [1, 1, 3, 3, 5, 5, 7, 7])
  }

  @Test func requestsBeyondTheTargetsLimitWaitAndAreCounted() throws {
    let most = Mutex(0)
    let server = HostileServer { peer in
      guard peer.beginHTTP2([.setting(3, 2)]) else { return }
      var open: [UInt32] = []
      while let frame = peer.requestFrame() {
        if frame.stream == 1 {
          peer.answer(stream: 1)
          continue
        }
        open.append(frame.stream)
        most.withLock { $0 = max($0, open.count) }
        guard open.count == 2 else { continue }
        for stream in open { peer.answer(stream: stream) }
        open = []
      }
    }
    var session = [multiplexed("/first", length: 1)]
    session += (1...5).map { multiplexed("/\($0)", ordinal: UInt32($0 + 1), milliseconds: 5, length: 20) }
    session.append(multiplexed("/last", ordinal: 7, milliseconds: 5, length: 20))
    let (outcome, _) = try replayed(session, to: server)
    #expect(outcome.attempts == [.answered: 7])
    #expect(most.withLock { $0 } == 2)
    #expect(outcome.waitedForStream > 0)
  }

  @Test func fieldsKeepTheirOrderAndTrailersAreKept() throws {
    let seen = Mutex<[UInt8]>([])
    let server = HostileServer { peer in
      guard peer.beginHTTP2([.setting(1, 0)]), let frame = peer.requestFrame() else { return }
      seen.withLock { $0 = frame.payload }
      peer.send(.headers([(":status", "103"), ("link", "</a>")], stream: 1))
      peer.send(.headers([(":status", "200"), ("x-a", "1"), ("x-b", "2"), ("x-a", "3")], stream: 1))
      peer.send(Frame(.data, stream: 1, Array("body".utf8)))
      peer.send(.headers([("grpc-status", "0"), ("x-sum", "4")], stream: 1, ends: true))
      peer.readToEnd()
    }
    let exchange = multiplexed("/a", fields: [("x-one", "1"), ("x-two", "2"), ("x-one", "3")])
    let (outcome, results) = try replayed(
      [exchange], to: server, testOptions { $0.marker = .init(name: "X-Mark", value: "r") })
    let response = try #require(results.first?.attempts[0].response)
    #expect(outcome.attempts == [.answered: 1])
    #expect(response.informational.map(\.status) == [103])
    let names = response.fields.ranges.indices.map { text(response.fields.name(at: $0)) }
    #expect(names == ["x-a", "x-b", "x-a"])
    #expect(response.trailers.first("grpc-status").map { text($0) } == "0")
    #expect(text(response.body.bytes) == "body" && response.body.isComplete)
    #expect(!seen.withLock { $0 }.isEmpty)
  }

  @Test func aResetIsANamedFailure() throws {
    let server = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      while let frame = peer.requestFrame() {
        if frame.stream == 1 {
          peer.send(.headers([(":status", "200")], stream: 1))
          peer.send(Frame(.data, stream: 1, Array("half".utf8)))
          peer.send(.number(.rstStream, 2, stream: 1))
        } else {
          peer.answer(stream: frame.stream)
        }
      }
    }
    let session = [multiplexed("/a"), multiplexed("/b", stream: 3, ordinal: 2, milliseconds: 5)]
    let (outcome, results) = try replayed(session, to: server)
    #expect(outcome.attempts == [.streamReset: 1, .answered: 1] && outcome.connectionsOpened == 1)
    let response = try #require(results[0].attempts[0].response)
    #expect(!response.body.isComplete && text(response.body.bytes) == "half")
  }

  @Test func whatWasNotProcessedGoesAgainOnAnotherConnection() throws {
    let server = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      while let frame = peer.requestFrame() {
        if peer.number == 1, frame.stream == 3 {
          peer.send(.goAway(last: 1))
          peer.answer(stream: 1)
        } else if peer.number == 2, frame.stream == 1 {
          peer.send(.number(.rstStream, 7, stream: 1))
        } else if peer.number > 1 {
          peer.answer(stream: frame.stream)
        }
      }
    }
    // Not safe, and yet sent again: the target said that it had not looked at it.
    let session = [
      multiplexed("/a", length: 20),
      multiplexed("/b", method: "DELETE", stream: 3, ordinal: 2, milliseconds: 5, length: 20),
    ]
    let (outcome, _) = try replayed(session, to: server)
    #expect(outcome.attempts == [.answered: 2])
    #expect(outcome.connectionsOpened == 2 && outcome.resent == 2 && outcome.sent == 2)
  }

  @Test func timeoutsEndTheirStreamAlone() throws {
    let reset = Gate()
    let server = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      while let frame = peer.requestFrame() {
        if frame.kind == .rstStream, frame.stream == 1 {
          reset.open()
        } else if frame.stream == 3 {
          peer.answer(stream: 3)
        }
      }
    }
    let session = [
      multiplexed("/silent", length: 20), multiplexed("/b", stream: 3, ordinal: 2, milliseconds: 5, length: 5),
    ]
    let (outcome, _) = try replayed(session, to: server, testOptions { $0.timeout = 300_000_000 })
    #expect(outcome.attempts == [.timeout: 1, .answered: 1] && outcome.connectionsOpened == 1)
    // The target was told.
    reset.pass()
  }

  @Test func aLargeBodyIsHeldUpByTheWindow() throws {
    let body = String(repeating: "x", count: 200_000)
    let server = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      var count = 0
      while let frame = peer.requestFrame() {
        guard frame.kind == .data else { continue }
        count += frame.payload.count
        if frame.endsStream { peer.answer(stream: 1, "\(count)") }
        if count == 65_535 {
          peer.send(.number(.windowUpdate, 200_000))
          peer.send(.number(.windowUpdate, 200_000, stream: 1))
        }
      }
    }
    let results = try replayed([multiplexed("/", method: "PUT", body: body)], to: server).results
    #expect(text(results[0].attempts[0].response!.body.bytes) == "200000")
  }

  @Test func aSessionOfHTTP1GoesToAnHTTP2TargetOneByOne() throws {
    let server = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      while let frame = peer.requestFrame() { peer.answer(stream: frame.stream) }
    }
    let request = "GET /x HTTP/1.1\r\nHost: shop\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nCookie: a=b; c=d\r\n\r\n"
    let session = (1...3).map { recorded(request, ordinal: $0) } + (1...3).map { get("/", connection: 2, ordinal: $0) }
    let (outcome, _) = try replayed(session, to: server)
    #expect(outcome.attempts == [.answered: 6])
    // What was said to be the last request of its connection is.
    #expect(outcome.connectionsOpened == 4)
  }

  @Test func aSessionOfHTTP2GoesToAnHTTP1TargetOnAsManyConnectionsAsItTakes() throws {
    let heads = Mutex<[String]>([])
    let all = Gate()
    let server = HostileServer { peer in
      while let head = peer.read() {
        let count = heads.withLock { heads in
          heads.append(head)
          return heads.count
        }
        if count == 3 { all.open() }
        all.pass()
        peer.answer()
      }
    }
    let cookies = [("cookie", "a=b"), ("cookie", "c=d")]
    var session = (0..<3).map { (number: UInt32) in
      multiplexed("/\(number)", ordinal: number + 1, milliseconds: Int64(number), length: 10, fields: cookies)
    }
    session.append(multiplexed("/last", method: "POST", ordinal: 4, milliseconds: 100))
    let options = testOptions { $0.protocolChoice = .http1 }
    let (outcome, _) = try replay(session, to: server.url, options)
    #expect(outcome.attempts == [.answered: 4] && outcome.connectionsOpened == 3)
    let first = try #require(heads.withLock { $0 }.first { $0.contains("/0 ") })
    #expect(first == "GET /0 HTTP/1.1\r\nHost: shop\r\ncookie: a=b; c=d\r\n\r\n")
    #expect(heads.withLock { $0 }.last == "POST /last HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n")
  }

  @Test func withoutTLSTheTargetIsAskedWhetherItSpeaksHTTP2() throws {
    let speaking = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      while let frame = peer.requestFrame() { peer.answer(stream: frame.stream) }
    }
    let session = (1...4).map { multiplexed("/", connection: UInt32($0)) }
    let (outcome, results) = try replay(session, to: speaking.url)
    #expect(outcome.attempts == [.answered: 4])
    #expect(results.allSatisfy { $0.attempts[0].response?.version == .http2 })

    let old = HostileServer { peer in
      while let head = peer.read() {
        if head.hasPrefix("PRI") {
          peer.write("HTTP/1.1 505 HTTP Version Not Supported\r\nConnection: close\r\n\r\n")
          return
        }
        peer.answer()
      }
    }
    let (fallen, answers) = try replay(session, to: old.url)
    #expect(fallen.attempts == [.answered: 4])
    #expect(answers.allSatisfy { $0.attempts[0].response?.version == .http11 })
  }

  @Test(arguments: [
    ("HTTP/1.1 400 Bad Request\r\n\r\n", AttemptOutcome.protocolNotAgreed),
    ("\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\n", .targetSpeaksTLS),
    ("SSH-2.0-OpenSSH_9.6\r\n", .malformedResponse), ("", .closedEarly),
  ])
  func whatIsNoHTTP2(_ answer: String, _ outcome: AttemptOutcome) throws {
    let server = HostileServer { peer in
      _ = peer.read(through: "SM\r\n\r\n")
      peer.write(answer)
    }
    let results = try replayed([multiplexed("/")], to: server).results
    #expect(results[0].attempts[0].outcome == outcome)
    let options = testOptions { $0.checksTarget = true }
    if outcome != .malformedResponse {
      #expect {
        try replayed([multiplexed("/")], to: server, options)
      } throws: { error in
        "\(error)".contains(outcome == .targetSpeaksTLS ? "https://" : "http://")
      }
    }
  }

  @Test func aPoolSpreadsRequestsOverItsConnections() throws {
    let counts = Mutex<[Int: Int]>([:])
    let server = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      while let frame = peer.requestFrame() {
        counts.withLock { $0[peer.number, default: 0] += 1 }
        peer.answer(stream: frame.stream)
      }
    }
    let session = (1...400).map { multiplexed("/\($0)", connection: UInt32($0 / 40), ordinal: UInt32($0)) }
    let options = testOptions {
      $0.connections = .pool(4)
      $0.concurrency = 64
    }
    let (outcome, _) = try replayed(session, to: server, options)
    #expect(outcome.attempts == [.answered: 400] && outcome.connectionsOpened == 4)
    #expect(counts.withLock { $0 }.values.allSatisfy { $0 > 10 })
  }

  /// A replayed answer and a captured one are found to be the same by looking at their octets.
  @Test func anAnswerLiesInMemoryAsACapturedOneDoes() throws {
    let fields = [(":status", "200"), ("server", "shop"), ("content-type", "text/plain"), ("x-empty", "")]
    @Sendable func answer(stream: UInt32) -> [Frame] {
      [.headers(fields, stream: stream), Frame(.data, flags: 1, stream: stream, Array("ok".utf8))]
    }
    let server = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      while let frame = peer.requestFrame() { for frame in answer(stream: frame.stream) { peer.send(frame) } }
    }
    var captured: [HTTP2Head] = []
    var connection = HTTP2Connection()
    let request = Frame.headers(
      [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "shop")], stream: 1, ends: true)
    let (client, target) = (
      Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Frame(.settings).bytes + request.bytes,
      Frame(.settings).bytes + answer(stream: 1).flatMap(\.bytes)
    )
    for (sender, bytes) in [(HTTP2Side.originator, client), (.responder, target)] {
      var offset = 0
      while let event = bytes.withUnsafeBytes({
        connection.nextEvent(from: sender, in: $0, at: &offset, time: Timestamp(nanoseconds: 0))
      }) {
        if case .head(let head) = event.content, !head.isRequest { captured.append(head) }
      }
    }
    // More than are planned at a time, so that some are read into the memory of others.
    let session = (1...1500).map { multiplexed("/\($0)", connection: 1, ordinal: UInt32($0)) }
    let results = try replayed(session, to: server, testOptions { $0.connections = .pool(1) }).results
    #expect(results.count == 1500 && captured.count == 1)
    #expect(results.allSatisfy { $0.attempts[0].response?.fields == captured.first?.fields })
    #expect(results.allSatisfy { $0.attempts[0].response?.body.bytes == Array("ok".utf8) })
  }
}
