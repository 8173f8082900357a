import HTTP2Decoding
import HTTPModel
import Testing

/// RFC 7541, 4 and 6.3; RFC 9113, 4.3.1.
@Suite("Table sizes")
struct TableSizeTests {
  /// `a: v…` with indexing, as an entry of `size` bytes.
  private func literal(_ size: Int) -> [UInt8] {
    [0x40, 1, 0x61] + Wire.string([UInt8](repeating: 0x76, count: size - 33), isHuffman: false)
  }

  private func update(_ size: Int) -> [UInt8] { Wire.integer(size, prefix: 5, pattern: 0x20) }

  @Test("An entry that fills the table drives out the others; one that is larger leaves none")
  func eviction() {
    var decoder = HPACKDecoder()
    _ = decoder.decode(literal(2000) + literal(2096))
    #expect(decoder.table.count == 2 && decoder.table.size == 4096)
    _ = decoder.decode(literal(33))
    #expect(decoder.table.count == 2 && decoder.table.size == 2129)
    _ = decoder.decode(literal(4096))
    #expect(decoder.table.count == 1 && decoder.table.size == 4096)
    let (fields, outcome, _) = decoder.decode(literal(4097) + literal(40) + [0xbe])
    #expect(fields.count == 3 && fields[1] == fields[2] && outcome.anomalies.isEmpty)
    #expect(decoder.table.count == 1 && decoder.table.size == 40 && decoder.knowledge == .whole)
  }

  @Test("A name may be taken from the entry that its insertion drives out")
  func nameOfEvicted() {
    var decoder = HPACKDecoder()
    _ = decoder.decode(literal(4096))
    #expect(decoder.fields("7e 01 77") == fields("a: w"))
    #expect(decoder.entries == fields("a: w"))
  }

  @Test("An update shrinks the table, and entries that went do not come back")
  func shrinking() {
    var decoder = HPACKDecoder()
    _ = decoder.decode(literal(100) + literal(50))
    #expect(decoder.decode(update(149)).outcome.anomalies.isEmpty)
    #expect(decoder.table.size == 50)
    #expect(decoder.decode(update(4096)).outcome.anomalies.isEmpty)
    #expect(decoder.table.size == 50)
    #expect(decoder.decode(update(0) + update(4096) + [0x82]).outcome.anomalies.isEmpty)
    #expect(decoder.table.count == 0 && decoder.maximumTableSize == 4096)
  }

  @Test("An update beyond what SETTINGS allow, or behind a field, is an error that leaves the table right")
  func wrongUpdates() {
    var decoder = HPACKDecoder()
    var outcome = decoder.decode(update(4097) + literal(60)).outcome
    #expect(outcome.anomalies.members == [.hpackSizeUpdateTooLarge] && outcome.isError && outcome.isComplete)
    outcome = decoder.decode([0x82] + update(80) + [0xbe]).outcome
    #expect(outcome.anomalies.members == [.hpackSizeUpdateMisplaced] && outcome.isError && outcome.isComplete)
    #expect(decoder.maximumTableSize == 80 && decoder.table.count == 1 && decoder.knowledge == .whole)
  }

  @Test("What SETTINGS reduce must be told at the start of the next block")
  func reduction() {
    var decoder = HPACKDecoder()
    decoder.acknowledge(maximumTableSize: 100)
    // Until then the table is as it was.
    #expect(decoder.maximumTableSize == 4096)
    #expect(decoder.decode(update(100) + [0x82]).outcome.anomalies.isEmpty)
    decoder.acknowledge(maximumTableSize: 50)
    #expect(decoder.decode([]).outcome.anomalies.isEmpty)
    #expect(decoder.anomalies("82") == [.hpackSizeUpdateMissing])
    #expect(decoder.anomalies("82") == [])
  }

  @Test("Reduced and raised between two blocks: the smaller is told first, the larger need not be")
  func reductionAndRise() {
    func after(_ blocks: [[UInt8]]) -> [Anomaly] {
      var decoder = HPACKDecoder()
      decoder.acknowledge(maximumTableSize: 100)
      decoder.acknowledge(maximumTableSize: 2000)
      return decoder.decode(blocks.flatMap { $0 }).outcome.anomalies.members
    }
    #expect(after([update(100), update(2000), [0x82]]) == [])
    #expect(after([update(0), update(2000), [0x82]]) == [])
    #expect(after([update(100), [0x82]]) == [])
    #expect(after([update(2000), [0x82]]) == [.hpackSizeUpdateMissing])
    #expect(after([update(100), update(2001), [0x82]]) == [.hpackSizeUpdateTooLarge])
    #expect(after([[0x82]]) == [.hpackSizeUpdateMissing])
  }

  @Test("What SETTINGS raise is used when the encoder says so")
  func rise() {
    var decoder = HPACKDecoder()
    decoder.acknowledge(maximumTableSize: 10_000)
    _ = decoder.decode(literal(3000) + literal(3000))
    #expect(decoder.table.count == 1)
    _ = decoder.decode(update(10_000) + literal(3000) + literal(3000))
    #expect(decoder.table.count == 3 && decoder.maximumTableSize == 10_000)
  }

  @Test(
    "Impossible indices are errors, in every representation",
    arguments: ["80", "be", "7e 01 61", "0f2f 01 61", "ff 00"])
  func impossibleIndex(block: String) {
    var decoder = HPACKDecoder()
    let (fields, outcome, list) = decoder.decode(octets(block) + [0x82])
    #expect(outcome.isError && outcome.isComplete)
    #expect(outcome.anomalies.members == [.h2UnresolvedIndex, .hpackIndexInvalid])
    #expect(fields.count == 2 && fields[0].name == nil && fields[1] == DecodedField(":method", "GET"))
    #expect(list.unresolved.count == 1 && list.unresolved.first?.ordinal == nil)
    #expect(decoder.knowledge == .partial)
  }

  @Test("Entries of many sizes come and go through a small table")
  func churn() {
    var decoder = HPACKDecoder()
    var model: [[UInt8]] = []
    var random = Randomness(seed: 7)
    for _ in 0..<3000 {
      let entry = literal(Int.random(in: 33...(Bool.random(using: &random) ? 60 : 1500), using: &random))
      model.insert(Array(entry.dropFirst(3)), at: 0)
      _ = decoder.decode(entry)
      #expect(decoder.table.size <= 4096)
      let ordinal = Int.random(in: 0..<decoder.table.count, using: &random)
      #expect(Wire.string(decoder.table.entry(at: ordinal).value, isHuffman: false) == model[ordinal])
    }
  }
}
