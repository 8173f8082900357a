// IPv4 (RFC 791) and IPv6 (RFC 8200) headers.
//
// A length of 0 stands for a datagram that segmentation offload handed to the capture in one piece, or for a jumbogram
// (RFC 2675): then the frame's length decides. A length beyond the frame is believed: the capture, or a mirror before it,
// cut the packet and did not record the length on the wire.

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
    if bounds.verifiesChecksums, !isIPv4HeaderSound(headerLength, packet) { return .fault(.ipv4Checksum) }
    source = IPAddress(v4: packet.load(offset + 12))
    destination = IPAddress(v4: packet.load(offset + 16))
    // More fragments, or a fragment offset.
    if packet.load(offset + 6, as: UInt16.self) & 0x3fff != 0 { return .fragment }
    let following = packet.load(offset + 9, as: UInt8.self)
    offset += headerLength
    return following == IPProtocol.tcp ? .next(.tcp) : carried(following, packet)
  }

  @inline(__always)
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
  mutating func extensionHeaders(from first: UInt8, _ packet: borrowing RawSpan) -> Step {
    var current = first
    while IPProtocol.isExtension(current) {
      guard has(8, in: packet) else { return .fault(offset + 8 > end ? .ipv6ExtensionLength : .ipHeaderCut) }
      let units = Int(packet.load(offset + 1, as: UInt8.self))
      let length: Int
      switch current {
      case IPProtocol.fragment:
        if packet.load(offset + 2, as: UInt16.self) & 0xfff9 != 0 { return .fragment }
        length = 8
      case IPProtocol.authentication: length = (units + 2) * 4
      case IPProtocol.routing:
        length = (units + 1) * 8
        route(length, packet)
      default: length = (units + 1) * 8
      }
      current = packet.load(offset, as: UInt8.self)
      offset += length
      guard offset <= end else { return .fault(.ipv6ExtensionLength) }
    }
    return carried(current, packet)
  }

  /// On its way through a routing header a packet's destination is the next stop; the connection's is the last one.
  /// It stands at the end of the list of types 0 and 2, and at the beginning of a segment routing header's (RFC 8754).
  private mutating func route(_ length: Int, _ packet: borrowing RawSpan) {
    guard length >= 24, has(length, in: packet), packet.load(offset + 3, as: UInt8.self) > 0 else { return }
    let place: Int
    switch packet.load(offset + 2, as: UInt8.self) {
    case 0, 2: place = offset + 8 + (length - 24) / 16 * 16
    case 4: place = offset + 8
    default: return
    }
    destination = IPAddress(v6High: packet.load(place), v6Low: packet.load(place + 8))
  }

  /// What an IP header carries, by its protocol number. An authentication header (RFC 4302) hides nothing.
  mutating func carried(_ number: UInt8, _ packet: borrowing RawSpan) -> Step {
    var number = number
    while number == IPProtocol.authentication {
      guard has(8, in: packet) else { return missing(8) }
      number = packet.load(offset, as: UInt8.self)
      offset += (Int(packet.load(offset + 1, as: UInt8.self)) + 2) * 4
      guard offset <= end else { return .notTCP }
    }
    if number == IPProtocol.tcp { return .next(.tcp) }
    guard bounds.entersTunnels else { return .notTCP }
    switch number {
    case IPProtocol.udp: return .next(.udp)
    case IPProtocol.gre: return .next(.gre)
    case IPProtocol.ipv4, IPProtocol.ipv6:
      encapsulation.append(tunnelBetween: source, and: destination)
      return wrapped(number == IPProtocol.ipv4 ? .ipv4 : .ipv6)
    case IPProtocol.mpls: return .next(.mpls)
    case IPProtocol.etherIP: return wrapped(.etherIP)
    case IPProtocol.ethernet:
      encapsulation.append(tunnelBetween: source, and: destination)
      return wrapped(.ethernet)
    default: return .notTCP
    }
  }

  // MARK: Fragments

  /// What stands at the cursor, which found it to be a fragment.
  func fragment(_ packet: borrowing RawSpan) -> IPFragment {
    source.isIPv6 ? ipv6Fragment(packet) : ipv4Fragment(packet)
  }

  private func ipv4Fragment(_ packet: borrowing RawSpan) -> IPFragment {
    let field = packet.load(offset + 6, as: UInt16.self)
    let headerLength = Int(packet.load(offset, as: UInt8.self) & 0xf) * 4
    return fragment(
      from: offset + headerLength, identification: UInt32(packet.load(offset + 4, as: UInt16.self)),
      protocolNumber: packet.load(offset + 9, as: UInt8.self), offset: Int(field & 0x1fff) * 8,
      hasMore: field & 0x2000 != 0, packet)
  }

  private func ipv6Fragment(_ packet: borrowing RawSpan) -> IPFragment {
    let field = packet.load(offset + 2, as: UInt16.self)
    return fragment(
      from: offset + 8, identification: packet.load(offset + 4, as: UInt32.self),
      protocolNumber: packet.load(offset, as: UInt8.self), offset: Int(field & 0xfff8), hasMore: field & 1 != 0,
      packet)
  }

  private func fragment(
    from start: Int, identification: UInt32, protocolNumber: UInt8, offset: Int, hasMore: Bool,
    _ packet: borrowing RawSpan
  ) -> IPFragment {
    IPFragment(
      source: source, destination: destination, identification: identification, protocolNumber: protocolNumber,
      offset: offset, hasMore: hasMore, payload: min(start, packet.byteCount)..<min(end, packet.byteCount),
      payloadLengthOnWire: end - start, encapsulation: encapsulation, depth: depth)
  }
}

/// Numbers of the IPv4 protocol and IPv6 next-header fields (IANA, Assigned Internet Protocol Numbers).
private enum IPProtocol {
  static let hopByHop: UInt8 = 0
  static let ipv4: UInt8 = 4
  static let tcp: UInt8 = 6
  static let udp: UInt8 = 17
  static let ipv6: UInt8 = 41
  static let routing: UInt8 = 43
  static let fragment: UInt8 = 44
  static let gre: UInt8 = 47
  static let authentication: UInt8 = 51
  static let destinationOptions: UInt8 = 60
  static let etherIP: UInt8 = 97
  static let mobility: UInt8 = 135
  static let mpls: UInt8 = 137
  static let hostIdentity: UInt8 = 139
  static let shim6: UInt8 = 140
  static let ethernet: UInt8 = 143

  static func isExtension(_ number: UInt8) -> Bool {
    switch number {
    case hopByHop, routing, fragment, authentication, destinationOptions, mobility, hostIdentity, shim6: true
    default: false
    }
  }
}
