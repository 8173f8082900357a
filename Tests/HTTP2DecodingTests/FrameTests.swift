// Frames one by one, and what the corpus says of them where it is present.

import Foundation
import HTTP2Decoding
import HTTPModel
import Testing

/// What a frame decoder tells of a stream, its bytes written out.
private func events(
  _ bytes: [UInt8], _ decoder: HTTP2FrameDecoder = HTTP2FrameDecoder(), pieces: Int = .max
) -> [String] {
  var decoder = decoder
  var told: [String] = []
  var data = ""
  var start = 0
  func hex(_ octets: UnsafeRawBufferPointer) -> String { octets.map { String($0, radix: 16) }.joined(separator: " ") }
  while start < bytes.count {
    let end = pieces == .max ? bytes.count : min(bytes.count, start + pieces)
    let piece = Array(bytes[start..<end])
    start = end
    piece.withUnsafeBytes { piece in
      var offset = 0
      while let event = decoder.nextEvent(in: piece, at: &offset, time: Timestamp(nanoseconds: 0)) {
        switch event {
        case .data(let header, let octets, let begins, let ends):
          data =
            (begins ? "" : data) + (begins || octets.count == 0 ? "" : " ") + decoder.withBytes(octets, in: piece, hex)
          if ends { told.append("DATA \(header.stream) \(header.flags.rawValue) [\(data)]") }
        case .block(let header, let promised, let octets):
          told.append("BLOCK \(header.stream) \(promised) [\(decoder.withBytes(octets, in: piece, hex))]")
        case .lostBlock(let header, _): told.append("LOST \(header.stream)")
        case .control(let header, let octets):
          told.append(
            "\(header.rawType) \(header.stream) \(header.flags.rawValue) [\(decoder.withBytes(octets, in: piece, hex))]"
          )
        case .invalid(let header, let anomaly): told.append("\(header.rawType) \(anomaly.identifier)")
        case .unknown(let header): told.append("unknown \(header.rawType)")
        case .anomaly(let anomaly, let stream): told.append("\(anomaly.identifier) \(stream)")
        case .preface: told.append("preface")
        case .skipped(let count): told.append("skipped \(count)")
        case .locked: told.append("locked")
        case .lostBoundaries: told.append("lost")
        }
      }
    }
  }
  return told
}

/// The same in every size of piece.
private func told(
  _ bytes: [UInt8], _ decoder: HTTP2FrameDecoder = HTTP2FrameDecoder(), at location: SourceLocation = #_sourceLocation
) -> [String] {
  let whole = events(bytes, decoder)
  for pieces in 1...max(1, min(40, bytes.count)) {
    #expect(events(bytes, decoder, pieces: pieces) == whole, "in pieces of \(pieces)", sourceLocation: location)
  }
  return whole
}

@Suite struct FrameTests {
  @Test func dataWithAndWithoutPadding() {
    let bytes =
      Frame.data(1, [1, 2, 3], end: true) + Frame.padded(3, [7], padding: 2) + Frame.padded(3, [], padding: 0)
    #expect(told(bytes + Frame.data(5, [])) == ["DATA 1 1 [1 2 3]", "DATA 3 8 [7]", "DATA 3 8 []", "DATA 5 0 []"])
  }

  @Test func blocksAreJoined() {
    let bytes =
      Frame.raw(1, 0x28, 1, [1, 0, 0, 0, 0, 9, 0x82, 0]) + Frame.continuation(1, [], endHeaders: false)
      + Frame.continuation(1, [0x86]) + Frame.promise(1, 2, [0x84]) + Frame.headers(3, [])
    #expect(told(bytes) == ["BLOCK 1 0 [82 86]", "BLOCK 1 2 [84]", "BLOCK 3 0 []"])
  }

