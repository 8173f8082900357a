import ExchangeAssembly
import HTTPModel
import PacketHeaders
import Testing

/// Memory goes round from exchange to exchange; what stood in it does not.
@Suite struct MemoryReuseTests {
  /// Messages of every shape, so that each is followed by a smaller and a barer one.
  private let messages: [(request: String, response: String)] = [
    (
      "POST /long HTTP/1.1\r\nHost: shop\r\nX-A: 1\r\nX-B: 2\r\nExpect: 100-continue\r\nContent-Length: 300\r\n\r\n"
        + String(repeating: "q", count: 300),
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"
    ),
    ("GET /bare HTTP/1.1\r\nHost: s\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"),
    (
      "PUT /cut HTTP/1.1\r\nHost: s\r\nContent-Length: 700\r\n\r\n" + String(repeating: "z", count: 700),
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nSet-Cookie: a=b\r\n\r\nyes"
    ),
    ("HEAD /head HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.0 304 \r\nContent-Length: 9\r\n\r\n"),
    ("DELETE /x HTTP/1.1\r\nHost: s\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
  ]

  private func conversation(_ taking: Conversation.Taking) -> Conversation {
    var conversation = Conversation(limits: AssemblyLimits(bodyBytes: 500))
    conversation.taking = taking
    for round in 0..<4 {
      for (request, response) in messages[(round % 3)...] {
        conversation.fromClient(request)
        conversation.fromServer(response)
      }
    }
    return conversation
  }

  @Test func anExchangeHasNothingOfTheOneBefore() throws {
    var fresh = conversation(.anew)
    var reused = conversation(.inPlace)
    let (expected, found) = (fresh.finish(), reused.finish())
    #expect(found == expected)
    #expect(found.count == 17)
    let bare = try #require(found.first { $0.line == "GET /bare 204" })
    #expect(bare.request?.body == HTTPBody() && bare.response?.informational.isEmpty == true)
    #expect(bare.response?.trailers.isEmpty == true && bare.anomalies.isEmpty)
    let cut = try #require(found.first { $0.line == "PUT /cut 200" })
    #expect(cut.request?.body.bytes.count == 500 && cut.request?.body.cutHash != nil)
    #expect(reused.ledger == fresh.ledger)
  }

  /// Who keeps an exchange keeps it as it was, whatever is read into the memory that it was handed out in.
  @Test func anExchangeThatIsKeptDoesNotChange() {
    var reused = conversation(.inPlaceShared)
    let kept = reused.exchanges
    let texts = kept.map { String(decoding: $0.request!.fields.storage + $0.response!.body.bytes, as: UTF8.self) }
    for (request, response) in messages {
      reused.fromClient(request)
      reused.fromServer(response)
    }
    _ = reused.finish()
    #expect(
      kept.map { String(decoding: $0.request!.fields.storage + $0.response!.body.bytes, as: UTF8.self) } == texts)
    #expect(reused.exchanges.prefix(kept.count).elementsEqual(kept))
  }

  @Test func aMessageIsAValue() {
    let time = Timestamp(nanoseconds: 0)
    let timing = MessageTiming(start: time, headEnd: time, end: time)
    let request = HTTPRequest(
      version: .http11, methodRange: 0..<3, targetRange: 4..<5, fields: HeaderFields(storage: Array("GET /".utf8)),
      timing: timing)
    var changed = request
    #expect(changed == request && changed.hashValue == request.hashValue)
    changed.body.bytes = [1]
    changed.fields.append(name: "a".utf8, value: "b".utf8)
    #expect(request.body.bytes.isEmpty && request.fields.isEmpty && changed != request)
    var again = changed
    again.reuse(version: .http10, methodRange: 0..<1, targetRange: 0..<0, framing: .chunked, timing: timing)
    #expect(again.body == HTTPBody(framing: .chunked) && changed.body.bytes == [1] && changed.version == .http11)
    let response = HTTPResponse(
      version: .http11, status: 200, reasonRange: 0..<0, fields: HeaderFields(), timing: timing)
    var other = response
    other.informational.append(InformationalResponse(status: 103, fields: HeaderFields(), time: time))
    #expect(response.informational.isEmpty && other != response)
    other.reuse(version: .http11, status: 200, reasonRange: 0..<0, framing: .none, timing: timing)
    #expect(other == response)
  }
}
