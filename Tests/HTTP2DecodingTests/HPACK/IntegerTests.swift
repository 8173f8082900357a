import HTTP2Decoding
import HTTPModel
import Testing

/// RFC 7541, 5.1.
@Suite("Integers")
struct IntegerTests {
  @Test("Values around every border of a byte", arguments: [30, 31, 32, 157, 158, 159, 16_413, 16_414, 2_097_181])
  func borders(value: Int) {
    var decoder = HPACKDecoder()
    decoder.acknowledge(maximumTableSize: .max)
    let outcome = decoder.decode(Wire.integer(value, prefix: 5, pattern: 0x20)).outcome
    #expect(outcome.isComplete && !outcome.isError && outcome.anomalies.isEmpty)
    #expect(decoder.maximumTableSize == value)
  }

  @Test("The largest, and zeroes that only make it longer")
  func largest() {
    var decoder = HPACKDecoder()
    decoder.acknowledge(maximumTableSize: .max)
    #expect(decoder.anomalies("3f e0ff ffff 0f") == [])
    #expect(decoder.maximumTableSize == Int(UInt32.max))
    #expect(decoder.anomalies("3f 8080 8080 00") == [])
    #expect(decoder.maximumTableSize == 31)
  }

  @Test(
    "What is too large, or too long",
    arguments: [
      "3f e1ff ffff 0f", "3f ffff ffff 7f", "3f 8080 8080 8000", "3f ffff ffff ffff ffff ff7f", "ff ffff ffff ff01",
      "7f ffff ffff 7f 0000", "00 7f ffff ffff ff7f",
    ])
  func overflow(block: String) {
    var decoder = HPACKDecoder()
    let outcome = decoder.decode(octets(block)).outcome
    #expect(outcome.anomalies.contains(.hpackIntegerOverflow))
    #expect(outcome.isError && !outcome.isComplete)
    #expect(decoder.knowledge == .partial)
  }

  @Test("A block that ends within a field is truncated, at every place")
  func truncation() {
    let block = octets("3f01 82 400a 6375 7374 6f6d 2d6b 6579 8925 a849 e95b b8e8 b4bf 7f80 01 03 3330 32")
    // Where fields end.
    let wholes: Set = [0, 2, 3, 25]
    for count in 0..<block.count {
      var decoder = HPACKDecoder()
      let outcome = decoder.decode(Array(block[..<count])).outcome
      #expect(outcome.isComplete == wholes.contains(count), "\(count) bytes")
      #expect(outcome.anomalies.contains(.hpackBlockTruncated) != wholes.contains(count), "\(count) bytes")
    }
  }
}
