import ExchangeAssembly
import HTTPModel
import Testing

/// What one HTTP/2 connection shows of its header tables, taken for what was never seen of another.
@Suite("Assumed header tables")
struct HeaderTableTests {
  /// `:path: /shop` and `:authority: host` by reference to a table that holds them.
  private static let reference: [UInt8] = [0x82, 0x86, 0xbe, 0xbf]
  /// The same as literals that go into the table.
  private static let literal: [UInt8] =
    [0x82, 0x86, 0x44, 5] + Array("/shop".utf8) + [0x41, 4] + Array("host".utf8)

  private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
    [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
  }

  private static func request(_ stream: UInt8, _ block: [UInt8]) -> [UInt8] { frame(1, 0x05, stream, block) }
  private static func response(_ stream: UInt8) -> [UInt8] { frame(1, 0x05, stream, [0x88]) }

  /// A connection of which the start was not seen, and later one that is whole; then the first goes on.
  private static func talk(assuming: Bool, _ tables: ShownHeaderTables? = nil) -> ([Exchange], ShownHeaderTables?) {
    var limits = AssemblyLimits(serverPorts: [80...80])
    limits.assumesHeaderTables = assuming
    var conversation = Conversation(handshake: false, limits: limits)
    if let tables { conversation.assume(tables) }
    for index in 0..<8 {
      conversation.fromClient(bytes: request(UInt8(index * 2 + 21), reference))
      conversation.fromServer(bytes: response(UInt8(index * 2 + 21)))
    }
    conversation.connectAgain(port: 40_001)
    conversation.fromClient(
      bytes: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0) + request(1, literal))
    conversation.fromServer(bytes: frame(4, 0, 0) + response(1))
    conversation.clientPort = 40_000
    conversation.fromClient(bytes: request(51, reference))
    conversation.fromServer(bytes: response(51))
    let exchanges = conversation.finish()
    return (exchanges, conversation.shownHeaderTables)
  }

  private func target(_ exchange: Exchange) -> String {
    String(decoding: exchange.request?.target ?? [], as: UTF8.self)
  }

  @Test func onlyWhereAskedFor() {
    let (exchanges, tables) = Self.talk(assuming: false)
    #expect(exchanges.count == 10 && tables == nil)
    #expect(exchanges.map(target).count { $0 == "/shop" } == 1)
    #expect(exchanges.count { $0.anomalies.contains(.h2UnresolvedIndex) } == 9)
  }

  @Test func aLaterConnectionFillsWhatFollows() {
    let (exchanges, _) = Self.talk(assuming: true)
    #expect(exchanges.count == 10)
    let late = exchanges.filter { $0.stream == 51 }
    #expect(late.map(target) == ["/shop"])
    #expect(late.allSatisfy { $0.anomalies.contains(.h2AssumedIndex) && !$0.anomalies.contains(.h2UnresolvedIndex) })
    #expect(exchanges.count { $0.anomalies.contains(.h2UnresolvedIndex) } == 8)
    // The one that was whole has nothing to assume.
    #expect(exchanges.filter { $0.stream == 1 }.allSatisfy { $0.anomalies.isEmpty })
  }

  @Test func aSecondPassFillsWhatCameBefore() throws {
    let tables = try #require(Self.talk(assuming: true).1)
    let (exchanges, _) = Self.talk(assuming: true, tables)
    #expect(exchanges.map(target) == Array(repeating: "/shop", count: 10))
    #expect(exchanges.count { $0.anomalies.contains(.h2AssumedIndex) } == 9)
    let authority = exchanges[0].request?.fields.first(":authority").map { String(decoding: $0, as: UTF8.self) }
    #expect(authority == "host")
  }
}
