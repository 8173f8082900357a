import HTTPModel
import SessionFile
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: [1, 4096, SessionEncoder.blockTarget])
  func everyPropertyOfRandomExchangesComesBack(blockTarget: Int) throws {
    let directory = TemporaryDirectory()
    var random = SeededGenerator(seed: 11)
    let exchanges = (0..<800).map { random.exchange($0) }
    let path = directory.file("a.umbra")
    try writeSession(exchanges, to: path, blockTarget: blockTarget)
    let reader = try SessionReader(path: path, expecting: .session)
    #expect(try reader.all() == inSessionOrder(exchanges))
    #expect(reader.damage.isEmpty)
    #expect(reader.exchangeCount == 800)
    #expect(reader.created == noon)
    let starts = exchanges.map(\.start)
    #expect(reader.timeRange == starts.min()!...starts.max()!)
    reader.rewind()
    #expect(try reader.all().count == 800)
  }

  @Test func halvesAreJoinedWhateverLiesBetween() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("halves.umbra")
    var random = SeededGenerator(seed: 5)
    var exchanges = (0..<300).map { random.exchange($0) }
    for index in exchanges.indices where exchanges[index].request == nil { exchanges[index].request = random.request() }
    for index in exchanges.indices where exchanges[index].response == nil {
      exchanges[index].response = random.response()
    }
    let writer = try SessionWriter(.path(path, overwrite: false), kind: .session, created: noon)
    let encoder = SessionEncoder(blockTarget: 8192)
    for exchange in exchanges {
      var open = exchange
      open.anomalies = AnomalySet()
      if let block = encoder.append(requestOf: open) { _ = writer.put(block) }
    }
    for exchange in exchanges.shuffled(using: &random) {
      if let block = encoder.append(responseOf: exchange, requestStart: exchange.start) { _ = writer.put(block) }
    }
    while let block = encoder.sealBlock() { _ = writer.put(block) }
    try writer.finish()
    let reader = try SessionReader(path: path)
    #expect(try reader.all() == inSessionOrder(exchanges))
    #expect(reader.exchangeCount == 300)
  }

  @Test func aRequestWithoutItsResponseIsStillAnExchange() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("open.umbra")
    let writer = try SessionWriter(.path(path, overwrite: false), kind: .session, created: noon)
    let encoder = SessionEncoder()
    var first = plainExchange(1, at: 0)
    _ = encoder.append(requestOf: first)
    _ = encoder.append(plainExchange(2, at: 10))
    // A response whose request never came, as after the loss of a block.
    let orphan = plainExchange(3, at: 20)
    _ = encoder.append(responseOf: orphan, requestStart: orphan.start)
    while let block = encoder.sealBlock() { _ = writer.put(block) }
    try writer.finish()
    first.response = nil
    var third = orphan
    third.request = nil
    #expect(try SessionReader(path: path).all() == [first, plainExchange(2, at: 10), third])
  }

  @Test func replayedExchangesComeBackInFileOrderWithBlobs() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("r.umbra-run")
    var random = SeededGenerator(seed: 3)
    let replayed = (0..<400).map { index in
      let exchange = random.exchange(index)
      return ReplayedExchange(
        exchange: exchange, attempts: (0..<random.below(4)).map { _ in random.attempt(of: exchange) })
    }
    let writer = try SessionWriter(.path(path, overwrite: false), kind: .run, created: noon)
    #expect(writer.put(.metadata(["run": "r1", "target": "http://a"])))
    let encoder = SessionEncoder(blockTarget: 16 << 10)
    for one in replayed {
      if let block = encoder.append(one) { _ = writer.put(block) }
    }
    while let block = encoder.sealBlock() { _ = writer.put(block) }
    #expect(writer.put(.blob(name: "plan", bytes: Array("{}".utf8))))
    #expect(writer.put(.blob(name: "other", bytes: [])))
    #expect(writer.put(.blob(name: "plan", bytes: Array("{\"a\":1}".utf8))))
    try writer.finish(metadata: ["target": "http://b"])
    let reader = try SessionReader(path: path, expecting: .run)
    #expect(try reader.allReplayed() == replayed)
    #expect(reader.exchangeCount == 400)
    #expect(reader.metadata.values("target") == ["http://a", "http://b"])
    #expect(reader.metadata["target"] == "http://b")
    #expect(try reader.blobNames() == ["plan", "other"])
    #expect(try reader.blob(named: "plan") == Array("{\"a\":1}".utf8))
    #expect(try reader.blob(named: "other") == [])
    #expect(try reader.blob(named: "none") == nil)
    #expect(reader.damage.isEmpty)
  }

  @Test func aBodyEqualToTheRecordedOneIsStoredOnce() throws {
    var random = SeededGenerator(seed: 9)
    let body = random.bytes(50_000)
    let exchange = plainExchange(1, at: 0, body: body)
    let attempt = Attempt(
      exchange: exchange.id, scheduled: noon, sent: nil, firstByte: nil, end: noon, outcome: .answered,
      response: exchange.response)
    let encoder = SessionEncoder()
    _ = encoder.append(ReplayedExchange(exchange: exchange, attempts: [attempt, attempt, attempt]))
    #expect(encoder.pendingBytes < 51_000)
  }

  @Test func theLastLedgerCounts() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("ledger.umbra")
    var ledger = Ledger()
    for (index, row) in Ledger.Row.allCases.enumerated() { ledger[row] = UInt64(index) &* 0x0123_4567_89ab }
    let writer = try SessionWriter(.path(path, overwrite: false), kind: .session, created: noon)
    var early = Ledger()
    early[.packetsSeen] = 5
    #expect(writer.put(.ledger(early)))
    try writer.finish(ledger: ledger)
    let reader = try SessionReader(path: path)
    #expect(reader.ledger == ledger)
    #expect(try reader.next() == nil)
    #expect(reader.timeRange == nil)
    #expect(reader.exchangeCount == 0)
  }

  @Test func aLongWorkdayOfExchangesIsSealedByAge() {
    let encoder = SessionEncoder()
    #expect(encoder.append(plainExchange(1, at: 0)) == nil)
    let ended = plainExchange(1, at: 0).end
    #expect(encoder.sealIfOlder(than: ended) == nil)
    let block = encoder.sealIfOlder(than: ended.advanced(byNanoseconds: 1))
    #expect(block?.recordCount == 1)
    #expect(encoder.sealIfOlder(than: ended.advanced(byNanoseconds: 1)) == nil)
    #expect(encoder.pendingBytes == 0)
  }
}
