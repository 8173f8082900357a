// `umbra mirror`: flags, validated into a plan, and the plan carried out.

import ArgumentParser
import Glibc
import HTTPModel
import PacketHeaders
import PcapCapture
import ReplayClient
import Reporting
import ResponseDiff

struct Mirror: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mirror", abstract: "Send live traffic to a shadow while it happens, and compare the answers.",
    discussion: """
      Captures as 'umbra capture' does and sends each request to the shadow as soon as it is whole. Its answer is \
      compared with the one that production gave. Production never waits: what the shadow cannot take is left out, the \
      newest first, and counted.

      Replayed requests carry a marker and are not mirrored again; nor are requests to the shadow itself.

        umbra mirror -i lo -p 8080 --target http://canary:8080
        umbra mirror -i eth0 -p 80 --target http://canary:8080 -w day.umbra
        umbra mirror -i eth0 -p 80 --target http://canary:8080 --rules rules.yaml --sample 10%
        umbra mirror -i eth0 -p 80 --target http://canary:8080 --inject credentials.yaml
        umbra mirror -i lo -p 8080 --target http://canary:8080 \\
          --report-every 1h --report 'mirror-%H.html' --gate 'error.rate < 1%' --metrics :9090

      Exit status: 0 all gates passed in every window, 1 a gate was crossed, 3 the evidence is not good enough to say.
      """)

  @Option(
    help: ArgumentHelp(
      "The shadow: http://HOST:PORT. Several share the connections by weight: URL=WEIGHT.", valueName: "url"),
    transform: TargetChoice.init)
  var target: [TargetChoice]

  @OptionGroup(title: "Sources") var source: SourceOptions
  @OptionGroup(title: "What to keep") var keep: MirrorKeepOptions
  @OptionGroup(title: "Rules") var rules: RulesOptions
  @OptionGroup(title: "Encryption") var encrypting: EncryptionOptions
  @OptionGroup(title: "When to stop") var stop: StopOptions
  @OptionGroup(title: "Reaching the shadow") var reaching: TargetOptions
  @OptionGroup(title: "What is sent") var sending: SendingOptions
  @OptionGroup(title: "What is sent") var injecting: InjectOptions
  @OptionGroup(title: "Protecting the shadow") var protection: ProtectionOptions
  @OptionGroup(title: "Comparing") var comparing: ComparingOptions
  @OptionGroup(title: "Being watched") var telemetry: TelemetryOptions
  @OptionGroup(title: "Standard error") var console: ConsoleOptions

  func validate() throws {
    if source.interface.isEmpty || !source.read.isEmpty {
      throw ValidationError(
        "a mirror is live: name an interface with -i ('umbra interfaces' lists them); a saved capture is read by "
          + "'umbra capture -r' and sent by 'umbra replay'")
    }
    if source.assumeHeaderTables, source.fanout > 1 {
      throw ValidationError("--h2-assume-table needs all connections in one thread: leave out --fanout")
    }
    if source.follow || source.reorderWindow != nil {
      throw ValidationError("\(source.follow ? "--follow" : "--reorder-window") is for saved captures")
    }
    guard (1...64).contains(source.fanout) else { throw ValidationError("--fanout takes 1 to 64 threads") }
    if keep.rotate != nil, keep.write ?? "-" == "-" {
      throw ValidationError("--rotate needs files to write: -w 'cap-%Y%m%dT%H%M%S.umbra'")
    }
    if keep.rotate == nil, keep.keep != nil {
      throw ValidationError("--keep says how many files stay with --rotate, which is missing")
    }
    if let interval = keep.reportEvery, interval.nanoseconds < 1_000_000_000 {
      throw ValidationError("--report-every takes 1s or more")
    }
    if keep.queue.bytes < 1_000_000 { throw ValidationError("--queue takes 1MB or more") }
  }

  func run() throws {
    Interruption.install()
    Interruption.installStatus()
    let observation = telemetry.observation(of: "mirror")
    defer { observation?.stop() }
    try source.checkKeyLogs()
    var plan = MirrorPlan(
      capture: capturePlan(observation), replay: try replayPlan(observation),
      reportInterval: keep.reportEvery?.nanoseconds, queueLimit: keep.queue.bytes)
    try plan.apply(rules, injection: try injecting.rules())
    plan.capture.key = try encrypting.key()
    let result = try MirrorSession(plan).run()
    if !console.log.quiet {
      StandardError.write(result.capture.text)
      let standardOutput = try Output()
      try standardOutput.write(
        result.report.rendered(as: .text, options: ReportOptions(usesColor: mayColour, runFile: "RUN")))
      try standardOutput.flush()
    }
    let worst = Verdict(outcome: result.worst, reasons: [])
    if worst.outcome != .pass, console.log.quiet || StandardError.isJSON {
      StandardError.sayVerdict(result.worst, result.report.verdict.reasons.first)
    }
    if worst.outcome != .pass { throw ExitCode(worst.exitStatus.rawValue) }
  }

  private func capturePlan(_ observation: Observation?) -> CapturePlan {
    var plan = CapturePlan(origin: .interfaces(source.interface))
    (plan.ports, plan.filter) = (source.port, source.filter)
    (plan.snapLength, plan.bufferBytes) = (source.snaplen, source.buffer.bytes)
    plan.parsing = ParsingOptions(decapsulation: source.decap.value, verifiesChecksums: source.verifyChecksums)
    (plan.keyLogs, plan.tlsWait, plan.tlsHold) = (source.tlsKeylog, source.tlsWait.nanoseconds, source.tlsHold.bytes)
    (plan.promiscuous, plan.fanout, plan.waits) = (source.promiscuous, source.fanout, source.wait)
    plan.privileges = source.user.map { .user($0) } ?? .automatic
    (plan.destination, plan.overwrite) = (keep.write, keep.overwrite)
    (plan.rotation, plan.kept) = (keep.rotate, keep.keep)
    (plan.bodyLimit, plan.memoryLimit) = (keep.bodyLimit.bytes, keep.memoryLimit.bytes)
    plan.assumesHeaderTables = source.assumeHeaderTables
    plan.keepsCredentials = sending.keepCredentials
    (plan.duration, plan.maxExchanges) = (stop.duration?.nanoseconds, stop.maxExchanges)
    plan.maxSize = stop.maxSize?.bytes
    (plan.progress, plan.isQuiet) = (console.shownProgress, console.log.quiet)
    plan.observation = observation
    return plan
  }

  private func replayPlan(_ observation: Observation?) throws -> ReplayPlan {
    var options = ReplayOptions()
    protection.apply(to: &options)
    reaching.apply(to: &options)
    options.connections = sending.connections.value
    options.methods = sending.allowUnsafe ? nil : Set(sending.methods.names)
    options.host = sending.host.value
    options.bodyLimit = keep.bodyLimit.bytes
    options.memoryLimit = keep.queue.bytes
    var plan = ReplayPlan(
      session: "",
      targets: target.map { WeightedTarget(reaching.reached($0.value.target), weight: $0.value.weight) },
      options: options, marker: sending.marker)
    plan.rewritesIdempotencyKeys = !sending.keepIdempotencyKeys
    plan.force = sending.force
    plan.ignore = try comparing.ignoredLocations()
    plan.descriptors = try comparing.descriptors()
    plan.gates = try comparing.gates()
    plan.reports = try comparing.reports()
    plan.keepsCredentials = sending.keepCredentials
    plan.isQuiet = console.log.quiet
    plan.observation = observation
    return plan
  }
}

