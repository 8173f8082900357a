import ContentCoding
import HTTPModel
import Testing

@testable import ResponseDiff

@Suite struct ResponseComparatorTests {
  private func differences(
    _ a: HTTPResponse, _ b: HTTPResponse, _ method: String = "GET", _ options: ComparisonOptions = .init()
  ) -> [String] {
    lines(ResponseComparator(options: options).compare(expected: a, actual: b, method: method.utf8))
  }

  @Test func statusClassIsAllThatIsSaid() {
    #expect(differences(json("{\"a\":1}"), json("{\"b\":2}", 503)) == ["status changed high"])
  }

  @Test func statusWithinAClass() {
    #expect(
      differences(json("{\"a\":1}"), json("{\"a\":2}", 201)) == ["status changed medium", "body:/a changed medium"])
    #expect(differences(json("{}"), json("{}", 201), "GET", ComparisonOptions(ignore: [.status])) == [])
  }

  @Test(
    arguments: [
      ("{\"a\":1.0}", "{\"a\":1}", []), ("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", ["body order info"]),
      ("{\"a\":[{\"p\":1},{\"p\":2}]}", "{\"a\":[{\"p\":1},{\"p\":\"2\"}]}", ["body:/a/*/p type high"]),
      ("{\"a\":1}", "{}", ["body:/a removed high"]), ("{}", "{\"a\":1}", ["body:/a added low"]),
      ("[1,2]", "[2,1]", ["body order low"]),
      ("{\"t\":[1,2]}", "{\"t\":[2,1]}", ["body:/t order low"]), ("{\"a\":1}", "{\"a\":", ["body type high"]),
      ("1", "\"1\"", ["body type high"]),
      ("{\"a\":1}", "", ["body removed high"]), ("", "{}", ["body added low"]),
      ("not json", "{}", ["body changed medium"]),
      ("[1,2,3]", "[1,3]", ["body:/* removed high"]),
    ] as [(String, String, [String])])
  func jsonBodies(a: String, b: String, expected: [String]) { #expect(differences(json(a), json(b)) == expected) }

  @Test func jsonIsSniffedWhereBothParse() {
    let (a, b) = (response(200, [], body: " {\"a\":1}"), response(200, [], body: "{\"a\":2}"))
    #expect(differences(a, b) == ["body:/a changed medium"])
    #expect(
      differences(response(200, [], body: "{\"a\":1}"), response(200, [], body: "{oops")) == ["body changed medium"])
  }

  @Test func valuesAreQuoted() throws {
    let found = ResponseComparator().compare(
      expected: json("{\"a\":1.50}"), actual: json("{\"a\":\"x\"}"), method: "GET".utf8)
    #expect(found.first?.expected == "1.50" && found.first?.actual == "\"x\"")
  }

  @Test func headAnd304HaveNoBody() {
    #expect(differences(json("{\"a\":1}"), json("{\"a\":2}"), "HEAD") == [])
    #expect(differences(json("{\"a\":1}"), json("{}"), "HEAD") == ["header:content-length changed medium"])
    #expect(differences(response(304, [], body: "x"), response(304, [], body: "y")) == [])
    #expect(differences(response(204), response(204)) == [])
    #expect(differences(response(200, [], body: "x"), response(204)) == ["status changed medium", "body removed high"])
  }

  @Test func textByLine() throws {
    let type = [("Content-Type", "text/plain")]
    let found = ResponseComparator().compare(
      expected: response(200, type, body: "one\ntwo\nthree\n"), actual: response(200, type, body: "one\ntwo!\nthree\n"),
      method: "GET".utf8)
    #expect(found.map(\.expected) == ["line 2: two"] && found.map(\.actual) == ["line 2: two!"])
    let prefix = ResponseComparator().compare(
      expected: response(200, type, body: "one"), actual: response(200, type, body: "one\n"), method: "GET".utf8)
    #expect(prefix.map(\.expected) == ["line 1: one"])
    let long = String(repeating: "é", count: 5000)
    let far = ResponseComparator().compare(
      expected: response(200, type, body: long + "a"), actual: response(200, type, body: long + "b" + long),
      method: "GET".utf8)
    #expect(
      far[0].expected!.hasPrefix("line 1: …é") && far[0].actual!.utf8.count < 400
        && !far[0].actual!.contains("\u{fffd}"))
  }

  @Test func binaryBySizeHashAndPlace() throws {
    var (a, b) = (response(), response())
    a.body = body([0, 1, 2, 255])
    b.body = body([0, 1, 3, 255, 4])
    let found = ResponseComparator().compare(expected: a, actual: b, method: "GET".utf8)
    #expect(
      found.count == 1 && found[0].expected!.hasPrefix("4 bytes, XXH64 ") && found[0].actual!.hasSuffix("from byte 2"))
  }

  @Test func formsByField() {
    let type = [("Content-Type", "application/x-www-form-urlencoded")]
    func form(_ text: String) -> HTTPResponse { response(200, type, body: text) }
    #expect(
      differences(form("a=1&b=2&c=%20"), form("c=+&a=1&b=3&d=")) == ["body:/b changed medium", "body:/d added low"])
    #expect(differences(form("a=1&a=2"), form("a=2&a=1")) == ["body:/a changed medium"])
    #expect(differences(form("x/y=1"), form("z=1")) == ["body:/x~1y removed high", "body:/z added low"])
  }

  @Test func cutBodiesBySizeAndHash() {
    var hash = BodyHash()
    hash.update(Array("0123456789".utf8))
    var cut = response(200, [], body: "0123")
    (cut.body.size, cut.body.isComplete, cut.body.cutHash) = (10, false, hash.value)
    var other = cut
    other.body.cutHash = hash.value ^ 1
    #expect(differences(cut, cut) == [])
    #expect(differences(cut, other) == ["body changed medium"])
    #expect(differences(cut, response(200, [], body: "0123456789")) == [])
    #expect(differences(response(200, [], body: "012345678X"), cut) == ["body changed medium"])
    #expect(differences(cut, response(200, [], body: "012345678")) == ["body changed medium"])
  }

  @Test func incompleteBodiesAreNotCompared() {
    var part = response(200, [], body: "01")
    (part.body.size, part.body.isComplete) = (10, false)
    let comparator = ResponseComparator()
    let whole = response(200, [("X", "1")], body: "0123456789")
    #expect(
      comparator.comparison(expected: part, actual: whole, method: "GET".utf8).uncomparedBody == .expectedIncomplete)
    #expect(
      comparator.comparison(expected: whole, actual: part, method: "GET".utf8).uncomparedBody == .actualIncomplete)
    #expect(differences(whole, part) == ["header:x removed high"])
  }

  @Test func contentCodingIsUndone() {
    func coded(_ text: String, _ isCoded: Bool) -> HTTPResponse {
      var answer = json(text)
      guard isCoded else { return answer }
      answer.fields.append(name: "Content-Encoding".utf8, value: "gzip".utf8)
      answer.body = body(ContentCoding.gzip(Array(text.utf8)))
      return answer
    }
    #expect(
      differences(coded("{\"a\":1}", true), coded("{\"a\":1}", false)) == ["header:content-encoding removed info"])
    #expect(differences(coded("{\"a\":1}", true), coded("{\"a\":2}", true)) == ["body:/a changed medium"])
    var broken = coded("{\"a\":1}", true)
    broken.body = body(Array("no gzip".utf8))
    #expect(differences(coded("{\"a\":1}", true), broken) == ["body error high"])
    #expect(differences(broken, coded("{\"a\":1}", true)) == ["body changed medium"])
    #expect(differences(broken, broken) == [])
    #expect(
      ResponseComparator().comparison(expected: broken, actual: coded("{}", false), method: "GET".utf8).uncomparedBody
        == .unknownCoding)
  }

  @Test func ignoredPlaces() {
    let options = ComparisonOptions(ignore: ["body:/**/at", "header:etag"].map { IgnoredLocation($0)! })
    #expect(
      differences(json("{\"at\":1,\"l\":[{\"at\":1}]}"), json("{\"at\":2,\"l\":[{\"at\":2}]}"), "GET", options) == [])
    #expect(
      differences(json("{\"a\":1}"), json("x"), "GET", ComparisonOptions(ignore: [IgnoredLocation("body")!])) == [])
    #expect(
      IgnoredLocation("body:") == .body && IgnoredLocation("cookie:a") == nil && IgnoredLocation("header:") == nil)
  }

  @Test func differenceLimit() {
    let many = (0..<100).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
    let other = many.replacing(":", with: ":1")
    let result = ResponseComparator(options: ComparisonOptions(differenceLimit: 10)).comparison(
      expected: json("{\(many)}"), actual: json("{\(other)}"), method: "GET".utf8)
    #expect(result.differences.count == 10 && result.isCut)
  }

  @Test func manyHeaderFieldsStayCheap() {
    let many = (0..<20_000).map { ("n\($0)", "1") }
    let result = ResponseComparator().comparison(
      expected: response(200, many), actual: response(200, many.reversed().dropLast(300)), method: "GET".utf8)
    #expect(result.differences.count == 256 && result.isCut)
  }

  @Test func monstrousNamesAreCut() throws {
    let name = String(repeating: "é", count: 100_000)
    let found = ResponseComparator().compare(
      expected: json("{\"\(name)\":{\"\(name)a\":1,\"\(name)b\":1}}"), actual: json("{\"\(name)\":{}}"),
      method: "GET".utf8)
    #expect(Set(found.map(\.location)).count == 2)
    #expect(found.allSatisfy { "\($0.location)".utf8.count < 700 })
    let field = String(repeating: "n", count: 10_000)
    let header = ResponseComparator().compare(
      expected: response(200, [(field, "1")]), actual: response(200, [(field + "x", "1")]), method: "GET".utf8)
    #expect(Set(header.map(\.location)).count == 2 && "\(header[0].location)".utf8.count < 1100)
  }

  @Test(
    arguments: [
      ([], 4, ""), (Array("abcd".utf8), 4, "abcd"), (Array("abcde".utf8), 4, "abcd…"), (Array("aéé".utf8), 4, "aé…"),
      (Array("a😀b".utf8), 4, "a…"), ([0xff, 0xff], 4, "\u{fffd}…"), ([0x61, 0xff], 4, "a\u{fffd}"),
      (Array("é".utf8), 1, "…"),
    ] as [([UInt8], Int, String)])
  func excerpts(bytes: [UInt8], limit: Int, text: String) { #expect(excerptText(bytes, limit: limit) == text) }

  @Test(arguments: [
    ("application/json", true), ("Application/JSON; charset=utf-8", true), ("text/json", true),
    ("application/problem+json ;x", true),
    ("application/jsonx", false), ("image/json", false), ("json", false), ("", false), ("+json", true),
  ])
  func jsonMediaTypes(value: String, isJSON: Bool) { #expect(MediaTypeName(Array(value.utf8)[...]).isJSON == isJSON) }

  @Test func randomBytesNeverTrap() {
    var seed: UInt64 = 42
    func next() -> UInt64 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return seed >> 33
    }
    let types = ["application/json", "text/plain", "application/x-www-form-urlencoded", "image/png", "", ";;=,\""]
    let codings = ["gzip", "br", "zstd", "deflate", "x", "gzip, br", ""]
    for _ in 0..<3000 {
      let pair = (0..<2).map { _ in
        var answer = response(
          UInt16(200 + next() % 2),
          [
            ("Content-Type", types[Int(next() % 6)]),
            ("Set-Cookie", String(decoding: (0..<next() % 9).map { _ in UInt8(next() % 128) }, as: UTF8.self)),
          ])
        if next() % 3 == 0 { answer.fields.append(name: "content-encoding".utf8, value: codings[Int(next() % 7)].utf8) }
        answer.body = body(
          (0..<next() % 30).map { _ in
            next() % 2 == 0 ? UInt8(truncatingIfNeeded: next()) : Array("{}[]\":,1a&=".utf8)[Int(next() % 11)]
          })
        return answer
      }
      _ = differences(pair[0], pair[1])
      #expect(differences(pair[0], pair[0]) == [])
    }
  }
}
