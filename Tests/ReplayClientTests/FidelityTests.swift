import Glibc
import HTTPModel
import ReplayClient
import Synchronization
import Testing

/// The bytes that arrive are the bytes that were recorded.
@Suite(.timeLimit(.minutes(2))) struct FidelityTests {
  private static let requests = [
    "GET /a?b=c%20d HTTP/1.1\r\nHost: shop\r\n\r\n",
    "GET / HTTP/1.1\r\nhOsT:shop\r\nACCEPT:   */*  \r\nx-dup: 1\r\nX-Dup: 2\r\nX-Empty:\r\nCookie: a=b; c=d\r\n\r\n",
    "GET http://shop/absolute HTTP/1.1\r\nHost: shop\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: shop\r\nUser-Agent: \u{e9}\u{1f600}\r\n\r\n",
    "GET /old HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
    "PURGE /odd HTTP/1.1\r\nHost: shop\r\n\r\n",
    "POST /length HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\nbody",
    "POST /chunks HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n3\r\nbcd\r\n2\r\nef\r\n0\r\n\r\n",
    "POST /trailers HTTP/1.1\r\nHost: shop\r\nTrailer: X-Sum\r\ntransfer-encoding: Chunked\r\n\r\n"
      + "5\r\nhello\r\n0\r\nX-Sum: 5\r\nx-other:y\r\n\r\n",
    "POST /empty HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ]

  /// What arrives when `request` is replayed, and another after it on the same connection where it is kept.
  private func arrived(_ request: String, _ options: ReplayOptions = testOptions(), basePath: String = "") throws
    -> String
  {
    let arrived = Mutex("")
    let server = HostileServer { peer in
      guard var bytes = peer.read() else { return }
      if bytes.lowercased().contains("transfer-encoding") {
        bytes += readChunks(peer)
      } else if bytes.contains("Content-Length: 4") {
        bytes += peer.read(through: "body") ?? ""
      }
      let whole = bytes
      arrived.withLock { $0 = whole }
      peer.answer()
      #expect(peer.read()?.contains("/end HTTP/1.1\r\n") == true)
      peer.answer()
    }
    let results = try replay([recorded(request), get("/end", ordinal: 2)], to: server.url + basePath, options).results
    #expect(results.map { $0.attempts[0].outcome } == [.answered, .answered])
    #expect(server.connections == 1)
    return arrived.withLock { $0 }
  }

  @Test(arguments: requests) func nothingIsChanged(_ request: String) throws {
    #expect(try arrived(request) == request)
  }

  @Test(arguments: requests) func theMarkerIsTheLastFieldAndTheOnlyChange(_ request: String) throws {
    let marker = ReplayOptions.Marker(name: "X-Umbra-Replay", value: "run 7")
    let end = try #require(request.firstRange(of: "\r\n\r\n")).lowerBound
    let expected = request[..<end] + "\r\nX-Umbra-Replay: run 7" + request[end...]
    #expect(try arrived(request, testOptions { $0.marker = marker }) == expected)
  }

  @Test func hostIsRewrittenInItsPlaceAndSpelling() throws {
    let request = "GET / HTTP/1.1\r\nA: 1\r\nhOsT:  shop:80 \r\nB: 2\r\n\r\n"
    #expect(
      try arrived(request, testOptions { $0.host = .name("canary.internal") })
        == "GET / HTTP/1.1\r\nA: 1\r\nhOsT:  canary.internal \r\nB: 2\r\n\r\n")
    let target = try arrived(request, testOptions { $0.host = .target })
    #expect(target.contains("hOsT:  127.0.0.1:"))
  }

  @Test func theTargetsPathStandsBeforeTheRequests() throws {
    let request = "GET /a?b HTTP/1.1\r\nHost: shop\r\n\r\n"
    #expect(
      try arrived(request, basePath: "/v2") == "GET /v2/a?b HTTP/1.1\r\nHost: shop\r\n\r\n")
    let absolute = "GET http://shop/a HTTP/1.1\r\nHost: shop\r\n\r\n"
    #expect(try arrived(absolute, basePath: "/v2") == absolute)
  }

  private static let expecting =
    "PUT /up HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody"

  @Test func theBodyWaitsForContinue() throws {
    let server = HostileServer { peer in
      guard peer.read() != nil else { return }
      peer.write("HTTP/1.1 100 Continue\r\n\r\n")
      peer.answer(peer.read(through: "body") ?? "")
      peer.answerAll()
    }
    let results = try replay([recorded(Self.expecting), get("/b", ordinal: 2)], to: server.url).results
    #expect(text(results[0].attempts[0].response!.body.bytes) == "body")
    #expect(results[0].attempts[0].response!.informational.map(\.status) == [100])
    #expect(results[1].attempts[0].outcome == .answered)
    #expect(server.connections == 1)
  }

  @Test func aBodyThatIsNotWantedIsNotSent() throws {
    let rest = Mutex<String?>("")
    let server = HostileServer { peer in
      guard let head = peer.read() else { return }
      if peer.number == 1 {
        #expect(head.contains("Expect"))
        peer.write("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
        rest.withLock { $0 = peer.read(through: "body") }
      } else {
        peer.answer()
      }
    }
    let results = try replay([recorded(Self.expecting), get("/b", ordinal: 2)], to: server.url).results
    #expect(results.map { $0.attempts[0].response?.status } == [417, 200])
    #expect(server.connections == 2)
  }

  @Test func aBodyIsSentUnaskedWhenNobodyAnswersTheExpectation() throws {
    let server = HostileServer { peer in
      guard peer.read() != nil else { return }
      peer.answer(peer.read(through: "body") ?? "")
    }
    #expect(text(try attempt(recorded(Self.expecting), to: server).response!.body.bytes) == "body")
  }

  @Test func anAnswerBeforeTheRequestHasEndedIsTaken() throws {
    let size = 32_000_000
    let head = "POST /big HTTP/1.1\r\nHost: shop\r\nContent-Length: \(size)\r\n\r\n"
    let big = recorded(head + String(repeating: "z", count: size))
    let cameAgain = Mutex(false)
    let server = HostileServer { peer in
      guard peer.read() != nil else { return }
      // The rest of the body is not read, and does not fit into the kernel's buffers: the client must neither wait for
      // it nor reuse the connection.
      peer.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
      if peer.number == 1 {
        for _ in 0..<1000 where !cameAgain.withLock({ $0 }) { usleep(10_000) }
      } else {
        cameAgain.withLock { $0 = true }
      }
    }
    let results = try replay([big, get("/next", ordinal: 2)], to: server.url).results
    #expect(results.map { $0.attempts[0].response?.status } == [413, 413])
    #expect(server.connections == 2)
  }
}

/// Reads a chunked body to the end of its trailer section.
private func readChunks(_ peer: Peer) -> String {
  var bytes = ""
  while let line = peer.read(through: "\r\n") {
    bytes += line
    if line == "0\r\n" { break }
    bytes += peer.read(through: "\r\n") ?? ""
  }
  while let line = peer.read(through: "\r\n") {
    bytes += line
    if line == "\r\n" { break }
  }
  return bytes
}
