// `umbra replay`: flags, validated into a plan, and the plan carried out.

import ArgumentParser
import ReplayClient
import ReplaySchedule
import Reporting
import ResponseDiff

struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Send a session's requests to a shadow and compare its answers with the recorded ones.",
    discussion: """
      Requests go out at their recorded times, on one connection for each recorded one, as the bytes that were \
      recorded plus a marker header (of a chunked body the chunks, not their extensions). Only safe methods are sent \
      unless more are allowed. The answers are compared as they come; -o keeps everything for 'umbra report' and \
      'umbra show'.

      Recorded answers are of another time. With --primary each request is also sent to a running primary, at the same \
      time and in an order that is drawn for each, and the shadow is held against its answer; with --control what \
      differs between two instances of the primary is taken for noise by test, not by guess. Each side has its own \
      connections, cap, retries and breaker; with --correlate each is given back its own values.

        umbra replay day.umbra --target http://canary:8080 -o run.umbra-run
        umbra replay day.umbra --target http://canary:8080 --report run.html
        umbra replay day.umbra --target http://canary:8080 \\
          --primary http://shop-1:8080 --control http://shop-2:8080
        umbra replay day.umbra --target http://canary:8080 --allow-unsafe --correlate auto
        umbra replay day.umbra --target http://canary:8080 --rules rules.yaml --inject credentials.yaml
        umbra replay day.umbra --target http://canary:8080 --rate 'ramp:100/s..3000/s,5m' --dry-run
        umbra replay day.umbra --target http://canary:8080 --rate 500/s \\
          --gate 'error.rate < 1%' --gate 'latency.p99.ratio < 1.2'

      Exit status: 0 all gates passed, 1 a gate was crossed, 3 the evidence is not good enough to say.
      """)

  @Argument(
    help: ArgumentHelp("The session; '-' is standard input.", valueName: "session"),
    completion: .file(extensions: ["umbra"]))
  var session: String

  @Option(
    help: ArgumentHelp(
      """
      The shadow: http://HOST:PORT, https://, h2c:// (HTTP/2 without TLS), http+unix:///PATH. Several share the \
      connections by weight: URL=WEIGHT.
      """, valueName: "url"),
    transform: TargetChoice.init)
  var target: [TargetChoice]

  @Option(
    name: [.customShort("o"), .long], help: ArgumentHelp("Keep the run in this file.", valueName: "file"),
    completion: .file(extensions: ["umbra-run"]))
  var output: String?

  @Flag(help: "Replace the run file if it exists.")
  var overwrite = false

  @Flag(help: "Print what would be sent, when, and what would not and why. Nothing is sent.")
  var dryRun = false

  @OptionGroup(title: "Live primary and control") var roles: RoleOptions
  @OptionGroup(title: "Pacing") var pacing: PacingOptions
  @OptionGroup(title: "Reaching the shadow") var reaching: TargetOptions
  @OptionGroup(title: "What is sent") var sending: SendingOptions
  @OptionGroup(title: "What is sent") var spreading: ThreadOptions
  @OptionGroup(title: "What is sent") var rewriting: MiddlewareOptions
  @OptionGroup(title: "What is sent") var injecting: InjectOptions
  @OptionGroup(title: "Rules") var rules: RulesOptions
  @OptionGroup(title: "Values that the shadow makes") var correlating: CorrelationOptions
  @OptionGroup(title: "Protecting the shadow") var protection: ProtectionOptions
  @OptionGroup(title: "Encryption") var decrypting: ReplayDecryptionOptions
  @OptionGroup(title: "Encryption") var encrypting: EncryptionOptions
  @OptionGroup(title: "Comparing") var comparing: ComparingOptions
  @OptionGroup(title: "Being watched") var telemetry: TelemetryOptions
  @OptionGroup(title: "Standard error") var console: ConsoleOptions

  func validate() throws {
    try roles.check(allowsUnsafe: sending.allowUnsafe || rules.isGiven)
    try spreading.check(
      sending.connections, concurrency: protection.concurrency, asksOthers: roles.isAsked,
      needsAnswers: correlating.correlate == .auto)
  }

  func run() throws {
    Interruption.install()
    let plan = try plan()
    if dryRun {
      let standardOutput = try Output()
      try standardOutput.write(try DryRun(plan).text())
      try standardOutput.flush()
      return
    }
    defer { plan.observation?.stop() }
    let report = try ReplaySession(plan).run()
    // Standard output holds the run where it was asked for there.
    if !console.log.quiet, output != "-" {
      let text = report.rendered(
        as: .text, options: ReportOptions(usesColor: mayColour, runFile: output ?? "RUN"))
      let standardOutput = try Output()
      try standardOutput.write(text)
      try standardOutput.flush()
    }
    guard report.verdict.outcome != .pass else { return }
    if console.log.quiet || output == "-" || StandardError.isJSON {
      StandardError.sayVerdict(report.verdict.outcome, report.verdict.reasons.first)
    }
    throw ExitCode(report.verdict.exitStatus.rawValue)
  }

  private func plan() throws -> ReplayPlan {
    var options = ReplayOptions()
    do { try pacing.apply(to: &options) } catch { throw CommandFailure("\(error)", status: .usage) }
    protection.apply(to: &options)
    reaching.apply(to: &options)
    options.connections = sending.connections.value
    options.threads = spreading.threads
    options.methods = sending.allowUnsafe ? nil : Set(sending.methods.names)
    options.host = sending.host.value
    var plan = ReplayPlan(
      session: session,
      targets: target.map { WeightedTarget(reaching.reached($0.value.target), weight: $0.value.weight) },
      options: options, marker: sending.marker)
    roles.apply(to: &plan)
    plan.correlation = correlating.correlate
    plan.options.dependencyTimeout = correlating.correlateWait.nanoseconds
    plan.rewritesIdempotencyKeys = !sending.keepIdempotencyKeys
    plan.runFile = output
    plan.overwrite = overwrite
    plan.force = sending.force
    plan.ignore = try comparing.ignoredLocations()
    plan.descriptors = try comparing.descriptors()
    plan.gates = try comparing.gates()
    plan.reports = try comparing.reports()
    plan.keepsCredentials = sending.keepCredentials
    plan.maximumLag = pacing.maxLag?.nanoseconds
    plan.progress = console.shownProgress
    plan.isQuiet = console.log.quiet
    plan.middleware = rewriting.middleware
    plan.observation = telemetry.observation(of: "replay")
    (plan.sessionKey, plan.runKey) = (try decrypting.key(), try encrypting.key())
    try plan.apply(rules, injection: try injecting.rules())
    return plan
  }
}

extension StandardError {
  /// Why the command's exit status is what it is.
  static func sayVerdict(_ outcome: Verdict.Outcome, _ reason: String?) {
    let status = Verdict(outcome: outcome, reasons: []).exitStatus.rawValue
    say("\(outcome.rawValue): \(reason ?? "no reason was given")", .error, ["exit_status": .number(Int(status))])
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
