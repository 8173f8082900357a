// GoReplay files to exchanges.
//
// In: the file's bytes. Out: exchanges, requests joined with the responses of their id, in whichever order they stand.
// What waits for its other half is bounded: the oldest request is told without an answer and joined with it later by the
// session (ImportedRecord.response). Owner: one conversion. Bounds: GoReplayLimits.

import HTTP1Decoding
import HTTPModel

/// What a ``GoReplayReader`` may hold.
public struct GoReplayLimits: Sendable {
  /// Bytes kept of a body.
  public var bodyLimit = 10_000_000
  /// Bytes of requests and responses that wait for each other.
  public var waitingBytes = 64 << 20
  /// How many of them.
  public var waitingCount = 100_000
  /// Identifiers of requests that were told without their answer.
  public var rememberedCount = 500_000

  public init() {}
}

/// Reads GoReplay's file format, plain; `.gz` is undone before.
public struct GoReplayReader: ExchangeReading {
  public private(set) var notes = ConversionNotes()

  private struct Waiting {
    var exchange: Exchange
    var bytes: Int
    /// Tells this entry from a later one under the same id.
    var serial: UInt64
  }

  private let limits: GoReplayLimits
  private var scanner = GoReplayScanner()
  private var ready: [ImportedRecord] = []
  private var given = 0
  private var waiting: [[UInt8]: Waiting] = [:]
  /// Those that wait in the order in which they came; some are gone by now.
  private var order: [(identifier: [UInt8], serial: UInt64)] = []
  private var orderStart = 0
  private var waitingBytes = 0
  private var remembered: [[UInt8]: (id: ExchangeID, start: Timestamp)] = [:]
  private var serial: UInt64 = 0
  private var connection: UInt32 = 0
  private var records: UInt64 = 0

  public init(limits: GoReplayLimits = GoReplayLimits()) { self.limits = limits }

  public mutating func receive(_ bytes: UnsafeRawBufferPointer) {
    scanner.receive(bytes)
    readRecords()
  }

  public mutating func finish() {
    scanner.finish()
    readRecords()
    for entry in order[orderStart...] {
      if let half = take(entry.identifier, serial: entry.serial) { tellAlone(half.exchange) }
    }
    notes.add(.skippedBytes, scanner.skipped)
    if let place = scanner.firstSkipped {
      let problem = records == 0 ? "no GoReplay record begins here" : "this belongs to no record"
      notes.add(ConversionNotes.Damage(line: nil, offset: place, problem: problem))
    }
  }

  public mutating func next() -> ImportedRecord? {
    guard given < ready.count else {
      ready.removeAll(keepingCapacity: true)
      given = 0
      return nil
    }
    defer { given += 1 }
    return ready[given]
  }

  private mutating func readRecords() {
    while let record = scanner.next() { read(record) }
  }

  private mutating func read(_ record: GoReplayScanner.Record) {
    var meta = record.meta
    var rest = record.payload[...]
    var isFirst = true
    while true {
      records += 1
      var nested = Self.nestedRecord(in: rest)
      if meta.type == .replayedResponse {
        notes.add(.replayedResponses)
      } else {
        var message = parse(nested.map { rest[..<$0.start] } ?? rest, meta)
        // A body may hold what looks like a record. Once one was really found there is no second look: a file without
        // any separator would be read again and again.
        if isFirst, let begun = nested, !message.isWhole {
          let whole = parse(rest, meta)
          if whole.isWhole, rest.startIndex + whole.end > begun.start {
            message = whole
            nested = Self.nestedRecord(in: rest[(rest.startIndex + whole.end)...])
          }
        }
        take(message, meta, at: record.offset &+ UInt64(rest.startIndex))
        let left = rest[(rest.startIndex + message.end)..<(nested?.start ?? rest.endIndex)]
        // Line ends behind a message mean nothing.
        notes.add(.skippedBytes, UInt64(left.drop { $0 == 0x0a || $0 == 0x0d }.count))
      }
      if nested != nil || !record.isTerminated { notes.add(.unterminatedRecord) }
      guard let nested else { return }
      meta = nested.meta
      rest = rest[nested.payload...]
      isFirst = false
    }
  }

  private func parse(_ payload: ArraySlice<UInt8>, _ meta: GoReplayMeta) -> RecordedMessage {
    let asked = meta.type == .response ? waiting[meta.identifier]?.exchange.request : nil
    return payload.withUnsafeBytes {
      RecordedMessage(
        $0, role: meta.type == .request ? .request : .response, answering: asked.map(Self.answered) ?? .unknown,
        start: meta.time, latency: meta.latency, bodyLimit: limits.bodyLimit)
    }
  }

  /// The first record that begins within a payload, because the end of the one before was never written.
  private static func nestedRecord(
    in payload: ArraySlice<UInt8>
  ) -> (meta: GoReplayMeta, start: Int, payload: Int)? {
    payload.withUnsafeBytes { bytes -> (meta: GoReplayMeta, start: Int, payload: Int)? in
      guard bytes.count > 40 else { return nil }
      // As cheap a test as can be for nearly every place: the blank behind a type, and the type.
      for place in 0..<bytes.count - 40 where bytes[place + 1] == 0x20 && bytes[place] >= 0x31 && bytes[place] <= 0x33 {
        let start = payload.startIndex + place
        let line = payload[start...].prefix(GoReplayMeta.lengthLimit).prefix { $0 != 0x0a }
        guard let meta = GoReplayMeta(line), [24, 40].contains(meta.identifier.count), line.endIndex < payload.endIndex,
          beginsMessage(payload[(line.endIndex + 1)...], meta.type)
        else { continue }
        return (meta, start, line.endIndex + 1)
      }
      return nil
    }
  }

