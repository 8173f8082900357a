import HTTPModel
import PacketHeaders
import Testing

@Suite("Checksums")
struct ChecksumTests {
  static func sum(_ bytes: [UInt8]) -> Int {
    var total = 0
    for (index, byte) in bytes.enumerated() { total += index & 1 == 0 ? Int(byte) << 8 : Int(byte) }
    while total > 0xffff { total = total >> 16 + total & 0xffff }
    return total
  }

  /// The packet with right checksums.
  static func mended(_ packet: [UInt8]) -> [UInt8] {
    var packet = packet
    let isIPv6 = packet[0] >> 4 == 6
    let start = isIPv6 ? 40 : Int(packet[0] & 15) * 4
    if !isIPv6 { packet.replaceSubrange(10..<12, with: Frames.u16(~sum(Array(packet[..<start])) & 0xffff)) }
    let addresses = isIPv6 ? packet[8..<40] : packet[12..<20]
    let pseudo = addresses + [0, 6] + Frames.u16(packet.count - start)
    packet.replaceSubrange(start + 16..<start + 18, with: [0, 0])
    packet.replaceSubrange(
      start + 16..<start + 18, with: Frames.u16(~sum(Array(pseudo) + Array(packet[start...])) & 0xffff))
    return packet
  }

  private func content(_ packet: [UInt8], captured: Int? = nil) -> PacketContent {
    let kept = Array(packet.prefix(captured ?? packet.count))
    return PacketParser(linkType: .raw, options: ParsingOptions(verifiesChecksums: true))
      .parse(kept.span.bytes, lengthOnWire: packet.count)
  }

  @Test("right ones are accepted, at every length", arguments: [0, 1, 2, 3, 4, 5, 100, 1460, 60_001])
  func right(_ count: Int) {
    let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(content(Self.mended(Frames.ipv4(Frames.tcp(body)))).segment != nil)
    #expect(content(Self.mended(Frames.ipv6(Frames.tcp(body)))).segment != nil)
    #expect(content(Self.mended(Frames.ipv4(Frames.tcp(body), options: [1, 1, 1, 1]))).segment != nil)
  }

  @Test("each wrong bit is refused where it is asked for, and borne where not")
  func wrong() {
    for packet in [Self.mended(Frames.ipv4()), Self.mended(Frames.ipv6())] {
      let isIPv6 = packet[0] >> 4 == 6
      for index in (isIPv6 ? 8 : 12)..<packet.count {
        // Not the data offset, which may not lead beyond the packet.
        if index == (isIPv6 ? 40 : 20) + 12 { continue }
        var damaged = packet
        damaged[index] ^= 0x10
        let isHeader = !isIPv6 && index < 20
        #expect(content(damaged) == .undecodable(isHeader ? .ipv4Checksum : .tcpChecksum), "byte \(index)")
        #expect(parse(damaged, .raw).segment != nil)
      }
    }
  }

  @Test("what an interface was still to compute counts as wrong: the pseudo-header's sum alone")
  func offloaded() {
    var packet = Self.mended(Frames.ipv4())
    packet.replaceSubrange(
      36..<38, with: Frames.u16(Self.sum(Array(packet[12..<20]) + [0, 6] + Frames.u16(packet.count - 20))))
    #expect(content(packet) == .undecodable(.tcpChecksum))
    #expect(parse(packet, .raw).segment != nil)
  }

  @Test("of what was cut off nothing can be said")
  func cut() {
    let packet = Self.mended(Frames.ipv4())
    for captured in 40..<packet.count { #expect(content(packet, captured: captured).segment != nil) }
  }

  @Test("those of an offloaded packet without length, of a routed one, and of one in fragments")
  func others() {
    var large = Frames.ipv6(Frames.tcp(Array(repeating: 0x61, count: 70_000)))
    let mended = Self.mendedLarge(large)
    #expect(content(mended).segment?.payload.count == 70_000)
    large[100] ^= 1
    #expect(content(large) == .undecodable(.tcpChecksum))

    // The checksum is over the last stop, which stands in the routing header on the way.
    let last = Frames.destination6
    let plain = Self.mended(Frames.ipv6())
    var routed = Frames.ipv6([6, 2, 4, 1, 0, 0, 0, 0] + last + plain[40...], next: 43)
    routed.replaceSubrange(24..<40, with: Frames.source6)
    #expect(content(routed).segment?.destination.address.description == "2001:db8::2")

    let segment = Array(Self.mended(Frames.ipv4())[20...])
    let reading = Reading(ParsingOptions(verifiesChecksums: true))
    for range in [0..<24, 24..<segment.count] {
      var fragment = Frames.fragment4(segment, range)
      fragment.replaceSubrange(10..<12, with: Frames.u16(~Self.sum(Array(fragment[..<20])) & 0xffff))
      reading.read(fragment)
    }
    #expect(reading.payloads == [Frames.body])
  }

  private static func mendedLarge(_ packet: [UInt8]) -> [UInt8] {
    var packet = packet
    packet.replaceSubrange(4..<6, with: [0, 0])
    packet.replaceSubrange(56..<58, with: [0, 0])
    let pseudo = packet[8..<40] + Frames.u32(UInt32(packet.count - 40)) + [0, 0, 0, 6]
    packet.replaceSubrange(56..<58, with: Frames.u16(~sum(Array(pseudo) + Array(packet[40...])) & 0xffff))
    return packet
  }
}
