// `umbra capture`: flags, validated into a plan, and the plan carried out.

import ArgumentParser
import ExchangeAssembly
import HTTPModel
import PcapCapture
import SessionFile

struct Capture: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Record HTTP traffic from an interface or from a saved capture.",
    discussion: """
      Reads copies of packets, puts TCP streams and HTTP exchanges together, and writes them to a session file. \
      Without -w the exchanges are counted and nothing is written.

      Values of Authorization, Proxy-Authorization, Cookie and Set-Cookie are replaced by tokens before anything is \
      written; equal values get equal tokens.

        umbra capture -i lo -p 8080 -w day.umbra
        umbra capture -r dump.pcapng -w day.umbra
        tcpdump -i eth0 -w - port 80 | umbra capture -r - -w day.umbra
      """)

  @OptionGroup(title: "Sources") var source: SourceOptions
  @OptionGroup(title: "What to keep") var keep: KeepOptions
  @OptionGroup(title: "When to stop") var stop: StopOptions
  @OptionGroup(title: "Standard error") var console: ConsoleOptions

  func validate() throws {
    if source.interface.isEmpty == source.read.isEmpty {
      throw ValidationError(
        source.interface.isEmpty
          ? "name a source: -i INTERFACE for live traffic ('umbra interfaces' lists them) or -r FILE for a saved capture"
          : "-i and -r exclude each other: capture live or read a file")
    }
    if source.interface.count > 1 {
      throw ValidationError("one -i at a time in this version; '-i any' captures on all interfaces")
    }
    if source.read.count > 1 {
      throw ValidationError("one -r at a time in this version; merge captures with mergecap first")
    }
  }

  func run() throws {
    Interruption.install()
    let plan = CapturePlan(
      origin: source.interface.first.map { .interface($0) } ?? .file(source.read[0]), ports: source.port,
      filter: source.filter, snapLength: source.snaplen, bufferBytes: source.buffer.bytes,
      promiscuous: source.promiscuous, destination: keep.write, overwrite: keep.overwrite,
      bodyLimit: keep.bodyLimit.bytes, memoryLimit: keep.memoryLimit.bytes, keepsCredentials: keep.keepCredentials,
      duration: stop.duration?.nanoseconds, maxExchanges: stop.maxExchanges, maxSize: stop.maxSize?.bytes,
      progress: console.quiet ? .none : console.progress, isQuiet: console.quiet)
    let summary = try CaptureSession(plan).run()
    if !console.quiet { StandardError.write(summary.text) }
  }
}

struct SourceOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Capture live on this interface; 'any' means all of them.", valueName: "name"))
  var interface: [String] = []

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Read a saved capture: pcap or pcapng; '-' is standard input.", valueName: "file"),
    completion: .file(extensions: ["pcap", "pcapng", "cap"]))
  var read: [String] = []

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Server ports: N, N,N or N-M. Default: any port that speaks HTTP.", valueName: "ports"))
  var port: PortSet?

  @Option(
    name: [.short, .long], help: ArgumentHelp("A pcap-filter(7) expression, added to the ports.", valueName: "bpf"))
  var filter: String?

  @Option(help: ArgumentHelp("Bytes captured of each packet.", valueName: "bytes"))
  var snaplen: Int = 262_144

  @Option(help: ArgumentHelp("The kernel's ring buffer for live capture.", valueName: "size"))
  var buffer = ByteSize(bytes: 64 << 20)

  @Flag(help: "Put the interface into promiscuous mode.")
  var promiscuous = false
}

struct KeepOptions: ParsableArguments {
  @Option(
    name: [.short, .long], help: ArgumentHelp("Write a session file; '-' is standard output.", valueName: "file"),
    completion: .file(extensions: ["umbra"]))
  var write: String?

  @Flag(help: "Replace the session file if it exists.")
  var overwrite = false

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
}

struct ConsoleOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Live status: auto (on a terminal), plain or none.", valueName: "mode"))
  var progress: ProgressMode = .auto

  @Flag(name: [.short, .long], help: "Say nothing but errors.")
  var quiet = false
}
