// Record fields to exchanges and attempts.
//
// Bytes of unknown honesty in, values or a `RecordFault` out. Unknown field numbers are passed over, so that files of a
// later minor version can be read. What is absent is 0, empty or nil.

import HTTPModel

/// The fields of a request, response or interim response, before it is known to be whole.
private struct MessageParts {
  var version: UInt64 = 0
  var start: Int64 = 0
  var headEnd: Int64 = 0
  var end: Int64 = 0
  var status: UInt64 = 0
  var first: (start: UInt64, length: UInt64) = (0, 0)
  var target: (start: UInt64, length: UInt64) = (0, 0)
  var head = HeaderParts()
  var trailers = HeaderParts()
  var body: UnsafeRawBufferPointer?
  var framing: UInt64 = 0
  var bodyAbsent: Int64 = 0
  var bodyFlags: UInt64 = 0
  var missing: UnsafeRawBufferPointer?
  var cutHash: UInt64?
  var chunkSizes: UnsafeRawBufferPointer?
  var informational: [UnsafeRawBufferPointer] = []

  init(_ bytes: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = RecordReader(bytes)
    while !reader.isAtEnd {
      let (number, type) = try reader.tag()
      switch UInt8(exactly: number) {
      case MessageField.version: version = try reader.value(type)
      case MessageField.start: start = try reader.signedValue(type)
      case MessageField.headEnd: headEnd = try reader.signedValue(type)
      case MessageField.end: end = try reader.signedValue(type)
      case MessageField.status: status = try reader.value(type)
      case MessageField.firstStart: first.start = try reader.value(type)
      case MessageField.firstLength: first.length = try reader.value(type)
      case MessageField.targetStart: target.start = try reader.value(type)
      case MessageField.targetLength: target.length = try reader.value(type)
      case MessageField.head: head.storage = try reader.contents(type)
      case MessageField.table: head.table = try reader.contents(type)
      case MessageField.trailers: trailers.storage = try reader.contents(type)
      case MessageField.trailerTable: trailers.table = try reader.contents(type)
      case MessageField.body: body = try reader.contents(type)
      case MessageField.framing: framing = try reader.value(type)
      case MessageField.bodyAbsent: bodyAbsent = try reader.signedValue(type)
      case MessageField.bodyFlags: bodyFlags = try reader.value(type)
      case MessageField.missing: missing = try reader.contents(type)
      case MessageField.cutHash:
        guard type == .fixed64 else { throw RecordFault() }
        cutHash = try reader.fixed(UInt64.self)
      case MessageField.chunkSizes: chunkSizes = try reader.contents(type)
      case MessageField.informational: informational.append(try reader.contents(type))
      default: try reader.skip(type)
      }
    }
  }

  func httpVersion() throws(RecordFault) -> HTTPVersion {
    guard let raw = UInt8(exactly: version), let version = HTTPVersion(rawValue: raw) else { throw RecordFault() }
    return version
  }

  func timing(key: Int64) -> MessageTiming {
    let start = key &+ start
    let headEnd = start &+ headEnd
    return MessageTiming(
      start: Timestamp(nanoseconds: start), headEnd: Timestamp(nanoseconds: headEnd),
      end: Timestamp(nanoseconds: headEnd &+ end))
  }

  func range(_ part: (start: UInt64, length: UInt64)) throws(RecordFault) -> Range<UInt32> {
    let (end, overflow) = part.start.addingReportingOverflow(part.length)
    guard !overflow, end <= UInt64(head.count), let upper = UInt32(exactly: end) else { throw RecordFault() }
    return UInt32(part.start)..<upper
  }

  func bodyFraming() throws(RecordFault) -> BodyFraming {
    guard let raw = UInt8(exactly: framing), let framing = BodyFraming(rawValue: raw) else { throw RecordFault() }
    return framing
  }

  /// The body's bytes where they are in memory already.
  /// - Parameter recorded: of the recorded response, in an attempt.
  func sharedBody(recorded: [UInt8]?, _ spare: inout SpareMessages) throws(RecordFault) -> [UInt8]? {
    if bodyFlags & MessageField.sameBytesFlag != 0 {
      guard let recorded else { throw RecordFault() }
      return recorded
    }
    guard let body, body.count > SpareMessages.sizeLimit else { return nil }
    return spare.repeated.shared(body)
  }

  /// - Parameters:
  ///   - body: an empty one; its memory is written to.
  ///   - shared: ``sharedBody(recorded:_:)``.
  func read(into body: inout HTTPBody, shared: [UInt8]?) throws(RecordFault) {
    if let shared {
      body.bytes = shared
    } else if let bytes = self.body {
      body.bytes.append(contentsOf: bytes)
    }
    body.size = UInt64(body.bytes.count) &+ UInt64(bitPattern: bodyAbsent)
    body.isComplete = bodyFlags & MessageField.incompleteFlag == 0
    body.cutHash = cutHash
    if missing != nil || chunkSizes != nil { try readParts(into: &body) }
  }

