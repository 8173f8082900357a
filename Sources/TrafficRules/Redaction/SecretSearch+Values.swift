// Secrets that are known by their value, in whatever stands around them. Bounds: one pass for each value and spelling.

import Glibc

extension SecretSearch {
  mutating func searchValues(_ bytes: UnsafeMutableBufferPointer<UInt8>) {
    for value in catalog.values where value.count <= bytes.count {
      var index = 0
      while index <= bytes.count - value.count, let base = bytes.baseAddress,
        let found = memchr(base + index, Int32(value[0]), bytes.count - value.count - index + 1)
      {
        let start = UnsafeMutableRawPointer(base).distance(to: found)
        guard memcmp(found, value, value.count) == 0 else {
          index = start + 1
          continue
        }
        writer.hide(bytes, start..<start + value.count, .plain, name: "value")
        index = start + value.count
      }
    }
  }

  /// Values as they stand in plain text, in URLs and in JSON; the longest first, since one may hold another.
  static func spellings(of values: [[UInt8]]) -> [[UInt8]] {
    var spellings: Set<[UInt8]> = []
    for value in values where !value.isEmpty {
      spellings.insert(value)
      for digit in [UInt8(0x37), 0x57] { spellings.insert(percentEncoded(value, digit: digit)) }
      let quoted = value.flatMap { $0 == 0x22 || $0 == 0x5c ? [0x5c, $0] : [$0] }
      spellings.insert(quoted)
      spellings.insert(quoted.flatMap { $0 == 0x2f ? [0x5c, $0] : [$0] })
    }
    return spellings.sorted { $0.count > $1.count }
  }

  /// - Parameter digit: what a hexadecimal digit above 9 is added to.
  private static func percentEncoded(_ value: [UInt8], digit: UInt8) -> [UInt8] {
    value.flatMap { byte -> [UInt8] in
      if byte < 0x80 && SecretText.isSubstance(byte) || "-._~".utf8.contains(byte) { return [byte] }
      return [0x25] + [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : digit + $0 }
    }
  }
}
