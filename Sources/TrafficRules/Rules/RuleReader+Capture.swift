// What concerns what is recorded: select, sample, redact.

import ContentTree

extension RuleReader {
  mutating func readSelect(_ node: YAMLNode) {
    for item in items(of: node, "'select'") {
      guard let keys = members(of: item, "a rule of 'select'", ["include", "exclude"]) else { continue }
      if keys.isEmpty { fail(item, "a rule of 'select' is '- include: …' or '- exclude: …'") }
      for (name, value) in keys.sorted(by: { $0.key > $1.key }) {
        for alternative in oneOrMore(value) {
          rules.select.append(
            SelectRule(isInclude: name == "include", match: match(alternative), place: item.place))
        }
      }
    }
  }

  mutating func readSample(_ node: YAMLNode) {
    guard let keys = members(of: node, "'sample'", ["share", "by", "seed"]) else { return }
    guard let shareNode = keys["share"] else { return fail(node, "'sample' needs a 'share' such as 10%") }
    guard let share = value(shareNode, "a share from 0% to 100%", { RuleValue.share($0) }) else { return }
    var sample = SampleRule(share: share)
    if let by = keys["by"] {
      guard
        let unit = value(
          by, "what is in or out as a whole: connection, request, header:NAME or cookie:NAME",
          {
            SampleRule.Unit($0)
          })
      else { return }
      sample.unit = unit
    }
    if let seed = keys["seed"] { sample.seed = text(seed) ?? "" }
    rules.sample = sample
  }

  mutating func readRedact(_ node: YAMLNode) {
    let known = ["headers", "cookies", "query", "form", "json", "text", "grpc", "with", "defaults", "keep"]
    guard let keys = members(of: node, "'redact'", known) else { return }
    if let node = keys["headers"] { rules.redact.headers += patterns(node, .name) }
    if let node = keys["cookies"] { rules.redact.cookies += patterns(node, .name) }
    if let node = keys["query"] { rules.redact.query += patterns(node, .name) }
    if let node = keys["form"] { rules.redact.form += patterns(node, .name) }
    if let node = keys["json"] { rules.redact.json += oneOrMore(node).compactMap { pointer($0) } }
    if let node = keys["text"] {
      for item in oneOrMore(node) {
        if let kind = choice(item, RedactRule.TextKind.self) { rules.redact.text.insert(kind) }
      }
    }
    if let node = keys["grpc"] { rules.redact.grpc += items(of: node, "'grpc'").compactMap { grpcFields($0) } }
    if let node = keys["with"], let style = choice(node, RedactRule.Style.self) { rules.redact.style = style }
    if let node = keys["defaults"], let flag = flag(node) { rules.redact.hasDefaults = flag }
    if let node = keys["keep"] {
      for item in oneOrMore(node) { if let name = text(item) { rules.redact.keep.insert(name.lowercased()) } }
    }
  }

  /// `{ method: …, fields: … }`, or fields of every method.
  private mutating func grpcFields(_ node: YAMLNode) -> RedactRule.GRPCFields? {
    var rule = RedactRule.GRPCFields(method: nil, fields: [], names: [], place: node.place)
    if case .scalar = node.content {
      grpcField(node, &rule)
      if rule.fields.isEmpty { return rule }
      fail(node, "fields by number need a 'method': { method: /shop.Cart/*, fields: [3.2] }")
      return nil
    }
    guard let keys = members(of: node, "a rule of 'grpc'", ["method", "fields"]) else { return nil }
    guard let fields = keys["fields"] else {
      fail(node, "a rule of 'grpc' has 'fields' such as [/card/number, 3.2], and a 'method' such as /shop.Cart/*")
      return nil
    }
    if let method = keys["method"] {
      guard let pattern = pattern(method, .path) else { return nil }
      rule.method = pattern
    }
    for field in oneOrMore(fields) { grpcField(field, &rule) }
    if rule.method == nil, !rule.fields.isEmpty {
      fail(node, "fields by number need a 'method' such as /shop.Cart/*")
      return nil
    }
    return rule
  }

  private mutating func grpcField(_ node: YAMLNode, _ rule: inout RedactRule.GRPCFields) {
    guard let text = text(node) else { return }
    if text.hasPrefix("/") {
      guard var pattern = pointer(node) else { return }
      pattern.steps = pattern.steps.map { step in
        if case .name(let name) = step { .name(RedactRule.GRPCFields.foldedName(name)) } else { step }
      }
      return rule.names.append(pattern)
    }
    let expected = "a field by its names such as /card/number, or by its numbers from the message down such as 3.2"
    let path = value(node, expected) { text -> [UInt32]? in
      let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt32($0) }
      return numbers.allSatisfy { $0.map { (1...536_870_911).contains($0) } ?? false }
        ? numbers.compactMap(\.self) : nil
    }
    if let path { rule.fields.append(path) }
  }
}
