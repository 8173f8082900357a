// Purpose: what single bytes are in HTTP/1 grammar (RFC 9110, 5.6), and fast looks at runs of them.

import Glibc
import HTTPModel

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
  firstOctet(
    of: base, from: start, to: end,
    isInBlock: { $0 .< SIMD16(repeating: 0x20) .| ($0 .== SIMD16(repeating: 0x7f)) },
    isOne: { $0 < 0x20 || $0 == 0x7f }) ?? end
}

/// Whether `count` bytes at `bytes` are `lowercase` when A-Z count as a-z.
@inline(__always)
func isName(_ bytes: Octets, _ count: Int, _ lowercase: StaticString) -> Bool {
  guard count == lowercase.utf8CodeUnitCount else { return false }
  let name = lowercase.utf8Start
  for index in 0..<count where Octet.folded(bytes[index]) != name[index] { return false }
  return true
}
