// Purpose: what single bytes are in HTTP/1 grammar (RFC 9110, 5.6), and fast looks at runs of them.

import Glibc

typealias Octets = UnsafePointer<UInt8>

enum Octet {
  static let lf: UInt8 = 0x0a
  static let cr: UInt8 = 0x0d
  static let space: UInt8 = 0x20
  static let tab: UInt8 = 0x09
  static let comma: UInt8 = 0x2c
  static let colon: UInt8 = 0x3a
  static let semicolon: UInt8 = 0x3b

  /// Of each byte value "1" where it may stand in a token, else "0".
  private static let tokenClass: StaticString = """
    0000000000000000000000000000000001011111001101101111111111000000\
    0111111111111111111111111110001111111111111111111111111111101010\
    0000000000000000000000000000000000000000000000000000000000000000\
    0000000000000000000000000000000000000000000000000000000000000000
    """

  /// The table behind ``isToken(_:)``, for loops.
  @inline(__always)
  static var tokenTable: Octets { tokenClass.utf8Start }

  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool { tokenTable[Int(byte)] == 0x31 }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// SP or HTAB.
  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

  /// Not a control, not SP, not DEL.
  @inline(__always)
  static func isVisible(_ byte: UInt8) -> Bool { byte > 0x20 && byte != 0x7f }

  @inline(__always)
  static func folded(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}

/// The index of the first line feed in `start ..< end`.
@inline(__always)
func lineFeed(_ base: Octets, from start: Int, to end: Int) -> Int? {
  guard start < end, let found = memchr(base + start, Int32(Octet.lf), end &- start) else { return nil }
  return UnsafeRawPointer(found) - UnsafeRawPointer(base)
}

/// The index of the first control (HTAB and DEL among them) in `start ..< end`; `end` where there is none.
@inline(__always)
func firstControl(_ base: Octets, from start: Int, to end: Int) -> Int {
  let raw = UnsafeRawPointer(base)
  let (space, del) = (Lanes(repeating: 0x20), Lanes(repeating: 0x7f))
  var index = start
  while end &- index >= 16 {
    let block = raw.loadUnaligned(fromByteOffset: index, as: Lanes.self)
    // A mask's lane is 0 or -1.
    let found = unsafeBitCast(allOnes(block .< space) | allOnes(block .== del), to: SIMD2<UInt64>.self)
    if found[0] | found[1] != 0 {
      // The lanes stand in the words as the octets do in memory, the first one lowest.
      return found[0] != 0
        ? index &+ found[0].littleEndian.trailingZeroBitCount >> 3
        : index &+ 8 &+ found[1].littleEndian.trailingZeroBitCount >> 3
    }
    index &+= 16
  }
  while index < end {
    let byte = base[index]
    if byte < 0x20 || byte == 0x7f { return index }
    index &+= 1
  }
  return end
}

private typealias Lanes = SIMD16<UInt8>

@inline(__always)
private func allOnes(_ mask: SIMDMask<SIMD16<Int8>>) -> Lanes { unsafeBitCast(mask, to: Lanes.self) }

/// Whether `count` bytes at `bytes` are `lowercase` when A-Z count as a-z.
@inline(__always)
func isName(_ bytes: Octets, _ count: Int, _ lowercase: StaticString) -> Bool {
  guard count == lowercase.utf8CodeUnitCount else { return false }
  let name = lowercase.utf8Start
  for index in 0..<count where Octet.folded(bytes[index]) != name[index] { return false }
  return true
}
