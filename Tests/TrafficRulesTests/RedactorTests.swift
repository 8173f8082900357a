import ContentCoding
import HTTPModel
import Testing

@testable import TrafficRules

@Suite struct RedactorTests {
  let key = Array("test key".utf8)

  func redacted(_ exchange: Exchange, _ yaml: String = "") -> Exchange {
    var copy = exchange
    var redactor = Redactor(rules(yaml).redact, key: key)
    redactor.redact(&copy)
    return copy
  }

  func body(_ text: String, _ type: String = "application/json", _ yaml: String = "") -> String {
    let fields = [("Content-Type", type)]
    return TrafficRulesTests.text(
      redacted(exchange(request("POST", "/", fields, body: Array(text.utf8))), yaml).request!.body.bytes)
  }

  @Test func wellKnownNamesAreHiddenAndNothingMoves() {
    let before =
      #"{"user":"ann","password":"Hunter2!x","card":{"cvv":123,"pin":"0042"},"n":[1,2],"Access-Token":"abcdefgh"}"#
    let after = body(before)
    #expect(after.utf8.count == before.utf8.count)
    for secret in ["Hunter2", "123", "42", "abcdefgh"] { #expect(!after.contains(secret)) }
    #expect(after.contains(#"{"user":"ann","password":""#) && after.contains(#""n":[1,2]"#))
    #expect(body(after) != after)
    #expect(
      body(#"{"token_count":5,"tokens":"plenty","nextPage":"abcdefgh"}"#)
        == #"{"token_count":5,"tokens":"plenty","nextPage":"abcdefgh"}"#)
  }

  @Test func equalValuesStayEqualWhereverTheyStand() {
    let secret = "s3cr3t-v4lue"
    let one = redacted(
      exchange(
        request(
          "POST", "/a?x=1&token=\(secret)#f", [("Authorization", "Bearer \(secret)"), ("Cookie", "a=\(secret); b=2")],
          body: Array(#"{"token":"s3cr3t\u002dv4lue","o":{"secret":["\#(secret)"]}}"#.utf8)),
        response(
          200,
          [("Set-Cookie", "sid=\(secret); Path=/"), ("Location", "/b?token=s3cr3t%2Dv4lue"), ("X-Api-Key", secret)],
          body: Array("password=\(secret)&y=1".utf8))))
    let value = text(one.response!.fields.first("x-api-key")!)
    #expect(value != secret && value.utf8.count == secret.utf8.count)
    #expect(text(one.request!.target) == "/a?x=1&token=\(value)#f")
    #expect(text(one.request!.fields.first("authorization")!) == "Bearer \(value)")
    #expect(text(one.request!.fields.first("cookie")!).hasPrefix("a=\(value); b="))
    #expect(text(one.response!.fields.first("set-cookie")!) == "sid=\(value); Path=/")
    #expect(text(one.response!.fields.first("location")!) == "/b?token=\(value.replacing("-", with: "%2D"))")
    let escaped = value.replacing("-", with: "\\u002d")
    #expect(text(one.request!.body.bytes) == #"{"token":"\#(escaped)","o":{"secret":["\#(value)"]}}"#)
    #expect(text(one.response!.body.bytes) == "password=\(value)&y=1")
  }

  @Test func tokensKeepTheFormOfShortValues() {
    func token(_ value: String) -> String { String(body(#"{"token":"\#(value)"}"#).dropFirst(10).dropLast(2)) }
    let card = token("4111-1111-1111-1111")
    #expect(card.split(separator: "-").map(\.count) == [4, 4, 4, 4] && card.allSatisfy { $0 == "-" || $0.isNumber })
    let mail = token("ann.lee@example.com")
    #expect(mail.contains("@") && mail.split(whereSeparator: { $0 == "@" || $0 == "." }).map(\.count) == [3, 3, 7, 3])
    #expect(
      token("Äpfel für 語 😀").unicodeScalars.map { UTF8.width($0) }
        == "Äpfel für 語 😀".unicodeScalars.map { UTF8.width($0) })
    #expect(token(String(repeating: "k", count: 40)).hasPrefix("redacted."))
    #expect(token("$$!!") != "$$!!")
    #expect(Int(body(#"{"pin":1234567}"#).dropFirst(7).dropLast(1)) != nil)
    #expect(
      body(#"{"pin":-12.50e7,"token":true,"secret":null,"pwd":""}"#).hasSuffix(
        #"e7,"token":true,"secret":null,"pwd":""}"#))
  }

  @Test func aTokenIsNeverTheSecret() {
    for secret in ["ä", "7", "x", "Q", "か", "12", "a1", "-3", "😀", "(----------------) 4"] {
      for digest in UInt64(0)..<3000 {
        var text = Array(secret.utf8)
        text.withUnsafeMutableBufferPointer { SecretText.writeToken($0, digest: digest) }
        #expect(text.count == secret.utf8.count && text != Array(secret.utf8))
        var again = Array(secret.utf8)
        again.withUnsafeMutableBufferPointer { SecretText.writeToken($0, digest: digest) }
        #expect(text == again)
      }
    }
  }

  @Test func otherKeysGiveOtherTokens() {
    var (first, second) = (Redactor(key: [1]), Redactor(key: [2]))
    var (a, b) = (exchange(request("GET", "/?token=abcdefghijkl")), exchange(request("GET", "/?token=abcdefghijkl")))
    first.redact(&a)
    second.redact(&b)
    #expect(a.request!.target != b.request!.target)
    #expect(Redactor.fingerprint(ofKey: [1]) != Redactor.fingerprint(ofKey: [2]))
  }

  @Test func masksAndRemovals() {
    #expect(
      body(#"{"token":"a-b\né\u00e9","pin":12}"#, "application/json", "redact: { with: mask }")
        == #"{"token":"***\n×\u00d7","pin":99}"#)
    #expect(
      body(#"{"token":"abc","pin":12,"x":1}"#, "application/json", "redact: { with: remove }")
        == #"{"token":null ,"pin":0 ,"x":1}"#)
    let one = redacted(
      exchange(request("GET", "/?token=abc&a=b", [("X-Api-Key", "abc"), ("X", "y")])), "redact: { with: remove }")
    #expect(text(one.request!.target) == "/?token=---&a=b")
    #expect(text(one.request!.fields.storage) == "GET /?token=---&a=b HTTP/1.1\r\nX-Api-Key: \r\nX: y\r\n\r\n")
  }

  @Test func rulesNamePlaces() {
    let yaml = "redact: { json: [/card/number, '/**/inner', '/list/*/id', /all], keep: [password], defaults: true }"
    let after = body(
      #"{"card":{"number":"12345678","name":"n"},"a":[{"b":{"inner":"hidden00"}}],"list":[{"id":"first000"},{"id":"second00","x":"kept"}],"all":{"p":["hide1234",{"q":98765432}]},"password":"stays","number":"stays2"}"#,
      "application/json", yaml)
    for secret in ["12345678", "hidden00", "first000", "second00", "hide1234", "98765432"] {
      #expect(!after.contains(secret))
    }
    for kept in [#""name":"n""#, #""x":"kept""#, #""password":"stays""#, #""number":"stays2""#] {
      #expect(after.contains(kept))
    }
    let headers = redacted(
      exchange(request("GET", "/?a=secret99&b=2", [("X-Tenant", "acme1234"), ("X-Other", "other")])),
      "redact: { headers: [X-Ten*], query: [A] }")
    #expect(!text(headers.request!.fields.storage).contains("acme1234"))
    #expect(!text(headers.request!.target).contains("secret99"))
    #expect(text(headers.request!.fields.storage).contains("X-Other: other"))
    let off = redacted(
      exchange(request("GET", "/?token=abc", [("Authorization", "abc")])), "redact: { defaults: false }")
    #expect(text(off.request!.fields.storage).contains("token=abc"))
  }

  @Test func textIsSearchedForWhatLooksSecret() {
    let all = "redact: { text: [card, email, bearer, jwt] }"
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    let before = "Pay 4111 1111 1111 1111 or 4111 1111 1111 1112, ask ann@example.com, Bearer abcdefghijk, \(jwt)!"
    let after = body(before, "text/plain", all)
    #expect(after.utf8.count == before.utf8.count)
    for secret in ["4111 1111 1111 1111", "ann@", "example", "abcdefghijk", jwt] { #expect(!after.contains(secret)) }
    #expect(after.contains("4111 1111 1111 1112"))
    #expect(!body(#"{"note":"mail ann\u0040example.com"}"#, "application/json", all).contains("example"))
    #expect(body("order 12345678901234567890 v1.2@3", "text/plain", all) == "order 12345678901234567890 v1.2@3")
  }

  @Test func textOfFieldsIsSearchedWhereverTheyStand() {
    for fields in [
      [("From", "ann@example.com"), ("Authorization", "Basic c2VjcmV0"), ("X-To", "bob@example.com")],
      [("From", "ann@example.com"), ("X-To", "bob@example.com")],
    ] {
      let after = redacted(exchange(request("GET", "/", fields)), "redact: { text: [email] }").request!.fields
      #expect(!TrafficRulesTests.text(after.storage).contains("example.com"))
    }
  }

  @Test(arguments: [
    (
      "text/html",
      #"<form><input type=hidden name="csrf_token" value="SECRET99"><meta name='csrf-token' content='SECRET98'></form>"#
    ),
    (
      "application/xml",
      "<a:Login><u>ann</u><a:Password>SECRET99</a:Password><token><![CDATA[SECRET98]]></token><x secret='SECRET97'/></a:Login>"
    ),
    ("text/html", #"<script>var c = {"apiKey":"SECRET99"};</script><a href="/x?token=SECRET98&y=1">"#),
    ("text/plain", "export API_KEY=SECRET99\nlogin?password=SECRET98&x=1"),
    ("text/event-stream", "event: a\ndata: {\"token\":\"SECRET99\"}\n\ndata: {\"token\":\"SECRET98\"}\n\n"),
    ("application/x-ndjson", "{\"token\":\"SECRET99\"}\n{\"token\":\"SECRET98\n{\"token\":\"SECRET97\"}"),
    (
      "application/x-www-form-urlencoded",
      "user%5Bpassword%5D=SECRET99&user[pin]=SECRET98&json=%7B%22token%22%3A%22SECRET97%22%7D&p%61ssword=SECRET96"
    ),
    (
      "application/json",
      #"{"body":"{\"password\":\"SECRET99\",\"in\":\"{\\\"token\\\":\\\"SECRET98\\\"}\"}","p\u0061ssword":"SECRET97"}"#
    ),
    (
      "application/json",
      #"{"url":"https://x/?a=1&access_token=SECRET99","db":"postgres://u:SECRET98@h/d","next":"\/b?token=SECRET97"}"#
    ),
    ("application/json", #"{"password":"SECRET99 cut off in the mid"#),
    ("application/json", #"}}]],"x"} {"password": "SECRET99", }"#),
    ("", #"  {"password": "SECRET99"}"#),
    ("application/octet-stream", #"[{"password": ["SECRET99", {"a": "SECRET98"}]}]"#),
    (
      "multipart/form-data; boundary=\"xyz\"",
      "--xyz\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nSECRET99\r\n--xyz\r\nContent-Disposition: form-data; name=\"j\"\r\nContent-Type: application/json\r\n\r\n{\"token\":\"SECRET98\"}\r\n--xyz--\r\n"
    ),
  ]) func everyFormOfTextIsSearched(_ type: String, _ text: String) {
    let after = body(text, type)
    #expect(!after.contains("SECRET"), "\(after)")
    #expect(after.utf8.count == text.utf8.count)
  }

  @Test(arguments: [["gzip"], ["deflate"], ["br"], ["zstd"], ["gzip", "br"], ["identity", "zstd"]])
  func codedBodiesAreRedactedInside(_ codings: [String]) throws {
    let content = Array((#"{"pad":""# + String(repeating: "x", count: 200_000) + #"","password":"SECRET99"}"#).utf8)
    let coded = StoredCoding.encode(content, codings: codings)!
    #expect(try ContentCoding.decode(coded, codings: codings, limit: 1 << 20) == content)
    let after = redacted(
      exchange(
        request(),
        response(
          200, [("Content-Encoding", codings.joined(separator: ", ")), ("Content-Length", "\(coded.count)")],
          body: coded)))
    let body = after.response!.body
    let decoded = try ContentCoding.decode(body.bytes, codings: codings, limit: 1 << 20)
    #expect(decoded.count == content.count && !text(decoded).contains("SECRET"))
    #expect(body.size == UInt64(body.bytes.count) && body.isComplete)
    #expect(text(after.response!.fields.first("content-length")!) == "\(body.size)")
  }

  @Test func emptyContentsKeepTheirCoding() throws {
    for coding in ["gzip", "deflate", "br", "zstd"] {
      #expect(try ContentCoding.decode(StoredCoding.encode([], codings: [coding])!, codings: [coding], limit: 10) == [])
    }
  }

  @Test func cutCodedBodiesThatHoldASecretAreNotKept() {
    let coded = StoredCoding.encode(
      Array((#"{"password":"SECRET99","pad":""# + String(repeating: "x", count: 9000)).utf8), codings: ["gzip"])!
    var message = response(200, [("Content-Encoding", "gzip")], body: Array(coded.prefix(4000)))
    message.body.size = UInt64(coded.count)
    message.body.isComplete = false
    let after = redacted(exchange(request(), message)).response!.body
    #expect(after.bytes.isEmpty && after.size == UInt64(coded.count) && !after.isComplete)
  }

  @Test func messagesOfSocketsAndCallsAreRedacted() {
    let text = #"{"token":"SECRET99"}"#
    var socket = exchange(request())
    let time = Timestamp(nanoseconds: 0)
    socket.details.messages = StreamMessages(
      .webSocket, messages: [StreamMessage(direction: .request, kind: .text, time: time, offset: 2, length: 20)],
      bytes: Array("??\(text)??".utf8))
    let bytes = redacted(socket).details.messages!.bytes
    #expect(!TrafficRulesTests.text(bytes).contains("SECRET") && bytes.count == 24)

    // 1: "SECRET99", 2: { 3: "SECRET98" }, 4: 300
    let message =
      [0x0a, 8] + Array("SECRET99".utf8) + [0x12, 10, 0x1a, 8] + Array("SECRET98".utf8) + [0x20, 0xac, 0x02]
    var call = exchange(
      request(
        "POST", "/shop.Cart/Add", [("content-type", "application/grpc")], body: [0, 0, 0, 0, 25] + message,
        version: .http2))
    call.details.messages = StreamMessages(
      .grpc, messages: [StreamMessage(direction: .request, kind: .grpc, time: time, offset: 5, length: 25)])
    let after = redacted(call, "redact: { grpc: [{ method: /shop.Cart/*, fields: [1, 2.3, 4] }] }").request!.body.bytes
    #expect(after.count == 30 && !TrafficRulesTests.text(after).contains("SECRET"))
    #expect(Array(after[5..<7]) == [0x0a, 8] && Array(after[15..<19]) == [0x12, 10, 0x1a, 8])
    #expect(Array(after.suffix(3)) == [0x20, 0x80, 0])
    let other = redacted(call, "redact: { grpc: [{ method: /shop.Order/*, fields: [1] }] }").request!.body.bytes
    #expect(other == call.request!.body.bytes)
  }

  @Test func blankingMakesWhatTwoKeysMadeDifferentTheSame() {
    func blanked(_ key: [UInt8], _ secret: String) -> Exchange {
      var one = exchange(
        nil,
        response(
          200, [("Set-Cookie", "a=\(secret); Path=/"), ("X-Api-Key", secret)],
          body: Array(#"{"token":"\#(secret)"}"#.utf8)))
      var redactor = Redactor(key: key)
      redactor.redact(&one)
      var blanking = Redactor.blanking()
      blanking.redact(&one)
      return one
    }
    #expect(blanked([1], "abcdefgh") == blanked([2], "ijklmnop"))
    #expect(text(blanked([1], "abcdefgh").response!.body.bytes) == #"{"token":""        }"#)
  }

  @Test func onlyWhatMayHoldSecretsIsWorthBlanking() {
    func mayHide(
      _ fields: [(String, String)], _ others: [(String, String)], body: String = "", _ otherBody: String? = nil,
      yaml: String = ""
    ) -> Bool {
      Redactor.blanking(rules(yaml).redact).mayHideDifference(
        between: response(200, fields, body: Array(body.utf8)),
        and: response(500, others, body: Array((otherBody ?? body).utf8)))
    }
    let same = [("Set-Cookie", "a=1"), ("Date", "Fri"), ("ETag", "x")]
    #expect(!mayHide(same, same, body: #"{"token":"a"}"#))
    #expect(!mayHide([("Date", "Thu"), ("Set-Cookie", "a=1")], [("Date", "Friday"), ("Set-Cookie", "a=1")]))
    #expect(mayHide([("Date", "Thu"), ("Set-Cookie", "a=1")], [("Date", "Fri"), ("Set-Cookie", "a=2")]))
    #expect(mayHide([("Location", "/?token=1")], [("Location", "/?token=2")]))
    #expect(mayHide(same, Array(same.dropLast())))
    #expect(mayHide([("X-A", "1")], [("x-a", "1")]))
    #expect(mayHide([], [], body: "token=1", "token=2"))
    #expect(mayHide([("Date", "ann@example.com")], [("Date", "x")], yaml: "redact: { text: [email] }"))
    #expect(mayHide([("Date", "Thu")], [("Date", "Fri")], yaml: "redact: { headers: [date] }"))
    #expect(!mayHide([("X-A", "1")], [("X-A", "2")], yaml: "redact: { headers: [date] }"))
  }

  @Test func whatWasRedactedLooksHiddenAndWhatWasNotDoesNot() {
    let one = exchange(
      request(
        "POST", "/?token=abc%20defghij",
        [("Authorization", "Basic YW5uOnNlY3JldA=="), ("Cookie", "a=0123456789; t=dark")],
        body: Array(
          #"{"password":"correct horse battery","token":"für 12345678","pin":1234567890123,"key":"x"}"#
            .utf8)),
      response(200, [], body: Array(#"{"mail":"ann@example.com"}"#.utf8)))
    let rule = rules("redact: { text: [card, email, bearer, jwt] }").redact
    #expect(Redactor.findings(in: one, rule: rule).count == 8)
    #expect(Redactor.findings(in: redacted(one, "redact: { text: [card, email, bearer, jwt] }"), rule: rule) == [])
    for style in ["mask", "remove"] {
      let hidden = redacted(one, "redact: { with: \(style), text: [card, email, bearer, jwt] }")
      #expect(Redactor.findings(in: hidden, rule: rule) == [])
    }
    #expect(Redactor.findings(in: one, rule: rule)[0].place == "request target token")
  }

  @Test func noInputCrashesAndNoneChangesItsLength() {
    var random = SystemRandomNumberGenerator()
    let words = [
      "{", "}", "[", "]", "\"", "\\", "\\u", "token", "password", ":", ",", "=", "&", "%", "%2", "<", ">", "<token>",
      "<![CDATA[", "--xyz", "\r\n\r\n", "; name=\"", "1", "-", "e", "@", "://", "é", "\n", "eyJ", "Bearer ",
    ]
    for _ in 0..<300 {
      let text = (0..<Int.random(in: 0..<40, using: &random)).map { _ in words.randomElement(using: &random)! }.joined()
      for type in [
        "application/json", "text/html", "multipart/form-data; boundary=xyz", "application/x-www-form-urlencoded",
        "text/plain",
      ] {
        let after = body(text, type, "redact: { json: [/**/a, '/*'], text: [card, email, bearer, jwt] }")
        #expect(after.utf8.count == text.utf8.count, "\(text)")
      }
    }
  }
}
