import HTTPModel
import PacketHeaders
import Testing

@Suite("Packets in packets")
struct TunnelTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var linkType = LinkType.raw
    let packet: [UInt8]
    let network: String
  }

  static let inner = Frames.ipv4()
  static let frame = Frames.ethernet(inner)

  static let tunnels: [Case] = {
    let v6 = Frames.ipv6()
    let erspan2: [UInt8] = [0x10, 5, 0, 77, 0, 0, 0, 9]
    func erspan3(_ last: Int) -> [UInt8] { [0x20, 5, 0, 78] + Frames.u32(1) + Frames.u16(0) + Frames.u16(last) }
    func udp(_ name: String, _ port: Int, _ payload: [UInt8], _ network: String, from: Int = 50_000) -> Case {
      Case(
        testDescription: name, packet: Frames.outer4(17, Frames.udp(port, payload, from: from)), network: network)
    }
    func gre(_ name: String, _ payload: [UInt8], _ network: String) -> Case {
      Case(testDescription: name, packet: Frames.outer4(47, payload), network: network)
    }
    return [
      Case(testDescription: "IP in IP", packet: Frames.outer4(4, inner), network: "tunnel"),
      Case(testDescription: "6in4", packet: Frames.outer4(41, v6), network: "tunnel"),
      Case(testDescription: "4in6", packet: Frames.outer6(4, inner), network: "tunnel"),
      Case(testDescription: "6in6", packet: Frames.outer6(41, v6), network: "tunnel"),
      Case(testDescription: "EtherIP", packet: Frames.outer4(97, [0x30, 0] + frame), network: "tunnel"),
      Case(
        testDescription: "MPLS in IP", packet: Frames.outer4(137, Frames.label(99, isLast: true) + inner),
        network: "mpls 99"),
      gre("GRE", Frames.gre(0x0800, inner), "tunnel"),
      gre("GRE, IPv6", Frames.gre(0x86dd, v6), "tunnel"),
      gre("GRE, key", Frames.gre(0x0800, inner, flags: 0x2000, fields: Frames.u32(42)), "gre 42"),
      gre(
        "GRE, checksum, key, sequence",
        Frames.gre(0x0800, inner, flags: 0xb000, fields: Frames.u32(0) + Frames.u32(43) + Frames.u32(1)), "gre 43"),
      gre("GRE, Ethernet", Frames.gre(0x6558, frame, flags: 0x2000, fields: Frames.u32(44)), "gre 44"),
      gre("GRE, MPLS", Frames.gre(0x8847, Frames.label(45, isLast: true) + inner), "tunnel/mpls 45"),
      gre("WCCP 1", Frames.gre(0x883e, inner), "tunnel"),
      gre("WCCP 2", Frames.gre(0x883e, [0, 0, 0, 0] + inner), "tunnel"),
      gre(
        "PPTP",
        Frames.gre(
          0x880b, [0xff, 3, 0, 0x21] + inner, flags: 0x3081,
          fields: Frames.u16(4 + inner.count) + Frames.u16(9) + Frames.u32(1) + Frames.u32(1)), "gre 9"),
      gre("ERSPAN I", Frames.gre(0x88be, frame), "tunnel"),
      gre("ERSPAN II", Frames.gre(0x88be, erspan2 + frame, flags: 0x1000, fields: Frames.u32(1)), "erspan 77"),
      gre("ERSPAN III", Frames.gre(0x22eb, erspan3(0) + frame, flags: 0x1000, fields: Frames.u32(1)), "erspan 78"),
      gre(
        "ERSPAN III, platform's subheader",
        Frames.gre(0x22eb, erspan3(1) + Array(repeating: 0, count: 8) + frame, flags: 0x1000, fields: Frames.u32(1)),
        "erspan 78"),
      gre(
        "ERSPAN III, IP", Frames.gre(0x22eb, erspan3(2 << 10) + inner, flags: 0x1000, fields: Frames.u32(1)),
        "erspan 78"),
      udp("VXLAN", 4789, Frames.vxlan(5001, frame), "vxlan 5001"),
      udp("VXLAN, Linux's port", 8472, Frames.vxlan(0xff_ffff, frame), "vxlan 16777215"),
      udp("VXLAN, reserved bits", 4789, Frames.vxlan(1, frame, flags: 0xff), "vxlan 1"),
      udp("VXLAN-GPE, IPv4", 4790, Frames.vxlan(2, inner, flags: 12, next: 1), "vxlan 2"),
      udp("VXLAN-GPE, IPv6", 4790, Frames.vxlan(2, v6, flags: 12, next: 2), "vxlan 2"),
      udp("VXLAN-GPE, Ethernet", 4790, Frames.vxlan(2, frame, flags: 12, next: 3), "vxlan 2"),
      udp("VXLAN-GPE without P", 4790, Frames.vxlan(2, frame), "vxlan 2"),
      udp(
        "VXLAN-GPE, MPLS", 4790, Frames.vxlan(2, Frames.label(8000, isLast: true) + inner, flags: 12, next: 5),
        "vxlan 2/mpls 8000"),
      udp(
        "VXLAN-GPE, NSH", 4790,
        Frames.vxlan(
          2, [0x0f, 0xc6, 1, 1] + Frames.u32(300 << 8 | 255) + Array(repeating: 0, count: 16) + inner, flags: 12,
          next: 4),
        "vxlan 2/nsh 300"),
      udp("Geneve, Ethernet", 6081, Frames.geneve(6, 0x6558, frame), "geneve 6"),
      udp("Geneve, IPv4, options", 6081, Frames.geneve(6, 0x0800, inner, options: 63), "geneve 6"),
      udp("GTP-U", 2152, Frames.gtp(0xffff_0001, inner), "gtp 4294901761"),
      udp("GTP-U, answers' port", 40_000, Frames.gtp(3, inner), "gtp 3", from: 2152),
      udp(
        "GTP-U, two extension headers", 2152,
        Frames.gtp(3, inner, extensions: [0x85, 1, 0, 9, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0]), "gtp 3"),
      udp(
        "L2TP", 1701,
        [0x40, 2] + Frames.u16(12 + inner.count) + Frames.u16(1) + Frames.u16(2) + [0xff, 3, 0, 0x21] + inner,
        "l2tp 1.2"),
      udp(
        "L2TP, offset", 1701, [0x02, 2] + Frames.u16(1) + Frames.u16(2) + Frames.u16(3) + [0, 0, 0, 0x21] + inner,
        "l2tp 1.2"),
      udp("Teredo", 3544, v6, "tunnel"),
      udp(
        "Teredo, authentication and origin", 3544,
        [0, 1, 0, 0] + Array(repeating: 0, count: 9) + [0, 0] + Array(repeating: 1, count: 6) + v6, "tunnel"),
      udp("GRE in UDP", 4754, Frames.gre(0x0800, inner), "tunnel"),
      udp("MPLS in UDP", 6635, Frames.label(16, isLast: true) + inner, "mpls 16"),
      Case(
        testDescription: "PPPoE", linkType: .ethernet, packet: Frames.ethernet(Frames.pppoe(12, inner), type: 0x8864),
        network: "pppoe 12"),
      Case(
        testDescription: "PPPoE, compressed protocol", linkType: .ethernet,
        packet: Frames.ethernet(Frames.pppoe(12, v6, ppp: [0x57]), type: 0x8864), network: "pppoe 12"),
      Case(testDescription: "PPP", linkType: .ppp, packet: [0xff, 3, 0, 0x21] + inner, network: ""),
      Case(testDescription: "PPP, short", linkType: .ppp, packet: [0x21] + inner, network: ""),
      Case(testDescription: "PPP in HDLC", linkType: .pppHDLC, packet: [0xff, 3, 0, 0x57] + v6, network: ""),
      Case(testDescription: "Cisco HDLC", linkType: .ciscoHDLC, packet: [0x0f, 0, 8, 0] + inner, network: ""),
      Case(
        testDescription: "VLAN", linkType: .ethernet, packet: Frames.ethernet(inner, tags: [0x8100]),
        network: "vlan 100"),
      Case(
        testDescription: "QinQ", linkType: .ethernet, packet: Frames.ethernet(inner, tags: [0x88a8, 0x8100]),
        network: "vlan 100.101"),
      Case(
        testDescription: "SNAP", linkType: .ethernet,
        packet: Frames.ethernet([0xaa, 0xaa, 3, 0, 0, 0, 8, 0] + inner, type: 8 + inner.count), network: ""),
      Case(
        testDescription: "MPLS, three labels and entropy", linkType: .ethernet,
        packet: Frames.ethernet(
          Frames.label(20, isLast: false) + Frames.label(21, isLast: false) + Frames.label(7, isLast: false)
            + Frames.label(999, isLast: true) + inner, type: 0x8847), network: "mpls 21"),
      Case(
        testDescription: "MPLS, explicit null", linkType: .ethernet,
        packet: Frames.ethernet(Frames.label(2, isLast: true) + v6, type: 0x8848), network: ""),
      Case(
        testDescription: "MPLS, Ethernet", linkType: .ethernet,
        packet: Frames.ethernet(Frames.label(30, isLast: true) + frame, type: 0x8847), network: "mpls 30"),
      Case(
        testDescription: "MPLS, control word, Ethernet", linkType: .ethernet,
        packet: Frames.ethernet(Frames.label(30, isLast: true) + [0, 0, 0, 5] + frame, type: 0x8847),
        network: "mpls 30"),
      Case(
        testDescription: "MPLS, Ethernet to an address that begins with 4", linkType: .ethernet,
        packet: Frames.ethernet(
          Frames.label(30, isLast: true) + [0x46, 0, 0xff, 0xff] + frame.dropFirst(4), type: 0x8847),
        network: "mpls 30"),
      Case(
        testDescription: "MPLS, Ethernet to an address that begins with 6", linkType: .ethernet,
        packet: Frames.ethernet(
          Frames.label(30, isLast: true) + [0x66, 0, 0, 0, 0xff, 0xff] + frame.dropFirst(6), type: 0x8847),
        network: "mpls 30"),
      Case(
        testDescription: "the lot", linkType: .ethernet,
        packet: Frames.ethernet(
          Frames.outer6(
            17,
            Frames.udp(
              4789,
              Frames.vxlan(
                5001,
                Frames.ethernet(
                  Frames.outer4(47, Frames.gre(0x0800, inner, flags: 0x2000, fields: Frames.u32(8))), tags: [0x8100])))),
          type: 0x86dd, tags: [0x88a8, 0x8100]), network: "vlan 100.101/vxlan 5001/vlan 100"),
      Case(
        testDescription: "radiotap", linkType: .radiotap,
        packet: [0, 0, 9, 0, 2, 0, 0, 0, 0x10] + [0x08, 0x01] + Array(repeating: 0, count: 22)
          + [0xaa, 0xaa, 3, 0, 0, 0, 8, 0] + inner, network: ""),
      Case(
        testDescription: "802.11 QoS between access points", linkType: .wireless,
        packet: [0x88, 0x03] + Array(repeating: 0, count: 30) + [0xaa, 0xaa, 3, 0, 0, 0, 8, 0] + inner, network: ""),
      Case(
        testDescription: "netfilter log", linkType: .nflog,
        packet: [2, 0, 0, 42, 5, 0, 10, 0, 0x41, 0, 0, 0, UInt8((4 + inner.count) & 0xff), 0, 9, 0] + inner, network: ""
      ),
      Case(
        testDescription: "ARCNET, RFC 1051", linkType: .linuxARCNET, packet: [1, 2, 0, 0, 240] + inner, network: ""),
      Case(
        testDescription: "ARCNET, RFC 1201", linkType: .linuxARCNET, packet: [1, 2, 0, 0, 212, 0, 0, 1] + inner,
        network: ""),
    ]
  }()

  @Test("the inner connection comes out, with its network", arguments: tunnels)
  func comesOut(_ tunnel: Case) throws {
    let content = parse(tunnel.packet, tunnel.linkType)
    let segment = try #require(content.segment)
    #expect(payload(content, of: tunnel.packet) == Frames.body)
    #expect(segment.payloadLengthOnWire == Frames.body.count)
    #expect(["192.0.2.1", "2001:db8::1"].contains("\(segment.source.address)"))
    #expect("\(segment.encapsulation)" == tunnel.network)
    #expect(segment.encapsulation.isEmpty == (segment.encapsulation.fingerprint == 0))
  }

  @Test("cut at every length, tells the segment with its length on the wire, or what was cut", arguments: tunnels)
  func cutAnywhere(_ tunnel: Case) throws {
    let header = tunnel.packet.count - Frames.body.count
    for captured in 0..<tunnel.packet.count {
      switch parse(tunnel.packet, tunnel.linkType, captured: captured) {
      case .tcp(let segment):
        #expect(segment.payload.upperBound <= captured && captured >= header)
        #expect(segment.payloadLengthOnWire == Frames.body.count)
      case .undecodable: #expect(captured < header)
      // Where a pseudowire's type was cut off, or labels' first nibble, nothing tells what is there.
      case .notTCP: #expect(tunnel.testDescription.contains("MPLS"))
      case .fragment: Issue.record("a fragment of \(captured)")
      }
    }
  }

  @Test("what ends before its headers end is not TCP, and no trap", arguments: tunnels)
  func shortened(_ tunnel: Case) {
    for count in 0..<tunnel.packet.count - Frames.body.count {
      #expect(parse(Array(tunnel.packet.prefix(count)), tunnel.linkType).segment == nil)
    }
  }

  @Test("a few wrong bytes", arguments: tunnels)
  func damaged(_ tunnel: Case) {
    var noise = Noise(tunnel.packet.count)
    let reading = Reading()
    for _ in 0..<400 {
      var packet = tunnel.packet
      for _ in 0...Int.random(in: 0...3, using: &noise) {
        packet[Int.random(in: packet.indices, using: &noise)] = UInt8.random(in: 0...255, using: &noise)
      }
      reading.read(packet, tunnel.linkType, captured: Int.random(in: 0...packet.count, using: &noise))
    }
    #expect(reading.isBalanced)
  }

  // MARK: Limits and options

  @Test("eight headers around a packet, and not nine")
  func depth() {
    func nested(_ count: Int) -> [UInt8] { (0..<count).reduce(Self.inner) { packet, _ in Frames.outer4(4, packet) } }
    #expect(parse(nested(8), .raw).segment != nil)
    #expect(parse(nested(9), .raw) == .undecodable(.encapsulationTooDeep))
    let three = PacketParser(linkType: .raw, options: ParsingOptions(decapsulation: .upTo(3)))
    #expect(three.parse(nested(3).span.bytes, lengthOnWire: 0).segment != nil)
    #expect(three.parse(nested(4).span.bytes, lengthOnWire: 0) == .undecodable(.encapsulationTooDeep))
    let labels = (0..<17).flatMap { Frames.label(UInt32(100 + $0), isLast: $0 == 16) }
    #expect(parse(labels + Self.inner, .mpls) == .undecodable(.encapsulationTooDeep))
  }

  @Test("without decapsulation, tags are passed over and tunnels are not entered", arguments: tunnels)
  func off(_ tunnel: Case) {
    let parser = PacketParser(linkType: tunnel.linkType, options: ParsingOptions(decapsulation: .off))
    let content = parser.parse(tunnel.packet.span.bytes, lengthOnWire: tunnel.packet.count)
    let isTunnel = tunnel.linkType == .raw || tunnel.testDescription == "the lot"
    #expect((content.segment == nil) == isTunnel)
    if isTunnel { #expect(content == .notTCP) }
  }

  @Test("a port does not make a tunnel", arguments: [4789, 8472, 4790, 6081, 2152, 4754, 6635, 1701, 3544, 53])
  func otherDatagrams(_ port: Int) {
    let packets: [[UInt8]] = [[], [0], Array(repeating: 0xff, count: 64), Array("d1:ad2:id20:".utf8)]
    for packet in packets {
      #expect(parse(Frames.outer4(17, Frames.udp(port, packet)), .raw) == .notTCP)
    }
  }

  @Test("what is refused: GRE's source routing and other versions, control messages, fragments of radio frames")
  func refused() {
    let refused: [[UInt8]] = [
      Frames.outer4(47, Frames.gre(0x0800, Self.inner, flags: 0x4000)),
      Frames.outer4(47, Frames.gre(0x0800, Self.inner, flags: 0x0002)),
      Frames.outer4(
        47, Frames.gre(0x88be, [0x20, 0, 0, 0, 0, 0, 0, 0] + Self.frame, flags: 0x1000, fields: [0, 0, 0, 0])),
      Frames.outer4(17, Frames.udp(4789, Frames.vxlan(1, Self.frame, flags: 0))),
      Frames.outer4(17, Frames.udp(4790, Frames.vxlan(1, Self.inner, flags: 0x0d, next: 1))),
      Frames.outer4(17, Frames.udp(6081, [0, 0x80] + Frames.geneve(6, 0x0800, Self.inner).dropFirst(2))),
      Frames.outer4(17, Frames.udp(2152, [0x30, 254] + Frames.gtp(6, Self.inner).dropFirst(2))),
      Frames.outer4(17, Frames.udp(1701, [0xc8, 2, 0, 12, 0, 1, 0, 2, 0, 0, 0, 0])),
    ]
    for packet in refused { #expect(parse(packet, .raw) == .notTCP) }
    let fragment: [UInt8] = [0x08, 0x04] + Array(repeating: 0, count: 30) + Self.inner
    #expect(parse(fragment, .wireless) == .notTCP)
  }

  // MARK: Networks

  @Test("what differs within a network is no other network; what differs between networks is")
  func fingerprints() throws {
    func network(_ packet: [UInt8], _ linkType: LinkType = .raw) throws -> Encapsulation {
      try #require(parse(packet, linkType).segment).encapsulation
    }
    func vxlan(_ identifier: UInt32, from: Int) -> [UInt8] {
      Frames.outer4(17, Frames.udp(4789, Frames.vxlan(identifier, Self.frame), from: from))
    }
    #expect(try network(vxlan(7, from: 1)) == network(vxlan(7, from: 2)))
    #expect(try network(vxlan(7, from: 1)).fingerprint != network(vxlan(8, from: 1)).fingerprint)
    let there = Frames.outer4(4, Self.inner)
    var back = there
    back.replaceSubrange(12..<20, with: Frames.outerDestination + Frames.outerSource)
    #expect(try network(there) == network(back))
    var elsewhere = there
    elsewhere[19] = 99
    #expect(try network(there).fingerprint != network(elsewhere).fingerprint)
    // A priority alone is no network.
    let tag = Frames.ethernet([0xe0, 0, 8, 0] + Self.inner, type: 0x8100)
    #expect(try network(tag, .ethernet).isEmpty)
  }

  @Test("a fourth identifier is not shown but tells networks apart")
  func manyLayers() {
    func network(_ last: UInt32) -> Encapsulation {
      var network = Encapsulation()
      for (kind, identifier) in [(.gre, 1), (.vxlan, 2), (.mpls, 3), (.gtp, last)] as [(Encapsulation.Kind, UInt32)] {
        network.append(kind, identifier)
      }
      return network
    }
    #expect("\(network(4))" == "gre 1/vxlan 2/mpls 3")
    #expect(Set((0..<1000).map { network($0).fingerprint }).count == 1000)
  }
}
