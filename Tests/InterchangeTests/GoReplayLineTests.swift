// The middleware protocol's lines.

import HTTPModel
import Testing

@testable import Interchange

@Suite struct GoReplayLineTests {
  private func exchange(_ request: String) throws -> Exchange {
    let record = "1 1f0000010203040506070809 1700000000000000000 5000\n\(request)\n🐵🙈🙉\n"
    return try #require(Reading(GoReplayReader(), Array(record.utf8)).exchanges.first)
  }

  @Test("A line is the hexadecimal digits of a record, and is read back")
  func lines() throws {
    let exchange = try exchange("GET /a HTTP/1.1\r\nHost: shop\r\n\r\n")
    let line = try #require(GoReplayLine(requestOf: exchange, round: 2))
    #expect(String(decoding: line.identifier, as: UTF8.self) == "000000010000000100000002")
    let text = line.line
    #expect(text.last == 0x0a && text.count % 2 == 1)
    #expect(String(decoding: text.prefix(4), as: UTF8.self) == "3120")
    #expect(GoReplayLine(line: text.dropLast()) == line)
    #expect(GoReplayLine(line: Array(String(decoding: text.dropLast(), as: UTF8.self).uppercased().utf8)) == line)
    #expect(line.request(insteadOf: try #require(exchange.request)) == exchange.request)
  }

  @Test("What is no message of the protocol", arguments: ["", "zz", "313", "3120", "hello", "3520610a"])
  func noLines(_ text: String) { #expect(GoReplayLine(line: Array(text.utf8)) == nil) }

  @Test("A body that was changed and its length not: the body counts")
  func changedBody() throws {
    let recorded = try #require(
      try exchange("POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc").request)
    let whole = try #require(
      GoReplayLine(requestOf: exchange("POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc"), round: 0))
    for body in ["abcdef", "a"] {
      var line = whole
      line.message.removeLast(3)
      line.message += Array(body.utf8)
      let request = try #require(line.request(insteadOf: recorded))
      #expect(request.body.bytes == Array(body.utf8))
      #expect(request.body.isComplete)
      #expect(request.fields.first("content-length").map { Array($0) } == Array("\(body.utf8.count)".utf8))
    }
  }
}
