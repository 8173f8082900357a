// Tunnels over UDP, known by their port: VXLAN (RFC 7348), VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe-13), Geneve (RFC 8926), GTP-U
// (3GPP TS 29.281), L2TP (RFC 2661), Teredo (RFC 4380), GRE (RFC 8086) and MPLS (RFC 7510) in UDP.
//
// A port is a hint, not a proof: what does not have the tunnel's header is not TCP, and no fault.

extension Cursor {
  mutating func udp(_ packet: borrowing RawSpan) -> Step {
    guard has(4, in: packet) else { return missing(4) }
    let (from, to) = (packet.load(offset, as: UInt16.self), packet.load(offset + 2, as: UInt16.self))
    guard let layer = Self.tunnel(from: from, to: to) else { return .notTCP }
    guard has(8, in: packet) else { return missing(8) }
    let length = Int(packet.load(offset + 4, as: UInt16.self))
    // 0 as in IP: a datagram that segmentation offload left in one piece, or a jumbogram.
    guard length == 0 || length >= 8 else { return .notTCP }
    if length != 0 { shorten(to: length) }
    offset += 8
    return .next(layer)
  }

  private static func tunnel(from: UInt16, to: UInt16) -> Layer? {
    switch to {
    case 4789, 8472: return .vxlan
    case 4790: return .vxlanGPE
    case 6081: return .geneve
    case 2152: return .gtp
    case 4754: return .gre
    case 6635: return .mpls
    case 1701: return .l2tp
    case 3544: return .teredo
    default: break
    }
    // Those whose answers come from the port, where the others choose the source port to spread load.
    switch from {
    case 2152: return .gtp
    case 1701: return .l2tp
    case 3544: return .teredo
    default: return nil
    }
  }

  /// Flags, reserved, network identifier, reserved. Reserved bits are to be ignored; the I flag makes the identifier valid.
  mutating func vxlan(_ packet: borrowing RawSpan) -> Step {
    guard has(8, in: packet) else { return missing(8) }
    guard packet.load(offset, as: UInt8.self) & 0x08 != 0 else { return .notTCP }
    encapsulation.append(.vxlan, packet.load(offset + 4, as: UInt32.self) >> 8)
    offset += 8
    return wrapped(.ethernet)
  }

  /// As VXLAN, with a version and, under the P flag, the protocol that follows.
  mutating func vxlanGPE(_ packet: borrowing RawSpan) -> Step {
    guard has(8, in: packet) else { return missing(8) }
    let flags = packet.load(offset, as: UInt8.self)
    guard flags & 0x31 == 0 else { return .notTCP }
    if flags & 0x08 != 0 {
      encapsulation.append(.vxlan, packet.load(offset + 4, as: UInt32.self) >> 8)
    } else {
      encapsulation.append(tunnelBetween: source, and: destination)
    }
    let following = flags & 0x04 != 0 ? packet.load(offset + 3, as: UInt8.self) : 3
    offset += 8
    return nextProtocol(following)
  }

  /// Version, options' length in words of four octets, flags, type, network identifier, options.
  mutating func geneve(_ packet: borrowing RawSpan) -> Step {
    guard has(8, in: packet) else { return missing(8) }
    let first = packet.load(offset, as: UInt16.self)
    let length = 8 + Int(first >> 8 & 0x3f) * 4
    // Another version, or a control packet.
    guard first & 0xc080 == 0, offset + length <= end else { return .notTCP }
    let type = packet.load(offset + 2, as: UInt16.self)
    encapsulation.append(.geneve, packet.load(offset + 4, as: UInt32.self) >> 8)
    offset += length
    return wrapped(follow(type))
  }

  /// Flags, message type 255 for a user's packet, length, tunnel; optional fields; extension headers in words of four
  /// octets, each with the type of the next at its end.
  mutating func gtp(_ packet: borrowing RawSpan) -> Step {
    guard has(8, in: packet) else { return missing(8) }
    let flags = packet.load(offset, as: UInt8.self)
    guard flags & 0xf0 == 0x30, packet.load(offset + 1, as: UInt8.self) == 255 else { return .notTCP }
    let length = Int(packet.load(offset + 2, as: UInt16.self))
    encapsulation.append(.gtp, packet.load(offset + 4, as: UInt32.self))
    offset += 8
    if length != 0 { shorten(to: length) }
    if flags & 0x07 != 0 {
      guard has(4, in: packet) else { return missing(4) }
      var following = flags & 0x04 != 0 ? packet.load(offset + 3, as: UInt8.self) : 0
      offset += 4
      while following != 0 {
        guard has(1, in: packet) else { return missing(1) }
        let extent = Int(packet.load(offset, as: UInt8.self)) * 4
        guard extent > 0 else { return .notTCP }
        guard has(extent, in: packet) else { return missing(extent) }
        offset += extent
        following = packet.load(offset - 1, as: UInt8.self)
      }
    }
    return wrapped(internet(packet))
  }

  /// Flags and version, then, as the flags say, length, tunnel and session, sequence numbers, and padding; then PPP.
  mutating func l2tp(_ packet: borrowing RawSpan) -> Step {
    guard has(6, in: packet) else { return missing(6) }
    let flags = packet.load(offset, as: UInt16.self)
    // Version 2, and no control message.
    guard flags & 0x800f == 0x0002 else { return .notTCP }
    var length = 2
    if flags & 0x4000 != 0 {
      shorten(to: Int(packet.load(offset + 2, as: UInt16.self)))
      length += 2
    }
    guard has(length + 4, in: packet) else { return missing(length + 4) }
    encapsulation.append(.l2tp, packet.load(offset + length))
    length += 4
    if flags & 0x0800 != 0 { length += 4 }
    if flags & 0x0200 != 0 {
      guard has(length + 2, in: packet) else { return missing(length + 2) }
      length += 2 + Int(packet.load(offset + length, as: UInt16.self))
    }
    guard offset + length < end else { return .notTCP }
    offset += length
    return wrapped(.ppp)
  }

  /// IPv6, perhaps behind an authentication (type 1: two lengths, their values, a nonce, a confirmation) and an origin
  /// (type 0: port and address).
  mutating func teredo(_ packet: borrowing RawSpan) -> Step {
    guard has(4, in: packet) else { return missing(4) }
    if packet.load(offset, as: UInt16.self) == 1 {
      offset += 13 + Int(packet.load(offset + 2, as: UInt8.self)) + Int(packet.load(offset + 3, as: UInt8.self))
    }
    guard has(2, in: packet) else { return missing(2) }
    if packet.load(offset, as: UInt16.self) == 0 { offset += 8 }
    guard has(6, in: packet) else { return missing(40) }
    guard packet.load(offset, as: UInt8.self) >> 4 == 6,
      offset + 40 + Int(packet.load(offset + 4, as: UInt16.self)) <= end
    else { return .notTCP }
    encapsulation.append(tunnelBetween: source, and: destination)
    return wrapped(.ipv6)
  }
}