  @Test func whatInterruptsABlock() {
    let bytes = Frame.headers(1, [0x82], endHeaders: false) + Frame.ping + Frame.headers(3, [0x82])
    #expect(
      told(bytes) == ["h2.continuation-expected 1", "LOST 1", "6 0 0 [1 2 3 4 5 6 7 8]", "BLOCK 3 0 [82]"])
    let other = Frame.headers(1, [0x82], endHeaders: false) + Frame.continuation(3, [0x82])
    #expect(told(other) == ["h2.continuation-expected 1", "LOST 1", "h2.continuation-unexpected 3", "LOST 3"])
  }

  @Test func limitsOnBlocks() {
    var limits = HTTP2Limits()
    limits.maxHeaderBlockBytes = 8
    limits.maxContinuations = 2
    let decoder = HTTP2FrameDecoder(limits: limits)
    let large =
      Frame.headers(1, [1, 2, 3, 4, 5], endHeaders: false) + Frame.continuation(1, [1, 2, 3, 4], endHeaders: false)
      + Frame.continuation(1, [5]) + Frame.headers(3, [0x82])
    #expect(told(large, decoder) == ["h2.header-block-too-large 1", "LOST 1", "BLOCK 3 0 [82]"])
    let flood =
      Frame.headers(1, [0x82], endHeaders: false)
      + (0..<5).flatMap { _ in Frame.continuation(1, [], endHeaders: false) } + Frame.continuation(1, [])
    #expect(told(flood, decoder) == ["h2.continuation-flood 1", "BLOCK 1 0 [82]"])
  }

  @Test(arguments: [
    (Frame.raw(0, 8, 1, [4, 0xaa]), "0 h2.padding-invalid"),
    (Frame.raw(1, 0x0c, 1, [4, 0xaa]), "1 h2.padding-invalid"),
    (Frame.raw(1, 0x24, 1, [4, 0xaa]), "1 h2.frame-size-invalid"), (Frame.raw(2, 0, 1, [1]), "2 h2.frame-size-invalid"),
    (Frame.raw(2, 0, 0, [0, 0, 0, 1, 1]), "2 h2.stream-identifier-invalid"),
    (Frame.raw(3, 0, 1, [1]), "3 h2.frame-size-invalid"), (Frame.raw(4, 1, 0, [1]), "4 h2.frame-size-invalid"),
    (Frame.raw(4, 0, 0, [1]), "4 h2.frame-size-invalid"), (Frame.raw(4, 0, 1, []), "4 h2.stream-identifier-invalid"),
    (Frame.raw(5, 4, 1, [1]), "5 h2.frame-size-invalid"), (Frame.raw(6, 0, 0, [1]), "6 h2.frame-size-invalid"),
    (Frame.raw(7, 0, 0, [1]), "7 h2.frame-size-invalid"), (Frame.raw(8, 0, 0, [1]), "8 h2.frame-size-invalid"),
    (Frame.raw(9, 4, 1, [1]), "h2.continuation-unexpected 1"), (Frame.raw(11, 0, 1, [1]), "unknown 11"),
  ])
  func whatAFrameMustNotBe(_ bytes: [UInt8], _ first: String) {
    // Whatever it is, the next frame is read.
    let all = told(bytes + Frame.ping)
    #expect(all.first == first)
    #expect(all.last == "6 0 0 [1 2 3 4 5 6 7 8]")
  }

  @Test func oversizedFramesAreReadAndTold() {
    let bytes = Frame.data(1, [UInt8](repeating: 1, count: 16_385)) + Frame.ping
    let all = events(bytes)
    #expect(all.first == "h2.frame-size-exceeded 1")
    #expect(all.count == 3)
  }

  @Test func prefaces() {
    let decoder = HTTP2FrameDecoder(expectsPreface: true)
    #expect(told(Frame.preface + Frame.settings(), decoder) == ["preface", "4 0 0 []"])
    let wrong = Array("PRI * HTTP/1.1\r\n\r\n".utf8) + Frame.settings([(3, 100), (4, 1000)]) + Frame.settingsAck
    #expect(told(wrong + Frame.ping, decoder).prefix(3) == ["h2.preface-invalid 0", "skipped 18", "locked"])
  }

  @Test func recognition() {
    func preface(_ bytes: [UInt8]) -> HTTP2Recognition.Verdict {
      bytes.withUnsafeBytes { HTTP2Recognition.preface($0) }
    }
    #expect(preface(Frame.preface + [0]) == .yes)
    #expect(preface([]) == .needsMore)
    #expect(preface(Array(Frame.preface[..<23])) == .needsMore)
    #expect(preface(Array("PRI * HTTP/1.1\r\n".utf8)) == .no)
    func joined(_ bytes: [UInt8]) -> (HTTP2Recognition.Verdict, Bool?) {
      var recognition = HTTP2Recognition()
      var verdict = HTTP2Recognition.Verdict.needsMore
      for byte in bytes { verdict = [byte].withUnsafeBytes { recognition.add($0) } }
      return (verdict, recognition.senderIsClient)
    }
    #expect(joined(Frame.headers(7, Block.get("/"), end: true)) == (.yes, true))
    #expect(joined(Frame.data(7, [1, 2, 3]) + Frame.headers(9, Block.ok()) + Frame.ping) == (.yes, false))
    #expect(joined(Frame.windowUpdate(0, 99) + Frame.headers(9, Block.ok()) + Frame.ping) == (.yes, nil))
    #expect(joined(Frame.headers(9, Block.ok())) == (.yes, false))
    #expect(joined(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)) == (.needsMore, nil))
    #expect(joined(Array(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 3000).utf8)) == (.no, nil))
    #expect(joined([UInt8](repeating: 0, count: 70_000)) == (.no, nil))
  }
}

@Suite(.enabled(if: Corpus.isPresent, "no corpus at \(Corpus.folder.path)"))
struct FrameCorpusTests {
  @Test(arguments: Corpus.files("http2-frames", suffix: ".json").filter { !$0.hasSuffix("h2spec-cases.json") })
  func frame(_ path: String) throws {
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
    let wire = octets(try #require(object["wire"] as? String))
    var decoder = HTTP2FrameDecoder()
    decoder.maxFrameSize = nil
    let all = told(wire, decoder)
    if object["error"] as? [Int] != nil {
      // Faults of streams are found by the connection.
      var transcript = Transcript(HTTP2Connection())
      transcript.feed([client(Frame.preface, Frame.settings()), .bytes(.originator, wire)])
      if wire[3] == 5 {
        // Looked at once the block is whole.
        transcript.feed([client(Array(Frame.raw(9, 4, 0, [])[..<5] + wire[5..<9]))])
      }
      let found = transcript.told.contains { if case .anomaly = $0 { true } else { false } }
      #expect(found, "\(path): \(all)")
    } else {
      #expect(all.count == 1, "\(path): \(all)")
    }
  }

  /// Raw client streams: whatever they hold, every byte is accounted for and cuts change nothing.
  @Test(arguments: Corpus.files("http2-streams", suffix: ".bin"))
  func stream(_ path: String) throws {
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    _ = everyCut([.bytes(.originator, bytes), .finish(.originator)])
    _ = everyCut([.bytes(.responder, bytes), .finish(.responder)], HTTP2Connection(joinedMidstream: true))
  }
}
