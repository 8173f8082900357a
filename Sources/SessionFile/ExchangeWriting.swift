// Exchanges, requests, responses and attempts to record fields. The numbers are those of umbra-session(5).
//
// Values in, bytes out; one pass, no allocation, the body and the head each one copy. `bound` says beforehand how many
// bytes a value can take at most; writing takes place without further checks.

import Glibc
import HTTPModel

/// Numbers of an exchange's fields.
enum ExchangeField {
  static let client: UInt8 = 1
  static let server: UInt8 = 2
  static let isTLS: UInt8 = 3
  /// HTTP/2's stream plus one.
  static let stream: UInt8 = 4
  static let request: UInt8 = 5
  static let response: UInt8 = 6
  static let anomaliesLow: UInt8 = 7
  static let anomaliesHigh: UInt8 = 8
  /// Of a replayed exchange; repeated.
  static let attempt: UInt8 = 9
  static let details: UInt8 = 10
  static let connection: UInt8 = 11
}

/// Numbers of a message's fields.
enum MessageField {
  static let version: UInt8 = 1
  static let start: UInt8 = 2
  static let headEnd: UInt8 = 3
  static let end: UInt8 = 4
  static let status: UInt8 = 5
  /// Method or reason, in the head.
  static let firstStart: UInt8 = 6
  static let firstLength: UInt8 = 7
  static let targetStart: UInt8 = 8
  static let targetLength: UInt8 = 9
  static let head: UInt8 = 10
  static let table: UInt8 = 11
  static let body: UInt8 = 12
  static let framing: UInt8 = 13
  /// Body size less the bytes that are kept, zigzag.
  static let bodyAbsent: UInt8 = 14
  static let bodyFlags: UInt8 = 15
  static let missing: UInt8 = 16
  static let cutHash: UInt8 = 17
  static let chunkSizes: UInt8 = 18
  static let trailers: UInt8 = 19
  static let trailerTable: UInt8 = 20
  static let informational: UInt8 = 21

  static let incompleteFlag: UInt64 = 1
  /// In an attempt: the body's bytes are those of the recorded response.
  static let sameBytesFlag: UInt64 = 2
}

/// Numbers of an attempt's fields.
enum AttemptField {
  static let round: UInt8 = 1
  static let target: UInt8 = 2
  static let scheduled: UInt8 = 3
  /// After ``scheduled``; present even where 0.
  static let sent: UInt8 = 4
  /// After ``scheduled``; present even where 0.
  static let firstByte: UInt8 = 5
  /// After ``scheduled``.
  static let end: UInt8 = 6
  static let outcome: UInt8 = 7
  static let response: UInt8 = 8
  /// Where it is not the record's own id.
  static let connection: UInt8 = 9
  static let ordinal: UInt8 = 10
  static let role: UInt8 = 11
}

extension RecordWriter {
  @inline(__always)
  mutating func write(
    _ exchange: borrowing Exchange, key: Int64, request: Bool = true, response: Bool = true
  ) {
    write(exchange.client, ExchangeField.client)
    write(exchange.server, ExchangeField.server)
    field(ExchangeField.isTLS, exchange.isTLS ? 1 : 0)
    if let stream = exchange.stream { field(ExchangeField.stream, UInt64(stream) &+ 1) }
    field(ExchangeField.anomaliesLow, exchange.anomalies.low)
    field(ExchangeField.anomaliesHigh, exchange.anomalies.high)
    if exchange.hasDetails { write(exchange.details, key: key) }
    if let connection = exchange.connection { write(connection) }
    // Borrowed where they stand: binding a message to a name would copy it.
    if request, exchange.request != nil {
      let start = beginLong(ExchangeField.request)
      write(exchange.request!, key: key)
      endLong(start)
    }
    if response, exchange.response != nil {
      let start = beginLong(ExchangeField.response)
      write(exchange.response!, key: key, recordedBody: nil)
      endLong(start)
    }
  }

  /// Four or sixteen octets as in a packet, then the port, high byte first.
  @inline(__always)
  private mutating func write(_ address: TransportAddress, _ number: UInt8) {
    tag(number, .bytes)
    if address.address.isIPv6 {
      byte(18)
      fixed(address.address.high.byteSwapped)
      fixed(address.address.low.byteSwapped)
    } else {
      byte(6)
      fixed(UInt32(truncatingIfNeeded: address.address.low).byteSwapped)
    }
    fixed(address.port.byteSwapped)
  }

  @inline(__always)
  private mutating func write(_ request: borrowing HTTPRequest, key: Int64) {
    writeStart(version: request.version, timing: request.timing, key: key)
    field(MessageField.firstStart, UInt64(request.methodRange.lowerBound))
    field(MessageField.firstLength, UInt64(request.methodRange.count))
    field(MessageField.targetStart, UInt64(request.targetRange.lowerBound))
    field(MessageField.targetLength, UInt64(request.targetRange.count))
    write(request.fields, MessageField.head, MessageField.table)
    write(request.trailers, MessageField.trailers, MessageField.trailerTable)
    write(request.body, recorded: nil)
  }

  /// - Parameter recordedBody: of the recorded response, where this is an attempt's.
  @inline(__always)
  private mutating func write(_ response: borrowing HTTPResponse, key: Int64, recordedBody: [UInt8]?) {
    writeStart(version: response.version, timing: response.timing, key: key)
    field(MessageField.status, UInt64(response.status))
    field(MessageField.firstStart, UInt64(response.reasonRange.lowerBound))
    field(MessageField.firstLength, UInt64(response.reasonRange.count))
    write(response.fields, MessageField.head, MessageField.table)
    write(response.trailers, MessageField.trailers, MessageField.trailerTable)
    for interim in response.informational {
      let start = beginLong(MessageField.informational)
      field(MessageField.status, UInt64(interim.status))
      field(MessageField.start, signed: interim.time.nanoseconds &- key)
      write(interim.fields, MessageField.head, MessageField.table)
      endLong(start)
    }
    write(response.body, recorded: recordedBody)
  }

