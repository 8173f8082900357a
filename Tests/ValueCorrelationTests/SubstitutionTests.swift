import HTTPModel
import Testing
import ValueCorrelation

@Suite struct SubstitutionTests {
  private static let json = "HTTP/1.1 200 OK\nContent-Type: application/json"

  /// The last request of a session as it is sent where the target answered the first one so.
  private func rewritten(_ session: RecordedSession, answer: String, body: String) throws -> HTTPRequest? {
    let graph = session.graph()
    let last = try #require(session.exchanges.last)
    let values = graph.values(in: makeResponse(answer, body: body), to: session.exchanges[0].id)
    return graph.substituted(last.request!, of: last.id) { _ in values }
  }

  @Test func putsTheTargetsValueWhereTheRecordedOneWas() throws {
    var session = RecordedSession()
    session.add("POST /orders HTTP/1.1", answer: Self.json, answerBody: #"{"id":"ord_8fK2mQ9x"}"#)
    session.add("PUT /orders/ord_8fK2mQ9x?x=1 HTTP/1.1\nHost: shop\nX-Order: ord_8fK2mQ9x\nAccept: */*")
    let request = try #require(try rewritten(session, answer: Self.json, body: #"{"more":1,"id":"o 7/é"}"#))
    #expect(
      wire(request)
        == "PUT /orders/o%207%2F%C3%A9?x=1 HTTP/1.1\r\nHost: shop\r\nX-Order: o 7/é\r\nAccept: */*\r\n\r\n")
    #expect(request.target.elementsEqual("/orders/o%207%2F%C3%A9?x=1".utf8))
    #expect(request.fields.first("accept").map { Array($0) } == Array("*/*".utf8))
    #expect(request.fields.first("x-order").map { Array($0) } == Array("o 7/é".utf8))
  }

  @Test func rewritesBodiesAndTheirLength() throws {
    var session = RecordedSession()
    session.add("POST /t HTTP/1.1", answer: Self.json, answerBody: #"{"id":"ord_8fK2mQ9x","n":{"number":48213377}}"#)
    session.add(
      "POST /p HTTP/1.1\nContent-Type: application/json", body: #"{"a":"x\/ord_8fK2mQ9x","n":48213377,"b":[1,2]}"#)
    let answer = #"{"id":"a\"b","n":{"number":"x"}}"#
    let request = try #require(try rewritten(session, answer: Self.json, body: answer))
    let body = #"{"a":"x\/a\"b","n":"x","b":[1,2]}"#
    #expect(request.body.bytes == Array(body.utf8))
    #expect(request.body.size == UInt64(body.utf8.count))
    #expect(request.fields.first("content-length").map { String(decoding: $0, as: UTF8.self) } == "\(body.utf8.count)")
  }

  @Test func keepsTheSpellingOfFormsAndBase64() throws {
    var session = RecordedSession()
    session.add("POST /k HTTP/1.1", answer: Self.json, answerBody: #"{"key":"k3y-9fX2mQ71"}"#)
    session.add(
      "POST /a HTTP/1.1\nAuthorization: Basic YW5uOmszeS05ZlgybVE3MQ==\nContent-Type: application/x-www-form-urlencoded",
      body: "a=b+c&key=k3y-9fX2mQ71&d=e")
    let request = try #require(try rewritten(session, answer: Self.json, body: #"{"key":"n&w=1 x"}"#))
    #expect(request.body.bytes == Array("a=b+c&key=n%26w%3D1+x&d=e".utf8))
    // ann:n&w=1 x
    #expect(
      request.fields.first("authorization").map { String(decoding: $0, as: UTF8.self) } == "Basic YW5uOm4mdz0xIHg=")
  }

  @Test func findsWordsFromTheEndWhereTheirNumberDiffers() throws {
    var session = RecordedSession()
    session.add("POST /o HTTP/1.1", answer: "HTTP/1.1 201 Created\nLocation: http://127.0.0.1:8080/o/ab12cd34ef")
    session.add("GET /o/ab12cd34ef HTTP/1.1")
    let request = try rewritten(session, answer: "HTTP/1.1 201 Created\nLocation: /o/zz99yy88xx", body: "")
    #expect(request?.target.elementsEqual("/o/zz99yy88xx".utf8) == true)
  }

  @Test func saysWhereAValueIsMissingOrCannotStand() throws {
    var session = RecordedSession()
    session.add("POST /t HTTP/1.1", answer: Self.json, answerBody: #"{"id":"ord_8fK2mQ9x"}"#)
    session.add("GET /a HTTP/1.1\nX-Order: ord_8fK2mQ9x")
    #expect(try rewritten(session, answer: "HTTP/1.1 503 Busy", body: "") == nil)
    #expect(try rewritten(session, answer: Self.json, body: #"{"id":null}"#) == nil)
    #expect(try rewritten(session, answer: Self.json, body: #"{"id":"a\r\nX-Evil: 1"}"#) == nil)
    #expect(try rewritten(session, answer: Self.json, body: #"{"id":7}"#) != nil)
  }

  @Test func movesTheRangesOfAHeadThatHoldsFieldsAlone() throws {
    var session = RecordedSession()
    session.add("POST /t HTTP/1.1", answer: "HTTP/1.1 200 OK\nSet-Cookie: sid=Qk19xm2Lw83")
    session.add("GET /a HTTP/1.1\nCookie: sid=Qk19xm2Lw83")
    // As an HTTP/2 request stands in memory: names and values end to end.
    var fields = HeaderFields(storage: Array("GET/a".utf8))
    fields.append(name: ":authority".utf8, value: "shop".utf8)
    fields.append(name: "cookie".utf8, value: "sid=Qk19xm2Lw83".utf8)
    fields.append(name: "x-last".utf8, value: "1".utf8)
    var exchange = session.exchanges[1]
    exchange.request = HTTPRequest(
      version: .http2, methodRange: 0..<3, targetRange: 3..<5, fields: fields, timing: exchange.request!.timing)
    var finder = CorrelationFinder()
    finder.add(session.exchanges[0])
    finder.add(exchange)
    let graph = finder.finish()
    let answer = makeResponse("HTTP/1.1 200 OK\nSet-Cookie: sid=a-much-longer-value; HttpOnly")
    let request = try #require(
      graph.substituted(exchange.request!, of: exchange.id) { graph.values(in: answer, to: $0) })
    #expect(request.fields.first("cookie").map { String(decoding: $0, as: UTF8.self) } == "sid=a-much-longer-value")
    #expect(request.fields.first("x-last").map { String(decoding: $0, as: UTF8.self) } == "1")
    #expect(request.fields.first(":authority").map { String(decoding: $0, as: UTF8.self) } == "shop")
    #expect(request.target.elementsEqual("/a".utf8))
  }
}
