import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

/// A small generator with a seed, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

/// Random streams, cut, doubled, cut anew, shuffled within a window and thinned out, come back byte for byte, with
/// exactly the gaps that were made.
@Suite("Whatever the wire does, the stream comes back")
struct ModelTests {
  private struct Packet {
    var sender: Int
    var at: Int
    var count: Int
    var flags: TCPFlags
  }

  @Test(arguments: 0..<200)
  func randomConversation(seed: Int) {
    var random = SeededGenerator(state: UInt64(seed))
    let isJoined = seed % 4 == 3
    let isAcknowledged = seed % 3 != 0
    let streams = (0..<2).map { _ in
      [UInt8]((0..<Int.random(in: 1...3000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
    let initial = (0..<2).map { _ in
      Bool.random(using: &random)
        ? UInt32.random(in: 0 ... .max, using: &random)
        : UInt32.max - UInt32.random(in: 0...3000, using: &random)
    }
    var packets: [[Packet]] = [[], []]
    var lost: [[Bool]] = streams.map { Array(repeating: false, count: $0.count) }
    for sender in 0..<2 {
      packets[sender] = packetize(
        sender, streams[sender].count, lossy: !isJoined && seed % 2 == 1, &lost[sender], &random)
    }
    // No limit may interfere, and a joining direction has to look back as far as the shuffle goes.
    var limits = ReassemblyLimits()
    limits.heldSegmentsPerDirection = 10_000
    limits.joinSegments = 100
    limits.acknowledgedGapSegments = 400
    let wire = Wire(limits)
    let addresses = [TransportAddress.client, .server]
    if !isJoined {
      wire.send(.client, .server, initial[0], .syn)
      wire.send(.server, .client, initial[1], ack: initial[0] &+ 1, .syn)
    }
    // The receiver has everything before the first byte that is still to come, what capture lost as well.
    let received = (0..<2).map { sender in
      packets[sender].reversed().reduce(into: [streams[sender].count]) { $0.append(min($0.last!, $1.at)) }
    }
    var sent = [0, 0]
    var place = [0, 0]
    while place[0] < packets[0].count || place[1] < packets[1].count {
      let sender =
        place[0] == packets[0].count ? 1 : place[1] == packets[1].count ? 0 : Int.random(in: 0...1, using: &random)
      let packet = packets[sender][place[sender]]
      place[sender] += 1
      let other = 1 - sender
      let bytes = Array(streams[sender][packet.at..<packet.at + packet.count])
      wire.send(
        addresses[sender], addresses[other], initial[sender] &+ 1 &+ UInt32(packet.at),
        ack: initial[other] &+ 1
          &+ (isAcknowledged ? UInt32(received[other][packets[other].count - place[other]]) : 0),
        packet.flags, bytes, after: Int64.random(in: 0...1000, using: &random))
      sent[sender] += packet.count
    }
    wire.finish()

    #expect(wire.order.count == 1)
    for sender in 0..<2 {
      let index = wire.only.opened.originator == addresses[sender] ? 0 : 1
      let stream = wire.only.streams[index]
      var expectedGaps: [Wire.Gap] = []
      var expected: [UInt8] = []
      for (at, byte) in streams[sender].enumerated() {
        if !lost[sender][at] {
          expected.append(byte)
        } else if at > 0, lost[sender][at - 1] {
          expectedGaps[expectedGaps.count - 1].length += 1
        } else {
          expectedGaps.append(.init(offset: UInt64(at), length: 1, cause: .lost))
        }
      }
      #expect(stream.bytes == expected)
      #expect(stream.gaps == expectedGaps)
      #expect(stream.mismatches.isEmpty)
    }
    #expect(wire.only.closed == .finished || wire.only.closed == .captureEnded)
    #expect(wire.statistics.capturedBytes == UInt64(sent[0] + sent[1]))
  }

  /// Segments of one stream: first cut at random, some lost for good; then copies and other cuts of the same bytes in
  /// between; then shuffled, each by at most a few places; FIN on the last or alone.
  private func packetize(
    _ sender: Int, _ count: Int, lossy: Bool, _ lost: inout [Bool], _ random: inout SeededGenerator
  ) -> [Packet] {
    let largest = [1, 7, 200, 1460].randomElement(using: &random)!
    var result: [(key: Int, packet: Packet)] = []
    var at = 0
    var order = 0
    while at < count {
      let size = min(count - at, Int.random(in: 1...largest, using: &random))
      if lossy, Int.random(in: 0..<10, using: &random) == 0 {
        for index in at..<at + size { lost[index] = true }
      } else {
        let packet = Packet(sender: sender, at: at, count: size, flags: .psh)
        result.append((order * 10 + Int.random(in: 0...60, using: &random), packet))
        if Int.random(in: 0..<5, using: &random) == 0 {
          result.append((order * 10 + Int.random(in: 0...200, using: &random), packet))
        }
      }
      at += size
      order += 1
    }
    for _ in 0..<order / 4 {
      // Another cut of bytes that are not lost.
      let from = Int.random(in: 0..<count, using: &random)
      if lost[from] { continue }
      var until = from
      while until < count, !lost[until], until - from < 2 * largest { until += 1 }
      let packet = Packet(sender: sender, at: from, count: until - from, flags: [])
      result.append((Int.random(in: 0..<order * 10 + 100, using: &random), packet))
    }
    result.append((order * 10 + 60, Packet(sender: sender, at: count, count: 0, flags: .fin)))
    return result.sorted { $0.key < $1.key }.map(\.packet)
  }

  /// Any bytes as header values: nothing may crash, hang, or lose count of a byte.
  @Test(arguments: 0..<20)
  func noise(seed: Int) {
    var random = SeededGenerator(state: UInt64(seed) &+ 1000)
    var limits = ReassemblyLimits()
    limits.connections = 8
    limits.heldBytes = 3000
    limits.heldSegmentsPerDirection = 6
    let wire = Wire(limits)
    let ports: [UInt16] = [1, 2, 3, 4]
    var near = UInt32.random(in: 0 ... .max, using: &random)
    for _ in 0..<3000 {
      if Int.random(in: 0..<200, using: &random) == 0 { near = UInt32.random(in: 0 ... .max, using: &random) }
      let source = TransportAddress(address: .init(v4: 1), port: ports.randomElement(using: &random)!)
      let destination = TransportAddress(address: .init(v4: 1), port: ports.randomElement(using: &random)!)
      let payload = [UInt8](
        repeating: UInt8.random(in: 0...1, using: &random), count: Int.random(in: 0...60, using: &random))
      let cut = Int.random(in: 0..<6, using: &random) == 0 ? Int.random(in: 0...payload.count, using: &random) : 0
      let flags = TCPFlags(rawValue: [0, 0, 16, 16, 16, 1, 17, 2, 18, 4, 255].randomElement(using: &random)!)
      let scale: UInt32 = [100, 100, 100, 1000, 100_000, .max].randomElement(using: &random)!
      wire.send(
        source, destination, near &+ UInt32.random(in: 0...scale, using: &random),
        ack: Bool.random(using: &random) ? nil : near &+ UInt32.random(in: 0...scale, using: &random), flags, payload,
        cut: cut, after: Int64.random(in: -1_000_000...10_000_000, using: &random))
      if Int.random(in: 0..<50, using: &random) == 0 {
        wire.advance(Int64.random(in: 0...3_000_000_000, using: &random))
      }
      if Int.random(in: 0..<1000, using: &random) == 0 { wire.advance(700_000_000_000) }
    }
    wire.finish()
  }
}
