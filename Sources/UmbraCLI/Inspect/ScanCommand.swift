// `umbra scan`: does a session hold what looks secret.

import ArgumentParser
import HTTPModel
import SessionFile
import TrafficRules

struct Scan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scan", abstract: "Look for secrets in a session or a run.",
    discussion: """
      Looks where redaction looks: credentials in headers and cookies, well-known names in queries, forms, JSON, XML and \
      multipart bodies, coded or not; and for card numbers, e-mail addresses, bearer tokens and JSON Web Tokens in any \
      text. Tokens and masks are not secrets. The secrets themselves are not shown.

        umbra scan day.umbra
        umbra scan day.umbra --rules rules.yaml

      Exit status: 0 nothing looks secret, 1 something does, 2 the file can't be read.
      """)

  @Argument(
    help: ArgumentHelp("A session or a run; '-' is standard input.", valueName: "session"),
    completion: .file(extensions: ["umbra", "umbra-run"]))
  var session: String

  @Option(help: ArgumentHelp("Rules that name more places, repeatable.", valueName: "file"), completion: .file())
  var rules: [String] = []

  @OptionGroup var types: MessageTypesOptions

  @Option(help: ArgumentHelp("Places shown.", valueName: "n"))
  var places = 50

  @OptionGroup(title: "Standard error") var log: LogOptions

  @OptionGroup(title: "Encryption") var decrypting: DecryptionOptions

  func run() throws {
    var rule = try RulesFiles(reading: rules).usable(quietly: log.quiet).redact
    rule.text = Set(RedactRule.TextKind.allCases)
    let descriptors = try types.descriptors()
    if let problem = rule.missing(descriptors) { throw CommandFailure(problem.description) }
    var redactor = Redactor.inspecting(rule, descriptors: descriptors)
    let source = try ExchangeSource(path: session, key: decrypting.key())
    var found: [String: (count: UInt64, first: ExchangeID)] = [:]
    while let exchange = try source.next() {
      var findings = redactor.findings(in: exchange)
      for response in source.attempts.compactMap(\.response) {
        findings += redactor.findings(in: response, to: exchange.request)
      }
      for finding in findings { found[finding.place, default: (0, exchange.id)].count += 1 }
    }
    source.reportDamage()
    if !log.quiet { try show(found, of: source.count) }
    if !found.isEmpty { throw ExitCode(ExitStatus.gateCrossed.rawValue) }
  }

  private func show(_ found: [String: (count: UInt64, first: ExchangeID)], of exchanges: Int) throws {
    let output = try Output()
    if found.isEmpty {
      try output.write("nothing looks secret in \(counted(UInt64(exchanges), "exchange"))\n")
    } else {
      try output.write("   COUNT  FIRST IN    WHAT LOOKS SECRET\n")
      let sorted = found.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
      for (place, finding) in sorted.prefix(max(0, places)) {
        let row = grouped(finding.count).leftPadded(to: 8) + "  " + "\(finding.first)".padded(to: 10)
        try output.write("\(row)  \(visibleLine(place))\n")
      }
      if sorted.count > places { try output.write("and \(counted(UInt64(sorted.count - places), "more place"))\n") }
    }
    try output.flush()
  }
}
