// What RFC 9113 forbids has a name, and is decoded as far as it can be.

import HTTP2Decoding
import HTTPModel
import Testing

private func told(_ seen: Seen..., client settings: [(UInt16, UInt32)] = []) -> [Told] {
  everyCut(opening(client: settings) + seen)
}

/// Anomalies of the connection, its streams and its heads.
private func anomalies(_ told: [Told]) -> Set<Anomaly> {
  var set = AnomalySet()
  for item in told {
    switch item {
    case .anomaly(_, let anomaly): set.insert(anomaly)
    case .head(_, _, _, _, let anomalies), .trailers(_, _, let anomalies): set.formUnion(anomalies)
    default: break
    }
  }
  return Set(set.members)
}

@Suite struct RulesTests {
  /// RFC 9113, 8.2 and 8.3.
  @Test(
    arguments: [
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("X", "1")], .h2FieldNameInvalid),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("x y", "1")], .h2FieldNameInvalid),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("", "1")], .h2FieldNameInvalid),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("x", " 1")], .h2FieldValueInvalid),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("x", "1\n2")], .h2FieldValueInvalid),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("x", "\0")], .h2FieldValueInvalid),
      ([(":method", "GET"), (":scheme", "http"), ("x", "1"), (":path", "/")], .h2PseudoFieldMisplaced),
      ([(":method", "GET"), (":scheme", "http")], .h2PseudoFieldMissing),
      ([(":method", "GET"), (":path", "/")], .h2PseudoFieldMissing),
      ([(":scheme", "http"), (":path", "/")], .h2PseudoFieldMissing),
      ([(":method", "CONNECT")], .h2PseudoFieldMissing),
      ([(":method", "CONNECT"), (":authority", "a:1"), (":path", "/")], .h2PseudoFieldInvalid),
      ([(":method", "GET"), (":scheme", "http"), (":path", "")], .h2PseudoFieldInvalid),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":status", "200")], .h2PseudoFieldInvalid),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":odd", "1")], .h2PseudoFieldInvalid),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":protocol", "x")], .h2PseudoFieldInvalid),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":path", "/2")], .h2PseudoFieldRepeated),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("connection", "close")], .h2ConnectionSpecificField),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("te", "gzip")], .h2ConnectionSpecificField),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("content-length", "3")], .h2ContentLengthMismatch),
      ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("content-length", "x")], .h2FieldValueInvalid),
    ] as [([(String, String)], Anomaly)])
  func requests(_ fields: [(String, String)], _ anomaly: Anomaly) {
    let all = told(client(Frame.headers(1, Block.plain(fields), end: true)))
    #expect(anomalies(all) == [anomaly])
    // Decoded all the same: every regular field is there.
    guard case .head(1, _, let lines, _, _)? = all.first(where: { if case .head = $0 { true } else { false } }) else {
      Issue.record("no head")
      return
    }
    #expect(lines == fields.filter { !$0.0.hasPrefix(":") }.map { "\($0.0): \($0.1)" })
  }

  @Test(
    arguments: [
      ([("server", "s")], .h2PseudoFieldMissing), ([(":status", "2000")], .h2PseudoFieldInvalid),
      ([(":status", "200"), (":path", "/")], .h2PseudoFieldInvalid),
      ([(":status", "200"), (":status", "200")], .h2PseudoFieldRepeated),
    ] as [([(String, String)], Anomaly)])
  func responses(_ fields: [(String, String)], _ anomaly: Anomaly) {
    let all = told(
      client(Frame.headers(1, Block.get("/"), end: true)), server(Frame.headers(1, Block.plain(fields), end: true)))
    #expect(anomalies(all) == [anomaly])
    #expect(all.last == .closed(1, .ended))
  }

  @Test func lengthsThatNeedNoBody() {
    let head = told(
      client(
        Frame.headers(1, [0x86] + Block.plain([(":method", "HEAD"), (":path", "/"), (":authority", "a")]), end: true)),
      server(Frame.headers(1, Block.ok([("content-length", "9")]), end: true)),
      client(Frame.headers(3, Block.get("/"), end: true)),
      server(Frame.headers(3, Block.status(304, [("content-length", "9")]), end: true)))
    #expect(anomalies(head).isEmpty)
  }

  /// RFC 9113, 5.1 and 6: frames where they must not be.
  @Test func streamStates() {
    let request = Frame.headers(1, Block.get("/"), end: true)
    #expect(anomalies(told(client(Frame.data(1, [1])))) == [.h2StreamIdle])
    #expect(anomalies(told(client(Frame.reset(1, 8)))) == [.h2StreamIdle])
    #expect(anomalies(told(client(Frame.windowUpdate(1, 8)))) == [.h2StreamIdle])
    #expect(anomalies(told(client(request, Frame.data(1, [1])))) == [.h2StreamClosed])
    #expect(anomalies(told(client(request, Frame.headers(1, Block.get("/"))))) == [.h2StreamClosed])
    #expect(anomalies(told(client(Frame.headers(3, Block.get("/"), end: true), request))) == [.h2StreamClosed])
    #expect(anomalies(told(client(Frame.headers(2, Block.get("/"), end: true)))) == [.h2StreamIdentifierInvalid])
    #expect(anomalies(told(client(Frame.headers(0, Block.get("/"))))) == [.h2StreamIdentifierInvalid])
    #expect(anomalies(told(client(Frame.data(0, [1])))) == [.h2StreamIdentifierInvalid])
    #expect(anomalies(told(client(request), server(Frame.headers(3, Block.ok())))) == [.h2StreamIdle])
    #expect(anomalies(told(client(request), server(Frame.data(1, [1], end: true)))) == [.h2PseudoFieldMissing])
    // PRIORITY may come at any time.
    #expect(anomalies(told(client(Frame.raw(2, 0, 9, [0, 0, 0, 1, 1]), request))).isEmpty)
    #expect(anomalies(told(client(Frame.raw(2, 0, 9, [0, 0, 0, 9, 1])))) == [.h2PrioritySelfDependency])
    #expect(
      anomalies(told(client(Frame.raw(1, 0x25, 1, [0, 0, 0, 1, 1] + Block.get("/"))))) == [.h2PrioritySelfDependency])
  }

  @Test func trailersMustEndTheStream() {
    let all = told(
      client(Frame.headers(1, Block.post("/")), Frame.headers(1, Block.plain([("x", "1")]))),
      client(Frame.headers(3, Block.post("/")), Frame.headers(3, Block.plain([(":x", "1")]), end: true)))
    #expect(anomalies(all) == [.h2TrailersWithoutEnd, .h2PseudoFieldInvalid])
  }

  @Test func pushes() {
    let request = client(Frame.headers(1, Block.get("/"), end: true))
    #expect(anomalies(told(request, server(Frame.promise(1, 3, Block.get("/x"))))) == [.h2PushInvalid])
    #expect(
      anomalies(told(request, server(Frame.promise(1, 2, Block.get("/x"))), client: [(2, 0)])) == [.h2PushInvalid])
    #expect(anomalies(told(request, client(Frame.promise(1, 2, Block.get("/x"))))) == [.h2PushInvalid])
    #expect(anomalies(told(request, server(Frame.promise(1, 2, Block.get("/x"))))).isEmpty)
  }

  @Test func settings() {
    #expect(anomalies(told(client(Frame.settings([(2, 2)])))) == [.h2SettingInvalid])
    #expect(anomalies(told(server(Frame.settings([(2, 1)])))) == [.h2SettingInvalid])
    #expect(anomalies(told(client(Frame.settings([(4, 1 << 31)])))) == [.h2SettingInvalid])
    #expect(anomalies(told(client(Frame.settings([(5, 1)])))) == [.h2SettingInvalid])
    #expect(anomalies(told(client(Frame.settings([(0x7777, 1)])))).isEmpty)
    #expect(anomalies(told(client(Frame.settingsAck))) == [.h2SettingsAckUnexpected])
    #expect(anomalies(everyCut([client(Frame.preface, Frame.ping)])) == [.h2SettingsMissing])
    #expect(anomalies(told(client(Frame.windowUpdate(0, 0)))) == [.h2WindowUpdateInvalid])
    #expect(anomalies(told(client(Frame.windowUpdate(0, 0x7fff_ffff)))) == [.h2WindowUpdateInvalid])
  }

  // MARK: Limits

  @Test func rapidResets() {
    var transcript = Transcript()
    transcript.feed(opening())
    for number in 0..<300 {
      let stream = UInt32(number * 2 + 1)
      transcript.feed([client(Frame.headers(stream, Block.get("/"), end: true), Frame.reset(stream, 8))])
    }
    #expect(transcript.told.filter { $0 == .anomaly(0, .h2RapidReset) }.count == 1)
    #expect(transcript.connection.openStreams == 0)
  }

  @Test func streamsAreBounded() {
    var limits = HTTP2Limits()
    limits.maxStreams = 10
    var transcript = Transcript(HTTP2Connection(limits: limits))
    transcript.feed(opening())
    for number in 0..<100 {
      let stream = UInt32(number * 2 + 1)
      transcript.feed([client(Frame.headers(stream, Block.get("/")), Frame.data(1, [1]))])
      #expect(transcript.connection.openStreams <= 10)
    }
    #expect(transcript.told.filter { if case .closed(_, .evicted) = $0 { true } else { false } }.count == 90)
    // The one that was used all the time stays.
    #expect(!transcript.told.contains(.closed(1, .evicted)))
  }

  @Test func concurrentStreams() {
    let all = everyCut(
      opening(server: [(3, 1)]) + [
        client(Frame.headers(1, Block.get("/"), end: true)), client(Frame.headers(3, Block.get("/"), end: true)),
      ])
    #expect(anomalies(all) == [.h2ConcurrentStreamsExceeded])
  }

  @Test func settingsAreBounded() {
    let many = Frame.settings((0..<200).map { (UInt16(0x1000 + $0), 1) })
    #expect(anomalies(told(client(many))) == [.h2SettingsFlood])
    #expect(anomalies(told(client((0..<20).flatMap { _ in Frame.settings() }))) == [.h2SettingsFlood])
  }

  @Test func headsAreBounded() {
    var limits = HTTP2Limits()
    limits.hpack.maxFields = 8
    let all = everyCut(
      opening() + [client(Frame.headers(1, Block.get("/", (0..<20).map { ("x\($0)", "1") }), end: true))],
      HTTP2Connection(limits: limits))
    #expect(anomalies(all) == [.hpackHeaderListTooLarge])
    #expect(all.last == .closed(1, .connectionClosed))
  }

  /// A block that is over the limit loses its head, and what refers to its entries; nothing else.
  @Test func lostHeads() {
    var limits = HTTP2Limits()
    limits.maxHeaderBlockBytes = 64
    let all = everyCut(
      opening() + [
        client(Frame.headers(1, Block.get("/", [("x", String(repeating: "y", count: 80))]))),
        client(Frame.data(1, [1, 2, 3], end: true), Frame.headers(3, Block.get("/"), end: true)),
        server(Frame.headers(1, Block.ok(), end: true)),
      ], HTTP2Connection(limits: limits))
    #expect(
      all.prefix(6) == [
        .anomaly(1, .h2HeaderBlockTooLarge), .anomaly(1, .h2HeadLost), .headLost(1, .originator),
        .head(3, "GET http://a/", [], ends: true, []), .end(3, .originator, HTTP2MessageEnd()),
        .head(1, "200", [], ends: true, []),
      ])
  }

  /// Bytes changed, left out, put in or moved: every byte is accounted for, and nothing crashes.
  @Test func damage() {
    var random = Randomness(seed: 7)
    let pieces: [[UInt8]] = [
      Frame.preface + Frame.settings([(3, 9)]), Frame.headers(1, Block.post("/x", [("content-length", "5")])),
      Frame.padded(1, [1, 2, 3, 4, 5], padding: 3, end: true), Frame.headers(3, [0x82, 0x86, 0xbe, 0xc0]),
      Frame.windowUpdate(1, 9), Frame.reset(3, 8), Frame.ping, Frame.promise(1, 2, Block.get("/y")),
      Frame.headers(5, Block.get("/z"), endHeaders: false), Frame.continuation(5, [0x84]), Frame.goaway(5, 0),
      Frame.headers(2, Block.ok(), end: true), Frame.settingsAck, Frame.raw(0x21, 0xff, 1, [1, 2]),
    ]
    for round in 0..<1500 {
      var seen: [Seen] = []
      for _ in 0..<Int.random(in: 1...14, using: &random) {
        let side: HTTP2Side = Bool.random(using: &random) ? .originator : .responder
        var bytes = pieces.randomElement(using: &random)!
        for _ in 0..<Int.random(in: 0...2, using: &random) where !bytes.isEmpty {
          let place = bytes.indices.randomElement(using: &random)!
          switch Int.random(in: 0...3, using: &random) {
          case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
          case 1: bytes.remove(at: place)
          case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
          default: seen.append(.gap(side, UInt64.random(in: 1...40, using: &random)))
          }
        }
        seen.append(.bytes(side, bytes))
      }
      let connection = HTTP2Connection(joinedMidstream: round % 3 == 0)
      var whole = Transcript(connection)
      whole.feed(seen + [.finish(.originator), .finish(.responder)])
      whole.close()
      var cut = Transcript(connection)
      cut.feed(seen + [.finish(.originator), .finish(.responder)], pieces: Int.random(in: 1...9, using: &random))
      cut.close()
      #expect(cut.told == whole.told, "round \(round)")
      #expect(whole.connection.openStreams == 0)
    }
  }
}
