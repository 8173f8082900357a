// The flags of `umbra replay`, by what they are about.

import ArgumentParser
import ContentTree
import ReplayClient
import ReplaySchedule
import Reporting
import ResponseDiff

struct PacingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Recorded times, X times as fast: 1x, 0.5x, 10x, or max.", valueName: "x"))
  var speed: String?

  @Option(
    help: ArgumentHelp(
      """
      Arrivals instead of recorded times: 500/s, 30/m; ramp:100/s..3000/s,5m; step:500/s..3000/s,+500/s,1m; \
      spike:500/s,5000/s,at=1m,for=30s; sine:MEAN/s,AMPLITUDE/s,PERIOD. Parts are joined by ';', a rate or a sine then \
      ends after a time: 500/s,2m. poisson: before a part makes its arrivals random.
      """, valueName: "profile"))
  var rate: String?

  @Option(help: ArgumentHelp("Cut recorded pauses to this length.", valueName: "time"))
  var maxPause: TimeSpan?

  @Option(
    help: ArgumentHelp(
      "Go through the session at most this many times. Default: once; until the end of --duration or of --rate's parts.",
      valueName: "n"))
  var loop: UInt32?

  @Option(help: ArgumentHelp("Send nothing more after this time; until then, go round the session.", valueName: "time"))
  var duration: TimeSpan?

  @Option(
    help: ArgumentHelp(
      """
      Replay only the K-th of N shares of the connections. --rate is that of all shards: together they send what one \
      would.
      """, valueName: "k/n"))
  var shard = ShardChoice()

  @Option(help: ArgumentHelp("Random arrivals and faults are the same for the same number.", valueName: "n"))
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp("Inconclusive where a request was sent later than this after its time.", valueName: "time"))
  var maxLag: TimeSpan?

  func validate() throws {
    if speed != nil, rate != nil { throw ValidationError("--speed and --rate exclude each other: give one") }
    if loop == 0 { throw ValidationError("--loop takes 1 or more") }
    if duration?.nanoseconds == 0 { throw ValidationError("--duration takes a time above 0") }
    if maxPause != nil, rate != nil || speed == "max" {
      throw ValidationError("--max-pause cuts recorded pauses, and \(rate != nil ? "--rate" : "--speed max") has none")
    }
  }

  func apply(to options: inout ReplayOptions) throws(PacingError) {
    if let rate {
      options.pacing = try Pacing(rate: rate)
    } else {
      options.pacing = try Pacing(speed: speed ?? "1x")
    }
    options.maximumPause = maxPause?.nanoseconds
    options.duration = duration?.nanoseconds
    options.shard = shard.shard
    options.seed = seed
    var ends = duration != nil
    if case .profile(let profile) = options.pacing, profile.length != nil { ends = true }
    options.rounds = loop ?? (ends ? .max : 1)
  }
}

struct SendingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Methods that are sent.", valueName: "list"))
  var methods = MethodList(names: ["GET", "HEAD", "OPTIONS"])

  @Flag(help: "Send every method, also those that change something, gRPC calls and GraphQL mutations.")
  var allowUnsafe = false

  @Option(help: ArgumentHelp("The Host sent: recorded, target, or a name.", valueName: "host"))
  var host = HostChoice(value: .recorded)

  @Option(
    help: ArgumentHelp("A header that marks replayed requests, or none.", valueName: "name:value"))
  var marker: MarkerChoice = .standard

  @Flag(help: "Send recorded idempotency keys as they are instead of keys of this run.")
  var keepIdempotencyKeys = false

  @Option(help: ArgumentHelp("recorded: one for each recorded connection; or a pool of N per target.", valueName: "n"))
  var connections = ConnectionsChoice(value: .recorded)

  @Flag(help: "Write credentials of answers as they are instead of as tokens.")
  var keepCredentials = false

  @Flag(help: "Allow the captured server itself as the target.")
  var force = false
}

