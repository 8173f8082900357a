// What stands between a link and IP: MPLS label stacks (RFC 3032), PPP (RFC 1661) and its ways over Ethernet (RFC 2516) and
// HDLC (RFC 1662), the Network Service Header (RFC 8300).

extension Cursor {
  /// Labels are of 20 bits, 3 of traffic class, one that marks the last, and 8 of time to live.
  ///
  /// Nothing says what follows the stack: see ``behindLabels(_:)``. The network is that of the last label, unless that one
  /// means something by itself (0 to 15, RFC 7274) or only spreads load (the one behind label 7, RFC 6790).
  mutating func mpls(_ packet: borrowing RawSpan) -> Step {
    var service: UInt32?
    var previous: UInt32 = 0
    for _ in 0..<16 {
      guard has(4, in: packet) else { return missing(4) }
      let entry = packet.load(offset, as: UInt32.self)
      let label = entry >> 12
      // What follows label 15 is of the special kind whatever its value.
      if label > 15, previous != 7, previous != 15 { service = label }
      previous = label
      offset += 4
      if entry & 0x100 != 0 {
        if let service { encapsulation.append(.mpls, service) }
        return wrapped(behindLabels(packet))
      }
    }
    return .fault(.encapsulationTooDeep)
  }

  /// IPv4, IPv6, or an Ethernet frame with or without the control word that keeps its first nibble from being taken for
  /// a version (RFC 4385, RFC 8469). A frame to an address that begins with 4 or 6 is told from IP by its type field and by
  /// lengths that do not fit.
  private mutating func behindLabels(_ packet: borrowing RawSpan) -> Step {
    guard has(1, in: packet) else { return missing(1) }
    switch packet.load(offset, as: UInt8.self) >> 4 {
    case 4:
      guard has(4, in: packet), isEthernet(offset, packet) else { return .next(.ipv4) }
      let length = Int(packet.load(offset + 2, as: UInt16.self))
      let isIPv4 =
        packet.load(offset, as: UInt8.self) & 0xf >= 5 && (length == 0 || length >= 20 && offset + length <= end)
      return .next(isIPv4 ? .ipv4 : .ethernet)
    case 6:
      guard has(6, in: packet), isEthernet(offset, packet) else { return .next(.ipv6) }
      return .next(Int(packet.load(offset + 4, as: UInt16.self)) + 40 <= end - offset ? .ipv6 : .ethernet)
    case 0 where packet.load(offset, as: UInt8.self) == 0 && isEthernet(offset + 4, packet):
      offset += 4
      return .next(.ethernet)
    default: return isEthernet(offset, packet) ? .next(.ethernet) : .notTCP
    }
  }

  /// Whether a frame seems to begin at `start`: its type is one that leads on.
  private func isEthernet(_ start: Int, _ packet: borrowing RawSpan) -> Bool {
    guard start + 14 <= min(end, packet.byteCount) else { return false }
    switch packet.load(start + 12, as: UInt16.self) {
    case 0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x9200, 0x8847, 0x8848, 0x8864: return true
    default: return false
    }
  }

  /// Version and type, code 0 for a session's data, session, length; then PPP from its protocol field on.
  mutating func pppoe(_ packet: borrowing RawSpan) -> Step {
    guard has(6, in: packet) else { return missing(6) }
    guard packet.load(offset, as: UInt16.self) == 0x1100 else { return .notTCP }
    encapsulation.append(.pppoe, UInt32(packet.load(offset + 2, as: UInt16.self)))
    let length = Int(packet.load(offset + 4, as: UInt16.self))
    offset += 6
    shorten(to: length)
    return wrapped(.ppp)
  }

  /// Address and control (left out where the two sides agreed to), then a protocol of two octets, or of one that is odd.
  mutating func ppp(_ packet: borrowing RawSpan) -> Step {
    guard has(1, in: packet) else { return missing(1) }
    if packet.load(offset, as: UInt8.self) == 0xff {
      guard has(3, in: packet) else { return missing(3) }
      guard packet.load(offset + 1, as: UInt8.self) == 3 else { return .notTCP }
      offset += 2
    }
    var number = UInt16(packet.load(offset, as: UInt8.self))
    offset += 1
    if number & 1 == 0 {
      guard has(1, in: packet) else { return missing(1) }
      number = number << 8 | UInt16(packet.load(offset, as: UInt8.self))
      offset += 1
    }
    switch number {
    case 0x0021: return .next(.ipv4)
    case 0x0057: return .next(.ipv6)
    case 0x0281, 0x0283: return .next(.mpls)
    default: return .notTCP
    }
  }

  /// Cisco's HDLC has address 0x0f or 0x8f and an EtherType; PPP has 0xff, or nothing.
  mutating func ciscoHDLCOrPPP(_ packet: borrowing RawSpan) -> Step {
    guard has(4, in: packet) else { return .fault(.linkHeaderCut) }
    switch packet.load(offset, as: UInt8.self) {
    case 0x0f, 0x8f:
      let type = packet.load(offset + 2, as: UInt16.self)
      offset += 4
      return follow(type)
    default: return .next(.ppp)
    }
  }

  /// Version, flags, length in words of four octets; metadata type; next protocol; service path and index; metadata.
  mutating func nsh(_ packet: borrowing RawSpan) -> Step {
    guard has(8, in: packet) else { return missing(8) }
    let first = packet.load(offset, as: UInt16.self)
    let length = Int(first & 0x3f) * 4
    // Another version, or the operation of the network itself.
    guard first & 0xe000 == 0, length >= 8, offset + length <= end else { return .notTCP }
    let following = packet.load(offset + 3, as: UInt8.self)
    encapsulation.append(.nsh, packet.load(offset + 4, as: UInt32.self) >> 8)
    offset += length
    return nextProtocol(following)
  }

  /// The numbers that NSH and VXLAN-GPE share.
  mutating func nextProtocol(_ number: UInt8) -> Step {
    switch number {
    case 1: wrapped(.ipv4)
    case 2: wrapped(.ipv6)
    case 3: wrapped(.ethernet)
    case 4: wrapped(.nsh)
    case 5: wrapped(.mpls)
    default: .notTCP
    }
  }
}
