/// What a packet turned out to carry.
public enum PacketContent: Hashable, Sendable {
  case tcp(TCPSegment)
  /// A part of an IP datagram that is not the whole of it. ``PacketParser/fragment(_:lengthOnWire:)`` tells which.
  case fragment
  /// Something else, or nothing, above the link layer.
  case notTCP
  case undecodable(PacketFault)
}

/// Why a packet's headers could not be read. A case names the first header that was wrong.
public enum PacketFault: UInt8, CaseIterable, Hashable, Sendable {
  /// The link type is not one that ``PacketParser`` reads.
  case linkTypeUnknown
  /// The packet ends within its link-layer header or a VLAN tag.
  case linkHeaderCut
  /// The capture ends within the header of a tunnel, a label or a tag's type.
  case tunnelHeaderCut
  /// More headers that wrap a packet than ``ParsingOptions/decapsulation`` allows, or more than 16 MPLS labels.
  case encapsulationTooDeep
  /// The packet ends within its IPv4 or IPv6 header or an IPv6 extension header.
  case ipHeaderCut
  /// The IP version is not the one that the link layer announced, or neither 4 nor 6.
  case ipVersion
  /// IPv4's header length is under 20 octets or beyond the total length.
  case ipv4HeaderLength
  /// An IPv6 extension header reaches beyond the payload length.
  case ipv6ExtensionLength
  /// The capture ends within the TCP header's first 20 octets.
  case tcpHeaderCut
  /// TCP's header reaches beyond the IP payload, or its data offset is under 20 octets.
  case tcpHeaderLength
  /// An IPv4 header's checksum is wrong. Told only with ``ParsingOptions/verifiesChecksums``.
  case ipv4Checksum
  /// TCP's checksum is wrong. Told only with ``ParsingOptions/verifiesChecksums``.
  case tcpChecksum

  /// The stable name, `layer.what`.
  public var identifier: String {
    switch self {
    case .linkTypeUnknown: "link.type-unknown"
    case .linkHeaderCut: "link.header-cut"
    case .tunnelHeaderCut: "tunnel.header-cut"
    case .encapsulationTooDeep: "tunnel.too-deep"
    case .ipHeaderCut: "ip.header-cut"
    case .ipVersion: "ip.version"
    case .ipv4HeaderLength: "ipv4.header-length"
    case .ipv6ExtensionLength: "ipv6.extension-length"
    case .tcpHeaderCut: "tcp.header-cut"
    case .tcpHeaderLength: "tcp.header-length"
    case .ipv4Checksum: "ipv4.checksum"
    case .tcpChecksum: "tcp.checksum"
    }
  }
}
