// `umbra rules`: is a rules file good, and what does it do to a request.

import ArgumentParser
import HTTPModel
import TrafficRules

struct Rules: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Check rules files, and explain what they do to a request.",
    discussion: """
        umbra rules check rules.yaml
        umbra rules explain rules.yaml --request 'POST /api/orders?id=7 -H "X-User: 7"'

      umbra-rules(5) says what stands in a rules file.
      """,
    subcommands: [RulesCheck.self, RulesExplain.self])
}

struct RulesCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say what is wrong with rules files, with line and column.",
    discussion: """
      Several files are read as one, as --rules does.

      Exit status: 0 all is well, 2 something is wrong or has expired.
      """)

  @Argument(help: ArgumentHelp("Rules files; '-' is standard input.", valueName: "file"), completion: .file())
  var file: [String]

  @OptionGroup(title: "Standard error") var log: LogOptions

  func run() throws {
    let files = try RulesFiles(reading: file)
    guard files.problems.isEmpty else {
      for problem in files.problems {
        if StandardError.isJSON {
          problem.say(.error)
        } else {
          StandardError.write("\(visibleLine("\(problem)"))\n", .error)
        }
      }
      throw ExitCode(ExitStatus.failed.rawValue)
    }
    guard !log.quiet else { return }
    let output = try Output()
    try output.write("\(file.joined(separator: ", ")): \(files.rules.summary)\n")
    try output.flush()
  }
}

extension RuleSet {
  /// How many there are of each.
  var summary: String {
    let counts = [
      (select.count, "rule to select", "rules to select"), (rewrites.count, "rewrite", "rewrites"),
      (routes.count, "route", "routes"), (faults.count, "fault", "faults"),
      (endpoints.count, "endpoint", "endpoints"),
      (compare.ignore.count + compare.arrays.count + compare.numbers.count, "rule to compare", "rules to compare"),
    ]
    var parts = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.0 == 1 ? $0.1 : $0.2)" }
    if let sample { parts.append("a sample of \(fixed(sample.share * 100, 3))% by \(sample.unit)") }
    parts.append("secrets become \(redact.style == .token ? "tokens" : redact.style == .mask ? "masks" : "nothing")")
    return parts.joined(separator: ", ")
  }
}

struct RulesExplain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say which rules match a request, and why the others do not.",
    discussion: """
        umbra rules explain rules.yaml --request 'GET /api/items -H "X-User: 7"' --status 200

      The request is a method, a target and any of -H 'NAME: VALUE', -d BODY and --client ADDRESS.
      """)

  @Argument(help: ArgumentHelp("Rules files.", valueName: "file"), completion: .file())
  var file: [String]

  @Option(help: ArgumentHelp("METHOD TARGET [-H 'NAME: VALUE']… [-d BODY] [--client ADDRESS].", valueName: "request"))
  var request: String

  @Option(help: ArgumentHelp("The status of its answer, for rules that ask for it.", valueName: "status"))
  var status: UInt16?

  @OptionGroup(title: "Standard error") var log: LogOptions

  func run() throws {
    let rules = try RulesFiles(reading: file).usable()
    let exchange = try ImaginedRequest(request, status: status).exchange
    let output = try Output()
    try output.write(RuleExplanation(rules, exchange).text)
    try output.flush()
  }
}
