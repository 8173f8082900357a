// Connections that are joined at any place, or lose any part: what is told must be true.

import Foundation
import HTTP2Decoding
import HTTPModel
import Testing

/// What a whole connection holds, to hold parts of it to.
private struct Truth {
  var exchanges: [UInt32: ToldExchange] = [:]

  init(_ seen: [Seen]) {
    var transcript = Transcript()
    transcript.feed(seen)
    transcript.close()
    for exchange in HTTP2DecodingTests.exchanges(transcript.told, client: .originator) {
      exchanges[exchange.stream] = exchange
    }
  }

  /// Nothing that is told may be wrong; it may be unknown, or cut.
  func check(_ told: [Told], client: HTTP2Side, _ place: String) -> Int {
    var whole = 0
    for found in HTTP2DecodingTests.exchanges(told, client: client) {
      guard let truth = exchanges[found.stream] else {
        Issue.record("\(place): stream \(found.stream) is made up")
        continue
      }
      let isRequestWhole = check(found.request, truth.request, "\(place) stream \(found.stream) request")
      let isResponseWhole = check(found.response, truth.response, "\(place) stream \(found.stream) response")
      if isRequestWhole, isResponseWhole { whole += 1 }
    }
    return whole
  }

  private func check(_ found: ToldMessage?, _ truth: ToldMessage?, _ name: String) -> Bool {
    guard let found else { return false }
    guard let truth else {
      Issue.record("\(name) is made up")
      return false
    }
    let isLineKnown = !found.startLine.contains("?")
    if isLineKnown, found.startLine != truth.startLine { Issue.record("\(name): \(found.startLine)") }
    // Pseudo-header fields that are not known may stand among the others.
    for field in found.fields + found.trailers where !field.contains("?") {
      if !(truth.fields + truth.trailers).contains(field) { Issue.record("\(name): \(field)") }
    }
    if found.missing.isEmpty {
      let isRight = found.isEnded ? found.body == truth.body : truth.body.starts(with: found.body)
      if !isRight { Issue.record("\(name): body of \(found.body.count), not \(truth.body.count)") }
    } else {
      let known = Int(clamping: found.missing[0][0])
      if known > found.body.count || found.body.prefix(known) != truth.body.prefix(known) {
        Issue.record("\(name): body before what is missing")
      }
    }
    return found.isEnded && found.missing.isEmpty && found.startLine == truth.startLine && found.fields == truth.fields
  }
}

/// A conversation with everything that is common: indexed fields, bodies, trailers, several streams at once.
private let conversation: [Seen] = {
  let more = [("user-agent", "tests/1"), ("x-token", "abcdefgh")]
  let bodies = (0..<6).map { number in (0..<(40 * (number + 1))).map { UInt8(truncatingIfNeeded: $0 * (number + 3)) } }
  var seen = opening()
  // Indexed once: user-agent 63, x-token 62.
  seen.append(
    client(
      Frame.headers(
        1, [0x82, 0x86] + Block.plain([(":path", "/1"), (":authority", "a")]) + Block.indexed(more), end: true)))
  seen.append(
    server(
      Frame.headers(1, [0x88] + Block.indexed([("server", "s"), ("x-node", "n1")])), Frame.data(1, bodies[0], end: true)
    ))
  for number in 1..<6 {
    let stream = UInt32(number * 2 + 1)
    let path = Block.plain([(":path", "/\(stream)"), (":authority", "a")])
    seen.append(
      client(Frame.headers(stream, [0x83, 0x86] + path + [0xbf, 0xbe]), Frame.data(stream, bodies[number], end: true)))
    seen.append(
      server(
        Frame.windowUpdate(0, 100), Frame.headers(stream, [0x88, 0xbf, 0xbe]),
        Frame.data(stream, bodies[number].reversed()),
        Frame.data(stream, bodies[0]), Frame.headers(stream, Block.plain([("grpc-status", "0")]), end: true)))
  }
  return seen
}()

private func from(_ place: Int, of seen: [Seen]) -> [Seen] {
  var left = place
  return seen.compactMap { item in
    guard case .bytes(let side, let bytes) = item, left > 0 else { return item }
    let taken = min(left, bytes.count)
    left -= taken
    return taken < bytes.count ? .bytes(side, Array(bytes[taken...])) : nil
  }
}

private func size(_ seen: [Seen]) -> Int {
  seen.reduce(0) { if case .bytes(_, let bytes) = $1 { $0 + bytes.count } else { $0 } }
}

@Suite struct MidstreamTests {
  @Test func joinedAtEveryPlace() {
    let truth = Truth(conversation)
    #expect(truth.exchanges.count == 6)
    var wholes: [Int] = []
    for place in 0..<size(conversation) {
      let part = from(place, of: conversation)
      for hint in HTTP2Side.allCases {
        var transcript = Transcript(HTTP2Connection(client: hint, joinedMidstream: true))
        transcript.feed(part)
        transcript.feed([.finish(.originator), .finish(.responder)])
        transcript.close()
        let found = truth.check(transcript.told, client: transcript.connection.client, "joined at \(place)")
        if hint == .originator { wholes.append(found) }
        guard place % 37 == 0 else { continue }
        var pieces = Transcript(HTTP2Connection(client: hint, joinedMidstream: true))
        pieces.feed(part + [.finish(.originator), .finish(.responder)], pieces: 1)
        pieces.close()
        #expect(pieces.told == transcript.told, "joined at \(place), byte by byte")
      }
    }
    // From the preface on all is whole; after the one that filled the table, only what does not refer to it.
    #expect(wholes[0] == 6)
  }

