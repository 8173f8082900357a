// The conditions of a rule.

import HTTPModel

extension RuleReader {
  private static let conditionNames = [
    "method", "path", "host", "header", "query", "status", "protocol", "grpc", "client", "server", "size",
    "response_size", "not", "any",
  ]

  mutating func match(_ node: YAMLNode) -> ExchangeMatch {
    guard case .mapping(let members) = node.content, let keys = self.members(of: node, "a match", Self.conditionNames)
    else {
      if case .mapping = node.content {} else { fail(node, "a match is a mapping such as { path: /api/** }") }
      return ExchangeMatch()
    }
    var match = ExchangeMatch()
    for member in members {
      guard let node = keys[member.name] else { continue }
      condition(member.name, node, &match)
    }
    return match
  }

  private mutating func condition(_ name: String, _ node: YAMLNode, _ match: inout ExchangeMatch) {
    switch name {
    case "method": match.conditions.append(.method(patterns(node, .text)))
    case "path": match.conditions.append(.path(patterns(node, .path)))
    case "host": match.conditions.append(.host(patterns(node, .host)))
    case "header":
      for (name, patterns) in namedPatterns(node, "header") {
        match.conditions.append(.header(name.lowercased(), patterns))
      }
    case "query":
      for (name, patterns) in namedPatterns(node, "query") { match.conditions.append(.query(name, patterns)) }
    case "status":
      match.conditions.append(
        .status(oneOrMore(node).compactMap { value($0, "a status such as 404, 5xx or 500-599", RuleValue.statuses) }))
    case "protocol": match.conditions.append(.protocol(oneOrMore(node).compactMap { protocolName($0) }))
    case "grpc": match.conditions.append(.grpc(patterns(node, .path)))
    case "client": match.conditions.append(.client(networks(node)))
    case "server": match.conditions.append(.server(networks(node)))
    case "size", "response_size":
      guard let range = value(node, "a size such as '>=1MB', '<64KB' or '1KB..1MB'", RuleValue.sizes) else { return }
      match.conditions.append(name == "size" ? .size(range) : .responseSize(range))
    case "not": match.conditions.append(.not(self.match(node)))
    case "any": match.conditions.append(.any(items(of: node, "'any'").map { self.match($0) }))
    default: break
    }
  }

  /// `{ NAME: pattern }`, `{ NAME: [patterns] }`, or `NAME` and `[NAMES]` for what only has to be there.
  private mutating func namedPatterns(_ node: YAMLNode, _ what: String) -> [(String, [TextPattern])] {
    guard case .mapping(let members) = node.content else {
      return oneOrMore(node).compactMap { item in text(item).map { ($0, []) } }
    }
    return members.map { member in
      if case .scalar(let text, isPlain: true) = member.value.content, ["", "~", "null", "*"].contains(text) {
        return (member.name, [])
      }
      return (member.name, patterns(member.value, .text))
    }
  }

  private mutating func networks(_ node: YAMLNode) -> [NetworkRange] {
    oneOrMore(node).compactMap { value($0, "a network such as 10.0.0.0/8 or 2001:db8::/32") { NetworkRange($0) } }
  }

  private mutating func protocolName(_ node: YAMLNode) -> String? {
    let versions = [HTTPVersion.http10, .http11, .http2].map(\.identifier)
    let known = versions + MessageProtocol.allCases.map(\.identifier)
    guard let text = text(node) else { return nil }
    if known.contains(text) { return text }
    fail(node, "'\(text)' is no protocol; known are \(RuleReader.list(known))")
    return nil
  }
}