struct MirrorKeepOptions: ParsableArguments {
  @Option(
    name: [.short, .long], help: ArgumentHelp("Write the captured exchanges to a session file too.", valueName: "file"),
    completion: .file(extensions: ["umbra"]))
  var write: String?

  @Option(
    help: ArgumentHelp(
      "With -w: begin a new file at this size, age, or both: 1GiB, 1h, 1GiB,1h.", valueName: "size,time"))
  var rotate: RotationRule?

  @Option(help: ArgumentHelp("With --rotate: session files that stay; older ones are deleted.", valueName: "n"))
  var keep: Int?

  @Flag(help: "Replace the session file if it exists.")
  var overwrite = false

  @Option(
    help: ArgumentHelp(
      """
      Judge and report windows of this length, each by itself. The name of --report may hold conversions of \
      strftime(3); without them each report takes the place of the one before.
      """, valueName: "time"))
  var reportEvery: TimeSpan?

  @Option(help: ArgumentHelp("Bytes that may wait between capture and shadow.", valueName: "size"))
  var queue = ByteSize(bytes: 64_000_000)

  @Option(help: ArgumentHelp("Bytes kept of a body; the rest is counted and hashed.", valueName: "size"))
  var bodyLimit = ByteSize(bytes: 10_000_000)

  @Option(help: ArgumentHelp("Bytes held by reassembly and the disk's queue.", valueName: "size"))
  var memoryLimit = ByteSize(bytes: 256_000_000)
}