  private func readParts(into body: inout HTTPBody) throws(RecordFault) {
    var ranges: [BodyRange] = []
    if let missing {
      var reader = RecordReader(missing)
      while !reader.isAtEnd {
        let range = BodyRange(lowerBound: try reader.varint(), upperBound: try reader.varint())
        guard range.lowerBound <= range.upperBound else { throw RecordFault() }
        ranges.append(range)
      }
    }
    var chunks: [UInt32] = []
    if let chunkSizes {
      var reader = RecordReader(chunkSizes)
      while !reader.isAtEnd { chunks.append(try reader.narrow(UInt32.self)) }
    }
    body.missing = ranges
    body.chunkSizes = chunks
  }

  func statusCode() throws(RecordFault) -> UInt16 {
    guard let code = UInt16(exactly: status) else { throw RecordFault() }
    return code
  }
}

/// A head's or trailer section's bytes and table.
private struct HeaderParts {
  var storage: UnsafeRawBufferPointer?
  var table: UnsafeRawBufferPointer?

  var count: Int { storage?.count ?? 0 }

  var isEmpty: Bool { storage == nil && table == nil }

  func headerFields() throws(RecordFault) -> HeaderFields {
    var fields = HeaderFields()
    try read(into: &fields)
    return fields
  }

  /// - Parameter fields: those of another section, whose memory is written to.
  func read(into fields: inout HeaderFields) throws(RecordFault) {
    fields.storage.removeAll(keepingCapacity: true)
    if let storage { fields.storage.append(contentsOf: storage) }
    if let table {
      try FieldTable.read(table, storageCount: count, into: &fields.ranges)
    } else {
      fields.ranges.removeAll(keepingCapacity: true)
    }
  }
}

extension HTTPRequest {
  fileprivate init(
    _ bytes: UnsafeRawBufferPointer, key: Int64, _ spare: inout SpareMessages
  ) throws(RecordFault) {
    let parts = try MessageParts(bytes)
    let (version, framing, timing) = (try parts.httpVersion(), try parts.bodyFraming(), parts.timing(key: key))
    let (method, target) = (try parts.range(parts.first), try parts.range(parts.target))
    if !spare.requests.isEmpty {
      // Moved: a name for it would be another reference.
      self = spare.requests.removeLast()
      reuse(version: version, methodRange: method, targetRange: target, framing: framing, timing: timing)
    } else {
      self.init(
        version: version, methodRange: method, targetRange: target, fields: HeaderFields(),
        body: HTTPBody(framing: framing), timing: timing)
    }
    try parts.head.read(into: &fields)
    if !parts.trailers.isEmpty { trailers = try parts.trailers.headerFields() }
    try parts.read(into: &body, shared: try parts.sharedBody(recorded: nil, &spare))
  }
}

extension HTTPResponse {
  fileprivate init(
    _ bytes: UnsafeRawBufferPointer, key: Int64, recordedBody: [UInt8]?, _ spare: inout SpareMessages
  ) throws(RecordFault) {
    let parts = try MessageParts(bytes)
    let (version, framing, timing) = (try parts.httpVersion(), try parts.bodyFraming(), parts.timing(key: key))
    let (status, reason) = (try parts.statusCode(), try parts.range(parts.first))
    let shared = try parts.sharedBody(recorded: recordedBody, &spare)
    if shared == nil, let body = parts.body, body.count > SpareMessages.sizeLimit, spare.hasLarge {
      self = spare.takeLarge()
      reuse(version: version, status: status, reasonRange: reason, framing: framing, timing: timing)
    } else if !spare.responses.isEmpty {
      // Moved: a name for it would be another reference.
      self = spare.responses.removeLast()
      reuse(version: version, status: status, reasonRange: reason, framing: framing, timing: timing)
    } else {
      self.init(
        version: version, status: status, reasonRange: reason, fields: HeaderFields(),
        body: HTTPBody(framing: framing), timing: timing)
    }
    try parts.head.read(into: &fields)
    if !parts.trailers.isEmpty { trailers = try parts.trailers.headerFields() }
    try parts.read(into: &body, shared: shared)
    if parts.informational.isEmpty { return }
    var informational: [InformationalResponse] = []
    for bytes in parts.informational {
      let interim = try MessageParts(bytes)
      informational.append(
        InformationalResponse(
          status: try interim.statusCode(), fields: try interim.head.headerFields(),
          time: Timestamp(nanoseconds: key &+ interim.start)))
    }
    self.informational = informational
  }
}

