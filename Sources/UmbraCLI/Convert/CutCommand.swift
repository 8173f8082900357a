// `umbra cut`: a part of a session as a session.

import ArgumentParser
import HTTPModel
import SessionFile

struct Cut: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cut", abstract: "Write a part of a session to another session.",
    usage: "umbra cut <session> <out> --where <filter>",
    discussion: """
      Exchanges keep their names. The ledger stays the capture's, with what was left out counted as filtered.

        umbra cut day.umbra orders.umbra --where 'path~^/orders'
        umbra cut day.umbra morning.umbra --where 'start<2026-11-21T12'
      """)

  @Argument(
    help: ArgumentHelp("The session to read; '-' is standard input.", valueName: "session"),
    completion: .file(extensions: ["umbra"]))
  var session: String

  @Argument(help: ArgumentHelp("The session to write.", valueName: "out"), completion: .file(extensions: ["umbra"]))
  var out: String

  @Option(
    name: .customLong("where"), help: ArgumentHelp("Which exchanges: umbra-filter(7).", valueName: "filter"),
    completion: .custom(Suggestions.filters))
  var filter: String

  @Flag(help: "Replace the session to write if it exists.")
  var overwrite = false

  @OptionGroup(title: "Standard error") var log: LogOptions

  func validate() throws {
    if session == out, out != "-" { throw ValidationError("\(out) would be read and written at once") }
  }

  @OptionGroup(title: "Encryption") var decrypting: DecryptionOptions
  @OptionGroup(title: "Encryption") var encrypting: EncryptionOptions

  func run() throws {
    var filter = try WhereFilter(parsing: self.filter)
    Interruption.install()
    let source = try ExchangeSource(path: session, expecting: .session, key: decrypting.key())
    try filter.learn(from: source)
    var metadata = source.metadata
    metadata["cut"] = self.filter
    let spool = try SessionSpool(
      path: out, overwrite: overwrite, metadata: metadata, redactor: nil, key: encrypting.key())
    var leftOut: UInt64 = 0
    while !Interruption.isRequested, let exchange = try source.next() {
      if filter.matches(exchange) { try spool.add(exchange) } else { leftOut += 1 }
    }
    let bytes = try spool.finish(basis: source.ledger, leftOut: leftOut)
    source.reportDamage()
    if !log.quiet {
      StandardError.write(
        "umbra: \(grouped(spool.exchanges)) of \(counted(spool.exchanges + leftOut, "exchange")); wrote \(out), "
          + "\(ByteSize(bytes: Int(clamping: bytes)))\n")
    }
  }
}
