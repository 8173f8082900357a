import HTTPModel
import Testing
import ValueCorrelation

@Suite struct CorrelationFinderTests {
  private static let json = "HTTP/1.1 200 OK\nContent-Type: application/json"

  @Test func findsAnIDInThePath() {
    var session = RecordedSession()
    session.add("POST /orders HTTP/1.1", answer: Self.json, answerBody: #"{"order":{"id":"ord_8fK2mQ9x"}}"#)
    session.add("GET /orders/ord_8fK2mQ9x/lines HTTP/1.1")
    #expect(session.links() == ["1-1 body:/order/id -> 1-2 path/2 percent"])
  }

  @Test func findsASessionCookieInEachLaterRequest() {
    var session = RecordedSession()
    session.add(
      "POST /login HTTP/1.1", answer: "HTTP/1.1 204 No Content\nSet-Cookie: sid=redacted.4b1f7f3a9c02d6e8; Path=/")
    session.add("GET /cart HTTP/1.1\nCookie: theme=dark; sid=redacted.4b1f7f3a9c02d6e8", connection: 2)
    session.add("GET /me HTTP/1.1\nCookie: sid=redacted.4b1f7f3a9c02d6e8", connection: 3)
    #expect(
      session.links() == ["1-1 cookie:sid -> 2-2 cookie:sid plain", "1-1 cookie:sid -> 3-3 cookie:sid plain"])
  }

  @Test func findsAFormsTokenPercentEncoded() {
    var session = RecordedSession()
    session.add(
      "GET /form HTTP/1.1", answer: "HTTP/1.1 200 OK\nContent-Type: text/html; charset=utf-8",
      answerBody: "<form><INPUT type='hidden' value='a8/Kx+92==&amp;z7Qw' name=csrf_token></form>")
    session.add(
      "POST /form HTTP/1.1\nContent-Type: application/x-www-form-urlencoded",
      body: "name=Ann&csrf_token=a8%2FKx%2B92%3D%3D%26z7Qw")
    #expect(session.links() == ["1-1 form:csrf_token -> 1-2 form:csrf_token form"])
  }

  @Test func findsAMetaTokenInAHeader() {
    var session = RecordedSession()
    session.add(
      "GET / HTTP/1.1", answer: "HTTP/1.1 200 OK\nContent-Type: text/html",
      answerBody: #"<meta name="csrf-token" content="Zk39-dk20_sLwq18"><p>hello"#)
    session.add("POST /a HTTP/1.1\nX-CSRF-Token: Zk39-dk20_sLwq18")
    #expect(session.links() == ["1-1 form:csrf-token -> 1-2 header:x-csrf-token plain"])
  }

  @Test func findsACookieThatAScriptDecodedForAHeader() {
    var session = RecordedSession()
    session.add("GET / HTTP/1.1", answer: "HTTP/1.1 200 OK\nSet-Cookie: XSRF-TOKEN=eyJpdiI6Ilg5%3D%3D; path=/")
    session.add("POST /a HTTP/1.1\nX-XSRF-TOKEN: eyJpdiI6Ilg5==\nCookie: XSRF-TOKEN=eyJpdiI6Ilg5%3D%3D")
    #expect(
      session.links() == [
        "1-1 cookie:XSRF-TOKEN -> 1-2 header:x-xsrf-token plain",
        "1-1 cookie:XSRF-TOKEN -> 1-2 cookie:XSRF-TOKEN plain",
      ])
  }

  @Test func takesAJSONWebTokenAsAWhole() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiIsImlhdCI6MX0.s3cr3t-S1gnature_x9"
    var session = RecordedSession()
    session.add("POST /token HTTP/1.1", answer: Self.json, answerBody: #"{"access_token":"\#(token)"}"#)
    session.add("GET /a HTTP/1.1\nAuthorization: Bearer \(token)")
    #expect(session.links() == ["1-1 body:/access_token -> 1-2 header:authorization plain"])
    #expect(session.graph().links[0].encoding == .plain)
  }

