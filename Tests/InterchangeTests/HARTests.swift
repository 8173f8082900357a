// HAR files in the dialects of those who write them; what is written is read back.

import HTTPModel
import Testing

@testable import Interchange

@Suite struct HARTests {
  private func file(_ entries: String) -> String {
    #"{"log": {"version": "1.2", "creator": {"name": "x", "version": "\"{[1]}"}, "pages": [{"id": "p", "entries": [{}]}], "entries": ["#
      + entries + "]}}"
  }

  private func read(_ entries: String, piece: Int? = nil) -> Reading {
    Reading(HARReader(), Array(file(entries).utf8), piece: piece)
  }

  private let chromium = #"""
    {"_initiator": {"type": "other"}, "_priority": "VeryHigh", "_resourceType": "xhr", "cache": {}, "connection": "4711",
     "request": {"method": "POST", "url": "https://shop.example/orders?id=7#top", "httpVersion": "http/2.0",
      "headers": [{"name": ":authority", "value": "shop.example"}, {"name": ":method", "value": "POST"},
       {"name": ":path", "value": "/orders?id=7"}, {"name": ":scheme", "value": "https"},
       {"name": "content-type", "value": "application/json"}, {"name": "content-length", "value": "11"}],
      "queryString": [{"name": "id", "value": "7"}], "cookies": [], "headersSize": -1, "bodySize": 11,
      "postData": {"mimeType": "application/json", "text": "{\"a\":\"\u00e4\"}"}},
     "response": {"status": 200, "statusText": "", "httpVersion": "http/2.0",
      "headers": [{"name": "content-encoding", "value": "br"}, {"name": "content-type", "value": "text/plain"},
       {"name": "content-length", "value": "3"}],
      "cookies": [], "content": {"size": 5, "mimeType": "text/plain", "text": "aGVsbG8=", "encoding": "base64"},
      "redirectURL": "", "headersSize": -1, "bodySize": -1, "_transferSize": 90},
     "serverIPAddress": "[2001:db8::1]", "startedDateTime": "2026-11-21T08:00:00.250Z", "time": 20.5,
     "timings": {"blocked": 1.5, "dns": -1, "ssl": 2, "connect": 4, "send": 0.5, "wait": 10, "receive": 2.25,
      "_blocked_queueing": 1.2}}
    """#

  @Test("Chromium: HTTP/2 with pseudo-header fields, base64, timings, a content coding undone")
  func chromiumDialect() throws {
    let reading = read(chromium)
    for piece in [1, 3, 100] { #expect(read(chromium, piece: piece).exchanges == reading.exchanges) }
    let exchange = try #require(reading.exchanges.first)
    let request = try #require(exchange.request)
    let response = try #require(exchange.response)
    #expect(exchange.version == .http2 && exchange.isTLS)
    #expect("\(exchange.server)" == "[2001:db8::1]:443")
    #expect(String(decoding: request.target, as: UTF8.self) == "/orders?id=7")
    #expect(
      request.fields.pairs == [
        ":scheme: https", ":authority: shop.example", "content-type: application/json", "content-length: 10",
      ])
    #expect(request.body.bytes == Array(#"{"a":"ä"}"#.utf8))
    #expect(reading.notes[.lengthsCorrected] == 1)
    #expect(response.body.bytes == Array("hello".utf8))
    #expect(response.fields.pairs == ["content-type: text/plain", "content-length: 5"])
    #expect(reading.notes[.codingsUndone] == 1)
    let start = request.timing.start
    #expect("\(start)" == "2026-11-21T08:00:00.255500000Z")
    #expect(request.timing.end.nanoseconds(since: start) == 500_000)
    #expect(response.timing.start.nanoseconds(since: start) == 10_500_000)
    #expect(response.timing.end.nanoseconds(since: start) == 12_750_000)
  }

  @Test("Firefox: a Host field that was not sent, a form as parameters, an offset of time, no milliseconds")
  func firefoxDialect() throws {
    let exchange = try #require(
      read(
        #"""
        {"startedDateTime": "2026-11-21T09:00:00.5+01:00", "connection": "443",
         "request": {"bodySize": 9, "method": "POST", "url": "https://shop.example/login", "httpVersion": "HTTP/2",
          "headers": [{"name": "Host", "value": "shop.example"}, {"name": "Accept", "value": "*/*"}],
          "postData": {"mimeType": "application/x-www-form-urlencoded", "text": "",
           "params": [{"name": "a", "value": "1 2"}, {"name": "b", "value": "%C3%A4"}]}},
         "response": {"status": 304, "statusText": "Not Modified", "httpVersion": "HTTP/2", "headers": [],
          "content": {"mimeType": "text/html", "size": 700}}, "timings": {"send": 0, "wait": 5, "receive": 0}}
        """#
      ).exchanges.first)
    #expect(exchange.request?.fields.pairs == [":scheme: https", ":authority: shop.example", "accept: */*"])
    #expect(exchange.request?.body.bytes == Array("a=1%202&b=%C3%A4".utf8))
    #expect("\(exchange.start)" == "2026-11-21T08:00:00.500000000Z")
    #expect(exchange.response?.body.isComplete == true)
  }

  @Test("mitmproxy: WebSocket messages")
  func mitmproxyDialect() throws {
    let exchange = try #require(
      read(
        #"""
        {"startedDateTime": "2026-11-21T08:00:00.000001+00:00", "time": 12.0,
         "request": {"method": "GET", "url": "ws://shop/live", "httpVersion": "HTTP/1.1", "cookies": [],
          "headers": [["no"], {"name": "Upgrade", "value": "websocket"}]},
         "response": {"status": 101, "statusText": "Switching Protocols", "httpVersion": "HTTP/1.1", "headers": [],
          "content": {"size": 0, "mimeType": ""}}, "timings": {"send": 1, "wait": 2, "receive": 3},
         "_webSocketMessages": [{"type": "send", "time": 1795248000.5, "opcode": 1, "data": "hi"},
          {"type": "receive", "time": 1795248001.25, "opcode": 2, "data": "AAEC"}]}
        """#
      ).exchanges.first)
    let messages = try #require(exchange.details.messages)
    #expect(messages.messages.map(\.direction) == [.request, .response])
    #expect(messages.messages.map(\.kind) == [.text, .binary])
    #expect(messages.bytes == Array("hi".utf8) + [0, 1, 2])
    #expect(exchange.request?.fields.pairs == ["Host: shop", "Upgrade: websocket"])
  }

  @Test("Chromium: streams of one connection, an answer of the cache, an error among a WebSocket's messages")
  func chromiumOddities() {
    func entry(_ more: String) -> String {
      #"""
      {"startedDateTime": "2026-11-21T08:00:00Z", "time": -1, "connection": "17", "serverIPAddress": "10.0.0.1",
       "request": {"method": "GET", "url": "https://shop/a", "httpVersion": "h2", "headers": [], "comment": "x"},
       "response": {"status": 200, "httpVersion": "h2", "headers": [], "cookies": [{"name": "a", "value": "1"}],
        "content": {"size": 2, "mimeType": "text/plain", "text": "hi"}}, "timings": {"blocked": -1, "wait": -1}\#(more)}
      """#
    }
    let messages = #", "_webSocketMessages": [{"opcode": -1, "data": "failed"}, {"opcode": 1, "data": "hi"}]"#
    let reading = read([entry(""), entry(#", "_fromCache": "disk""#), entry(messages)].joined(separator: ","))
    #expect(reading.exchanges.map(\.stream) == [1, 3, 5])
    #expect(reading.notes[.entriesFromCache] == 1)
    #expect(reading.exchanges.last?.details.messages?.bytes == Array("hi".utf8))
    #expect(reading.exchanges.first?.response?.fields.pairs == ["set-cookie: a=1"])
  }

  @Test("Postman: a query apart from the URL, cookies apart from the fields, hardly anything else")
  func postmanDialect() throws {
    let exchange = try #require(
      read(
        #"""
        {"startedDateTime": "2026-11-21T08:00:00Z", "time": 30,
         "request": {"method": "PUT", "url": "http://shop:8080/a",
          "queryString": [{"name": "q", "value": "x y"}, {"name": "flag"}],
          "cookies": [{"name": "s", "value": "1"}, {"name": "t", "value": "2"}],
          "postData": {"mimeType": "text/plain", "text": "body"}},
         "response": {"status": 200, "content": {"text": "ok"}}}
        """#
      ).exchanges.first)
    #expect(exchange.request.map { String(decoding: $0.target, as: UTF8.self) } == "/a?q=x%20y&flag")
    #expect(exchange.request?.fields.pairs == ["Host: shop:8080", "Cookie: s=1; t=2", "Content-Length: 4"])
    #expect(exchange.response?.timing.end.nanoseconds(since: exchange.start) == 30_000_000)
    #expect(exchange.server.port == 8080)
  }

  @Test("Requests without an answer, other schemes, bodies of which only the size is there")
  func lacks() {
    let start = #""startedDateTime": "2026-11-21T08:00:00Z""#
    let reading = read(
      #"{"# + start + #", "request": {"method": "GET", "url": "http://a/"}, "response": {"status": 0}},"#
        + #"{"# + start + #", "request": {"method": "GET", "url": "data:image/png;base64,AA"}},"#
        + #"{"# + start
        + #", "request": {"method": "GET", "url": "http://a/b"}, "response": {"status": 200, "content": {"size": 9}}}"#)
    #expect(reading.exchanges.map { $0.response?.status } == [nil, 200])
    #expect(reading.exchanges.last?.response?.body.isComplete == false)
    #expect(reading.exchanges.last?.response?.body.size == 9)
    #expect(reading.notes[.entriesNotHTTP] == 1)
    #expect(reading.notes[.bodiesNotInFile] == 1)
  }

  @Test("A field cannot bring a second request with it")
  func smuggling() throws {
    let entry =
      #"{"startedDateTime": "2026-11-21T08:00:00Z", "request": {"method": "GET\r\nX: 1", "url": "http://a/b c\r\nY: 2","#
      + #" "headers": [{"name": "X", "value": "1\r\n\r\nGET /evil HTTP/1.1"}, {"name": "B\nC", "value": "2"}]}}"#
    let reading = read(entry)
    let request = try #require(reading.exchanges.first?.request)
    let lines = String(decoding: request.fields.storage, as: UTF8.self).split(separator: "\r\n")
    #expect(lines == ["GET--X--1 /b%20c%0D%0AY:%202 HTTP/1.1", "Host: a", "X: 1    GET /evil HTTP/1.1"])
    #expect(reading.notes[.fieldsSanitised] == 1)
    #expect(reading.notes[.fieldsDropped] == 1)
  }

  @Test("Damage is told with its line and byte; entries around it are kept")
  func damage() {
    let good = #"{"startedDateTime": "2026-11-21T08:00:00Z", "request": {"method": "GET", "url": "http://a/"}}"#
    let reading = read(good + ",\n{\"request\": tru},\n{\"startedDateTime\": \"x\"},\n" + good)
    #expect(reading.exchanges.count == 2)
    #expect(reading.notes[.entriesDamaged] == 2)
    #expect(reading.notes.damage.map(\.line) == [2, 3])
    #expect(reading.notes.damage.first?.problem == "not one of true, false and null")
    let cut = Reading(HARReader(), Array(file(good + "," + good).utf8.dropLast(30)))
    #expect(cut.exchanges.count == 1)
    #expect(cut.notes.damage.count == 2)
    #expect(Reading(HARReader(), Array("[1]".utf8)).notes.damage.first?.problem == "an array: no HAR")
    #expect(Reading(HARReader(), Array("{}".utf8)).notes.damage.first?.problem == "it holds no log.entries: no HAR")
  }

  @Test("Every cut of a file is read without a crash")
  func cuts() {
    let bytes = Array(file(chromium).utf8)
    for end in stride(from: 0, to: bytes.count, by: 3) { _ = Reading(HARReader(), Array(bytes[..<end])) }
  }

  @Test("What is written is read back, times to the microsecond")
  func roundTrip() throws {
    let original = read(chromium).exchanges
    var writer = HARWriter(version: "1")
    var bytes: [UInt8] = []
    writer.begin(into: &bytes)
    for exchange in original { writer.append(exchange, attempts: [], into: &bytes) }
    writer.end(into: &bytes)
    #expect(writer.notes.sentences == [])
    #expect(Reading(HARReader(), bytes).exchanges == original)
  }
}
