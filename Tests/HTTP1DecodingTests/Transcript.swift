// Feeds a decoder a stream in any cut and writes down what it told, with the cuts taken out: bodies, skipped and
// tunnel bytes that follow one another are one item. Checks the decoder's accounts after every call.

import HTTP1Decoding
import HTTPModel
import Testing

enum Item: Equatable, CustomStringConvertible {
  case head(String, String, BodyFraming, [String])
  case body([UInt8])
  case chunk(UInt64)
  case trailers([String])
  case end
  case truncated(HTTP1Truncation)
  case skipped(Int)
  case anomaly(String)
  case tunnel([UInt8])
  case notHTTP(HTTP1Rejection.Kind)
  case gap(HTTP1GapEffect)

  var description: String {
    switch self {
    case .head(let line, let storage, let framing, let anomalies):
      "head(\(line) \(storage.count) \(framing) \(anomalies))"
    case .body(let bytes): "body(\(text(bytes)))"
    case .chunk(let size): "chunk(\(size))"
    case .trailers(let lines): "trailers(\(lines))"
    case .end: "end"
    case .truncated(let truncation): "truncated(\(truncation))"
    case .skipped(let count): "skipped(\(count))"
    case .anomaly(let name): "anomaly(\(name))"
    case .tunnel(let bytes): "tunnel(\(text(bytes)))"
    case .notHTTP(let kind): "notHTTP(\(kind))"
    case .gap(.insideBody(let range)): "gap(body \(range.lowerBound)..<\(range.upperBound))"
    case .gap(let effect): "gap(\(effect))"
    }
  }
}

func text(_ bytes: some Collection<UInt8>) -> String {
  String(decoding: bytes, as: UTF8.self)
}

enum Piece {
  case bytes([UInt8])
  case gap(UInt64)
}

struct Transcript {
  var items: [Item] = []
  var heads: [HTTP1Head] = []
  var decoder: HTTP1Decoder
  /// What the final responses answer, in order; `.other` after the last.
  var answering: [AnsweredMethod]
  private var fed: UInt64 = 0
  private var bodyBytes: UInt64 = 0

  init(_ decoder: HTTP1Decoder, answering: [AnsweredMethod] = []) {
    self.decoder = decoder
    self.answering = answering
    self.decoder.answering = answering.first ?? .other
  }

  mutating func feed(_ bytes: some Collection<UInt8>) {
    let bytes = Array(bytes)
    bytes.withUnsafeBytes { buffer in
      var offset = 0
      var calls = 0
      while let event = decoder.nextEvent(in: buffer, at: &offset) {
        note(event, buffer)
        calls += 1
        // An event may come without a byte being consumed (an end, an anomaly), but never endlessly.
        guard calls <= 8 * bytes.count + 16 else {
          Issue.record("no progress")
          return
        }
      }
      #expect(offset == buffer.count)
    }
    fed += UInt64(bytes.count)
    checkAccounts()
  }

  mutating func gap(_ length: UInt64) {
    items.append(.gap(decoder.gap(length)))
    feed([])
  }

  mutating func finish() {
    var calls = 0
    while let event = decoder.finish(), calls < 16 {
      note(event, UnsafeRawBufferPointer(start: nil, count: 0))
      calls += 1
    }
    #expect(decoder.heldBytes == 0)
    checkAccounts()
  }

  private func checkAccounts() {
    #expect(decoder.counts.total + UInt64(decoder.heldBytes) == fed)
    #expect(decoder.counts.body == bodyBytes)
  }

  private mutating func note(_ event: HTTP1Event, _ buffer: UnsafeRawBufferPointer) {
    switch event {
    case .head(let head):
      heads.append(head)
      items.append(
        .head(startLine(head), text(head.fields.storage), head.framing, head.anomalies.members.map(\.identifier)))
    case .body(let range):
      #expect(!range.isEmpty)
      bodyBytes += UInt64(range.count)
      if case .body(let bytes)? = items.last {
        items[items.count - 1] = .body(bytes + buffer[range])
      } else {
        items.append(.body(Array(buffer[range])))
      }
    case .chunk(let size): items.append(.chunk(size))
    case .trailers(let fields): items.append(.trailers(lines(fields)))
    case .end:
      if let head = heads.last, !head.isInterim, !answering.isEmpty {
        answering.removeFirst()
        decoder.answering = answering.first ?? .other
      }
      items.append(.end)
    case .truncated(let truncation): items.append(.truncated(truncation))
    case .skipped(let count):
      if case .skipped(let before)? = items.last {
        items[items.count - 1] = .skipped(before + count)
      } else {
        items.append(.skipped(count))
      }
    case .anomaly(let anomaly): items.append(.anomaly(anomaly.identifier))
    case .tunnel(let held, let range):
      let bytes = held + buffer[range]
      if case .tunnel(let before)? = items.last {
        items[items.count - 1] = .tunnel(before + bytes)
      } else {
        items.append(.tunnel(bytes))
      }
    case .notHTTP(let rejection): items.append(.notHTTP(rejection.kind))
    }
  }