  @Test func looksIntoBase64() {
    // ann:k3y-9fX2mQ71
    var session = RecordedSession()
    session.add("POST /keys HTTP/1.1", answer: Self.json, answerBody: #"{"key":"k3y-9fX2mQ71"}"#)
    session.add("GET /a HTTP/1.1\nAuthorization: Basic YW5uOmszeS05ZlgybVE3MQ==")
    session.add("GET /b?cursor=azN5LTlmWDJtUTcx HTTP/1.1")
    #expect(
      session.links() == [
        "1-1 body:/key -> 1-2 header:authorization base64", "1-1 body:/key -> 1-3 query:cursor base64",
      ])
  }

  @Test func findsALinkAndItsPartsInJSON() {
    var session = RecordedSession()
    session.add(
      "POST /cart HTTP/1.1", answer: Self.json, answerBody: #"{"next":"\/cart\/c9f8e7d6a5\/checkout?key=K81hs7Wq2"}"#)
    session.add("POST /cart/c9f8e7d6a5/checkout?key=K81hs7Wq2 HTTP/1.1")
    session.add(
      "POST /done HTTP/1.1\nContent-Type: application/json", body: #"{"cart":"c9f8e7d6a5","note":"a\/K81hs7Wq2"}"#)
    #expect(
      session.links() == [
        "1-1 body:/next#2 -> 1-2 path/2 percent", "1-1 body:/next#5 -> 1-2 query:key form",
        "1-1 body:/next#2 -> 1-3 body:/cart json-string", "1-1 body:/next#5 -> 1-3 body:/note json-string",
      ])
  }

  @Test func findsShortIDsByWhatTheyAreIDsOf() {
    var session = RecordedSession()
    session.add(
      "POST /v1/orders HTTP/1.1", answer: "HTTP/1.1 201 Created\nContent-Type: application/json",
      answerBody: #"{"id":17,"lines":3}"#)
    session.add("GET /v1/orders/17 HTTP/1.1")
    session.add("GET /v1/pages/17 HTTP/1.1")
    session.add("POST /pay HTTP/1.1\nContent-Type: application/json", body: #"{"order_id":17,"lines":3}"#)
    session.add("POST /users HTTP/1.1", answer: "HTTP/1.1 303 See Other\nLocation: http://shop/users/9")
    session.add("GET /users/9 HTTP/1.1")
    #expect(
      session.links() == [
        "1-1 body:/id -> 1-2 path/3 percent", "1-1 body:/id -> 1-4 body:/order_id json-number",
        "1-5 header:location#4 -> 1-6 path/2 percent",
      ])
  }

  // MARK: What is no dependency

  @Test func leavesWhatTheClientSentFirst() {
    var session = RecordedSession()
    session.add("GET /items/ab12cd34ef HTTP/1.1", answer: Self.json, answerBody: #"{"id":"ab12cd34ef"}"#)
    session.add("GET /items/ab12cd34ef/price HTTP/1.1")
    session.add("POST /orders?ref=Zx81Kq77Lm HTTP/1.1", answer: Self.json, answerBody: #"{"ref":"Zx81Kq77Lm"}"#)
    session.add("GET /find?ref=Zx81Kq77Lm HTTP/1.1")
    #expect(session.links().isEmpty)
  }

  @Test func leavesWhatManyAnswersShow() {
    var session = RecordedSession()
    for _ in 0..<10 {
      session.add("GET /items HTTP/1.1", answer: Self.json, answerBody: #"[{"sku":"SKU-88412-X"}]"#)
    }
    session.add("GET /items/SKU-88412-X HTTP/1.1")
    #expect(session.links().isEmpty)
    // What was plainly made for a client stays, however often it is shown.
    session.add("POST /login HTTP/1.1", answer: "HTTP/1.1 200 OK\nSet-Cookie: s=Qk19xm2Lw83")
    for _ in 0..<10 {
      session.add("GET /a HTTP/1.1\nCookie: s=Qk19xm2Lw83", answer: "HTTP/1.1 200 OK\nSet-Cookie: s=Qk19xm2Lw83")
    }
    #expect(session.links().count == 10)
  }

  @Test func leavesWordsAndWhatCameTooLate() {
    var session = RecordedSession()
    session.add("GET /a HTTP/1.1", answer: Self.json, answerBody: #"{"state":"completed","total":4200,"page":2}"#)
    session.add("GET /list?state=completed&total=4200&page=2 HTTP/1.1")
    session.add("POST /slow HTTP/1.1", answer: Self.json, answerBody: #"{"key":"u8Xk20Lq7"}"#, start: 2, takes: 5)
    session.add("GET /a?key=u8Xk20Lq7 HTTP/1.1", start: 3)
    #expect(session.links().isEmpty)
  }

  @Test func leavesWhatErrorsAndGeneralFieldsSay() {
    var session = RecordedSession()
    session.add(
      "GET /a HTTP/1.1", answer: "HTTP/1.1 500 Oops\nContent-Type: application/json",
      answerBody: #"{"trace":"u8Xk20Lq7"}"#)
    session.add("GET /b?trace=u8Xk20Lq7 HTTP/1.1", answer: "HTTP/1.1 200 OK\nServer: build-77Xk2q91L")
    session.add("GET /b?v=build-77Xk2q91L HTTP/1.1")
    #expect(session.links().isEmpty)
  }

  // MARK: Bounds

  @Test func forgetsTheOldestAndWhatIsTooOld() {
    var session = RecordedSession()
    session.add("GET /a HTTP/1.1", answer: Self.json, answerBody: #"{"key":"u8Xk20Lq7"}"#)
    for index in 0..<20 {
      session.add("GET /b HTTP/1.1", answer: Self.json, answerBody: #"{"key":"k9\#(index)Xw71\#(index)q"}"#)
    }
    session.add("GET /c?key=u8Xk20Lq7 HTTP/1.1")
    #expect(session.links().count == 1)
    var limits = CorrelationLimits()
    limits.values = 10
    #expect(session.links(limits: limits).isEmpty)
    limits = CorrelationLimits()
    limits.window = 10_000_000_000
    #expect(session.links(limits: limits).isEmpty)
  }

  @Test func stopsAtTheLimitOfLinks() {
    var session = RecordedSession()
    session.add("POST /login HTTP/1.1", answer: "HTTP/1.1 200 OK\nSet-Cookie: s=Qk19xm2Lw83")
    for _ in 0..<5 { session.add("GET /a HTTP/1.1\nCookie: s=Qk19xm2Lw83") }
    var limits = CorrelationLimits()
    limits.links = 3
    let graph = session.graph(limits: limits)
    #expect(graph.links.count == 3)
    #expect(graph.isCut)
    #expect(!session.graph().isCut)
  }

  @Test func takesAnyBytes() {
    var state: UInt64 = 7
    func next() -> UInt8 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 33)
    }
    var session = RecordedSession()
    session.add(
      "POST /a/b%2?c=%zz&d=+ HTTP/1.1\nCookie: a=b; ; =;x\nX-A: Zm9v%", body: #"{"a":"\ud800\u00e9"}"#,
      answer: "HTTP/1.1 200 OK\nContent-Type: text/html\nSet-Cookie: ;=\nLocation: //%",
      answerBody: "<input name=a value")
    let base = session.exchanges[0]
    for _ in 0..<300 {
      var finder = CorrelationFinder()
      for _ in 0..<4 {
        var exchange = base
        for _ in 0..<8 {
          let head = exchange.request!.fields.storage.count
          exchange.request!.fields.storage[Int(next()) % head] = next()
          exchange.request!.body.bytes[Int(next()) % exchange.request!.body.bytes.count] = next()
          exchange.response!.body.bytes[Int(next()) % exchange.response!.body.bytes.count] = next()
          exchange.response!.fields.storage[Int(next()) % exchange.response!.fields.storage.count] = next()
        }
        finder.add(exchange)
      }
      let graph = finder.finish()
      for id in Set(graph.links.map(\.dependant)) {
        _ = graph.substituted(base.request!, of: id) { graph.values(in: base.response!, to: $0) }
      }
    }
  }
}
