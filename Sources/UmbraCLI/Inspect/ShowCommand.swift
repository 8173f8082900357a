// `umbra show`: a session's exchanges in order of request start.

import ArgumentParser
import Glibc
import HTTPModel
import Interchange
import SessionFile

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "List and print the exchanges of a session.",
    usage: "umbra show [<options>] <file>",
    discussion: """
      Text gives a line an exchange, or with --id one exchange whole, of a run with the shadow's answer. JSON lines, \
      HAR and curl commands are for scripts and other programs. The conditions of --where are described in \
      umbra-filter(7).

        umbra show day.umbra
        umbra show day.umbra --where 'method=POST status>=500 path~^/api'
        umbra show day.umbra --sort latency --head 20
        umbra show day.umbra --id 7-3
        umbra show day.umbra --follow
        umbra show day.umbra --dependencies
        umbra show day.umbra --format jsonl --body inline | jq .
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, jsonl, curl, har }
  enum Body: String, ExpressibleByArgument, CaseIterable { case none, inline, raw }

  @Argument(
    help: ArgumentHelp("A session or run file; '-' is standard input.", valueName: "file"),
    completion: .file(extensions: ["umbra", "umbra-run"]))
  var file: String

  @Option(help: ArgumentHelp("text, jsonl, curl or har.", valueName: "format"))
  var format: Format = .text

  @Option(
    name: .customLong("where"), help: ArgumentHelp("Only exchanges that meet the conditions.", valueName: "filter"),
    completion: .custom(Suggestions.filters))
  var filter: String?

  @Option(help: ArgumentHelp("Only this exchange, whole.", valueName: "id"))
  var id: String?

  @Option(
    help: ArgumentHelp(
      "Bodies: inline puts them into JSON lines, raw prints them as sent with --id.", valueName: "mode"))
  var body: Body = .none

  @Option(
    help: ArgumentHelp(
      "Name the fields of gRPC messages by this FileDescriptorSet (protoc --include_imports --descriptor_set_out).",
      valueName: "file"), completion: .file())
  var protoDescriptors: String?

  @Option(help: ArgumentHelp("At most this many exchanges, the first.", valueName: "n"))
  var head: Int?

  @Option(help: ArgumentHelp("At most this many exchanges, the last.", valueName: "n"))
  var tail: Int?

  @Option(
    help: ArgumentHelp(
      """
      Order: start, or the greatest first of latency, size, request.size and status, or by method, path, host, endpoint. \
      The first \(grouped(ExchangeOrder.defaultLimit)) are shown unless --head says otherwise.
      """, valueName: "key"))
  var sort: ExchangeOrder.Key = .start

  @Flag(help: "The other way round.")
  var reverse = false

  @Option(
    help: ArgumentHelp(
      "Columns of the text: \(ShowColumn.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "list"),
    completion: .list(ShowColumn.allCases.map(\.rawValue)))
  var columns = ColumnList(columns: ShowColumn.standard)

  @Flag(help: "Go on as the session is written, until it is finished or Ctrl-C.")
  var follow = false

  @Flag(
    help: """
      Instead of exchanges, which requests bring back what earlier answers gave: what 'umbra replay --correlate' goes \
      by. With --id, those of one exchange; with --format jsonl, each by itself.
      """)
  var dependencies = false

  @Flag(help: "Don't send text on a terminal through $PAGER.")
  var noPager = false

  func validate() throws {
    if let head, head < 0 { throw ValidationError("--head takes 0 or more") }
    if let tail, tail < 0 { throw ValidationError("--tail takes 0 or more") }
    if tail != nil, head != nil { throw ValidationError("--head and --tail exclude each other") }
    if tail != nil, sort != .start || reverse {
      throw ValidationError("--tail is for the order of time; use --sort with --head")
    }
    if dependencies {
      let others = [
        ("--where", filter != nil), ("--head", head != nil), ("--tail", tail != nil), ("--follow", follow),
        ("--sort", sort != .start || reverse),
      ]
      if let other = others.first(where: \.1) {
        throw ValidationError("--dependencies and \(other.0) exclude each other")
      }
      if format != .text, format != .jsonl { throw ValidationError("--dependencies is printed as text or jsonl") }
    }
    if follow {
      let others = [("--tail", tail != nil), ("--sort", sort != .start || reverse), ("--id", id != nil)]
      if let other = others.first(where: \.1) { throw ValidationError("--follow and \(other.0) exclude each other") }
      if file == "-" { throw ValidationError("--follow needs a file") }
      if format == .har { throw ValidationError("--follow never ends a HAR file: use --format jsonl") }
    }
  }

  @OptionGroup(title: "Encryption") var decrypting: DecryptionOptions
  @OptionGroup(title: "Standard error") var log: LogOptions

  func run() throws {
    var filter = try self.filter.map(WhereFilter.init(parsing:))
    let wanted = try id.map { text in
      guard let id = ExchangeID(text) else {
        throw CommandFailure("--id takes a connection and a number, like 7-3, not '\(text)'", status: .usage)
      }
      return id
    }
    let types = try protoDescriptors.map(MessageTypes.init(path:))
    let palette = Palette(isOn: mayColour)
    let width = terminalWidth
    let source = try ExchangeSource(path: file, key: decrypting.key())
    if dependencies { return try showDependencies(of: source, wanted) }
    let namesEndpoints =
      format == .jsonl || sort == .endpoint || columns.columns.contains(.endpoint) || filter?.namesEndpoints == true
    let names = namesEndpoints ? try EndpointNames(source) : nil
    filter?.names = names
    let printer: any ExchangePrinter =
      switch format {
      case .jsonl: JSONLinePrinter(inlinesBodies: body == .inline, types: types, names: names)
      case .curl: CurlPrinter()
      case .har: HARPrinter()
      case .text where wanted != nil: WholePrinter(palette: palette, isRaw: body == .raw, types: types)
      case .text: LinePrinter(columns: columns.columns, names: names, palette: palette, width: width ?? .max)
      }
    let pager = Pager(isWanted: format == .text && !noPager && !follow)
    defer { pager?.finish() }
    let output = try Output()
    let lister = ExchangeLister(source: source, printer: printer, filter: filter, output: output)
    if let wanted {
      try lister.showWhole(wanted, file: file)
    } else if follow {
      Interruption.install()
      try lister.showFirst(head ?? .max, endsEarly: false)
      try lister.follow(file, upTo: head ?? .max)
    } else if sort != .start || reverse {
      try lister.showSorted(
        ExchangeOrder(key: sort, isReversed: reverse, limit: head ?? ExchangeOrder.defaultLimit, names: names))
    } else if let tail {
      try lister.showLast(tail)
    } else {
      try lister.showFirst(head ?? .max, endsEarly: true)
    }
    try lister.end()
    source.reportDamage()
    if lister.shown == 0, head != 0, tail != 0, !follow { try explainNothing(source) }
    if let note = lister.note { StandardError.say(note) }
  }

  private func showDependencies(of source: ExchangeSource, _ wanted: ExchangeID?) throws {
    Interruption.install()
    let found = try SessionDependencies(of: source)
    source.reportDamage()
    let pager = Pager(isWanted: format == .text && !noPager)
    defer { pager?.finish() }
    let output = try Output()
    if format == .jsonl {
      try found.writeJSONLines(to: output, of: wanted)
    } else {
      try output.write(wanted.map { found.text(of: $0) } ?? found.summary())
    }
    try output.flush()
  }

  private func explainNothing(_ source: ExchangeSource) throws {
    if source.count == 0 { throw CommandFailure("\(file) holds no exchanges: nothing was captured into it") }
    throw CommandFailure("none of \(counted(source.count, "exchange")) in \(file) meets --where '\(filter ?? "")'")
  }
}
