// `umbra capture`: flags, validated into a plan, and the plan carried out.

import ArgumentParser
import ExchangeAssembly
import Glibc
import HTTPModel
import PacketHeaders
import PcapCapture
import SessionFile

struct Capture: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture", abstract: "Record HTTP traffic from an interface or from a saved capture.",
    discussion: """
      Reads copies of packets, puts TCP streams and HTTP exchanges together, and writes them to a session file. \
      Without -w the exchanges are counted and nothing is written.

      Credentials in headers and cookies, and values of well-known names (password, token, api_key, …) in queries and \
      bodies, are replaced by tokens before anything is written; equal values get equal tokens. --rules says what else. \
      With --proto-descriptors the fields of gRPC messages have names, and are hidden by them too: umbra-rules(5) says how.

        umbra capture -i lo -p 8080 -w day.umbra
        umbra capture -i lo -p 50051 -w calls.umbra --proto-descriptors shop.pb
        umbra capture -r dump.pcapng -w day.umbra
        tcpdump -i eth0 -w - port 80 | umbra capture -r - -w day.umbra
      """)

  @OptionGroup(title: "Sources") var source: SourceOptions
  @OptionGroup(title: "What to keep") var keep: KeepOptions
  @OptionGroup(title: "Rules") var rules: RulesOptions
  @OptionGroup(title: "Rules") var types: MessageTypesOptions
  @OptionGroup(title: "Encryption") var encrypting: EncryptionOptions
  @OptionGroup(title: "When to stop") var stop: StopOptions
  @OptionGroup(title: "Being watched") var telemetry: TelemetryOptions
  @OptionGroup(title: "Standard error") var console: ConsoleOptions

  func validate() throws {
    if source.interface.isEmpty == source.read.isEmpty {
      throw ValidationError(
        source.interface.isEmpty
          ? "name a source: -i INTERFACE for live traffic ('umbra interfaces' lists them) or -r FILE for a saved capture"
          : "-i and -r exclude each other: capture live or read a file")
    }
    if source.read.count(where: { $0 == "-" }) > 1 { throw ValidationError("standard input can be read once only") }
    if source.read.isEmpty, source.follow || source.reorderWindow != nil {
      throw ValidationError("\(source.follow ? "--follow" : "--reorder-window") is for saved captures (-r)")
    }
    guard (1...64).contains(source.fanout) else { throw ValidationError("--fanout takes 1 to 64 threads") }
    let live = [
      ("--fanout", source.fanout > 1), ("--wait", source.wait), ("--user", source.user != nil),
      ("--rotate", keep.rotate != nil),
    ]
    if source.interface.isEmpty, let flag = live.first(where: \.1) {
      throw ValidationError("\(flag.0) is for live capture (-i)")
    }
    if keep.rotate != nil, keep.write ?? "-" == "-" {
      throw ValidationError("--rotate needs files to write: -w 'cap-%Y%m%dT%H%M%S.umbra'")
    }
    if keep.rotate == nil, keep.keep != nil {
      throw ValidationError("--keep says how many files stay with --rotate, which is missing")
    }
    if keep.rawWithSecrets, keep.raw == nil {
      throw ValidationError("--raw-with-secrets is about the files of --raw, which is missing")
    }
    if source.assumeHeaderTables, source.fanout > 1 {
      throw ValidationError("--h2-assume-table needs all connections in one thread: leave out --fanout")
    }
    if let kept = keep.keep, kept < 1 { throw ValidationError("--keep takes 1 or more: the file being written counts") }
  }

  func run() throws {
    try source.checkKeyLogs()
    Interruption.install()
    Interruption.installStatus()
    var plan = CapturePlan(
      origin: source.interface.isEmpty ? .files(source.read) : .interfaces(source.interface), follows: source.follow,
      reorderWindow: source.reorderWindow?.nanoseconds ?? 0, raw: keep.ring, ports: source.port,
      filter: source.filter, snapLength: source.snaplen, bufferBytes: source.buffer.bytes,
      parsing: ParsingOptions(decapsulation: source.decap.value, verifiesChecksums: source.verifyChecksums),
      rawHasSecrets: keep.rawWithSecrets, assumesHeaderTables: source.assumeHeaderTables,
      keyLogs: source.tlsKeylog, tlsWait: source.tlsWait.nanoseconds, tlsHold: source.tlsHold.bytes,
      promiscuous: source.promiscuous, fanout: source.fanout, waits: source.wait,
      privileges: source.user.map { .user($0) } ?? .automatic, destination: keep.write, overwrite: keep.overwrite,
      rotation: keep.rotate, kept: keep.keep, bodyLimit: keep.bodyLimit.bytes, memoryLimit: keep.memoryLimit.bytes,
      keepsCredentials: keep.keepCredentials,
      duration: stop.duration?.nanoseconds, maxExchanges: stop.maxExchanges, maxSize: stop.maxSize?.bytes,
      progress: console.shownProgress, isQuiet: console.log.quiet)
    plan.rules = try rules.live(descriptors: types.descriptors())
    plan.key = try encrypting.key()
    plan.observation = telemetry.observation(of: "capture")
    defer { plan.observation?.stop() }
    let summary = try CaptureSession(plan).run()
    if !console.log.quiet { StandardError.write(summary.text) }
  }
}