  private static func beginsMessage(_ bytes: ArraySlice<UInt8>, _ type: GoReplayRecordType) -> Bool {
    if type != .request { return bytes.starts(with: "HTTP/".utf8) }
    let method = bytes.prefix { isToken($0) }
    return !method.isEmpty && method.count < 32 && bytes.dropFirst(method.count).first == 0x20
  }

  private static func answered(_ request: HTTPRequest) -> AnsweredMethod {
    if request.method.elementsEqual("HEAD".utf8) { return .head }
    return request.method.elementsEqual("CONNECT".utf8) ? .connect : .other
  }

  private mutating func take(_ message: RecordedMessage, _ meta: GoReplayMeta, at offset: UInt64) {
    var half = Exchange()
    half.request = message.request
    half.response = message.response
    half.anomalies = message.anomalies
    guard half.request != nil || half.response != nil else {
      notes.add(.entriesDamaged)
      notes.add(ConversionNotes.Damage(line: nil, offset: offset, problem: "the record holds no HTTP message"))
      return
    }
    if half.request == nil, let earlier = remembered.removeValue(forKey: meta.identifier) {
      half.id = earlier.id
      setServer(&half)
      ready.append(.response(half, requestStart: earlier.start))
      return
    }
    if let other = waiting[meta.identifier] {
      let joins = (other.exchange.request == nil) != (half.request == nil)
      if let half = take(meta.identifier, serial: other.serial), !joins {
        notes.add(.repeatedIdentifiers)
        tellAlone(half.exchange)
      }
      if joins {
        tell(join(other.exchange, half))
        return
      }
    }
    hold(half, meta.identifier)
  }

  private mutating func hold(_ half: Exchange, _ identifier: [UInt8]) {
    serial += 1
    let bytes = Self.size(of: half) + identifier.count + 200
    waiting[identifier] = Waiting(exchange: half, bytes: bytes, serial: serial)
    order.append((identifier, serial))
    waitingBytes += bytes
    while waitingBytes > limits.waitingBytes || waiting.count > limits.waitingCount {
      let oldest = order[orderStart]
      orderStart += 1
      guard let given = take(oldest.identifier, serial: oldest.serial) else { continue }
      giveUp(given.exchange, oldest.identifier)
    }
    if orderStart > 1024, orderStart * 2 > order.count {
      order.removeFirst(orderStart)
      orderStart = 0
    }
  }

  private mutating func take(_ identifier: [UInt8], serial: UInt64) -> Waiting? {
    guard let entry = waiting[identifier], entry.serial == serial else { return nil }
    waiting[identifier] = nil
    waitingBytes -= entry.bytes
    return entry
  }

  /// Its other half may still come, but it cannot be held any longer.
  private mutating func giveUp(_ half: Exchange, _ identifier: [UInt8]) {
    guard half.request != nil, remembered.count < limits.rememberedCount else { return tellAlone(half) }
    var half = half
    number(&half)
    remembered[identifier] = (half.id, half.start)
    ready.append(.request(half))
  }

  private mutating func tellAlone(_ half: Exchange) {
    var half = half
    if half.request == nil {
      notes.add(.orphanedResponses)
      half.anomalies.insert(.http1ResponseWithoutRequest)
    } else {
      half.anomalies.insert(.http1RequestWithoutResponse)
    }
    tell(half)
  }

  private mutating func tell(_ exchange: Exchange) {
    var exchange = exchange
    number(&exchange)
    ready.append(.exchange(exchange))
  }

  /// Nothing in the file says what came over one connection: each exchange has one of its own.
  private mutating func number(_ exchange: inout Exchange) {
    connection &+= 1
    exchange.id = ExchangeID(connection: connection, ordinal: 1)
    setServer(&exchange)
  }

  private func setServer(_ exchange: inout Exchange) {
    let authority = exchange.request?.authority.map { String(decoding: $0, as: UTF8.self) }
    exchange.server.port = authority.flatMap(RequestURL.port(of:)) ?? 80
  }

  private func join(_ a: Exchange, _ b: Exchange) -> Exchange {
    var (whole, other) = a.request != nil ? (a, b) : (b, a)
    // Read before it was known that a response to HEAD has no body.
    if whole.request.map(Self.answered) == .head, other.response?.body.bytes.isEmpty == true {
      other.response!.body = HTTPBody()
      other.anomalies = AnomalySet(other.anomalies.members.filter { $0 != .http1TruncatedByClose })
    }
    whole.response = other.response
    whole.anomalies.formUnion(other.anomalies)
    return whole
  }

  private static func size(of half: Exchange) -> Int {
    (half.request.map { $0.body.bytes.count + $0.fields.storage.count } ?? 0)
      + (half.response.map { $0.body.bytes.count + $0.fields.storage.count } ?? 0)
  }
}

extension AnomalySet {
  fileprivate init(_ members: [Anomaly]) {
    self.init()
    for member in members { insert(member) }
  }
}
