import HTTPModel
import PacketHeaders
import Testing

/// Random payload in random layers, cut into fragments at random layers, shuffled: comes back byte for byte.
@Suite("Whatever a payload is wrapped in, it comes back")
struct ModelTests {
  /// A way to wrap packets; all packets of a datagram go the same.
  private enum Layer: CaseIterable { case tags, labels, pppoe, frame, ip, gre, gtp, vxlan, geneve, vxlanGPE, nvgre }

  private struct Path {
    var noise: Noise
    /// An IP version, or nil for frames.
    var version: Int?
    var packets: [[UInt8]] = []
    private var identification = 0

    init(_ noise: Noise) { self.noise = noise }

    /// Puts payloads into datagrams of one version, each whole or in fragments.
    mutating func datagrams(_ payloads: [[UInt8]], number: UInt8) {
      let isIPv6 = Bool.random(using: &noise)
      version = isIPv6 ? 6 : 4
      packets = payloads.flatMap { datagram($0, number: number, isIPv6: isIPv6) }
    }

    private mutating func datagram(_ payload: [UInt8], number: UInt8, isIPv6: Bool) -> [[UInt8]] {
      if Bool.random(using: &noise) {
        return [isIPv6 ? Frames.ipv6(payload, next: number) : Frames.ipv4(payload, number: number)]
      }
      identification += 1
      let step = Int.random(in: 8...200, using: &noise) * 8
      return stride(from: 0, to: payload.count, by: step).map { start in
        let range = start..<min(payload.count, start + step)
        return isIPv6
          ? Frames.fragment6(payload, range, identification: UInt32(identification), number: number)
          : Frames.fragment4(payload, range, identification: identification, number: number)
      }
    }

    mutating func wrap(_ layer: Layer) {
      let identifier = UInt32.random(in: 16...0xfffff, using: &noise)
      let type = version == 6 ? 0x86dd : 0x0800
      switch layer {
      case .vxlan, .geneve, .vxlanGPE, .nvgre:
        let frames = version == nil ? packets : packets.map { Frames.ethernet($0, type: type) }
        switch layer {
        case .vxlan: datagrams(frames.map { Frames.udp(4789, Frames.vxlan(identifier, $0)) }, number: 17)
        case .geneve:
          datagrams(frames.map { Frames.udp(6081, Frames.geneve(identifier, 0x6558, $0, options: 3)) }, number: 17)
        case .vxlanGPE:
          datagrams(
            frames.map { Frames.udp(4790, Frames.vxlan(identifier, $0, flags: 12, next: 3)) }, number: 17)
        default:
          datagrams(
            frames.map { Frames.gre(0x6558, $0, flags: 0x2000, fields: Frames.u32(identifier)) }, number: 47)
        }
      case _ where version == nil: wrap(.vxlan)
      case .tags: frames { Frames.ethernet($0, type: type, tags: [0x88a8, 0x8100]) }
      case .labels: frames { Frames.ethernet(Frames.label(identifier, isLast: true) + $0, type: 0x8847) }
      case .pppoe:
        frames { Frames.ethernet(Frames.pppoe(5, $0, ppp: type == 0x0800 ? [0, 0x21] : [0, 0x57]), type: 0x8864) }
      case .frame: frames { Frames.ethernet($0, type: type) }
      case .ip: datagrams(packets, number: version == 4 ? 4 : 41)
      case .gre: datagrams(packets.map { Frames.gre(type, $0) }, number: 47)
      case .gtp: datagrams(packets.map { Frames.udp(2152, Frames.gtp(identifier, $0)) }, number: 17)
      }
    }

    private mutating func frames(_ frame: ([UInt8]) -> [UInt8]) {
      packets = packets.map(frame)
      version = nil
    }
  }

  @Test(arguments: 0..<300)
  func randomLayers(seed: Int) {
    var path = Path(Noise(seed + 1))
    let reading = Reading()
    var expected: [[UInt8]] = []
    for _ in 0..<6 {
      let body = (0..<Int.random(in: 0...3000, using: &path.noise)).map { _ in
        UInt8.random(in: 0...255, using: &path.noise)
      }
      path.datagrams([Frames.tcp(body)], number: 6)
      for _ in 0..<Int.random(in: 0...3, using: &path.noise) {
        path.wrap(Layer.allCases.randomElement(using: &path.noise)!)
      }
      path.packets.shuffle(using: &path.noise)
      for packet in path.packets {
        reading.read(packet, path.version == nil ? .ethernet : .raw)
        // A copy, which for a packet that carries all of a segment is a segment more.
        if path.packets.count > 1, Int.random(in: 0..<4, using: &path.noise) == 0 {
          reading.read(packet, path.version == nil ? .ethernet : .raw)
        }
      }
      expected.append(body)
    }
    #expect(reading.payloads == expected)
    #expect(reading.faults.isEmpty)
    #expect(reading.isBalanced)
    #expect(reading.statistics.pending == 0)
  }
}
