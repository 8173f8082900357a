/// What a packet turned out to be.
public enum PacketContent: Hashable, Sendable {
  case tcp(TCPSegment)
  /// A part of an IP datagram that cannot be read on its own.
  case fragment
  /// A whole packet of another protocol than TCP over IP.
  case notTCP
  case undecodable(PacketFault)
}

/// Why a packet's headers could not be read.
public enum PacketFault: String, CaseIterable, Sendable {
  /// The captured bytes end inside a header.
  case headerCut = "header-cut"
  /// The link type is not one that is read.
  case linkTypeUnknown = "link-type-unknown"
  /// The IP version is neither 4 nor 6, or not the one that the link header names.
  case ipVersionInvalid = "ip-version-invalid"
  /// A header length below the least or beyond the packet.
  case headerLengthInvalid = "header-length-invalid"
  /// More VLAN tags or IPv6 extension headers than are followed.
  case nestedTooDeep = "nested-too-deep"
}
