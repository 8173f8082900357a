import HTTP2Decoding
import HTTPModel
import Testing

/// Tables of which a part was never seen.
@Suite("Joined in mid-connection")
struct JoiningTests {
  @Test("Static and literal fields are decoded at once, others are marked, and later ones fill in")
  func firstBlocks() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    #expect(decoder.knowledge == .partial)
    // :method: GET; the third newest entry; x: y with indexing; a value under the name of the newest that was there.
    let (decoded, outcome, list) = decoder.decode(octets("82 c0 40 0178 0179 0f30 017a"))
    #expect(
      decoded == [
        DecodedField(":method", "GET"), DecodedField(nil, nil), DecodedField("x", "y"), DecodedField(nil, "z"),
      ])
    #expect(outcome.anomalies.members == [.h2UnresolvedIndex] && outcome.isComplete && !outcome.isError)
    #expect(
      list.unresolved == [
        HPACKUnresolvedReference(field: 1, index: 64, ordinal: 2),
        HPACKUnresolvedReference(field: 3, index: 63, ordinal: 0),
      ])
    #expect(decoder.fields("be") == fields("x: y"))
    // The same entry as before has moved on by one, and is the same.
    #expect(decoder.decode([0xc1]).list.unresolved == [HPACKUnresolvedReference(field: 0, index: 65, ordinal: 2)])
  }

  @Test("An entry made with an unseen name has its value, and counts as little as it can")
  func unseenName() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    let (decoded, _, _) = decoder.decode(octets("7e 0176 be"))
    #expect(decoded == [DecodedField(nil, "v"), DecodedField(nil, "v")])
    #expect(decoder.table.count == 1 && decoder.table.size == 33)
    #expect(decoder.table.entry(at: 0).name == nil)
    // Under that name again.
    let (again, outcome, list) = decoder.decode(octets("0f2f 0177"))
    #expect(again == [DecodedField(nil, "w")] && outcome.anomalies.members == [.h2UnresolvedIndex])
    #expect(list.unresolved == [HPACKUnresolvedReference(field: 0, index: 62, ordinal: 0)])
  }

  @Test("The table is whole once known entries leave no room for an unseen one")
  func turnover() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    let entry = [0x40, 1, 0x61] + Wire.string([UInt8](repeating: 0x62, count: 1003 - 33), isHuffman: false)
    for _ in 0..<4 { _ = decoder.decode(entry) }
    // 84 bytes are left, for two entries.
    #expect(decoder.knowledge == .partial)
    #expect(decoder.decode([0xc3]).list.unresolved.first?.ordinal == 1)
    _ = decoder.decode(octets("40 0178 00") + [UInt8](repeating: 0x82, count: 3))
    // 51 bytes are left.
    #expect(decoder.knowledge == .partial)
    _ = decoder.decode([0x40, 1, 0x61, 0])
    #expect(decoder.knowledge == .whole)
  }

  @Test("A size update of 0 makes the table whole")
  func cleared() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    _ = decoder.decode(octets("20 3fe11f"))
    #expect(decoder.knowledge == .whole && decoder.maximumTableSize == 4096)
    #expect(decoder.anomalies("be") == [.h2UnresolvedIndex, .hpackIndexInvalid])
  }

  @Test("SETTINGS that are seen replace the assumption")
  func settings() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    decoder.acknowledge(maximumTableSize: 64)
    #expect(decoder.decode([0xbf]).list.unresolved.first?.ordinal == 1)
    #expect(decoder.anomalies("c0") == [.h2UnresolvedIndex, .hpackIndexInvalid])
    decoder = HPACKDecoder(joinedMidstream: true)
    decoder.acknowledge(maximumTableSize: 10_000)
    #expect(decoder.decode(Wire.integer(62 + 300, prefix: 7, pattern: 0x80)).list.unresolved.first?.ordinal == 300)
    #expect(decoder.knowledge == .partial)
  }

  @Test("A size update that is larger than was assumed takes back what was concluded")
  func conclusionTakenBack() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    let entry = [0x40, 1, 0x61] + Wire.string([UInt8](repeating: 0x62, count: 2015), isHuffman: false)
    for _ in 0..<2 { _ = decoder.decode(entry) }
    #expect(decoder.knowledge == .whole)
    // Under 20,000 bytes there may have been more all the time.
    _ = decoder.decode(Wire.integer(20_000, prefix: 5, pattern: 0x20))
    #expect(decoder.knowledge == .partial)
    let (_, outcome, list) = decoder.decode([0xc1])
    #expect(!outcome.isError && list.unresolved.first?.ordinal == 1)
  }

  @Test("A reference beyond what 4,096 bytes hold proves the table larger; beyond any table it is an error")
  func assumptionCorrected() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    let (_, outcome, list) = decoder.decode(Wire.integer(62 + 500, prefix: 7, pattern: 0x80))
    #expect(outcome.anomalies.members == [.h2UnresolvedIndex] && !outcome.isError)
    #expect(list.unresolved.first?.ordinal == 500)
    #expect(decoder.decode(Wire.integer(62 + 2048, prefix: 7, pattern: 0x80)).outcome.isError)
  }

  @Test("After a gap the table is unknown, as large as SETTINGS allow")
  func gap() {
    var decoder = HPACKDecoder()
    _ = decoder.decode(octets("40 0178 0179 3fe11f"))
    decoder.loseTable()
    #expect(decoder.knowledge == .partial && decoder.table.count == 0)
    #expect(decoder.decode([0xbe]).fields == [DecodedField(nil, nil)])
    #expect(
      decoder.decode(Wire.integer(62 + 127, prefix: 7, pattern: 0x80)).outcome.anomalies.members == [.h2UnresolvedIndex]
    )
    #expect(decoder.decode(Wire.integer(62 + 128, prefix: 7, pattern: 0x80)).outcome.isError)
  }

  // MARK: Model

  /// Holds a decoder against an encoder whose table is known.
  private struct Model {
    var encoder: ReferenceEncoder
    var source: FieldSource
    var decoder: HPACKDecoder
    var unresolvedValues = 0

    /// The first entry that is not what the encoder has at the same place.
    private var falseEntry: Int? {
      (0..<min(decoder.table.count, encoder.table.count)).first { ordinal in
        let (known, entry) = (decoder.table.entry(at: ordinal), encoder.table[ordinal])
        return known.value != entry.value || known.name ?? entry.name != entry.name
      }
    }

    mutating func skip(_ blocks: Int) {
      for _ in 0..<blocks { _ = encoder.block(source.list()) }
    }

    mutating func step() {
      let list = source.list()
      let (fields, outcome, decoded) = decoder.decode(encoder.block(list))
      #expect(outcome.isComplete && !outcome.isError)
      #expect(disagreement(fields, list) == nil)
      #expect(outcome.anomalies.contains(.h2UnresolvedIndex) == !decoded.unresolved.isEmpty)
      unresolvedValues += fields.count { $0.value == nil }
      #expect(falseEntry == nil)
      // Nothing that the encoder may refer to was thrown away, unless the size was assumed.
      if decoder.knowledge == .whole, encoder.maximum <= decoder.maximumTableSize {
        #expect(decoder.table.count >= encoder.table.count)
      }
    }
  }

  @Test("Of random lists, a decoder that joins anywhere tells the truth or that it does not know", arguments: 0..<10)
  func model(seed: UInt64) {
    for join in [1, 2, 5, 20, 60] {
      var model = Model(
        encoder: ReferenceEncoder(seed: seed), source: FieldSource(seed: seed),
        decoder: HPACKDecoder(joinedMidstream: true))
      // An encoder that takes a name from an entry with that name never tells it again.
      model.encoder.reusesNames = seed % 2 == 0
      model.skip(join)
      for _ in 0..<150 { model.step() }
      #expect(model.decoder.knowledge == .whole || model.encoder.reusesNames)
      let before = model.unresolvedValues
      for _ in 0..<20 { model.step() }
      #expect(model.unresolvedValues == before)
    }
  }

  @Test("So it does where sizes change, blocks are lost and SETTINGS were not seen", arguments: 0..<12)
  func modelWithGaps(seed: UInt64) {
    var random = Randomness(seed: seed)
    var model = Model(
      encoder: ReferenceEncoder(seed: seed), source: FieldSource(seed: seed),
      decoder: HPACKDecoder(joinedMidstream: true))
    model.source.longestValue = [10, 200, 1500][Int(seed % 3)]
    if seed % 2 == 0 { model.encoder.setMaximum(20_000) }
    model.skip(30)
    for _ in 0..<300 {
      switch Int.random(in: 0..<40, using: &random) {
      case 0:
        model.skip(Int.random(in: 1...9, using: &random))
        model.decoder.loseTable()
      case 1: model.encoder.setMaximum([0, 100, 1000, 4096, 20_000].randomElement(using: &random) ?? 0)
      default: model.step()
      }
    }
  }

  @Test("So it does where acknowledged SETTINGS change the size", arguments: 0..<12)
  func modelWithSettings(seed: UInt64) {
    var random = Randomness(seed: seed)
    var model = Model(
      encoder: ReferenceEncoder(seed: seed), source: FieldSource(seed: seed),
      decoder: HPACKDecoder(joinedMidstream: seed % 2 == 0))
    if seed % 2 == 0 { model.skip(20) }
    for _ in 0..<300 {
      model.step()
      if Int.random(in: 0..<30, using: &random) == 0 {
        let size = [0, 64, 500, 4096, 30_000].randomElement(using: &random) ?? 0
        model.decoder.acknowledge(maximumTableSize: UInt32(size))
        model.encoder.setMaximum(Int.random(in: 0...size, using: &random))
      }
      if Int.random(in: 0..<60, using: &random) == 0 {
        model.skip(2)
        model.decoder.loseTable()
      }
    }
  }
}