  @Test func lostAtEveryPlace() {
    let truth = Truth(conversation)
    for length in [1, 5, 30, 200] {
      for place in stride(from: 0, to: size(conversation), by: 3) {
        var left = place
        var seen: [Seen] = []
        for item in conversation {
          guard case .bytes(let side, let bytes) = item, left >= 0, left < bytes.count else {
            if case .bytes(_, let bytes) = item { left -= left >= 0 ? bytes.count : 0 }
            seen.append(item)
            continue
          }
          // Within one call, so that what follows in the same stream is right behind.
          let end = min(bytes.count, left + length)
          seen.append(.bytes(side, Array(bytes[..<left])))
          seen.append(.gap(side, UInt64(end - left)))
          seen.append(.bytes(side, Array(bytes[end...])))
          left = -1
        }
        var transcript = Transcript()
        transcript.feed(seen)
        transcript.feed([.finish(.originator), .finish(.responder)])
        transcript.close()
        let whole = truth.check(transcript.told, client: .originator, "\(length) lost at \(place)")
        #expect(transcript.connection.clientIsCertain)
        // The other side and what came before are not lost.
        #expect(transcript.told.count > 12 || whole >= 0)
      }
    }
  }

  /// A gap within DATA's known length costs nothing but its bytes.
  @Test func gapInsideData() {
    let told = everyCut(
      opening() + [
        client(Frame.headers(1, Block.get("/"), end: true)),
        server(Frame.headers(1, Block.ok()), Array(Frame.data(1, Array(0..<100))[..<29])), .gap(.responder, 30),
        .bytes(.responder, Array(Frame.data(1, Array(0..<100))[59...]) + Frame.data(1, [1], end: true)),
      ])
    #expect(
      told.suffix(5) == [
        .body(1, .responder, Array(0..<20)), .missing(1, .responder, BodyRange(lowerBound: 20, upperBound: 50)),
        .body(1, .responder, Array(50..<100) + [1]), .end(1, .responder, HTTP2MessageEnd()), .closed(1, .ended),
      ])
  }

  /// Content-Length proves what a gap of unknown extent took, or that it took nothing.
  @Test(arguments: [(10, nil), (15, BodyRange(lowerBound: 4, upperBound: 9))] as [(Int, BodyRange?)])
  func contentLengthProvesWhatIsMissing(_ length: Int, _ missing: BodyRange?) {
    let told = everyCut(
      opening() + [
        client(Frame.headers(1, Block.get("/"), end: true)),
        server(Frame.headers(1, Block.ok([("content-length", "\(length)")])), Frame.data(1, [1, 2, 3, 4])),
        .gap(.responder, 14),
        server(Frame.data(1, [5, 6, 7, 8, 9, 10], end: true), Frame.ping, Frame.windowUpdate(0, 5)),
      ])
    #expect(told.contains(.framesLost(.responder)))
    #expect(told.contains(.end(1, .responder, HTTP2MessageEnd(missing: missing))))
  }

  @Test func rolesAreFoundOut() {
    let told = everyCut(
      [server(Frame.headers(5, Block.get("/"), end: true)), client(Frame.headers(5, Block.ok(), end: true))],
      HTTP2Connection(joinedMidstream: true))
    #expect(told.first == .rolesReversed)
    #expect(told.contains(.head(5, "GET http://a/", [], ends: true, [])))
    #expect(told.last == .closed(5, .ended))
  }

  /// Trailers of an answer that began before the capture are not taken for an answer.
  @Test func trailersOfWhatWasNotSeen() {
    let told = everyCut(
      [
        server(
          Frame.data(5, Array(repeating: 1, count: 30)),
          Frame.headers(5, Block.plain([("grpc-status", "0")]), end: true)),
        server(Frame.headers(7, [0xc0, 0xc1], end: true), Frame.ping),
      ], HTTP2Connection(joinedMidstream: true))
    #expect(told == [.closed(5, .ended), .closed(7, .ended)])
  }

  /// A body that is itself a capture of HTTP/2 begins no frames where the connection is known.
  @Test func framesInsideABody() {
    let inner = (0..<8).flatMap { Frame.headers(UInt32($0 * 2 + 1), Block.get("/inner"), end: true) }
    let told = everyCut(
      opening() + [
        client(Frame.headers(1, Block.post("/up"))), client(Frame.data(1, inner, end: true)),
        server(Frame.headers(1, Block.ok(), end: true)),
      ])
    #expect(told.filter { if case .head = $0 { true } else { false } }.count == 2)
    #expect(told.contains(.body(1, .originator, inner)))
  }

  @Test(.enabled(if: Corpus.isPresent, "no corpus at \(Corpus.folder.path)"))
  func capturesJoinedAtManyPlaces() throws {
    for name in ["interleaved-d0", "continuation-d0", "trailers-d0", "padding-d1", "grpc_unary-d0", "table_size-d0"] {
      let path = Corpus.folder.appendingPathComponent("pcap/adversarial/http2/\(name).pcap").path
      let captured = try #require(try CapturedConnection.all(in: path).first)
      let truth = Truth(captured.seen)
      let total = size(captured.seen)
      for place in stride(from: 0, to: total, by: max(1, total / 300)) {
        var transcript = Transcript(HTTP2Connection(joinedMidstream: true))
        transcript.feed(from(place, of: captured.seen))
        transcript.close()
        _ = truth.check(transcript.told, client: transcript.connection.client, "\(name) joined at \(place)")
      }
    }
  }
}
