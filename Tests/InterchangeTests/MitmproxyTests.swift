// mitmproxy's flow files: what mitmproxy writes, whole, in pieces, and damaged.

import HTTPModel
import Testing

@testable import Interchange

@Suite struct MitmproxyTests {
  private func read(_ bytes: [UInt8], piece: Int? = nil, bodyLimit: Int = 10_000_000) -> Reading {
    Reading(MitmproxyReader(bodyLimit: bodyLimit), bytes, piece: piece)
  }

  private func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

  @Test("A flow: header fields as sent, bodies, times to 100 ns, both addresses")
  func flow() throws {
    let reading = read(RecordedFlows().encoded)
    let exchange = try #require(reading.exchanges.first)
    let request = try #require(exchange.request)
    let response = try #require(exchange.response)
    #expect(reading.notes.sentences == [] && reading.notes.damage == [])
    #expect(text(request.fields.storage).hasPrefix("POST /a?x=1 HTTP/1.1\r\nHost: shop:8080\r\nX-OdD: v\r\n"))
    #expect(text(request.target) == "/a?x=1")
    #expect(request.body.bytes == Array("a=b".utf8) && request.body.framing == .contentLength)
    #expect(response.fields.pairs == ["Content-Length: 2", "Set-Cookie: a=1", "set-cookie: b=2"])
    #expect(text(response.reason) == "Fine" && text(response.body.bytes) == "hi")
    #expect(request.timing.start.nanoseconds == 1_795_274_637_707_816_600)
    #expect(response.timing.end.nanoseconds == 1_795_274_637_714_382_000)
    #expect("\(exchange.client) \(exchange.server)" == "10.0.0.7:53822 10.0.0.1:8080")
    #expect(exchange.id == ExchangeID(connection: 1, ordinal: 1) && exchange.isWhole && exchange.anomalies.isEmpty)
  }

  @Test("However the file is cut")
  func pieces() {
    var second = RecordedFlows()
    second.client.set(["id": .text("other")])
    let bytes = RecordedFlows().encoded + RecordedFlows().encoded + second.encoded
    let whole = read(bytes)
    #expect(whole.exchanges.map { "\($0.id)" } == ["1-1", "1-2", "2-1"])
    for piece in [1, 2, 3, 7, 64, 1000] { #expect(read(bytes, piece: piece).exchanges == whole.exchanges, "\(piece)") }
  }

  @Test("HTTP/2 over TLS: pseudo-header fields, trailers, what the handshake agreed on")
  func http2() throws {
    var flow = RecordedFlows()
    flow.request.set([
      "http_version": .bytes("HTTP/2.0"), "authority": .bytes("shop.example"), "scheme": .bytes("https"),
      "headers": .fields(["te": "trailers"]), "trailers": .fields(["x-sum": "1"]),
    ])
    // From a server that speaks HTTP/1.1 only.
    flow.response?.set(["headers": .fields(["Content-Length": "2", "Connection": "keep-alive"])])
    flow.client.set([
      "tls": .truth(true), "tls_version": .text("TLSv1.2"), "cipher": .text("ECDHE-RSA-AES128-GCM-SHA256"),
      "sni": .text("shop.example"), "alpn": .bytes("h2"),
    ])
    let exchanges = read(flow.encoded + flow.encoded).exchanges
    let exchange = try #require(exchanges.first)
    #expect(exchange.request?.fields.pairs == [":scheme: https", ":authority: shop.example", "te: trailers"])
    #expect(exchange.request?.trailers.pairs == ["x-sum: 1"])
    #expect(exchange.response?.fields.pairs == ["content-length: 2"])
    #expect(exchange.response?.version == .http2 && exchange.isTLS)
    #expect(
      exchange.connection?.tls
        == TLSFacts(
          version: "TLSv1.2", suite: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", serverName: "shop.example",
          applicationProtocol: "h2"))
    #expect(exchanges.map(\.stream) == [1, 3])
    #expect(exchanges[1].connection === exchange.connection)
  }

