import HTTPModel
import PacketHeaders
import Testing

@Suite("IPv4 and IPv6")
struct IPTests {
  @Test("addresses, ports, numbers, flags, window")
  func fields() throws {
    let segment = try #require(parse(Frames.ipv4(), .ipv4).segment)
    #expect("\(segment.source)" == "192.0.2.1:49152")
    #expect("\(segment.destination)" == "198.51.100.2:8080")
    #expect(segment.sequence == SequenceNumber(rawValue: 0xffff_fff0))
    #expect(segment.acknowledgment == SequenceNumber(rawValue: 0x0102_0304))
    #expect(segment.flags == [.psh, .ack])
    #expect(segment.window == 4096)
    let v6 = try #require(parse(Frames.ipv6(), .ipv6).segment)
    #expect("\(v6.source)" == "[2001:db8::1]:49152")
    #expect("\(v6.destination)" == "[2001:db8::2]:8080")
  }

  // MARK: Lengths

  @Test("IPv4 options are passed over", arguments: [4, 8, 40])
  func ipv4Options(_ length: Int) {
    let packet = Frames.ethernet(Frames.ipv4(options: Array(repeating: 1, count: length)))
    #expect(payload(parse(packet), of: packet) == Frames.body)
  }

  @Test("Ethernet's padding is no payload")
  func padding() throws {
    let packet = Frames.ethernet(Frames.ipv4(Frames.tcp([]))) + Array(repeating: 0, count: 6)
    let segment = try #require(parse(packet).segment)
    #expect(segment.payload == 54..<54)
    #expect(segment.payloadLengthOnWire == 0)
    // The same with the cut inside the padding.
    #expect(parse(packet, captured: 57).segment == segment)
  }

  @Test("a total length of 0 stands for the frame's")
  func totalLengthZero() throws {
    let packet = Frames.ethernet(Frames.ipv4(totalLength: 0))
    #expect(payload(parse(packet), of: packet) == Frames.body)
    let cut = try #require(parse(packet, captured: 60).segment)
    #expect(cut.payload == 54..<60)
    #expect(cut.payloadLengthOnWire == Frames.body.count)
  }

  @Test("a payload length of 0 stands for the frame's, with and without a jumbo option")
  func payloadLengthZero() throws {
    let large = [UInt8](repeating: 0x61, count: 70_000)
    let offloaded = Frames.ipv6(Frames.tcp(large), payloadLength: 0)
    #expect(parse(offloaded, .ipv6).segment?.payload.count == 70_000)
    let jumbo = [6, 0, 0xc2, 4] + Frames.u32(70_028) + Frames.tcp(large)
    let jumbogram = Frames.ipv6(jumbo, next: 0, payloadLength: 0)
    #expect(parse(jumbogram, .ipv6).segment?.payload.count == 70_000)
  }

  @Test("a total length beyond the frame is believed: something cut the packet and did not say so")
  func totalLengthBeyond() throws {
    let packet = Frames.ethernet(Frames.ipv4(totalLength: 40 + 1000))
    let segment = try #require(parse(packet).segment)
    #expect(segment.payload.count == Frames.body.count)
    #expect(segment.payloadLengthOnWire == 1000)
  }

  @Test("a length on the wire under the captured one, and the largest, are borne")
  func oddLengthsOnWire() throws {
    let packet = Frames.ipv4(totalLength: 0)
    let parser = PacketParser(linkType: .ipv4)
    for onWire in [Int.min, -1, 0, 10] {
      let segment = try #require(parser.parse(packet.span.bytes, lengthOnWire: onWire).segment)
      #expect(segment.payloadLengthOnWire == Frames.body.count)
    }
    let segment = try #require(parser.parse(packet.span.bytes, lengthOnWire: .max).segment)
    #expect(segment.payloadLengthOnWire == .max - 40)
  }

