import HTTPModel
import PacketHeaders
import Testing

@Suite("Link layers")
struct LinkTypeTests {
  struct Case: CustomTestStringConvertible {
    let testDescription: String
    let linkType: LinkType
    let packet: [UInt8]
  }

  static let carriers: [Case] = {
    let v4 = Frames.ipv4()
    let v6 = Frames.ipv6()
    var cases = [
      Case(testDescription: "Ethernet, IPv4", linkType: .ethernet, packet: Frames.ethernet(v4)),
      Case(testDescription: "Ethernet, IPv6", linkType: .ethernet, packet: Frames.ethernet(v6, type: 0x86dd)),
      Case(testDescription: "802.1Q", linkType: .ethernet, packet: Frames.ethernet(v4, tags: [0x8100])),
      Case(testDescription: "802.1ad QinQ", linkType: .ethernet, packet: Frames.ethernet(v4, tags: [0x88a8, 0x8100])),
      Case(testDescription: "0x9100 QinQ", linkType: .ethernet, packet: Frames.ethernet(v4, tags: [0x9100, 0x8100])),
      Case(
        testDescription: "three tags, IPv6", linkType: .ethernet,
        packet: Frames.ethernet(v6, type: 0x86dd, tags: [0x88a8, 0x88a8, 0x8100])),
      Case(testDescription: "SLL, IPv4", linkType: .linuxCooked, packet: Frames.linuxCooked(v4)),
      Case(testDescription: "SLL, IPv6", linkType: .linuxCooked, packet: Frames.linuxCooked(v6, type: 0x86dd)),
      Case(
        testDescription: "SLL, 802.1Q", linkType: .linuxCooked,
        packet: Frames.linuxCooked([0, 5, 8, 0] + v4, type: 0x8100)),
      Case(testDescription: "SLL2, IPv4", linkType: .linuxCooked2, packet: Frames.linuxCooked2(v4)),
      Case(testDescription: "SLL2, IPv6", linkType: .linuxCooked2, packet: Frames.linuxCooked2(v6, type: 0x86dd)),
      Case(testDescription: "NULL, little-endian host", linkType: .null, packet: [2, 0, 0, 0] + v4),
      Case(testDescription: "NULL, big-endian host", linkType: .null, packet: [0, 0, 0, 2] + v4),
      Case(testDescription: "LOOP, IPv4", linkType: .loop, packet: [0, 0, 0, 2] + v4),
      Case(testDescription: "LOOP, IPv6", linkType: .loop, packet: [0, 0, 0, 24] + v6),
      Case(testDescription: "IPV4", linkType: .ipv4, packet: v4),
      Case(testDescription: "IPV6", linkType: .ipv6, packet: v6),
    ]
    for family: UInt8 in [10, 24, 28, 30] {
      cases.append(Case(testDescription: "NULL, AF_INET6 \(family)", linkType: .null, packet: [family, 0, 0, 0] + v6))
    }
    for raw: LinkType in [.raw, .rawDLT12, .rawDLT14] {
      cases.append(Case(testDescription: "RAW \(raw.rawValue), IPv4", linkType: raw, packet: v4))
      cases.append(Case(testDescription: "RAW \(raw.rawValue), IPv6", linkType: raw, packet: v6))
    }
    return cases
  }()

  @Test("carries TCP", arguments: carriers)
  func carriesTCP(_ carrier: Case) throws {
    let content = parse(carrier.packet, carrier.linkType)
    let segment = try #require(content.segment)
    #expect(payload(content, of: carrier.packet) == Frames.body)
    #expect(segment.payloadLengthOnWire == Frames.body.count)
    #expect(segment.source.port == 49_152)
    #expect(segment.destination.port == 8080)
    #expect(carrier.linkType.isSupported)
  }

  @Test("cut at every length, tells a segment or the layer that was cut", arguments: carriers)
  func cutAnywhere(_ carrier: Case) throws {
    let header = carrier.packet.count - Frames.body.count
    for captured in 0..<carrier.packet.count {
      let content = parse(carrier.packet, carrier.linkType, captured: captured)
      switch content {
      case .tcp(let segment):
        #expect(captured >= header)
        #expect(segment.payload == header..<captured)
        #expect(segment.payloadLengthOnWire == Frames.body.count)
      case .undecodable(.linkHeaderCut), .undecodable(.ipHeaderCut), .undecodable(.tcpHeaderCut):
        #expect(captured < header)
      default: Issue.record("\(content) of \(captured) octets")
      }
    }
  }

  @Test("what is not IP is not TCP")
  func notIP() {
    #expect(parse(Frames.ethernet(Array(repeating: 0, count: 46), type: 0x0806)) == .notTCP)
    // An IEEE 802.3 length instead of a type.
    #expect(parse(Frames.ethernet(Array(repeating: 0, count: 46), type: 46)) == .notTCP)
    #expect(parse([7, 0, 0, 0] + Frames.ipv4(), .null) == .notTCP)
    #expect(parse(Frames.linuxCooked([0], type: 4), .linuxCooked) == .notTCP)
  }

  @Test("a link type that is not read is told")
  func unknown() {
    let user = LinkType(rawValue: 147)
    #expect(parse(Frames.ipv4(), user) == .undecodable(.linkTypeUnknown))
    #expect(!user.isSupported)
    #expect("\(user)" == "link type 147")
    #expect("\(LinkType.linuxCooked2)" == "Linux cooked v2")
  }
}
