// `umbra convert`: from one format to another, in bounded memory.
//
// A session is the middle of it. What is read becomes a session file, and where another format is to be written that
// file is a temporary one, read in order of time. From a session or into a session one of the two halves is left out.

import ArgumentParser
import HTTPModel
import Interchange
import SessionFile
import TrafficRules

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert sessions from and to packet captures, HAR, GoReplay, mitmproxy, JSON lines and curl scripts.",
    usage: "umbra convert [<options>] <in> ... <out>",
    discussion: """
      Reads session and run files, pcap and pcapng, HAR 1.2, GoReplay files, mitmproxy's flow files and JSON lines as \
      'umbra show' prints them; what a file is, is told from its content. Writes sessions, HAR, GoReplay files, JSON lines and curl scripts; which, \
      is told from the name: .umbra, .har, .gor, .jsonl, .sh, all but the first with .gz too. '-' is standard input or \
      output. What a format can't carry is said at the end, with a count.

      Credentials become tokens, as in capture, unless they were tokens before. With --rules a stored session is \
      selected from, sampled and hidden in anew.

        umbra convert dump.pcapng day.umbra
        umbra convert browser.har day.umbra
        umbra convert requests_0.gor requests_1.gor.gz day.umbra
        umbra convert flows.mitm day.umbra
        umbra convert day.umbra day.har --where 'status>=500'
        umbra convert day.umbra clean.umbra --rules rules.yaml
        umbra convert day.umbra - --to jsonl | jq .request.target
      """)

  @Argument(
    help: ArgumentHelp("Files to read, then the file to write.", valueName: "file"),
    completion: .file(
      extensions: ["umbra", "umbra-run", "pcap", "pcapng", "har", "gor", "gz", "mitm", "flow", "flows", "jsonl"]))
  var files: [String]

  @Option(help: ArgumentHelp("What is read: session, pcap, har, gor, mitmproxy or jsonl.", valueName: "format"))
  var from: FileFormat?

  @Option(help: ArgumentHelp("What is written: session, har, gor, jsonl or curl.", valueName: "format"))
  var to: FileFormat?

  @Option(
    name: .customLong("where"), help: ArgumentHelp("Only exchanges that meet the conditions.", valueName: "filter"),
    completion: .custom(Suggestions.filters))
  var filter: String?

  @OptionGroup(title: "Rules") var rules: RulesOptions
  @OptionGroup(title: "Rules") var types: MessageTypesOptions
  @OptionGroup(title: "Encryption") var decrypting: DecryptionOptions
  @OptionGroup(title: "Encryption") var encrypting: EncryptionOptions

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Of a packet capture: server ports. Default: any port that speaks HTTP.", valueName: "ports"))
  var port: PortSet?

  @Option(
    help: ArgumentHelp(
      "Of a packet capture: read TLS with the secrets of this key log, repeatable.", valueName: "file"),
    completion: .file())
  var tlsKeylog: [String] = []

  @Option(help: ArgumentHelp("Bytes kept of a body; the rest is counted and hashed.", valueName: "size"))
  var bodyLimit = ByteSize(bytes: 10_000_000)

  @Flag(help: "Write credentials as they are instead of as tokens.")
  var keepCredentials = false

  @Flag(help: "Replace the file to write if it exists.")
  var overwrite = false

  @OptionGroup(title: "Standard error") var log: LogOptions

  func validate() throws {
    guard files.count >= 2 else { throw ValidationError("name a file to read and a file to write") }
    if files.dropLast().count(where: { $0 == "-" }) > 1 {
      throw ValidationError("standard input can be read once only")
    }
    if let from, !FileFormat.readable.contains(from) { throw ValidationError("\(from.rawValue) can't be read") }
    if let to, !FileFormat.writable.contains(to) { throw ValidationError("\(to.rawValue) can't be written") }
    if to == nil {
      let name = files[files.count - 1]
      guard let format = FileFormat(name: name) else {
        throw ValidationError("'\(name)' doesn't tell the format to write: say --to session, har, gor, jsonl or curl")
      }
      guard FileFormat.writable.contains(format) else {
        throw ValidationError("\(format.rawValue) can be read only; written are session, har, gor, jsonl and curl")
      }
    }
    if let destination = files.last, destination != "-", files.dropLast().contains(destination) {
      throw ValidationError("\(destination) would be read and written at once: choose another name")
    }
  }

  func run() throws {
    let filter = try self.filter.map(WhereFilter.init(parsing:))
    Interruption.install()
    let descriptors = try types.descriptors()
    let conversion = try Conversion(
      Conversion.Plan(
        sources: files.dropLast(), from: from, destination: files[files.count - 1],
        to: to ?? FileFormat(name: files[files.count - 1]) ?? .session, filter: filter,
        rules: rules.isGiven || descriptors != nil ? try rules.live(descriptors: descriptors) : nil,
        ports: port, keyLogs: tlsKeylog, bodyLimit: bodyLimit.bytes,
        keepsCredentials: keepCredentials, overwrite: overwrite,
        key: decrypting.key(), encryptsTo: encrypting.key()))
    let sentences = try conversion.run()
    if !log.quiet { StandardError.write(sentences.map { "umbra: \($0)\n" }.joined()) }
  }
}