  @Test("lengths that contradict each other are faults")
  func contradictions() {
    #expect(parse(Frames.ipv4(totalLength: 19), .ipv4) == .undecodable(.ipv4HeaderLength))
    #expect(parse(Frames.ipv4(headerWords: 4), .ipv4) == .undecodable(.ipv4HeaderLength))
    #expect(parse(Frames.ipv4(totalLength: 30), .ipv4) == .undecodable(.tcpHeaderLength))
    #expect(parse(Frames.ipv4(Frames.tcp([], dataOffset: 4)), .ipv4) == .undecodable(.tcpHeaderLength))
    #expect(parse(Frames.ipv4(Frames.tcp([], dataOffset: 15)), .ipv4) == .undecodable(.tcpHeaderLength))
    #expect(parse(Frames.ipv6(payloadLength: 12), .ipv6) == .undecodable(.tcpHeaderLength))
    #expect(parse(Frames.ipv4(version: 5), .ipv4) == .undecodable(.ipVersion))
    #expect(parse(Frames.ipv4(), .ipv6) == .undecodable(.ipVersion))
    #expect(parse(Frames.ipv4(version: 7), .raw) == .undecodable(.ipVersion))
    #expect(parse([], .raw) == .undecodable(.ipHeaderCut))
  }

  // MARK: Fragments

  @Test("a first, a middle and a last fragment", arguments: [0x2000, 0x2001, 0x1fff, 0x0001])
  func ipv4Fragments(_ fragment: Int) {
    #expect(parse(Frames.ipv4(fragment: fragment), .ipv4) == .fragment)
  }

  @Test("neither Don't Fragment nor the reserved bit makes a fragment", arguments: [0x4000, 0x8000, 0xc000, 0])
  func whole(_ fragment: Int) {
    #expect(parse(Frames.ipv4(fragment: fragment), .ipv4).segment != nil)
  }

  @Test("IPv6 fragments, and the atomic one that is whole")
  func ipv6Fragments() {
    func packet(_ offsetAndMore: Int) -> [UInt8] {
      Frames.ipv6([6, 0] + Frames.u16(offsetAndMore) + Frames.u32(99) + Frames.tcp(), next: 44)
    }
    #expect(parse(packet(0x0001), .ipv6) == .fragment)
    #expect(parse(packet(0x0008), .ipv6) == .fragment)
    #expect(parse(packet(0xfff9), .ipv6) == .fragment)
    #expect(payload(parse(packet(0), .ipv6), of: packet(0)) == Frames.body)
    // The two reserved bits.
    #expect(parse(packet(0x0006), .ipv6).segment != nil)
  }

  // MARK: Extension headers

  @Test("each extension header is passed over", arguments: [0, 43, 60, 135, 139, 140] as [UInt8], [0, 1, 5])
  func extensions(_ number: UInt8, _ units: Int) {
    let packet = Frames.ipv6(Frames.extensionHeader(next: 6, units: units) + Frames.tcp(), next: number)
    #expect(payload(parse(packet, .ipv6), of: packet) == Frames.body)
  }

  @Test("the authentication header counts in words of four octets", arguments: [4, 5, 6])
  func authentication(_ units: Int) {
    let header = [6, UInt8(units)] + [UInt8](repeating: 0, count: (units + 2) * 4 - 2)
    let packet = Frames.ipv6(header + Frames.tcp(), next: 51)
    #expect(payload(parse(packet, .ipv6), of: packet) == Frames.body)
  }

  @Test("a chain of extension headers, cut anywhere")
  func chain() {
    let chain =
      Frames.extensionHeader(next: 60) + Frames.extensionHeader(next: 43, units: 2)
      + Frames.extensionHeader(next: 44, units: 1) + [6, 0, 0, 0, 0, 0, 0, 1]
    let packet = Frames.ipv6(chain + Frames.tcp(), next: 0)
    #expect(payload(parse(packet, .ipv6), of: packet) == Frames.body)
    for captured in 0..<(40 + chain.count) {
      let content = parse(packet, .ipv6, captured: captured)
      #expect(content == .undecodable(.ipHeaderCut) || content == .undecodable(.tcpHeaderCut))
    }
  }

  @Test("an extension header beyond the payload length is a fault; one behind which nothing is read is not TCP")
  func extensionEnds() {
    let beyond = Frames.ipv6(Frames.extensionHeader(next: 6, units: 9).prefix(16) + [], next: 0)
    #expect(parse(beyond, .ipv6) == .undecodable(.ipv6ExtensionLength))
    #expect(parse(Frames.ipv6([], next: 59), .ipv6) == .notTCP)
    #expect(parse(Frames.ipv6(Frames.extensionHeader(next: 50) + [], next: 0), .ipv6) == .notTCP)
    #expect(parse(Frames.ipv4(number: 17), .ipv4) == .notTCP)
  }
}
