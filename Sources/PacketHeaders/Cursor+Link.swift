// Link-layer headers: Ethernet, VLAN tags, Linux cooked capture, loopback.
//
// Sources: IEEE 802.3, 802.1Q; https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and LINKTYPE_LINUX_SLL2.html.

extension Cursor {
  /// Two addresses and a type. A type under 1536 is an IEEE 802.3 length: LLC follows, not IP.
  @inline(__always)
  mutating func ethernet(_ packet: borrowing RawSpan) -> Step {
    guard has(14, in: packet) else { return .fault(.linkHeaderCut) }
    let type = packet.load(12, as: UInt16.self)
    offset = 14
    return follow(type)
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

  mutating func vlanTag(_ packet: borrowing RawSpan) -> Step {
    guard has(4, in: packet) else { return .fault(.linkHeaderCut) }
    let type = packet.load(offset + 2, as: UInt16.self)
    offset += 4
    return follow(type)
  }

  /// The layer that an EtherType announces. 0x8100, 0x88a8, 0x9100 and 0x9200: 802.1Q, 802.1ad and two older QinQ.
  @inline(__always)
  private func follow(_ etherType: UInt16) -> Step {
    switch etherType {
    case 0x0800: .next(.ipv4)
    case 0x86dd: .next(.ipv6)
    case 0x8100, 0x88a8, 0x9100, 0x9200: .next(.vlanTag)
    default: .notTCP
    }
  }
}
