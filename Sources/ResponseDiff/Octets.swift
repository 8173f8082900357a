// Bytes compared and quoted. Owner: pure functions.

import Glibc

/// One memcmp.
@inline(__always)
func equalBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  guard let x = a.baseAddress, let y = b.baseAddress else { return true }
  return memcmp(x, y, a.count) == 0
}

@inline(__always)
func equalBytes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
  a.withUnsafeBytes { x in b.withUnsafeBytes { y in equalBytes(x, y) } }
}

/// The first index at which two byte strings differ; the shorter one's count where it is the other's beginning.
func firstDifference(_ a: [UInt8], _ b: [UInt8]) -> Int {
  let limit = min(a.count, b.count)
  return a.withUnsafeBytes { x in
    b.withUnsafeBytes { y in
      var index = 0
      while index &+ 8 <= limit,
        x.loadUnaligned(fromByteOffset: index, as: UInt64.self)
          == y.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      { index &+= 8 }
      while index < limit, x[index] == y[index] { index &+= 1 }
      return index
    }
  }
}

/// Bytes as text for a person: cut at a limit between characters, what is not UTF-8 replaced.
func excerptText(_ bytes: some Collection<UInt8>, limit: Int) -> String {
  guard bytes.count > limit else { return String(decoding: bytes, as: UTF8.self) }
  var kept = Array(bytes.prefix(limit))
  // A sequence that the cut went through is taken off: at most three continuation bytes and their lead.
  var tail = 0
  while tail < 3, tail < kept.count, kept[kept.count - 1 - tail] & 0xc0 == 0x80 { tail += 1 }
  if tail < kept.count, kept[kept.count - 1 - tail] >= 0xc0 {
    let lead = kept[kept.count - 1 - tail]
    let needed = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1
    if tail < needed { kept.removeLast(tail + 1) }
  }
  return String(decoding: kept, as: UTF8.self) + "…"
}

/// 16 hex digits.
func hexText(_ word: UInt64) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
