import HTTP2Decoding
import HTTPModel
import Testing

@Suite("Damaged blocks")
struct MutationTests {
  /// What holds of a decoder and a list after any block.
  private func check(_ decoder: HPACKDecoder, _ list: HPACKFieldList, _ outcome: HPACKDecoder.Outcome) {
    #expect(list.ranges.count == list.marks.count)
    var end: UInt32 = 0
    for range in list.ranges {
      #expect(range.nameStart == end && range.nameEnd == range.valueStart && range.nameEnd >= range.nameStart)
      #expect(range.valueEnd >= range.valueStart)
      end = range.valueEnd
    }
    #expect(Int(end) == list.byteCount)
    #expect(list.unionOfMarks == list.marks.reduce(into: []) { $0.formUnion($1) })
    #expect(decoder.table.size <= max(decoder.maximumTableSize, decoder.limits.maxTableBytes))
    #expect(outcome.isComplete || outcome.isError)
    for ordinal in 0..<decoder.table.count { _ = decoder.table.entry(at: ordinal) }
  }

  @Test("Changed, cut, repeated and random bytes never break a decoder", arguments: 0..<40)
  func mutations(seed: UInt64) {
    var random = Randomness(seed: seed)
    var encoder = ReferenceEncoder(seed: seed)
    var source = FieldSource(seed: seed)
    var limits = HPACKLimits()
    if seed % 3 == 0 { (limits.maxTableBytes, limits.maxFields, limits.maxHeaderListBytes) = (300, 6, 400) }
    var decoder = HPACKDecoder(limits: limits, joinedMidstream: seed % 2 == 0)
    var list = HPACKFieldList()
    for _ in 0..<400 {
      var block = encoder.block(source.list())
      for _ in 0..<Int.random(in: 0...3, using: &random) where !block.isEmpty {
        let place = Int.random(in: 0..<block.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: block[place] = UInt8.random(in: 0...255, using: &random)
        case 1: block[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: block.removeSubrange(place...)
        case 3: block.insert(contentsOf: [0xff, 0xff, 0x7f].prefix(Int.random(in: 1...3, using: &random)), at: place)
        default: block.insert(contentsOf: block[place...], at: place)
        }
      }
      if Int.random(in: 0..<20, using: &random) == 0 {
        decoder.acknowledge(maximumTableSize: .random(in: 0...9000, using: &random))
      }
      list.removeAll()
      let outcome = block.withUnsafeBytes { decoder.decode($0, into: &list) }
      check(decoder, list, outcome)
    }
  }

  @Test("Every block of one, two and three bytes")
  func short() {
    var decoder = HPACKDecoder(joinedMidstream: true)
    var list = HPACKFieldList()
    for first in UInt8.min...UInt8.max {
      for second in stride(from: 0, through: 255, by: 3) {
        for block in [[first], [first, UInt8(second)], [first, UInt8(second), first ^ 0x55]] {
          list.removeAll()
          let outcome = block.withUnsafeBytes { decoder.decode($0, into: &list) }
          #expect(outcome.isComplete || outcome.isError)
        }
      }
    }
  }
}
