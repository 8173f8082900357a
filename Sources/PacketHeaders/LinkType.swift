/// The protocol that a captured packet's first bytes belong to.
///
/// Values are the LINKTYPE_ numbers that pcap and pcapng files store; libpcap's DLT_ numbers agree with them for the link
/// types named here but for raw IP, which has two more. Source: https://www.tcpdump.org/linktypes.html.
public struct LinkType: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt32

  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// BSD loopback: a 4-octet address family in the byte order of the capturing host.
  public static let null = LinkType(rawValue: 0)
  /// Ethernet II and IEEE 802.3.
  public static let ethernet = LinkType(rawValue: 1)
  /// Raw IP as Linux's libpcap numbers it (DLT_RAW).
  public static let rawDLT12 = LinkType(rawValue: 12)
  /// Raw IP as OpenBSD's libpcap numbers it (DLT_RAW).
  public static let rawDLT14 = LinkType(rawValue: 14)
  /// Raw IP: the version nibble tells IPv4 from IPv6.
  public static let raw = LinkType(rawValue: 101)
  /// OpenBSD loopback: a 4-octet address family in network byte order.
  public static let loop = LinkType(rawValue: 108)
  /// Linux cooked capture, version 1.
  public static let linuxCooked = LinkType(rawValue: 113)
  /// PPP, with or without address and control octets.
  public static let ppp = LinkType(rawValue: 9)
  /// PPP in HDLC framing (RFC 1662), or Cisco's HDLC.
  public static let pppHDLC = LinkType(rawValue: 50)
  /// PPPoE from its header on (RFC 2516).
  public static let pppoe = LinkType(rawValue: 51)
  public static let ciscoHDLC = LinkType(rawValue: 104)
  /// IEEE 802.11.
  public static let wireless = LinkType(rawValue: 105)
  /// IEEE 802.11 behind a radiotap header.
  public static let radiotap = LinkType(rawValue: 127)
  public static let linuxARCNET = LinkType(rawValue: 129)
  /// Per-packet information, then a packet of the type that it names.
  public static let perPacketInformation = LinkType(rawValue: 192)
  /// An MPLS label stack.
  public static let mpls = LinkType(rawValue: 219)
  /// The netfilter log.
  public static let nflog = LinkType(rawValue: 239)
  public static let ipv4 = LinkType(rawValue: 228)
  public static let ipv6 = LinkType(rawValue: 229)
  /// Linux cooked capture, version 2; it carries the interface's index.
  public static let linuxCooked2 = LinkType(rawValue: 276)
}

extension LinkType: CustomStringConvertible {
  /// `Ethernet`, or `link type 147` for one that has no name here.
  public var description: String {
    switch self {
    case .null: "BSD loopback"
    case .ethernet: "Ethernet"
    case .raw, .rawDLT12, .rawDLT14: "raw IP"
    case .loop: "OpenBSD loopback"
    case .linuxCooked: "Linux cooked"
    case .ipv4: "raw IPv4"
    case .ipv6: "raw IPv6"
    case .linuxCooked2: "Linux cooked v2"
    case .ppp: "PPP"
    case .pppHDLC: "PPP in HDLC framing"
    case .pppoe: "PPPoE"
    case .ciscoHDLC: "Cisco HDLC"
    case .wireless: "IEEE 802.11"
    case .radiotap: "IEEE 802.11 with radiotap"
    case .linuxARCNET: "Linux ARCNET"
    case .perPacketInformation: "per-packet information"
    case .mpls: "MPLS"
    case .nflog: "netfilter log"
    default: "link type \(rawValue)"
    }
  }

  /// Whether ``PacketParser`` finds TCP in packets of this type.
  public var isSupported: Bool { Layer(self) != nil }
}
