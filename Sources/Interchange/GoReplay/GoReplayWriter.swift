// Exchanges to a GoReplay file. In: exchanges in order of request start. Out: records 1 and 2, and 3 for what came of
// replaying. Owner: one conversion. Bounds: one exchange.

import HTTP1Decoding
public import HTTPModel

/// Writes GoReplay's file format as its newer versions do: 24 hexadecimal digits of identifier, four meta fields.
public struct GoReplayWriter: ExchangeWriting {
  public private(set) var notes = ConversionNotes()

  public init() {}

  public mutating func append(_ exchange: Exchange, attempts: [Attempt], into bytes: inout [UInt8]) {
    guard let request = exchange.request else {
      notes.add(.responsesWithoutRequest)
      return
    }
    let identifier = Self.identifier(of: exchange)
    let start = bytes.count
    write(request, identifier, into: &bytes)
    if let response = exchange.response {
      write(
        response, .response, identifier, response.timing.start,
        latency: response.timing.end.nanoseconds(since: response.timing.start), into: &bytes)
    }
    // The format knows one that is asked.
    for attempt in attempts where attempt.role == .shadow {
      guard let response = attempt.response else { continue }
      let sent = attempt.sent ?? attempt.scheduled
      write(
        response, .replayedResponse, identifier, attempt.end, latency: attempt.end.nanoseconds(since: sent),
        into: &bytes)
    }
    if bytes[start...].isEmpty { return }
    guard countSeparators(in: bytes[start...]) == writtenRecords else {
      bytes.removeSubrange(start...)
      writtenRecords = 0
      notes.add(.separatorInBody)
      return
    }
    writtenRecords = 0
    note(exchange)
  }

  private var writtenRecords = 0

  private mutating func note(_ exchange: Exchange) {
    if exchange.version == .http2 { notes.add(.http2AsHTTP1) }
    notes.add(.interimResponses, UInt64(exchange.response?.informational.count ?? 0))
    if exchange.details.messages != nil { notes.add(.streamMessages) }
    if !exchange.details.unresolved.isEmpty { notes.add(.unresolvedFields) }
    for (body, trailers) in [
      (exchange.request?.body, exchange.request?.trailers), (exchange.response?.body, exchange.response?.trailers),
    ] {
      if let body, !body.isComplete { notes.add(.incompleteBodies) }
      if let trailers, !trailers.isEmpty, body?.framing != .chunked { notes.add(.trailers) }
    }
  }

  private mutating func write(_ request: HTTPRequest, _ identifier: [UInt8], into bytes: inout [UInt8]) {
    let timing = request.timing
    bytes +=
      GoReplayMeta(
        type: .request, identifier: identifier, time: timing.start,
        latency: max(0, timing.end.nanoseconds(since: timing.start))
      ).line
    serialize(request: request, into: &bytes)
    if request.body.framing == .chunked, !request.body.isComplete, request.trailers.isEmpty {
      // The last chunk never came.
      bytes.removeLast("0\r\n\r\n".utf8.count)
    }
    bytes += GoReplayMeta.separator
    writtenRecords += 1
  }

  private mutating func write(
    _ response: HTTPResponse, _ type: GoReplayRecordType, _ identifier: [UInt8], _ time: Timestamp, latency: Int64,
    into bytes: inout [UInt8]
  ) {
    bytes += GoReplayMeta(type: type, identifier: identifier, time: time, latency: max(0, latency)).line
    serialize(response: response, into: &bytes)
    bytes += GoReplayMeta.separator
    writtenRecords += 1
  }

  /// Every separator that a reader would find.
  private func countSeparators(in bytes: ArraySlice<UInt8>) -> Int {
    var count = 0
    var index = bytes.startIndex
    let separator = GoReplayMeta.separator
    while index + separator.count <= bytes.endIndex {
      guard let line = bytes[index...].firstIndex(of: 0x0a), line + separator.count <= bytes.endIndex else { break }
      if bytes[line + 1] == separator[1], bytes[line..<line + separator.count].elementsEqual(separator) {
        count += 1
        // One may begin with the line end of another.
        index = line + separator.count - 1
      } else {
        index = line + 1
      }
    }
    return count
  }

  /// Connection, place on it, and seconds of its start: 24 hexadecimal digits.
  private static func identifier(of exchange: Exchange) -> [UInt8] {
    let seconds = UInt32(truncatingIfNeeded: exchange.start.nanoseconds / 1_000_000_000)
    return [exchange.id.connection, exchange.id.ordinal, seconds].flatMap { word in
      (0..<8).map { digit in
        let value = UInt8(truncatingIfNeeded: word >> UInt32(28 - 4 * digit)) & 15
        return value < 10 ? 0x30 + value : 0x57 + value
      }
    }
  }
}
