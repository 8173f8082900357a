// What the tests feed to a connection, and what it tells with the cuts taken out.

import HTTP2Decoding
import HTTPModel
import Testing

/// One thing that a listener sees of a side.
enum Seen {
  case bytes(HTTP2Side, [UInt8])
  case gap(HTTP2Side, UInt64)
  case finish(HTTP2Side)
}

/// What a connection told, in order; pieces of one body are joined.
enum Told: Equatable {
  case head(UInt32, String, [String], ends: Bool, AnomalySet)
  case informational(UInt32, String, [String])
  case promise(UInt32, by: UInt32, String, [String])
  case body(UInt32, HTTP2Side, [UInt8])
  case missing(UInt32, HTTP2Side, BodyRange)
  case trailers(UInt32, [String], AnomalySet)
  case headLost(UInt32, HTTP2Side)
  case end(UInt32, HTTP2Side, HTTP2MessageEnd)
  case reset(UInt32, HTTP2Side, UInt32)
  case closed(UInt32, HTTP2StreamClosing)
  case goaway(HTTP2Side, UInt32, UInt32)
  case anomaly(UInt32, Anomaly)
  case framesLost(HTTP2Side)
  case skipped(HTTP2Side, Int)
  case rolesReversed
}

/// Feeds a connection and writes down what it tells.
struct Transcript {
  private(set) var told: [Told] = []
  private(set) var connection: HTTP2Connection
  private var fed: [UInt64] = [0, 0]
  var time: Int64 = 0
  private(set) var times: [Timestamp] = []

  init(_ connection: HTTP2Connection = HTTP2Connection()) { self.connection = connection }

  /// - Parameter pieces: how many bytes go into a call at most.
  mutating func feed(_ seen: [Seen], pieces: Int = .max) {
    for item in seen {
      time += 1
      switch item {
      case .bytes(let side, let bytes):
        var start = 0
        while start < bytes.count {
          let end = min(bytes.count, pieces == .max ? .max : start + pieces)
          feed(side, Array(bytes[start..<end]))
          start = end
        }
      case .gap(let side, let length):
        connection.gap(length, from: side, time: Timestamp(nanoseconds: time))
        feed(side, [])
      case .finish(let side):
        connection.finish(side, time: Timestamp(nanoseconds: time))
        feed(side, [])
      }
    }
  }

  mutating func feed(_ side: HTTP2Side, _ bytes: [UInt8]) {
    var offset = 0
    var events = 0
    while let event = bytes.withUnsafeBytes({
      connection.nextEvent(from: side, in: $0, at: &offset, time: Timestamp(nanoseconds: time))
    }) {
      note(event, bytes)
      events += 1
      guard events <= 64 * (bytes.count + 256) + 8 * connection.limits.maxStreams else {
        Issue.record("the decoder does not come forward")
        return
      }
    }
    #expect(offset == bytes.count, "bytes are left over")
    fed[side.rawValue] += UInt64(bytes.count)
    let counted = connection.counts(of: side).total + UInt64(connection.heldBytes(of: side))
    #expect(counted == fed[side.rawValue], "bytes of \(side) that are accounted for")
  }

  mutating func close() {
    connection.close(time: Timestamp(nanoseconds: time))
    feed(.originator, [])
  }

