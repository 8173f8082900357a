// Both sides of a connection through the HTTP/2 decoder, whole and in pieces: both must tell the same.
//
// Input: options, then records of a byte that says what (bytes of a side, a gap, an end) and how much, and the bytes.

import HTTP2Decoding
import HTTPModel

enum HTTP2Target: FuzzTarget {
  static let name = "http2"

  static func run(_ input: [UInt8]) throws(Violation) {
    var reader = InputReader(input)
    let options = reader.byte()
    var limits = HTTP2Limits()
    if options & 4 != 0 {
      limits.maxHeaderBlockBytes = 40
      limits.maxContinuations = 1
      limits.maxStreams = 2
      limits.maxSettings = 1
      limits.maxPendingSettings = 1
      limits.maxSearchBytes = 1024
      limits.hpack.maxFields = 3
      limits.hpack.maxTableBytes = 100
    }
    var connection = HTTP2Connection(
      limits: limits, client: options & 2 == 0 ? .originator : .responder, joinedMidstream: options & 1 != 0)
    if options & 8 != 0 {
      let settings = reader.bytes(Int(reader.byte() & 31))
      _ = connection.beginUpgraded(settings: settings, isHead: options & 16 != 0, time: Timestamp(nanoseconds: 0))
    }
    var steps: [Step] = []
    while !reader.isAtEnd, steps.count < 64 { steps.append(Step(&reader)) }
    let whole = try Listener.told(connection, steps, pieces: .max)
    let pieces = Int(options >> 5) + 1
    let cut = try Listener.told(connection, steps, pieces: pieces)
    try require(cut == whole, "in pieces of \(pieces): \(cut), whole: \(whole)")
  }

  static var seeds: [[UInt8]] {
    let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    let settings: [UInt8] = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]
    let acknowledgement: [UInt8] = [0, 0, 0, 4, 1, 0, 0, 0, 0]
    let get: [UInt8] = [0, 0, 7, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 0x02, 0x61, 0x62]
    let post: [UInt8] = [0, 0, 3, 1, 0, 0, 0, 0, 3, 0x83, 0x86, 0x84, 0, 0, 1, 9, 4, 0, 0, 0, 3, 0xbe]
    let data: [UInt8] = [0, 0, 5, 0, 9, 0, 0, 0, 3, 2, 0x68, 0x69, 0, 0]
    let answer: [UInt8] = [0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88, 0, 0, 2, 0, 1, 0, 0, 0, 1, 0x6f, 0x6b]
    let promise: [UInt8] = [0, 0, 7, 5, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0x82, 0x86, 0x84]
    let rest: [UInt8] = [
      0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4, 3, 0, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0,
      3,
      0, 0, 0, 0,
    ]
    let sides: [[(UInt8, [UInt8])]] = [
      [(0, preface + settings), (1, settings + acknowledgement), (0, acknowledgement + get), (1, answer)],
      [(0, preface + settings + get + post), (0, data), (1, settings + answer + promise), (1, rest), (3, [9])],
      [(0, get), (1, answer), (2, [5]), (0, post + data + rest), (4, [])],
    ]
    let options: [UInt8] = [0x00, 0x21, 0x45, 0x4a]
    return options.flatMap { options in
      sides.map { steps in steps.reduce(into: [options]) { $0 += record($1.0, $1.1) } }
    }
  }

  private static func record(_ kind: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [kind, UInt8(bytes.count & 0xff), UInt8(bytes.count >> 8)] + bytes
  }
}

private enum Step {
  case bytes(HTTP2Side, [UInt8])
  case gap(HTTP2Side, UInt64)
  case finish(HTTP2Side)

  init(_ reader: inout InputReader) {
    let kind = reader.byte()
    let count = Int(reader.word())
    let side: HTTP2Side = kind & 1 == 0 ? .originator : .responder
    switch kind >> 1 & 3 {
    case 1: self = .gap(side, UInt64(count))
    case 2: self = .finish(side)
    default: self = .bytes(side, reader.bytes(count))
    }
  }
}

