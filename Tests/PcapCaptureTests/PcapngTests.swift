import PacketHeaders
import PcapCapture
import Testing

@Suite("pcapng files")
struct PcapngTests {
  static let packet: [UInt8] = Array(1...61)

  @Test("the three kinds of packet block, in either byte order", arguments: [false, true])
  func packetBlocks(_ isBigEndian: Bool) throws {
    var file = PcapngFile(isBigEndian: isBigEndian)
    file.section()
    file.interface(linkType: 1, snapLength: 40)
    file.interface(linkType: 276)
    file.enhanced(Self.packet, interface: 1, ticks: 1_700_000_000_123_456, onWire: 1500)
    file.simple(Array(Self.packet.prefix(40)), onWire: 61)
    file.obsolete(Self.packet, interface: 1, ticks: 1_700_000_000_123_457)
    let read = try ReadCapture(file.bytes)
    try #require(read.packets.count == 3)
    #expect(read.problems.isEmpty)
    #expect(read.packets[0].nanoseconds == 1_700_000_000_123_456_000)
    #expect(read.packets[0].bytes == Self.packet)
    #expect(read.packets[0].lengthOnWire == 1500)
    #expect(read.packets[0].linkType == .linuxCooked2)
    #expect(read.packets[0].interface == 1)
    // A simple packet is of the first interface, cut at its snap length, and has the time of the packet before.
    #expect(read.packets[1].bytes == Array(Self.packet.prefix(40)))
    #expect(read.packets[1].lengthOnWire == 61)
    #expect(read.packets[1].linkType == .ethernet)
    #expect(read.packets[1].nanoseconds == read.packets[0].nanoseconds)
    #expect(read.packets[2].nanoseconds == 1_700_000_000_123_457_000)
    #expect(read.packets[2].bytes == Self.packet)
  }

  @Test("sections of both byte orders, each with interfaces of its own")
  func sections() throws {
    var first = PcapngFile(isBigEndian: true)
    first.section(length: 48)
    first.interface(linkType: 1)
    first.interface(linkType: 101)
    first.enhanced(Self.packet, interface: 1)
    var second = PcapngFile(isBigEndian: false)
    second.section()
    second.interface(linkType: 113)
    second.enhanced(Self.packet, interface: 0)
    second.enhanced(Self.packet, interface: 1)
    let read = try ReadCapture(first.bytes + second.bytes)
    #expect(read.packets.map(\.linkType) == [.raw, .linuxCooked])
    // Numbered through the file.
    #expect(read.packets.map(\.interface) == [1, 2])
    // The second section has one interface only.
    #expect(read.problems.map(\.kind) == [.interfaceUnknown(1)])
  }