  private mutating func note(_ event: HTTP2Event, _ bytes: [UInt8]) {
    let stream = event.stream
    switch event.content {
    case .head(let head):
      told.append(.head(stream, startLine(head), lines(head), ends: head.endsStream, head.anomalies))
      times.append(head.start)
    case .informational(let head): told.append(.informational(stream, startLine(head), lines(head)))
    case .promise(let head, let parent):
      told.append(.promise(stream, by: parent, startLine(head), lines(head)))
    case .body(let range): noteBody(stream, event.sender, bytes[range])
    case .heldBody(let held): noteBody(stream, event.sender, held[...])
    case .missing(let range): told.append(.missing(stream, event.sender, range))
    case .trailers(let trailers):
      told.append(.trailers(stream, lines(trailers.fields, trailers.marks), trailers.anomalies))
    case .headLost: told.append(.headLost(stream, event.sender))
    case .end(let end): told.append(.end(stream, event.sender, end))
    case .reset(let code): told.append(.reset(stream, event.sender, code.rawValue))
    case .closed(let reason): told.append(.closed(stream, reason))
    case .goaway(let last, let code): told.append(.goaway(event.sender, last, code.rawValue))
    case .anomaly(let anomaly): told.append(.anomaly(stream, anomaly))
    case .framesLost: told.append(.framesLost(event.sender))
    case .skipped(let count):
      if case .skipped(event.sender, let before)? = told.last {
        told[told.count - 1] = .skipped(event.sender, before + count)
      } else {
        told.append(.skipped(event.sender, count))
      }
    case .rolesReversed: told.append(.rolesReversed)
    }
  }

  private mutating func noteBody(_ stream: UInt32, _ side: HTTP2Side, _ bytes: ArraySlice<UInt8>) {
    if case .body(stream, side, let before)? = told.last {
      told[told.count - 1] = .body(stream, side, before + bytes)
    } else {
      told.append(.body(stream, side, Array(bytes)))
    }
  }
}

/// `GET http://host/path`, an unknown part as `?`; or the status.
func startLine(_ head: HTTP2Head) -> String {
  guard head.isRequest else { return head.status.map(String.init) ?? "?" }
  func part(_ range: Range<UInt32>?) -> String { range.map { text(head.bytes($0)) } ?? "?" }
  let method = head.method.isEmpty ? "?" : part(head.method)
  return "\(method) \(part(head.scheme))://\(part(head.authority))\(part(head.path))"
    + (head.protocol == nil ? "" : " \(part(head.protocol))")
}

func lines(_ head: HTTP2Head) -> [String] { lines(head.fields, head.marks) }

func lines(_ fields: HeaderFields, _ marks: [HPACKFieldMarks]) -> [String] {
  fields.ranges.indices.map { index in
    let mark = marks.isEmpty ? [] : marks[index]
    let name = mark.contains(.nameUnresolved) ? "?" : text(fields.name(at: index))
    let value = fields.value(at: index)
    // What is not UTF-8 is read as Latin-1.
    let read =
      String(validating: value, as: UTF8.self) ?? String(String.UnicodeScalarView(value.map { Unicode.Scalar($0) }))
    return "\(name): \(mark.contains(.valueUnresolved) ? "?" : read)"
  }
}

/// The same in one piece, byte by byte, and for short ones cut at every place.
func everyCut(
  _ seen: [Seen], _ connection: HTTP2Connection = HTTP2Connection(), at location: SourceLocation = #_sourceLocation
) -> [Told] {
  var whole = Transcript(connection)
  whole.feed(seen)
  whole.close()
  for pieces in [1, 2, 3, 7, 64, 1000] {
    var cut = Transcript(connection)
    cut.feed(seen, pieces: pieces)
    cut.close()
    #expect(cut.told == whole.told, "in pieces of \(pieces)", sourceLocation: location)
    #expect(cut.times == whole.times, "in pieces of \(pieces)", sourceLocation: location)
  }
  let total = seen.reduce(0) { if case .bytes(_, let bytes) = $1 { $0 + bytes.count } else { $0 } }
  guard total <= 600 else { return whole.told }
  for (number, item) in seen.enumerated() {
    guard case .bytes(let side, let bytes) = item else { continue }
    for place in bytes.indices.dropFirst() {
      var cut = Transcript(connection)
      cut.feed(Array(seen[..<number]))
      cut.time += 1
      cut.feed(side, Array(bytes[..<place]))
      cut.feed(side, Array(bytes[place...]))
      cut.feed(Array(seen[(number + 1)...]))
      cut.close()
      #expect(cut.told == whole.told, "cut at \(place) of \(number)", sourceLocation: location)
    }
  }
  return whole.told
}
