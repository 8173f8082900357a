import HTTPModel
import SessionFile
import Testing

@Suite struct OrderTests {
  private let second: Int64 = 1_000_000_000

  /// Short exchanges, and every tenth one that lasts a minute, in order of their end as a capture gives them.
  private func mixed(_ count: Int) -> [Exchange] {
    (0..<count).map { index in
      plainExchange(
        UInt32(index), at: Int64(index) * 20_000_000, lasting: index % 10 == 0 ? 60 * second : 1_000_000,
        body: [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 200))
    }.sorted { $0.end < $1.end }
  }

  @Test func stragglersGoToTheirOwnBlocks() {
    let encoder = SessionEncoder(blockTarget: 20_000)
    var blocks: [RawBlock] = []
    for exchange in mixed(6000) {
      if let block = encoder.append(exchange) { blocks.append(block) }
    }
    while let block = encoder.sealBlock() { blocks.append(block) }
    let late = blocks.filter(\.isLate)
    #expect(!late.isEmpty)
    for block in blocks where !block.isLate {
      #expect(block.maxStart.nanoseconds(since: block.minStart) < 10 * second)
    }
    #expect(blocks.reduce(0) { $0 + Int($1.exchangeCount) } == 6000)
  }

  @Test(arguments: [SessionReader.defaultCacheLimit, 100_000, 1])
  func orderHoldsWithinTheCacheLimit(limit: Int) throws {
    let directory = TemporaryDirectory()
    let path = directory.file("long.umbra")
    let exchanges = mixed(4000)
    try writeSession(exchanges, to: path, blockTarget: 20_000)
    let reader = try SessionReader(path: path, cacheLimit: limit)
    var found: [Exchange] = []
    var most = 0
    while let exchange = try reader.next() {
      found.append(exchange)
      most = max(most, reader.cachedBytes)
    }
    #expect(found == inSessionOrder(exchanges))
    // One block may be larger than the limit.
    #expect(most <= max(limit, 22_000))
    #expect(reader.cachedBytes == 0)
  }

  @Test func fewBlocksAreOpenAtOnce() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("long.umbra")
    // Only short ones: blocks hardly overlap, however many there are.
    let exchanges = (0..<20_000).map { plainExchange(UInt32($0), at: Int64($0) * 1_000_000, lasting: 3_000_000) }
    try writeSession(exchanges, to: path, blockTarget: 20_000)
    let reader = try SessionReader(path: path)
    var most = 0
    while try reader.next() != nil { most = max(most, reader.cachedBytes) }
    #expect(most < 3 * 22_000)
  }

  @Test func equalStartsComeInOrderOfId() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("same.umbra")
    var random = SeededGenerator(seed: 6)
    let exchanges = (0..<500).map { plainExchange(UInt32($0), at: 0) }
    try writeSession(exchanges.shuffled(using: &random), to: path, blockTarget: 1000)
    #expect(try SessionReader(path: path).all() == exchanges)
  }
}
