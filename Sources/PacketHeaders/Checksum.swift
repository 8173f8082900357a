// The Internet checksum (RFC 1071), for those who want damaged packets refused.

import HTTPModel

extension Cursor {
  /// Whether the IPv4 header at the cursor sums up. All of it was captured, or nothing can be said.
  @inline(never)
  mutating func isIPv4HeaderSound(_ length: Int, _ packet: borrowing RawSpan) -> Bool {
    guard offset + length <= packet.byteCount else { return true }
    return folded(sum(packet, offset..<offset + length)) == 0xffff
  }

  /// Whether the TCP segment at the cursor sums up with its pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1).
  @inline(never)
  mutating func isTCPSound(_ packet: borrowing RawSpan) -> Bool {
    guard end <= packet.byteCount else { return true }
    var total = sum(packet, offset..<end) + 6 + UInt64(end - offset)
    for address in [source, destination] {
      total += address.high >> 32 + address.high & 0xffff_ffff + address.low >> 32 + address.low & 0xffff_ffff
    }
    return folded(total) == 0xffff
  }

  /// The sum of 32-bit words, an odd end filled up with zeroes: it has the same remainder as that of 16-bit words.
  private func sum(_ packet: borrowing RawSpan, _ range: Range<Int>) -> UInt64 {
    var total: UInt64 = 0
    var position = range.lowerBound
    while position + 4 <= range.upperBound {
      total &+= UInt64(packet.load(position, as: UInt32.self))
      position += 4
    }
    var shift: UInt64 = 24
    while position < range.upperBound {
      total &+= UInt64(packet.load(position, as: UInt8.self)) << shift
      position += 1
      shift -= 8
    }
    return total
  }

  private func folded(_ total: UInt64) -> UInt64 {
    var total = total
    while total > 0xffff { total = total >> 16 + total & 0xffff }
    return total
  }
}
