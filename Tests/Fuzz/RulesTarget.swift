// Rules files, their patterns, and the redaction of what stands in a message.
//
// Input: what it is, then a rules file, a pattern and a text with a 0 between, or a message's type and body.

import HTTPModel
import TrafficRules

enum RulesTarget: FuzzTarget {
  static let name = "rules"

  static let seeds: [[UInt8]] = [
    [0] + Array("version: 1\nselect: [{ include: &a { path: ~^/a(b|c)*$, status: 5xx } }, { exclude: *a }]\n".utf8),
    [0]
      + Array("version: 1\nredact: { json: [/a/**/b], text: [card, jwt], with: mask }\ncompare: { numbers: [] }\n".utf8),
    [1] + Array("(a+)+(b|[c-e]{2,3})*?$".utf8) + [0] + Array("aaaaaaaab".utf8),
    [2] + Array("application/json".utf8) + [0] + Array(#"{"password":"abc","u":"{\"token\":\"x\u0041\"}"}"#.utf8),
    [2] + Array("multipart/form-data; boundary=x".utf8) + [0]
      + Array("--x\r\na: b; name=\"pin\"\r\n\r\n1\r\n--x--".utf8),
    [3] + Array("text/html".utf8) + [0] + Array("<a token='x'><secret>eyJhbGciOiJIUzI1NiJ9.e30.a</secret>".utf8),
  ]

  static func run(_ input: [UInt8]) throws(Violation) {
    var reader = InputReader(input)
    let kind = reader.byte() & 3
    let rest = reader.rest()
    switch kind {
    case 0: try readRules(rest)
    case 1:
      let parts = rest.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
      try match(parts[0], parts.count > 1 ? parts[1] : [])
    default:
      let parts = rest.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
      try redact(Array(parts.count > 1 ? parts[1] : []), type: parts[0], style: kind == 2 ? "token" : "mask")
    }
  }

  private static func read(_ text: [UInt8]) -> (rules: RuleSet, problems: [RuleProblem]) {
    var limits = YAMLLimits()
    limits.nodes = 5000
    return RuleReader.read([("f", text)], today: RuleDate("2026-01-01")!, limits: limits)
  }

  private static func readRules(_ text: [UInt8]) throws(Violation) {
    let (rules, problems) = read(text)
    // YAML 1.1 ends lines at CR, NEL, LS and PS too; of the last three a byte that others have as well.
    let lines = text.count { [0x0a, 0x0d, 0x85, 0xa8, 0xa9].contains($0) } + 2
    for problem in problems {
      try require(
        (1...lines).contains(problem.place.line) && problem.place.column > 0, "a problem at \(problem.place)")
    }
    _ = rules.selection(of: exchange([], type: []))
  }

  private static func match(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) throws(Violation) {
    let quoted = pattern.filter { $0 != 0x27 && $0 > 0x20 && $0 < 0x7f }
    let yaml =
      "version: 1\nrewrite: { path: [{ match: '\(String(decoding: quoted, as: UTF8.self))', replace: '<$0>' }] }"
    guard let rule = read(Array(yaml.utf8)).rules.rewrites.first?.path.first else { return }
    guard let replaced = rule.applied(to: text) else { return }
    try require(replaced.count == text.count + 2, "what was put around a match changed it")
  }

  /// Redaction changes no length, and what was redacted holds nothing that looks secret.
  private static func redact(_ body: [UInt8], type: ArraySlice<UInt8>, style: String) throws(Violation) {
    let rule = read(
      Array("version: 1\nredact: { json: ['/**/a', '/*'], text: [card, email, bearer, jwt], with: \(style) }".utf8)
    ).rules.redact
    var redactor = Redactor(rule, key: [1])
    var redacted = exchange(body, type: type)
    redactor.redact(&redacted)
    try require(redacted.request?.body.bytes.count == body.count, "a body changed its length")
    _ = Redactor.findings(in: redacted, rule: rule)
    try redactByNames(body, type: type)
  }

  /// What is passed over at a glance where names are all that is looked for holds nothing for who reads all of it, as for
  /// the sake of a place that is nowhere.
  private static func redactByNames(_ body: [UInt8], type: ArraySlice<UInt8>) throws(Violation) {
    var thorough = RedactRule()
    thorough.json = read(Array("version: 1\nredact: { json: [/no/where/at/all] }".utf8)).rules.redact.json
    var redactors = (Redactor(key: [1]), Redactor(thorough, key: [1]))
    var exchanges = (exchange(body, type: type), exchange(body, type: type))
    redactors.0.redact(&exchanges.0)
    redactors.1.redact(&exchanges.1)
    try require(exchanges.0 == exchanges.1, "a secret was passed over")
  }

  private static func exchange(_ body: [UInt8], type: ArraySlice<UInt8>) -> Exchange {
    var head = HeaderFields(storage: Array("POST /a?b=c HTTP/1.1\r\n".utf8))
    head.append(name: "content-type".utf8, value: type)
    let time = Timestamp(nanoseconds: 0)
    var exchange = Exchange()
    exchange.request = HTTPRequest(
      version: .http11, methodRange: 0..<4, targetRange: 5..<11, fields: head,
      body: HTTPBody(bytes: body, size: UInt64(body.count)),
      timing: MessageTiming(start: time, headEnd: time, end: time))
    return exchange
  }
}
