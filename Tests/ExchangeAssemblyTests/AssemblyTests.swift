import ExchangeAssembly
import HTTPModel
import Testing

/// Which response answers which request, whole conversations through packets.
@Suite struct AssemblyTests {
  private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: shop\r\n\r\n" }
  private func ok(_ body: String) -> String { "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)" }

  @Test func keepAlive() {
    var conversation = Conversation()
    for path in ["/a", "/b", "/c"] {
      conversation.fromClient(get(path))
      conversation.fromServer(ok(path))
    }
    let exchanges = conversation.finish()
    #expect(exchanges.map(\.line) == ["GET /a 200", "GET /b 200", "GET /c 200"])
    #expect(exchanges.map(\.answer) == ["/a", "/b", "/c"])
    #expect(exchanges.allSatisfy { $0.anomalies.isEmpty })
    #expect(conversation.ledger[.exchangesComplete] == 3)
    #expect(conversation.ledger.completeness == 1)
  }

  // MARK: What the field's incumbent loses

  @Test func severalRequestsShareASegment() {
    var conversation = Conversation()
    conversation.fromClient(get("/a") + get("/b") + get("/c"))
    conversation.fromServer(ok("1") + ok("2"))
    conversation.fromServer(ok("3"))
    let exchanges = conversation.finish()
    #expect(exchanges.map(\.line) == ["GET /a 200", "GET /b 200", "GET /c 200"])
    #expect(exchanges.map(\.answer) == ["1", "2", "3"])
  }

  @Test func theServerAnswersBeforeTheBodyEnds() {
    var conversation = Conversation()
    conversation.fromClient("POST /up HTTP/1.1\r\nHost: s\r\nContent-Length: 10\r\n\r\n12345")
    conversation.fromServer(ok("early"))
    conversation.fromClient("67890")
    conversation.fromClient(get("/next"))
    conversation.fromServer(ok("next"))
    let exchanges = conversation.finish()
    #expect(exchanges.map(\.line) == ["POST /up 200", "GET /next 200"])
    #expect(exchanges[0].request?.body.bytes == Array("1234567890".utf8))
    #expect(exchanges[0].anomalies.contains(.http1ResponseBeforeRequestEnd))
  }

