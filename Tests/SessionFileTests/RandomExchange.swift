// Exchanges of every shape, from a seed.

import HTTPModel

/// xorshift64*: small, seeded, the same on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 2 &+ 1 }

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 2_685_821_657_736_338_717
  }
}

extension SeededGenerator {
  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
  mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }

  mutating func time(_ around: Int64 = 1_790_000_000_000_000_000) -> Timestamp {
    if oneIn(50) { return Timestamp(nanoseconds: .random(in: .min ... .max, using: &self)) }
    return Timestamp(nanoseconds: around &+ .random(in: -1_000_000_000...1_000_000_000, using: &self))
  }

  mutating func timing() -> MessageTiming { MessageTiming(start: time(), headEnd: time(), end: time()) }

  mutating func address() -> TransportAddress {
    let address =
      oneIn(3) ? IPAddress(v6High: next(), v6Low: next()) : IPAddress(v4: UInt32(truncatingIfNeeded: next()))
    return TransportAddress(address: address, port: UInt16(truncatingIfNeeded: next()))
  }

  /// Heads of HTTP/1 and HTTP/2 shape, and tables that are neither.
  mutating func fields() -> HeaderFields {
    switch below(4) {
    case 0:
      return HeaderFields()
    case 1:
      var fields = HeaderFields()
      for _ in 0..<below(12) { fields.append(name: bytes(below(20)), value: bytes(below(200))) }
      return fields
    case 2:
      var fields = HeaderFields(storage: Array("HTTP/1.1 200 OK\r\n".utf8))
      for _ in 0..<below(12) {
        let (name, value) = (bytes(below(20)), bytes(oneIn(10) ? below(3000) : below(40)))
        let start = UInt32(fields.storage.count)
        fields.storage += name + Array(": ".utf8) + value + Array("\r\n".utf8)
        let colon = start + UInt32(name.count)
        fields.ranges.append(
          FieldRange(nameStart: start, nameEnd: colon, valueStart: colon + 2, valueEnd: colon + 2 + UInt32(value.count))
        )
      }
      return fields
    default:
      let storage = bytes(below(300))
      let ranges = (0..<below(12)).map { _ in
        let (a, b) = (range(storage.count), range(storage.count))
        return FieldRange(
          nameStart: a.lowerBound, nameEnd: a.upperBound, valueStart: b.lowerBound, valueEnd: b.upperBound)
      }
      return HeaderFields(storage: storage, ranges: ranges)
    }
  }

  mutating func range(_ count: Int) -> Range<UInt32> {
    let (a, b) = (below(count + 1), below(count + 1))
    return UInt32(min(a, b))..<UInt32(max(a, b))
  }

  mutating func body() -> HTTPBody {
    var body = HTTPBody(bytes: bytes(oneIn(3) ? 0 : below(oneIn(20) ? 20_000 : 300)))
    body.size = oneIn(4) ? next() : UInt64(body.bytes.count)
    body.isComplete = !oneIn(4)
    body.framing = [.none, .contentLength, .chunked, .close, .stream][below(5)]
    if oneIn(4) {
      body.missing = (0..<below(4)).map { _ in BodyRange(lowerBound: next() >> 20, upperBound: oneIn(2) ? .max : next())
      }
    }
    if oneIn(5) { body.cutHash = next() }
    if oneIn(3) {
      body.chunkSizes = (0..<below(6)).map { _ in UInt32(truncatingIfNeeded: next()) >> UInt32(below(32)) }
    }
    return body
  }

  mutating func request() -> HTTPRequest {
    let fields = fields()
    return HTTPRequest(
      version: [.http10, .http11, .http2][below(3)], methodRange: range(fields.storage.count),
      targetRange: range(fields.storage.count), fields: fields, trailers: oneIn(5) ? self.fields() : HeaderFields(),
      body: body(), timing: timing())
  }

  mutating func response() -> HTTPResponse {
    let fields = fields()
    return HTTPResponse(
      version: [.http10, .http11, .http2][below(3)], status: UInt16(truncatingIfNeeded: next()),
      reasonRange: range(fields.storage.count), fields: fields, trailers: oneIn(5) ? self.fields() : HeaderFields(),
      informational: oneIn(4)
        ? (0..<below(4)).map { _ in InformationalResponse(status: 103, fields: self.fields(), time: time()) } : [],
      body: body(), timing: timing())
  }

  mutating func exchange(_ ordinal: Int) -> Exchange {
    var exchange = Exchange(
      id: ExchangeID(connection: UInt32(truncatingIfNeeded: next()), ordinal: UInt32(ordinal)), client: address(),
      server: address(), isTLS: oneIn(2), stream: oneIn(3) ? (oneIn(9) ? .max : UInt32(below(1000))) : nil)
    if !oneIn(6) { exchange.request = request() }
    if !oneIn(6) || exchange.request == nil { exchange.response = response() }
    if oneIn(4) { exchange.anomalies = AnomalySet(low: next(), high: next()) }
    return exchange
  }

  mutating func attempt(of exchange: Exchange) -> Attempt {
    var attempt = Attempt(
      exchange: oneIn(10) ? ExchangeID(connection: 9, ordinal: 0) : exchange.id, round: UInt32(below(3)),
      target: UInt16(below(3)), role: AttemptRole.allCases[below(3)], scheduled: time(),
      sent: oneIn(4) ? nil : time(), firstByte: oneIn(4) ? nil : time(), end: time(),
      outcome: AttemptOutcome.allCases[below(AttemptOutcome.allCases.count)],
      response: oneIn(3) ? nil : response())
    if oneIn(2), let recorded = exchange.response { attempt.response?.body.bytes = recorded.body.bytes }
    return attempt
  }
}

/// The order in which a reader gives exchanges.
func inSessionOrder(_ exchanges: [Exchange]) -> [Exchange] {
  exchanges.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
}
