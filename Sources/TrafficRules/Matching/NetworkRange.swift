// Networks in CIDR notation (RFC 4632, RFC 4291). Owner: a value.

public import HTTPModel

/// `10.0.0.0/8`, `2001:db8::/32`, or one address.
public struct NetworkRange: Hashable, Sendable, CustomStringConvertible {
  public let address: IPAddress
  /// 0...32 or 0...128.
  public let prefixLength: Int

  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let address = IPAddress(parts[0]) else { return nil }
    let width = address.isIPv6 ? 128 : 32
    guard parts.count == 2 else {
      self.address = address
      prefixLength = width
      return
    }
    guard parts[1].count <= 3, parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let length = Int(parts[1]),
      length <= width
    else { return nil }
    self.address = address
    prefixLength = length
  }

  /// An IPv4 address mapped into IPv6 is in the networks of IPv4.
  public func contains(_ other: IPAddress) -> Bool {
    var other = other
    if !address.isIPv6, other.isIPv6, other.high == 0, other.low >> 32 == 0xffff {
      other = IPAddress(v4: UInt32(truncatingIfNeeded: other.low))
    }
    guard other.isIPv6 == address.isIPv6 else { return false }
    func differ(_ a: UInt64, _ b: UInt64, bits: Int, of width: Int) -> Bool {
      bits > 0 && (a ^ b) >> UInt64(width - bits) != 0
    }
    guard address.isIPv6 else { return !differ(address.low, other.low, bits: prefixLength, of: 32) }
    return !differ(address.high, other.high, bits: min(64, prefixLength), of: 64)
      && !differ(address.low, other.low, bits: max(0, prefixLength - 64), of: 64)
  }

  public var description: String { "\(address)/\(prefixLength)" }
}
