import HTTP2Decoding
import HTTPModel
import Testing

/// Exchanges on a connection that is seen from its first byte (RFC 9113, 8).
@Suite struct ConnectionTests {
  @Test func exchange() {
    let told = everyCut(
      opening() + [
        client(Frame.headers(1, Block.post("/x", [("content-length", "5")]))),
        client(Frame.data(1, Array("hello".utf8), end: true)),
        server(Frame.headers(1, Block.ok([("server", "s")])), Frame.data(1, [1, 2]), Frame.data(1, [3], end: true)),
      ])
    #expect(
      told == [
        .head(1, "POST http://a/x", ["content-length: 5"], ends: false, []),
        .body(1, .originator, Array("hello".utf8)), .end(1, .originator, HTTP2MessageEnd()),
        .head(1, "200", ["server: s"], ends: false, []), .body(1, .responder, [1, 2, 3]),
        .end(1, .responder, HTTP2MessageEnd()), .closed(1, .ended),
      ])
  }

  @Test func interimResponsesTrailersAndPadding() {
    let told = everyCut(
      opening() + [
        client(Frame.headers(1, Block.get("/"), end: true)),
        server(Frame.headers(1, Block.status(103, [("link", "x")])), Frame.headers(1, Block.ok())),
        server(Frame.padded(1, [7], padding: 9), Frame.padded(1, [], padding: 255), Frame.data(1, [])),
        server(Frame.headers(1, Block.plain([("grpc-status", "0")]), end: true)),
      ])
    #expect(
      told == [
        .head(1, "GET http://a/", [], ends: true, []), .end(1, .originator, HTTP2MessageEnd()),
        .informational(1, "103", ["link: x"]), .head(1, "200", [], ends: false, []), .body(1, .responder, [7]),
        .trailers(1, ["grpc-status: 0"], []), .end(1, .responder, HTTP2MessageEnd()), .closed(1, .ended),
      ])
  }

  @Test func interleavedStreamsAndContinuations() {
    let block = Block.get("/long", [("x", String(repeating: "y", count: 300))])
    let told = everyCut(
      opening() + [
        client(
          Frame.headers(1, Array(block[..<5]), end: true, endHeaders: false),
          Frame.continuation(1, [], endHeaders: false), Frame.continuation(1, Array(block[5...]))),
        client(Frame.headers(3, Block.get("/b"), end: true)),
        server(Frame.headers(3, Block.ok()), Frame.headers(1, Block.status(404))),
        server(Frame.data(3, [3]), Frame.data(1, [1], end: true), Frame.data(3, [3], end: true)),
      ])
    #expect(
      told.filter { if case .head(1, _, _, _, _) = $0 { true } else { false } }.first
        == .head(1, "GET http://a/long", ["x: " + String(repeating: "y", count: 300)], ends: true, []))
    #expect(told.suffix(3) == [.body(3, .responder, [3]), .end(3, .responder, HTTP2MessageEnd()), .closed(3, .ended)])
  }

  @Test func resetsKeepTheirCode() {
    let told = everyCut(
      opening() + [
        client(Frame.headers(1, Block.get("/"), end: true)), client(Frame.reset(1, 8)),
        // On its way when the reset was sent: no fault, and of no stream.
        server(Frame.headers(1, Block.ok()), Frame.data(1, [1, 2, 3], end: true)),
        client(Frame.headers(3, Block.get("/"), end: true)),
        server(Frame.headers(3, Block.ok()), Frame.data(3, [1]), Frame.reset(3, 2)),
      ])
    #expect(
      told == [
        .head(1, "GET http://a/", [], ends: true, []), .end(1, .originator, HTTP2MessageEnd()),
        .reset(1, .originator, 8), .closed(1, .reset),
        .head(3, "GET http://a/", [], ends: true, []), .end(3, .originator, HTTP2MessageEnd()),
        .head(3, "200", [], ends: false, []), .body(3, .responder, [1]), .reset(3, .responder, 2), .closed(3, .reset),
      ])
  }

  @Test func pushedStreamsAreExchanges() {
    let told = everyCut(
      opening() + [
        client(Frame.headers(1, Block.get("/"), end: true)),
        server(Frame.promise(1, 2, Block.get("/style")), Frame.headers(1, Block.ok(), end: true)),
        server(Frame.headers(2, Block.ok()), Frame.data(2, [5], end: true)),
      ])
    #expect(
      told.dropFirst(2) == [
        .promise(2, by: 1, "GET http://a/style", []), .head(1, "200", [], ends: true, []),
        .end(1, .responder, HTTP2MessageEnd()), .closed(1, .ended), .head(2, "200", [], ends: false, []),
        .body(2, .responder, [5]), .end(2, .responder, HTTP2MessageEnd()), .closed(2, .ended),
      ])
  }

  @Test func connectAndExtendedConnect() {
    let told = everyCut(
      opening(server: [(8, 1)]) + [
        client(Frame.headers(1, Block.plain([(":method", "CONNECT"), (":authority", "b:1")]))),
        client(
          Frame.headers(
            3,
            Block.plain([
              (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/chat"),
              (":authority", "c"),
            ]))), server(Frame.headers(1, Block.ok()), Frame.data(1, [1])),
      ])
    #expect(told[0] == .head(1, "CONNECT ?://b:1?", [], ends: false, []))
    #expect(told[1] == .head(3, "CONNECT https://c/chat websocket", [], ends: false, []))
  }

  @Test func upgradeFromHTTP1() throws {
    var connection = HTTP2Connection()
    // MAX_CONCURRENT_STREAMS 100, INITIAL_WINDOW_SIZE 10485760, ENABLE_PUSH 0.
    let slot = connection.beginUpgraded(
      settings: "AAMAAABkAAQAoAAAAAIAAAAA".utf8, isHead: false, time: Timestamp(nanoseconds: 1))
    #expect(slot == 0)
    #expect(connection.settings(of: .originator).maxConcurrentStreams == 100)
    #expect(connection.settings(of: .originator).initialWindowSize == 10_485_760)
    #expect(!connection.settings(of: .originator).enablesPush)
    let told = everyCut(
      [
        server(Frame.settings(), Frame.headers(1, Block.ok()), Frame.data(1, [9], end: true)),
        client(Frame.preface, Frame.settings(), Frame.headers(3, Block.get("/2"), end: true)),
      ], connection)
    #expect(
      told.prefix(4) == [
        .head(1, "200", [], ends: false, []), .body(1, .responder, [9]), .end(1, .responder, HTTP2MessageEnd()),
        .closed(1, .ended),
      ])
    #expect(told[4] == .head(3, "GET http://a/2", [], ends: true, []))
  }

  @Test func goawayPingAndUnknownFrames() {
    let told = everyCut(
      opening() + [
        client(Frame.headers(1, Block.get("/"), end: true), Frame.ping, Frame.raw(0x10, 0xff, 0, [1, 2, 3])),
        server(Frame.raw(0xfa, 0, 7, []), Frame.goaway(1, 11) + Frame.headers(1, Block.ok(), end: true)),
      ])
    #expect(told.dropFirst(2).prefix(2) == [.goaway(.responder, 1, 11), .head(1, "200", [], ends: true, [])])
  }

  /// What a side acknowledges holds for what it sends from there on (RFC 9113, 6.5.3).
  @Test func settingsComeIntoForceWithTheirAcknowledgement() {
    var transcript = Transcript()
    transcript.feed([client(Frame.preface, Frame.settings([(5, 20_000), (4, 5)])), server(Frame.settings())])
    #expect(transcript.connection.settings(of: .originator).maxFrameSize == 16_384)
    let large = [UInt8](repeating: 1, count: 17_000)
    transcript.feed([
      client(Frame.headers(1, Block.get("/"), end: true)), server(Frame.headers(1, Block.ok()), Frame.data(1, large)),
    ])
    #expect(transcript.told.contains(.anomaly(1, .h2FrameSizeExceeded)))
    transcript.feed([server(Frame.settingsAck, Frame.data(1, large))])
    #expect(transcript.connection.settings(of: .originator).maxFrameSize == 20_000)
    #expect(transcript.told.filter { $0 == .anomaly(1, .h2FrameSizeExceeded) }.count == 1)
  }

  @Test func flowControlExplainsSilence() {
    var transcript = Transcript()
    transcript.feed(
      opening(client: [(4, 10)]) + [
        client(Frame.headers(1, Block.get("/"), end: true)),
        server(Frame.headers(1, Block.ok()), Frame.data(1, [UInt8](repeating: 0, count: 4))),
      ])
    #expect(transcript.connection.blocking(0, sender: .responder) == nil)
    transcript.feed([server(Frame.data(1, [UInt8](repeating: 0, count: 6)))])
    #expect(transcript.connection.blocking(0, sender: .responder)?.since == Timestamp(nanoseconds: 7))
    #expect(transcript.connection.blocking(0, sender: .responder)?.isOfConnection == false)
    transcript.feed([client(Frame.windowUpdate(1, 100))])
    #expect(transcript.connection.blocking(0, sender: .responder) == nil)
    #expect(!transcript.told.contains(.anomaly(1, .h2FlowControlExceeded)))
    transcript.feed([server(Frame.data(1, [UInt8](repeating: 0, count: 101)))])
    #expect(transcript.told.contains(.anomaly(1, .h2FlowControlExceeded)))
  }
}
