import HTTPModel
import SessionFile
import Testing

/// A finished session of a few small blocks, and where each block ends.
private struct SmallSession {
  let directory = TemporaryDirectory()
  let bytes: [UInt8]
  let exchanges: [Exchange]
  var path: String { directory.file("damaged.umbra") }

  init() throws {
    exchanges = (0..<6).map { plainExchange(UInt32($0 + 1), at: Int64($0) * 1000) }
    var ledger = Ledger()
    ledger[.packetsSeen] = 77
    let path = directory.file("whole.umbra")
    // Each record is larger than the target: a block for each exchange.
    try writeSession(exchanges, to: path, blockTarget: 1, ledger: ledger, metadata: ["host": "a"])
    bytes = contents(of: path)
  }

  /// Where the blocks begin: each begins with the marker, which occurs nowhere else in this file.
  var blockOffsets: [Int] {
    let marker: [UInt8] = [0xf5, 0xc0, 0x55, 0x6d, 0x62, 0xff, 0x1a, 0x0a]
    return bytes.indices.filter { bytes[$0...].starts(with: marker) }
  }

  func reader(_ changed: [UInt8]) throws -> SessionReader {
    write(changed, to: path)
    return try SessionReader(path: path, expecting: .session)
  }
}

@Suite struct RecoveryTests {
  @Test func aFileCutAnywhereGivesItsWholeBlocks() throws {
    let session = try SmallSession()
    let offsets = session.blockOffsets
    #expect(offsets.count == 9)
    for length in 0..<session.bytes.count {
      let cut = Array(session.bytes.prefix(length))
      if length < 32 {
        let error = sessionError { _ = try session.reader(cut) }
        #expect(error == (length == 0 ? .empty(path: session.path) : .truncatedHeader(path: session.path)))
        continue
      }
      let reader = try session.reader(cut)
      let wholeBlocks = offsets.dropFirst().filter { $0 <= length }.count
      #expect(try reader.all() == Array(session.exchanges.prefix(wholeBlocks)), "cut at \(length)")
      #expect(reader.damage.contains { $0.cause == .unfinished || $0.cause == .index })
      // Behind the last block only index and footer are cut.
      let isAtBoundary = (offsets + [32]).contains(length) || length >= offsets[8] + 64
      if length <= offsets[8] || length >= offsets[8] + 64 {
        #expect(reader.losesData == !isAtBoundary, "cut at \(length)")
      }
    }
  }

  @Test func aFlippedBitIsNoticedAndTheRestRecovered() throws {
    let session = try SmallSession()
    for offset in session.bytes.indices {
      var changed = session.bytes
      changed[offset] ^= 1 << (offset % 8)
      let reader = try session.reader(changed)
      let found = try reader.all()
      #expect(!reader.damage.isEmpty, "flip at \(offset)")
      #expect(found.count >= 5, "flip at \(offset) lost more than its block")
      #expect(found.allSatisfy { session.exchanges.contains($0) }, "flip at \(offset)")
      let loses = reader.losesData
      #expect(found.count == 6 || loses, "flip at \(offset) lost silently")
      for damage in reader.damage { #expect(!damage.description.isEmpty) }
    }
  }

  @Test func aDamagedStretchSaysHowMuchIsLost() throws {
    let session = try SmallSession()
    let offsets = session.blockOffsets
    // Without an index, two block headers overwritten: the blocks behind are found by their markers.
    var changed = Array(session.bytes.prefix(offsets[8]))
    for block in [2, 3] {
      for offset in offsets[block]..<(offsets[block] + 64) { changed[offset] = 0 }
    }
    let reader = try session.reader(changed)
    #expect(try reader.all() == [0, 1, 4, 5].map { session.exchanges[$0] })
    let lost = reader.damage.first { $0.cause == .noBlock }
    #expect(lost?.offset == UInt64(offsets[2]))
    #expect(lost?.byteCount == UInt64(offsets[4] - offsets[2]))
    #expect(lost?.blockCount == 2)
    #expect(reader.ledger?[.packetsSeen] == 77)
  }

  @Test func aDamagedPayloadLosesOnlyItsBlock() throws {
    let session = try SmallSession()
    let offsets = session.blockOffsets
    var changed = session.bytes
    changed[offsets[3] + 80] ^= 0xff
    let reader = try session.reader(changed)
    #expect(try reader.all() == [0, 1, 2, 4, 5].map { session.exchanges[$0] })
    #expect(
      reader.damage == [
        Damage(
          cause: .block, offset: UInt64(offsets[3]), byteCount: UInt64(offsets[4] - offsets[3]), blockCount: 1,
          exchangeCount: 1)
      ])
    reader.rewind()
    #expect(try reader.all().count == 5)
    #expect(reader.damage.count == 1)
  }

