import ContentTree
import Testing
import TrafficRules

@Suite struct RuleReaderTests {
  @Test func theWholeOfTheInterfaceIsRead() {
    let (rules, problems) = read(
      """
      version: 1
      select:
        - include: { method: [GET, POST], path: /api/** }
        - exclude: { header: { X-Auth-Type: internal } }
      sample: { share: 10%, by: header:X-User }
      redact:
        headers: [X-Api-Key]
        query: [token]
        json: ["/card/number", "/**/password"]
        form: [password]
        with: token            # token keeps equality under a key; mask; remove
      rewrite:
        host: canary.internal
        path: [{ match: ^/api/(.*), replace: /v1/mirror/$1 }]
        headers: { set: { X-Mirror-Source: order-svc }, remove: [X-Debug] }
      routes:                  # the first that matches
        - match: { path: /api/v1/order/** }
          timeout: 3s
          retries: 2
          backoff: exponential
          concurrency: 64
          allow_unsafe: true
      faults:
        - { match: { path: /slow }, delay: 200ms..2s, share: 10% }
        - { abort: 503, share: 1% }
      compare:
        ignore:
          - { at: "header:Date", reason: clock }
          - { at: "body:/**/updated_at", as: time, within: 5s, reason: clock, owner: orders, expires: 2027-01-01 }
        arrays: [{ at: /items, key: id }, { at: /tags, as: set }]
        numbers: [{ at: /price, within: 0.01 }]
      """)
    #expect(problems == [])
    #expect(rules.select.map(\.isInclude) == [true, false])
    #expect(rules.sample == SampleRule(share: 0.1, unit: .header("x-user")))
    #expect(rules.redact.json.map(\.description) == ["/card/number", "/**/password"])
    #expect(rules.rewrites.count == 1 && rules.rewrites[0].setHeaders[0] == ("X-Mirror-Source", "order-svc"))
    #expect(rules.rewrites[0].path[0].applied(to: Array("/api/a?b".utf8)).map(text) == "/v1/mirror/a?b")
    #expect(rules.routes[0].timeout == 3_000_000_000 && rules.routes[0].backoff == .exponential)
    #expect(rules.faults.map(\.kind) == [.delay(200_000_000...2_000_000_000), .abort(status: 503)])
    #expect(rules.compare.ignore.count == 2 && rules.compare.ignore[1].within == 5e9)
    #expect(rules.compare.arrays.map(\.order) == [.key("id"), .set])
    #expect(rules.compare.numbers[0].within == 0.01)
  }

  @Test(arguments: [
    ("version: 1\nselct: []", "2:1: 'selct' means nothing in a rules file; did you mean 'select'?"),
    ("version: 1\nselect:\n  - include: { pth: /a }", "3:16: 'pth' means nothing in a match; did you mean 'path'?"),
    ("version: 2", "1:10: this is version 1 of umbra's rules, not 2"),
    ("select: []", "1:1: 'version: 1' is missing"),
    ("", "1:1: the file is empty: write 'version: 1' and rules"),
    ("# only words\n", "1:1: the file is empty: write 'version: 1' and rules"),
    ("version: 1\nsample: { share: 110% }", "2:18: '110%' is not a share from 0% to 100%"),
    ("version: 1\nsample: { by: request }", "2:9: 'sample' needs a 'share' such as 10%"),
    (
      "version: 1\nselect:\n  - include: { path: \"~/a(b\" }",
      "3:26: this '(' is not closed, in '~/a(b'"
    ),
    ("version: 1\nselect:\n  - include: { path: ~^/a)b }", "3:26: this ')' closes nothing, in '~^/a)b'"),
    ("version: 1\nselect:\n  - include: { status: 5xy }", "3:24: '5xy' is not a status such as 404, 5xx or 500-599"),
    (
      "version: 1\nselect:\n  - include: { client: 10.0.0.0/33 }",
      "3:24: '10.0.0.0/33' is not a network such as 10.0.0.0/8 or 2001:db8::/32"
    ),
    ("version: 1\nredact: { with: tokn }", "2:17: 'tokn' means nothing here; did you mean 'token'?"),
    (
      "version: 1\nredact: { json: [card] }",
      "2:18: 'card' is not a JSON Pointer such as /card/number or /**/password (* is one step, ** any number)"
    ),
    ("version: 1\nselect: { include: {} }", "2:9: 'select' is a list, not a mapping"),
    ("version: 1\nredact:\n  headers:\n", "3:11: a value is expected here, not nothing"),
    ("version: 1\nversion: 1", "2:1: 'version' stands here again; it was first set in line 1"),
    ("version: 1\n---\nversion: 1", "2:1: a second document begins: a rules file is one"),
    ("version: 1\nselect: *all", "2:9: no '&all' stands before '*all'"),
    ("version: 1\nselect: &a [ *a ]", "2:14: '*a' stands inside what '&a' names: it would never end"),
    ("version: !!binary aGk=", "1:10: the tag 'tag:yaml.org,2002:binary' means nothing here"),
    (
      "version: 1\n\tselect: []",
      "2:1: found a tab character that violates indentation (while scanning a plain scalar that begins in line 1)"
    ),
    (
      "version: [1",
      "2:1: did not find expected ',' or ']' (while parsing a flow sequence that begins in line 1)"
    ),
    (
      "version: 1\nrewrite: { path: [{ match: ^/(a), replace: /$2 }] }",
      "2:44: 'replace' names a group after '$' that 'match' does not have; '$$' is a dollar sign, in '/$2'"
    ),
    ("version: 1\nrewrite: { headers: { set: { \"X Y\": 1 } } }", "2:30: 'X Y' is no header field's name"),
    (
      "version: 1\nrewrite: { headers: { set: { X: \"a\\nb\" } } }",
      "2:33: 'a\nb' is not a header field's value: no line ends"
    ),
    ("version: 1\nroutes: [{ timeout: 3s }]", "2:10: a route has a 'match' such as { path: /api/** }"),
    (
      "version: 1\nroutes: [{ match: {}, timeout: fast }]",
      "2:32: 'fast' is not a time such as 250ms or 3s, at most a day"
    ),
    (
      "version: 1\ncompare: { ignore: [{ at: header:Date, within: 5s }] }",
      "2:48: 'within' goes with 'as: time' or 'as: number'"
    ),
    (
      "version: 1\ncompare: { ignore: [{ at: body:/a, owner: ann, expires: 2026-11-21 }] }",
      "2:57: the rule for 'body:/a' expired on 2026-11-21: remove or renew it; ask ann"
    ),
    (
      "version: 1\ncompare: { arrays: [{ at: /a }] }",
      "2:21: a rule of 'arrays' has either a 'key' or an 'as': list, set or multiset"
    ),
  ]) func whatIsWrongIsNamedWithItsPlace(_ text: String, _ expected: String) {
    #expect(read(text).problems == [expected])
  }

