import HTTPModel
import Testing

@testable import SessionFile

/// Blocks whose checksums are right and whose contents are not: made by an attacker, not by chance.
@Suite struct HostileRecordTests {
  /// The exchanges that a reader finds in a file whose one block holds `payload`.
  private func read(_ payload: [UInt8], type: BlockType = .exchanges) throws -> (SessionReader, [Exchange]) {
    let directory = TemporaryDirectory()
    let path = directory.file("hostile.umbra")
    let bytes = BlockBytes(capacity: payload.count)
    bytes.start.copyMemory(from: payload, byteCount: payload.count)
    bytes.setCount(payload.count)
    let block = RawBlock(
      type: type, recordCount: 1, exchangeCount: 1, minStart: noon, maxStart: noon, isLate: false, bytes: bytes)
    let writer = try SessionWriter(
      .path(path, overwrite: false), kind: type == .replayed ? .run : .session, created: noon)
    _ = writer.put(block)
    try writer.finish()
    let reader = try SessionReader(path: path)
    let found = try reader.all()
    _ = try reader.allReplayed()
    _ = try reader.blobNames()
    return (reader, found)
  }

  private func payload(of block: RawBlock) -> [UInt8] { Array(block.bytes.contents) }

  @Test func changedRecordsUnderRightChecksumsNeverTrap() throws {
    var random = SeededGenerator(seed: 77)
    for round in 0..<600 {
      let encoder = SessionEncoder()
      let exchange = random.exchange(1)
      let isRun = round % 3 == 0
      if isRun {
        _ = encoder.append(
          ReplayedExchange(exchange: exchange, attempts: [random.attempt(of: exchange), random.attempt(of: exchange)]))
      } else {
        _ = encoder.append(exchange)
        _ = encoder.append(random.exchange(2))
      }
      var bytes = payload(of: encoder.sealBlock()!)
      for _ in 0...random.below(4) {
        bytes[min(random.below(bytes.count), random.below(bytes.count))] =
          random.oneIn(2) ? UInt8(random.below(256)) : 0xff
      }
      let (_, found) = try read(bytes, type: isRun ? .replayed : .exchanges)
      // Whatever was decoded can be looked at.
      for exchange in found {
        _ = exchange.request?.method.count
        _ = exchange.request?.target.count
        _ = exchange.response?.reason.count
        for fields in [exchange.request?.fields, exchange.response?.fields, exchange.response?.trailers] {
          for index in 0..<(fields?.count ?? 0) { _ = fields!.name(at: index).count + fields!.value(at: index).count }
        }
      }
    }
  }

  @Test func unknownKindsAndFieldsArePassedOver() throws {
    let encoder = SessionEncoder()
    let exchange = plainExchange(1, at: 0)
    _ = encoder.append(exchange)
    var bytes = payload(of: encoder.sealBlock()!)
    // A field of number 40 of each wire type behind the others.
    let extra: [UInt8] = [0xc0, 2, 7, 0xc1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0xc2, 2, 1, 9, 0xc3, 2, 2, 0, 0, 0, 8, 8]
    bytes += extra
    let length = UInt32(bytes.count - 4)
    for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: length >> UInt32(index * 8)) }
    // A record of kind 99.
    var unknown = [UInt8](repeating: 0, count: 25)
    (unknown[0], unknown[4]) = (21, 99)
    let (reader, found) = try read(bytes + unknown)
    #expect(found == [exchange])
    #expect(reader.damage.isEmpty)
  }

  @Test func aBlockThatPromisesMoreThanItCanHoldIsNotAllocated() {
    let raw = RawBlock(
      type: .exchanges, recordCount: 0, exchangeCount: 0, minStart: noon, maxStart: noon, isLate: false,
      bytes: BlockBytes(capacity: 0))
    var header = BlockHeader(
      type: .exchanges, codec: .zstd, kind: .session, salt: 0, storedLength: 100, block: raw, sequence: 0,
      payloadChecksum: 0)
    header.rawLength = 1 << 30
    #expect(!BlockDecompressor.isPlausible(header))
    header.rawLength = 3 << 20
    #expect(BlockDecompressor.isPlausible(header))
    header.rawLength = .max
    header.storedLength = .max
    #expect(!BlockDecompressor.isPlausible(header))
    header.codec = 7
    #expect(!BlockDecompressor.isPlausible(header))
  }

  @Test func aBlockOfAnUnknownTypeIsPassedOver() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("later.umbra")
    try writeSession([plainExchange(1, at: 0), plainExchange(2, at: 1)], to: path, blockTarget: 1)
    var bytes = contents(of: path)
    // The first block's type becomes one of a later version; its checksum follows, the index is cut off.
    var header = bytes[32..<96].withUnsafeBytes { BlockHeader($0) }!
    header.type = 200
    bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress! + 32) }
    write(Array(bytes.dropLast(60)), to: path)
    let reader = try SessionReader(path: path)
    #expect(try reader.all() == [plainExchange(2, at: 1)])
    #expect(reader.damage.allSatisfy { $0.cause == .truncatedBlock || $0.cause == .unfinished })
  }
}
