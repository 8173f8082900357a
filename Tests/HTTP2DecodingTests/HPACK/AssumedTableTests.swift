import HTTP2Decoding
import HTTPModel
import Testing

/// Another connection's table in place of one that was not seen.
@Suite("Assumed tables")
struct AssumedTableTests {
  /// After a first request of `a: 1`, `b: 2`, `c: 3`.
  private var other: HPACKTable {
    var decoder = HPACKDecoder()
    _ = decoder.decode(octets("400161 0131 400162 0132 400163 0133"))
    return decoder.table
  }

  @Test("Fields from it are marked, those seen are not, and it ages as the unseen entries do")
  func marks() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    _ = decoder.decode(octets("400178 0179"))
    decoder.assume(other)
    #expect(decoder.knowledge == .assumed)
    let (decoded, outcome, list) = decoder.decode(octets("be bf c1 0f31 0137"))
    #expect(
      decoded
        == [
          DecodedField("x", "y"), DecodedField("c", "3", .assumed), DecodedField("a", "1", .assumed),
          DecodedField("a", "7", .assumed),
        ].map { $0.name == Array("a".utf8) && $0.value == Array("7".utf8) ? DecodedField("b", "7", .assumed) : $0 })
    #expect(outcome.anomalies.members == [.h2AssumedIndex] && !outcome.isError)
    #expect(list.unresolved.isEmpty && list.unionOfMarks == .assumed)
    // Beyond it nothing is assumed.
    #expect(decoder.decode([0xc2]).list.unresolved == [HPACKUnresolvedReference(field: 0, index: 66, ordinal: 3)])
  }

  @Test("What was unresolved before can be looked up later")
  func lookUp() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    _ = decoder.decode(octets("400178 0179"))
    let reference = decoder.decode([0xc0]).list.unresolved.first
    #expect(reference?.ordinal == 1)
    let entry = other.entry(at: 1)
    #expect(text(entry.name ?? []) == "b" && text(entry.value) == "2")
    decoder.assume(other)
    #expect(decoder.decode([0xc0]).fields == [DecodedField("b", "2", .assumed)])
  }

  @Test("An entry made with an assumed name stays assumed")
  func insertion() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    decoder.assume(other)
    #expect(decoder.decode(octets("7e 0139")).fields == [DecodedField("c", "9", .assumed)])
    #expect(decoder.decode([0xbe]).fields == [DecodedField("c", "9", .assumed)])
    decoder.loseTable()
    #expect(decoder.knowledge == .partial)
  }

  @Test("Names that stand in unseen entries are found in it, also those of entries that were made since")
  func names() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    _ = decoder.decode(octets("7f 00 0137 7e 0138"))
    #expect(decoder.decode([0xbe]).list.unresolved.first?.ordinal == 1)
    decoder.assume(other)
    #expect(
      decoder.decode(octets("be bf")).fields == [DecodedField("b", "8", .assumed), DecodedField("b", "7", .assumed)])
  }

  @Test("It goes when the table turns over")
  func turnover() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    decoder.assume(other)
    let entry = [0x40, 1, 0x61] + Wire.string([UInt8](repeating: 0x62, count: 4000), isHuffman: false)
    for _ in 0..<2 { _ = decoder.decode(entry) }
    #expect(decoder.knowledge == .whole && decoder.table.count == 1)
  }

  @Test("Another one takes its place; a whole table is left alone; one that is too large is cut")
  func replacing() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    decoder.assume(other)
    decoder.assume(HPACKTable())
    #expect(decoder.knowledge == .partial && decoder.table.count == 0)
    decoder.acknowledge(maximumTableSize: 70)
    decoder.assume(other)
    #expect(decoder.entries == fields("c: 3\nb: 2"))
    var whole = HPACKDecoder()
    whole.assume(other)
    #expect(whole.table.count == 0 && whole.knowledge == .whole)
  }

  @Test("A decoder joined with the true table says nothing wrong", arguments: 0..<10)
  func model(seed: UInt64) {
    var encoder = ReferenceEncoder(seed: seed)
    var source = FieldSource(seed: seed)
    var first = HPACKDecoder()
    for _ in 0..<40 { _ = first.decode(encoder.block(source.list())) }
    var joined = HPACKDecoder(joinedMidstream: true)
    joined.assume(first.table)
    for _ in 0..<200 {
      let list = source.list()
      let (fields, outcome, decoded) = joined.decode(encoder.block(list))
      #expect(outcome.isComplete && !outcome.isError && decoded.unresolved.isEmpty)
      #expect(fields.map(\.unmarked) == list)
    }
  }
}
