import PacketHeaders
import Testing

@Suite("TCP headers and sequence numbers")
struct TCPTests {
  @Test("options are passed over", arguments: [0, 4, 12, 40])
  func options(_ length: Int) {
    let packet = Frames.ipv4(Frames.tcp(options: Array(repeating: 1, count: length)))
    #expect(payload(parse(packet, .ipv4), of: packet) == Frames.body)
  }

  @Test("a cut within the options still tells the segment and its length on the wire")
  func cutOptions() throws {
    let packet = Frames.ipv4(Frames.tcp(options: Array(repeating: 1, count: 12)))
    for captured in 40..<52 {
      let segment = try #require(parse(packet, .ipv4, captured: captured).segment)
      #expect(segment.payload == captured..<captured)
      #expect(segment.payloadLengthOnWire == Frames.body.count)
    }
    #expect(parse(packet, .ipv4, captured: 39) == .undecodable(.tcpHeaderCut))
  }

  @Test("every control bit", arguments: 0...255 as ClosedRange<UInt8>)
  func flags(_ bits: UInt8) {
    #expect(parse(Frames.ipv4(Frames.tcp(flags: bits)), .ipv4).segment?.flags.rawValue == bits)
  }

  @Test("distances go the shorter way round")
  func distances() {
    let near = SequenceNumber(rawValue: 0xffff_fff0)
    let past = near.advanced(by: 0x20)
    #expect(past.rawValue == 0x10)
    #expect(past.distance(from: near) == 0x20)
    #expect(near.distance(from: past) == -0x20)
    #expect(near.precedes(past) && !past.precedes(near) && !near.precedes(near))
    #expect(past.advanced(by: -0x20) == near)
    #expect(near.advanced(by: 1 << 32) == near)
    #expect(SequenceNumber(rawValue: 1 << 31).distance(from: SequenceNumber(rawValue: 0)) == -(1 << 31))
  }

  @Test("faults have names of their own")
  func identifiers() {
    #expect(Set(PacketFault.allCases.map(\.identifier)).count == PacketFault.allCases.count)
  }
}