struct SourceOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Capture live on this interface, repeatable; 'any' means all of them.", valueName: "name"),
    completion: .shellCommand("ls /sys/class/net; echo any"))
  var interface: [String] = []

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Read a saved capture: pcap or pcapng, gzip or zstd too, '-' is standard input; several are merged by time.",
      valueName: "file"),
    completion: .file(extensions: ["pcap", "pcapng", "cap"]))
  var read: [String] = []

  @Flag(help: "Read saved captures on as they are written, until interrupted.")
  var follow = false

  @Option(
    help: ArgumentHelp("Put a saved capture's packets in order of time within this span.", valueName: "time"))
  var reorderWindow: TimeSpan?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Server ports: N, N,N or N-M. Default: any port that speaks HTTP.", valueName: "ports"))
  var port: PortSet?

  @Option(
    name: [.short, .long], help: ArgumentHelp("A pcap-filter(7) expression, added to the ports.", valueName: "bpf"))
  var filter: String?

  @Option(help: ArgumentHelp("Bytes captured of each packet.", valueName: "bytes"))
  var snaplen: Int = 262_144

  @Option(help: ArgumentHelp("The kernel's ring buffer for each interface of a live capture.", valueName: "size"))
  var buffer = ByteSize(bytes: 64 << 20)

  @Option(
    help: ArgumentHelp(
      "Threads that share the packets of a live capture, each connection's going to one of them.", valueName: "n"))
  var fanout = 1

  @Flag(help: "Wait for an interface that is not there or went away.")
  var wait = false

  @Option(
    help: ArgumentHelp(
      """
      Run as this user once the interfaces are open. Default: who called sudo; or root without root's capabilities. \
      'root' gives up nothing.
      """, valueName: "name"))
  var user: String?

  @Option(
    help: ArgumentHelp(
      "Look for HTTP within tunnels (VXLAN, Geneve, GRE and others), this many headers deep, or 'off'.",
      valueName: "depth"))
  var decap = DecapsulationDepth(value: .standard)

  @Option(
    help: ArgumentHelp(
      "Read TLS with the secrets of this key log (SSLKEYLOGFILE), repeatable, followed as it grows.", valueName: "file"),
    completion: .file())
  var tlsKeylog: [String] = []

  @Option(help: ArgumentHelp("How long ciphertext is held for its secrets.", valueName: "time"))
  var tlsWait = TimeSpan.seconds(30)

  @Option(help: ArgumentHelp("Ciphertext held for one connection while its secrets are missing.", valueName: "size"))
  var tlsHold = ByteSize(bytes: 4_000_000)

  @Flag(
    name: .customLong("h2-assume-table"),
    help: ArgumentHelp(
      """
      Where the beginning of an HTTP/2 connection was not seen, take what it has in its header tables from another one \
      between the same two hosts. Fields that come from there are marked as assumed. Saved captures are read twice.
      """))
  var assumeHeaderTables = false

  @Flag(help: "Pass over packets with wrong checksums. Those that an interface was to compute are wrong when captured.")
  var verifyChecksums = false

  @Flag(help: "Put the interface into promiscuous mode.")
  var promiscuous = false

  /// A live capture may begin before its key log is there.
  func checkKeyLogs() throws {
    for path in tlsKeylog where access(path, R_OK) != 0 && (!read.isEmpty || errno != ENOENT) {
      throw CommandFailure("can't read the key log \(path): \(systemError()). Check the name and who may read it.")
    }
  }
}

