// `umbra report`: a run file compared again and printed.

import ArgumentParser
import ContentTree
import HTTPModel
import Reporting
import ResponseDiff
import SessionFile
import TrafficRules

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Say what differs between primary and shadow in a run, and whether the release may go on.",
    usage: "umbra report [<options>] <run> ...",
    discussion: """
      The answers in the run file are compared anew, so that gates and places to ignore can be changed afterwards. \
      Those given to 'umbra replay' hold: a --gate takes the place of all of its gates, an --ignore is added to its \
      places, and --ignore none forgets those. The rules in force at the replay's end hold, unless --rules names others.

        umbra report run.umbra-run
        umbra report run.umbra-run --format html -o report.html
        umbra report run.umbra-run --gate 'error.rate < 1%' --ignore header:date
        umbra report shard-1.umbra-run shard-2.umbra-run shard-3.umbra-run
        umbra report run.umbra-run --baseline yesterday.umbra-run --report comment.md
        umbra report run.umbra-run --shrink --primary http://shop:8080

      With --baseline, what that run shows as often is known and is not judged again. Several runs are reported as \
      one: the shards of a session (umbra replay --shard), as if one process had replayed it, or runs of several \
      sessions. The same share of a session twice is refused; a share that is missing makes the report inconclusive.

      Exit status: 0 all gates passed, 1 a gate was crossed, 3 the evidence is not good enough to say.
      """)

  @Argument(
    help: ArgumentHelp("Run files; '-' is standard input.", valueName: "run"),
    completion: .file(extensions: ["umbra-run"]))
  var runFiles: [String]

  @Option(
    help: ArgumentHelp(
      "text, json, html, markdown or junit. Default: from the name given to -o, else text.", valueName: "format"))
  var format: String?

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("Write the report to this file instead of standard output.", valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp("Judge only what is new since this run.", valueName: "run"),
    completion: .file(extensions: ["umbra-run"]))
  var baseline: String?

  @OptionGroup(title: "Comparing") var comparing: ComparingOptions
  @OptionGroup(title: "Asking again") var shrinking: ShrinkOptions
  @OptionGroup(title: "Encryption") var decrypting: DecryptionOptions
  @OptionGroup(title: "Standard error") var log: LogOptions

  @Option(
    help: ArgumentHelp(
      """
      Compare by the 'compare' and 'endpoints' of these rules instead of those of the replay; none for no rules. See \
      umbra-rules(5).
      """,
      valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var rules: [String] = []

  func validate() throws {
    if shrinking.shrink, runFiles.contains("-") {
      throw ValidationError("--shrink reads the run twice, which standard input can't be")
    }
    if runFiles.filter({ $0 == "-" }).count > 1 { throw ValidationError("only one run is standard input") }
  }

  func run() throws {
    let runFile = runFiles.joined(separator: " ")
    let format = try chosenFormat()
    let reports = try comparing.reports()
    let known = try baseline.map {
      BaselineFindings(try RunFile.report(paths: [$0], comparing: comparing, rules: rules, key: decrypting.key()))
    }
    var report = try RunFile.report(
      paths: runFiles, comparing: comparing, rules: rules, key: decrypting.key(), baseline: known)
    if shrinking.shrink {
      let plan = try shrinking.plan(report.run, rules: rules, descriptors: comparing.protoDescriptors)
      let runs = try RunFile.Reading(paths: runFiles, comparing: comparing, rules: rules, key: decrypting.key())
      try ShrinkSession(plan, runs).run(&report)
    }
    if let output, output != "-" {
      try ReportFile.write(report, to: output, as: format, runFile: runFile)
    } else {
      let standardOutput = try Output()
      try standardOutput.write(
        report.rendered(as: format, options: ReportOptions(usesColor: mayColour, runFile: runFile)))
      try standardOutput.flush()
    }
    for (path, format) in reports { try ReportFile.write(report, to: path, as: format, runFile: runFile) }
    if report.verdict.outcome != .pass, StandardError.isJSON {
      StandardError.sayVerdict(report.verdict.outcome, report.verdict.reasons.first)
    }
    if report.verdict.outcome != .pass { throw ExitCode(report.verdict.exitStatus.rawValue) }
  }

  private func chosenFormat() throws -> ReportFormat {
    do {
      if let format { return try ReportFormat(name: format) }
      if let output, output != "-" { return try ReportFormat(fileName: output) }
      return .text
    } catch { throw CommandFailure("\(error)", status: .usage) }
  }
}

enum RunFile {
  /// Reads run files through and compares their pairs, by what the flags say and what the runs were made with.
  /// - Parameter baseline: what a run before this one found.
  static func report(
    paths: [String], comparing: ComparingOptions, rules files: [String] = [], key: SessionKey? = nil,
    baseline: BaselineFindings? = nil
  ) throws -> RunReport {
    let gates = try comparing.gates()
    var reading = try Reading(paths: paths, comparing: comparing, rules: files, key: key)
    var analysis = RunAnalysis(
      options: AnalysisOptions(comparison: reading.comparison.options, endpoints: reading.endpoints),
      descriptors: reading.descriptors)
    try reading.runs.readAll { replayed, asksPrimary in
      analysis.asksPrimary = asksPrimary
      analysis.add(
        reading.blanking.applied(to: replayed) ?? replayed,
        inapplicable: reading.comparison.inapplicable(to: replayed.exchange))
    }
    return reading.runs.facts.report(
      from: analysis, ledger: reading.runs.ledger,
      gates: gates.isEmpty ? reading.runs.gates.compactMap { try? Gate(parsing: $0) } : gates, baseline: baseline)
  }

  /// Runs, and how their pairs are compared.
  struct Reading {
    var runs: RunSet
    var blanking: ComparisonBlanking
    let comparison: RuledComparison
    let descriptors: ProtobufDescriptors?
    /// That rules name.
    let endpoints: [EndpointPattern]

    init(paths: [String], comparing: ComparingOptions, rules files: [String], key: SessionKey?) throws {
      var comparing = comparing
      let keepsPlaces = !comparing.ignore.contains("none")
      comparing.ignore.removeAll { $0 == "none" }
      // What is wrong with the flags is told before the file is opened.
      let ignore = try comparing.ignoredLocations()
      descriptors = try comparing.descriptors()
      let given = files.isEmpty ? nil : try RulesFiles(reading: files.filter { $0 != "none" }).usable()
      runs = try RunSet(paths: paths, key: key)
      let places = (keepsPlaces ? runs.ignore.compactMap { IgnoredLocation($0) } : []) + ignore
      let rules = given ?? RulesFiles(kept: runs.rules).rules
      blanking = ComparisonBlanking(rules.redact, descriptors: descriptors)
      endpoints = rules.endpointPatterns
      comparison = RuledComparison(rules.compare, ignore: places, now: Timestamp(nanoseconds: wallNow()))
    }
  }
}

enum ReportFile {
  static func write(_ report: RunReport, to path: String, as format: ReportFormat, runFile: String) throws {
    let file = try Output(path: path)
    try file.write(report.rendered(as: format, options: ReportOptions(usesColor: false, runFile: runFile)))
    try file.flush()
  }
}
