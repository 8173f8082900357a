// `umbra report`: a run file compared again and printed.

import ArgumentParser
import HTTPModel
import Reporting
import ResponseDiff
import SessionFile

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what differs between primary and shadow in a run, and whether the release may go on.",
    usage: "umbra report [<options>] <run>",
    discussion: """
      The answers in the run file are compared anew, so that gates and places to ignore can be changed afterwards. \
      Those given to 'umbra replay' hold: a --gate takes the place of all of its gates, an --ignore is added to its \
      places, and --ignore none forgets those.

        umbra report run.umbra-run
        umbra report run.umbra-run --format html -o report.html
        umbra report run.umbra-run --gate 'error.rate < 1%' --ignore header:date
        umbra report run.umbra-run --baseline yesterday.umbra-run --report comment.md

      With --baseline, what that run shows as often is known and is not judged again.

      Exit status: 0 all gates passed, 1 a gate was crossed, 3 the evidence is not good enough to say.
      """)

  @Argument(
    help: ArgumentHelp("A run file; '-' is standard input.", valueName: "run"),
    completion: .file(extensions: ["umbra-run"]))
  var runFile: String

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

  func run() throws {
    let format = try chosenFormat()
    let reports = try comparing.reports()
    let known = try baseline.map { BaselineFindings(try RunFile.report(path: $0, comparing: comparing)) }
    let report = try RunFile.report(path: runFile, comparing: comparing, baseline: known)
    if let output, output != "-" {
      try ReportFile.write(report, to: output, as: format, runFile: runFile)
    } else {
      let standardOutput = try Output()
      try standardOutput.write(
        report.rendered(as: format, options: ReportOptions(usesColor: mayColour, runFile: runFile)))
      try standardOutput.flush()
    }
    for (path, format) in reports { try ReportFile.write(report, to: path, as: format, runFile: runFile) }
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
  /// Reads a run file through and compares its pairs, by what the flags say and what the run was made with.
  /// - Parameter baseline: what a run before this one found.
  static func report(
    path: String, comparing: ComparingOptions, baseline: BaselineFindings? = nil
  ) throws -> RunReport {
    var comparing = comparing
    let keepsPlaces = !comparing.ignore.contains("none")
    comparing.ignore.removeAll { $0 == "none" }
    // What is wrong with the flags is told before the file is opened.
    let (ignore, gates) = (try comparing.ignoredLocations(), try comparing.gates())
    do {
      let reader = try SessionReader(path: path, expecting: .run)
      let recorded = RunFacts(metadata: reader.metadata, path: path, created: reader.created, read: 0)
      let places = (keepsPlaces ? recorded.ignore.compactMap { IgnoredLocation($0) } : []) + ignore
      var blanking = ComparisonBlanking()
    var analysis = RunAnalysis(options: AnalysisOptions(comparison: ComparisonOptions(ignore: places)))
      var read: UInt64 = 0
      while let replayed = try reader.nextReplayed() {
        analysis.add(blanking.applied(to: replayed))
        read += 1
      }
      for damage in reader.damage { StandardError.write("umbra: \(path): \(damage)\n") }
      let facts = RunFacts(metadata: reader.metadata, path: path, created: reader.created, read: read)
      return facts.report(
        from: analysis, ledger: reader.ledger,
        gates: gates.isEmpty ? recorded.gates.compactMap { try? Gate(parsing: $0) } : gates, baseline: baseline)
    } catch { throw CommandFailure("\(error)") }
  }
}

enum ReportFile {
  static func write(_ report: RunReport, to path: String, as format: ReportFormat, runFile: String) throws {
    let file = try Output(path: path)
    try file.write(report.rendered(as: format, options: ReportOptions(usesColor: false, runFile: runFile)))
    try file.flush()
  }
}
