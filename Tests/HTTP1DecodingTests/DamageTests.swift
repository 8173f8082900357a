import HTTP1Decoding
import HTTPModel
import Testing

@Suite struct DamageTests {
  static let next = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
  static let nextOutline = ["http/1.1 200 OK", "body(ok)", "end"]

  private func bytes(_ text: String) -> Piece { .bytes(Array(text.utf8)) }

  @Test func aGapInsideABodyOfKnownLength() {
    let transcript = Stream(
      .response, [bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012"), .gap(4), bytes("789" + Self.next)]
    ).everyCut()
    #expect(
      transcript.outline == [
        "http/1.1 200 OK", "body(012)", "gap(body 3..<7)", "body(789)", "end",
      ] + Self.nextOutline)
  }

  @Test func aGapUpToTheBodysEnd() {
    let transcript = Stream(
      .response, [bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n012"), .gap(2), bytes(Self.next)]
    ).everyCut()
    #expect(
      transcript.outline == [
        "http/1.1 200 OK", "body(012)", "gap(body 3..<5)", "end",
      ] + Self.nextOutline)
  }

  @Test func aGapBeyondTheBodysEnd() {
    let transcript = Stream(
      .response,
      [bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n012"), .gap(30), bytes("t: 1\r\n\r\nrest" + Self.next)]
    ).everyCut()
    #expect(
      transcript.outline == [
        "http/1.1 200 OK", "body(012)", "gap(bodyCut(from: 3, length: 2))", "skipped(12)",
      ] + Self.nextOutline)
  }

