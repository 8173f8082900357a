// IPv4 (RFC 791) and IPv6 (RFC 8200) headers.
//
// A length of 0 stands for a datagram that segmentation offload handed to the capture in one piece, or for a jumbogram
// (RFC 2675): then the frame's length decides. A length beyond the frame is believed: the capture was cut by something
// that did not record the length on the wire.

import HTTPModel

extension Cursor {
  mutating func ip(_ packet: borrowing RawSpan) -> Step {
    guard has(1, in: packet) else { return .fault(.ipHeaderCut) }
    switch packet.load(offset, as: UInt8.self) >> 4 {
    case 4: return .next(.ipv4)
    case 6: return .next(.ipv6)
    default: return .fault(.ipVersion)
    }
  }

  @inline(__always)
  mutating func ipv4(_ packet: borrowing RawSpan) -> Step {
    guard has(20, in: packet) else { return .fault(.ipHeaderCut) }
    let first = packet.load(offset, as: UInt8.self)
    guard first >> 4 == 4 else { return .fault(.ipVersion) }
    let headerLength = Int(first & 0xf) * 4
    let totalLength = Int(packet.load(offset + 2, as: UInt16.self))
    if totalLength != 0 { end = offset + totalLength }
    guard headerLength >= 20, offset + headerLength <= end else { return .fault(.ipv4HeaderLength) }
    // More fragments, or a fragment offset.
    if packet.load(offset + 6, as: UInt16.self) & 0x3fff != 0 { return .fragment }
    let following = packet.load(offset + 9, as: UInt8.self)
    source = IPAddress(v4: packet.load(offset + 12))
    destination = IPAddress(v4: packet.load(offset + 16))
    offset += headerLength
    return following == IPProtocol.tcp ? .next(.tcp) : .notTCP
  }

  mutating func ipv6(_ packet: borrowing RawSpan) -> Step {
    guard has(40, in: packet) else { return .fault(.ipHeaderCut) }
    guard packet.load(offset, as: UInt8.self) >> 4 == 6 else { return .fault(.ipVersion) }
    let payloadLength = Int(packet.load(offset + 4, as: UInt16.self))
    if payloadLength != 0 { end = offset + 40 + payloadLength }
    let following = packet.load(offset + 6, as: UInt8.self)
    source = IPAddress(v6High: packet.load(offset + 8), v6Low: packet.load(offset + 16))
    destination = IPAddress(v6High: packet.load(offset + 24), v6Low: packet.load(offset + 32))
    offset += 40
    return following == IPProtocol.tcp ? .next(.tcp) : extensionHeaders(from: following, packet)
  }

  /// The chain of extension headers: each begins with the next one's number, most with a length behind it.
  /// A fragment header without offset or more fragments is an atomic fragment, a whole datagram (RFC 6946).
  private mutating func extensionHeaders(from first: UInt8, _ packet: borrowing RawSpan) -> Step {
    var current = first
    while current != IPProtocol.tcp {
      guard IPProtocol.isExtension(current) else { return .notTCP }
      guard has(8, in: packet) else { return .fault(offset + 8 > end ? .ipv6ExtensionLength : .ipHeaderCut) }
      let units = Int(packet.load(offset + 1, as: UInt8.self))
      let length: Int
      switch current {
      case IPProtocol.fragment:
        if packet.load(offset + 2, as: UInt16.self) & 0xfff9 != 0 { return .fragment }
        length = 8
      case IPProtocol.authentication: length = (units + 2) * 4
      default: length = (units + 1) * 8
      }
      current = packet.load(offset, as: UInt8.self)
      offset += length
      guard offset <= end else { return .fault(.ipv6ExtensionLength) }
    }
    return .next(.tcp)
  }
}

/// Numbers of the IPv4 protocol and IPv6 next-header fields (IANA, Assigned Internet Protocol Numbers).
private enum IPProtocol {
  static let hopByHop: UInt8 = 0
  static let tcp: UInt8 = 6
  static let routing: UInt8 = 43
  static let fragment: UInt8 = 44
  static let authentication: UInt8 = 51
  static let destinationOptions: UInt8 = 60
  static let mobility: UInt8 = 135
  static let hostIdentity: UInt8 = 139
  static let shim6: UInt8 = 140

  static func isExtension(_ number: UInt8) -> Bool {
    switch number {
    case hopByHop, routing, fragment, authentication, destinationOptions, mobility, hostIdentity, shim6: true
    default: false
    }
  }
}
