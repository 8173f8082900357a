import HTTP2Decoding
import HTTPModel
import Testing

@Suite("Limits of HPACK")
struct LimitTests {
  @Test("A list that is too large is cut at a field, and the table stays right")
  func headerListBytes() {
    var limits = HPACKLimits()
    limits.maxHeaderListBytes = 2 * 42 + 35
    var decoder = HPACKDecoder(limits: limits)
    // :method: GET is 42 bytes; a: b, c: d and e: f are 34 each.
    let (decoded, outcome, list) = decoder.decode(octets("82 82 40 0161 0162 40 0163 0164 84 40 0165 0166"))
    #expect(decoded == fields(":method: GET\n:method: GET\na: b"))
    #expect(outcome.anomalies.members == [.hpackHeaderListTooLarge] && outcome.isComplete && !outcome.isError)
    #expect(list.omittedFields == 3)
    #expect(decoder.entries == fields("e: f\nc: d\na: b"))
    // The limit is for each block.
    #expect(decoder.fields("be bf") == fields("e: f\nc: d"))
  }

  @Test("So is a list of too many fields")
  func fieldCount() {
    var limits = HPACKLimits()
    limits.maxFields = 3
    var decoder = HPACKDecoder(limits: limits)
    let (decoded, outcome, list) = decoder.decode([UInt8](repeating: 0x82, count: 5))
    #expect(decoded.count == 3 && list.omittedFields == 2)
    #expect(outcome.anomalies.members == [.hpackHeaderListTooLarge])
  }

  @Test("A bomb of references to a large entry takes no more than the limit")
  func bomb() {
    var decoder = HPACKDecoder()
    let entry = [0x40, 1, 0x61] + Wire.string([UInt8](repeating: 0x62, count: 4000), isHuffman: false)
    let (_, outcome, list) = decoder.decode(entry + [UInt8](repeating: 0xbe, count: 1 << 16))
    #expect(outcome.anomalies.members == [.hpackHeaderListTooLarge] && outcome.isComplete)
    #expect(list.byteCount <= decoder.limits.maxHeaderListBytes)
    #expect(list.omittedFields + list.count == 1 << 16 + 1)
  }

  @Test("A table that SETTINGS allow to be larger than the limit: what is forgotten is unresolved, never wrong")
  func tableBytes() {
    var limits = HPACKLimits()
    limits.maxTableBytes = 700
    for seed: UInt64 in 0..<20 {
      var decoder = HPACKDecoder(limits: limits)
      var encoder = ReferenceEncoder(seed: seed)
      var source = FieldSource(seed: seed)
      source.longestValue = seed % 2 == 0 ? 60 : 1000
      var unresolved = 0
      for _ in 0..<150 {
        let list = source.list()
        let (fields, outcome, decoded) = decoder.decode(encoder.block(list))
        #expect(outcome.isComplete && !outcome.isError)
        #expect(disagreement(fields, list) == nil)
        #expect(decoder.table.size <= 700)
        #expect(decoded.unresolved.allSatisfy { $0.ordinal == nil })
        unresolved += decoded.unresolved.count
      }
      #expect(unresolved > 0 && decoder.knowledge == .partial)
    }
  }

  @Test("A list is reused without growing")
  func reuse() {
    var decoder = HPACKDecoder()
    var list = HPACKFieldList()
    let block = octets("82 86 84 41 8c f1e3 c2e5 f23a 6ba0 ab90 f4ff")
    var capacities: Set<[Int]> = []
    for _ in 0..<100 {
      list.removeAll()
      _ = block.withUnsafeBytes { decoder.decode($0, into: &list) }
      #expect(list.decoded == fields(":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com"))
      capacities.insert([list.ranges.capacity, list.marks.capacity])
    }
    #expect(capacities.count == 1)
  }

  @Test("Blocks of one list add up, and header fields are made of what was read")
  func headerFields() {
    var decoder = HPACKDecoder()
    var list = HPACKFieldList()
    for block in ["82 84", "400161 0162"] { _ = octets(block).withUnsafeBytes { decoder.decode($0, into: &list) } }
    #expect(list.decoded == fields(":method: GET\n:path: /\na: b"))
    let all = list.headerFields()
    #expect(all.count == 3 && all.first("a").map { text($0) } == "b")
    let rest = list.headerFields(from: 2)
    #expect(rest.count == 1 && rest.storage == Array(":methodGET:path/ab".utf8) && text(rest.name(at: 0)) == "a")
    list.withUnsafeBytes { #expect($0.count == 18) }
  }
}