struct ThreadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Send from this many threads, which share connections and caps evenly; each has breakers of its own.",
      valueName: "n"))
  var threads = 1

  /// - Parameters:
  ///   - asksOthers: a primary or a control.
  ///   - needsAnswers: values that the shadow makes are put into later requests.
  func check(_ connections: ConnectionsChoice, concurrency: Int, asksOthers: Bool, needsAnswers: Bool) throws {
    guard threads != 1 else { return }
    if !(1...64).contains(threads) { throw ValidationError("--threads takes 1 to 64") }
    if asksOthers {
      throw ValidationError("--primary and --control are asked side by side, from one thread: leave out --threads")
    }
    if needsAnswers {
      throw ValidationError("--correlate auto needs all answers in one thread: leave out --threads")
    }
    if concurrency < threads {
      throw ValidationError("--concurrency \(concurrency) leaves nothing to some of \(threads) threads: use fewer")
    }
    if case .pool(let size) = connections.value, size < threads {
      throw ValidationError("--connections \(size) leaves none to some of \(threads) threads: use fewer")
    }
  }
}

struct ProtectionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("At most this many requests in flight.", valueName: "n"))
  var concurrency = 1024

  @Option(help: ArgumentHelp("From a request's first byte to its answer's last.", valueName: "time"))
  var timeout = TimeSpan.seconds(10)

  @Option(
    help: ArgumentHelp("From a request's first byte to its answer's first. Default: --timeout.", valueName: "time"))
  var firstByteTimeout: TimeSpan?

  @Option(help: ArgumentHelp("For a connection to be made.", valueName: "time"))
  var connectTimeout = TimeSpan.seconds(3)

  @Option(
    help: ArgumentHelp(
      "Try a safe request again that got no connection or no byte of an answer from it, with growing waits.",
      valueName: "n"))
  var retries: UInt32 = 0

  @Option(
    help: ArgumentHelp(
      """
      Leave a target alone when this share of its results in the window fails (no whole answer, 502, 503, 504; at \
      least 20 results), try it after 1s to 30s, go on when it answers: RATE%/WINDOW, or off.
      """, valueName: "breaker"))
  var breaker = BreakerChoice.standard

  @Option(help: ArgumentHelp("After Ctrl-C, wait so long for answers to what was sent.", valueName: "time"))
  var drain = TimeSpan.seconds(5)

  @Option(
    help: ArgumentHelp(
      """
      Let something go wrong on purpose: delay:10%:200ms..2s before sending; abort:1%:503 answered so without sending; \
      reset:0.5% cut in the middle of the request; throttle:64KB/s for each connection, both ways. May be repeated.
      """, valueName: "fault"),
    transform: FaultChoice.init)
  var fault: [FaultChoice] = []

  func validate() throws {
    if !(1...1_000_000).contains(concurrency) { throw ValidationError("--concurrency takes 1 to 1000000") }
    if retries > 100 { throw ValidationError("--retries takes 0 to 100") }
  }

  func apply(to options: inout ReplayOptions) {
    options.concurrency = concurrency
    options.timeout = timeout.nanoseconds
    options.firstByteTimeout = firstByteTimeout?.nanoseconds
    options.connectTimeout = connectTimeout.nanoseconds
    options.retries = retries
    options.breaker = breaker.options
    options.interruptGrace = drain.nanoseconds
    options.faults = fault.map(\.fault)
  }
}

/// How answers are compared and judged; `replay` and `report` share it.
struct ComparingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Leave a place out: header:NAME, body, body:/json/pointer; * is one step, ** any number.", valueName: "place"))
  var ignore: [String] = []

  @Option(
    help: ArgumentHelp("'METRIC OP VALUE', such as 'error.rate < 1%'. Default: regressions == 0.", valueName: "gate"),
    completion: .custom(Suggestions.gates))
  var gate: [String] = []

  @Option(
    help: ArgumentHelp("Write a report; the format from the name: .html, .json, .md, .xml, .txt.", valueName: "file"),
    completion: .file(extensions: ["html", "json", "md", "xml", "txt"]))
  var report: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Compare the fields of gRPC messages by name, with this FileDescriptorSet (protoc --include_imports \
      --descriptor_set_out), instead of by number.
      """, valueName: "file"), completion: .file())
  var protoDescriptors: String?

  func descriptors() throws -> ProtobufDescriptors? {
    try protoDescriptors.map { try MessageTypes(path: $0).descriptors }
  }

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
