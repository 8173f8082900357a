// Link-layer headers: Ethernet, VLAN tags, IEEE 802.2, Linux cooked capture, loopback, ARCNET, the kernel's packet log.
//
// Sources: IEEE 802.3, 802.1Q, 802.2; RFC 1042; https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html,
// LINKTYPE_LINUX_SLL2.html, LINKTYPE_NFLOG.html.

extension Cursor {
  /// Two addresses and a type. A type under 1536 is an IEEE 802.3 length.
  @inline(__always)
  mutating func ethernet(_ packet: borrowing RawSpan) -> Step {
    guard has(14, in: packet) else { return .fault(.linkHeaderCut) }
    let type = packet.load(offset + 12, as: UInt16.self)
    offset += 14
    return type == 0x0800 ? .next(.ipv4) : follow(type)
  }

  /// Packet type, ARPHRD, address length, address, protocol: 16 octets.
  mutating func linuxCooked(_ packet: borrowing RawSpan) -> Step {
    guard has(16, in: packet) else { return .fault(.linkHeaderCut) }
    let type = packet.load(14, as: UInt16.self)
    offset = 16
    return follow(type)
  }

  /// Protocol, reserved, interface index, ARPHRD, packet type, address length, address: 20 octets.
  mutating func linuxCooked2(_ packet: borrowing RawSpan) -> Step {
    guard has(20, in: packet) else { return .fault(.linkHeaderCut) }
    let type = packet.load(0, as: UInt16.self)
    offset = 20
    return follow(type)
  }

  /// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin.
  /// A family fits two octets, so in a number over 65535 the capturing host's byte order was the other one.
  mutating func addressFamily(_ packet: borrowing RawSpan, isNetworkOrder: Bool) -> Step {
    guard has(4, in: packet) else { return .fault(.linkHeaderCut) }
    let stored = packet.load(0, as: UInt32.self)
    offset = 4
    switch !isNetworkOrder && stored > 0xffff ? stored.byteSwapped : stored {
    case 2: return .next(.ipv4)
    case 10, 24, 28, 30: return .next(.ipv6)
    default: return .notTCP
    }
  }

  /// Identifier 0 is a priority without a network.
  mutating func vlanTag(_ packet: borrowing RawSpan) -> Step {
    guard has(4, in: packet) else { return .fault(.linkHeaderCut) }
    let identifier = packet.load(offset, as: UInt16.self) & 0xfff
    if identifier != 0 { encapsulation.append(vlan: identifier) }
    let type = packet.load(offset + 2, as: UInt16.self)
    offset += 4
    return wrapped(follow(type))
  }

  /// The two service access points and the control octet of SNAP, an organization, and a type.
  mutating func llc(_ packet: borrowing RawSpan) -> Step {
    guard has(8, in: packet) else { return offset + 8 > end ? .notTCP : .fault(.linkHeaderCut) }
    guard packet.load(offset, as: UInt32.self) >> 8 == 0xaaaa03 else { return .notTCP }
    let organization = packet.load(offset + 2, as: UInt32.self) & 0xff_ffff
    let type = packet.load(offset + 6, as: UInt16.self)
    offset += 8
    // 0000f8: IEEE 802.1H, for the types that RFC 1042 cannot bridge.
    guard organization == 0 || organization == 0x0000f8, type >= 0x0600 else { return .notTCP }
    return follow(type)
  }

  /// Linux's ARCNET: source, destination, two octets of offset, and a system code. 240 is IP by RFC 1051, which follows at
  /// once, and 212 by RFC 1201, behind a flag and a sequence number; a flag that is not 0 marks a part of a datagram.
  mutating func arcnet(_ packet: borrowing RawSpan) -> Step {
    guard has(5, in: packet) else { return .fault(.linkHeaderCut) }
    switch packet.load(4, as: UInt8.self) {
    case 240: offset = 5
    case 212:
      guard has(8, in: packet) else { return .fault(.linkHeaderCut) }
      guard packet.load(5, as: UInt8.self) == 0 else { return .notTCP }
      offset = 8
    default: return .notTCP
    }
    return .next(.ipv4)
  }

  /// Family, version, resource; then attributes of a length, a type and a value, lengths and types in the byte order of the
  /// capturing host. Type 9 is the packet. Of the two ways to read a length the smaller one is meant.
  mutating func nflog(_ packet: borrowing RawSpan) -> Step {
    guard has(4, in: packet) else { return .fault(.linkHeaderCut) }
    offset = 4
    while has(4, in: packet) {
      let stored = packet.load(offset, as: UInt16.self)
      let isSwapped = stored.byteSwapped < stored
      let length = Int(isSwapped ? stored.byteSwapped : stored)
      let type = packet.load(offset + 2, as: UInt16.self)
      guard length >= 4 else { return .fault(.linkHeaderCut) }
      if (isSwapped ? type.byteSwapped : type) & 0x7fff == 9 {
        offset += 4
        return .next(.ip)
      }
      offset += (length + 3) & ~3
    }
    return offset < end ? .fault(.linkHeaderCut) : .notTCP
  }

  /// The layer that an EtherType announces. 0x8100, 0x88a8, 0x9100 and 0x9200: 802.1Q, 802.1ad and two older QinQ.
  func follow(_ etherType: UInt16) -> Step {
    switch etherType {
    case 0x0800: .next(.ipv4)
    case 0x86dd: .next(.ipv6)
    case 0x8100, 0x88a8, 0x9100, 0x9200: .next(.vlanTag)
    case 0x8847, 0x8848: .next(.mpls)
    case 0x8864: .next(.pppoe)
    case 0x880b: .next(.ppp)
    // A whole frame: RFC 1701, transparent Ethernet bridging.
    case 0x6558: .next(.ethernet)
    case 0x894f: .next(.nsh)
    case 0..<0x0600: .next(.llc)
    default: .notTCP
    }
  }
}
