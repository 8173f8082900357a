import Testing

@testable import SessionFile

@Suite struct ChecksumTests {
  /// RFC 3720, B.4, and the customary check value.
  @Test func knownValues() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(CRC32C.checksum([UInt8](0..<32)) == 0x46dd_794e)
    #expect(CRC32C.checksum([]) == 0)
  }

  @Test func portableFormAgreesWithTheInstruction() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
    for start in 0..<9 {
      for end in start..<300 {
        let (fast, slow) = bytes.withUnsafeBytes {
          let part = UnsafeRawBufferPointer(rebasing: $0[start..<end])
          return (CRC32C.checksum(part), CRC32C.portable(part))
        }
        #expect(fast == slow)
      }
    }
  }

  /// Three stretches of 1 KiB are taken at a time.
  @Test func longStretchesAreJoined() {
    var random = SeededGenerator(seed: 12)
    let bytes = random.bytes(40_000)
    for length in [3071, 3072, 3073, 3080, 6143, 6144, 6151, 9216, 20_000, 39_990] {
      for start in [0, 1, 7] {
        let (fast, slow) = bytes.withUnsafeBytes {
          let part = UnsafeRawBufferPointer(rebasing: $0[start..<start + length])
          return (CRC32C.checksum(part), CRC32C.portable(part))
        }
        #expect(fast == slow, "\(length) from \(start)")
      }
    }
  }
}
