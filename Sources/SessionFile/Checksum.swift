// CRC-32C (Castagnoli, RFC 3720 B.4): bytes to 32 bits.
//
// By the processor's instruction where it has one (on x86-64 about 20 GB/s), else eight bytes at a time through tables
// (1 GB/s).

import CZstd

enum CRC32C {
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let base = bytes.baseAddress else { return 0 }
    return hasInstruction ? ~umbra_crc32c_update(~0, base, bytes.count) : portable(bytes)
  }

  static func checksum(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt32 {
    checksum(UnsafeRawBufferPointer(rebasing: bytes))
  }

  static func checksum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { checksum($0) } }

  private static let hasInstruction = umbra_crc32c_available() != 0

  /// Slicing by eight: table n holds the CRC of a byte that n zero bytes follow.
  static func portable(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var state: UInt32 = ~0
    var offset = 0
    return tables.withUnsafeBufferPointer { table in
      while bytes.count &- offset >= 8 {
        let word = bytes.little(offset, UInt64.self) ^ UInt64(state)
        state = 0
        for position in 0..<8 {
          let byte = Int(truncatingIfNeeded: word >> UInt64(position &* 8)) & 0xff
          state ^= table[(7 &- position) &* 256 &+ byte]
        }
        offset &+= 8
      }
      while offset < bytes.count {
        state = table[Int(UInt8(truncatingIfNeeded: state) ^ bytes[offset])] ^ state >> 8
        offset &+= 1
      }
      return ~state
    }
  }

  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var value = UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
      tables[byte] = value
    }
    for table in 1..<8 {
      for byte in 0..<256 {
        let shorter = tables[(table - 1) * 256 + byte]
        tables[table * 256 + byte] = tables[Int(shorter & 0xff)] ^ shorter >> 8
      }
    }
    return tables
  }()
}
