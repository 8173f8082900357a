// Streams through the HTTP/1 decoder, whole and in pieces, with parts that have served and with new ones: all must tell the
// same.
//
// Input: options, what responses answer, cuts, a gap, then the stream.

import HTTP1Decoding
import HTTPModel

enum HTTP1Target: FuzzTarget {
  static let name = "http1"

  static func run(_ input: [UInt8]) throws(Violation) {
    var reader = InputReader(input)
    let options = reader.byte()
    let answers = reader.byte()
    var plan = Feeding(role: options & 1 == 0 ? .request : .response, isJoined: options & 2 != 0)
    plan.answering = (0..<4).map { [.other, .head, .connect, .unknown][Int(answers >> UInt8($0 * 2) & 3)] }
    if options & 4 != 0 {
      plan.limits.maxHeadBytes = 200
      plan.limits.maxStartLineBytes = 60
      plan.limits.maxFields = 4
      plan.limits.maxChunkLineBytes = 16
      plan.limits.maxSearchBytes = 300
    }
    var cuts = (0..<Int(options >> 4 & 7)).map { _ in Int(reader.word()) }
    if options & 8 != 0 { plan.gap = (Int(reader.word()), UInt64(reader.word())) }
    let stream = reader.rest()
    cuts = Array(Set(cuts.map { $0 % (stream.count + 1) })).sorted()
    let whole = try plan.transcript(of: stream, cuts: [])
    plan.parts = HTTP1Parts()
    let first = try plan.transcript(of: stream, cuts: [])
    try require(whole == first, "parts that serve again: \(first), new ones: \(whole)")
    let pieces = try plan.transcript(of: stream, cuts: cuts)
    try require(whole == pieces, "cut at \(cuts): \(pieces), whole: \(whole)")
    if stream.count <= 256 {
      let single = try plan.transcript(of: stream, cuts: Array(stream.indices))
      try require(whole == single, "byte by byte: \(single), whole: \(whole)")
    }
  }

  static var seeds: [[UInt8]] {
    let requests = [
      "GET /a?b HTTP/1.1\r\nHost: a\r\nX: 1\r\n  2\r\n\r\nHEAD / HTTP/1.0\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabcPUT /x HTTP/1.1\r\n"
        + "Transfer-Encoding: gzip, chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\nT: 1\r\n\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nCONNECT a:1 HTTP/1.1\r\n\r\n\u{16}\u{3}\u{1}tunnel",
      "\r\nGET http://a/b HTTP/1.1\nUpgrade: websocket\nConnection: Upgrade, close\n\n..",
      "\r\n\r\n\0\r\nQUIT\n!\u{11}\0\u{c}aaaabbbb\0\u{1}\0\u{2}GET / HTTP/1.1\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /09\r\n",
    ]
    let responses = [
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 304 Not Modified\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
      "HTTP/1.0 200\r\n\r\nuntil the end", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes",
      "ICY 200 OK\r\nContent-Length: 1, 1\r\n\r\na", "noise HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
    ]
    let options: [[UInt8]] = [[0x20, 0, 5, 0, 30, 0], [0x0a, 0, 20, 0, 5, 0], [0x14, 1, 17, 0]]
    return options.flatMap { options in
      requests.map { options + $0.utf8 } + responses.map { [options[0] | 1] + options[1...] + $0.utf8 }
    }
  }
}

/// What a decoder told, with the cuts taken out.
private enum Told: Equatable {
  case head(HTTP1Head.StartLine, HeaderFields, BodyFraming, AnomalySet)
  case body([UInt8])
  case chunk(UInt64)
  case trailers(HeaderFields)
  case end
  case truncated(HTTP1Truncation)
  case skipped(Int)
  case anomaly(Anomaly)
  case tunnel([UInt8])
  case notHTTP(HTTP1Rejection.Kind)
  case gap(HTTP1GapEffect)
}

/// One way to feed a stream to a decoder.
private struct Feeding {
  var role: HTTP1Decoder.Role
  var isJoined: Bool
  var answering: [AnsweredMethod] = []
  var limits = HTTP1Limits()
  /// Where bytes are missing, and how many.
  var gap: (at: Int, length: UInt64)?
  /// Those that serve for all events and from one transcript to the next; nil for new ones each time.
  var parts: HTTP1Parts?

  init(role: HTTP1Decoder.Role, isJoined: Bool) {
    self.role = role
    self.isJoined = isJoined
  }