  @Test("every resolution of time")
  func resolutions() throws {
    let cases: [(resolution: UInt8, ticks: UInt64, nanoseconds: Int64)] = [
      (0, 1_700_000_000, 1_700_000_000_000_000_000), (3, 1_700_000_000_123, 1_700_000_000_123_000_000),
      (6, 1_700_000_000_123_456, 1_700_000_000_123_456_000), (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
      (12, 1_234_567_890_123_456, 1_234_567_890_123), (19, .max, 1_844_674_407), (28, .max, 1), (127, .max, 0),
      (0x80, 1_700_000_000, 1_700_000_000_000_000_000),
      (0x80 | 10, 1_700_000_000 << 10 | 512, 1_700_000_000_500_000_000),
      (0x80 | 30, 3 << 30 | 1 << 29, 3_500_000_000), (0x80 | 32, 7 << 32 | 1 << 30, 7_250_000_000),
      (0x80 | 63, 3 << 62, 1_500_000_000), (0x80 | 64, 1 << 63, 500_000_000), (0xff, .max, 0),
      // What 64 bits of nanoseconds can't say becomes the last that they can.
      (0, .max, .max), (6, .max, .max), (0x80, .max, .max),
    ]
    for (resolution, ticks, nanoseconds) in cases {
      var file = PcapngFile()
      file.section()
      file.interface(options: [(9, [resolution])])
      file.enhanced([1], ticks: ticks)
      #expect(try ReadCapture(file.bytes).packets.first?.nanoseconds == nanoseconds, "resolution \(resolution)")
    }
  }

  @Test("an offset of time, in either byte order", arguments: [false, true])
  func offsets(_ isBigEndian: Bool) throws {
    let cases: [(offset: Int64, nanoseconds: Int64)] = [
      (1_700_000_000, 1_700_000_001_500_000_000), (-1, 500_000_000), (.max, .max), (.min, .min),
    ]
    for (offset, nanoseconds) in cases {
      var file = PcapngFile(isBigEndian: isBigEndian)
      file.section()
      file.interface(options: [(2, Array("eth0".utf8)), (14, file.number(UInt64(bitPattern: offset))), (9, [6])])
      file.enhanced([1], ticks: 1_500_000)
      #expect(try ReadCapture(file.bytes).packets.first?.nanoseconds == nanoseconds)
    }
  }

  @Test("blocks that are not known are skipped, also those larger than the buffer")
  func unknownBlocks() throws {
    var file = PcapngFile()
    file.section()
    file.block(0x0bad_0bad) { $0.bytes = Array(repeating: 1, count: 5) }
    file.interface()
    file.block(11) { $0.bytes = Array(repeating: 2, count: 1_000_001) }
    file.block(0x8000_0001) { _ in }
    file.enhanced(Self.packet)
    let read = try ReadCapture(file.bytes)
    #expect(read.packets.count == 1)
    #expect(read.problems.isEmpty)
  }

  @Test("statistics tell what was lost while capturing, the last block of each interface")
  func statistics() throws {
    var file = PcapngFile(isBigEndian: true)
    file.section()
    file.interface()
    file.interface()
    file.statistics(interface: 0, options: [(5, file.number(1)), (7, file.number(10))])
    file.statistics(interface: 0, options: [(5, file.number(2)), (7, file.number(20))])
    file.statistics(interface: 1, options: [(7, file.number(100))])
    file.statistics(interface: 7, options: [(7, file.number(1000))])
    file.section()
    file.interface()
    file.statistics(interface: 0, options: [(5, file.number(10_000))])
    let drops = try ReadCapture(file.bytes).drops
    #expect(drops.interfaceDrops == 10_002)
    #expect(drops.kernelDrops == 120)
  }

  // MARK: Damage

  @Test("a file cut at every length gives the whole packets, and tells of the cut")
  func cutAnywhere() throws {
    var file = PcapngFile()
    file.section()
    file.interface()
    var ends = [file.bytes.count]
    for _ in 0..<2 {
      file.enhanced(Self.packet)
      ends.append(file.bytes.count)
    }
    for length in 28...file.bytes.count {
      let read = try ReadCapture(Array(file.bytes.prefix(length)))
      #expect(read.packets.count == ends.dropFirst().filter { $0 <= length }.count)
      let isWhole = length == 28 || ends.contains(length)
      #expect(read.problems.map(\.kind) == (isWhole ? [] : [.cutOff]))
    }
    for length in 4..<28 {
      #expect(throws: CaptureError.self) { try ReadCapture(Array(file.bytes.prefix(length))) }
    }
  }

  @Test("a packet that contradicts its block is skipped; the next is read")
  func packetLongerThanBlock() throws {
    var file = PcapngFile()
    file.section()
    file.interface()
    file.enhanced(Self.packet, captured: 4000)
    file.enhanced(Self.packet, interface: 3)
    file.enhanced(Self.packet)
    let read = try ReadCapture(file.bytes)
    #expect(read.packets.count == 1)
    #expect(read.problems.map(\.kind) == [.packetLongerThanBlock(4000), .interfaceUnknown(3)])
  }

  @Test("lengths that differ, or can't be, with nothing behind them")
  func lengths() throws {
    var start = PcapngFile()
    start.section()
    start.interface()
    start.enhanced(Self.packet)
    var differing = start
    differing.enhanced(Self.packet, trailer: 100)
    #expect(
      try ReadCapture(differing.bytes).problems.map(\.kind)
        == [.lengthsDisagree(96, 100), .skipped(96, isResumed: false)])
    for length: UInt32 in [0, 11, 1 << 30, .max] {
      var file = start
      file.file.add(UInt32(6))
      file.file.add(length)
      file.file.bytes += Array(repeating: 0, count: 64)
      let read = try ReadCapture(file.bytes)
      #expect(read.packets.count == 1)
      #expect(read.problems.map(\.kind) == [.lengthInvalid(UInt64(length)), .skipped(72, isResumed: false)])
    }
  }

  @Test("a section that is not known is skipped, and is an error at the start")
  func unknownSection() throws {
    var file = PcapngFile()
    file.section()
    file.interface()
    file.enhanced(Self.packet)
    file.section(major: 2)
    file.enhanced(Self.packet)
    let read = try ReadCapture(file.bytes)
    #expect(read.packets.count == 1)
    #expect(read.problems.map(\.kind) == [.sectionUnknown, .skipped(124, isResumed: false)])
    var newer = PcapngFile()
    newer.section(major: 2)
    #expect(throws: CaptureError.self) { try ReadCapture(newer.bytes) }
  }

  @Test("problems and interfaces are kept up to a limit")
  func limits() throws {
    var file = PcapngFile()
    file.section()
    for _ in 0..<5000 { file.interface() }
    for _ in 0..<100 { file.enhanced(Self.packet, interface: 4999) }
    file.enhanced(Self.packet, interface: 4000)
    let path = try TemporaryFile(file.bytes)
    let capture = try SavedCapture(path: path.path)
    let read = try ReadCapture(capture)
    #expect(read.packets.count == 1)
    #expect(read.problems.count == SavedCapture.problemLimit)
    #expect(capture.problemCount == 904 + 100)
  }
}
