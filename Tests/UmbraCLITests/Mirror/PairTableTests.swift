// Attempts and captured answers, whichever comes first, whole or not, and too many of them.

import HTTPModel
import Testing

@testable import UmbraCLI

/// Exchanges of a mirror, as short as tests want them.
enum Mirrored {
  static func request(
    _ ordinal: UInt32, connection: UInt32 = 1, fields: String = "", body: Int = 0, server: String? = nil
  ) throws -> Exchange {
    var exchange = try ImaginedRequest("POST /\(ordinal)\(fields)").exchange
    exchange.id = ExchangeID(connection: connection, ordinal: ordinal)
    exchange.request!.body.bytes = [UInt8](repeating: 0x78, count: body)
    if let server { exchange.server = TransportAddress(address: IPAddress(server)!, port: 8080) }
    return exchange
  }

  static func answered(_ request: Exchange, body: Int = 0) throws -> Exchange {
    var exchange = request
    exchange.response = try ImaginedRequest("GET /", status: 200).exchange.response
    exchange.response!.body.bytes = [UInt8](repeating: 0x79, count: body)
    return exchange
  }

  static func attempted(_ request: Exchange) -> ReplayedExchange {
    let time = Timestamp(nanoseconds: 0)
    return ReplayedExchange(
      exchange: request,
      attempts: [
        Attempt(
          exchange: request.id, scheduled: time, sent: time, firstByte: nil, end: time, outcome: .answered,
          response: nil)
      ])
  }
}

@Suite struct PairTableTests {
  @Test func eitherMayComeFirst() throws {
    var table = PairTable(byteLimit: 1 << 20, patience: 1000)
    let requests = try (1...2).map { try Mirrored.request($0) }
    #expect(table.add(Mirrored.attempted(requests[0]), now: 0) == nil)
    let first = try table.add(Mirrored.answered(requests[0]), now: 1)
    #expect(first?.exchange.response?.status == 200 && first?.attempts.count == 1)
    #expect(try table.add(Mirrored.answered(requests[1]), now: 2) == nil)
    let second = table.add(Mirrored.attempted(requests[1]), now: 3)
    #expect(second?.exchange.id.ordinal == 2 && second?.exchange.response != nil && second?.attempts.count == 1)
    #expect(table.count == 0 && table.counts == PairTable.Counts(paired: 2))
    #expect(table.takeRest() == nil)
  }

  /// One that was captured whole before it was sent waits for nothing.
  @Test func whatIsWholeIsAPair() throws {
    var table = PairTable(byteLimit: 1 << 20, patience: 1000)
    let whole = try Mirrored.answered(Mirrored.request(1))
    #expect(table.add(Mirrored.attempted(whole), now: 0)?.exchange == whole)
    #expect(table.counts.paired == 1 && table.count == 0)
  }

  @Test func patienceEnds() throws {
    var table = PairTable(byteLimit: 1 << 20, patience: 1000)
    _ = table.add(Mirrored.attempted(try Mirrored.request(1)), now: 0)
    _ = try table.add(Mirrored.answered(Mirrored.request(2)), now: 10)
    _ = table.add(Mirrored.attempted(try Mirrored.request(3)), now: 500)
    #expect(table.takeOverdue(now: 1000) == nil && table.count == 3)
    // An answer whose attempt never ends goes without a word.
    #expect(table.takeOverdue(now: 1400)?.exchange.id.ordinal == 1)
    #expect(table.takeOverdue(now: 1400) == nil && table.count == 1)
    #expect(table.takeRest()?.exchange.id.ordinal == 3)
    #expect(table.counts == PairTable.Counts(withoutAnswer: 2, withoutAttempt: 1) && table.count == 0)
  }

