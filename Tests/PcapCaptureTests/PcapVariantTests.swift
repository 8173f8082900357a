import PacketHeaders
import PcapCapture
import Testing

@Suite("Variants of pcap")
struct PcapVariantTests {
  private static let records = (1...5).map { number in
    PcapFile.Record(ticks: UInt32(number), bytes: (0..<(number * 50)).map { UInt8(truncatingIfNeeded: $0 ^ number) })
  }
  private static let expected = records.map(\.bytes)

  /// The interface's index, the protocol, the kind of packet, and padding.
  private static func patch(_ isBigEndian: Bool, octets: Int) -> [UInt8] {
    var bytes = FileBytes(isBigEndian: isBigEndian)
    bytes.add(UInt32(2))
    bytes.add(UInt16(0x0800))
    return bytes.bytes + [4, 0] + Array(repeating: 0xa5, count: octets - 8)
  }

  @Test("records with more octets, whatever the magic number says of them", arguments: [false, true])
  func longerHeaders(_ isBigEndian: Bool) throws {
    var nokia = FileBytes(isBigEndian: isBigEndian)
    nokia.add(0x9fbf_b601 as UInt32)
    let cases: [(magic: UInt32, extra: [UInt8])] = [
      (0xa1b2_cd34, Self.patch(isBigEndian, octets: 8)), (0xa1b2_cd34, Self.patch(isBigEndian, octets: 12)),
      (0xa1b2_c3d4, Self.patch(isBigEndian, octets: 8)), (0xa1b2_c3d4, nokia.bytes),
    ]
    for (magic, extra) in cases {
      let file = PcapFile.file(Self.records, magic: magic, isBigEndian: isBigEndian, extra: extra)
      let read = try ReadCapture(file)
      #expect(read.packets.map(\.bytes) == Self.expected, "\(String(magic, radix: 16)) \(extra.count)")
      #expect(read.packets.first?.nanoseconds == 1_700_000_000_000_001_000)
      #expect(read.problems.isEmpty)
    }
  }

  @Test("Ixia's file header is longer; hardware's times are nanoseconds", arguments: [false, true])
  func ixia(_ isBigEndian: Bool) throws {
    for (magic, nanoseconds) in [(0x1c00_01ac, 1), (0x1c00_01ab, 1000)] as [(UInt32, Int64)] {
      let file = PcapFile.file(Self.records, magic: magic, isBigEndian: isBigEndian, header: [0, 0, 1, 2])
      let read = try ReadCapture(file)
      #expect(read.packets.map(\.bytes) == Self.expected)
      #expect(read.packets.first?.nanoseconds == 1_700_000_000_000_000_000 + nanoseconds)
    }
  }

  @Test("AIX counts nanoseconds in version 2.2 and has its own numbers for link types")
  func aix() throws {
    let records = Self.records.map { PcapFile.Record(ticks: 999_999_999, bytes: $0.bytes) }
    let read = try ReadCapture(PcapFile.file(records, linkType: 6, minor: 2, isBigEndian: true))
    #expect(read.packets.map(\.bytes) == Self.expected)
    #expect(read.packets.first?.linkType == .ethernet)
    #expect(read.packets.first?.nanoseconds == 1_700_000_000_999_999_999)
    #expect(try ReadCapture(PcapFile.file(records, linkType: 24, minor: 2)).packets.first?.linkType.rawValue == 0)
    // An old libpcap's file of the same version.
    let old = try ReadCapture(PcapFile.file(Self.records, linkType: 1, minor: 2))
    #expect(old.packets.first?.nanoseconds == 1_700_000_000_000_001_000)
  }

  @Test("DG/UX's version is 543.0")
  func dgux() throws {
    var file = PcapFile.file(Self.records, minor: 0)
    file[4] = UInt8(543 & 0xff)
    file[5] = UInt8(543 >> 8)
    #expect(try ReadCapture(file).packets.map(\.bytes) == Self.expected)
  }

  @Test("a packet or two from a pipe are not waited for longer than they take")
  func pipe() throws {
    let ends = try silentPipe(PcapFile.file([PcapFile.Record(bytes: PcapTests.packet)], magic: 0xa1b2_cd34))
    defer { ends.forEach(closeDescriptor) }
    let capture = try SavedCapture(descriptor: ends[0], name: "a pipe")
    #expect(try capture.next()?.bytes.count == PcapTests.packet.count)
  }

  @Test("files joined with cat are read through", arguments: [false, true])
  func joined(_ isBigEndian: Bool) throws {
    let first = PcapFile.file(Self.records, isBigEndian: isBigEndian)
    let second = PcapFile.file(Self.records, linkType: 113, isBigEndian: isBigEndian)
    let read = try ReadCapture(first + second + first)
    #expect(read.packets.map(\.bytes) == Self.expected + Self.expected + Self.expected)
    #expect(read.packets[5].linkType == .linuxCooked && read.packets[10].linkType == .ethernet)
    #expect(read.problems.isEmpty)
    #expect(try ReadCapture(first + second.prefix(20)).problems.map(\.kind) == [.cutOff])
  }
}
