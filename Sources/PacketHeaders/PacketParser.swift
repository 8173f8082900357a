// A packet's link, network and transport headers, each checked once.
//
// In: a packet's bytes, borrowed, and its length on the wire. Out: a TCPSegment, or why there is none. Owner: a value.
// Bounds: `maxHeaders` VLAN tags or extension headers; nothing is allocated.
//
// The network layer's bytes are a window `start ..< end` into the packet. Each step moves the window inwards, so that a
// tunnel's decapsulation would be one more step of the same kind.

public import HTTPModel

/// Reads packets of one link type.
public struct PacketParser: Sendable {
  private let linkType: LinkType

  /// VLAN tags, or IPv6 extension headers, that are followed.
  private static let maxHeaders = 16

  public init(linkType: LinkType) { self.linkType = linkType }

  /// Reads a packet.
  /// - Parameters:
  ///   - packet: the captured bytes.
  ///   - lengthOnWire: `packet.byteCount`, or more where the snap length cut it.
  public func parse(_ packet: RawSpan, lengthOnWire: Int) -> PacketContent {
    // What the wire carried beyond the captured bytes; link trailers are told apart by the IP length below.
    let cut = max(0, lengthOnWire - packet.byteCount)
    switch networkLayer(packet) {
    case .ip(let start): return parseIP(packet, from: start, cut: cut)
    case .other: return .notTCP
    case .fault(let fault): return .undecodable(fault)
    }
  }

  private enum NetworkLayer {
    case ip(Int)
    case other
    case fault(PacketFault)
  }

  // MARK: Link layer

  private func networkLayer(_ packet: RawSpan) -> NetworkLayer {
    switch linkType {
    case .ethernet: return etherType(packet, at: 12)
    case .rawDLT, .rawOpenBSD, .raw, .ipv4, .ipv6: return .ip(0)
    case .null:
      guard packet.byteCount >= 4 else { return .fault(.headerCut) }
      let family = packet.u32(0)
      // Written in the byte order of a host that is not named: a family is a small number either way.
      return protocolFamily(family > 0xffff ? family.byteSwapped : family)
    case .loop:
      guard packet.byteCount >= 4 else { return .fault(.headerCut) }
      return protocolFamily(packet.u32(0))
    case .linuxCooked: return etherType(packet, at: 14)
    case .linuxCooked2:
      guard packet.byteCount >= 20 else { return .fault(.headerCut) }
      return follow(etherType: packet.u16(0), packet, payload: 20)
    default: return .fault(.linkTypeUnknown)
    }
  }

  /// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24, 28 and 30 on the BSDs and macOS.
  private func protocolFamily(_ family: UInt32) -> NetworkLayer {
    switch family {
    case 2, 10, 24, 28, 30: .ip(4)
    default: .other
    }
  }

  private func etherType(_ packet: RawSpan, at offset: Int) -> NetworkLayer {
    guard packet.byteCount >= offset + 2 else { return .fault(.headerCut) }
    return follow(etherType: packet.u16(offset), packet, payload: offset + 2)
  }

  /// IEEE 802.1Q and 802.1ad tags stand before the EtherType of what they carry.
  private func follow(etherType first: UInt16, _ packet: RawSpan, payload outerPayload: Int) -> NetworkLayer {
    var type = first
    var payload = outerPayload
    for _ in 0..<Self.maxHeaders {
      switch type {
      case 0x0800, 0x86dd: return .ip(payload)
      case 0x8100, 0x88a8, 0x9100, 0x9200:
        guard packet.byteCount >= payload + 4 else { return .fault(.headerCut) }
        type = packet.u16(payload + 2)
        payload += 4
      default: return .other
      }
    }
    return .fault(.nestedTooDeep)
  }

  // MARK: Network layer

  private func parseIP(_ packet: RawSpan, from start: Int, cut: Int) -> PacketContent {
    guard packet.byteCount > start else { return .undecodable(.headerCut) }
    switch packet.u8(start) >> 4 {
    case 4: return parseIPv4(packet, from: start, cut: cut)
    case 6: return parseIPv6(packet, from: start, cut: cut)
    default: return .undecodable(.ipVersionInvalid)
    }
  }