  @Test(arguments: [true, false])
  func theOldestMakesRoom(byBytes: Bool) throws {
    var table = PairTable(byteLimit: byBytes ? 50_000 : 1 << 30, countLimit: byBytes ? 1000 : 4, patience: .max)
    var given: [UInt32] = []
    for ordinal in 1...20 as ClosedRange<UInt32> {
      #expect(table.add(Mirrored.attempted(try Mirrored.request(ordinal, body: 9000)), now: 0) == nil)
      while let overdue = table.takeOverdue(now: 1) { given.append(overdue.exchange.id.ordinal) }
      #expect(table.count <= 4)
    }
    #expect(given == Array(1...16) && table.counts.withoutAnswer == 16)
    // What is left still finds its answer.
    #expect(try table.add(Mirrored.answered(Mirrored.request(20)), now: 2)?.exchange.id.ordinal == 20)
  }

  /// Attempts end about in the order of the answers: the oldest answer is the next to be asked for.
  @Test(arguments: [true, false])
  func theNewestAnswerIsLeftOut(byBytes: Bool) throws {
    var table = PairTable(byteLimit: byBytes ? 50_000 : 1 << 30, countLimit: byBytes ? 1000 : 4, patience: .max)
    for ordinal in 1...20 as ClosedRange<UInt32> {
      #expect(try table.add(Mirrored.answered(Mirrored.request(ordinal), body: 9000), now: 0) == nil)
      #expect(table.takeOverdue(now: 1) == nil)
    }
    #expect(table.count == 4)
    var paired: [UInt32] = []
    for ordinal in 1...20 as ClosedRange<UInt32> {
      let pair = table.add(Mirrored.attempted(try Mirrored.request(ordinal)), now: 2)
      if pair?.exchange.response != nil { paired.append(ordinal) }
      // What found no room, and is still known by name, does not keep its attempt waiting.
      #expect(pair != nil || (!byBytes && ordinal <= 16))
    }
    #expect(paired == [1, 2, 3, 4])
    #expect(table.counts.paired == 4 && table.counts.withoutAnswer >= (byBytes ? 16 : 4))
  }

  /// A name that comes again takes the place of the one before it.
  @Test func aNameIsThereOnce() throws {
    var table = PairTable(byteLimit: 1 << 20, patience: 1000)
    _ = table.add(Mirrored.attempted(try Mirrored.request(1)), now: 0)
    _ = table.add(Mirrored.attempted(try Mirrored.request(1)), now: 900)
    #expect(table.count == 1 && table.counts.withoutAnswer == 1)
    #expect(table.takeOverdue(now: 1500) == nil)
    #expect(table.takeOverdue(now: 2000) != nil && table.count == 0)
  }

  @Test func aLongRunLeavesNothingBehind() throws {
    var table = PairTable(byteLimit: 1 << 20, patience: 50)
    let (request, answer) = (try Mirrored.request(1), try Mirrored.answered(Mirrored.request(1)))
    var (pairs, alone) = (0, 0)
    for number in 0..<100_000 as Range<UInt32> {
      var (one, other) = (Mirrored.attempted(request), answer)
      (one.exchange.id.ordinal, other.id.ordinal) = (number, number)
      if number % 2 == 0 {
        pairs += table.add(one, now: Int64(number)) == nil ? 0 : 1
        if number % 10 != 0 { pairs += table.add(other, now: Int64(number)) == nil ? 0 : 1 }
      } else {
        pairs += table.add(other, now: Int64(number)) == nil ? 0 : 1
        if number % 15 != 0 { pairs += table.add(one, now: Int64(number)) == nil ? 0 : 1 }
      }
      while table.takeOverdue(now: Int64(number)) != nil { alone += 1 }
      if table.count > 60 { break }
    }
    #expect(table.count <= 60)
    while table.takeRest() != nil { alone += 1 }
    let counts = table.counts
    #expect(table.count == 0 && counts.paired == UInt64(pairs) && counts.withoutAnswer == UInt64(alone))
    #expect(counts.paired + counts.withoutAnswer + counts.withoutAttempt == 100_000)
  }
}
