// One conversion, carried out. In: a plan. Out: a file, and what there is to say of it. Owner: one command.

import HTTPModel
import Interchange
import SessionFile
import TrafficRules

struct Conversion {
  struct Plan {
    var sources: [String]
    var from: FileFormat?
    var destination: String
    var to: FileFormat
    var filter: WhereFilter?
    /// nil for none.
    var rules: LiveRules?
    var ports: PortSet?
    var keyLogs: [String]
    var bodyLimit: Int
    var keepsCredentials: Bool
    var overwrite: Bool
    /// What a session that is read, and one that is written, are encrypted to.
    var key: SessionKey?
    var encryptsTo: SessionKey?
  }

  private let plan: Plan
  private let inputs: [FormatInput]
  private let format: FileFormat

  init(_ plan: Plan) throws {
    self.plan = plan
    inputs = try plan.sources.map(FormatInput.init(path:))
    let formats = try inputs.map { try plan.from ?? $0.format() }
    guard let first = formats.first else { throw CommandFailure("there is nothing to read", status: .usage) }
    if let other = formats.firstIndex(where: { $0 != first }) {
      throw CommandFailure(
        "\(inputs[0].name) is \(first.rawValue) and \(inputs[other].name) is \(formats[other].rawValue): "
          + "convert each to a session and join them with 'umbra merge'")
    }
    format = first
  }

  /// - Returns: sentences for a person, the result first.
  func run() throws -> [String] {
    switch format {
    case .session:
      guard inputs.count == 1 else { throw CommandFailure("join sessions with 'umbra merge', then convert the result") }
      return try convert(ExchangeSource(path: inputs[0].pathFromBeginning(), key: plan.key))
    case .pcap: return try convertPackets()
    default:
      // Into a session as it comes; a filter, rules and other formats take it from the temporary one.
      guard plan.to == .session, plan.filter == nil, plan.rules == nil else {
        let spool = try spool(to: nil)
        let notes = try read(into: spool)
        _ = try spool.finish()
        // What was hidden on its way into the temporary file is not hidden once more.
        return try convert(ExchangeSource(reader: spool.reader(), path: sourceText), redacts: false) + notes
      }
      let spool = try spool(to: plan.destination)
      let notes: [String]
      do { notes = try read(into: spool) } catch {
        spool.discard()
        throw error
      }
      let bytes = try spool.finish()
      return [result(spool.exchanges, bytes)] + notes
    }
  }

  private var sourceText: String { inputs.map(\.name).joined(separator: ", ") }

  private func result(_ exchanges: UInt64, _ bytes: UInt64?) -> String {
    let name = plan.destination == "-" ? "standard output" : plan.destination
    let size = bytes.map { ", \(ByteSize(bytes: Int(clamping: $0)))" } ?? ""
    return "\(counted(exchanges, "exchange")) from \(sourceText); wrote \(name)\(size)"
  }

  private func spool(to path: String?, redacts: Bool = true) throws -> SessionSpool {
    var metadata = SessionMetadata()
    metadata["tool"] = "umbra \(umbraVersion)"
    metadata["source"] = "\(format.rawValue) \(sourceText)"
    metadata["command"] = CommandLine.arguments.joined(separator: " ")
    return try SessionSpool(
      path: path, overwrite: plan.overwrite, metadata: metadata,
      redactor: redacts && !plan.keepsCredentials ? plan.rules?.redactor() ?? Redactor() : nil, key: plan.encryptsTo)
  }

  // MARK: From files of other tools

  private func read(into spool: SessionSpool) throws -> [String] {
    var notes = ConversionNotes()
    var sentences: [String] = []
    var offset: UInt32 = 0
    for input in inputs {
      var reader: any ExchangeReading =
        switch format {
        case .har: HARReader(bodyLimit: plan.bodyLimit)
        case .jsonl: JSONLineReader(bodyLimit: plan.bodyLimit)
        case .mitmproxy: MitmproxyReader(bodyLimit: plan.bodyLimit)
        default: GoReplayReader(limits: goReplayLimits)
        }
      var last = offset
      let before = spool.exchanges
      // A file's connections are numbered behind those of the files before it.
      func drain() throws {
        while let record = reader.next() {
          let moved = record.movingConnections(by: offset)
          last = max(last, moved.connection)
          try spool.add(moved)
        }
      }
      try input.forEachPiece { piece in
        reader.receive(piece)
        try drain()
      }
      reader.finish()
      try drain()
      offset = last
      if let damage = input.damage { sentences.append("\(input.name): \(damage)") }
      sentences += reader.notes.damage.map { "\(input.name), \($0)" }
      notes.add(reader.notes)
      if spool.exchanges == before, let first = reader.notes.damage.first {
        throw CommandFailure("\(input.name), \(first)")
      }
    }
    let damaged = notes[.entriesDamaged]
    if damaged > UInt64(ConversionNotes.damageLimit) { sentences.append("… \(damaged) such places in all") }
    sentences += notes.sentences
    if spool.redacted > 0 {
      sentences.append(
        "credentials of \(counted(spool.redacted, "exchange")) became tokens; --keep-credentials keeps them")
    }
    return sentences
  }

