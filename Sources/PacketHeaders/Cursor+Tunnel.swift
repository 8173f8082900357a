// Tunnels that stand directly behind IP: GRE (RFC 2784, 2890, 2637, 7637), ERSPAN, EtherIP (RFC 3378).
//
// ERSPAN has no RFC: draft-foschiano-erspan-03 describes types I, II and III.

extension Cursor {
  /// Flags and version, protocol, then what the flags announce. Source routing (RFC 1701) was taken out of the standard.
  mutating func gre(_ packet: borrowing RawSpan) -> Step {
    guard has(4, in: packet) else { return missing(4) }
    let flags = packet.load(offset, as: UInt16.self)
    let type = packet.load(offset + 2, as: UInt16.self)
    switch flags & 7 {
    case 0: break
    case 1: return enhancedGRE(flags, type, packet)
    default: return .notTCP
    }
    guard flags & 0x4000 == 0 else { return .notTCP }
    let keyOffset = 4 + (flags & 0x8000 != 0 ? 4 : 0)
    let hasKey = flags & 0x2000 != 0
    let isSequenced = flags & 0x1000 != 0
    let length = keyOffset + (hasKey ? 4 : 0) + (isSequenced ? 4 : 0)
    guard has(length, in: packet) else { return missing(length) }
    let key: UInt32? = hasKey ? packet.load(offset + keyOffset) : nil
    offset += length
    // A mirrored frame's network is that of its session.
    if type == 0x88be, isSequenced { return wrapped(.erspan2) }
    if type == 0x22eb { return wrapped(.erspan3) }
    if let key {
      encapsulation.append(.gre, key)
    } else {
      encapsulation.append(tunnelBetween: source, and: destination)
    }
    switch type {
    case 0x88be: return wrapped(.ethernet)
    case 0x883e: return redirected(packet)
    default: return wrapped(follow(type))
    }
  }

  /// PPTP's: the key is the payload's length and the call; without a sequence number it only acknowledges.
  private mutating func enhancedGRE(_ flags: UInt16, _ type: UInt16, _ packet: borrowing RawSpan) -> Step {
    guard type == 0x880b, flags & 0x7000 == 0x3000 else { return .notTCP }
    let length = flags & 0x0080 != 0 ? 16 : 12
    guard has(length, in: packet) else { return missing(length) }
    let payloadLength = Int(packet.load(offset + 4, as: UInt16.self))
    encapsulation.append(.gre, UInt32(packet.load(offset + 6, as: UInt16.self)))
    offset += length
    shorten(to: payloadLength)
    return wrapped(.ppp)
  }

  /// WCCP: version 2 has four octets before the IP header, version 1 none.
  private mutating func redirected(_ packet: borrowing RawSpan) -> Step {
    guard has(5, in: packet) else { return missing(5) }
    if packet.load(offset, as: UInt8.self) >> 4 != 4 { offset += 4 }
    return wrapped(.ipv4)
  }

  /// Version 1, VLAN; class, truncation, session; index. Then a frame.
  mutating func erspan2(_ packet: borrowing RawSpan) -> Step {
    guard has(8, in: packet) else { return missing(8) }
    guard packet.load(offset, as: UInt8.self) >> 4 == 1 else { return .notTCP }
    encapsulation.append(.erspan, UInt32(packet.load(offset + 2, as: UInt16.self) & 0x3ff))
    offset += 8
    return .next(.ethernet)
  }

  /// Version 2, VLAN, session, time, group, type of frame; with the O bit eight octets of the platform's.
  mutating func erspan3(_ packet: borrowing RawSpan) -> Step {
    guard has(12, in: packet) else { return missing(12) }
    guard packet.load(offset, as: UInt8.self) >> 4 == 2 else { return .notTCP }
    encapsulation.append(.erspan, UInt32(packet.load(offset + 2, as: UInt16.self) & 0x3ff))
    let last = packet.load(offset + 10, as: UInt16.self)
    let length = last & 1 != 0 ? 20 : 12
    guard has(length, in: packet) else { return missing(length) }
    offset += length
    switch last >> 10 & 0x1f {
    case 0: return .next(.ethernet)
    case 2: return internet(packet)
    default: return .notTCP
    }
  }

  mutating func etherIP(_ packet: borrowing RawSpan) -> Step {
    guard has(2, in: packet) else { return missing(2) }
    guard packet.load(offset, as: UInt8.self) >> 4 == 3 else { return .notTCP }
    encapsulation.append(tunnelBetween: source, and: destination)
    offset += 2
    return .next(.ethernet)
  }

  /// IPv4 or IPv6 by the version; what is neither is none of the faults of a packet that claims to be.
  func internet(_ packet: borrowing RawSpan) -> Step {
    guard has(1, in: packet) else { return missing(1) }
    switch packet.load(offset, as: UInt8.self) >> 4 {
    case 4: return .next(.ipv4)
    case 6: return .next(.ipv6)
    default: return .notTCP
    }
  }
}
