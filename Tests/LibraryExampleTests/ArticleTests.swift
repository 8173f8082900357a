// The library products as others use them: each article's example compiles here, does what it says, and is the same text.

import Foundation
import HTTPModel
import PacketHeaders
import Testing

@Suite struct ArticleTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test(
    "An article's code is the code that is tested",
    arguments: ["TCPReassembly", "HTTP1Decoding", "HTTP2Decoding", "SessionFile", "ResponseDiff"])
  func sameText(_ name: String) throws {
    func text(_ path: String) throws -> String {
      try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    }
    let article = try text("Sources/\(name)/\(name).docc/\(name).md")
    let code = try #require(article.components(separatedBy: "```swift\n").last?.components(separatedBy: "```").first)
    let source = try text("Tests/LibraryExampleTests/Examples.swift")
    let after = try #require(source.components(separatedBy: "// example \(name)\n").last)
    let tested = try #require(after.components(separatedBy: "    // end\n").first)
      .components(separatedBy: "\n").map { $0.hasPrefix("    ") ? String($0.dropFirst(4)) : $0 }.joined(separator: "\n")
    #expect(code == tested)
  }

  private func segment(_ sequence: UInt32, _ payload: String) -> (segment: TCPSegment, payload: [UInt8]) {
    let client = TransportAddress(address: IPAddress(v4: 0x0a00_0001), port: 40_000)
    let server = TransportAddress(address: IPAddress(v4: 0x0a00_0002), port: 80)
    let count = payload.utf8.count
    return (
      TCPSegment(
        source: client, destination: server, sequence: SequenceNumber(rawValue: sequence),
        acknowledgment: SequenceNumber(rawValue: 1), flags: payload.isEmpty ? .syn : .ack, window: 100,
        payload: 0..<count, payloadLengthOnWire: count), Array(payload.utf8)
    )
  }

  @Test("TCPReassembly: out of order, twice, and with a hole")
  func reassembly() {
    let text = Examples.streams([
      segment(99, ""), segment(100, "GET "), segment(106, "x"), segment(104, "/o"), segment(104, "/o"),
      segment(110, "!"),
    ])
    #expect(
      text == [
        "originator 0: GET ", "originator 4: /o", "originator 6: x", "originator 7: 3 bytes are missing",
        "originator 10: !",
      ])
  }

  @Test("HTTP1Decoding: two messages in three pieces")
  func http1() {
    let bytes = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nokGET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    #expect(
      Examples.messages([Array(bytes[..<20]), Array(bytes[20..<50]), Array(bytes[50...])]).joined(separator: " ")
        .replacingOccurrences(of: "o k", with: "ok") == "POST ok end GET end")
  }

  @Test("HTTP2Decoding: a request from the preface on")
  func http2() {
    var bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    bytes += [0, 0, 0, 4, 0, 0, 0, 0, 0]
    // GET, http, / by their indices in the static table; the authority as a literal.
    bytes += [0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x01, 0x01, 0x61]
    #expect(Examples.frames(bytes) == ["1: GET", "1: end"])
  }

  @Test("SessionFile: what was written comes back in order of time")
  func session() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("umbra-example-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let exchanges = [(2, 7), (1, 3)].map { connection, second in
      var exchange = Exchange()
      exchange.id = ExchangeID(connection: UInt32(connection), ordinal: 1)
      exchange.response = response("ok", at: Int64(second))
      return exchange
    }
    let read = try Examples.stored(exchanges, at: folder.appendingPathComponent("a.umbra").path)
    #expect(read.map(\.description) == ["1-1", "2-1"])
  }

  private func response(_ body: String, at second: Int64) -> HTTPResponse {
    let time = Timestamp(seconds: second, nanoseconds: 0)
    var fields = HeaderFields()
    fields.append(name: "content-type".utf8, value: "application/json".utf8)
    return HTTPResponse(
      version: .http2, status: 200, reasonRange: 0..<0, fields: fields,
      body: HTTPBody(bytes: Array(body.utf8), size: UInt64(body.utf8.count), framing: .stream),
      timing: MessageTiming(start: time, headEnd: time, end: time))
  }

  @Test("ResponseDiff: a value that changed")
  func difference() {
    let found = Examples.differences(response(#"{"a": 1, "b": 2}"#, at: 1), response(#"{"b": 2, "a": 3}"#, at: 2))
    #expect(found.contains("medium changed at body:/a"), "\(found)")
  }
}
