// `umbra replay`: flags, validated into a plan, and the plan carried out.

import ArgumentParser
import HTTPModel
import ReplayClient
import ReplaySchedule
import Reporting
import ResponseDiff

struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Send a session's requests to a shadow and compare its answers with the recorded ones.",
    discussion: """
      Requests go out at their recorded times, on one connection for each recorded one, as the bytes that were \
      recorded plus a marker header. Only safe methods are sent unless more are allowed. The answers are compared \
      as they come; -o keeps everything for 'umbra report' and 'umbra show'.

        umbra replay day.umbra --target http://canary:8080 -o run.umbra-run
        umbra replay day.umbra --target http://canary:8080 --report run.html
        umbra replay day.umbra --target http://canary:8080 --rate 500/s \\
          --gate 'error.rate < 1%' --gate 'latency.p99.ratio < 1.2'

      Exit status: 0 all gates passed, 1 a gate was crossed, 3 the evidence is not good enough to say.
      """)

  @Argument(
    help: ArgumentHelp("The session; '-' is standard input.", valueName: "session"),
    completion: .file(extensions: ["umbra"]))
  var session: String

  @Option(help: ArgumentHelp("The shadow: http://HOST:PORT.", valueName: "url"))
  var target: String

  @Option(
    name: [.customShort("o"), .long], help: ArgumentHelp("Keep the run in this file.", valueName: "file"),
    completion: .file(extensions: ["umbra-run"]))
  var output: String?

  @Flag(help: "Replace the run file if it exists.")
  var overwrite = false

  @OptionGroup(title: "Pacing") var pacing: PacingOptions
  @OptionGroup(title: "What is sent") var sending: SendingOptions
  @OptionGroup(title: "Protecting the shadow") var protection: ProtectionOptions
  @OptionGroup(title: "Comparing") var comparing: ComparingOptions
  @OptionGroup(title: "Standard error") var console: ConsoleOptions

  func run() throws {
    Interruption.install()
    var options = ReplayOptions()
    let target: ReplayTarget
    do {
      target = try ReplayTarget(url: self.target)
      options.pacing = try pacing.pacing()
    } catch let error as ReplayError {
      throw CommandFailure("\(error)", status: .usage)
    } catch let error as PacingError {
      throw CommandFailure("\(error)", status: .usage)
    }
    options.rounds = pacing.loop
    options.duration = pacing.duration?.nanoseconds
    options.connections = sending.connections.value
    options.methods = sending.allowUnsafe ? nil : Set(sending.methods.names)
    options.host = sending.host.value
    options.concurrency = protection.concurrency
    options.timeout = protection.timeout.nanoseconds
    options.connectTimeout = protection.connectTimeout.nanoseconds
    let plan = ReplayPlan(
      session: session, target: target, options: options, marker: sending.marker, runFile: output,
      overwrite: overwrite, force: sending.force, ignore: try comparing.ignoredLocations(),
      gates: try comparing.gates(), reports: try comparing.reports(), keepsCredentials: sending.keepCredentials,
      progress: console.quiet ? .none : console.progress, isQuiet: console.quiet)
    let report = try ReplaySession(plan).run()
    // Standard output holds the run where it was asked for there.
    if !console.quiet, output != "-" {
      let text = report.rendered(
        as: .text, options: ReportOptions(usesColor: mayColour, runFile: output ?? "RUN"))
      let standardOutput = try Output()
      try standardOutput.write(text)
      try standardOutput.flush()
    }
    if report.verdict.outcome != .pass { throw ExitCode(report.verdict.exitStatus.rawValue) }
  }
}

extension Verdict {
  /// What a pipeline sees.
  var exitStatus: ExitStatus {
    switch outcome {
    case .pass: .passed
    case .fail: .gateCrossed
    case .inconclusive: .inconclusive
    }
  }
}

struct PacingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Recorded times, X times as fast: 1x, 0.5x, 10x, or max.", valueName: "x"))
  var speed: String?

  @Option(help: ArgumentHelp("A constant rate instead of recorded times: 500/s, 30/m.", valueName: "rate"))
  var rate: String?

  @Option(help: ArgumentHelp("Go through the session this many times.", valueName: "n"))
  var loop: UInt32 = 1

  @Option(help: ArgumentHelp("Send nothing more after this time.", valueName: "time"))
  var duration: TimeSpan?

  func validate() throws {
    if speed != nil, rate != nil { throw ValidationError("--speed and --rate exclude each other: give one") }
    if loop == 0 { throw ValidationError("--loop takes 1 or more") }
  }

  func pacing() throws -> Pacing {
    if let rate { return try Pacing(rate: rate) }
    return try Pacing(speed: speed ?? "1x")
  }
}

struct SendingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Methods that are sent.", valueName: "list"))
  var methods = MethodList(names: ["GET", "HEAD", "OPTIONS"])

  @Flag(help: "Send every method, also those that change something.")
  var allowUnsafe = false

  @Option(help: ArgumentHelp("The Host sent: recorded, target, or a name.", valueName: "host"))
  var host = HostChoice(value: .recorded)

  @Option(
    help: ArgumentHelp("A header that marks replayed requests, or none.", valueName: "name:value"))
  var marker: MarkerChoice = .standard

  @Option(help: ArgumentHelp("recorded: one for each recorded connection; or a pool of N.", valueName: "n"))
  var connections = ConnectionsChoice(value: .recorded)

  @Flag(help: "Write credentials of answers as they are instead of as tokens.")
  var keepCredentials = false

  @Flag(help: "Allow the captured server itself as the target.")
  var force = false
}

struct ProtectionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("At most this many requests in flight.", valueName: "n"))
  var concurrency = 1024

  @Option(help: ArgumentHelp("From a request's first byte to its answer's last.", valueName: "time"))
  var timeout = TimeSpan.seconds(10)

  @Option(help: ArgumentHelp("For a connection to be made.", valueName: "time"))
  var connectTimeout = TimeSpan.seconds(3)

  func validate() throws {
    if !(1...1_000_000).contains(concurrency) { throw ValidationError("--concurrency takes 1 to 1000000") }
  }
}

/// How answers are compared and judged; `replay` and `report` share it.
struct ComparingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Leave a place out: header:NAME, body, body:/json/pointer; * is one step, ** any number.", valueName: "place"))
  var ignore: [String] = []

  @Option(
    help: ArgumentHelp("'METRIC OP VALUE', such as 'error.rate < 1%'. Default: regressions == 0.", valueName: "gate"))
  var gate: [String] = []

  @Option(
    help: ArgumentHelp("Write a report; the format from the name: .html, .json, .txt.", valueName: "file"),
    completion: .file(extensions: ["html", "json", "txt"]))
  var report: [String] = []

  func ignoredLocations() throws -> [IgnoredLocation] {
    try ignore.map { text in
      guard let location = IgnoredLocation(text) else {
        throw CommandFailure(
          "--ignore '\(text)' is no place: write status, header:NAME, trailer:NAME, body or body:/json/pointer",
          status: .usage)
      }
      return location
    }
  }

  func gates() throws -> [Gate] {
    try gate.map { text in
      do { return try Gate(parsing: text) } catch { throw CommandFailure("\(error)", status: .usage) }
    }
  }

  func reports() throws -> [(path: String, format: ReportFormat)] {
    try report.map { path in
      do { return (path, try ReportFormat(fileName: path)) } catch { throw CommandFailure("\(error)", status: .usage) }
    }
  }
}
