// Bytes compared and quoted. Owner: pure functions.

import Glibc
import HTTPModel

/// One memcmp.
@inline(__always)
func equalBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  guard let x = a.baseAddress, let y = b.baseAddress else { return true }
  return x == y || memcmp(x, y, a.count) == 0
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

/// Bytes as text for a person: what is not UTF-8 replaced, at most `limit` bytes and an ellipsis.
func excerptText(_ bytes: some Collection<UInt8>, limit: Int) -> String {
  // A character that this prefix cuts begins after the limit.
  let text = String(decoding: bytes.prefix(limit + 4), as: UTF8.self)
  if bytes.count <= limit, text.utf8.count <= limit { return text }
  var end = text.utf8.index(text.startIndex, offsetBy: min(limit, text.utf8.count))
  while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
  return text[..<end] + "…"
}

/// A name that is kept for long: whole up to 1 KB, else its beginning and a hash of all of it.
func boundedName(_ name: String) -> String {
  guard name.utf8.count > 1024 else { return name }
  var hash = BodyHash()
  hash.update(Array(name.utf8))
  return excerptText(Array(name.utf8), limit: 960) + hexText(hash.value)
}

/// 16 hex digits.
func hexText(_ word: UInt64) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