/// What a connection told, with the cuts taken out, as text.
private struct Listener {
  private var told: [String] = []
  private var body: (key: String, bytes: [UInt8])?
  private var skipped: (side: HTTP2Side, count: Int)?
  private var connection: HTTP2Connection
  private var fed: [UInt64] = [0, 0]
  private var time: Int64 = 0

  static func told(_ connection: HTTP2Connection, _ steps: [Step], pieces: Int) throws(Violation) -> [String] {
    var listener = Listener(connection: connection)
    for step in steps {
      listener.time += 1
      let time = Timestamp(nanoseconds: listener.time)
      switch step {
      case .bytes(let side, let bytes):
        var start = 0
        while start < bytes.count {
          let end = start + min(pieces, bytes.count - start)
          try listener.feed(side, Array(bytes[start..<end]))
          start = end
        }
      case .gap(let side, let length):
        listener.connection.gap(length, from: side, time: time)
        try listener.feed(side, [])
      case .finish(let side):
        listener.connection.finish(side, time: time)
        try listener.feed(side, [])
      }
    }
    listener.connection.close(time: Timestamp(nanoseconds: listener.time))
    try listener.feed(.originator, [])
    try require(
      listener.connection.openStreams == 0, "\(listener.connection.openStreams) streams are open after the end")
    listener.flush()
    return listener.told
  }

  private init(connection: HTTP2Connection) { self.connection = connection }

  private mutating func feed(_ side: HTTP2Side, _ bytes: [UInt8]) throws(Violation) {
    var offset = 0
    var events = 0
    while let event = bytes.withUnsafeBytes({
      connection.nextEvent(from: side, in: $0, at: &offset, time: Timestamp(nanoseconds: time))
    }) {
      try note(event, bytes)
      events += 1
      try require(events <= 64 * (bytes.count + 4096), "the decoder does not come forward")
    }
    try require(offset == bytes.count, "\(bytes.count - offset) bytes are left over")
    fed[side.rawValue] += UInt64(bytes.count)
    let counted = connection.counts(of: side).total + UInt64(connection.heldBytes(of: side))
    try require(counted == fed[side.rawValue], "\(counted) bytes are accounted for, of \(fed[side.rawValue])")
    try require(connection.openStreams <= connection.limits.maxStreams, "\(connection.openStreams) streams are open")
  }

  private mutating func flush() {
    if let body { told.append("\(body.key) \(body.bytes)") }
    if let skipped { told.append("skipped \(skipped.side) \(skipped.count)") }
    body = nil
    skipped = nil
  }

  private mutating func note(_ event: HTTP2Event, _ bytes: [UInt8]) throws(Violation) {
    let key = "\(event.stream) \(event.sender) \(event.slot)"
    switch event.content {
    case .body(let range): noteBody(key, bytes[range])
    case .heldBody(let held): noteBody(key, held[...])
    case .skipped(let count):
      if skipped?.side != event.sender || body != nil { flush() }
      skipped = (event.sender, (skipped?.count ?? 0) + count)
    case .head(let head), .informational(let head), .promise(let head, _):
      flush()
      for index in head.fields.ranges.indices {
        _ = (head.fields.name(at: index).count, head.fields.value(at: index).count)
      }
      for range in [head.method, head.scheme, head.authority, head.path, head.protocol].compactMap({ $0 }) {
        _ = head.bytes(range).count
      }
      try require(head.marks.isEmpty || head.marks.count == head.fields.count, "marks of other fields")
      try require(
        head.unresolved.allSatisfy { head.fields.ranges.indices.contains($0.field) }, "references to no field")
      told.append("\(key) \(event.time) \(head)")
    default:
      flush()
      told.append("\(key) \(event.time) \(event.content)")
    }
  }

  private mutating func noteBody(_ key: String, _ part: ArraySlice<UInt8>) {
    if body?.key != key || skipped != nil { flush() }
    body = (key, (body?.bytes ?? []) + part)
  }
}
