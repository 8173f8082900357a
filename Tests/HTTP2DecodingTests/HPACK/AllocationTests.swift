import Glibc
import HTTP2Decoding
import HTTPModel
import Testing

/// Runs in a process of its own that can get no more memory: whoever allocates there dies.
@Suite("Header blocks cost no allocation")
struct AllocationTests {
  /// 20,000 blocks that turn the table over again and again, once all buffers have grown.
  @Test func blocksAllocateNothing() async {
    await #expect(processExitsWith: .exitCode(100)) {
      var connection = Connection()
      connection.send(2000)
      takeAllMemory()
      connection.send(20_000)
      _exit(connection.isRight ? 100 : 1)
    }
  }

  /// The fields of a message are copied, so the proof above proves something.
  @Test func messagesDoAllocate() async {
    await #expect(processExitsWith: .failure) {
      var connection = Connection()
      connection.send(2000)
      takeAllMemory()
      _exit(connection.list.headerFields().isEmpty ? 0 : 100)
    }
  }
}

/// Sends blocks with an indexed, a Huffman-coded and an inserted field, whose value is the block's number.
private struct Connection {
  var decoder = HPACKDecoder()
  var list = HPACKFieldList()
  var isRight = true
  private var number: UInt32 = 0
  private var block: [UInt8] = octets("82 41 8c f1e3 c2e5 f23a 6ba0 ab90 f4ff 40 0178 04 00000000 be")

  mutating func send(_ blocks: Int) {
    for _ in 0..<blocks {
      number += 1
      for index in 0..<4 { block[block.count - 5 + index] = UInt8(truncatingIfNeeded: number >> UInt32(index * 8)) }
      list.removeAll()
      let outcome = block.withUnsafeBytes { decoder.decode($0, into: &list) }
      isRight = isRight && outcome.isComplete && list.count == 4 && list.byteCount == 10 + 25 + 5 + 5
    }
  }
}

private func takeAllMemory() {
  var none = rlimit(rlim_cur: 0, rlim_max: 0)
  setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &none)
  setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &none)
  var last: UnsafeMutableRawPointer?
  var size = 1 << 26
  while size >= 16 {
    while let free = malloc(size) {
      free.storeBytes(of: last, as: UnsafeMutableRawPointer?.self)
      last = free
    }
    size = size > 2048 ? size / 2 : size - 8
  }
}