  private var goReplayLimits: GoReplayLimits {
    var limits = GoReplayLimits()
    limits.bodyLimit = plan.bodyLimit
    return limits
  }

  // MARK: From packets

  private func convertPackets() throws -> [String] {
    let paths = try inputs.map { try $0.pathFromBeginning() }
    func capture(to path: String) throws -> CaptureSummary {
      var packets = CapturePlan(origin: .files(paths))
      packets.ports = plan.ports
      packets.keyLogs = plan.keyLogs
      packets.destination = path
      packets.key = plan.encryptsTo
      packets.overwrite = plan.overwrite
      packets.bodyLimit = plan.bodyLimit
      packets.keepsCredentials = plan.keepsCredentials
      packets.rules = plan.rules
      packets.isQuiet = true
      packets.progress = .none
      return try CaptureSession(packets).run()
    }
    if plan.to == .session, plan.filter == nil {
      let summary = try capture(to: plan.destination)
      return [result(summary.exchanges, summary.written?.bytes)] + lost(in: summary)
    }
    return try TemporaryPlace.withPath { path in
      let summary = try capture(to: path)
      return try convert(ExchangeSource(path: path, key: plan.encryptsTo), rules: nil) + lost(in: summary)
    }
  }

  private func lost(in summary: CaptureSummary) -> [String] {
    (summary.ledger.completeness < 1 ? LedgerText.lines(summary.ledger) : []) + summary.notes
  }

  // MARK: From a session

  private func convert(_ source: ExchangeSource) throws -> [String] { try convert(source, redacts: true) }

  private func convert(_ source: ExchangeSource, redacts: Bool) throws -> [String] {
    try convert(source, rules: plan.rules.map { CaptureRules($0, redacts: redacts && !plan.keepsCredentials) })
  }

  private func convert(_ source: ExchangeSource, rules: CaptureRules?) throws -> [String] {
    var exchanges: UInt64 = 0
    var leftOut: UInt64 = 0
    var rules = rules
    var filter = plan.filter
    try filter?.learn(from: source)
    func next() throws -> Exchange? {
      while !Interruption.isRequested, var exchange = try source.next() {
        if filter?.matches(exchange) ?? true, rules?.takes(exchange) ?? true {
          rules?.redact(&exchange)
          exchanges += 1
          return exchange
        }
        leftOut += 1
      }
      return nil
    }
    let sentences: [String]
    if plan.to == .session {
      let spool = try spool(to: plan.destination, redacts: false)
      while let exchange = try next() { try spool.add(exchange) }
      let bytes = try spool.finish(basis: source.ledger, leftOut: leftOut)
      sentences = [result(exchanges, bytes)]
    } else {
      let output = try FormatOutput(path: plan.destination, format: plan.to, overwrite: plan.overwrite)
      while let exchange = try next() { try output.add(exchange, attempts: source.attempts) }
      try output.finish()
      sentences = [result(exchanges, nil)] + output.notes.sentences
    }
    return sentences + source.damage
  }
}

extension ImportedRecord {
  fileprivate var connection: UInt32 {
    switch self {
    case .exchange(let exchange), .request(let exchange), .response(let exchange, _): exchange.id.connection
    }
  }

  fileprivate func movingConnections(by offset: UInt32) -> ImportedRecord {
    guard offset > 0 else { return self }
    func moved(_ exchange: Exchange) -> Exchange {
      var exchange = exchange
      exchange.id.connection &+= offset
      return exchange
    }
    switch self {
    case .exchange(let exchange): return .exchange(moved(exchange))
    case .request(let exchange): return .request(moved(exchange))
    case .response(let exchange, let start): return .response(moved(exchange), requestStart: start)
    }
  }
}
