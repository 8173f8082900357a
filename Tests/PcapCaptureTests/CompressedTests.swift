import PacketHeaders
import Testing

@testable import PcapCapture

@Suite("Compressed captures")
struct CompressedTests {
  static let records = (0..<400).map { number in
    PcapFile.Record(
      ticks: UInt32(number), bytes: (0..<(60 + number * 37 % 1400)).map { UInt8(truncatingIfNeeded: $0 &* number) })
  }
  static let file = PcapFile.file(records)
  static let halves = [file.count / 2, 24, 0].map { cut in (Array(file.prefix(cut)), Array(file.dropFirst(cut))) }

  private func expectWhole(_ bytes: [UInt8], _ what: Comment, problems: [SavedCaptureProblem.Kind] = []) throws {
    let plain = try ReadCapture(Self.file)
    let read = try ReadCapture(bytes)
    #expect(read.packets == plain.packets, what)
    #expect(read.problems.map(\.kind) == problems, what)
  }

  @Test("gzip and zstd, in one piece and in several, whatever they are cut into")
  func whole() throws {
    try expectWhole(Compressed.gzip(Self.file), "gzip")
    try expectWhole(Compressed.zstd(Self.file), "zstd")
    for (first, second) in Self.halves {
      try expectWhole(Compressed.gzip(first) + Compressed.gzip(second), "members")
      try expectWhole(Compressed.zstd(first) + Compressed.zstd(second), "frames")
      try expectWhole(Compressed.gzip(first) + Compressed.zstd(second), "both")
    }
    try expectWhole(Compressed.gzip(Self.file) + Array(repeating: 0, count: 1000), "padding")
    let skippable: [UInt8] = [0x57, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]
    try expectWhole(skippable + Compressed.zstd(Self.file) + skippable, "skippable frames")
  }

  @Test("pcapng too, and files whose parts were compressed one by one and joined")
  func joined() throws {
    var file = PcapngFile()
    file.section()
    file.interface()
    file.enhanced([1, 2, 3])
    #expect(try ReadCapture(Compressed.gzip(file.bytes) + Compressed.zstd(file.bytes)).packets.count == 2)
    let read = try ReadCapture(Compressed.gzip(Self.file) + Compressed.gzip(Self.file))
    #expect(read.packets.count == 800)
    #expect(read.problems.isEmpty)
  }

  @Test("cut at every length: what came out whole is read, and the cut is told", arguments: [false, true])
  func cut(_ isGzip: Bool) throws {
    let records = Array(Self.records.prefix(8))
    let plain = try ReadCapture(PcapFile.file(records)).packets
    let bytes = isGzip ? Compressed.gzip(PcapFile.file(records)) : Compressed.zstd(PcapFile.file(records))
    var most = 0
    for length in 4..<bytes.count {
      do {
        let read = try ReadCapture(Array(bytes.prefix(length)))
        #expect(read.packets == Array(plain.prefix(read.packets.count)), "\(length)")
        #expect(read.problems.map(\.kind) == [.compressionCutOff], "\(length)")
        most = max(most, read.packets.count)
      } catch let error as CaptureError {
        guard case .compressionUnreadable(_, _, isCutOff: true) = error else {
          Issue.record("\(length): \(error)")
          continue
        }
      }
    }
    // The trailer alone is missing at last.
    #expect(most == 8)
  }

  @Test("damage ends it, and is told")
  func damaged() throws {
    // The checksum at the end.
    var bytes = Compressed.gzip(Self.file)
    bytes[bytes.count - 8] ^= 1
    try expectWhole(bytes, "checksum", problems: [.compressionDamaged])
    let plain = try ReadCapture(Self.file).packets
    for whole in [Compressed.gzip(Self.file), Compressed.zstd(Self.file)] {
      // zstd keeps back the last block until its checksum is known to be right.
      for place in [whole.count / 2, whole.count - 1] {
        bytes = whole
        bytes[place] ^= 0x5a
        let read = try ReadCapture(bytes)
        #expect(read.packets.count <= 400)
        if place > whole.count / 2 { #expect(read.packets == Array(plain.prefix(read.packets.count))) }
        #expect(read.problems.last?.kind == .compressionDamaged)
      }
    }
  }

  @Test("what stands behind is told and not read")
  func foreign() throws {
    for bytes in [Compressed.gzip(Self.file), Compressed.zstd(Self.file)] {
      try expectWhole(bytes + Array("junk that follows".utf8), "junk", problems: [.compressionFollowed])
      try expectWhole(bytes + [7], "a byte", problems: [.compressionFollowed])
    }
  }

  @Test("a window of more than 128 MB is refused")
  func window() throws {
    // 2^31 is the most that the format allows here; a frame of it is made by its header alone.
    var frame = Compressed.zstd(Self.file, windowLog: 20)
    #expect(try ReadCapture(frame).packets.count == 400)
    // RFC 8878, 3.1.1.1.2: the exponent less 10 in the upper five bits.
    frame[5] = (31 - 10) << 3
    let file = try TemporaryFile(frame)
    do {
      _ = try SavedCapture(path: file.path)
      Issue.record("accepted")
    } catch { #expect("\(error)".contains("zstd -dc --long=31"), "\(error)") }
  }

  @Test("from a pipe", arguments: [[1, 3], [65_536]])
  func pipes(_ pieces: [Int]) throws {
    let plain = try ReadCapture(Self.file)
    for bytes in [Compressed.gzip(Self.file), Compressed.zstd(Self.file)] {
      let descriptor = try pipeReadingEnd(bytes, pieces: pieces)
      defer { closeDescriptor(descriptor) }
      #expect(try ReadCapture(SavedCapture(descriptor: descriptor, name: "a pipe")) == plain)
    }
  }

  @Test("many zeros in few octets are looked through piece by piece")
  func expansion() throws {
    // Zeros behind the header: damage, looked through to the end.
    let zeros = Compressed.gzip([UInt8](repeating: 0, count: 1 << 23))
    let read = try ReadCapture(Compressed.gzip(Self.file) + zeros)
    #expect(read.packets.count == 400)
    #expect(read.problems.map(\.kind) == [.lengthInvalid(0), .skipped(1 << 23, isResumed: false)])
  }
}
