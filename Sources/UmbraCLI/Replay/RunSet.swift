// Runs that are reported as one: the shards of one session, runs of several sessions.
//
// In: run files. Out: their replayed exchanges in turn, and what the files say of their runs as one. Every figure is
// worked out anew from the exchanges, so that the report of shards is the one that a single process would have got.
// Owner: a report. Bounds: a reader for each file.

import HTTPModel
import ReplayClient
import ResponseDiff
import SessionFile

struct RunSet {
  private struct Member {
    var path: String
    var reader: SessionReader
    var facts: RunFacts
    var read: UInt64 = 0
  }

  private var members: [Member]

  /// - Throws: where a run would be counted twice.
  /// - Parameter key: of runs that are encrypted.
  init(paths: [String], key: SessionKey? = nil) throws {
    members = []
    for path in paths {
      let reader: SessionReader
      do { reader = try SessionReader(path: path, expecting: .run, key: key) } catch {
        throw CommandFailure(error.withFlag)
      }
      StandardError.say("reading \(path), a run of \(counted(reader.exchangeCount, "exchange"))", .debug)
      members.append(
        Member(
          path: path, reader: reader,
          facts: RunFacts(metadata: reader.metadata, path: path, created: reader.created, read: 0)))
    }
    // In whatever order they are named, the report is the same.
    members.sort {
      ($0.facts.session, $0.facts.shard?.index ?? 0, $0.facts.description.id)
        < ($1.facts.session, $1.facts.shard?.index ?? 0, $1.facts.description.id)
    }
    for index in members.indices.dropFirst() {
      for other in members[..<index] { try RunSet.refuseOverlap(other, members[index]) }
    }
  }

  private static func refuseOverlap(_ a: Member, _ b: Member) throws {
    func refuse(_ reason: String) -> CommandFailure {
      CommandFailure("\(a.path) and \(b.path) \(reason). Name each share of a session once.", status: .usage)
    }
    if a.facts.description.id == b.facts.description.id { throw refuse("are the same run") }
    guard a.facts.session == b.facts.session else { return }
    switch (a.facts.shard, b.facts.shard) {
    case (let first?, let second?) where first.count != second.count:
      throw refuse(
        "are shard \(first.index)/\(first.count) and \(second.index)/\(second.count) of one session: they overlap")
    case (let first?, let second?):
      if first.index == second.index { throw refuse("are both shard \(first.index)/\(first.count) of one session") }
    case (nil, nil): throw refuse("are two runs of one session, which would count its exchanges twice")
    default: throw refuse("are a shard and the whole of one session, which would count its exchanges twice")
    }
  }

  /// Gates and places to ignore as the runs were made with, each once.
  var gates: [String] { unique(members.flatMap(\.facts.gates)) }
  var ignore: [String] { unique(members.flatMap(\.facts.ignore)) }
  /// Rules that the runs were compared by.
  var rules: [String] { unique(members.flatMap(\.facts.rules)) }

  /// Calls `body` with each replayed exchange and whether its run asked a primary; says on standard error what could not be read.
  mutating func readAll(_ body: (ReplayedExchange, _ asksPrimary: Bool) -> Void) throws {
    for index in members.indices {
      let asksPrimary = members[index].facts.description.primary != nil
      do {
        while let replayed = try members[index].reader.nextReplayed() {
          body(replayed, asksPrimary)
          members[index].read += 1
        }
      } catch { throw CommandFailure("\(error)") }
      let path = members[index].path
      for damage in members[index].reader.damage { StandardError.say("\(path): \(damage)", .warning) }
      let reader = members[index].reader
      members[index].facts = RunFacts(
        metadata: reader.metadata, path: path, created: reader.created, read: members[index].read)
    }
  }

  /// The recorded exchanges of these names, without their answers; several of a name where the runs are of several
  /// sessions.
  mutating func exchanges(named names: Set<ExchangeID>) throws -> [ExchangeID: [Exchange]] {
    var found: [ExchangeID: [Exchange]] = [:]
    for index in members.indices {
      do {
        while let replayed = try members[index].reader.nextReplayed() {
          guard names.contains(replayed.exchange.id) else { continue }
          var exchange = replayed.exchange
          exchange.response = nil
          if found[exchange.id]?.contains(exchange) != true { found[exchange.id, default: []].append(exchange) }
        }
      } catch { throw CommandFailure("\(error)") }
    }
    return found
  }

  /// Of each session's capture, once.
  var ledger: Ledger? {
    var sum: Ledger?
    var sessions: Set<String> = []
    for member in members where sessions.insert(member.facts.session).inserted {
      guard let ledger = member.reader.ledger else { continue }
      sum = sum ?? Ledger()
      sum!.add(ledger)
    }
    return sum
  }

  /// What is to be said of all runs together, once they were read.
  var facts: RunFacts {
    var facts = members[0].facts
    guard members.count > 1 else { return facts }
    let all = members.map(\.facts)
    facts.description.id = all.map(\.description.id).joined(separator: "+")
    facts.description.started = all.map(\.description.started).min() ?? facts.description.started
    facts.description.session = unique(all.map(\.description.session)).joined(separator: ", ")
    facts.description.targets = unique(all.flatMap(\.description.targets))
    func joined(_ names: [String]) -> String? { names.isEmpty ? nil : unique(names).joined(separator: ", ") }
    facts.description.primary = joined(all.compactMap(\.description.primary))
    facts.description.control = joined(all.compactMap(\.description.control))
    facts.pacing = unique(all.map(\.pacing)).joined(separator: ", ")
    facts.planned = all.reduce(0) { $0 &+ $1.planned }
    facts.skipped = all.reduce(into: [:]) { $0.merge($1.skipped, uniquingKeysWith: &+) }
    facts.doubts = missingShards
    facts.remarks = []
    for member in members {
      let name = member.facts.shard.map { "Shard \($0.index)/\($0.count)" } ?? member.path
      facts.doubts += member.facts.doubts.map { "\(name): \($0)" }
      facts.remarks += member.facts.remarks.filter { !$0.hasPrefix(RunFacts.shardRemark) }.map { "\(name): \($0)" }
    }
    return facts
  }

  /// A sentence for each session of which not all shards are here.
  private var missingShards: [String] {
    unique(members.map(\.facts.session)).compactMap { session in
      let shards = members.filter { $0.facts.session == session }.compactMap(\.facts.shard)
      guard let count = shards.first?.count, shards.count < Int(count) else { return nil }
      let missing = (1...count).filter { index in !shards.contains { $0.index == index } }
      let named = missing.prefix(8).map(String.init).joined(separator: ", ") + (missing.count > 8 ? ", …" : "")
      return
        "Of the session's \(count) shards \(missing.count) \(missing.count == 1 ? "is" : "are") not here: \(named)."
    }
  }

  private func unique(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
  }
}
