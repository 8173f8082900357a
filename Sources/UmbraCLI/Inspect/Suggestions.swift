// What the shells offer while a filter or a gate is typed. In: the words of a command line. Out: words that may stand at
// the cursor. Owner: nobody. Bounds: the first 20,000 exchanges of one file, 200 endpoints.

import ArgumentParser
import HTTPModel

enum Suggestions {
  private static let exchangeLimit = 20_000
  private static let endpointLimit = 200

  /// Terms of umbra-filter(7): each field with an operator, and the endpoints of the session that is named.
  @Sendable static func filters(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
    let fields = WhereFilter.Field.allCases.map { "\($0.rawValue)=" }
    return fields + ["status>=500"] + endpoints(in: words).map { "endpoint=\(quoted($0))" }
  }

  /// Metrics with a bound that makes sense, for all and for the endpoints of the session or run that is named.
  @Sendable static func gates(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
    let bounds = [
      ("regressions", "== 0"), ("diff.rate", "< 1%"), ("error.rate", "< 1%"), ("status.rate", "< 1%"),
      ("completeness", "> 99%"), ("schedule.late.rate", "< 1%"), ("latency.p99", "< 500ms"),
      ("latency.p99.ratio", "< 1.2"),
    ]
    let ofAll = bounds.map { "\($0) \($1)" }
    let narrow = bounds.filter { $0.0 != "completeness" && $0.0 != "schedule.late.rate" }
    return ofAll
      + endpoints(in: words).flatMap { endpoint in narrow.map { "\($0){endpoint=\(quoted(endpoint))} \($1)" } }
  }

  /// Bash takes one layer of quotes away before it offers a word.
  private static func quoted(_ endpoint: String) -> String {
    CompletionShell.requesting == .bash ? #"\"\#(endpoint)\""# : #""\#(endpoint)""#
  }

  /// Of the first word that names a session or a run; none where there is none that can be read.
  private static func endpoints(in words: [String]) -> [String] {
    let file = words.first { $0.hasSuffix(".umbra") || $0.hasSuffix(".umbra-run") }
    guard let file, let source = try? ExchangeSource(path: file) else { return [] }
    guard let learned = try? EndpointNames(source) else { return [] }
    var names: Set<String> = []
    var count = 0
    while count < exchangeLimit, names.count < endpointLimit, let exchange = try? source.next() {
      count += 1
      if let name = learned.name(of: exchange) { names.insert(name) }
    }
    return names.sorted()
  }
}
