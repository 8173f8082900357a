// What concerns what is compared: ignore, arrays, numbers; and what its endpoints are called.

import ContentTree

extension RuleReader {
  mutating func readCompare(_ node: YAMLNode) {
    guard let keys = members(of: node, "'compare'", ["ignore", "arrays", "numbers"]) else { return }
    if let node = keys["ignore"] { for item in items(of: node, "'ignore'") { readIgnored(item) } }
    if let node = keys["arrays"] { for item in items(of: node, "'arrays'") { readArray(item) } }
    if let node = keys["numbers"] { for item in items(of: node, "'numbers'") { readNumber(item) } }
  }

  mutating func readEndpoints(_ node: YAMLNode) {
    let expected = "an endpoint such as /users/{name} or 'GET /users/*/posts/**' (** only at its end)"
    for item in oneOrMore(node) {
      guard let pattern = value(item, expected, { RuleReader.endpoint($0) }) else { continue }
      rules.endpoints.append(EndpointRule(pattern: pattern, place: item.place))
    }
  }

  /// One blank between method and path; nil where it is no path.
  private static func endpoint(_ text: String) -> String? {
    let words = text.split(separator: " ")
    guard (1...2).contains(words.count), let path = words.last, path.first == "/" else { return nil }
    let steps = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    let isMethod = words.count == 1 || words[0].allSatisfy { $0.isASCII && ($0.isLetter || $0 == "-") }
    return isMethod && !steps.dropLast().contains("**") ? words.joined(separator: " ") : nil
  }

  private mutating func readIgnored(_ item: YAMLNode) {
    let known = ["at", "as", "within", "reason", "owner", "expires", "match"]
    guard let keys = members(of: item, "a rule of 'ignore'", known), let at = required("at", keys, item),
      let location = location(at)
    else { return }
    var rule = CompareRules.Ignored(at: location, shape: .any, match: ExchangeMatch(), place: item.place)
    if let node = keys["as"] {
      guard let shape = choice(node, CompareRules.Shape.self) else { return }
      rule.shape = shape
    }
    if let node = keys["within"] {
      switch rule.shape {
      case .time:
        rule.within = value(node, "a time such as 5s", { RuleValue.time($0) }).map(Double.init)
      case .number: rule.within = value(node, "a number of 0 or more", RuleReader.tolerance)
      default: return fail(node, "'within' goes with 'as: time' or 'as: number'")
      }
    }
    if let node = keys["reason"] { rule.reason = text(node) }
    if let node = keys["owner"] { rule.owner = text(node) }
    if let node = keys["match"] { rule.match = match(node) }
    if let node = keys["expires"] {
      guard let date = value(node, "a day such as 2027-01-31", { RuleDate($0) }) else { return }
      rule.expires = date
      if date <= today {
        let owner = rule.owner.map { "; ask \($0)" } ?? ""
        problems.append(
          RuleProblem(
            place: node.place, message: "the rule for '\(location)' expired on \(date): remove or renew it\(owner)",
            isExpiry: true))
        return rules.compare.expired.append(rule)
      }
    }
    rules.compare.ignore.append(rule)
  }

  private mutating func readArray(_ item: YAMLNode) {
    guard let keys = members(of: item, "a rule of 'arrays'", ["at", "key", "as"]), let at = required("at", keys, item),
      let pattern = bodyPointer(at)
    else { return }
    let order: CompareRules.ArrayRule.Order
    switch (keys["key"], keys["as"]) {
    case (let key?, nil):
      guard let name = text(key) else { return }
      order = .key(name)
    case (nil, let kind?):
      guard let found = value(kind, "one of list, set and multiset", RuleReader.order) else { return }
      order = found
    default: return fail(item, "a rule of 'arrays' has either a 'key' or an 'as': list, set or multiset")
    }
    rules.compare.arrays.append(CompareRules.ArrayRule(at: pattern, order: order, place: item.place))
  }

  private mutating func readNumber(_ item: YAMLNode) {
    guard let keys = members(of: item, "a rule of 'numbers'", ["at", "within"]), let at = required("at", keys, item),
      let pattern = bodyPointer(at), let node = required("within", keys, item), let text = text(node)
    else { return }
    let share = text.hasSuffix("%") ? RuleValue.share(text) : nil
    guard let within = share ?? RuleReader.tolerance(text) else {
      return fail(node, "'\(text)' is not a number of 0 or more, or a share such as 1%")
    }
    rules.compare.numbers.append(
      CompareRules.NumberRule(at: pattern, within: within, isRelative: share != nil, place: item.place))
  }

  private mutating func required(_ name: String, _ keys: [String: YAMLNode], _ item: YAMLNode) -> YAMLNode? {
    if let node = keys[name] { return node }
    fail(item, "'\(name)' is missing")
    return nil
  }

  private mutating func location(_ node: YAMLNode) -> CompareRules.Location? {
    value(node, "a place: status, header:NAME, trailer:NAME, body or body:/pointer") { text in
      switch text {
      case "status": return .status
      case "body": return .body(JSONPointerPattern(steps: []))
      default: break
      }
      if text.hasPrefix("/") { return JSONPointerPattern(text).map { .body($0) } }
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { return nil }
      switch parts[0] {
      case "header": return .header(parts[1].lowercased())
      case "trailer": return .trailer(parts[1].lowercased())
      case "body": return JSONPointerPattern(parts[1]).map { .body($0) }
      default: return nil
      }
    }
  }

  /// `/items` or `body:/items`.
  private mutating func bodyPointer(_ node: YAMLNode) -> JSONPointerPattern? {
    value(node, "a JSON Pointer such as /items or /**/price") { text in
      JSONPointerPattern(text.hasPrefix("body:") ? String(text.dropFirst(5)) : text)
    }
  }

  private static func order(_ text: String) -> CompareRules.ArrayRule.Order? {
    switch text {
    case "list": .list
    case "set": .set
    case "multiset": .multiset
    default: nil
    }
  }

  private static func tolerance(_ text: String) -> Double? {
    guard let value = Double(text), value.isFinite, value >= 0 else { return nil }
    return value
  }
}
