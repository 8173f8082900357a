import HTTP1Decoding
import HTTPModel
import Testing

@Suite struct RequestTests {
  @Test func aPlainRequestKeepsItsBytes() throws {
    let wire = "GET /a?b=c HTTP/1.1\r\nHost: shop\r\nX-Empty:\r\nAccept:  text/html \t\r\n\r\n"
    let transcript = Stream(.request, wire).everyCut()
    #expect(transcript.outline == ["GET /a?b=c http/1.1", "end"])
    let head = try #require(transcript.heads.first)
    #expect(text(head.fields.storage) == wire)
    #expect(lines(head.fields) == ["Host: shop", "X-Empty: ", "Accept: text/html"])
    #expect(head.anomalies.isEmpty && head.framing == .none && !head.closesConnection)
    #expect(transcript.decoder.isIdle)
    #expect(transcript.decoder.counts.head == UInt64(wire.utf8.count))
  }

  @Test func aMessageIsNotChangedByWhatFollowsIt() {
    let messages = [
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n",
      "DELETE / HTTP/1.0\r\n\r\n",
    ]
    let tails = ["GET /next HTTP/1.1\r\nHost: b\r\n\r\n", "\r\n", "\0\u{1}\u{2}", "G", "garbage line\r\n"]
    for message in messages {
      let alone = Stream(.request, message).everyCut()
      for tail in tails {
        let both = Stream(.request, message + tail).everyCut()
        #expect(Array(both.items.prefix(alone.items.count)) == alone.items)
      }
    }
  }

