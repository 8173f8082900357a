/// An IPv4 or IPv6 address, held inline.
public struct IPAddress: Hashable, Sendable {
  /// The first eight octets of an IPv6 address; 0 for IPv4.
  public let high: UInt64
  /// The last eight octets; an IPv4 address in its low 32 bits.
  public let low: UInt64
  /// False for IPv4; an IPv4 address mapped into IPv6 counts as the latter.
  public let isIPv6: Bool

  /// - Parameter v4: the four octets, the first in the most significant byte.
  public init(v4: UInt32) { (high, low, isIPv6) = (0, UInt64(v4), false) }

  public init(v6High: UInt64, v6Low: UInt64) { (high, low, isIPv6) = (v6High, v6Low, true) }

  /// Dotted decimal, or RFC 4291 text with or without `::` and a trailing IPv4 part. No zone, no brackets.
  public init?(_ text: some StringProtocol) {
    if text.contains(":") {
      guard let groups = IPAddress.groups(text) else { return nil }
      let words = stride(from: 0, to: 8, by: 4).map { start in
        groups[start..<start + 4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
      }
      self.init(v6High: words[0], v6Low: words[1])
    } else {
      guard let value = IPAddress.dotted(text) else { return nil }
      self.init(v4: value)
    }
  }

  /// 127.0.0.0/8, `::1`, and the former mapped into IPv6.
  public var isLoopback: Bool {
    if !isIPv6 { return low >> 24 == 127 }
    return high == 0 && (low == 1 || low >> 32 == 0xffff && low >> 24 & 0xff == 127)
  }

  private static func dotted(_ text: some StringProtocol) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard part.count <= 3, part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let octet = UInt8(part) else {
        return nil
      }
      value = value << 8 | UInt32(octet)
    }
    return value
  }

  private static func groups(_ text: some StringProtocol) -> [UInt16]? {
    var head: [UInt16] = []
    var tail: [UInt16]? = nil
    var rest = text[...]
    if rest.hasPrefix("::") {
      tail = []
      rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
      let part = rest.prefix { $0 != ":" }
      rest = rest.dropFirst(part.count)
      var values: [UInt16]
      if part.contains(".") {
        guard rest.isEmpty, let v4 = dotted(part) else { return nil }
        values = [UInt16(v4 >> 16), UInt16(truncatingIfNeeded: v4)]
      } else {
        guard (1...4).contains(part.count), let value = UInt16(part, radix: 16) else { return nil }
        values = [value]
      }
      if tail == nil { head += values } else { tail! += values }
      if rest.hasPrefix("::") {
        guard tail == nil else { return nil }
        tail = []
        rest = rest.dropFirst(2)
      } else if rest.hasPrefix(":") {
        rest = rest.dropFirst(1)
        if rest.isEmpty { return nil }
      }
    }
    guard let tail else { return head.count == 8 ? head : nil }
    let missing = 8 - head.count - tail.count
    return missing >= 1 ? head + Array(repeating: 0, count: missing) + tail : nil
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted decimal, or the canonical text of RFC 5952 (longest run of zeroes shortened, lower case).
  public var description: String {
    guard isIPv6 else {
      return "\(low >> 24 & 0xff).\(low >> 16 & 0xff).\(low >> 8 & 0xff).\(low & 0xff)"
    }
    if high == 0, low >> 32 == 0xffff { return "::ffff:\(IPAddress(v4: UInt32(truncatingIfNeeded: low)))" }
    let groups = (0..<8).map { index in
      UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - index % 4 * 16))
    }
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > max(best.count, 1) { best = start..<end }
      start = max(end, start + 1)
    }
    func join(_ range: Range<Int>) -> String {
      groups[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    return best.isEmpty ? join(0..<8) : join(0..<best.lowerBound) + "::" + join(best.upperBound..<8)
  }
}

/// An address and a TCP port.
public struct TransportAddress: Hashable, Sendable, CustomStringConvertible {
  /// The host.
  public var address: IPAddress
  /// The TCP port.
  public var port: UInt16

  public init(address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// `127.0.0.1:8080`, or `[::1]:8080`.
  public var description: String { address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)" }
}
