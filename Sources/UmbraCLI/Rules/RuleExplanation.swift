// What rules do to one exchange, in words. In: rules, an exchange. Out: lines for a person.

import HTTPModel
import ResponseDiff
import TrafficRules

struct RuleExplanation {
  let text: String

  init(_ rules: RuleSet, _ exchange: Exchange) {
    var lines: [String] = []
    switch rules.selection(of: exchange) {
    case .unruled: lines.append("taken: no rule of 'select' leaves anything out")
    case .included(let rule): lines.append("taken: matches the 'include' at \(rule.place)")
    case .excluded(let rule): lines.append("left out: matches the 'exclude' at \(rule.place)")
    case .notIncluded: lines.append("left out: matches no 'include'")
    }
    for rule in rules.select {
      let word = rule.isInclude ? "include" : "exclude"
      lines.append("  \(word) at \(rule.place): \(RuleExplanation.reason(rule.match, exchange))")
    }
    if let sample = rules.sample {
      lines.append("sample: \(RuleExplanation.sample(sample, exchange))")
    }
    let findings = Redactor.findings(in: exchange, rule: rules.redact)
    lines.append(findings.isEmpty ? "hidden: nothing" : "hidden: " + findings.map(\.place).joined(separator: ", "))
    for rule in rules.rewrites {
      lines.append("rewrite at \(rule.place): \(RuleExplanation.rewrite(rule, exchange))")
    }
    var isRouted = false
    for rule in rules.routes {
      let matches = rule.match.matches(exchange)
      let reason = matches && isRouted ? "matches, after one that does" : RuleExplanation.reason(rule.match, exchange)
      lines.append("route at \(rule.place): \(reason)")
      isRouted = isRouted || matches
    }
    for rule in rules.faults { lines.append("fault at \(rule.place): \(RuleExplanation.reason(rule.match, exchange))") }
    if let request = exchange.request { lines.append("endpoint: \(RuleExplanation.endpoint(request, rules))") }
    for rule in rules.compare.ignore where rule.match.matches(exchange) {
      lines.append("not compared: \(rule.at) at \(rule.place)" + (rule.reason.map { " (\($0))" } ?? ""))
    }
    text = lines.map { visibleLine($0) + "\n" }.joined()
  }

  private static func reason(_ match: ExchangeMatch, _ exchange: Exchange) -> String {
    match.obstacle(for: exchange).map { "no, because of \(description(of: $0))" } ?? "matches"
  }

  private static func endpoint(_ request: HTTPRequest, _ rules: RuleSet) -> String {
    for rule in rules.endpoints {
      guard let pattern = EndpointPattern(rule.pattern) else { continue }
      if let name = EndpointPattern.name(of: request, by: [pattern]) { return "\(name), named at \(rule.place)" }
    }
    let learned = "as far as one request tells"
    return EndpointTemplate.name(of: request) + (rules.endpoints.isEmpty ? "" : ", no rule names it") + ", \(learned)"
  }

  private static func sample(_ rule: SampleRule, _ exchange: Exchange) -> String {
    let share = "\(fixed(rule.share * 100, 3))%"
    if case .request = rule.unit { return "one request in \(fixed(1 / max(rule.share, 1e-9), 1)) is taken" }
    var sampler = Sampler(rule)
    let isIn = sampler.takes(exchange)
    if case .connection = rule.unit { return "\(share) of the connections" }
    return "\(isIn ? "in" : "out"), by \(rule.unit) (\(share))"
  }

  private static func rewrite(_ rule: RewriteRule, _ exchange: Exchange) -> String {
    guard rule.match.matches(exchange), let request = exchange.request else { return reason(rule.match, exchange) }
    var parts: [String] = []
    if let target = rule.target(of: request) { parts.append("target \(String(decoding: target, as: UTF8.self))") }
    if let host = rule.host { parts.append("host \(host)") }
    parts += rule.setHeaders.map { "\($0.name): \($0.value)" }
    parts += rule.removedHeaders.map { "without \($0)" }
    return parts.isEmpty ? "changes nothing" : parts.joined(separator: ", ")
  }

  private static func description(of condition: ExchangeMatch.Condition) -> String {
    func list(_ values: [some CustomStringConvertible]) -> String { values.map(\.description).joined(separator: ", ") }
    switch condition {
    case .method(let patterns): return "method: \(list(patterns))"
    case .path(let patterns): return "path: \(list(patterns))"
    case .host(let patterns): return "host: \(list(patterns))"
    case .header(let name, let patterns): return "header \(name): \(patterns.isEmpty ? "*" : list(patterns))"
    case .query(let name, let patterns): return "query \(name): \(patterns.isEmpty ? "*" : list(patterns))"
    case .status(let ranges):
      return
        "status: \(ranges.map { $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", "))"
    case .protocol(let names): return "protocol: \(list(names))"
    case .grpc(let patterns): return "grpc: \(list(patterns))"
    case .client(let ranges): return "client: \(list(ranges))"
    case .server(let ranges): return "server: \(list(ranges))"
    case .size: return "size"
    case .responseSize: return "response_size"
    case .not: return "not"
    case .any: return "any"
    }
  }
}
