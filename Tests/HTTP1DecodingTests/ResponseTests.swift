import HTTP1Decoding
import HTTPModel
import Testing

@Suite struct ResponseTests {
  @Test func responsesWithoutBodyDoNotSwallowTheNext() {
    let next = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    for (status, answering) in [
      ("200 OK", AnsweredMethod.head), ("204 No Content", .other), ("304 Not Modified", .other),
      ("304 Not Modified", .unknown),
    ] {
      for framing in ["Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n", ""] {
        let transcript = Stream(
          .response, "HTTP/1.1 \(status)\r\n\(framing)\r\n\(next)", answering: [answering, .other]
        )
        .everyCut()
        #expect(transcript.outline == ["http/1.1 \(status)", "end", "http/1.1 200 OK", "body(ok)", "end"])
        #expect(transcript.anomalies.isEmpty)
      }
    }
  }

  @Test func resetContentHasNoBodyUnlessItSaysSo() {
    #expect(
      Stream(.response, "HTTP/1.1 205 R\r\n\r\nHTTP/1.1 205 R\r\nContent-Length: 1\r\n\r\nx").everyCut().outline
        == ["http/1.1 205 R", "end", "http/1.1 205 R", "body(x)", "end"])
  }

  @Test func interimResponsesComeBeforeTheFinalOne() {
    let transcript = Stream(
      .response,
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
      answering: [.head, .other]
    ).everyCut()
    #expect(
      transcript.outline == [
        "http/1.1 100 Continue", "end", "http/1.1 102 P", "end", "http/1.1 103 Early Hints", "end", "http/1.1 200 OK",
        "end", "http/1.1 200 OK", "body(x)", "end",
      ])
    #expect(transcript.heads.map(\.isInterim) == [true, true, true, false, false])
  }

  @Test func closeDelimitedBodiesEndWithTheStream() {
    let inner = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    let transcript = Stream(.response, "HTTP/1.0 200 OK\r\n\r\n\(inner)").everyCut()
    #expect(transcript.outline == ["http/1.0 200 OK", "body(\(inner))", "end"])
    #expect(transcript.heads.map(\.closesConnection) == [true])
    #expect(Stream(.response, "HTTP/1.1 200 OK\r\n\r\n").everyCut().outline == ["http/1.1 200 OK", "end"])
  }

  @Test func keepAliveOfHTTP10() {
    let transcript = Stream(
      .response,
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\naHTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nb"
    )
    .everyCut()
    #expect(transcript.outline == ["http/1.0 200 OK", "body(a)", "end", "http/1.0 200 OK", "body(b)", "end"])
    #expect(transcript.heads.map(\.closesConnection) == [false, true])
    #expect(transcript.anomalies.isEmpty)
  }

  @Test(
    arguments: [
      ("HTTP/1.1 200", "http/1.1 200 ", nil), ("HTTP/1.1 200 ", "http/1.1 200 ", nil),
      ("HTTP/1.1 999 X Y", "http/1.1 999 X Y", nil),
      ("HTTP/1.1 299  X", "http/1.1 299  X", nil), ("http/1.1 200 OK", "http/1.1 200 OK", "http1.version-unknown"),
      ("HTTP/1.01 200 OK", "http/1.1 200 OK", "http1.version-unknown"),
      ("HTTP/2.0 200 OK", "http/1.1 200 OK", "http1.version-unknown"),
      ("HTTP/1.1\t200 OK", "http/1.1 200 OK", "http1.start-line-invalid"),
      ("HTTP/1.1 0200 OK", "http/1.1 200 OK", "http1.start-line-invalid"),
      ("HTTP/1.1 2000 OK", "http/1.1 200 OK", "http1.start-line-invalid"),
      (" HTTP/1.1 200 OK", "http/1.1 200 OK", "http1.start-line-invalid"),
      ("HTTP/1.1 20 OK", "http/1.1 20 OK", "http1.start-line-invalid"),
    ] as [(String, String, String?)])
  func statusLines(line: String, outline: String, anomaly: String?) {
    let transcript = Stream(.response, line + "\r\nContent-Length: 0\r\n\r\n").everyCut()
    #expect(transcript.outline == [outline, "end"])
    #expect(transcript.anomalies == (anomaly.map { [$0] } ?? []))
  }

  @Test func switchingProtocolsOpensATunnel() {
    let tail = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    let upgraded = Stream(.response, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\n\(tail)")
      .everyCut()
    #expect(upgraded.outline == ["http/1.1 101 Switching", "end", "tunnel(\(tail))"])
    let connected = Stream(
      .response, "HTTP/1.1 200 Connected\r\nTransfer-Encoding: chunked\r\n\r\n\(tail)", answering: [.connect]
    ).everyCut()
    #expect(connected.outline == ["http/1.1 200 Connected", "end", "tunnel(\(tail))"])
    let refused = Stream(.response, "HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx\(tail)", answering: [.connect])
      .everyCut()
    #expect(refused.outline == ["http/1.1 403 No", "body(x)", "end", "http/1.1 200 OK", "end"])
  }

  @Test func theRequestSideFollowsIntoTheTunnel() {
    let head = Array("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    // Told by the other direction.
    var told = Stream(.request, [.bytes(head), .bytes(Array("GET / HTTP/1.1\r\n\r\n".utf8))])
    told.before[1] = { $0.enterTunnel() }
    #expect(told.transcript().outline == ["CONNECT a:443 http/1.1", "end", "tunnel(GET / HTTP/1.1\r\n\r\n)"])
    #expect(told.transcript { _ in true }.items == told.transcript().items)
    // Held-back bytes of before it was told.
    var late = Stream(.request, [.bytes(head), .bytes(Array("ab".utf8)), .bytes(Array("cd".utf8))])
    late.before[2] = { $0.enterTunnel() }
    #expect(late.transcript().outline == ["CONNECT a:443 http/1.1", "end", "tunnel(abcd)"])
    // Not told at all: bytes that cannot begin a request.
    #expect(
      Stream(.request, [.bytes(head + [0x16, 0x03, 0x01, 0x00])]).everyCut().items.last
        == .tunnel([0x16, 0x03, 0x01, 0x00]))
  }

  @Test func aBodyWhereNoneIsAllowedIsNamed() {
    let transcript = Stream(.response, "HTTP/1.1 304 NM\r\n\r\nstray bodyHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      .everyCut()
    #expect(
      transcript.outline == [
        "http/1.1 304 NM", "end", "anomaly(http1.body-not-allowed)", "skipped(10)", "http/1.1 200 OK", "end",
      ])
  }
}