  @Test("Cipher suites by the names of the registry")
  func cipherSuites() {
    let names = [
      "TLS_AES_256_GCM_SHA384": "TLS_AES_256_GCM_SHA384", "AES128-SHA": "TLS_RSA_WITH_AES_128_CBC_SHA",
      "ECDHE-ECDSA-CHACHA20-POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
      "ECDHE-ECDSA-AES128-CCM8": "TLS_ECDHE_ECDSA_WITH_AES_128_CCM8", "DES-CBC3-SHA": "DES-CBC3-SHA", "": "",
      "DHE-RSA-AES256-SHA256": "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "AES": "AES",
    ]
    for (name, registered) in names { #expect(registeredCipherSuite(name) == registered) }
  }

  @Test("A WebSocket's messages and its end")
  func webSocket() throws {
    var flow = RecordedFlows()
    flow.response?.set(["status_code": .integer(101), "content": .bytes("")])
    func message(_ opcode: Int64, _ isFromClient: Bool, _ content: String, _ time: String) -> Netstring {
      .list([.integer(opcode), .truth(isFromClient), .bytes(content), .real(time), .truth(false), .truth(false)])
    }
    flow.webSocket = .dictionary([
      ("timestamp_end", .real("1795274640.5")), ("close_reason", .text("bye")), ("close_code", .integer(1000)),
      ("closed_by_client", .truth(true)),
      (
        "messages",
        .list([message(1, true, "hello", "1795274638.25"), message(2, false, "\u{0}\u{1}", "1795274639.0")])
      ),
    ])
    let exchange = try #require(read(flow.encoded).exchanges.first)
    let messages = try #require(exchange.details.messages)
    #expect(messages.messages.map(\.kind) == [.text, .binary, .close])
    #expect(messages.messages.map(\.direction) == [.request, .response, .request])
    #expect(messages.bytes == Array("hello".utf8) + [0, 1, 3, 0xe8] + Array("bye".utf8))
    #expect(messages.messages[0].time.nanoseconds == 1_795_274_638_250_000_000)
    let cut = try #require(read(flow.encoded, bodyLimit: 0).exchanges.first?.details.messages)
    #expect(cut.messages.count == 3)
  }

  @Test("A WebSocket message over the limit is kept as far as it goes, and says so")
  func largeMessage() throws {
    var flow = RecordedFlows()
    let content = [UInt8](repeating: 0x61, count: 5000)
    let message = Netstring.list([.integer(1), .truth(true), .octets(content), .real("1795274638.25"), .truth(false)])
    flow.webSocket = .dictionary([("messages", .list([message]))])
    let messages = try #require(read(flow.encoded, bodyLimit: 1000).exchanges.first?.details.messages)
    #expect(messages.messages.map(\.flags) == [.cut])
    #expect(messages.bytes.count >= 1000 && messages.bytes.count < 1200 && Set(messages.bytes) == [0x61])
  }

  @Test("Bodies over the limit are counted and hashed; those that were passed on unseen are named")
  func bodies() throws {
    var flow = RecordedFlows()
    flow.response?.set([
      "content": .octets([UInt8](repeating: 0x62, count: 3000)), "headers": .fields(["Transfer-Encoding": "chunked"]),
    ])
    let cut = try #require(read(flow.encoded, bodyLimit: 100).exchanges.first?.response?.body)
    #expect(cut.bytes.count == 100 && cut.size == 3000 && cut.cutHash != nil && cut.framing == .chunked)
    flow.response?.set(["content": .nothing, "headers": .fields(["Content-Length": "7000"])])
    var reading = read(flow.encoded)
    #expect(reading.notes[.bodiesNotInFile] == 1)
    #expect(reading.exchanges.first?.response?.body.missing == [BodyRange(lowerBound: 0, upperBound: 7000)])
    // Nothing says how long it was, and the answer was never whole.
    flow.response?.set(["headers": .fields([:]), "timestamp_end": .nothing])
    flow.error = .dictionary([("msg", .text("peer closed connection"))])
    reading = read(flow.encoded)
    #expect(reading.notes[.flowsWithError] == 1)
    #expect(reading.exchanges.first?.anomalies.contains(.http1TruncatedByClose) == true)
    flow.response = nil
    #expect(read(flow.encoded).exchanges.first?.anomalies.contains(.http1RequestWithoutResponse) == true)
  }

  @Test("Other protocols are counted; old formats are named with what rewrites them")
  func leftOut() throws {
    var datagrams = RecordedFlows()
    datagrams.type = "dns"
    let mixed = read(datagrams.encoded + RecordedFlows().encoded + datagrams.encoded)
    #expect(mixed.exchanges.count == 1 && mixed.notes[.flowsNotHTTP] == 2)
    #expect(mixed.notes.sentences == ["2 flows of other protocols than HTTP (TCP, UDP, DNS) left out"])
    for version in [Netstring.integer(7), .list([.integer(0), .integer(18)])] {
      var old = RecordedFlows()
      old.version = version
      let reading = read(old.encoded + old.encoded)
      #expect(reading.exchanges.isEmpty && reading.notes[.flowsTooOld] == 2)
      #expect(reading.notes.damage.map(\.offset) == [0])
      #expect(reading.notes.damage.first?.problem.contains("mitmdump -n -r") == true)
    }
  }

  @Test("Names of members from mitmproxy 7 to 9")
  func olderNames() throws {
    var flow = RecordedFlows()
    flow.version = .integer(13)
    flow.client = ["address": .list([.text("10.0.0.7"), .integer(5)]), "id": .text("x")]
    flow.server = ["ip_address": .list([.text("10.0.0.9"), .integer(80)])]
    let exchange = try #require(read(flow.encoded).exchanges.first)
    #expect("\(exchange.client) \(exchange.server)" == "10.0.0.7:5 10.0.0.9:80")
  }

  @Test("A file that ends within a flow: what stands before is there, and the place is named")
  func truncated() {
    let one = RecordedFlows().encoded
    for cut in stride(from: 1, to: one.count, by: 97) {
      let reading = read(one + one[..<cut])
      #expect(reading.exchanges.count == 1)
      #expect(reading.notes.damage.map(\.offset) == [UInt64(one.count)], "\(cut)")
      #expect(reading.notes[.entriesDamaged] == 1)
    }
  }

  @Test("A flow that contradicts itself is passed over, and the next one read")
  func damaged() throws {
    let one = RecordedFlows().encoded
    var broken = one
    let place = try #require(one.indices.first { one[$0...].starts(with: "8:response".utf8) })
    broken[place] = 0x78
    let reading = read(one + broken + one)
    #expect(reading.exchanges.count == 2)
    #expect(reading.notes.damage.map(\.offset) == [UInt64(one.count + place)])
    // A length that is wrong leaves no place to go on.
    broken = one
    broken[0] = 0x31
    #expect(read(one + broken + one).exchanges.count == 1)
    #expect(read(Array("hello".utf8)).notes.damage.map(\.problem) == ["no mitmproxy flow begins here"])
  }

  @Test("No change of a file makes the reader fail, hold on to more than it may, or read another file's worth")
  func mutations() {
    var flow = RecordedFlows()
    flow.webSocket = .dictionary([
      ("messages", .list([.list([.integer(1), .truth(true), .bytes("hello"), .real("1795274638.25")])]))
    ])
    let bytes = flow.encoded + RecordedFlows().encoded
    var random = SystemRandomNumberGenerator()
    for round in 0..<3000 {
      var changed = bytes
      for _ in 0...(round % 4) {
        let place = Int.random(in: 0..<changed.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: changed[place] = UInt8.random(in: 0...255, using: &random)
        case 1: changed[place] = "0123456789:,;#^!~]}".utf8.randomElement(using: &random)!
        case 2: changed.remove(at: place)
        case 3: changed.insert(UInt8(ascii: "9"), at: place)
        default: changed.removeSubrange(place..<min(changed.count, place + 40))
        }
      }
      let reading = read(changed, piece: round % 3 == 0 ? 11 : nil, bodyLimit: 100)
      #expect(reading.exchanges.count <= 2)
      for exchange in reading.exchanges { #expect(exchange.request!.body.bytes.count <= 100) }
    }
  }
}
