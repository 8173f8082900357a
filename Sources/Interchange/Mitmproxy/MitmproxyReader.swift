// mitmproxy's flow files (`mitmdump -w FILE`) to exchanges, of mitmproxy 7 and later.
//
// In: the file's bytes. Out: exchanges in the order of the file, which is that of their ends. A flow that cannot be read
// is left out, and its place noted. Owner: one conversion. Bounds: one flow, a body no further than its limit, and the
// names of 200,000 connections.

import HTTPModel

/// Reads mitmproxy's flow files.
public struct MitmproxyReader: ExchangeReading {
  public private(set) var notes = ConversionNotes()

  private struct Connection {
    var number: UInt32
    var ordinal: UInt32 = 0
    var facts: ConnectionFacts?
  }

  private var scanner: FlowScanner
  /// The connections seen of late, and those before them.
  private var recent: [String: Connection] = [:]
  private var earlier: [String: Connection] = [:]
  private var lastConnection: UInt32 = 0
  private static let connectionLimit = 100_000

  /// - Parameter bodyLimit: bytes kept of a body; the rest is counted and hashed.
  public init(bodyLimit: Int = 10_000_000) {
    var limits = FlowScanner.Limits()
    limits.body = bodyLimit
    scanner = FlowScanner(limits: limits)
  }

  public mutating func receive(_ bytes: UnsafeRawBufferPointer) { scanner.receive(bytes) }

  public mutating func finish() { scanner.finish() }

  public mutating func next() -> ImportedRecord? {
    while let result = scanner.next() {
      switch result {
      case .success(let flow):
        if let exchange = read(flow) { return .exchange(exchange) }
      case .failure(let problem):
        leaveOut(problem.text, at: problem.offset)
      }
    }
    return nil
  }

  private mutating func leaveOut(_ problem: String, at offset: UInt64) {
    notes.add(.entriesDamaged)
    notes.add(ConversionNotes.Damage(line: nil, offset: offset, problem: problem))
  }

  private mutating func read(_ flow: RecordedFlow) -> Exchange? {
    var entry = FlowEntry(flow)
    do throws(FlowEntry.Problem) {
      var exchange = try entry.exchange()
      notes.add(entry.notes)
      number(&exchange, entry.connection)
      return exchange
    } catch {
      switch error {
      case .otherProtocol: notes.add(.flowsNotHTTP)
      case .tooOld:
        if notes[.flowsTooOld] == 0 {
          let problem =
            "a flow in a format from before mitmproxy 7: write the file anew with 'mitmdump -n -r OLD -w NEW' of a new "
            + "mitmproxy"
          notes.add(ConversionNotes.Damage(line: nil, offset: flow.offset, problem: problem))
        }
        notes.add(.flowsTooOld)
      case .missing(let what): leaveOut(what, at: flow.offset)
      }
      return nil
    }
  }

  private mutating func number(_ exchange: inout Exchange, _ name: String?) {
    var connection: Connection
    if let name, let known = recent[name] ?? earlier[name] {
      connection = known
    } else {
      lastConnection &+= 1
      connection = Connection(number: lastConnection, facts: exchange.connection)
    }
    connection.ordinal &+= 1
    exchange.id = ExchangeID(connection: connection.number, ordinal: connection.ordinal)
    // The file does not say which stream it was; the numbers of those that a client opens are odd.
    if exchange.version == .http2 { exchange.stream = (connection.ordinal &* 2 &- 1) & 0x7fff_ffff }
    if let facts = connection.facts, facts == exchange.connection { exchange.connection = facts }
    guard let name else { return }
    if recent.count >= Self.connectionLimit {
      earlier = recent
      recent = [:]
    }
    recent[name] = connection
  }
}
