import HTTP1Decoding
import HTTPModel
import ReplayClient
import ReplaySchedule
import Testing

/// A recorded exchange with the request that these bytes are.
func recorded(
  _ text: String, connection: UInt32 = 1, ordinal: UInt32 = 1, milliseconds: Int64 = 0
) -> Exchange {
  let address = TransportAddress(address: IPAddress(v4: 0x7f00_0001), port: 80)
  let time = Timestamp(nanoseconds: 1_700_000_000_000_000_000 + milliseconds * 1_000_000)
  var exchange = Exchange(id: ExchangeID(connection: connection, ordinal: ordinal), client: address, server: address)
  var decoder = HTTP1Decoder(role: .request)
  Array(text.utf8).withUnsafeBytes { bytes in
    var offset = 0
    while let event = decoder.nextEvent(in: bytes, at: &offset) {
      switch event {
      case .head(let head):
        exchange.request = head.request(timing: MessageTiming(start: time, headEnd: time, end: time))
      case .body(let range):
        exchange.request!.body.bytes += bytes[range]
        exchange.request!.body.size += UInt64(range.count)
      case .chunk(let size): exchange.request!.body.chunkSizes.append(UInt32(size))
      case .trailers(let fields): exchange.request!.trailers = fields
      default: break
      }
    }
  }
  return exchange
}

func get(_ path: String, connection: UInt32 = 1, ordinal: UInt32 = 1, milliseconds: Int64 = 0) -> Exchange {
  recorded(
    "GET \(path) HTTP/1.1\r\nHost: shop\r\n\r\n", connection: connection, ordinal: ordinal, milliseconds: milliseconds)
}

/// What tests use unless they say otherwise: no waiting for recorded times, no connection beyond those asked for.
func testOptions(_ change: (inout ReplayOptions) -> Void = { _ in }) -> ReplayOptions {
  var options = ReplayOptions()
  options.pacing = .maximum
  options.checksTarget = false
  options.methods = nil
  options.breaker = nil
  // A busy machine is no reason to fail.
  options.timeout = 60_000_000_000
  options.connectTimeout = 60_000_000_000
  change(&options)
  return options
}

/// Replays a session and returns what was delivered with the outcome.
func replay(
  _ session: [Exchange], to url: String, _ options: ReplayOptions = testOptions(),
  onEach: (ReplayedExchange) -> Void = { _ in }
) throws -> (outcome: ReplayOutcome, results: [ReplayedExchange]) {
  try replay(session, with: Replayer(target: ReplayTarget(url: url), options: options), onEach: onEach)
}

func replay(
  _ session: [Exchange], with replayer: Replayer, onEach: (ReplayedExchange) -> Void = { _ in }
) throws -> (outcome: ReplayOutcome, results: [ReplayedExchange]) {
  var results: [ReplayedExchange] = []
  var (round, place) = (UInt32(0), 0)
  let last = Dictionary(session.map { ($0.id.connection, $0.id) }, uniquingKeysWith: max)
  let outcome = try replayer.run(
    next: { wanted in
      if wanted != round { (round, place) = (wanted, 0) }
      guard place < session.count else { return nil }
      defer { place += 1 }
      return session[place]
    },
    closesConnection: { last[$0.connection] == $0 },
    deliver: { result in
      results.append(result)
      onEach(result)
    })
  let attempts = UInt64(results.flatMap(\.attempts).count { $0.role == .shadow })
  #expect(outcome.attempts.values.reduce(0, +) == attempts)
  #expect(outcome.planned == attempts + outcome.skipped.values.reduce(0, +))
  for attempt in results.flatMap(\.attempts) {
    if let sent = attempt.sent { #expect(sent >= attempt.scheduled) }
    if let first = attempt.firstByte { #expect(first >= attempt.sent!) }
    #expect(attempt.end >= attempt.firstByte ?? attempt.sent ?? attempt.scheduled)
  }
  return (outcome, results)
}

/// The one attempt of replaying one exchange.
func attempt(_ exchange: Exchange, to server: HostileServer, _ options: ReplayOptions = testOptions()) throws -> Attempt
{
  let results = try replay([exchange], to: server.url, options).results
  return try #require(results.first?.attempts.first)
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
