// HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec) to exchanges, in the dialects of Chromium, Firefox,
// mitmproxy, Postman and the proxies.
//
// In: the file's bytes. Out: exchanges in the order of the file. What a HAR leaves open is filled in from what is there:
// one connection for each `connection` and server that the file names, else one for each exchange. An entry that cannot
// be read is left out, and its place noted. Owner: one conversion. Bounds: one entry, and 100,000 connections.

import ContentTree
import HTTPModel

/// Reads HAR files.
public struct HARReader: ExchangeReading {
  public private(set) var notes = ConversionNotes()
  private var scanner = HARScanner()
  private let bodyLimit: Int
  private var connections: [String: UInt32] = [:]
  private var ordinals: [UInt32: UInt32] = [:]
  private var lastConnection: UInt32 = 0
  private static let connectionLimit = 100_000

  /// - Parameter bodyLimit: bytes kept of a body; the rest is counted and hashed.
  public init(bodyLimit: Int = 10_000_000) { self.bodyLimit = bodyLimit }

  public mutating func receive(_ bytes: UnsafeRawBufferPointer) { scanner.receive(bytes) }

  public mutating func finish() { scanner.finish() }

  public mutating func next() -> ImportedRecord? {
    while let entry = scanner.next() {
      if let exchange = read(entry) { return .exchange(exchange) }
    }
    if let problem = scanner.problem, !isProblemTold {
      isProblemTold = true
      notes.add(problem)
    }
    return nil
  }

  private var isProblemTold = false

  private mutating func read(_ entry: HARScanner.Entry) -> Exchange? {
    func leaveOut(_ problem: String, at offset: Int = 0) -> Exchange? {
      let lines = entry.text.prefix(offset).count { $0 == 0x0a }
      notes.add(.entriesDamaged)
      notes.add(
        ConversionNotes.Damage(
          line: entry.line + UInt64(lines), offset: entry.offset + UInt64(offset), problem: problem))
      return nil
    }
    if entry.isCut { return leaveOut("an entry that is larger than this program takes") }
    if entry.isUnfinished { return leaveOut("the file ends within this entry") }
    let document: JSONDocument
    do {
      document = try JSONDocument(entry.text, limits: JSONLimits(size: 1 << 30))
    } catch {
      return leaveOut(error.reason.rawValue, at: error.offset)
    }
    var parsing = HAREntry(JSONValue(document, document.root), bodyLimit: bodyLimit)
    do {
      var exchange = try parsing.exchange()
      notes.add(parsing.notes)
      number(&exchange, parsing)
      return exchange
    } catch {
      switch error {
      case .otherScheme: notes.add(.entriesNotHTTP)
      case .missing(let what): return leaveOut(what)
      }
      return nil
    }
  }

  private mutating func number(_ exchange: inout Exchange, _ entry: HAREntry) {
    if let own = entry.ownIdentifier {
      exchange.id = own
      if exchange.version == .http2 { exchange.stream = exchange.stream ?? 1 }
      return
    }
    let connection: UInt32
    if let name = entry.connection, let known = connections[name] {
      connection = known
    } else {
      lastConnection &+= 1
      connection = lastConnection
      if let name = entry.connection, connections.count < Self.connectionLimit { connections[name] = connection }
    }
    let ordinal = (ordinals[connection] ?? 0) &+ 1
    if entry.connection != nil { ordinals[connection] = ordinal }
    exchange.id = ExchangeID(connection: connection, ordinal: ordinal)
    // A HAR names no streams; the numbers of those that a client opens are odd.
    if exchange.version == .http2 { exchange.stream = exchange.stream ?? (ordinal &* 2 &- 1) & 0x7fff_ffff }
  }
}
