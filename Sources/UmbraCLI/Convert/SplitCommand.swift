// `umbra split`: one session as several.

import ArgumentParser
import Glibc
import HTTPModel
import ResponseDiff
import SessionFile

/// What separates the parts of a split: `time:1h`, `size:1GiB`, `endpoint`.
enum SplitRule: ExpressibleByArgument, CustomStringConvertible {
  case time(Int64)
  case size(UInt64)
  case endpoint

  init?(argument: String) {
    if argument == "endpoint" {
      self = .endpoint
    } else if argument.hasPrefix("time:"), let span = TimeSpan(argument: String(argument.dropFirst(5))) {
      guard span.nanoseconds >= 1_000_000_000 else { return nil }
      self = .time(span.nanoseconds)
    } else if argument.hasPrefix("size:"), let size = ByteSize(argument: String(argument.dropFirst(5))), size.bytes > 0
    {
      self = .size(UInt64(size.bytes))
    } else {
      return nil
    }
  }

  var description: String {
    switch self {
    case .time(let span): "time:\(TimeSpan(nanoseconds: span))"
    case .size(let bytes): "size:\(ByteSize(bytes: Int(clamping: bytes)))"
    case .endpoint: "endpoint"
    }
  }
}

struct Split: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split", abstract: "Write a session as several: by time, by size, by endpoint.",
    usage: "umbra split <session> --by <rule> [<options>]",
    discussion: """
      The parts stand beside the session, or in the folder of --directory, under its name and what tells them apart: the \
      beginning of the time (whole hours for 1h), a number, or the endpoint. Of endpoints the \(Split.endpointLimit - 1) \
      busiest get a file each, the others one together.

        umbra split day.umbra --by time:1h
        umbra split day.umbra --by size:1GiB --directory parts
        umbra split day.umbra --by endpoint
      """)

  static let endpointLimit = 64

  @Argument(help: ArgumentHelp("The session to read.", valueName: "session"), completion: .file(extensions: ["umbra"]))
  var session: String

  @Option(
    help: ArgumentHelp("time:T (1s or more), size:SIZE (about) or endpoint.", valueName: "rule"),
    completion: .list(["time:1h", "size:1GiB", "endpoint"]))
  var by: SplitRule

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "folder"), completion: .directory)
  var directory: String?

  @Flag(help: "Replace parts that exist.")
  var overwrite = false

  @OptionGroup(title: "Standard error") var log: LogOptions

  @OptionGroup(title: "Encryption") var decrypting: DecryptionOptions
  @OptionGroup(title: "Encryption") var encrypting: EncryptionOptions

  func run() throws {
    Interruption.install()
    let source = try ExchangeSource(path: session, expecting: .session, key: decrypting.key())
    if let directory, mkdir(directory, 0o700) != 0, errno != EEXIST {
      throw CommandFailure("can't make the folder \(directory): \(systemError())")
    }
    var parts = SplitParts(
      stem: stem, overwrite: overwrite, metadata: source.metadata, isQuiet: log.quiet, rule: by.description,
      key: try encrypting.key())
    let busiest = if case .endpoint = by { try countEndpoints(source) } else { [String: String]() }
    while !Interruption.isRequested, let exchange = try source.next() {
      let part: String
      switch by {
      case .time(let span):
        let seconds = Int64((Double(exchange.start.nanoseconds) / Double(span)).rounded(.down)) * (span / 1_000_000_000)
        part = "\(Timestamp(seconds: seconds, nanoseconds: 0))".prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
        try parts.closeOthers(than: part)
      case .size(let limit):
        part = parts.number(limit)
        try parts.closeOthers(than: part)
      case .endpoint:
        let name = exchange.request.map(EndpointTemplate.name(of:)) ?? ""
        part = busiest[name] ?? "others"
      }
      try parts.add(exchange, to: part)
    }
    try parts.closeOthers(than: nil)
    source.reportDamage()
    if parts.count == 0 { throw CommandFailure("\(session) holds no exchanges: there is nothing to split") }
  }

  private var stem: String {
    let name = session == "-" ? "session" : session
    let plain = name.hasSuffix(".umbra") ? String(name.dropLast(6)) : name
    guard let directory else { return plain }
    return directory + "/" + (plain.split(separator: "/").last.map(String.init) ?? plain)
  }

  /// The busiest endpoints and the names of their parts.
  private func countEndpoints(_ source: ExchangeSource) throws -> [String: String] {
    var counts: [String: UInt64] = [:]
    while let exchange = try source.next() {
      let name = exchange.request.map(EndpointTemplate.name(of:)) ?? ""
      if counts[name] != nil || counts.count < 100_000 { counts[name, default: 0] += 1 }
    }
    source.rewind()
    var names: [String: String] = [:]
    var taken: Set<String> = ["others"]
    let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    for (endpoint, _) in sorted.prefix(counts.count <= Self.endpointLimit ? counts.count : Self.endpointLimit - 1) {
      var words = endpoint.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.reduce("") {
        $0.hasSuffix("-") && $1 == "-" ? $0 : $0 + String($1)
      }
      words = String(words.drop { $0 == "-" }.prefix(80))
      while words.hasSuffix("-") { words.removeLast() }
      if words.isEmpty { words = "no-request" }
      var name = words
      var number = 2
      while !taken.insert(name).inserted {
        name = "\(words)-\(number)"
        number += 1
      }
      names[endpoint] = name
    }
    return names
  }
}

/// The files of a split that are open. Owner: `umbra split`. Bounds: `Split.endpointLimit` files.
private struct SplitParts {
  let stem: String
  let overwrite: Bool
  let metadata: SessionMetadata
  let isQuiet: Bool
  let rule: String
  let key: SessionKey?
  private var open: [String: SessionSpool] = [:]
  /// Parts begun.
  private(set) var count = 0

  init(stem: String, overwrite: Bool, metadata: SessionMetadata, isQuiet: Bool, rule: String, key: SessionKey?) {
    self.stem = stem
    self.overwrite = overwrite
    self.metadata = metadata
    self.isQuiet = isQuiet
    self.rule = rule
    self.key = key
  }

  /// The number of the part that is being written, or of the next one where that is large enough.
  func number(_ limit: UInt64) -> String {
    let isFull = open.values.first.map { $0.bytes >= limit } ?? true
    let digits = String(isFull ? count + 1 : count)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  mutating func add(_ exchange: Exchange, to part: String) throws {
    if open[part] == nil {
      var metadata = metadata
      metadata["split"] = "\(rule), \(part)"
      open[part] = try SessionSpool(
        path: "\(stem)-\(part).umbra", overwrite: overwrite, metadata: metadata, redactor: nil, key: key)
      count += 1
    }
    try open[part]?.add(exchange)
  }

  mutating func closeOthers(than part: String?) throws {
    for (name, spool) in open.sorted(by: { $0.key < $1.key }) where name != part {
      let bytes = try spool.finish()
      open[name] = nil
      if !isQuiet {
        let size = ByteSize(bytes: Int(clamping: bytes))
        StandardError.write(
          "umbra: wrote \(stem)-\(name).umbra, \(counted(spool.exchanges, "exchange")), \(size)\n")
      }
    }
  }
}
