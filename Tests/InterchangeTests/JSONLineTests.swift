// JSON lines as umbra prints them.

import HTTPModel
import Testing

@testable import Interchange

@Suite struct JSONLineTests {
  private let line =
    #"{"id":"7-3","protocol":"http/1.1","connection":7,"stream":null,"client":"127.0.0.1:53412","server":"[::1]:8080","tls":true,"start":"2026-11-21T00:00:00.000000001Z","request":{"method":"POST","target":"/o","scheme":"https","authority":"shop","headers":[["Host","shop"],["Transfer-Encoding","chunked"]],"trailers":[["X","1"]],"body":{"size":3,"sha256":null,"complete":false,"missing":[[1,2]],"base64":"/w=="}},"response":{"status":200,"reason":"OK","headers":[],"trailers":[],"informational":[103],"body":{"size":5,"complete":true}},"timing":{"request_us":120,"first_byte_us":900,"total_us":1200},"reset":{"by":"client","code":8},"encapsulation":"vlan 3","tls_session":{"version":"TLSv1.3","suite":"S","server_name":"shop","alpn":null},"anomalies":["tcp.gap","no.such"]}"#

  @Test("Every key is read")
  func keys() throws {
    let reading = Reading(JSONLineReader(), Array((line + "\n").utf8), piece: 11)
    let exchange = try #require(reading.exchanges.first)
    #expect("\(exchange.id) \(exchange.client) \(exchange.server)" == "7-3 127.0.0.1:53412 [::1]:8080")
    #expect(exchange.isTLS)
    #expect(exchange.request?.body.bytes == [0xff])
    #expect(exchange.request?.body.missing == [BodyRange(lowerBound: 1, upperBound: 3)])
    #expect(exchange.request?.body.framing == .chunked)
    #expect(exchange.request?.trailers.pairs == ["X: 1"])
    #expect(exchange.request?.timing.end.nanoseconds(since: exchange.start) == 120_000)
    #expect(exchange.response?.timing.end.nanoseconds(since: exchange.start) == 1_200_000)
    #expect(exchange.response?.informational.map(\.status) == [103])
    #expect(exchange.response?.body.isComplete == false)
    #expect(exchange.details.reset == StreamReset(code: 8, byClient: true))
    #expect(exchange.connection?.tls?.serverName == "shop")
    #expect(exchange.anomalies == [.tcpGap])
    #expect(reading.notes[.bodiesNotInFile] == 1)
    #expect(reading.notes[.interimFieldsLost] == 1)
  }

  @Test("Lines that are no exchange are told with their place")
  func damage() {
    let text = "\n\(line)\n[]\n{\"start\":\"x\"}\n{\"a\n\(line)"
    let reading = Reading(JSONLineReader(), Array(text.utf8))
    #expect(reading.exchanges.count == 2)
    #expect(reading.notes[.entriesDamaged] == 3)
    #expect(reading.notes.damage.map(\.line) == [3, 4, 5])
    #expect(reading.notes.damage.last?.offset == UInt64(1 + line.utf8.count + 1 + 3 + 14 + 3))
  }

  @Test(
    "Dates of other tools",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01T01:00:00+01:00", 0), ("1970-01-01T00:00:00.5", 500_000_000),
      ("1969-12-31T23:59:59.999999999Z", -1), ("2000-02-29 12:00:00-0030", 951_827_400_000_000_000),
    ])
  func dates(_ text: String, _ nanoseconds: Int) {
    #expect(Timestamp(dateText: text)?.nanoseconds == Int64(nanoseconds))
  }

  @Test(
    "What is no date",
    arguments: ["", "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00X", "12026-01-01T00:00Z"])
  func noDates(_ text: String) { #expect(Timestamp(dateText: text) == nil) }

  @Test("Base64 as tools write it")
  func base64() {
    for (text, bytes) in [("", []), ("AA==", [0]), ("AAE", [0, 1]), ("_-8=", [0xff, 0xef]), ("A A\nEC", [0, 1, 2])]
      as [(String, [UInt8])]
    {
      #expect(Array(text.utf8).withUnsafeBytes { base64Decoded($0) } == bytes, "\(text)")
    }
    for text in ["A", "AA=A", "A*==", "AAAAA"] {
      #expect(Array(text.utf8).withUnsafeBytes { base64Decoded($0) } == nil)
    }
    for count in 0..<7 {
      let bytes = (0..<count).map { UInt8(250 + $0) }
      #expect(Array(base64Encoded(bytes).utf8).withUnsafeBytes { base64Decoded($0) } == bytes)
    }
  }
}
