// Messages that GoReplay loses because it has no stream: each is decoded here in every cut.

import HTTP1Decoding
import HTTPModel
import Testing

@Suite struct GoReplayFailureTests {
  @Test func theServerAnswersBeforeTheBodyEnds() {
    var requests = Transcript(HTTP1Decoder(role: .request))
    var responses = Transcript(HTTP1Decoder(role: .response))
    requests.feed(Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc".utf8))
    responses.feed(Array("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno".utf8))
    requests.feed(Array("def".utf8))
    #expect(requests.outline == ["POST / http/1.1", "body(abcdef)", "end"])
    #expect(responses.outline == ["http/1.1 413 Too Large", "body(no)", "end"])
  }

  @Test func twoRequestsShareASegment() {
    #expect(
      Stream(.request, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n").everyCut().outline
        == ["GET /1 http/1.1", "end", "GET /2 http/1.1", "end"])
  }

  @Test func theChunkTerminatorIsSplit() {
    let wire = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    for cut in (wire.utf8.count - 12)..<wire.utf8.count {
      let transcript = Stream(.request, wire).transcript { $0 == cut }
      #expect(transcript.outline == ["POST / http/1.1", "chunk(3)", "body(abc)", "end"])
    }
  }

  @Test func theBodyPauses() {
    var transcript = Transcript(HTTP1Decoder(role: .request))
    transcript.feed(Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab".utf8))
    for _ in 0..<1000 { transcript.feed([]) }
    #expect(!transcript.decoder.isIdle)
    transcript.feed(Array("cd".utf8))
    #expect(transcript.outline == ["POST / http/1.1", "body(abcd)", "end"])
  }

  @Test func responsesToHead() {
    #expect(
      Stream(
        .response, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nHTTP/1.1 204 N\r\n\r\n", answering: [.head, .other]
      )
      .everyCut().outline == ["http/1.1 200 OK", "end", "http/1.1 204 N", "end"])
  }

  @Test func notModifiedWithContentLength() {
    #expect(
      Stream(.response, "HTTP/1.1 304 NM\r\nContent-Length: 900\r\n\r\nHTTP/1.1 204 N\r\n\r\n").everyCut().outline
        == ["http/1.1 304 NM", "end", "http/1.1 204 N", "end"])
  }

  @Test func closeDelimitedAnswers() {
    #expect(
      Stream(.response, "HTTP/1.1 200 OK\r\n\r\nto the end").everyCut().outline == [
        "http/1.1 200 OK", "body(to the end)", "end",
      ])
  }

  @Test func nonStandardMethods() {
    #expect(
      Stream(.request, "REINDEX /all HTTP/1.1\r\nHost: a\r\n\r\n").everyCut().outline == [
        "REINDEX /all http/1.1", "end",
      ])
  }

  @Test func bodiesOverFiveMegabytes() {
    let size = 6 << 20
    let head = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n".utf8)
    var decoder = HTTP1Decoder(role: .request)
    var body = 0
    var ends = 0
    func feed(_ bytes: [UInt8]) {
      bytes.withUnsafeBytes { buffer in
        var offset = 0
        while let event = decoder.nextEvent(in: buffer, at: &offset) {
          if case .body(let range) = event { body += range.count }
          if case .end = event { ends += 1 }
        }
      }
    }
    feed(head)
    let segment = [UInt8](repeating: 0x61, count: 1460)
    var left = size
    while left > 0 {
      feed(Array(segment.prefix(left)))
      left -= min(left, segment.count)
    }
    #expect(body == size && ends == 1 && decoder.isIdle && decoder.heldBytes == 0)
  }
}