  private func startLine(_ head: HTTP1Head) -> String {
    let storage = head.fields.storage
    switch head.startLine {
    case .request(let method, let target):
      return text(storage[Int(method.lowerBound)..<Int(method.upperBound)]) + " "
        + text(storage[Int(target.lowerBound)..<Int(target.upperBound)]) + " " + head.version.identifier
    case .response(let status, let reason):
      return "\(head.version.identifier) \(status) "
        + text(storage[Int(reason.lowerBound)..<Int(reason.upperBound)])
    }
  }
}

func lines(_ fields: HeaderFields) -> [String] {
  fields.ranges.indices.map { text(fields.name(at: $0)) + ": " + text(fields.value(at: $0)) }
}

/// How a stream reaches the decoder.
struct Stream {
  var role: HTTP1Decoder.Role
  var pieces: [Piece]
  var answering: [AnsweredMethod] = []
  var limits = HTTP1Limits()
  var joinedMidstream = false
  /// Told to the decoder before a piece of this index.
  var before: [Int: @Sendable (inout HTTP1Decoder) -> Void] = [:]

  init(_ role: HTTP1Decoder.Role, _ text: String, answering: [AnsweredMethod] = []) {
    self.init(role, [.bytes(Array(text.utf8))], answering: answering)
  }

  init(_ role: HTTP1Decoder.Role, _ pieces: [Piece], answering: [AnsweredMethod] = []) {
    self.role = role
    self.pieces = pieces
    self.answering = answering
  }

  var byteCount: Int {
    pieces.reduce(0) { sum, piece in
      if case .bytes(let bytes) = piece { return sum + bytes.count }
      return sum
    }
  }

  /// - Parameter cut: whether a call ends before the byte with this index (of all bytes of the stream).
  func transcript(finish: Bool = true, cut: (Int) -> Bool = { _ in false }) -> Transcript {
    var transcript = Transcript(
      HTTP1Decoder(role: role, limits: limits, joinedMidstream: joinedMidstream), answering: answering)
    var position = 0
    for (index, piece) in pieces.enumerated() {
      before[index]?(&transcript.decoder)
      switch piece {
      case .gap(let length): transcript.gap(length)
      case .bytes(let bytes):
        var start = 0
        for index in bytes.indices.dropFirst() where cut(position + index) {
          transcript.feed(bytes[start..<index])
          start = index
        }
        transcript.feed(bytes[start...])
        position += bytes.count
      }
    }
    if finish { transcript.finish() }
    return transcript
  }

  /// Feeds the stream whole, byte by byte and cut at every place (of a long one at some); all must tell the same.
  @discardableResult
  func everyCut(finish: Bool = true, sourceLocation: SourceLocation = #_sourceLocation) -> Transcript {
    let whole = transcript(finish: finish)
    let single = transcript(finish: finish) { _ in true }
    #expect(single.items == whole.items, "byte by byte", sourceLocation: sourceLocation)
    for place in stride(from: 1, to: max(byteCount, 2), by: 1 + byteCount / 1000 * 97) {
      let cut = transcript(finish: finish) { $0 == place }
      guard cut.items == whole.items else {
        #expect(cut.items == whole.items, "cut at \(place)", sourceLocation: sourceLocation)
        break
      }
    }
    return whole
  }
}

extension Transcript {
  /// The items without their heads' storage and oddities: `GET / http/1.1`, `body(x)`, `end`, …
  var outline: [String] {
    items.map { item in
      if case .head(let line, _, _, _) = item { return line }
      return item.description
    }
  }

  var anomalies: [String] {
    items.flatMap { item -> [String] in
      switch item {
      case .head(_, _, _, let names): names
      case .anomaly(let name): [name]
      default: []
      }
    }
  }

  /// All body bytes.
  var body: String {
    text(
      items.flatMap { item -> [UInt8] in
        if case .body(let bytes) = item { return bytes }
        return []
      })
  }
}
