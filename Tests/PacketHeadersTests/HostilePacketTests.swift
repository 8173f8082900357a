// Bytes that nobody sent: whatever they are, parsing ends, and what it tells lies within the packet.

import PacketHeaders
import Testing

@Suite("Hostile packets")
struct HostilePacketTests {
  static let linkTypes: [LinkType] = [
    .null, .ethernet, .raw, .loop, .linuxCooked, .linuxCooked2, .ipv4, .ipv6, LinkType(rawValue: 9999),
  ]

  private func check(_ packet: [UInt8], _ linkType: LinkType, onWire: Int) {
    guard let segment = PacketParser(linkType: linkType).parse(packet.span.bytes, lengthOnWire: onWire).segment else {
      return
    }
    let isSound =
      segment.payload.lowerBound >= 0 && segment.payload.upperBound <= packet.count
      && segment.payloadLengthOnWire >= segment.payload.count
    if !isSound { Issue.record("\(segment) of \(packet)") }
  }

  @Test("random bytes", arguments: linkTypes)
  func random(_ linkType: LinkType) {
    var noise = Noise(1)
    for _ in 0..<4000 {
      let packet = (0..<Int(noise.next() % 160)).map { _ in UInt8(truncatingIfNeeded: noise.next()) }
      check(packet, linkType, onWire: Int(truncatingIfNeeded: noise.next()))
      check(packet, linkType, onWire: packet.count)
    }
  }

  @Test("true packets with a few wrong bytes", arguments: LinkTypeTests.carriers)
  func damaged(_ carrier: LinkTypeTests.Case) {
    var noise = Noise(2)
    for _ in 0..<1500 {
      var packet = carrier.packet
      for _ in 0...(noise.next() % 4) {
        packet[Int(noise.next() % UInt64(packet.count))] = UInt8(truncatingIfNeeded: noise.next())
      }
      let captured = Int(noise.next() % UInt64(packet.count + 1))
      check(Array(packet.prefix(captured)), carrier.linkType, onWire: packet.count)
    }
  }

  @Test("a packet that is nothing but tags or extension headers")
  func deep() {
    let tags = Frames.ethernet([], type: 0x8100) + (0..<20_000).flatMap { _ in [0, 1, 0x81, 0x00] as [UInt8] }
    #expect(parse(tags) == .undecodable(.encapsulationTooDeep))
    let chain = Frames.ipv6(Array(repeating: 0, count: 65_528), next: 0)
    #expect(parse(chain, .ipv6) == .undecodable(.ipv6ExtensionLength))
  }
}
