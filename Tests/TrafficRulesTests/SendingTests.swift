import HTTPModel
import Testing

@testable import TrafficRules

/// Requests that rules and credentials change: what changes, and that nothing else does.
@Suite struct SendingTests {
  private func rewritten(_ rule: String, _ request: HTTPRequest) -> HTTPRequest? {
    rules("rewrite: \(rule)").rewritten(request, of: exchange(request))
  }

  private func lines(_ request: HTTPRequest?) -> String { request.map { text($0.fields.storage) } ?? "nil" }

  /// What ranges say is what stands in the bytes.
  private func isSound(_ request: HTTPRequest) -> Bool {
    request.fields.ranges.indices.allSatisfy { index in
      let line = "\r\n\(text(request.fields.name(at: index))):"
      return text(request.fields.storage).contains(line)
    }
  }

  @Test(
    arguments: [
      (#"{ path: { match: ^/a/(.*), replace: /b/$1 } }"#, "GET /b/x?q=1 HTTP/1.1\r\nHost: h\r\nX: 1\r\nx:  2\r\n\r\n"),
      (#"{ host: n:1 }"#, "GET /a/x?q=1 HTTP/1.1\r\nHost: n:1\r\nX: 1\r\nx:  2\r\n\r\n"),
      (#"{ headers: { remove: [x] } }"#, "GET /a/x?q=1 HTTP/1.1\r\nHost: h\r\n\r\n"),
      (#"{ headers: { set: { x: 9 } } }"#, "GET /a/x?q=1 HTTP/1.1\r\nHost: h\r\nX: 9\r\n\r\n"),
      (#"{ headers: { set: { Y: 9 } } }"#, "GET /a/x?q=1 HTTP/1.1\r\nHost: h\r\nX: 1\r\nx:  2\r\nY: 9\r\n\r\n"),
      (#"{ path: { match: ^/a, replace: "" } }"#, "GET /x?q=1 HTTP/1.1\r\nHost: h\r\nX: 1\r\nx:  2\r\n\r\n"),
      (#"{ path: { match: x, replace: "y z" } }"#, "GET /a/y%20z?q=1 HTTP/1.1\r\nHost: h\r\nX: 1\r\nx:  2\r\n\r\n"),
      (#"{ match: { path: /no }, host: n }"#, "nil"), (#"{ path: { match: ^/no, replace: /b } }"#, "nil"),
    ] as [(String, String)])
  func rewriting(rule: String, expected: String) {
    var recorded = request("GET", "/a/x?q=1", [("Host", "h"), ("X", "1")])
    // A field with more white space than most have.
    let end = recorded.fields.storage.count - 2
    recorded.fields.storage.insert(contentsOf: Array("x:  2\r\n".utf8), at: end)
    recorded.fields.ranges.append(
      FieldRange(
        nameStart: UInt32(end), nameEnd: UInt32(end + 1), valueStart: UInt32(end + 4), valueEnd: UInt32(end + 5)))
    let changed = rewritten(rule, recorded)
    #expect(lines(changed) == expected)
    if let changed { #expect(isSound(changed)) }
  }

  @Test func rewritesOfAListApplyOneAfterTheOther() {
    let recorded = request("GET", "/a")
    let rule =
      "[{ path: { match: /a, replace: /b } }, { path: { match: /b, replace: /c } }, { match: { path: /b }, host: n }]"
    #expect(rewritten(rule, recorded)?.target.elementsEqual("/c".utf8) == true)
    #expect(rewritten(rule, recorded)?.authority?.elementsEqual("shop".utf8) == true)
  }

  @Test func anAbsoluteTargetHasItsHostAndPathRewritten() {
    let recorded = request("GET", "http://old:80/a/b?c", [("Host", "old:80")])
    let changed = rewritten("{ host: new, path: { match: ^/a, replace: /z } }", recorded)
    #expect(lines(changed) == "GET http://new/z/b?c HTTP/1.1\r\nHost: new\r\n\r\n")
    #expect(rewritten("{ path: { match: o, replace: e } }", request("CONNECT", "o:1")) == nil)
  }

  @Test func http2IsRewrittenInItsFields() {
    var fields = HeaderFields(storage: Array("GET/a".utf8))
    for (name, value) in [(":scheme", "http"), (":authority", "old"), ("x", ""), ("y", "1")] {
      fields.append(name: name.utf8, value: value.utf8)
    }
    let timing = MessageTiming(
      start: Timestamp(nanoseconds: 0), headEnd: Timestamp(nanoseconds: 0), end: Timestamp(nanoseconds: 0))
    let recorded = HTTPRequest(
      version: .http2, methodRange: 0..<3, targetRange: 3..<5, fields: fields, timing: timing)
    let rule = "{ host: new, path: { match: ^/a, replace: /long/b }, headers: { set: { X: 2, z: 3 }, remove: [y] } }"
    guard let changed = rewritten(rule, recorded) else {
      Issue.record("nothing was rewritten")
      return
    }
    #expect(text(changed.method) == "GET" && text(changed.target) == "/long/b")
    let all = changed.fields.ranges.indices.map {
      "\(text(changed.fields.name(at: $0)))=\(text(changed.fields.value(at: $0)))"
    }
    #expect(all == [":scheme=http", ":authority=new", "x=2", "z=3"])
    #expect(changed.fields.first("host") == nil)
  }

  // MARK: Credentials

  private func injected(_ file: String, _ request: HTTPRequest) -> HTTPRequest? {
    let (rules, problems) = InjectionRules.read(Array(file.utf8), file: "c.yaml")
    #expect(problems == [])
    return rules.applied(to: request, of: exchange(request))
  }

  @Test func credentialsTakeTheirPlaces() {
    let recorded = request("GET", "/p?a=1&key=x&b", [("Host", "h"), ("Cookie", "a=1; sid=2"), ("X-Key", "old")])
    let file = """
      - match: { path: /p }
        headers: { x-key: new, Authorization: "Bearer t" }
        cookies: { sid: "3", other: "4" }
        query: { key: "ü&" , more: "1" }
      - match: { path: /q }
        headers: { x-key: wrong }
      """
    let changed = injected(file, recorded)
    #expect(
      lines(changed) == "GET /p?a=1&key=%C3%BC%26&b HTTP/1.1\r\nHost: h\r\nCookie: a=1; sid=3\r\nX-Key: new\r\n\r\n")
    let added = injected(file.replacing("match: { path: /p }", with: "add: true"), request("GET", "/", [("Host", "h")]))
    #expect(
      lines(added)
        == "GET /?key=%C3%BC%26&more=1 HTTP/1.1\r\nHost: h\r\nx-key: new\r\nAuthorization: Bearer t\r\nCookie: sid=3; other=4\r\n\r\n"
    )
    #expect(injected(file, request("GET", "/p", [("Host", "h")])) == nil)
  }

  @Test(arguments: [
    ("{}", "1:1: a file of credentials is a list"), ("- {}", "1:3: an entry has 'headers', 'cookies' or 'query'"),
    ("- headers: { 'a b': c }", "1:14: 'a b' is no header field's name"),
    ("- headers: { a: \"b\\nc\" }", "1:17: "), ("- cookies: { a: 'b;c' }", "1:14: 'a' has a value that no cookie"),
    ("- hedaers: { a: b }", "1:3: 'hedaers' means nothing in an entry; did you mean 'headers'?"),
    ("", "1:1: there are no credentials in it"), ("- [", "2:1: "),
  ])
  func whatIsWrongIsTold(file: String, message: String) {
    let problems = InjectionRules.read(Array(file.utf8), file: "c.yaml").problems
    let first = problems.first.map { "\($0.place.line):\($0.place.column): \($0.message)" } ?? "nothing"
    #expect(first.hasPrefix(message), "\(first)")
  }

  @Test func secretsAreHiddenInWhateverFormTheyComeBack() {
    let file = #"- { headers: { Authorization: "Basic a/b\"c d=" }, query: { k: "123" } }"#
    let secrets = InjectionRules.read(Array(file.utf8), file: "c.yaml").rules.secrets.map { text($0) }
    #expect(secrets == [#"Basic a/b"c d="#, #"a/b"c d="#])
    var rule = RedactRule()
    rule.hasDefaults = false
    rule.values = secrets.map { Array($0.utf8) }
    var redactor = Redactor(rule, key: [1])
    let body = #"x a/b"c d= y a%2Fb%22c%20d%3D a%2fb%22c%20d%3d {"t":"a\/b\"c d=","u":"a/b\"c d="}"#
    var answer = response(200, [("X-Back", #"Basic a/b"c d="#), ("Y", "1")], body: Array(body.utf8))
    redactor.redact(&answer)
    let left = text(answer.fields.storage) + text(answer.body.bytes)
    for spelling in [#"a/b"c"#, "a%2Fb", "a%2fb", #"a\/b"#, #"b\"c"#] {
      #expect(!left.contains(spelling), "\(spelling): \(left)")
    }
    #expect(answer.body.bytes.count == body.utf8.count && left.contains("Y: 1"))
  }

  // MARK: What a run keeps

  @Test func theComparingPartOfAFileIsTheSameRules() {
    let file = """
      version: 1
      rewrite: { headers: { set: { Authorization: s3cr3t } } }
      x-redact: &names [X-One, "X-Two: \\"q\\" \\u2028"]
      redact: { headers: *names, keep: [a] }
      compare:
        ignore:
          - { at: "header:Date", reason: "clock\\tü", match: { header: { X: ~ } } }
          - { at: "body:/**/x", as: time, within: 5s, expires: 2999-01-01 }
        arrays: [{ at: /items, key: id }]
        numbers: [{ at: /price, within: 1% }]
      """.replacing("x-redact: &names", with: "select: []\nroutes: []\n#").replacing("*names", with: "[X-One]")
    guard let kept = ComparisonPart.text(of: Array(file.utf8), file: "r.yaml") else {
      Issue.record("nothing was kept")
      return
    }
    #expect(!kept.contains("s3cr3t") && !kept.contains("\n"))
    let (before, after) = (read(file), read(kept))
    #expect(before.problems == [] && after.problems == [])
    #expect(after.rules.compare.ignore.map(\.at.description) == before.rules.compare.ignore.map(\.at.description))
    #expect(after.rules.compare.ignore.map(\.match) == before.rules.compare.ignore.map(\.match))
    #expect(after.rules.compare.ignore[0].reason == "clock\tü" && after.rules.compare.ignore[1].within == 5e9)
    #expect(after.rules.compare.arrays.map(\.order) == [.key("id")])
    #expect(after.rules.compare.numbers.map(\.isRelative) == [true] && after.rules.redact.keep == ["a"])
    #expect(after.rules.rewrites.isEmpty)
    #expect(ComparisonPart.text(of: Array("version: 1\n".utf8), file: "r.yaml") == nil)
  }
}
