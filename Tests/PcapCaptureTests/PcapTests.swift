import PacketHeaders
import PcapCapture
import Testing

@Suite("pcap files")
struct PcapTests {
  static let packet: [UInt8] = Array(1...60)

  @Test("either byte order, microseconds and nanoseconds and the patched variant", arguments: [false, true])
  func variants(_ isBigEndian: Bool) throws {
    let magics: [(magic: UInt32, nanoseconds: Int64)] = [
      (0xa1b2_c3d4, 123_456_000), (0xa1b2_3c4d, 123_456), (0xa1b2_cd34, 123_456_000),
    ]
    for (magic, nanoseconds) in magics {
      let records = [PcapFile.Record(bytes: Self.packet, onWire: 1500), PcapFile.Record(bytes: [])]
      let read = try ReadCapture(PcapFile.file(records, magic: magic, linkType: 113, isBigEndian: isBigEndian))
      try #require(read.packets.count == 2)
      #expect(read.problems.isEmpty)
      #expect(read.packets[0].nanoseconds == 1_700_000_000_000_000_000 + nanoseconds)
      #expect(read.packets[0].bytes == Self.packet)
      #expect(read.packets[0].lengthOnWire == 1500)
      #expect(read.packets[0].linkType == .linuxCooked)
      #expect(read.packets[1].bytes.isEmpty)
    }
  }

  @Test("the frame check sequence's bits are no part of the link type")
  func checkSequenceBits() throws {
    let file = PcapFile.file([PcapFile.Record(bytes: Self.packet)], linkType: 0x5400_0001)
    #expect(try ReadCapture(file).packets.first?.linkType == .ethernet)
  }

  @Test("versions before 2.4 have the lengths the other way round")
  func oldVersions() throws {
    let record = PcapFile.Record(bytes: Self.packet, onWire: 1500)
    for minor: UInt16 in [2, 3] {
      let read = try ReadCapture(PcapFile.file([record], minor: minor))
      #expect(read.packets.first?.lengthOnWire == 1500)
      #expect(read.packets.first?.bytes == Self.packet)
    }
  }

  @Test("times past 2038 and a fraction beyond a second are borne")
  func oddTimes() throws {
    let record = PcapFile.Record(seconds: .max, ticks: .max, bytes: [1])
    let read = try ReadCapture(PcapFile.file([record]))
    #expect(read.packets.first?.nanoseconds == 4_294_971_589_967_295_000)
  }

  @Test("a file cut at every length gives the whole packets, and tells of the cut")
  func cutAnywhere() throws {
    let file = PcapFile.file([PcapFile.Record(bytes: Self.packet), PcapFile.Record(bytes: Self.packet)])
    for length in 24...file.count {
      let read = try ReadCapture(Array(file.prefix(length)))
      #expect(read.packets.count == (length - 24) / 76)
      let offset = 24 + (length - 24) / 76 * 76
      let isCut = length != offset
      #expect(read.problems.map(\.kind) == (isCut ? [.cutOff] : []))
      if isCut { #expect(read.problems.first?.offset == UInt64(offset)) }
    }
    for length in 4..<24 {
      #expect(throws: CaptureError.self) { try ReadCapture(Array(file.prefix(length))) }
    }
  }

  @Test("a length that can't be ends the file")
  func lengthInvalid() throws {
    let damaged = PcapFile.Record(bytes: Self.packet, captured: 0x7fff_ffff)
    let read = try ReadCapture(PcapFile.file([PcapFile.Record(bytes: Self.packet), damaged]))
    #expect(read.packets.count == 1)
    #expect(read.problems.map(\.kind) == [.lengthInvalid(0x7fff_ffff), .skipped(76, isResumed: false)])
    #expect(read.skipped == 76)
    #expect(read.problems.first?.offset == 24 + 76)
  }

  @Test("packets of a type that can't be read into are handed over, and told of")
  func linkTypeUnread() throws {
    let read = try ReadCapture(PcapFile.file([PcapFile.Record(bytes: Self.packet)], linkType: 147))
    #expect(read.packets.first?.linkType.rawValue == 147)
    #expect(read.problems.map(\.kind) == [.linkTypeUnread(LinkType(rawValue: 147))])
  }

  @Test("from a pipe, in pieces that respect nothing", arguments: [[1], [7, 1, 13], [65_536], [100_000, 3]])
  func pipes(_ pieces: [Int]) throws {
    let records = (0..<(pieces == [1] ? 40 : 3000)).map { number in
      PcapFile.Record(
        ticks: UInt32(number), bytes: (0..<(number * 37 % 1500)).map { UInt8(truncatingIfNeeded: $0 ^ number) })
    }
    // One longer than the buffer is at first.
    let large = PcapFile.Record(bytes: Array(repeating: 0x5a, count: pieces == [1] ? 10 : 700_000))
    let file = PcapFile.file(records + [large] + records, snapLength: 1 << 20)
    let descriptor = try pipeReadingEnd(file, pieces: pieces)
    let capture = try SavedCapture(descriptor: descriptor, name: "a pipe")
    #expect(try ReadCapture(capture) == ReadCapture(file))
  }

  @Test("waiting for a pipe ends when it must")
  func stopped() throws {
    // The writing end stays open and silent after the first packet.
    let file = PcapFile.file([PcapFile.Record(bytes: Self.packet)])
    let ends = try silentPipe(file)
    defer { ends.forEach(closeDescriptor) }
    var asked = 0
    let capture = try SavedCapture(descriptor: ends[0], name: "a pipe") {
      asked += 1
      return asked > 1
    }
    #expect(try capture.next()?.bytes.count == Self.packet.count)
    let isAtEnd = try capture.next().map(OwnedPacket.init) == nil
    #expect(isAtEnd)
    #expect(capture.problems.isEmpty)
  }
}
