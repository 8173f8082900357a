// `umbra show`: a session's exchanges in order of request start.

import ArgumentParser
import HTTPModel
import SessionFile

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List and print the exchanges of a session.",
    usage: "umbra show [<options>] <file>",
    discussion: """
      Text gives a line an exchange, or with --id one exchange whole, of a run with the shadow's answer. JSON lines \
      and curl commands are for scripts.

        umbra show day.umbra
        umbra show day.umbra --where 'method=POST status>=500 path~^/api'
        umbra show day.umbra --id 7-3
        umbra show day.umbra --format jsonl --body inline | jq .
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, jsonl, curl }
  enum Body: String, ExpressibleByArgument, CaseIterable { case none, inline }

  @Argument(
    help: ArgumentHelp("A session or run file; '-' is standard input.", valueName: "file"),
    completion: .file(extensions: ["umbra", "umbra-run"]))
  var file: String

  @Option(help: ArgumentHelp("text, jsonl or curl.", valueName: "format"))
  var format: Format = .text

  @Option(
    name: .customLong("where"), help: ArgumentHelp("Only exchanges that meet all conditions.", valueName: "filter"))
  var filter: String?

  @Option(help: ArgumentHelp("Only this exchange, whole.", valueName: "id"))
  var id: String?

  @Option(help: ArgumentHelp("Bodies in JSON lines: none or inline.", valueName: "mode"))
  var body: Body = .none

  @Option(help: ArgumentHelp("At most this many exchanges.", valueName: "n"))
  var head: Int?

  func run() throws {
    let filter = try self.filter.map(WhereFilter.init(parsing:))
    let wanted = try id.map { text in
      guard let id = ExchangeID(text) else {
        throw CommandFailure("--id takes a connection and a number, like 7-3, not '\(text)'", status: .usage)
      }
      return id
    }
    let source = try ExchangeSource(path: file)
    let output = try Output()
    let printer: any ExchangePrinter =
      switch format {
      case .jsonl: JSONLinePrinter(inlinesBodies: body == .inline)
      case .curl: CurlPrinter()
      case .text: wanted == nil ? LinePrinter(colour: mayColour) : WholePrinter()
      }
    var shown = 0
    while shown < head ?? .max, let exchange = try source.next() {
      if let wanted, exchange.id != wanted { continue }
      if let filter, !filter.matches(exchange) { continue }
      if shown == 0, let header = printer.header { try output.write(header) }
      try output.write(printer.text(exchange))
      shown += 1
      if wanted != nil {
        if let whole = printer as? WholePrinter {
          for attempt in source.attempts { try output.write(whole.text(attempt)) }
        }
        break
      }
    }
    try output.flush()
    source.reportDamage()
    if shown == 0, head != 0 { try explainNothing(source) }
  }

  private func explainNothing(_ source: ExchangeSource) throws {
    if let id { throw CommandFailure("\(file) holds no exchange \(id); 'umbra show \(file)' lists them") }
    if source.count == 0 { throw CommandFailure("\(file) holds no exchanges: nothing was captured into it") }
    throw CommandFailure("none of \(counted(source.count, "exchange")) in \(file) meets --where '\(filter ?? "")'")
  }
}

/// Exchanges of a session, or the recorded side of a run.
final class ExchangeSource {
  private let reader: SessionReader
  private let path: String
  /// Exchanges read.
  private(set) var count = 0
  /// What came of replaying the exchange read last; empty in a session.
  private(set) var attempts: [Attempt] = []

  init(path: String, expecting: SessionFileKind? = nil) throws {
    self.path = path
    do { reader = try SessionReader(path: path, expecting: expecting) } catch { throw CommandFailure("\(error)") }
  }

  /// - Parameter path: what messages call it.
  init(reader: SessionReader, path: String) {
    self.reader = reader
    self.path = path
  }

  var ledger: Ledger? { reader.ledger }
  var metadata: SessionMetadata { reader.metadata }
  var total: UInt64 { reader.exchangeCount }
  var timeRange: ClosedRange<Timestamp>? { reader.timeRange }
  func rewind() { reader.rewind() }

  func next() throws -> Exchange? {
    do {
      let exchange: Exchange?
      if reader.kind == .run {
        let replayed = try reader.nextReplayed()
        attempts = replayed?.attempts ?? []
        exchange = replayed?.exchange
      } else {
        exchange = try reader.next()
      }
      if exchange != nil { count += 1 }
      return exchange
    } catch { throw CommandFailure("\(error)") }
  }

  /// What of the file could not be read, a sentence each.
  var damage: [String] { reader.damage.map { "\(path): \($0)" } }

  /// Says it on standard error.
  func reportDamage() { for sentence in damage { StandardError.write("umbra: \(sentence)\n") } }
}
