// `umbra merge`: several sessions as one, in order of time.

import ArgumentParser
import HTTPModel
import SessionFile

struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Join sessions into one, in order of time.",
    usage: "umbra merge [<options>] <session> ... <out>",
    discussion: """
      For captures of several hosts, or the files of --rotate. Connections are numbered anew so that no two sessions' \
      share a number: of K sessions, connection N of the first becomes (N-1)*K+1. Ledgers add.

        umbra merge web1.umbra web2.umbra all.umbra
      """)

  @Argument(
    help: ArgumentHelp("Sessions to read, then the session to write.", valueName: "file"),
    completion: .file(extensions: ["umbra"]))
  var files: [String]

  @Flag(help: "Replace the session to write if it exists.")
  var overwrite = false

  @OptionGroup(title: "Standard error") var log: LogOptions

  func validate() throws {
    guard files.count >= 2 else { throw ValidationError("name sessions to read and a session to write") }
    guard files.count <= 1025 else { throw ValidationError("at most 1,024 sessions are joined at once") }
    if let last = files.last, last != "-", files.dropLast().contains(last) {
      throw ValidationError("\(last) would be read and written at once: choose another name")
    }
  }

  @OptionGroup(title: "Encryption") var decrypting: DecryptionOptions
  @OptionGroup(title: "Encryption") var encrypting: EncryptionOptions

  func run() throws {
    Interruption.install()
    let key = try decrypting.key()
    let sources = try files.dropLast().map { try ExchangeSource(path: $0, expecting: .session, key: key) }
    var metadata = SessionMetadata()
    metadata["tool"] = "umbra \(umbraVersion)"
    metadata["command"] = CommandLine.arguments.joined(separator: " ")
    for source in sources { for value in source.metadata.values("source") { metadata.add("source", value) } }
    let spool = try SessionSpool(
      path: files[files.count - 1], overwrite: overwrite, metadata: metadata, redactor: nil, key: encrypting.key())
    var heads = try sources.map { try $0.next() }
    while !Interruption.isRequested, let index = earliest(heads), var exchange = heads[index] {
      exchange.id.connection =
        (exchange.id.connection &- 1) &* UInt32(sources.count) &+ UInt32(index) &+ 1
      try spool.add(exchange)
      heads[index] = try sources[index].next()
    }
    var ledger = Ledger()
    for source in sources { if let part = source.ledger { ledger.add(part) } }
    let bytes = try spool.finish(basis: ledger)
    for source in sources { source.reportDamage() }
    if !log.quiet {
      let size = ByteSize(bytes: Int(clamping: bytes))
      StandardError.write(
        "umbra: \(counted(spool.exchanges, "exchange")) of \(counted(sources.count, "session")); "
          + "wrote \(files[files.count - 1]), \(size)\n")
    }
  }

  private func earliest(_ heads: [Exchange?]) -> Int? {
    var found: (index: Int, start: Timestamp)?
    for (index, head) in heads.enumerated() {
      if let head, found.map({ head.start < $0.start }) ?? true { found = (index, head.start) }
    }
    return found?.index
  }
}