extension Exchange {
  /// Reads a record's fields into an exchange that is empty: one that is made at the end of it all would be copied.
  ///
  /// - Parameters:
  ///   - fields: of the record, after its key.
  ///   - attempts: where to put the attempts of a replayed exchange; passed over where nil.
  ///   - spare: what messages are read into.
  mutating func read(
    _ fields: UnsafeRawBufferPointer, key: RecordKey, attempts: inout [UnsafeRawBufferPointer],
    _ spare: inout SpareMessages
  ) throws(RecordFault) {
    id = key.id
    var reader = RecordReader(fields)
    while !reader.isAtEnd {
      let (number, type) = try reader.tag()
      switch UInt8(exactly: number) {
      case ExchangeField.client: client = try TransportAddress(try reader.contents(type))
      case ExchangeField.server: server = try TransportAddress(try reader.contents(type))
      case ExchangeField.isTLS: isTLS = try reader.value(type) != 0
      case ExchangeField.stream:
        let value = try reader.value(type)
        guard value > 0, let number = UInt32(exactly: value &- 1) else { throw RecordFault() }
        stream = number
      case ExchangeField.request: request = try HTTPRequest(try reader.contents(type), key: key.start, &spare)
      case ExchangeField.response:
        response = try HTTPResponse(try reader.contents(type), key: key.start, recordedBody: nil, &spare)
      case ExchangeField.anomaliesLow: anomalies.low = try reader.value(type)
      case ExchangeField.anomaliesHigh: anomalies.high = try reader.value(type)
      case ExchangeField.attempt: attempts.append(try reader.contents(type))
      case ExchangeField.details: details = try ExchangeDetails(try reader.contents(type), key: key.start)
      case ExchangeField.connection: connection = try ConnectionFacts.read(try reader.contents(type))
      default: try reader.skip(type)
      }
    }
  }

  /// Takes over what `half`, the response under the same key, adds.
  mutating func join(_ half: Exchange) {
    response = half.response
    if half.hasDetails { details = half.details }
    anomalies.formUnion(half.anomalies)
  }
}

extension TransportAddress {
  fileprivate init(_ bytes: UnsafeRawBufferPointer) throws(RecordFault) {
    switch bytes.count {
    case 6:
      self.init(
        address: IPAddress(v4: bytes.little(0, UInt32.self).byteSwapped), port: bytes.little(4, UInt16.self).byteSwapped
      )
    case 18:
      self.init(
        address: IPAddress(
          v6High: bytes.little(0, UInt64.self).byteSwapped, v6Low: bytes.little(8, UInt64.self).byteSwapped),
        port: bytes.little(16, UInt16.self).byteSwapped)
    default: throw RecordFault()
    }
  }
}

extension ReplayedExchange {
  init(_ fields: UnsafeRawBufferPointer, key: RecordKey, _ spare: inout SpareMessages) throws(RecordFault) {
    var parts: [UnsafeRawBufferPointer] = []
    var exchange = Exchange()
    try exchange.read(fields, key: key, attempts: &parts, &spare)
    var attempts: [Attempt] = []
    attempts.reserveCapacity(parts.count)
    for part in parts { attempts.append(try Attempt(part, of: exchange, &spare)) }
    self.init(exchange: consume exchange, attempts: attempts)
  }
}

extension Attempt {
  fileprivate init(
    _ bytes: UnsafeRawBufferPointer, of exchange: Exchange, _ spare: inout SpareMessages
  ) throws(RecordFault) {
    self.init(
      exchange: exchange.id, scheduled: Timestamp(nanoseconds: 0), sent: nil, firstByte: nil,
      end: Timestamp(nanoseconds: 0), outcome: .answered, response: nil)
    var (sentDelta, firstByteDelta, endDelta): (Int64?, Int64?, Int64) = (nil, nil, 0)
    var responseBytes: UnsafeRawBufferPointer?
    var reader = RecordReader(bytes)
    while !reader.isAtEnd {
      let (number, type) = try reader.tag()
      switch UInt8(exactly: number) {
      case AttemptField.round: round = try Attempt.narrow(try reader.value(type))
      case AttemptField.target: target = try Attempt.narrow(try reader.value(type))
      case AttemptField.scheduled:
        guard type == .fixed64 else { throw RecordFault() }
        scheduled = Timestamp(nanoseconds: try reader.fixed(Int64.self))
      case AttemptField.sent: sentDelta = try reader.signedValue(type)
      case AttemptField.firstByte: firstByteDelta = try reader.signedValue(type)
      case AttemptField.end: endDelta = try reader.signedValue(type)
      case AttemptField.outcome:
        guard let known = AttemptOutcome(rawValue: try Attempt.narrow(try reader.value(type))) else {
          throw RecordFault()
        }
        outcome = known
      case AttemptField.role:
        guard let known = AttemptRole(rawValue: try Attempt.narrow(try reader.value(type))) else {
          throw RecordFault()
        }
        role = known
      case AttemptField.response: responseBytes = try reader.contents(type)
      case AttemptField.connection: self.exchange.connection = try Attempt.narrow(try reader.value(type))
      case AttemptField.ordinal: self.exchange.ordinal = try Attempt.narrow(try reader.value(type))
      default: try reader.skip(type)
      }
    }
    sent = sentDelta.map { scheduled.advanced(byNanoseconds: $0) }
    firstByte = firstByteDelta.map { scheduled.advanced(byNanoseconds: $0) }
    end = scheduled.advanced(byNanoseconds: endDelta)
    if let responseBytes {
      response = try HTTPResponse(
        responseBytes, key: scheduled.nanoseconds, recordedBody: exchange.response?.body.bytes, &spare)
    }
  }

  private static func narrow<Value: FixedWidthInteger>(_ value: UInt64) throws(RecordFault) -> Value {
    guard let narrow = Value(exactly: value) else { throw RecordFault() }
    return narrow
  }
}