  /// A session file that was downloaded over HTTP stands, whole, in a body of this one.
  @Test func blocksOfAnEmbeddedFileAreNotTakenForTheFilesOwn() throws {
    let session = try SmallSession()
    let directory = TemporaryDirectory()
    var random = SeededGenerator(seed: 8)
    // Noise around it, so that the block is stored as it is.
    let body = random.bytes(200_000) + session.bytes + random.bytes(200_000)
    let path = directory.file("outer.umbra")
    let writer = try SessionWriter(
      .path(path, overwrite: true), kind: .session, created: noon.advanced(byNanoseconds: 5))
    let encoder = SessionEncoder(blockTarget: 1)
    for exchange in [plainExchange(90, at: 0, body: body), plainExchange(91, at: 5)] {
      if let block = encoder.append(exchange) { _ = writer.put(block) }
    }
    try writer.finish()
    var outer = contents(of: path)
    #expect(outer.count > 400_000)
    for offset in 32..<96 { outer[offset] = 0 }
    write(Array(outer.dropLast(40)), to: path)
    #expect(try SessionReader(path: path).all() == [plainExchange(91, at: 5)])
  }

  @Test func aWriterThatStopsWithoutFinishingLosesOnlyWhatWasNotSealed() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("killed.umbra")
    let exchanges = (0..<500).map { plainExchange(UInt32($0), at: Int64($0) * 10_000_000) }
    let second: Int64 = 1_000_000_000
    do {
      let writer = try SessionWriter(.path(path, overwrite: false), kind: .session, created: noon)
      let encoder = SessionEncoder()
      for exchange in exchanges {
        _ = encoder.append(exchange)
        while let block = encoder.sealIfOlder(than: exchange.end.advanced(byNanoseconds: -second)) {
          #expect(writer.put(block))
        }
      }
    }
    let reader = try SessionReader(path: path)
    let found = try reader.all()
    #expect(found == Array(exchanges.prefix(found.count)))
    #expect(exchanges.last!.end.nanoseconds(since: found.last!.end) <= second + 10_000_000)
    #expect(reader.damage.map(\.cause) == [.unfinished])
    #expect(!reader.damage[0].losesData)
  }

  @Test func mutatedFilesNeverTrap() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("m.umbra")
    var random = SeededGenerator(seed: 21)
    var bases: [[UInt8]] = []
    for kind in [SessionFileKind.session, .run] {
      let writer = try SessionWriter(.path(path, overwrite: true), kind: kind, created: noon)
      let encoder = SessionEncoder(blockTarget: 2000)
      for index in 0..<12 {
        let exchange = random.exchange(index)
        let block =
          kind == .run
          ? encoder.append(ReplayedExchange(exchange: exchange, attempts: [random.attempt(of: exchange)]))
          : encoder.append(exchange)
        if let block { _ = writer.put(block) }
      }
      while let block = encoder.sealBlock() { _ = writer.put(block) }
      _ = writer.put(.blob(name: "b", bytes: random.bytes(50)))
      try writer.finish(ledger: Ledger(), metadata: ["k": "v"])
      bases.append(contents(of: path))
    }
    for _ in 0..<600 {
      var bytes = bases[random.below(2)]
      for _ in 0...random.below(6) {
        switch random.below(4) {
        case 0: bytes[random.below(bytes.count)] = UInt8(random.below(256))
        case 1:
          let (a, b) = (random.below(bytes.count), random.below(bytes.count))
          if bytes.count > 200 { bytes.removeSubrange(min(a, b)..<min(max(a, b), min(a, b) + 100)) }
        case 2:
          let (a, b) = (random.below(bytes.count), random.below(bytes.count))
          bytes.insert(contentsOf: bytes[min(a, b)..<min(max(a, b), min(a, b) + 300)], at: a)
        default: bytes[random.below(bytes.count)] ^= 0x80
        }
      }
      write(bytes, to: path)
      guard let reader = try? SessionReader(path: path, cacheLimit: 5000) else { continue }
      _ = try reader.all()
      _ = try reader.allReplayed()
      _ = try reader.blobNames()
    }
  }
}
