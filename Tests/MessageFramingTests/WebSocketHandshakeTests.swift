import HTTPModel
import MessageFraming
import Testing

@Suite("WebSocket handshakes")
struct WebSocketHandshakeTests {
  private let timing = MessageTiming(
    start: Timestamp(nanoseconds: 0), headEnd: Timestamp(nanoseconds: 0), end: Timestamp(nanoseconds: 0))

  private func request(_ method: String, _ fields: HeaderFields) -> HTTPRequest {
    var fields = fields
    let start = UInt32(fields.storage.count)
    fields.storage += Array(method.utf8)
    return HTTPRequest(
      version: .http11, methodRange: start..<UInt32(fields.storage.count), targetRange: 0..<0, fields: fields,
      timing: timing)
  }

  private func response(_ status: UInt16, _ fields: HeaderFields) -> HTTPResponse {
    HTTPResponse(version: .http11, status: status, reasonRange: 0..<0, fields: fields, timing: timing)
  }

  @Test("An upgrade over HTTP/1.1")
  func upgrade() throws {
    let asked = request("GET", fields(("Upgrade", "h2c, WebSocket"), ("Connection", "Upgrade")))
    let answer = response(
      101,
      fields(
        ("upgrade", "websocket"), ("Sec-WebSocket-Protocol", "chat"),
        ("Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover; client_max_window_bits=\"10\"")))
    let handshake = try #require(WebSocketHandshake(request: asked, response: answer))
    #expect(handshake.subprotocol == Array("chat".utf8))
    #expect(handshake.deflate?.serverNoContextTakeover == true && handshake.deflate?.clientNoContextTakeover == false)
    #expect(handshake.deflate?.clientMaxWindowBits == 10 && handshake.deflate?.serverMaxWindowBits == 15)
    #expect(
      handshake.deflate?.takesContextOver(.server) == false && handshake.deflate?.takesContextOver(.client) == true)
    #expect(WebSocketHandshake(request: nil, response: answer) != nil)
    #expect(WebSocketHandshake(request: request("GET", fields()), response: answer) == nil)
    #expect(WebSocketHandshake(request: asked, response: response(200, answer.fields)) == nil)
    #expect(WebSocketHandshake(request: asked, response: response(101, fields(("upgrade", "h2c")))) == nil)
  }

  @Test("An extended CONNECT over HTTP/2")
  func extendedConnect() {
    let named = Array("websocket".utf8)[...]
    #expect(
      WebSocketHandshake(
        request: request("CONNECT", fields()), response: response(200, fields()), connectProtocol: named) != nil)
    #expect(
      WebSocketHandshake(
        request: request("CONNECT", fields()), response: response(403, fields()), connectProtocol: named) == nil)
    #expect(
      WebSocketHandshake(request: request("GET", fields()), response: response(200, fields()), connectProtocol: named)
        == nil)
    let other = Array("connect-udp".utf8)[...]
    #expect(WebSocketHandshake(request: nil, response: response(200, fields()), connectProtocol: other) == nil)
  }

  @Test("Extensions with quotes, several fields, and what cannot be read")
  func extensions() {
    let read = WebSocketExtension.read(
      fields(
        ("Sec-WebSocket-Extensions", "foo; a=\"x,y;z\\\"\" ; b, ,Bar;C = 1"), ("sec-websocket-extensions", "baz;;"),
        ("other", "no")))
    #expect(read.map(\.name) == ["foo", "bar", "baz"])
    #expect(read[0].parameters.map(\.name) == ["a", "b"])
    #expect(read[0].parameters[0].value == "x,y;z\"")
    #expect(read[1].parameters.map { [$0.name, $0.value] } == [["c", "1"]])
    #expect(WebSocketDeflate(accepted: read) == nil)
    let odd = WebSocketExtension.read(
      fields(("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=99; x")))
    #expect(WebSocketDeflate(accepted: odd)?.serverMaxWindowBits == 15)
    #expect(WebSocketExtension.read(fields(("Sec-WebSocket-Extensions", "\"open; a=\"\\"))).count <= 1)
  }

  @Test("Both directions are recorded with their times")
  func recording() {
    var recorder = WebSocketRecorder(deflate: nil, clientInflater: NoInflater(), serverInflater: NoInflater())
    func time(_ microseconds: Int64) -> Timestamp { Timestamp(nanoseconds: microseconds * 1000) }
    let asked = frame(1, Array("ask".utf8), key: [1, 2, 3, 4])
    asked[..<4].withUnsafeBytes { recorder.receive($0, .request, at: time(5)) }
    let answer = frame(2, [1], fin: false) + frame(9, []) + frame(0, [2])
    answer[..<4].withUnsafeBytes { recorder.receive($0, .response, at: time(6)) }
    asked[4...].withUnsafeBytes { recorder.receive($0, .request, at: time(7)) }
    answer[4...].withUnsafeBytes { recorder.receive($0, .response, at: time(9)) }
    recorder.gap(3, .response, at: time(10))
    recorder.finish(.request, at: time(11))
    recorder.finish(.response, at: time(11))
    #expect(
      recorder.messages.messages == [
        StreamMessage(direction: .request, kind: .text, time: time(7), microseconds: 2, offset: 0, length: 3),
        StreamMessage(direction: .response, kind: .ping, time: time(9), microseconds: 3, offset: 3, length: 0),
        StreamMessage(
          direction: .response, kind: .binary, flags: .fragmented, time: time(9), microseconds: 3, offset: 3, length: 2),
      ])
    #expect(recorder.messages.bytes == Array("ask".utf8) + [1, 2])
    #expect(recorder.anomalies.members == [.messageBoundaryLost])
  }
}