  /// RFC 791, 3.1.
  private func parseIPv4(_ packet: RawSpan, from start: Int, cut: Int) -> PacketContent {
    guard packet.byteCount >= start + 20 else { return .undecodable(.headerCut) }
    let headerLength = Int(packet.u8(start) & 0x0f) * 4
    guard headerLength >= 20 else { return .undecodable(.headerLengthInvalid) }
    guard packet.byteCount >= start + headerLength else { return .undecodable(.headerCut) }
    var total = Int(packet.u16(start + 2))
    // 0: the sending host's segmentation offload had not filled it in yet. The frame tells.
    if total == 0 { total = packet.byteCount + cut - start }
    guard total >= headerLength else { return .undecodable(.headerLengthInvalid) }
    // More fragments, or an offset.
    if packet.u16(start + 6) & 0x3fff != 0 { return .fragment }
    guard packet.u8(start + 9) == 6 else { return .notTCP }
    return parseTCP(
      packet, from: start + headerLength, end: min(start + total, packet.byteCount + cut),
      source: IPAddress(v4: packet.u32(start + 12)), destination: IPAddress(v4: packet.u32(start + 16)))
  }

  /// RFC 8200, 3 and 4.
  private func parseIPv6(_ packet: RawSpan, from start: Int, cut: Int) -> PacketContent {
    guard packet.byteCount >= start + 40 else { return .undecodable(.headerCut) }
    let payloadLength = Int(packet.u16(start + 4))
    // 0: a jumbogram (RFC 2675) or segmentation offload. The frame tells.
    let frameEnd = packet.byteCount + cut
    let end = payloadLength == 0 ? frameEnd : min(start + 40 + payloadLength, frameEnd)
    var next = packet.u8(start + 6)
    var offset = start + 40
    for _ in 0..<Self.maxHeaders {
      switch next {
      case 6:
        return parseTCP(
          packet, from: offset, end: end,
          source: IPAddress(v6High: packet.u64(start + 8), v6Low: packet.u64(start + 16)),
          destination: IPAddress(v6High: packet.u64(start + 24), v6Low: packet.u64(start + 32)))
      case 0, 43, 60, 135, 139, 140, 253, 254:
        // Hop-by-hop, routing, destination options, mobility, HIP, shim6: length in units of 8 octets, less the first.
        guard packet.byteCount >= offset + 2 else { return .undecodable(.headerCut) }
        next = packet.u8(offset)
        offset += (Int(packet.u8(offset + 1)) + 1) * 8
      case 51:
        // Authentication header (RFC 4302): length in units of 4 octets, less two.
        guard packet.byteCount >= offset + 2 else { return .undecodable(.headerCut) }
        next = packet.u8(offset)
        offset += (Int(packet.u8(offset + 1)) + 2) * 4
      case 44:
        guard packet.byteCount >= offset + 8 else { return .undecodable(.headerCut) }
        // An atomic fragment (RFC 6946) is a whole datagram.
        if packet.u16(offset + 2) & 0xfff9 != 0 { return .fragment }
        next = packet.u8(offset)
        offset += 8
      default: return .notTCP
      }
    }
    return .undecodable(.nestedTooDeep)
  }

  // MARK: Transport layer

  /// RFC 9293, 3.1.
  /// - Parameter end: where the datagram ends on the wire; may lie beyond the captured bytes.
  private func parseTCP(
    _ packet: RawSpan, from start: Int, end: Int, source: IPAddress, destination: IPAddress
  ) -> PacketContent {
    guard packet.byteCount >= start + 20 else { return .undecodable(.headerCut) }
    let headerLength = Int(packet.u8(start + 12) >> 4) * 4
    guard headerLength >= 20, end - start >= headerLength else { return .undecodable(.headerLengthInvalid) }
    let payloadStart = start + headerLength
    // Options may be cut off without harm; a payload that begins beyond the captured bytes is wholly missing.
    let capturedStart = min(payloadStart, packet.byteCount)
    let captured = capturedStart..<max(capturedStart, min(end, packet.byteCount))
    return .tcp(
      TCPSegment(
        source: TransportAddress(address: source, port: packet.u16(start)),
        destination: TransportAddress(address: destination, port: packet.u16(start + 2)),
        sequence: SequenceNumber(rawValue: packet.u32(start + 4)),
        acknowledgment: SequenceNumber(rawValue: packet.u32(start + 8)),
        flags: TCPFlags(rawValue: packet.u8(start + 13) & 0x3f), window: packet.u16(start + 14), payload: captured,
        payloadLengthOnWire: end - payloadStart))
  }
}

extension RawSpan {
  // The loads below are checked against the span's bounds and any bit pattern is a valid integer.

  @inline(__always)
  fileprivate func u8(_ offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

  @inline(__always)
  fileprivate func u16(_ offset: Int) -> UInt16 {
    unsafe UInt16(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  @inline(__always)
  fileprivate func u32(_ offset: Int) -> UInt32 {
    unsafe UInt32(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  @inline(__always)
  fileprivate func u64(_ offset: Int) -> UInt64 {
    unsafe UInt64(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
