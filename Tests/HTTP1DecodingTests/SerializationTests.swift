import HTTP1Decoding
import HTTPModel
import Testing

@Suite struct SerializationTests {
  private let time = MessageTiming(
    start: Timestamp(nanoseconds: 0), headEnd: Timestamp(nanoseconds: 0), end: Timestamp(nanoseconds: 0))

  /// The request that a capture would record.
  private func record(_ wire: String) throws -> HTTPRequest {
    var decoder = HTTP1Decoder(role: .request)
    var request: HTTPRequest?
    Array(wire.utf8).withUnsafeBytes { bytes in
      var offset = 0
      while let event = decoder.nextEvent(in: bytes, at: &offset) {
        switch event {
        case .head(let head): request = head.request(timing: time)
        case .chunk(let size): request?.body.chunkSizes.append(UInt32(size))
        case .body(let range): request?.body.bytes.append(contentsOf: bytes[range])
        case .trailers(let fields): request?.trailers = fields
        default: break
        }
      }
    }
    return try #require(request)
  }

  private func written(_ request: HTTPRequest, _ edit: (inout HTTP1RequestEdits) -> Void = { _ in }) -> String {
    var edits = HTTP1RequestEdits()
    edit(&edits)
    var out: [UInt8] = []
    serialize(request: request, edits: edits, into: &out)
    return text(out)
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\nhOST: a\r\nX:  two  blanks \r\nHost: b\r\n\r\n",
    "POST /lf HTTP/1.0\nA: b\nContent-Length: 2\n\nhi",
    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: one,\r\n two\r\nno colon\r\n\r\n",
  ])
  func asRecordedIsByteForByte(wire: String) throws {
    #expect(written(try record(wire)) == wire)
  }

  @Test func onlyWhatIsEditedChanges() throws {
    let request = try record(
      "POST /a HTTP/1.1\r\nhOst: prod\r\nX:  1\r\n folded\r\nCookie: c\r\nx: 2\r\nContent-Length: 2\r\n\r\nhi")
    let edited = written(request) {
      $0.target = Array("/v2/a".utf8)
      $0.replaced = [
        (Array("host".utf8), Array("canary".utf8)), (Array("New".utf8), Array("n".utf8)),
        (Array("X".utf8), Array("9".utf8)),
      ]
      $0.removed = [Array("COOKIE".utf8)]
      $0.appended = [(Array("X-Umbra-Replay".utf8), Array("r".utf8))]
    }
    #expect(
      edited
        == "POST /v2/a HTTP/1.1\r\nhOst: canary\r\nX:  9\r\nContent-Length: 2\r\nNew: n\r\nX-Umbra-Replay: r\r\n\r\nhi")
    #expect(
      written(request) { $0.removed = [Array("x".utf8)] }
        == "POST /a HTTP/1.1\r\nhOst: prod\r\nCookie: c\r\nContent-Length: 2\r\n\r\nhi")
  }

  @Test func aRequestWithoutAHeadOfItsOwnGetsOne() {
    var fields = HeaderFields(storage: Array("POST/p".utf8))
    fields.append(name: Array(":authority".utf8), value: Array("shop".utf8))
    fields.append(name: Array("accept".utf8), value: Array("*/*".utf8))
    let request = HTTPRequest(
      version: .http2, methodRange: 0..<4, targetRange: 4..<6, fields: fields,
      body: HTTPBody(bytes: Array("hi".utf8), size: 2, framing: .stream), timing: time)
    #expect(
      written(request) { $0.appended = [(Array("m".utf8), Array("1".utf8))] }
        == "POST /p HTTP/1.1\r\naccept: */*\r\nHost: shop\r\nContent-Length: 2\r\nm: 1\r\n\r\nhi")
  }

  @Test func aSimpleRequestGetsAVersionForItsFields() throws {
    #expect(
      written(try record("GET /old\r\n")) { $0.appended = [(Array("m".utf8), Array("1".utf8))] }
        == "GET /old HTTP/1.1\r\nm: 1\r\n\r\n")
  }

  @Test func chunkSizesThatDoNotFitTheBodyDoNotMatter() throws {
    var request = try record("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    for (sizes, body) in [
      ([], "3\r\nabc\r\n0\r\n\r\n"), ([2], "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), ([0, 9, 4], "3\r\nabc\r\n0\r\n\r\n"),
    ] as [([UInt32], String)] {
      request.body.chunkSizes = sizes
      #expect(written(request).hasSuffix("\r\n\r\n" + body))
    }
  }
}