  mutating func transcript(of stream: [UInt8], cuts: [Int]) throws(Violation) -> [Told] {
    var transcript = Transcript(HTTP1Decoder(role: role, limits: limits, joinedMidstream: isJoined), answering, parts)
    let hole = gap.map { $0.at % (stream.count + 1) }
    var start = 0
    for end in Set(cuts + [hole, stream.count].compactMap { $0 }).sorted() {
      if start == hole { try transcript.lose(gap!.length) }
      try transcript.feed(stream[start..<end])
      start = end
    }
    if hole == stream.count { try transcript.lose(gap!.length) }
    try transcript.finish()
    if parts != nil { parts = transcript.parts }
    return transcript.told
  }
}

private struct Transcript {
  private(set) var told: [Told] = []
  private var decoder: HTTP1Decoder
  private var answering: [AnsweredMethod]
  private var isInterim = false
  private var fed: UInt64 = 0
  private var body: UInt64 = 0
  private(set) var parts: HTTP1Parts?

  init(_ decoder: HTTP1Decoder, _ answering: [AnsweredMethod], _ parts: HTTP1Parts?) {
    self.decoder = decoder
    self.parts = parts
    self.answering = answering
    self.decoder.answering = answering.first ?? .other
  }

  mutating func feed(_ bytes: ArraySlice<UInt8>) throws(Violation) {
    let bytes = Array(bytes)
    var offset = 0
    var events = 0
    while let event = bytes.withUnsafeBytes({ nextEvent(in: $0, at: &offset) }) {
      try note(event, bytes)
      events += 1
      try require(events <= 8 * bytes.count + 16, "the decoder does not come forward")
    }
    try require(offset == bytes.count, "\(bytes.count - offset) bytes are left over")
    fed += UInt64(bytes.count)
    try checkAccounts()
  }

  private mutating func nextEvent(in bytes: UnsafeRawBufferPointer, at offset: inout Int) -> HTTP1Event? {
    parts == nil ? decoder.nextEvent(in: bytes, at: &offset) : decoder.nextEvent(in: bytes, at: &offset, &parts!)
  }

  mutating func lose(_ length: UInt64) throws(Violation) {
    told.append(.gap(decoder.gap(length)))
    try feed([])
  }

  mutating func finish() throws(Violation) {
    var events = 0
    while let event = decoder.finish() {
      try note(event, [])
      events += 1
      try require(events <= 16, "the end does not end")
    }
    try require(decoder.heldBytes == 0, "\(decoder.heldBytes) bytes are held after the end")
    try checkAccounts()
  }

  private func checkAccounts() throws(Violation) {
    let counted = decoder.counts.total + UInt64(decoder.heldBytes)
    try require(counted == fed, "\(counted) bytes are accounted for, of \(fed)")
    try require(decoder.counts.body == body, "\(decoder.counts.body) body bytes counted, \(body) told")
    try require(decoder.heldBytes <= decoder.limits.maxHeadBytes + 16, "\(decoder.heldBytes) bytes are held")
  }

  private mutating func note(_ event: HTTP1Event, _ bytes: [UInt8]) throws(Violation) {
    switch event {
    case .head(let head):
      try check(head)
      isInterim = head.isInterim
      told.append(.head(head.startLine, head.fields, head.framing, head.anomalies))
    case .body(let range):
      try require(!range.isEmpty, "body without bytes")
      body += UInt64(range.count)
      if case .body(let before)? = told.last {
        told[told.count - 1] = .body(before + bytes[range])
      } else {
        told.append(.body(Array(bytes[range])))
      }
    case .chunk(let size): told.append(.chunk(size))
    case .trailers(let fields): told.append(.trailers(fields))
    case .end:
      if !isInterim, !answering.isEmpty {
        answering.removeFirst()
        decoder.answering = answering.first ?? .other
      }
      told.append(.end)
    case .truncated(let truncation): told.append(.truncated(truncation))
    case .skipped(let count):
      if case .skipped(let before)? = told.last {
        told[told.count - 1] = .skipped(before + count)
      } else {
        told.append(.skipped(count))
      }
    case .anomaly(let anomaly): told.append(.anomaly(anomaly))
    case .tunnel(let held, let range):
      if case .tunnel(let before)? = told.last {
        told[told.count - 1] = .tunnel(before + held + bytes[range])
      } else {
        told.append(.tunnel(held + bytes[range]))
      }
    case .notHTTP(let rejection): told.append(.notHTTP(rejection.kind))
    }
  }

  private func check(_ head: HTTP1Head) throws(Violation) {
    _ = (head.method.count, head.answered, head.status)
    for index in head.fields.ranges.indices {
      _ = (head.fields.name(at: index).count, head.fields.value(at: index).count)
    }
    try require(head.fields.count <= decoder.limits.maxFields, "\(head.fields.count) fields")
  }
}
