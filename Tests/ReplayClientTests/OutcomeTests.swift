import HTTPModel
import ReplayClient
import Synchronization
import Testing

/// What a target may do to a request, and what the attempt is then called.
@Suite(.timeLimit(.minutes(2))) struct OutcomeTests {
  private let impatient = testOptions { $0.timeout = 50_000_000 }

  @Test func answered() throws {
    let server = HostileServer { $0.answerAll() }
    let attempt = try attempt(get("/a"), to: server)
    #expect(attempt.outcome == .answered)
    #expect(attempt.response?.status == 200)
    #expect(text(attempt.response!.body.bytes) == "ok")
    #expect(attempt.response!.body.isComplete)
    #expect(text(attempt.response!.reason) == "OK")
  }

  @Test func refusedIsToldBeforeAnythingIsSent() throws {
    let refusing = RefusingPort()
    defer { withExtendedLifetime(refusing) {} }
    let url = "http://127.0.0.1:\(refusing.port)"
    #expect {
      try replay([get("/")], to: url, testOptions { $0.checksTarget = true })
    } throws: { error in
      "\(error)".contains("connection refused") && "\(error)".contains("is it running")
    }
  }

  @Test func refusedWithoutTheCheckIsAnOutcomeOfEachAttempt() throws {
    let refusing = RefusingPort()
    defer { withExtendedLifetime(refusing) {} }
    let url = "http://127.0.0.1:\(refusing.port)"
    let session = (1...50).map { get("/\($0)", connection: UInt32($0 % 5 + 1), ordinal: UInt32($0)) }
    let (outcome, results) = try replay(session, to: url)
    #expect(outcome.attempts == [.connectionRefused: 50])
    #expect(outcome.sent == 0)
    #expect(results.allSatisfy { $0.attempts[0].sent == nil && $0.attempts[0].response == nil })
  }

  @Test func anUnknownNameIsToldBeforeAnythingIsSent() throws {
    #expect {
      try replay([get("/")], to: "http://no-such-host.invalid")
    } throws: { error in
      if case .nameNotResolved("no-such-host.invalid", _)? = error as? ReplayError { true } else { false }
    }
  }

  @Test func silenceIsATimeout() throws {
    let server = HostileServer { $0.readToEnd() }
    let attempt = try attempt(get("/"), to: server, impatient)
    #expect(attempt.outcome == .timeout)
    #expect(attempt.response == nil)
    #expect(attempt.end.nanoseconds(since: attempt.sent!) >= impatient.timeout)
  }

  @Test func anAnswerThatStallsIsATimeoutAndKeepsWhatCame() throws {
    let server = HostileServer { peer in
      _ = peer.read()
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234")
      peer.readToEnd()
    }
    let attempt = try attempt(get("/"), to: server, impatient)
    #expect(attempt.outcome == .timeout)
    let body = try #require(attempt.response?.body)
    #expect(text(body.bytes) == "1234")
    #expect(!body.isComplete && body.size == 10)
    #expect(body.missing == [BodyRange(lowerBound: 4, upperBound: 10)])
  }

  @Test func aConnectionClosedWithoutAnAnswer() throws {
    let server = HostileServer { _ = $0.read() }
    #expect(try attempt(get("/"), to: server).outcome == .closedEarly)
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Len", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n12",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n0\r\n",
  ])
  func aConnectionClosedInTheMiddle(_ answer: String) throws {
    let server = HostileServer { peer in
      _ = peer.read()
      peer.write(answer)
    }
    let attempt = try attempt(get("/"), to: server)
    #expect(attempt.outcome == .closedEarly)
    #expect(attempt.response.map { !$0.body.isComplete } ?? true)
  }

  @Test func aReset() throws {
    let server = HostileServer { peer in
      _ = peer.read()
      peer.reset()
    }
    #expect(try attempt(get("/"), to: server).outcome == .connectionReset)
  }

  @Test func aResetInTheMiddle() throws {
    let server = HostileServer { peer in
      _ = peer.read()
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234")
      peer.reset()
    }
    // The kernel may drop bytes that were not read yet when the reset arrives.
    #expect(try attempt(get("/"), to: server).outcome == .connectionReset)
  }

  @Test(arguments: [
    "SSH-2.0-OpenSSH_9.6\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "<html>\r\n<body>\r\n</body>\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n1234\r\n",
  ])
  func whatIsNoAnswer(_ answer: String) throws {
    let server = HostileServer { peer in
      _ = peer.read()
      peer.write(answer)
      peer.readToEnd()
    }
    #expect(try attempt(get("/"), to: server).outcome == .malformedResponse)
  }

  @Test func aTargetThatSpeaksTLSIsNamed() throws {
    let server = HostileServer { peer in
      _ = peer.read()
      // An alert: unexpected_message (RFC 8446, 6).
      peer.write([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x0a])
    }
    #expect(try attempt(get("/"), to: server).outcome == .targetSpeaksTLS)
  }

  @Test func aHostileTargetFailsEachAttemptAndEndsTheRun() throws {
    let server = HostileServer { peer in
      guard peer.read() != nil else { return }
      switch peer.number % 5 {
      case 0: peer.reset()
      case 1: peer.write("\u{0}\u{1}\u{2}\r\n\r\n")
      case 2: peer.write("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n")
      case 3: peer.write("HTTP/1.1 999\r\n\r\n" + String(repeating: "x", count: 100_000))
      default: break
      }
    }
    let session = (1...100).map { get("/\($0)", connection: UInt32($0)) }
    let (outcome, results) = try replay(session, to: server.url, testOptions { $0.timeout = 2_000_000_000 })
    #expect(results.count == 100)
    #expect(outcome.end == .finished)
  }
}
