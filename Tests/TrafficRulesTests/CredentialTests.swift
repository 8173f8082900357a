import HTTPModel
import Testing
import TrafficRules

@Suite struct CredentialTests {
  /// Lays fields out as an HTTP/1 head does and redacts them as a request's.
  func redacted(_ fields: [(String, String)]) -> HeaderFields {
    var storage = Array("GET / HTTP/1.1\r\n".utf8)
    var ranges: [FieldRange] = []
    for (name, value) in fields {
      let nameStart = storage.count
      storage += Array(name.utf8)
      let nameEnd = storage.count
      storage += Array(":  ".utf8)
      let valueStart = storage.count
      storage += Array(value.utf8)
      ranges.append(
        FieldRange(
          nameStart: UInt32(nameStart), nameEnd: UInt32(nameEnd), valueStart: UInt32(valueStart),
          valueEnd: UInt32(storage.count)))
      storage += Array(" \r\n".utf8)
    }
    storage += Array("\r\n".utf8)
    let time = Timestamp(nanoseconds: 0)
    var exchange = Exchange(
      id: ExchangeID(connection: 1, ordinal: 1),
      client: TransportAddress(address: IPAddress(v4: 1), port: 1),
      server: TransportAddress(address: IPAddress(v4: 2), port: 2),
      request: HTTPRequest(
        version: .http11, methodRange: 0..<3, targetRange: 4..<5,
        fields: HeaderFields(storage: storage, ranges: ranges),
        timing: MessageTiming(start: time, headEnd: time, end: time)))
    var redactor = Redactor(key: Array("test key".utf8))
    redactor.redact(&exchange)
    return exchange.request!.fields
  }

  func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func credentialsBecomeTokensAndNothingElseMoves() {
    let fields = redacted([
      ("Host", "shop"), ("AUTHORIZATION", "Bearer s3cret"), ("Accept", "*/*"), ("cookie", "sid=abc; theme=dark; flag"),
      ("X-Last", "end"),
    ])
    #expect(!text(fields.storage).contains("s3cret"))
    #expect(!text(fields.storage).contains("abc"))
    #expect(!text(fields.storage).contains("dark"))
    #expect(text(fields.value(at: 0)) == "shop")
    #expect(text(fields.value(at: 1)).hasPrefix("Bearer "))
    #expect(text(fields.value(at: 2)) == "*/*")
    #expect(text(fields.value(at: 4)) == "end")
    #expect(text(fields.name(at: 4)) == "X-Last")
    #expect(
      text(fields.storage)
        == "GET / HTTP/1.1\r\nHost:  shop \r\nAUTHORIZATION:  \(text(fields.value(at: 1))) \r\nAccept:  */* \r\n"
        + "cookie:  \(text(fields.value(at: 3))) \r\nX-Last:  end \r\n\r\n")
  }

  @Test func equalValuesGiveEqualTokensAndOthersDoNot() {
    let fields = redacted([
      ("Authorization", "Basic one"), ("Authorization", "Basic one"), ("Authorization", "Basic two"),
      ("Cookie", "a=one; b=one"),
    ])
    #expect(text(fields.value(at: 0)) == text(fields.value(at: 1)))
    #expect(text(fields.value(at: 0)) != text(fields.value(at: 2)))
    let cookie = text(fields.value(at: 3))
    let token = cookie.dropFirst(2).prefix { $0 != ";" }
    #expect(cookie == "a=\(token); b=\(token)")
    #expect(text(fields.value(at: 0)) == "Basic \(token)")
  }

  @Test func setCookieKeepsNameAndAttributes() {
    let fields = redacted([("Set-Cookie", "sid=topsecret; Path=/; HttpOnly; Max-Age=3600")])
    let value = text(fields.value(at: 0))
    #expect(value.hasPrefix("sid="))
    #expect(value.hasSuffix("; Path=/; HttpOnly; Max-Age=3600"))
    #expect(!value.contains("topsecret"))
  }

  @Test func anotherKeyGivesOtherTokens() {
    var one = HTTPResponse.sample(setCookie: "a=bcdefghijk")
    var two = HTTPResponse.sample(setCookie: "a=bcdefghijk")
    var (first, second) = (Redactor(), Redactor())
    first.redact(&one)
    second.redact(&two)
    #expect(one.fields.storage != two.fields.storage)
  }
}

extension HTTPResponse {
  static func sample(setCookie: String) -> HTTPResponse {
    var fields = HeaderFields()
    fields.append(name: Array("set-cookie".utf8), value: Array(setCookie.utf8))
    let time = Timestamp(nanoseconds: 0)
    return HTTPResponse(
      version: .http11, status: 200, reasonRange: 0..<0, fields: fields,
      timing: MessageTiming(start: time, headEnd: time, end: time))
  }
}
