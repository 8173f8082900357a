// Files that nobody wrote: whatever they are, reading ends, with packets, problems or an error.

import PacketHeaders
import PcapCapture
import Testing

@Suite("Hostile files")
struct HostileFileTests {
  /// xorshift64: the same bytes in every run.
  private struct Noise {
    var state: UInt64
    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
  }

  static let files: [[UInt8]] = [false, true].flatMap { isBigEndian in
    let packet: [UInt8] = Array(1...60)
    var blocks = PcapngFile(isBigEndian: isBigEndian)
    for _ in 0..<2 {
      blocks.section()
      blocks.interface(snapLength: 96, options: [(9, [9]), (14, blocks.number(5))])
      blocks.enhanced(packet)
      blocks.simple(packet)
      blocks.obsolete(packet)
      blocks.statistics(interface: 0, options: [(5, blocks.number(1))])
      blocks.block(77) { $0.bytes = packet }
    }
    let records = (0..<4).map { PcapFile.Record(ticks: $0, bytes: packet) }
    return [PcapFile.file(records, isBigEndian: isBigEndian), blocks.bytes]
  }

  private func read(_ bytes: [UInt8], filter: String?) throws {
    do {
      let read = try ReadCapture(bytes, filter: filter)
      // Memory stays in proportion: no packet is longer than the file.
      #expect(read.packets.allSatisfy { $0.bytes.count <= bytes.count })
    } catch is CaptureError {
      // An error that says what it is about is as good as a packet.
    }
  }

  @Test("a few wrong bytes", arguments: 0..<4)
  func damaged(_ number: Int) throws {
    var noise = Noise(state: 88_172_645_463_325_252 &+ UInt64(number))
    for round in 0..<600 {
      var bytes = Self.files[number]
      for _ in 0...(noise.next() % 3) {
        let values: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, UInt8(truncatingIfNeeded: noise.next())]
        bytes[Int(noise.next() % UInt64(bytes.count))] = values[Int(noise.next() % 6)]
      }
      try read(bytes, filter: round % 8 == 0 ? "tcp port 80" : nil)
    }
  }

  @Test("noise behind each kind of header")
  func noise() throws {
    var noise = Noise(state: 0x9e37_79b9_7f4a_7c15)
    for round in 0..<600 {
      let file = Self.files[round % 4]
      let header = file.prefix(round % 3 == 0 ? 4 : 28)
      try read(header + (0..<Int(noise.next() % 300)).map { _ in UInt8(truncatingIfNeeded: noise.next()) }, filter: nil)
    }
  }
}