  @Test func everyProblemIsToldNotOnlyTheFirst() {
    let problems = read("version: 1\nselect: 5\nsample: { share: x }\nredact: { wth: mask }").problems
    #expect(problems.map { $0.prefix(2) } == ["2:", "3:", "4:"])
  }

  @Test func anchorsAndMergeKeysShareWhatTheyName() {
    let set = rules(
      """
      select:
        - include: &base { method: GET, path: /a }
        - include: { <<: *base, path: /b }
        - include: { <<: [*base, { host: shop }], method: POST }
      """)
    func takes(_ method: String, _ path: String) -> Bool {
      set.selection(of: exchange(request(method, path))).isTaken
    }
    #expect(takes("GET", "/a") && takes("GET", "/b") && takes("POST", "/a"))
    #expect(!takes("POST", "/b") && !takes("PUT", "/a"))
    #expect(
      read("version: 1\nsample: { <<: 5, share: 1% }").problems == ["2:15: '<<' merges mappings: write '<<: *NAME'"])
  }

  @Test func filesAreJoinedInTheirOrder() {
    let (rules, problems) = RuleReader.read(
      [
        ("a.yaml", Array("version: 1\nselect: [{ include: { path: /a } }]\nsample: { share: 1% }".utf8)),
        ("b.yaml", Array("version: 1\nselect: [{ include: { path: /b } }]\nsample: { share: 2% }\nbad: 1".utf8)),
      ], today: today)
    #expect(rules.select.map(\.place.file) == ["a.yaml", "b.yaml"])
    #expect(rules.sample?.share == 0.02)
    #expect(
      problems.map(\.description) == [
        "b.yaml:4:1: 'bad' means nothing in a rules file; known are version, select, sample, redact, rewrite, routes, faults, compare and endpoints"
      ])
  }

  @Test func bytesThatAreNotTextAreNamed() {
    func problems(_ bytes: [UInt8]) -> [String] {
      RuleReader.read([("r", bytes)], today: today).problems.map(\.description)
    }
    #expect(
      problems(Array("version: 1\na: é".utf8) + [0xff]) == [
        "r:2:5: byte 0xff is not UTF-8 text. Save the file as UTF-8."
      ])
    #expect(problems([0xff, 0xfe, 0x61, 0]) == ["r:1:1: byte 0xff is not UTF-8 text. Save the file as UTF-8."])
    #expect(problems(Array("a: \u{1}".utf8)) == ["r:1:4: control characters are not allowed"])
    #expect(problems([0xef, 0xbb, 0xbf] + Array("version: 1".utf8)) == [])
  }

  @Test func hostileFilesCostLittleAndAreRefused() {
    var laughs = "version: 1\na0: &a0 [l, o, l, l, o, l, l, o, l, l]\n"
    for level in 1..<12 {
      laughs += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
    }
    #expect(read(laughs).problems[0].contains("with its aliases the file has more than 2000000 values"))
    let deep = "version: 1\nselect: " + String(repeating: "[", count: 100_000)
    #expect(read(deep).problems == ["2:72: nested deeper than 64 levels"])
    #expect(read("version: 1\nselect: " + String(repeating: "{a: ", count: 900)).problems.count == 1)
    var limits = YAMLLimits()
    limits.size = 10
    #expect(RuleReader.read([("r", Array("version: 1\n".utf8))], today: today, limits: limits).problems.count == 1)
    #expect(read("version: 1\n" + (0..<500).map { "k\($0): 1\n" }.joined()).problems.count == 100)
  }

  @Test func aHundredThousandLinesAreRead() {
    let text = "version: 1\nselect:\n" + (0..<100_000).map { "  - exclude: { path: /p\($0)/** }\n" }.joined()
    let (rules, problems) = read(text)
    #expect(problems == [])
    #expect(rules.select.count == 100_000)
    #expect(rules.select[99_999].place.line == 100_002)
  }
}
