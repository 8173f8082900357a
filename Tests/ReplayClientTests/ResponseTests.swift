import HTTPModel
import ReplayClient
import Testing

/// Answers of every framing.
@Suite(.timeLimit(.minutes(2))) struct ResponseTests {
  private func response(_ answer: String, to request: Exchange = get("/"), closes: Bool = false) throws -> HTTPResponse
  {
    let server = HostileServer { peer in
      _ = peer.read()
      peer.write(answer)
      if !closes { peer.readToEnd() }
    }
    let attempt = try attempt(request, to: server)
    #expect(attempt.outcome == .answered)
    return try #require(attempt.response)
  }

  @Test func chunkedWithTrailers() throws {
    let response = try response(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n")
    #expect(text(response.body.bytes) == "abcdefg")
    #expect(response.body.chunkSizes == [3, 4])
    #expect(response.body.framing == .chunked)
    #expect(response.trailers.first("x-sum").map(text) == "7")
  }

  @Test func toHEADWithALength() throws {
    let head = recorded("HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n")
    let response = try response("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", to: head)
    #expect(response.body.size == 0 && response.body.isComplete)
  }

  @Test(arguments: ["204 No Content", "304 Not Modified"])
  func withoutABody(_ status: String) throws {
    let response = try response("HTTP/1.1 \(status)\r\n\r\n")
    #expect(response.body.size == 0 && response.body.isComplete)
  }

  @Test func untilTheClose() throws {
    let response = try response("HTTP/1.0 200 OK\r\n\r\nall of it", closes: true)
    #expect(text(response.body.bytes) == "all of it")
    #expect(response.body.isComplete && response.body.framing == .close && response.version == .http10)
  }

  @Test func interimResponsesAreKeptApart() throws {
    let response = try response(
      "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
    #expect(response.informational.map(\.status) == [102, 103])
    #expect(response.informational[1].fields.first("link").map(text) == "</a>")
    #expect(response.status == 200)
  }

  @Test func aSwitchOfProtocolsEndsTheConnection() throws {
    let server = HostileServer { peer in
      _ = peer.read()
      peer.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nsome other protocol")
      peer.readToEnd()
    }
    let upgrade = recorded("GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
    #expect(try attempt(upgrade, to: server).response?.status == 101)
  }

  @Test func aBodyOverTheLimitIsCountedAndHashed() throws {
    let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let server = HostileServer { peer in
      _ = peer.read()
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
      peer.write(body)
      peer.readToEnd()
    }
    var hash = BodyHash()
    hash.update(body)
    for limit in [0, 1, 65_536, 299_999] {
      let response = try #require(try attempt(get("/"), to: server, testOptions { $0.bodyLimit = limit }).response)
      #expect(response.body.bytes == Array(body.prefix(limit)))
      #expect(response.body.size == 300_000 && !response.body.isComplete && response.body.missing.isEmpty)
      #expect(response.body.cutHash == hash.value)
    }
    let whole = try #require(try attempt(get("/"), to: server, testOptions { $0.bodyLimit = 300_000 }).response)
    #expect(whole.body.bytes == body && whole.body.isComplete && whole.body.cutHash == nil)
  }

  @Test func answersKeepNoBodyWhenTheRunsMemoryIsUsedUp() throws {
    let body = String(repeating: "b", count: 100_000)
    let server = HostileServer { peer in
      while peer.read() != nil { peer.answer(body) }
    }
    let response = try #require(try attempt(get("/"), to: server, testOptions { $0.memoryLimit = 50_000 }).response)
    #expect(response.body.bytes.count <= 50_000)
    #expect(response.body.size == 100_000 && response.body.cutHash != nil)
  }

  @Test func anAnswerCutAnywhereReadsTheSame() throws {
    let answer = Array(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\nA: b\r\n\r\n".utf8)
    let server = HostileServer { peer in
      while peer.read() != nil {
        for byte in answer { peer.write([byte]) }
      }
    }
    let session = (1...5).map { get("/\($0)", ordinal: UInt32($0)) }
    for result in try replay(session, to: server.url).results {
      #expect(text(result.attempts[0].response!.body.bytes) == "abcd")
      #expect(result.attempts[0].response!.trailers.count == 1)
    }
  }
}