  @inline(__always)
  private mutating func writeStart(version: HTTPVersion, timing: MessageTiming, key: Int64) {
    field(MessageField.version, UInt64(version.rawValue))
    field(MessageField.start, signed: timing.start.nanoseconds &- key)
    field(MessageField.headEnd, signed: timing.headEnd.nanoseconds &- timing.start.nanoseconds)
    field(MessageField.end, signed: timing.end.nanoseconds &- timing.headEnd.nanoseconds)
  }

  @inline(__always)
  private mutating func write(_ fields: borrowing HeaderFields, _ head: UInt8, _ table: UInt8) {
    field(head, fields.storage)
    guard !fields.ranges.isEmpty else { return }
    let start = beginLong(table)
    FieldTable.write(fields.ranges, to: &self)
    endLong(start)
  }

  @inline(__always)
  private mutating func write(_ body: borrowing HTTPBody, recorded: [UInt8]?) {
    field(MessageField.framing, UInt64(body.framing.rawValue))
    var flags = body.isComplete ? 0 : MessageField.incompleteFlag
    // A short body costs more to compare and flag than to store.
    if let recorded, body.bytes.count >= 8, sameBytes(recorded, body.bytes) {
      flags |= MessageField.sameBytesFlag
    } else {
      field(MessageField.body, body.bytes)
    }
    field(MessageField.bodyAbsent, signed: Int64(bitPattern: body.size &- UInt64(body.bytes.count)))
    field(MessageField.bodyFlags, flags)
    if !body.missing.isEmpty {
      let start = beginLong(MessageField.missing)
      for range in body.missing {
        varint(range.lowerBound)
        varint(range.upperBound)
      }
      endLong(start)
    }
    if let hash = body.cutHash {
      tag(MessageField.cutHash, .fixed64)
      fixed(hash)
    }
    if !body.chunkSizes.isEmpty {
      let start = beginLong(MessageField.chunkSizes)
      for size in body.chunkSizes { varint(size) }
      endLong(start)
    }
  }

  /// - Parameter exchange: the record's own, with the body that the attempt's may equal.
  mutating func write(_ attempt: borrowing Attempt, of exchange: borrowing Exchange) {
    let start = beginLong(ExchangeField.attempt)
    let scheduled = attempt.scheduled.nanoseconds
    field(AttemptField.round, UInt64(attempt.round))
    field(AttemptField.target, UInt64(attempt.target))
    field(AttemptField.role, UInt64(attempt.role.rawValue))
    tag(AttemptField.scheduled, .fixed64)
    fixed(scheduled)
    if let sent = attempt.sent {
      tag(AttemptField.sent, .varint)
      zigzag(sent.nanoseconds &- scheduled)
    }
    if let firstByte = attempt.firstByte {
      tag(AttemptField.firstByte, .varint)
      zigzag(firstByte.nanoseconds &- scheduled)
    }
    field(AttemptField.end, signed: attempt.end.nanoseconds &- scheduled)
    field(AttemptField.outcome, UInt64(attempt.outcome.rawValue))
    if attempt.exchange != exchange.id {
      tag(AttemptField.connection, .varint)
      varint(attempt.exchange.connection)
      tag(AttemptField.ordinal, .varint)
      varint(attempt.exchange.ordinal)
    }
    if let response = attempt.response {
      let start = beginLong(AttemptField.response)
      write(response, key: scheduled, recordedBody: exchange.response?.body.bytes)
      endLong(start)
    }
    endLong(start)
  }
}

/// Upper bounds of what the functions above write.
enum RecordBound {
  /// Of the fields of fixed size: 22 in a message at most, 11 in an exchange or attempt.
  private static let fixedFields = 24 * RecordWriter.fieldBound

  @inline(__always)
  static func of(_ exchange: borrowing Exchange) -> Int {
    var bound = RecordKey.prefixSize &+ fixedFields
    if exchange.request != nil {
      bound &+= of(exchange.request!.fields) &+ of(exchange.request!.trailers) &+ of(exchange.request!.body)
    }
    if exchange.response != nil { bound &+= of(exchange.response!) }
    if exchange.hasDetails { bound &+= of(exchange.details) }
    if let connection = exchange.connection { bound &+= of(connection) }
    return bound
  }

  static func of(_ replayed: borrowing ReplayedExchange) -> Int {
    var bound = of(replayed.exchange)
    for index in replayed.attempts.indices {
      bound &+= fixedFields
      if let response = replayed.attempts[index].response { bound &+= of(response) }
    }
    return bound
  }

  @inline(__always)
  private static func of(_ response: borrowing HTTPResponse) -> Int {
    var bound = of(response.fields) &+ of(response.trailers) &+ of(response.body)
    for interim in response.informational { bound &+= 4 &* RecordWriter.fieldBound &+ of(interim.fields) }
    return bound
  }

  @inline(__always)
  private static func of(_ fields: borrowing HeaderFields) -> Int {
    fields.storage.count &+ FieldTable.bound(fields)
  }

  @inline(__always)
  private static func of(_ body: borrowing HTTPBody) -> Int {
    fixedFields &+ body.bytes.count &+ body.missing.count &* 20 &+ body.chunkSizes.count &* 5
  }
}

/// Whether two arrays, neither empty, hold the same.
private func sameBytes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
  a.count == b.count
    && a.withUnsafeBytes { a in
      b.withUnsafeBytes { b in
        a.baseAddress == b.baseAddress || memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0
      }
    }
}
