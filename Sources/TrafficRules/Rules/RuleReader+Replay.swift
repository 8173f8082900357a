// What concerns what is sent: rewrite, routes, faults.

extension RuleReader {
  mutating func readRewrites(_ node: YAMLNode) {
    for item in oneOrMore(node) {
      guard let keys = members(of: item, "'rewrite'", ["match", "host", "path", "headers"]) else { continue }
      var rule = RewriteRule(place: item.place)
      if let node = keys["match"] { rule.match = match(node) }
      if let node = keys["host"] {
        rule.host = value(node, "a host name, optionally with a port", { RuleReader.isFieldValue($0) ? $0 : nil })
      }
      if let node = keys["path"] { rule.path = oneOrMore(node).compactMap { replacement($0) } }
      if let node = keys["headers"], let keys = members(of: node, "'headers'", ["set", "remove"]) {
        if let node = keys["set"] { rule.setHeaders = fields(node) }
        if let node = keys["remove"] {
          rule.removedHeaders = oneOrMore(node).compactMap { fieldName($0)?.lowercased() }
        }
      }
      rules.rewrites.append(rule)
    }
  }

  private mutating func replacement(_ node: YAMLNode) -> TextReplacement? {
    guard let keys = members(of: node, "a rule of 'path'", ["match", "replace"]) else { return nil }
    guard let match = keys["match"], let replace = keys["replace"] else {
      fail(node, "a rule of 'path' has a 'match' (a regular expression) and a 'replace'")
      return nil
    }
    guard let pattern = text(match), case .scalar(let replacement, _) = replace.content else {
      if case .scalar = replace.content {} else { fail(replace, "a value is expected here, not \(replace.kindName)") }
      return nil
    }
    do throws(PatternError) {
      return try TextReplacement(pattern: pattern, replacement: replacement)
    } catch {
      if error.offset < 0 {
        fail(replace, "\(error.message), in '\(replacement)'")
      } else {
        fail(place(in: match, pattern, error.offset), "\(error.message), in '\(pattern)'")
      }
      return nil
    }
  }

  mutating func fields(_ node: YAMLNode, _ what: String = "'set'") -> [(name: String, value: String)] {
    guard case .mapping(let members) = node.content else {
      fail(node, "\(what) is a mapping of header fields to values, not \(node.kindName)")
      return []
    }
    return members.compactMap { member in
      guard RuleReader.isToken(member.name) else {
        fail(member.place, "'\(member.name)' is no header field's name")
        return nil
      }
      guard
        let text = value(
          member.value, "a header field's value: no line ends", { RuleReader.isFieldValue($0) ? $0 : nil })
      else { return nil }
      return (member.name, text)
    }
  }

  private mutating func fieldName(_ node: YAMLNode) -> String? {
    value(node, "a header field's name") { RuleReader.isToken($0) ? $0 : nil }
  }

  mutating func readRoutes(_ node: YAMLNode) {
    let known = ["match", "timeout", "retries", "backoff", "concurrency", "allow_unsafe"]
    for item in items(of: node, "'routes'") {
      guard let keys = members(of: item, "a route", known) else { continue }
      guard let condition = keys["match"] else {
        fail(item, "a route has a 'match' such as { path: /api/** }")
        continue
      }
      var route = RouteRule(match: match(condition), place: item.place)
      let day: Int64 = 86_400_000_000_000
      if let node = keys["timeout"] {
        route.timeout = value(node, "a time such as 250ms or 3s, at most a day") { text in
          RuleValue.time(text).flatMap { (1...day).contains($0) ? $0 : nil }
        }
      }
      if let node = keys["retries"] {
        route.retries = value(node, "a number from 0 to 100") { UInt32($0).flatMap { $0 <= 100 ? $0 : nil } }
      }
      if let node = keys["backoff"] { route.backoff = choice(node, RouteRule.Backoff.self) }
      if let node = keys["concurrency"] {
        route.concurrency = value(node, "a number from 1 to 1000000") {
          Int($0).flatMap { (1...1_000_000).contains($0) ? $0 : nil }
        }
      }
      if let node = keys["allow_unsafe"] { route.allowsUnsafe = flag(node) }
      rules.routes.append(route)
    }
  }

  mutating func readFaults(_ node: YAMLNode) {
    for item in items(of: node, "'faults'") {
      guard let keys = members(of: item, "a fault", ["match", "share", "delay", "abort", "reset", "throttle"]) else {
        continue
      }
      let condition = keys["match"].map { match($0) } ?? ExchangeMatch()
      var share = 1.0
      if let node = keys["share"] {
        guard let given = value(node, "a share from 0% to 100%", { RuleValue.share($0) }) else { continue }
        share = given
      }
      var kinds: [FaultRule.Kind] = []
      if let node = keys["delay"], let times = value(node, "a time such as 500ms or 200ms..2s", RuleValue.times) {
        kinds.append(.delay(times))
      }
      if let node = keys["abort"],
        let status = value(
          node, "a status from 200 to 599", { UInt16($0).flatMap { (200...599).contains($0) ? $0 : nil } })
      {
        kinds.append(.abort(status: status))
      }
      if let node = keys["reset"], flag(node) == true { kinds.append(.reset) }
      if let node = keys["throttle"], let rate = value(node, "a rate such as 64KB/s", { RuleValue.rate($0) }) {
        kinds.append(.throttle(bytesPerSecond: rate))
      }
      if kinds.isEmpty, keys["delay"] ?? keys["abort"] ?? keys["reset"] ?? keys["throttle"] == nil {
        fail(item, "a fault says what goes wrong: delay, abort, reset or throttle")
      }
      rules.faults += kinds.map { FaultRule(match: condition, kind: $0, share: share, place: item.place) }
    }
  }

  /// RFC 9110, 5.6.2.
  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }

  /// RFC 9110, 5.5: nothing that could end the line.
  private static func isFieldValue(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7f }
  }
}
