// Files that grow, are cut and are replaced while they are read. What a writer does happens when the reader asks whether
// it must stop, so that nothing depends on time.

import Glibc
import HTTPModel
import PacketHeaders
import PcapCapture
import Testing

@Suite("Following a file")
struct FollowTests {
  private static let records = (0..<9).map { PcapFile.Record(ticks: UInt32($0), bytes: [UInt8($0)] + PcapTests.packet) }
  private static let file = PcapFile.file(records)

  private func append(_ bytes: some Sequence<UInt8>, to path: String) {
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
    let bytes = Array(bytes)
    #expect(write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
  }

  /// Reads with steps of a writer in between; stops when the last has been taken in.
  private func follow(_ file: TemporaryFile, _ steps: [() -> Void]) throws -> ReadCapture {
    var asked = 0
    let capture = try SavedCapture(path: file.path, follows: true) {
      asked += 1
      // Looked at twice after each step, since a successor is opened at the second look.
      if asked % 4 == 0, asked / 4 <= steps.count { steps[asked / 4 - 1]() }
      return asked / 4 > steps.count
    }
    return try ReadCapture(capture)
  }

  @Test("from an empty file on, byte by byte through the headers, a packet when it is whole")
  func grows() throws {
    let file = try TemporaryFile()
    let cuts = [1, 3, 10, 23, 24, 30, 41, 100, 101, 102, 300, Self.file.count]
    var from = 0
    let steps = cuts.map { to in
      defer { from = to }
      let part = Self.file[from..<to]
      return { append(part, to: file.path) }
    }
    let read = try follow(file, steps)
    #expect(read.packets == (try ReadCapture(Self.file).packets))
    #expect(read.problems.isEmpty)
  }

  @Test("pcapng and compressed files too")
  func others() throws {
    var blocks = PcapngFile()
    blocks.section()
    blocks.interface()
    for number in 0..<9 { blocks.enhanced([UInt8(number)] + PcapTests.packet) }
    for bytes in [blocks.bytes, Compressed.gzip(Self.file), Compressed.zstd(blocks.bytes)] {
      let file = try TemporaryFile()
      let steps = stride(from: 0, to: bytes.count, by: 100).map { from in
        { append(bytes[from..<min(bytes.count, from + 100)], to: file.path) }
      }
      let read = try follow(file, steps)
      #expect(read.packets == (try ReadCapture(bytes).packets))
      #expect(read.problems.isEmpty)
    }
  }

  @Test("a file that was cut is read from its new beginning")
  func cut() throws {
    let file = try TemporaryFile(Array(Self.file.dropLast(5)))
    let read = try follow(
      file,
      [
        { truncate(file.path, 0) }, { append(Self.file.prefix(24 + 77), to: file.path) },
        { append(Self.file.dropFirst(24 + 77), to: file.path) },
      ])
    #expect(read.packets.map { Int($0.bytes[0]) } == Array(0..<8) + Array(0..<9))
    #expect(read.problems.map(\.kind) == [.cutOff, .replaced])
  }

  @Test("a file that was renamed is read to its end, then the one that took its name")
  func replaced() throws {
    let file = try TemporaryFile(Array(Self.file.prefix(24 + 77)))
    var blocks = PcapngFile()
    blocks.section()
    blocks.interface(linkType: 101)
    blocks.enhanced([42])
    let old = file.path + ".1"
    defer { unlink(old) }
    let read = try follow(
      file,
      [
        { rename(file.path, old) }, { append(Self.file.dropFirst(24 + 77), to: old) },
        { append(blocks.bytes, to: file.path) }, {},
      ])
    #expect(read.packets.map { Int($0.bytes[0]) } == Array(0..<9) + [42])
    #expect(read.packets.last?.linkType == .raw)
    // Not the interface of the file before.
    #expect(read.packets.map(\.interface) == Array(repeating: 0, count: 9) + [1])
    #expect(read.problems.map(\.kind) == [.replaced])
  }

  @Test("it ends when it must, though nothing ever came, and a file has to be there")
  func stops() throws {
    let file = try TemporaryFile()
    #expect(try follow(file, []).packets.isEmpty)
    #expect(throws: CaptureError.fileMissing(path: "/nonexistent/x")) {
      try SavedCapture(path: "/nonexistent/x", follows: true)
    }
    let junk = try TemporaryFile(Array("no capture".utf8))
    #expect(throws: CaptureError.self) { try SavedCapture(path: junk.path, follows: true) }
  }

  @Test("several files at once")
  func several() throws {
    let files = try [TemporaryFile(), TemporaryFile()]
    var asked = 0
    let set = try SavedCaptureSet(
      paths: files.map(\.path), options: SavedCaptureOptions(follows: true),
      mustStop: {
        asked += 1
        if asked == 6 { append(Self.file, to: files[0].path) }
        if asked == 9 { append(Self.file, to: files[1].path) }
        return asked > 40
      })
    var times: [Int64] = []
    while let packet = try set.next() { times.append(packet.time.nanoseconds) }
    let expected = try ReadCapture(Self.file).packets.flatMap { [$0.nanoseconds, $0.nanoseconds] }
    #expect(times == expected)
  }
}
