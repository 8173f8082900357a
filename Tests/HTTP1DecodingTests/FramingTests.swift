import HTTP1Decoding
import HTTPModel
import Testing

@Suite struct FramingTests {
  @Test func pipelinedRequestsInOneSegment() {
    let transcript = Stream(
      .request,
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nAAAPUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\n\r\n"
    ).everyCut()
    #expect(
      transcript.outline == [
        "POST /a http/1.1", "body(AAA)", "end", "PUT /b http/1.1", "end", "GET /c http/1.1", "end",
      ])
    #expect(transcript.anomalies.isEmpty)
  }

  @Test func aGetMayHaveABody() {
    #expect(
      Stream(.request, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").everyCut().outline
        == ["GET / http/1.1", "body(hi)", "end"])
  }

  @Test(
    arguments: [
      ("5", "hello", nil), ("0005", "hello", nil), ("5, 5", "hello", nil), ("5\r\nContent-Length: 5", "hello", nil),
      (" \t5 \t", "hello", nil), ("5, 3", "hello", "http1.content-length-conflict"),
      ("5\r\ncontent-length: 3", "hello", "http1.content-length-conflict"),
      ("5, x", "hello", "http1.content-length-invalid"),
    ] as [(String, String, String?)])
  func contentLengthsThatDelimit(value: String, body: String, anomaly: String?) {
    let next = "GET /n HTTP/1.1\r\nHost: a\r\n\r\n"
    let transcript = Stream(.request, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(value)\r\n\r\n\(body)\(next)")
      .everyCut()
    #expect(transcript.outline == ["POST / http/1.1", "body(\(body))", "end", "GET /n http/1.1", "end"])
    #expect(transcript.anomalies == (anomaly.map { [$0] } ?? []))
  }

  @Test(arguments: ["+5", "-1", "4 2", "", "0x5", "1e3", "5_0", "18446744073709551616", "99999999999999999999999"])
  func contentLengthsThatDoNot(value: String) {
    let request = Stream(
      .request, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(value)\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    .everyCut()
    #expect(request.outline == ["POST / http/1.1", "end", "GET / http/1.1", "end"])
    #expect(request.anomalies == ["http1.content-length-invalid"])
    let response = Stream(.response, "HTTP/1.1 200 OK\r\nContent-Length: \(value)\r\n\r\nall of it").everyCut()
    #expect(response.outline == ["http/1.1 200 OK", "body(all of it)", "end"])
  }

  @Test func theLargestContentLengthDoesNotOverflow() {
    let transcript = Stream(.response, "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nab").everyCut()
    #expect(transcript.outline.last == "truncated(body(missing: 18446744073709551613))")
  }

  @Test(arguments: [
    ("chunked", [String]()), ("Chunked", []), ("gzip, chunked", []), ("identity\r\nTransfer-Encoding: chunked", []),
    ("gzip\r\nTransfer-Encoding: CHUNKED", []), ("chunked, identity", []), (" ,chunked,", []),
    ("chunked\r\nContent-Length: 3", ["http1.content-length-and-chunked"]),
    ("pigeons, chunked", ["http1.transfer-encoding-unknown"]),
  ])
  func codingsThatEndInChunked(value: String, anomalies: [String]) {
    let transcript = Stream(
      .request,
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \(value)\r\n\r\n2\r\nhi\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    .everyCut()
    #expect(transcript.outline == ["POST / http/1.1", "chunk(2)", "body(hi)", "end", "GET / http/1.1", "end"])
    #expect(transcript.anomalies == anomalies)
  }

  @Test(arguments: [
    "chunked, gzip", "gzip", "chunkedchunked", "pigeons", "chunked\r\nTransfer-Encoding: deflate", "chunked abc",
  ])
  func codingsThatDoNot(value: String) {
    let request = Stream(
      .request, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \(value)\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    .everyCut()
    #expect(request.outline == ["POST / http/1.1", "end", "GET / http/1.1", "end"])
    let response = Stream(.response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: \(value)\r\n\r\n2\r\nOK\r\n0\r\n\r\n")
      .everyCut()
    #expect(response.outline == ["http/1.1 200 OK", "body(2\r\nOK\r\n0\r\n\r\n)", "end"])
  }

  @Test func chunkedInHTTP10IsFollowedAndNamed() {
    let transcript = Stream(.response, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
      .everyCut()
    #expect(transcript.outline == ["http/1.0 200 OK", "chunk(2)", "body(hi)", "end"])
    #expect(transcript.anomalies == ["http1.transfer-encoding-in-http10"])
  }

  @Test(arguments: [
    ("a", 10), ("A", 10), ("0a", 10), ("000000000000000000000000A", 10), ("a ", 10), (" a", 10), ("a;x=y", 10),
    ("a ; x=\"q;\\\"\"", 10), ("a;", 10),
  ])
  func chunkSizes(line: String, size: Int) {
    let transcript = Stream(
      .response,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(line)\r\n0123456789\r\n000\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    )
    .everyCut()
    #expect(
      transcript.outline.filter { !$0.hasPrefix("anomaly") } == [
        "http/1.1 200 OK", "chunk(\(size))", "body(0123456789)", "end", "http/1.1 204 No Content", "end",
      ])
    #expect(
      transcript.anomalies
        == (line.contains("a ") && !line.contains(";") || line == " a" ? ["http1.chunk-invalid"] : []))
  }

  @Test func aChunksExtensionIsKept() {
    var decoder = HTTP1Decoder(role: .response)
    var seen: [String] = []
    let wire = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n1\r\ny\r\n0;last\r\n\r\n".utf8)
    wire.withUnsafeBytes { bytes in
      var offset = 0
      while let event = decoder.nextEvent(in: bytes, at: &offset) {
        if case .chunk = event { seen.append(text(decoder.chunkExtension)) }
      }
    }
    #expect(seen == [";a=b", ""])
    #expect(text(decoder.chunkExtension) == ";last")
  }

  @Test(arguments: ["10000000000000000", "-5", "0x5", "5_0", "", ";x", "g", "5\r;x", "\u{e9}"])
  func brokenChunkSizesEndTheMessage(line: String) {
    let transcript = Stream(
      .response,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n\(line)\r\nHTTP/1.1 204 No Content\r\n\r\n"
    ).everyCut()
    #expect(
      transcript.outline == [
        "http/1.1 200 OK", "chunk(1)", "body(x)", "anomaly(http1.chunk-invalid)", "truncated(chunked)",
        "skipped(\(line.utf8.count + 2))", "http/1.1 204 No Content", "end",
      ])
  }

  @Test func theLargestChunkDoesNotOverflow() {
    let transcript = Stream(.response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab")
      .everyCut()
    #expect(transcript.outline.suffix(2) == ["body(ab)", "truncated(chunked)"])
  }

  @Test func aMissingChunkEndBreaksTheCoding() {
    let transcript = Stream(
      .response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcde\r\nHTTP/1.1 204 N\r\n\r\n"
    ).everyCut()
    #expect(
      transcript.outline == [
        "http/1.1 200 OK", "chunk(2)", "body(ab)", "anomaly(http1.chunk-invalid)", "truncated(chunked)", "skipped(5)",
        "http/1.1 204 N", "end",
      ])
  }

  @Test func bareLineFeedsInChunks() {
    let transcript = Stream(.response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nab\n1\nc\n0\n\n")
      .everyCut()
    #expect(transcript.body == "abc")
    #expect(transcript.outline.last == "end")
    #expect(transcript.anomalies.contains("http1.chunk-bare-lf"))
  }

  @Test func trailersAreFields() {
    let transcript = Stream(
      .response,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nDigest: abc\r\nX-Two:  2 \r\n\r\nHTTP/1.1 204 N\r\n\r\n"
    ).everyCut()
    #expect(transcript.outline[3] == "trailers([\"Digest: abc\", \"X-Two: 2\"])")
    #expect(transcript.outline.suffix(2) == ["http/1.1 204 N", "end"])
  }

  @Test func aDeclinedBodyIsTheNextRequest() {
    let first = Array("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n".utf8)
    for (rest, outline) in [
      ("GET /n HTTP/1.1\r\nHost: a\r\n\r\n", ["PUT / http/1.1", "truncated(declined)", "GET /n http/1.1", "end"]),
      ("123456789", ["PUT / http/1.1", "body(123456789)", "end"]), ("", ["PUT / http/1.1", "truncated(declined)"]),
    ] {
      var stream = Stream(.request, [.bytes(first), .bytes(Array(rest.utf8))])
      stream.before[1] = { $0.declineBody() }
      #expect(stream.transcript().outline == outline)
    }
  }
}
