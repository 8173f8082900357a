import HTTPModel
import Testing

@testable import ResponseDiff

@Suite struct SuppressionTests {
  private func rule(
    _ at: String, _ form: Suppression.Form = .any, within: Double? = nil, expires: Timestamp? = nil
  ) -> Suppression {
    Suppression(
      at: IgnoredLocation(at)!, form: form, within: within, reason: "clock", owner: "orders", expires: expires)
  }

  private func compare(
    _ a: HTTPResponse, _ b: HTTPResponse, _ rules: [Suppression], now: Timestamp? = nil
  ) -> Comparison {
    ResponseComparator(options: ComparisonOptions(suppressions: rules, now: now))
      .comparison(expected: a, actual: b, method: "GET".utf8)
  }

  @Test(
    arguments: [
      (#"{"t":"a"}"#, #"{"t":"b"}"#, []), (#"{"t":"a"}"#, #"{"t":1}"#, ["body:/t type high"]),
      (#"{"t":"a"}"#, #"{"t":null}"#, ["body:/t type high"]), (#"{"t":"a"}"#, #"{}"#, ["body:/t removed high"]),
      (#"{}"#, #"{"t":"a"}"#, ["body:/t added low"]), (#"{"t":{"x":1}}"#, #"{"t":{"x":2}}"#, []),
      (#"{"t":{"x":1}}"#, #"{"t":{"y":1}}"#, ["body:/t/x removed high", "body:/t/y added low"]),
      (#"{"t":[1,2]}"#, #"{"t":[3]}"#, []), (#"{"t":[1,2]}"#, #"{"t":["3",2]}"#, ["body:/t/* type high"]),
      (#"{"t":1,"u":1}"#, #"{"t":2,"u":2}"#, ["body:/u changed medium"]),
    ] as [(String, String, [String])])
  func valuesPassAndStructureDoesNot(a: String, b: String, expected: [String]) {
    #expect(lines(compare(json(a), json(b), [rule("body:/t")]).differences) == expected)
  }

  @Test(
    arguments: [
      (.time, 5, #""2026-11-21T10:00:00Z""#, #""2026-11-21T11:00:04+01:00""#, true),
      (.time, 5, #""2026-11-21T10:00:00Z""#, #""2026-11-21T10:00:06Z""#, false),
      (.time, nil, #""2026-11-21T10:00:00Z""#, #""1999-01-01T00:00:00Z""#, true),
      (.time, nil, #""2026-11-21T10:00:00Z""#, #""soon""#, false), (.time, 5, "1700000000", "1700000004", true),
      (.uuid, nil, #""x""#, #""3f2504e0-4f89-11d3-9a0c-0305e82c3301""#, true), (.uuid, nil, #""x""#, #""y""#, false),
      (.number, 0.5, "1", "1.5", true), (.number, 0.5, "1", "1.6", false), (.string, nil, #""a""#, #""b""#, true),
      (.token, nil, #""Zm9vYmFyYmF6MTIzNDU2""#, #""MTIzNDU2Zm9vYmFyYmF6""#, true),
      (.token, nil, #""a""#, #""b""#, false),
    ] as [(Suppression.Form, Double?, String, String, Bool)])
  func forms(form: Suppression.Form, within: Double?, a: String, b: String, passes: Bool) {
    let found = compare(json("{\"t\":\(a)}"), json("{\"t\":\(b)}"), [rule("body:/t", form, within: within)])
    #expect(found.differences.isEmpty == passes && found.suppressed.isEmpty == !passes)
  }

  @Test func headersAndStatus() {
    let (a, b) = (response(200, [("ETag", "1"), ("X", "1")]), response(201, [("ETag", "2")]))
    #expect(
      lines(compare(a, b, [rule("header:etag"), rule("header:x"), rule("status")]).differences) == [
        "header:x removed high"
      ])
    #expect(lines(compare(response(200), response(500), [rule("status")]).differences) == ["status changed high"])
    let cookies = compare(
      response(200, [("Set-Cookie", "a=1; Secure")]), response(200, [("Set-Cookie", "a=2")]),
      [rule("header:set-cookie")])
    #expect(lines(cookies.differences) == ["header:set-cookie/a/secure removed high"])
  }

  @Test func tally() {
    let now = Timestamp(seconds: 1_000, nanoseconds: 0)
    let rules = [
      rule("body:/t"), rule("body:/never"), rule("body:/t", expires: now), rule("body:/**"),
      rule("body:/u", expires: now.advanced(byNanoseconds: 1)),
    ]
    let options = ComparisonOptions(suppressions: rules, now: now)
    var tally = SuppressionTally(options: options)
    for _ in 0..<3 { tally.add(compare(json(#"{"t":1,"z":1}"#), json(#"{"t":2,"z":2}"#), rules, now: now)) }
    #expect(tally.rows.map(\.state) == [.used, .dead, .expired, .overBroad, .dead])
    #expect(tally.rows.map(\.hits) == [3, 0, 0, 3, 0])
    #expect(tally.rows[0].places == ["body:/t"] && tally.rows[0].suppression.owner == "orders")
    let broad = ComparisonOptions(suppressions: [rule("body:/*/v")])
    var many = SuppressionTally(options: broad)
    func wide(_ value: Int) -> HTTPResponse {
      json("{" + (0..<20).map { "\"k\($0)\":{\"v\":\(value)}" }.joined(separator: ",") + "}")
    }
    many.add(compare(wide(1), wide(2), broad.suppressions))
    #expect(many.rows[0].state == .overBroad && many.rows[0].hits == 20)
  }
}
