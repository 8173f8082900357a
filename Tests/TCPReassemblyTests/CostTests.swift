import Glibc
import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

/// Runs in a process of its own whose heap has no byte left: whoever allocates there dies.
@Suite("A segment in order costs no allocation")
struct CostTests {
  /// 100,000 segments in order over 500 connections, in both directions and across the wrap of sequence numbers.
  @Test func inOrderSegmentsAllocateNothing() async {
    await #expect(processExitsWith: .exitCode(100)) {
      var conversation = Conversation()
      conversation.send(rounds: 20)
      exhaustHeap()
      let borrowed = conversation.send(rounds: 200)
      _exit(borrowed == 100_000 ? 100 : 1)
    }
  }

  /// Reading packets does not either, in a tunnel or bare, as long as they are no fragments.
  @Test func readingPacketsAllocatesNothing() async {
    await #expect(processExitsWith: .exitCode(100)) {
      let header: [UInt8] = [0x45, 0, 0, 140, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
      let segment: [UInt8] =
        [0x9c, 0x40, 0, 80] + Array(repeating: 0, count: 8) + [0x50, 0x18] + Array(repeating: 1, count: 106)
      let frame = [UInt8](repeating: 2, count: 12) + [8, 0] + header + segment
      let outer: [UInt8] = [0x45, 0, 0, 190, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 3, 10, 0, 0, 4]
      let tunnel = outer + [0x80, 0, 0x12, 0xb5, 0, 170, 0, 0, 8, 0, 0, 0, 0, 0, 7, 0] + frame
      var reader = PacketReader()
      exhaustHeap()
      var count = 0
      var round = 0
      while round < 10_000 {
        frame.withUnsafeBytes { bytes in
          if case .tcp = reader.read(
            bytes, lengthOnWire: bytes.count, linkType: .ethernet, at: Timestamp(nanoseconds: Int64(round)))
          {
            count += 1
          }
        }
        tunnel.withUnsafeBytes { bytes in
          if case .tcp = reader.read(
            bytes, lengthOnWire: bytes.count, linkType: .raw, at: Timestamp(nanoseconds: Int64(round)))
          {
            count += 1
          }
        }
        round += 1
      }
      _exit(count == 20_000 ? 100 : 1)
    }
  }

  /// The same with holes: bytes that wait are copied, so the proof above proves something.
  @Test func segmentsBehindHolesDoAllocate() async {
    await #expect(processExitsWith: .failure) {
      var conversation = Conversation()
      conversation.send(rounds: 20)
      exhaustHeap()
      conversation.round += 2
      conversation.send(rounds: 1)
      _exit(0)
    }
  }
}

/// Takes every free block of every size, and lets the process have no more pages.
private func exhaustHeap() {
  var none = rlimit(rlim_cur: 0, rlim_max: 0)
  setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &none)
  setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &none)
  var last: UnsafeMutableRawPointer?
  var size = 1 << 26
  while size >= 16 {
    while let block = malloc(size) {
      block.storeBytes(of: last, as: UnsafeMutableRawPointer?.self)
      last = block
    }
    size = size > 2048 ? size / 2 : size - 8
  }
}

private struct Conversation: ~Copyable {
  var reassembler = Reassembler()
  var round: UInt32 = 0
  let flags: TCPFlags = [.ack, .psh]
  private let payload = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)

  init() { payload.initializeMemory(as: UInt8.self, repeating: 0x41) }

  deinit { payload.deallocate() }

  /// One segment on each of 500 connections in each round; returns how many were told without a copy.
  @discardableResult
  mutating func send(rounds: UInt32) -> Int {
    var borrowed = 0
    let last = round + rounds
    // Loops over ranges allocate where they are not optimized.
    while round < last {
      var connection: UInt16 = 0
      while connection < 500 {
        let client = TransportAddress(address: IPAddress(v4: 0x0a00_0001), port: 1024 + connection)
        let server = TransportAddress(address: IPAddress(v4: 0x0a00_0002), port: 80)
        let segment = TCPSegment(
          source: round & 1 == 0 ? client : server, destination: round & 1 == 0 ? server : client,
          sequence: SequenceNumber(rawValue: 0xffff_f000 &+ round / 2 * 100),
          acknowledgment: SequenceNumber(rawValue: 0xffff_f000 &+ (round + 1) / 2 * 100), flags: flags, window: 100,
          payload: 0..<100, payloadLengthOnWire: 100)
        reassembler.receive(
          segment, payload: UnsafeRawBufferPointer(payload), at: Timestamp(nanoseconds: Int64(round) * 100_000_000))
        while let event = reassembler.nextEvent() {
          if case .data(_, _, _, .segment, _, _) = event { borrowed += 1 }
        }
        connection += 1
      }
      round += 1
    }
    return borrowed
  }
}
