// Seeded damage to valid conversations: nothing traps, all bytes are accounted for (Transcript checks it after every
// call), and what is decoded does not depend on how the stream is cut.

import HTTP1Decoding
import HTTPModel
import Testing

/// SplitMix64: the same numbers everywhere.
struct Random: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

@Suite struct MutationTests {
  private static let requests = [
    "GET /a?b=c HTTP/1.1\r\nHost: shop\r\nAccept: */*\r\n\r\n",
    "POST /b HTTP/1.1\r\nHost: shop\r\nContent-Length: 11\r\n\r\nhello world",
    "PUT /c HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n6\r\n world\r\n0\r\nT: v\r\n\r\n",
    "\r\nOPTIONS * HTTP/1.0\nHost: shop\nX: one,\n two\n\n", "GET /old\r\n",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
  ]
  private static let responses = [
    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\nT: v\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
    "HTTP/1.0 200 OK\nContent-Length: 2\nConnection: keep-alive\n\nok",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
  ]
  /// What damage is made of: bytes that mean something to the grammar.
  private static let alphabet = Array("\r\n \t:;,0123456789abcdefF+-\"/HTTP.GET\0\u{7f}".utf8) + [0xff, 0x16, 0x03]

  private func damaged(_ wire: [UInt8], _ random: inout Random) -> [UInt8] {
    var wire = wire
    for _ in 0..<Int.random(in: 0...4, using: &random) where !wire.isEmpty {
      let place = Int.random(in: 0..<wire.count, using: &random)
      let byte = Self.alphabet.randomElement(using: &random)!
      switch Int.random(in: 0..<6, using: &random) {
      case 0: wire[place] = byte
      case 1: wire.insert(byte, at: place)
      case 2: wire.remove(at: place)
      case 3: wire.removeSubrange(place..<min(wire.count, place + Int.random(in: 1...30, using: &random)))
      case 4:
        let end = min(wire.count, place + Int.random(in: 1...30, using: &random))
        wire.insert(contentsOf: wire[place..<end], at: Int.random(in: 0...wire.count, using: &random))
      default: wire[place] = UInt8.random(in: .min ... .max, using: &random)
      }
    }
    return wire
  }

  private func stream(_ role: HTTP1Decoder.Role, _ random: inout Random) -> Stream {
    let messages = role == .request ? Self.requests : Self.responses
    var pieces: [Piece] = []
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      var wire: [UInt8] = []
      for _ in 0..<Int.random(in: 1...4, using: &random) { wire += Array(messages.randomElement(using: &random)!.utf8) }
      pieces.append(.bytes(damaged(wire, &random)))
      if Int.random(in: 0..<3, using: &random) == 0 {
        pieces.append(.gap(UInt64.random(in: 1...40, using: &random)))
      }
    }
    let methods: [AnsweredMethod] = [.head, .connect, .other, .unknown]
    var stream = Stream(role, pieces, answering: (0..<6).map { _ in methods.randomElement(using: &random)! })
    stream.joinedMidstream = Bool.random(using: &random)
    if Int.random(in: 0..<4, using: &random) == 0 {
      stream.limits.maxHeadBytes = Int.random(in: 20...80, using: &random)
      stream.limits.maxStartLineBytes = Int.random(in: 10...60, using: &random)
      stream.limits.maxChunkLineBytes = Int.random(in: 2...12, using: &random)
      stream.limits.maxFields = Int.random(in: 0...2, using: &random)
    }
    return stream
  }

  @Test(arguments: 0..<8)
  func damageIsDecodedTheSameInEveryCut(seed: Int) {
    var random = Random(UInt64(seed))
    for round in 0..<120 {
      let stream = stream(seed % 2 == 0 ? .request : .response, &random)
      let whole = stream.transcript()
      let single = stream.transcript { _ in true }
      guard single.items == whole.items else {
        Issue.record("seed \(seed), round \(round), byte by byte: \(single.items) instead of \(whole.items); \(stream)")
        return
      }
      for _ in 0..<6 {
        let width = Int.random(in: 2...40, using: &random)
        var cuts = Set<Int>()
        for place in 0..<stream.byteCount where Int.random(in: 0..<width, using: &random) == 0 { cuts.insert(place) }
        let cut = stream.transcript { cuts.contains($0) }
        guard cut.items == whole.items else {
          Issue.record(
            "seed \(seed), round \(round), \(cuts.sorted()): \(cut.items) instead of \(whole.items); \(stream)")
          return
        }
      }
    }
  }

  @Test(arguments: 0..<2)
  func noiseIsHarmless(seed: Int) {
    var random = Random(UInt64(1000 + seed))
    for _ in 0..<200 {
      var stream = Stream(
        seed == 0 ? .request : .response,
        [
          .bytes(
            (0..<Int.random(in: 0...400, using: &random)).map { _ in Self.alphabet.randomElement(using: &random)! })
        ])
      stream.joinedMidstream = true
      #expect(stream.transcript().items == stream.transcript { _ in true }.items)
    }
  }
}
