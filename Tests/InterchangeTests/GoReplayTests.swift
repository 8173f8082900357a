// GoReplay files: what the format's documents and users' files hold, whole, in pieces, and damaged.

import HTTPModel
import Testing

@testable import Interchange

@Suite struct GoReplayTests {
  private let id = "1f0000010203040506070809"
  private let end = "\n🐵🙈🙉\n"

  private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: shop:8080\r\n\r\n" }
  private func answer(_ body: String) -> String {
    "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private func read(_ text: String, piece: Int? = nil, limits: GoReplayLimits = GoReplayLimits()) -> Reading {
    Reading(GoReplayReader(limits: limits), Array(text.utf8), piece: piece)
  }

  @Test("A request and its response are joined by their identifier, however the file is cut")
  func pair() throws {
    let text =
      "1 \(id) 1700000000000000001 2000\n\(get("/a"))\(end)2 \(id) 1700000000000500000 300\n\(answer("hi"))\(end)"
    let whole = read(text)
    for piece in [1, 2, 7, 13, 64] { #expect(read(text, piece: piece).exchanges == whole.exchanges, "\(piece)") }
    let exchange = try #require(whole.exchanges.first)
    #expect(whole.exchanges.count == 1)
    #expect(whole.notes.sentences == [])
    #expect(exchange.request.map { String(decoding: $0.target, as: UTF8.self) } == "/a")
    #expect(exchange.request?.timing.start.nanoseconds == 1_700_000_000_000_000_001)
    #expect(exchange.request?.timing.end.nanoseconds == 1_700_000_000_000_002_001)
    #expect(exchange.response?.timing.start.nanoseconds == 1_700_000_000_000_500_000)
    #expect(exchange.response?.body.bytes == Array("hi".utf8))
    #expect(exchange.server.port == 8080)
  }

  @Test("Responses stand before their requests, between others, or long after")
  func interleaved() {
    let ids = (0..<6).map { "1f000001020304050607080\($0)" }
    func request(_ i: Int) -> String { "1 \(ids[i]) \(100 + i) 0\n\(get("/\(i)"))\(end)" }
    func response(_ i: Int) -> String { "2 \(ids[i]) \(200 + i) 0\n\(answer("r\(i)"))\(end)" }
    let text =
      [2, 0, 1].map(request).joined() + [3, 1].map(response).joined() + [3, 4].map(request).joined()
      + [0, 4, 2, 5].map(response).joined() + request(5)
    let reading = read(text)
    #expect(reading.exchanges.count == 6)
    for exchange in reading.exchanges {
      let target = exchange.request.map { String(decoding: $0.target.dropFirst(), as: UTF8.self) } ?? "?"
      #expect(exchange.response?.body.bytes == Array("r\(target)".utf8))
    }
  }

  @Test("Orphaned responses and unanswered requests are kept and named")
  func orphans() {
    let other = "2f0000010203040506070809"
    let reading = read("2 \(other) 5 0\n\(answer("x"))\(end)1 \(id) 6 0\n\(get("/a"))\(end)")
    #expect(reading.exchanges.count == 2)
    #expect(reading.exchanges.contains { $0.anomalies.contains(.http1ResponseWithoutRequest) && $0.request == nil })
    #expect(reading.exchanges.contains { $0.anomalies.contains(.http1RequestWithoutResponse) && $0.response == nil })
    #expect(reading.notes[.orphanedResponses] == 1)
  }

  @Test("Old files: 40 digits and three meta fields")
  func oldMeta() {
    let old = "f45590522cd1838b4a0d5c5aab80b77929dea3b3"
    let reading = read("1 \(old) 1231\n\(get("/old"))\(end)2 \(old) 1331\n\(answer("o"))\(end)")
    #expect(reading.exchanges.count == 1)
    #expect(reading.exchanges.first?.response?.body.bytes == Array("o".utf8))
  }

  @Test("Replayed responses are left out and counted")
  func replayed() {
    let reading = read(
      "1 \(id) 1 0\n\(get("/"))\(end)3 \(id) 9 0\n\(answer("new"))\(end)2 \(id) 5 0\n\(answer("old"))\(end)")
    #expect(reading.exchanges.first?.response?.body.bytes == Array("old".utf8))
    #expect(reading.notes[.replayedResponses] == 1)
  }

  @Test("The last record may lack its end")
  func unterminated() {
    let reading = read("1 \(id) 1 0\n\(get("/a"))\(end)1 2f0000010203040506070809 2 0\n\(get("/b"))")
    #expect(reading.exchanges.count == 2)
    #expect(reading.notes[.unterminatedRecord] == 1)
  }

  @Test("A record that was never ended, and others behind it, are told apart")
  func recordsWithoutSeparators() {
    let half = "POST /cut HTTP/1.1\r\nHost: shop\r\nContent-Length: 900\r\n\r\nbegun"
    let whole = "POST /whole HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\nbody"
    let text =
      "1 \(id) 1 0\n\(half)1 2f0000010203040506070809 2 0\n\(whole)\n1 3f0000010203040506070809 3 0\n\(get("/c"))\(end)"
    let reading = read(text)
    let bodies = reading.exchanges.map { String(decoding: $0.request?.body.bytes ?? [], as: UTF8.self) }
    #expect(bodies == ["begun", "body", ""])
    #expect(reading.exchanges.map { $0.request?.body.isComplete } == [false, true, true])
    #expect(reading.notes[.unterminatedRecord] == 2)
    #expect(reading.notes[.skippedBytes] == 0)
  }

  @Test("A body may hold what looks like a record or a separator")
  func recordsInBodies() {
    let inner = "1 2f0000010203040506070809 2 0\n\(get("/inner"))"
    let text = "1 \(id) 1 0\nPOST /up HTTP/1.1\r\nHost: a\r\nContent-Length: \(inner.utf8.count)\r\n\r\n\(inner)\(end)"
    let reading = read(text)
    #expect(reading.exchanges.count == 1)
    #expect(reading.exchanges.first?.request?.body.bytes == Array(inner.utf8))
    let monkeys = "one\(end)two"
    let other =
      "1 \(id) 1 0\nPOST /up HTTP/1.1\r\nHost: a\r\nContent-Length: \(monkeys.utf8.count)\r\n\r\n\(monkeys)\(end)"
    #expect(read(other).exchanges.first?.request?.body.bytes == Array(monkeys.utf8))
  }

  @Test("An identifier that is used again does not lose the first exchange")
  func repeatedIdentifier() {
    let reading = read(
      "1 \(id) 1 0\n\(get("/a"))\(end)1 \(id) 2 0\n\(get("/b"))\(end)2 \(id) 3 0\n\(answer("b"))\(end)")
    #expect(reading.exchanges.count == 2)
    #expect(reading.exchanges.last?.response != nil)
    #expect(reading.notes[.repeatedIdentifiers] == 1)
  }

  @Test("HEAD's answer has no body, also where it stands before its request")
  func head() {
    let head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
    let bodiless = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    for text in [
      "1 \(id) 1 0\n\(head)\(end)2 \(id) 2 0\n\(bodiless)\(end)",
      "2 \(id) 2 0\n\(bodiless)\(end)1 \(id) 1 0\n\(head)\(end)",
    ] {
      let exchange = read(text).exchanges.first
      #expect(exchange?.response?.body.isComplete == true)
      #expect(exchange?.response?.body.size == 0)
      #expect(exchange?.anomalies.isEmpty == true)
    }
  }

  @Test("A request that waits too long is told without its answer, which comes with its identifier")
  func lateAnswers() {
    var limits = GoReplayLimits()
    limits.waitingCount = 2
    let ids = (0..<5).map { "1f000001020304050607080\($0)" }
    let text =
      ids.enumerated().map { "1 \($1) \($0) 0\n\(get("/\($0)"))\(end)" }.joined()
      + ids.enumerated().map { "2 \($1) \(90 + $0) 0\n\(answer("\($0)"))\(end)" }.joined()
    let reading = read(text, limits: limits)
    #expect(reading.exchanges.count == 2)
    #expect(reading.requests.map(\.id) == reading.responses.map(\.id))
    #expect(reading.responses.count == 3)
    #expect(reading.notes.sentences == [])
  }

  @Test("What is no GoReplay file is named with its place")
  func foreign() {
    let reading = read("hello, this is nothing of the kind\n")
    #expect(reading.exchanges.isEmpty)
    #expect(reading.notes.damage.first?.description == "byte 0: no GoReplay record begins here")
    let later = read("garbage\(end)1 \(id) 1 0\n\(get("/a"))\(end)")
    #expect(later.exchanges.count == 1)
    #expect(later.notes[.skippedBytes] == 7 + UInt64(end.utf8.count))
  }

  @Test("Every cut and every changed byte is read without a crash, and most of it is found")
  func damage() {
    let text = Array(
      "1 \(id) 1 0\n\(get("/a"))\(end)2 \(id) 2 0\n\(answer("hi"))\(end)1 2f0000010203040506070809 3 0\n\(get("/b"))\(end)"
        .utf8)
    for place in text.indices {
      _ = Reading(GoReplayReader(), Array(text[..<place]), piece: nil)
      var changed = text
      changed[place] ^= 0x15
      #expect(!Reading(GoReplayReader(), changed, piece: nil).all.isEmpty)
    }
  }

  @Test("What is written is read back")
  func roundTrip() throws {
    let original = read(
      "1 \(id) 1700000000000000000 2000\nPOST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n\(end)2 \(id) 1700000000000900000 10\n\(answer("ok"))\(end)"
    ).exchanges
    var writer = GoReplayWriter()
    var bytes: [UInt8] = []
    for exchange in original { writer.append(exchange, attempts: [], into: &bytes) }
    #expect(writer.notes.sentences == [])
    let back = Reading(GoReplayReader(), bytes, piece: nil).exchanges
    #expect(back == original)
    #expect(back.first?.request?.body.chunkSizes == [3, 2])
  }

  @Test("A body that holds a separator is not written: a reader would cut it")
  func separatorInBody() {
    let body = "a\(end)b"
    let exchange = read(
      "1 \(id) 1 0\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)\(end)"
    )
    .exchanges[0]
    var writer = GoReplayWriter()
    var bytes: [UInt8] = []
    writer.append(exchange, attempts: [], into: &bytes)
    #expect(bytes.isEmpty)
    #expect(writer.notes[.separatorInBody] == 1)
  }

  @Test("gzip, in members, in pieces, cut off")
  func gzip() {
    let text = Array("1 \(id) 1 0\n\(get("/a"))\(end)".utf8)
    var packed: [UInt8] = []
    for _ in 0..<2 {
      let encoder = GzipEncoder()
      encoder.append(text, into: &packed)
      encoder.finish(into: &packed)
    }
    for piece in [1, 5, 4096] {
      let decoder = GzipDecoder()
      var content: [UInt8] = []
      for start in stride(from: 0, to: packed.count, by: piece) {
        packed[start..<min(start + piece, packed.count)].withUnsafeBytes { bytes in
          decoder.receive(bytes) { content.append(contentsOf: $0) }
        }
      }
      decoder.finish()
      #expect(content == text + text)
      #expect(decoder.fault == nil)
    }
    let decoder = GzipDecoder()
    packed.dropLast(9).withUnsafeBytes { bytes in decoder.receive(bytes) { _ in } }
    decoder.finish()
    #expect(decoder.fault == .cutOff)
  }
}