  @Test func aBodyThatPausesForMinutes() {
    var conversation = Conversation()
    conversation.fromClient(get("/slow"))
    conversation.send(conversation.server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"))
    conversation.send(conversation.server("cd"), after: 300_000_000_000)
    #expect(conversation.finish().map(\.answer) == ["abcd"])
  }

  @Test func answersWithoutABody() {
    var conversation = Conversation()
    conversation.fromClient("HEAD /h HTTP/1.1\r\nHost: s\r\n\r\n" + get("/n") + get("/m") + get("/last"))
    conversation.fromServer("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    conversation.fromServer("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n")
    conversation.fromServer("HTTP/1.1 204 No Content\r\n\r\n")
    conversation.fromServer(ok("x"))
    #expect(conversation.finish().map(\.line) == ["HEAD /h 200", "GET /n 304", "GET /m 204", "GET /last 200"])
  }

  @Test func aBodyThatEndsWithTheConnection() {
    var conversation = Conversation()
    conversation.fromClient("GET /old HTTP/1.0\r\n\r\n")
    conversation.fromServer("HTTP/1.0 200 OK\r\n\r\nsome ")
    conversation.send(conversation.server("text", flags: 0x19))
    let exchanges = conversation.finish()
    #expect(exchanges.map(\.answer) == ["some text"])
    #expect(exchanges[0].response?.body.isComplete == true)
  }

  @Test func anyMethodAndManyMegabytes() {
    var conversation = Conversation()
    let size = 6_000_000
    conversation.fromClient("PURGE-ALL /x HTTP/1.1\r\nHost: s\r\nContent-Length: \(size)\r\n\r\n")
    for _ in 0..<100 { conversation.fromClient(String(repeating: "x", count: size / 100)) }
    conversation.fromServer(ok(""))
    let exchanges = conversation.finish()
    #expect(exchanges.map(\.line) == ["PURGE-ALL /x 200"])
    #expect(exchanges[0].request?.body.bytes.count == size)
  }

  @Test(arguments: [0, 20, 60, 100] as [UInt32]) func sequenceNumbersWrap(beforeTheEnd distance: UInt32) {
    var conversation = Conversation(start: .max - distance)
    for path in ["/a", "/b"] {
      conversation.fromClient(get(path))
      conversation.fromServer(ok(path))
    }
    #expect(conversation.finish().map(\.answer) == ["/a", "/b"])
  }

  @Test func everyCutOfAChunkedAnswer() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n"
    for cut in 1..<answer.utf8.count {
      var conversation = Conversation()
      conversation.fromClient(get("/c"))
      conversation.fromServer(String(answer.prefix(cut)))
      conversation.fromServer(String(answer.dropFirst(cut)))
      let exchanges = conversation.finish()
      #expect(exchanges.map(\.answer) == ["hello world"], "cut at \(cut)")
      #expect(exchanges.first?.response?.body.chunkSizes == [5, 6])
      #expect(exchanges.first?.response?.trailers.count == 1)
    }
  }

  // MARK: Loss and order

  @Test func aLostRequestDoesNotShiftThePairs() {
    var conversation = Conversation()
    conversation.fromClient(get("/a"))
    conversation.fromServer(ok("a"))
    _ = conversation.client(get("/lost"))
    conversation.fromServer(ok("lost"))
    conversation.fromClient(get("/c"))
    conversation.fromServer(ok("c"))
    let exchanges = conversation.finish()
    #expect(exchanges.map(\.answer).sorted() == ["a", "c", "lost"])
    #expect(exchanges.first { $0.answer == "lost" }?.request == nil)
    #expect(exchanges.first { $0.answer == "c" }?.line == "GET /c 200")
    #expect(conversation.ledger[.responsesWithoutRequest] == 1)
    #expect(conversation.ledger.completeness < 1)
  }

  @Test func aLostResponseDoesNotShiftThePairs() {
    var conversation = Conversation()
    conversation.fromClient(get("/a"))
    _ = conversation.server(ok("a"))
    conversation.fromClient(get("/b"))
    conversation.fromServer(ok("b"))
    let exchanges = conversation.finish()
    #expect(exchanges.map(\.line) == ["GET /a -", "GET /b 200"])
    #expect(exchanges[1].answer == "b")
    #expect(conversation.ledger[.requestsWithoutResponse] == 1)
    #expect(conversation.ledger[.bytesGap] > 0)
  }

  @Test func aHoleInABodyIsNamedAndTheNextIsRight() {
    var conversation = Conversation()
    conversation.fromClient(get("/a"))
    conversation.fromServer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    _ = conversation.server("def")
    conversation.fromServer("ghi")
    conversation.fromClient(get("/b"))
    conversation.fromServer(ok("b"))
    let exchanges = conversation.finish()
    #expect(exchanges.map(\.line) == ["GET /a 200", "GET /b 200"])
    #expect(exchanges[0].response?.body.missing == [BodyRange(lowerBound: 3, upperBound: 6)])
    #expect(exchanges[0].response?.body.size == 9)
    #expect(exchanges[0].response?.body.isComplete == false)
    #expect(exchanges[0].anomalies.contains(.tcpGap))
    #expect(exchanges[1].anomalies.isEmpty)
  }

  @Test func theAnswerStandsBeforeItsRequestInTheFile() {
    var conversation = Conversation()
    let request = conversation.client(get("/a"))
    let response = conversation.server(ok("a"))
    conversation.send(response, request)
    conversation.fromClient(get("/b"))
    conversation.fromServer(ok("b"))
    #expect(conversation.finish().map(\.line) == ["GET /a 200", "GET /b 200"])
  }

  @Test func joinedInMidConnection() {
    var conversation = Conversation(handshake: false)
    conversation.send(conversation.server("the end of some body"))
    conversation.fromClient(get("/a"))
    conversation.fromServer(ok("a"))
    let exchanges = conversation.finish()
    #expect(exchanges.map(\.line) == ["GET /a 200"])
    #expect(exchanges[0].anomalies.contains(.tcpMidstream))
    #expect(conversation.ledger[.bytesSkipped] == 20)
  }

  @Test func anUnsolicitedAnswerAnswersNothing() {
    var conversation = Conversation()
    conversation.fromClient(get("/a"))
    conversation.fromServer(ok("a"))
    conversation.fromServer("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    #expect(conversation.finish().map(\.line) == ["GET /a 200", "- 408"])
  }

  @Test func anUnansweredRequestIsToldOnceAndComesAgainWithItsAnswer() {
    var conversation = Conversation()
    conversation.fromClient(get("/slow"))
    #expect(conversation.unanswered(before: .init(nanoseconds: 0)).isEmpty)
    #expect(conversation.unanswered(before: .init(nanoseconds: .max)).map(\.line) == ["GET /slow -"])
    #expect(conversation.unanswered(before: .init(nanoseconds: .max)).isEmpty)
    conversation.fromServer(ok("late"))
    #expect(conversation.finish().map(\.line) == ["GET /slow 200"])
  }

  // MARK: Limits and what is not HTTP

  @Test func aBodyOverTheLimitIsCountedAndHashed() {
    var hash = BodyHash()
    hash.update(Array("0123456789".utf8))
    var conversation = Conversation(limits: AssemblyLimits(bodyBytes: 4))
    conversation.fromClient(get("/a"))
    conversation.fromServer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012")
    conversation.fromServer("3456789")
    let body = conversation.finish().first?.response?.body
    #expect(body?.bytes == Array("0123".utf8))
    #expect(body?.size == 10)
    #expect(body?.isComplete == false)
    #expect(body?.cutHash == hash.value)
    #expect(conversation.ledger[.bodyBytesOverLimit] == 6)
    #expect(conversation.ledger[.exchangesComplete] == 1)
  }

  @Test func requestsThatNobodyAnswersAreBounded() {
    var conversation = Conversation(limits: AssemblyLimits(pendingRequests: 10))
    for number in 0..<100 { conversation.fromClient(get("/\(number)")) }
    #expect(conversation.exchanges.count == 90)
    #expect(conversation.finish().count == 100)
    #expect(conversation.ledger[.requestsWithoutResponse] == 100)
  }

  @Test func anotherProtocolIsGivenUpAndCounted() {
    var conversation = Conversation()
    conversation.fromServer("220 mail.example ESMTP\r\n")
    conversation.fromClient("EHLO me\r\n")
    #expect(conversation.finish().isEmpty)
    #expect(conversation.ledger[.connectionsNotHTTP] == 1)
    #expect(conversation.ledger[.bytesNotHTTP] == conversation.ledger[.bytesSeen])
  }

  @Test func anHTTPAnswerToWhatIsNoRequestIsShown() {
    var conversation = Conversation()
    conversation.fromClient("What is this?\r\n\r\n")
    conversation.fromServer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    conversation.fromClient(get("/b"))
    conversation.fromServer(ok("b"))
    #expect(conversation.finish().map(\.line) == ["- 400", "GET /b 200"])
    #expect(conversation.ledger[.connectionsNotHTTP] == 0)
    #expect(conversation.ledger.isBalanced)
  }

  @Test func theAnswerToAHEADThatWasLostHasNoBody() {
    var conversation = Conversation()
    _ = conversation.client("HEAD /lost HTTP/1.1\r\nHost: s\r\n\r\n")
    conversation.fromServer("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    conversation.fromClient(get("/b"))
    conversation.fromServer(ok("b"))
    #expect(conversation.finish().map(\.line) == ["- 200", "GET /b 200"])
  }

  @Test func anAnswerIsNotGivenToARequestBeforeOneThatIsMissing() {
    var conversation = Conversation()
    conversation.fromClient(get("/a"))
    _ = conversation.client(get("/lost"))
    _ = conversation.server(ok("a"))
    conversation.fromServer(ok("of the lost one"))
    #expect(conversation.finish().map(\.line).sorted() == ["- 200", "GET /a -"])
  }

  @Test func encryptedConnectionsAreToldApart() {
    var conversation = Conversation()
    conversation.fromClient("\u{16}\u{03}\u{01}\u{02}\u{00}\u{01}\u{00}\u{01}")
    #expect(conversation.finish().isEmpty)
    #expect(conversation.ledger[.connectionsEncrypted] == 1)
  }

  @Test func afterAnUpgradeBytesAreATunnel() {
    var conversation = Conversation()
    conversation.fromClient("GET /ws HTTP/1.1\r\nHost: s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    conversation.fromServer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    conversation.fromServer("GET /not HTTP/1.1\r\n\r\n")
    conversation.fromClient("HTTP/1.1 200 OK\r\n\r\n")
    #expect(conversation.finish().map(\.line) == ["GET /ws 101"])
    #expect(conversation.ledger[.bytesTunnel] == 40)
  }

  @Test func otherPortsAreLeftOut() {
    var conversation = Conversation(limits: AssemblyLimits(serverPorts: [8080...8090]))
    conversation.fromClient(get("/a"))
    conversation.fromServer(ok("a"))
    #expect(conversation.finish().isEmpty)
    #expect(conversation.ledger[.packetsFiltered] == 4)
    #expect(conversation.ledger[.bytesSeen] == 0)
  }
}
