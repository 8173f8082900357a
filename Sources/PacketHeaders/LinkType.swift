/// What the first bytes of a captured packet are: a LINKTYPE_ value as in saved captures.
///
/// Source: https://www.tcpdump.org/linktypes.html. libpcap's DLT_ values of live interfaces are the same numbers, but
/// for DLT_RAW, which is 12 on Linux and accepted here too.
public struct LinkType: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// BSD loopback: a 4-byte protocol family in the byte order of the capturing host.
  public static let null = LinkType(rawValue: 0)
  public static let ethernet = LinkType(rawValue: 1)
  /// IPv4 or IPv6 without a link header, under three numbers.
  public static let rawDLT = LinkType(rawValue: 12)
  public static let rawOpenBSD = LinkType(rawValue: 14)
  public static let raw = LinkType(rawValue: 101)
  /// OpenBSD loopback: a 4-byte protocol family in network byte order.
  public static let loop = LinkType(rawValue: 108)
  /// Linux cooked capture, as of `-i any`.
  public static let linuxCooked = LinkType(rawValue: 113)
  public static let ipv4 = LinkType(rawValue: 228)
  public static let ipv6 = LinkType(rawValue: 229)
  /// Linux cooked capture, version 2.
  public static let linuxCooked2 = LinkType(rawValue: 276)

  /// Whether ``PacketParser`` can read it.
  public var isSupported: Bool {
    switch self {
    case .null, .ethernet, .rawDLT, .rawOpenBSD, .raw, .loop, .linuxCooked, .ipv4, .ipv6, .linuxCooked2: true
    default: false
    }
  }
}

extension LinkType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .null: "NULL"
    case .ethernet: "Ethernet"
    case .rawDLT, .rawOpenBSD, .raw: "RAW"
    case .loop: "LOOP"
    case .linuxCooked: "SLL"
    case .ipv4: "IPv4"
    case .ipv6: "IPv6"
    case .linuxCooked2: "SLL2"
    default: "link type \(rawValue)"
    }
  }
}
