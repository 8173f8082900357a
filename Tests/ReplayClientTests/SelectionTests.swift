import HTTPModel
import ReplaySchedule
import Testing

@testable import ReplayClient

/// What belongs to a shard, what a fault strikes, what an idempotency key becomes, what GraphQL changes.
@Suite struct SelectionTests {
  private func exchange(client: UInt16, connection: UInt32 = 1) -> Exchange {
    var exchange = get("/", connection: connection)
    exchange.client.port = client
    return exchange
  }

  @Test func everyConnectionIsInOneShard() {
    for count in [1, 2, 3, 7, 64] as [UInt32] {
      var sizes = [Int](repeating: 0, count: Int(count))
      for port in 1...6400 as ClosedRange<UInt16> {
        let shards = (1...count).filter { ReplayShard($0, of: count).contains(exchange(client: port)) }
        #expect(shards.count == 1)
        sizes[Int(shards[0] - 1)] += 1
      }
      let mean = 6400 / Int(count)
      #expect(sizes.allSatisfy { abs($0 - mean) < 5 * Int(Double(mean).squareRoot()) + 1 }, "\(sizes)")
    }
  }

  @Test func aShardFollowsWhoTalkedToWhomAndNotTheOrder() {
    let shard = ReplayShard(1, of: 2)
    for port in 1...100 as ClosedRange<UInt16> {
      #expect(
        shard.contains(exchange(client: port, connection: 1)) == shard.contains(exchange(client: port, connection: 99)))
    }
    // Without a client's port the connection's number tells them apart.
    #expect(Set((1...100).map { shard.contains(exchange(client: 0, connection: $0)) }).count == 2)
  }

  @Test func shardsTogetherSendWhatOneProcessWould() throws {
    let session = (0..<500).map { index -> Exchange in
      var made = exchange(client: UInt16(index % 37 + 1), connection: UInt32(index % 37 + 1))
      made.id.ordinal = UInt32(index)
      if index % 5 == 0 { made.request = nil }
      return made
    }
    func plan(_ shard: ReplayShard) throws -> [String] {
      var options = ReplayOptions()
      options.pacing = try Pacing(rate: "poisson:ramp:10/s..300/s,5s")
      options.rounds = .max
      options.shard = shard
      var walk = SessionWalk(options: options)
      var sent: [String] = []
      while true {
        for exchange in session {
          switch walk.step(exchange) {
          case .over: return sent
          case .send(let arrival): sent.append("\(exchange.id) \(walk.round) \(arrival)")
          case .withheld, .elsewhere: continue
          }
        }
        guard walk.beginRound() else { return sent }
      }
    }
    let whole = try plan(.whole)
    #expect(whole.count > 600)
    let parts = try (1...4).map { try plan(ReplayShard($0, of: 4)) }
    #expect(parts.allSatisfy { !$0.isEmpty })
    #expect(parts.joined().sorted() == whole.sorted())
  }

  @Test func faultsStrikeTheirShareRepeatably() {
    let faults: [Fault] = [
      .delay(share: 0.1, 200...2000), .abort(share: 0.01, status: 503), .reset(share: 0.5),
      .throttle(bytesPerSecond: 1),
    ]
    func draw(_ seed: UInt64, _ round: UInt32) -> [InjectedFault?] {
      (1...20_000).map {
        InjectedFault(faults, seed: seed, exchange: ExchangeID(connection: 1, ordinal: $0), round: round)
      }
    }
    let drawn = draw(1, 0)
    #expect(draw(1, 0) == drawn && draw(2, 0) != drawn && draw(1, 1) != drawn)
    let delayed = drawn.compactMap(\.?.delay).filter { $0 > 0 }
    #expect(abs(delayed.count - 2000) < 250 && delayed.allSatisfy { (200...2000).contains($0) })
    #expect(abs(drawn.filter { $0?.abortStatus == 503 }.count - 200) < 80)
    #expect(abs(drawn.filter { $0?.resets == true }.count - 10_000) < 400)
    // One fault more does not move the others.
    let alone = (1...20_000).map {
      InjectedFault(
        [.delay(share: 0.1, 200...2000)], seed: 1, exchange: ExchangeID(connection: 1, ordinal: $0), round: 0)
    }
    #expect(alone.map { $0?.delay ?? 0 } == drawn.map { $0?.delay ?? 0 })
  }

  @Test(arguments: [
    "8e03978e-40d5-43dd-bc93-6894a57f9324", "KEY-0001", "a", "", "order 17/ü", String(repeating: "f", count: 300),
  ])
  func anIdempotencyKeyKeepsItsShape(_ key: String) {
    let keys = IdempotencyKey(run: "20261121-a")
    let made = keys.rewritten(key.utf8, round: 0)
    #expect(made == keys.rewritten(key.utf8, round: 0))
    #expect(made.count == key.utf8.count)
    func kind(_ byte: UInt8) -> String {
      switch byte {
      case 0x30...0x39: "0"
      case 0x41...0x46: "A"
      case 0x61...0x66: "a"
      case 0x47...0x5a: "G"
      case 0x67...0x7a: "g"
      default: "\(byte)"
      }
    }
    #expect(made.map(kind) == key.utf8.map(kind))
    if key.count == 36 {
      let new = text(made)
      #expect(Array(new)[14] == "4" && Array(new)[19] == "b")
      #expect(new != key && made != keys.rewritten(key.utf8, round: 1))
      #expect(made != IdempotencyKey(run: "20261121-b").rewritten(key.utf8, round: 0))
    }
  }

  @Test(arguments: [
    ("mutation { a }", true), ("mutation Buy($a: Int) { buy(a: $a) { id } }", true), ("{ a }", false),
    ("query Q { a } mutation M { b }", true), ("query mutation { a }", false), ("{ mutation { a } }", false),
    ("fragment mutation on T { a } { ...mutation }", false), ("# mutation\nquery { a }", false),
    ("# about it\nmutation { a }", true), ("query ($mutation: Int) { a }", false), ("query @mutation { a }", false),
    ("query { a(b: \"} mutation { c }\") }", false), ("query { a(b: \"\"\"} \" mutation {\"\"\") }", false),
    ("\u{feff}\n,,mutation{a}", true), ("subscription { a }", false), ("query { a(b: \"\\\"\") } mutation { c }", true),
    ("mutation", true), ("\"", false), ("}}}mutation{a}", true), ("", false),
  ])
  func mutationsAreFound(_ document: String, _ isMutation: Bool) {
    #expect(GraphQLOperation.hasMutation(document: Array(document.utf8)) == isMutation)
    let escaped = document.reduce(into: "") { text, character in
      text += character == "\n" ? "\\n" : character == "\"" ? "\\\"" : character == "\\" ? "\\\\" : String(character)
    }
    for body in [
      "{\"query\":\"\(escaped)\"}", "[{\"a\":[1,{\"query\":2}]},{\"variables\":{},\"query\" : \"\(escaped)\"}]",
    ] {
      let found = GraphQLOperation.mayMutate(
        body: Array(body.utf8), contentType: "application/json; charset=utf-8".utf8)
      #expect(found == isMutation, "\(body)")
    }
  }

  @Test(arguments: [
    ("{\"operationName\":\"Buy\",\"extensions\":{\"persistedQuery\":{\"sha256Hash\":\"ab\"}}}", true),
    ("{\"extensions\":{\"tracing\":true}}", false), ("{\"documentId\":\"1\"}", true),
    ("{\"id\":7,\"name\":\"x\"}", false),
    ("{\"query\":\"\\u006dutation { a }\"}", true), ("{\"query\":", false), ("{\"query\":\"mutation {", true),
    ("[[[[", false), ("{\"a\":\"\\", false), ("{\"operationName\":", false), ("{\"operationName\":null}", false),
  ])
  func otherBodies(_ body: String, _ mayMutate: Bool) {
    #expect(
      GraphQLOperation.mayMutate(body: Array(body.utf8), contentType: "Application/JSON".utf8) == mayMutate)
    #expect(!GraphQLOperation.mayMutate(body: Array(body.utf8), contentType: "text/plain".utf8))
  }

  @Test func bodiesCutAnywhereAreRead() {
    let body = Array(
      "[{\"variables\":{\"a\":[\"\\\"\",{}]},\"operationName\":\"x\",\"query\":\"{ a(b: \\\"\\u0022\\\") }\"},{}]".utf8)
    for length in 0...body.count {
      _ = GraphQLOperation.mayMutate(body: Array(body.prefix(length)), contentType: "application/json".utf8)
      _ = GraphQLOperation.hasMutation(document: Array(body.prefix(length)))
    }
  }

  @Test func hiddenEffectsAreWithheldUnlessAllowed() {
    func reason(_ request: String, _ methods: Set<String>? = ["GET", "POST"]) -> WithheldReason? {
      var options = ReplayOptions()
      options.methods = methods
      return Admission(options: options).withholding(recorded(request))
    }
    func post(_ type: String, _ body: String, _ more: String = "") -> String {
      "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: \(type)\r\n\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
    let mutation = post("application/json", "{\"query\":\"mutation { a }\"}")
    #expect(reason(mutation) == .graphQLMutation)
    #expect(reason(mutation, nil) == nil)
    #expect(reason(mutation, ["GET"]) == .unsafeMethod)
    #expect(reason(post("application/json", "{\"query\":\"{ a }\"}")) == nil)
    #expect(reason(post("application/json", "\u{1f}", "Content-Encoding: gzip\r\n")) == .graphQLMutation)
    #expect(reason(post("application/grpc-web+proto", "abcde")) == .grpcCall)
    #expect(reason(post("application/grpc-web+proto", "abcde"), nil) == nil)
    #expect(reason(post("application/x-www-form-urlencoded", "query=mutation")) == nil)
  }
}
