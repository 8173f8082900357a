import HTTPModel
import PacketHeaders
import PcapCapture
import Testing

@Suite("Several captures as one")
struct SavedCaptureSetTests {
  private static func file(_ ticks: [Int], mark: UInt8 = 0) -> [UInt8] {
    PcapFile.file(
      ticks.map { PcapFile.Record(ticks: UInt32($0), bytes: [mark, UInt8(truncatingIfNeeded: $0)] + PcapTests.packet) })
  }

  private struct Merged {
    var ticks: [Int] = []
    var marks: [UInt8] = []
    var interfaces: [Int] = []
    var set: SavedCaptureSet

    init(_ files: [[UInt8]], _ options: SavedCaptureOptions = SavedCaptureOptions()) throws {
      let files = try files.map(TemporaryFile.init)
      set = try SavedCaptureSet(paths: files.map(\.path), options: options)
      while let packet = try set.next() {
        ticks.append(Int(packet.time.nanoseconds - 1_700_000_000_000_000_000) / 1000)
        marks.append(packet.bytes[0])
        interfaces.append(packet.interface)
        #expect(Array(packet.bytes.dropFirst(2)) == PcapTests.packet)
      }
    }
  }

  @Test("in order of time, and in order of the files where times are equal")
  func merge() throws {
    let merged = try Merged([
      Self.file([1, 4, 4, 9], mark: 0), Self.file([], mark: 1), Self.file([2, 4, 10], mark: 2),
      Self.file([0, 4, 4, 4], mark: 3),
    ])
    #expect(merged.ticks == [0, 1, 2, 4, 4, 4, 4, 4, 4, 9, 10])
    #expect(merged.marks == [3, 0, 2, 0, 0, 2, 3, 3, 3, 0, 2])
    #expect(Set(merged.interfaces) == [0, 2 << 32, 3 << 32])
    #expect(merged.set.packetsOutOfOrder == 0)
  }

  @Test("of random captures nothing is lost, and each one's order is kept")
  func random() throws {
    var state: UInt64 = 0x1234_5678_9abc_def1
    func next(_ bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(bound))
    }
    for files in [1, 2, 7, 40] {
      let ticks = (0..<files).map { _ in (0..<next(60)).map { _ in next(1000) }.sorted() }
      let merged = try Merged(ticks.enumerated().map { Self.file($0.element, mark: UInt8($0.offset)) })
      #expect(merged.ticks == ticks.flatMap { $0 }.sorted())
      for (index, ticks) in ticks.enumerated() {
        #expect(zip(merged.ticks, merged.marks).filter { $0.1 == UInt8(index) }.map(\.0) == ticks)
      }
    }
  }

  @Test("without a window a file's order stays, and is told")
  func disorder() throws {
    let merged = try Merged([Self.file([5, 3, 4, 8, 6, 9])])
    #expect(merged.ticks == [5, 3, 4, 8, 6, 9])
    #expect(merged.set.packetsOutOfOrder == 3)
    #expect(merged.set.largestStepBack == 2000)
  }

  @Test("a window puts right what is within it, and counts what is not")
  func window() throws {
    let ticks = [5, 3, 4, 8, 6, 9, 30, 10, 31, 29, 32]
    let wide = try Merged([Self.file(ticks)], SavedCaptureOptions(window: 20_000))
    #expect(wide.ticks == ticks.sorted())
    #expect(wide.set.packetsOutOfOrder == 0)
    #expect(wide.set.largestStepBack == 20_000)
    let narrow = try Merged([Self.file([5, 30, 33, 10, 34])], SavedCaptureOptions(window: 2000))
    #expect(narrow.ticks == [5, 30, 10, 33, 34])
    #expect(narrow.set.packetsOutOfOrder == 1)
    let both = try Merged(
      [Self.file(ticks), Self.file(ticks, mark: 1)], SavedCaptureOptions(window: 20_000))
    #expect(both.ticks == (ticks + ticks).sorted())
  }

  @Test("a window's bytes are bounded: packets go before their time, and are counted")
  func bounded() throws {
    let ticks = (0..<5000).map { $0 ^ 3 }
    let merged = try Merged([Self.file(ticks)], SavedCaptureOptions(window: 1 << 60, windowBytes: 64 << 10))
    #expect(merged.ticks == Array(0..<5000))
    #expect(merged.set.packetsHurried > 4000)
    #expect(merged.set.packetsOutOfOrder == 0)
  }

  @Test("a packet larger than a slab, and many rounds through all of them")
  func slabs() throws {
    func size(_ number: UInt8) -> Int { number % 7 == 0 ? 700_000 : 100_000 }
    let large = (0..<40).map { (number: UInt8) in
      PcapFile.Record(ticks: UInt32(number ^ 1), bytes: Array(repeating: number, count: size(number)))
    }
    let file = try TemporaryFile(PcapFile.file(large, snapLength: 1 << 20))
    let set = try SavedCaptureSet(paths: [file.path], options: SavedCaptureOptions(window: 3000))
    var numbers: [UInt8] = []
    while let packet = try set.next() {
      let first = try #require(packet.bytes.first)
      #expect(packet.bytes.allSatisfy { $0 == first })
      #expect(packet.bytes.count == size(first))
      numbers.append(first)
    }
    let expected: [UInt8] = (0..<40).map { (number: UInt8) in number ^ 1 }
    #expect(numbers == expected)
  }

  @Test("problems, drops and secrets are those of all files; a file that can't be opened is named")
  func facts() throws {
    var blocks = PcapngFile()
    blocks.section()
    blocks.interface()
    blocks.block(10) {
      $0.add(0x544c_534b as UInt32)
      $0.add(2 as UInt32)
      $0.bytes += [1, 2]
    }
    blocks.statistics(interface: 0, options: [(7, blocks.number(5))])
    let files = try [TemporaryFile(blocks.bytes), TemporaryFile(blocks.bytes + [1]), TemporaryFile(Self.file([1]))]
    let set = try SavedCaptureSet(paths: files.map(\.path), options: SavedCaptureOptions(filter: "udp"))
    let isEmpty = try set.next() == nil
    #expect(isEmpty)
    #expect(set.recordedDrops.kernelDrops == 10)
    #expect(set.filteredPackets == 1)
    #expect(set.takeSecrets().map(\.bytes) == [[1, 2], [1, 2]])
    #expect(set.problems.map(\.path) == [files[1].path])
    #expect(set.problems.map(\.problem.kind) == [.cutOff])
    #expect(throws: CaptureError.fileMissing(path: "/nonexistent/x")) {
      try SavedCaptureSet(paths: [files[0].path, "/nonexistent/x"])
    }
  }
}
