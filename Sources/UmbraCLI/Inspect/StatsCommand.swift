// `umbra stats`: what a session holds, endpoint by endpoint, and what its ledger says.

import ArgumentParser
import HTTPModel
import ResponseDiff
import SessionFile
import TrafficRules

struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Show a session's endpoints, rates, sizes, latencies and ledger.",
    discussion: """
      Latency is from a request's last byte to its answer's last byte, as seen on the wire. The bars show how an \
      endpoint's exchanges are spread over the session's time. The ledger says what the capture could not see.

        umbra stats day.umbra
        umbra stats day.umbra --where 'host=shop'
        umbra stats day.umbra --format json
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(
    help: ArgumentHelp("A session; '-' is standard input.", valueName: "session"),
    completion: .file(extensions: ["umbra"]))
  var session: String

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format: Format = .text

  @Option(help: ArgumentHelp("Endpoints shown in text.", valueName: "n"))
  var endpoints = 20

  @Option(
    name: .customLong("where"), help: ArgumentHelp("Only exchanges that meet the conditions.", valueName: "filter"),
    completion: .custom(Suggestions.filters))
  var filter: String?

  @Option(
    help: ArgumentHelp("Rules whose 'endpoints' name endpoints, repeatable. See umbra-rules(5).", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var rules: [String] = []

  @OptionGroup(title: "Encryption") var decrypting: DecryptionOptions
  @OptionGroup(title: "Standard error") var log: LogOptions

  func run() throws {
    var filter = try self.filter.map(WhereFilter.init(parsing:))
    let patterns = rules.isEmpty ? [] : try RulesFiles(reading: rules).usable(quietly: log.quiet).endpointPatterns
    let source = try ExchangeSource(path: session, key: decrypting.key())
    let names = try EndpointNames(source, patterns: patterns)
    filter?.names = names
    var statistics = SessionStatistics(range: source.timeRange, names: names)
    while let exchange = try source.next() {
      if filter?.matches(exchange) ?? true { statistics.add(exchange) }
    }
    let output = try Output()
    switch format {
    case .text:
      try output.write(
        StatisticsText(statistics, palette: Palette(isOn: mayColour)).text(of: source, showing: endpoints))
    case .json: try output.write(statistics.json(of: source))
    }
    try output.flush()
    source.reportDamage()
  }
}