struct KeepOptions: ParsableArguments {
  @Option(
    name: [.short, .long], help: ArgumentHelp("Write a session file; '-' is standard output.", valueName: "file"),
    completion: .file(extensions: ["umbra"]))
  var write: String?

  @Option(
    help: ArgumentHelp(
      """
      Begin a new session file at this size, age, or both: 1GiB, 1h, 1GiB,1h. The name of -w may hold conversions of \
      strftime(3); without them files are numbered.
      """, valueName: "size,time"))
  var rotate: RotationRule?

  @Option(help: ArgumentHelp("With --rotate: session files that stay; older ones are deleted.", valueName: "n"))
  var keep: Int?

  @Option(
    help: ArgumentHelp(
      "Keep the packets too, the newest of them, in pcapng files: FILE, FILE.1, and so on. Not redacted.",
      valueName: "file"))
  var raw: String?

  @Option(help: ArgumentHelp("Bytes that the files of --raw have together.", valueName: "size"))
  var rawSize = ByteSize(bytes: 1_000_000_000)

  @Flag(
    help: ArgumentHelp(
      "Write the TLS secrets of --tls-keylog into the files of --raw: who has such a file can read all of it."))
  var rawWithSecrets = false

  @Flag(help: "Replace the session file, and files of --raw, if they exist.")
  var overwrite = false

  var ring: PacketRingOptions? {
    raw.map {
      PacketRingOptions(
        path: $0, byteLimit: rawSize.bytes, overwrite: overwrite, application: "umbra \(umbraVersion)")
    }
  }

  @Option(help: ArgumentHelp("Bytes kept of a body; the rest is counted and hashed.", valueName: "size"))
  var bodyLimit = ByteSize(bytes: 10_000_000)

  @Option(help: ArgumentHelp("Bytes held by reassembly and queues.", valueName: "size"))
  var memoryLimit = ByteSize(bytes: 256_000_000)

  @Flag(help: "Write credentials as they are instead of as tokens.")
  var keepCredentials = false
}

struct StopOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Stop after this time: 30s, 5m, 1h.", valueName: "time"))
  var duration: TimeSpan?

  @Option(help: ArgumentHelp("Stop after this many exchanges.", valueName: "n"))
  var maxExchanges: UInt64?

  @Option(help: ArgumentHelp("Stop when the session file has this size.", valueName: "size"))
  var maxSize: ByteSize?

  func validate() throws {
    let nothing = [
      ("--duration", duration?.nanoseconds == 0), ("--max-exchanges", maxExchanges == 0),
      ("--max-size", maxSize?.bytes == 0),
    ]
    if let flag = nothing.first(where: \.1) { throw ValidationError("\(flag.0) 0 would capture nothing") }
  }
}

struct ConsoleOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Live status: auto (on a terminal), plain or none.", valueName: "mode"))
  var progress: ProgressMode = .auto

  @OptionGroup var log: LogOptions

  /// None that is written over where lines are read by a machine.
  var shownProgress: ProgressMode {
    if log.quiet { return .none }
    return StandardError.isJSON && progress == .auto ? .none : progress
  }
}