  @Test func gapsInAChunkedBody() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    let inside = Stream(.response, [bytes(head + "5\r\na"), .gap(4), bytes("\r\n0\r\n\r\n" + Self.next)]).everyCut()
    #expect(
      inside.outline == [
        "http/1.1 200 OK", "chunk(5)", "body(a)", "gap(body 1..<5)", "end",
      ] + Self.nextOutline)
    for (before, after) in [
      ("5\r\na", "3\r\nxyz\r\n0\r\n\r\n"), ("5", "abc\r\n0\r\n\r\n"), ("0\r\nTrail", "y\r\n\r\n"),
      ("1\r\na", "\n0\r\n\r\n"),
    ] {
      let lost = Stream(.response, [bytes(head + before), .gap(5), bytes(after + Self.next)]).everyCut()
      #expect(lost.outline.contains("gap(messageLost)"))
      #expect(Array(lost.outline.suffix(3)) == Self.nextOutline)
    }
  }

  @Test func aGapInACloseDelimitedBody() {
    let transcript = Stream(.response, [bytes("HTTP/1.1 200 OK\r\n\r\nab"), .gap(7), bytes("cd")]).everyCut()
    #expect(
      transcript.outline == [
        "http/1.1 200 OK", "body(ab)", "gap(body 2..<9)", "body(cd)", "end",
      ])
  }

  @Test func aGapInAHead() {
    let transcript = Stream(
      .response, [bytes("HTTP/1.1 200 OK\r\nContent-Le"), .gap(20), bytes("e: x\r\n\r\n{\"id\":1}" + Self.next)]
    ).everyCut()
    #expect(transcript.outline.first == "gap(messageLost)")
    #expect(Array(transcript.outline.suffix(3)) == Self.nextOutline)
  }

  @Test func aGapBetweenMessages() {
    let whole = Stream(.response, [bytes(Self.next), .gap(100), bytes(Self.next)]).everyCut()
    #expect(whole.outline == Self.nextOutline + ["gap(betweenMessages)"] + Self.nextOutline)
    let middle = Stream(.response, [bytes(Self.next), .gap(100), bytes("Date: x\r\n\r\nbody\r\n" + Self.next)])
      .everyCut()
    #expect(Array(middle.outline.suffix(3)) == Self.nextOutline)
    let first = Stream(.response, [.gap(100), bytes("tail of something" + Self.next)]).everyCut()
    #expect(Array(first.outline.suffix(3)) == Self.nextOutline)
  }

  @Test func hugeGapsDoNotOverflow() {
    for start in ["HTTP/1.1 200 OK\r\n\r\nab", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"] {
      let transcript = Stream(.response, [bytes(start), .gap(.max), .gap(.max), bytes("x")]).everyCut()
      #expect(!transcript.items.isEmpty)
    }
  }

  @Test(arguments: [
    "", "\r\n", "}", "body text", "a=b&c=d", "{\"a\": \"GET /x\"}", "line\r\n", "GET / HTTP/1.1\" 200 12\n",
    "\0\u{1}\u{2}",
    "POST /x HTTP/1.", "see GET /x HTTP/1.1 there",
  ])
  func theNextRequestIsFoundAfterAnything(noise: String) {
    var stream = Stream(.request, noise + "GET /n HTTP/1.1\r\nHost: a\r\n\r\n")
    stream.joinedMidstream = true
    #expect(Array(stream.everyCut().outline.suffix(2)) == ["GET /n http/1.1", "end"])
  }

  @Test(arguments: [
    "", "}", "plain text", "via HTTP/1.1 200 OK\r\n", "HTTP/1.1 2", "HTTP/1.1 200\u{1}\r\n", "\"HTTP/1.",
    "HTTP/1.1 20x\r\n", "HHTTP/1",
  ])
  func theNextResponseIsFoundAfterAnything(noise: String) {
    var stream = Stream(.response, noise + Self.next)
    stream.joinedMidstream = true
    #expect(Array(stream.everyCut().outline.suffix(3)) == Self.nextOutline)
  }

  @Test(arguments: [
    "x-custom /a HTTP/1.1", "UPPER-ODD /a HTTP/1.0", "CONNECT a:1 HTTP/1.1", "OPTIONS * HTTP/1.1",
    "GET http://a/ HTTP/1.1",
  ])
  func anyMethodIsFoundAtALineStart(line: String) {
    var stream = Stream(.request, "lost\r\n" + line + "\r\nHost: a\r\n\r\n")
    stream.joinedMidstream = true
    #expect(stream.everyCut().heads.count == 1)
  }

  @Test func bodiesThatLookLikeHTTPDoNotFool() {
    let inner = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\nGET /inner HTTP/1.1\r\nHost: i\r\n\r\n"
    let length = inner.utf8.count
    let request = Stream(
      .request,
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n\(inner)GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    ).everyCut()
    #expect(request.outline == ["POST / http/1.1", "body(\(inner))", "end", "GET / http/1.1", "end"])
    let gapped = Stream(
      .response, [bytes("HTTP/1.1 200 OK\r\nContent-Length: \(length + 5)\r\n\r\n"), .gap(5), bytes(inner + Self.next)]
    ).everyCut()
    #expect(gapped.heads.count == 2 && gapped.body == inner + "ok")
  }

  @Test func garbageBetweenExchangesIsSkipped() {
    let transcript = Stream(
      .request,
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\0\u{1}\u{2} garbage \u{ff}\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
    ).everyCut()
    #expect(
      transcript.outline == [
        "GET /1 http/1.1", "end", "anomaly(http1.start-line-invalid)", "skipped(18)", "GET /2 http/1.1", "end",
      ])
  }

  @Test(
    arguments: [
      ([0x16, 0x03, 0x01, 0x02], HTTP1Rejection.Kind.tls), ([0x16, 0x05], .other), ([0x00], .other),
      (Array("SSH-2.0-OpenSSH\r\n".utf8), .other), (Array("EHLO a\r\n".utf8), .other),
      (Array("*1\r\n$4\r\n".utf8), .other),
      (Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), .http2), (Array(repeating: 0x41, count: 70), .other),
      (Array("{\"a\"".utf8), .other),
      (Array("\r\n\r\n\0\r\nQUIX".utf8), .other), (Array("get lower\r\n".utf8), .other),
      (Array("GET / FTP/1.1\r\n".utf8), .other),
    ] as [([UInt8], HTTP1Rejection.Kind)])
  func streamsThatAreNotHTTPAreGivenUp(bytes: [UInt8], kind: HTTP1Rejection.Kind) {
    let tail = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    let transcript = Stream(.request, [.bytes(bytes + tail)]).everyCut()
    #expect(transcript.items == [.notHTTP(kind)])
    #expect(transcript.decoder.counts.notHTTP == UInt64(bytes.count + tail.count))
  }

  @Test func anotherDecoderCanTakeOver() throws {
    let wire = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0".utf8)
    for cut in 0...wire.count {
      var decoder = HTTP1Decoder(role: .request)
      var taken: [UInt8] = []
      for part in [Array(wire[..<cut]), Array(wire[cut...])] {
        part.withUnsafeBytes { buffer in
          var offset = 0
          if taken.isEmpty, case .notHTTP(let rejection)? = decoder.nextEvent(in: buffer, at: &offset) {
            taken = rejection.held + buffer[offset...]
          } else if !taken.isEmpty {
            taken += part
          }
        }
      }
      #expect(taken == wire)
    }
  }

  @Test func aMidstreamSearchHasABudget() {
    var stream = Stream(.response, String(repeating: "noise ", count: 100) + Self.next)
    stream.joinedMidstream = true
    stream.limits.maxSearchBytes = 500
    #expect(stream.transcript().items.last == .notHTTP(.other))
    stream.limits.maxSearchBytes = 700
    #expect(Array(stream.everyCut().outline.suffix(3)) == Self.nextOutline)
  }

  @Test func balancersMayGoFirst() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    let first = Stream(.request, "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" + request).everyCut()
    #expect(first.outline == ["skipped(42)", "GET / http/1.1", "end"])
    let second = Stream(
      .request, [.bytes(Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x21, 0x11, 0, 3, 1, 2, 3] + Array(request.utf8))]
    ).everyCut()
    #expect(second.outline == ["skipped(19)", "GET / http/1.1", "end"])
  }

  @Test func headsOverTheLimitAreSkipped() {
    let big = "HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 300) + "\r\n\r\n"
    var stream = Stream(.response, big + Self.next)
    stream.limits.maxHeadBytes = 200
    let transcript = stream.everyCut()
    #expect(
      transcript.outline == ["skipped(200)", "anomaly(http1.head-too-large)", "skipped(\(big.utf8.count - 200))"]
        + Self.nextOutline)
    stream.limits = HTTP1Limits()
    stream.limits.maxFields = 0
    #expect(stream.everyCut().anomalies.contains("http1.head-too-large"))
    stream.limits.maxFields = 1
    #expect(stream.everyCut().heads.count == 1)
  }

  @Test func trailersAndChunkLinesOverTheLimit() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    var stream = Stream(.response, head + "0\r\nX: " + String(repeating: "a", count: 300) + "\r\n\r\n" + Self.next)
    stream.limits.maxHeadBytes = 200
    let trailers = stream.everyCut()
    #expect(trailers.outline.contains("truncated(trailers)") && Array(trailers.outline.suffix(3)) == Self.nextOutline)
    stream = Stream(.response, head + "1;" + String(repeating: "a", count: 300) + "\r\n" + Self.next)
    stream.limits.maxChunkLineBytes = 100
    let chunk = stream.everyCut()
    #expect(chunk.outline.contains("truncated(chunked)") && Array(chunk.outline.suffix(3)) == Self.nextOutline)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "truncated(body(missing: 3))"),
    ("HTTP/1.1 200 OK\r\nX", "truncated(head)"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "truncated(chunked)"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "truncated(trailers)"),
    ("HTTP/1.1 200 OK\r\n\r\nab", "end"),
    ("HTTP/1.1 204 N\r\n\r\n", "end"), ("HTTP/1.1 204 N\r\n\r\n\r\n", "end"),
  ])
  func theStreamsEnd(text: String, last: String) {
    #expect(Stream(.response, text).everyCut().outline.last == last)
  }
}