  @Test(arguments: ["GET", "PROPFIND", "M-SEARCH", "x-custom", "-BLARGH", "!#$%&'*+.^_`|~", "A"])
  func anyTokenIsAMethod(method: String) {
    #expect(
      Stream(.request, "\(method) / HTTP/1.1\r\nHost: a\r\n\r\n").everyCut().outline == ["\(method) / http/1.1", "end"])
  }

  @Test(arguments: ["/", "*", "http://a/b", "a:443", "/caf\u{e9}", "/a\"b|c{d}"])
  func targetFormsAreKept(target: String) {
    let transcript = Stream(.request, "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n").everyCut()
    #expect(transcript.outline == ["GET \(target) http/1.1", "end"])
    #expect(transcript.anomalies.isEmpty)
  }

  @Test(arguments: [
    ("GET /a b HTTP/1.1", "GET /a b http/1.1", "http1.start-line-invalid"),
    ("GET  / HTTP/1.1", "GET / http/1.1", "http1.start-line-invalid"),
    ("GET\t/ HTTP/1.1", "GET / http/1.1", "http1.start-line-invalid"),
    ("GET / HTTP/1.1 ", "GET / http/1.1", "http1.start-line-invalid"),
    (" GET / HTTP/1.1", "GET / http/1.1", "http1.start-line-invalid"),
    ("GET / http/1.1", "GET / http/1.1", "http1.version-unknown"),
    ("GET / HTTP/1.7", "GET / http/1.1", "http1.version-unknown"),
    ("GET / HTTP/0.9", "GET / http/1.0", "http1.version-unknown"),
    ("GET / HTTP/11.1", "GET / http/1.1", "http1.version-unknown"),
    ("GET /\0 HTTP/1.1", "GET /\0 http/1.1", "http1.field-value-invalid"),
    ("\r\n\r\nGET / HTTP/1.1", "GET / http/1.1", "http1.leading-empty-line"),
    ("\nGET / HTTP/1.1", "GET / http/1.1", "http1.leading-empty-line"),
  ])
  func oddStartLines(line: String, outline: String, anomaly: String) {
    let transcript = Stream(.request, line + "\r\nHost: a\r\n\r\n").everyCut()
    #expect(transcript.outline == [outline, "end"])
    #expect(transcript.anomalies == [anomaly])
  }

  @Test func bareLineFeedsEndLines() {
    let transcript = Stream(
      .request, "POST /lf HTTP/1.1\nHost: a\nContent-Length: 3\n\nabcGET / HTTP/1.1\r\nHost: a\r\n\n"
    )
    .everyCut()
    #expect(transcript.outline == ["POST /lf http/1.1", "body(abc)", "end", "GET / http/1.1", "end"])
    #expect(transcript.anomalies == ["http1.bare-lf", "http1.bare-lf"])
  }

  @Test func aFoldedValueKeepsItsBytes() throws {
    let transcript = Stream(
      .request, "GET / HTTP/1.1\r\nX: one,\r\n\ttwo,\r\n   three  \r\nHost: a\r\n \r\nY:\r\n z\r\n\r\n"
    ).everyCut()
    let head = try #require(transcript.heads.first)
    #expect(lines(head.fields) == ["X: one,\r\n\ttwo,\r\n   three", "Host: a", "Y: z"])
    #expect(transcript.anomalies == ["http1.obs-fold"])
  }

  @Test(
    arguments: [
      ("Name : v", "Name: v", "http1.whitespace-before-colon"), (": v", ": v", "http1.field-name-invalid"),
      ("Fo@: v", "Fo@: v", "http1.field-name-invalid"), ("no colon", nil, "http1.field-without-colon"),
      ("X: a\rb", "X: a\rb", "http1.bare-cr"), ("X: a\0b", "X: a\0b", "http1.field-value-invalid"),
      ("X: a\u{7f}", "X: a\u{7f}", "http1.field-value-invalid"), (" X: v", nil, "http1.obs-fold"),
    ] as [(String, String?, String)])
  func oddFields(line: String, field: String?, anomaly: String) throws {
    let transcript = Stream(.request, "GET / HTTP/1.1\r\n\(line)\r\nHost: a\r\n\r\n").everyCut()
    let head = try #require(transcript.heads.first)
    #expect(lines(head.fields) == (field.map { [$0] } ?? []) + ["Host: a"])
    #expect(transcript.anomalies == [anomaly])
  }

  @Test func eightBitValuesAreNoOddity() throws {
    let wire = Array("GET / HTTP/1.1\r\nHost: a\r\nX: caf".utf8) + [0xe9, 0x0d, 0x0a, 0x0d, 0x0a]
    let transcript = Stream(.request, [.bytes(wire)]).everyCut()
    #expect(transcript.anomalies.isEmpty)
    #expect(try #require(transcript.heads.first).fields.storage == wire)
  }

  @Test func hostsAreCounted() {
    #expect(Stream(.request, "GET / HTTP/1.1\r\n\r\n").everyCut().anomalies == ["http1.host-missing"])
    #expect(Stream(.request, "GET / HTTP/1.0\r\n\r\n").everyCut().anomalies == [])
    #expect(
      Stream(.request, "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n").everyCut().anomalies == ["http1.host-repeated"])
  }

  @Test func manyFieldsAreAllThere() throws {
    let fields = (0..<300).map { "X-\($0): \($0)" }
    let transcript = Stream(.request, "GET / HTTP/1.1\r\nHost: a\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n")
      .transcript()
    #expect(lines(try #require(transcript.heads.first).fields) == ["Host: a"] + fields)
  }

  @Test func persistenceFollowsTheVersion() {
    func closes(_ rest: String) -> Bool? {
      Stream(.request, "GET / HTTP/\(rest)\r\n\r\n").everyCut().heads.first?.closesConnection
    }
    #expect(closes("1.1\r\nHost: a") == false)
    #expect(closes("1.1\r\nHost: a\r\nConnection: x, CLOSE") == true)
    #expect(closes("1.0") == true)
    #expect(closes("1.0\r\nConnection: Keep-Alive") == false)
  }

  @Test func dataAfterCloseIsDecodedAndNamed() {
    let transcript = Stream(
      .request, "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    .everyCut()
    #expect(transcript.outline == ["GET /1 http/1.1", "end", "GET /2 http/1.1", "end"])
    #expect(transcript.anomalies == ["http1.data-after-close"])
  }

  @Test func simpleRequestsOfHTTP09() {
    let transcript = Stream(.request, "GET /\r\n").everyCut()
    #expect(transcript.outline == ["GET / http/1.0", "end"])
    #expect(transcript.anomalies == ["http1.version-unknown"])
  }

  @Test func expectationAndUpgradeAreToldOf() throws {
    let expect = try #require(
      Stream(.request, "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx").everyCut()
        .heads.first)
    #expect(expect.expectsContinue && !expect.switchesProtocol)
    let upgrade = try #require(
      Stream(.request, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n")
        .everyCut().heads.first)
    #expect(upgrade.switchesProtocol)
    let offer = try #require(
      Stream(.request, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n").everyCut().heads.first)
    #expect(!offer.switchesProtocol)
  }

  @Test func headsMoveIntoMessages() throws {
    let time = MessageTiming(
      start: Timestamp(nanoseconds: 1), headEnd: Timestamp(nanoseconds: 2), end: Timestamp(nanoseconds: 3))
    let head = try #require(Stream(.request, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n").transcript().heads.first)
    #expect(head.answered == .head && head.response(timing: time) == nil)
    let request = try #require(head.request(timing: time))
    #expect(text(request.method) == "HEAD" && text(request.target) == "/x" && request.timing == time)
    let answer = try #require(Stream(.response, "HTTP/1.1 404 Not Found\r\n\r\n").transcript().heads.first)
    let response = try #require(answer.response(timing: time))
    #expect(response.status == 404 && text(response.reason) == "Not Found")
  }
}
