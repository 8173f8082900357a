import PacketHeaders
import PcapCapture
import Testing

@Suite("Filters")
struct FilterTests {
  // MARK: Packets

  private static func tcp(port: UInt16) -> [UInt8] {
    [0xc0, 0, UInt8(port >> 8), UInt8(port & 0xff)] + [0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x10, 0, 1, 0, 0, 0, 0]
  }

  private static func ipv4(_ payload: [UInt8], number: UInt8 = 6, fragment: UInt16 = 0) -> [UInt8] {
    [0x45, 0, 0, UInt8(20 + payload.count), 0, 1, UInt8(fragment >> 8), UInt8(fragment & 0xff), 64, number, 0, 0]
      + [10, 0, 0, 1, 10, 0, 0, 2] + payload
  }

  private static func ipv6(_ payload: [UInt8], next: UInt8) -> [UInt8] {
    [0x60, 0, 0, 0, 0, UInt8(payload.count), next, 64] + Array(repeating: 1, count: 32) + payload
  }

  private static func ethernet(_ payload: [UInt8], type: [UInt8] = [8, 0], tags: Int = 0) -> [UInt8] {
    Array(repeating: 2, count: 12) + (0..<tags).flatMap { _ in [0x81, 0, 0, 5] as [UInt8] } + type + payload
  }

  private func matching(_ packets: [[UInt8]], _ filter: String, linkType: UInt32 = 1) throws -> [Bool] {
    try packets.map { packet in
      let read = try ReadCapture(PcapFile.file([PcapFile.Record(bytes: packet)], linkType: linkType), filter: filter)
      #expect(read.packets.count + Int(read.filtered) == 1)
      return !read.packets.isEmpty
    }
  }

  // MARK: Text

  @Test("nothing asked for is no filter")
  func nothing() {
    #expect(CaptureFilter.text(ports: [], and: nil) == nil)
    #expect(CaptureFilter.text(ports: [], and: " \n") == nil)
    #expect(CaptureFilter.text(ports: [], and: "host 10.0.0.1") == "host 10.0.0.1")
  }

  @Test("ports, ranges, and a user's alternatives as one term")
  func text() throws {
    let text = try #require(CaptureFilter.text(ports: [80...80, 8000...8100], and: "host a or host b"))
    #expect(text.hasPrefix("((tcp and (port 80 or portrange 8000-8100)) or "))
    #expect(text.hasSuffix(") and (host a or host b)"))
  }

  // MARK: Matching

  @Test("ports match, also within one tag and two")
  func ports() throws {
    let filter = try #require(CaptureFilter.text(ports: [80...80, 8000...8100], and: nil))
    for tags in 0...2 {
      let packets = [80, 8000, 8050, 8100, 8101, 79].map { port in
        Self.ethernet(Self.ipv4(Self.tcp(port: port)), tags: tags)
      }
      #expect(try matching(packets, filter) == [true, true, true, true, false, false], "\(tags) tags")
      let v6 = [80, 81].map { port in
        Self.ethernet(Self.ipv6(Self.tcp(port: port), next: 6), type: [0x86, 0xdd], tags: tags)
      }
      #expect(try matching(v6, filter) == [true, false], "\(tags) tags")
    }
  }

  @Test("a user's expression matches within tags too, unless it speaks of tags itself")
  func expression() throws {
    let packets = (0...2).map { Self.ethernet(Self.ipv4(Self.tcp(port: 80)), tags: $0) }
    #expect(try matching(packets, "host 10.0.0.1") == [true, true, true])
    #expect(try matching(packets, "host 10.0.0.9") == [false, false, false])
    #expect(try matching(packets, "vlan 5 and tcp") == [false, true, false])
    let both = try #require(CaptureFilter.text(ports: [80...80], and: "host 10.0.0.1"))
    #expect(try matching(packets, both) == [true, true, true])
  }

  @Test("what may carry TCP of those ports out of a filter's sight passes, other protocols' fragments do not")
  func outOfSight() throws {
    let filter = try #require(CaptureFilter.text(ports: [80...80], and: nil))
    let packets = [
      Self.ethernet(Self.ipv4(Self.tcp(port: 80), fragment: 0x2000)),
      Self.ethernet(Self.ipv4(Array(repeating: 0, count: 24), fragment: 0x2003)),
      Self.ethernet(Self.ipv4(Array(repeating: 0, count: 24), fragment: 0x0006)),
      Self.ethernet(Self.ipv4(Array(repeating: 0, count: 24), number: 17, fragment: 0x0006)),
      Self.ethernet(Self.ipv6([6, 0, 0, 8] + Array(repeating: 0, count: 20), next: 44), type: [0x86, 0xdd]),
      Self.ethernet(Self.ipv6([6, 0, 0, 0, 0, 0, 0, 0] + Self.tcp(port: 80), next: 0), type: [0x86, 0xdd]),
      Self.ethernet(Self.ipv6(Array(repeating: 0, count: 24), next: 58), type: [0x86, 0xdd]),
    ]
    #expect(try matching(packets, filter) == [true, true, true, false, true, true, false])
  }

  @Test(
    "every link type that is read takes the ports' filter", arguments: [0, 12, 101, 108, 113, 228, 276] as [UInt32])
  func linkTypes(_ linkType: UInt32) throws {
    let filter = try #require(CaptureFilter.text(ports: [80...80], and: nil))
    let packets = [80, 81].map { (port: UInt16) in
      let packet = Self.ipv4(Self.tcp(port: port))
      return switch linkType {
      // libpcap takes the address family in this host's byte order.
      case 0: [2, 0, 0, 0] + packet
      case 108: [0, 0, 0, 2] + packet
      case 113: [0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0] + packet
      case 276: [8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0] + packet
      default: packet
      }
    }
    #expect(try matching(packets, filter, linkType: linkType) == [true, false])
  }

  @Test("a filter is compiled for each of a file's link types")
  func mixed() throws {
    var file = PcapngFile()
    file.section()
    file.interface(linkType: 1)
    file.interface(linkType: 101)
    for _ in 0..<3 {
      file.enhanced(Self.ethernet(Self.ipv4(Self.tcp(port: 80))), interface: 0)
      file.enhanced(Self.ipv4(Self.tcp(port: 80)), interface: 1)
      file.enhanced(Self.ipv4(Self.tcp(port: 81)), interface: 1)
    }
    let read = try ReadCapture(file.bytes, filter: "tcp port 80")
    #expect(read.packets.map(\.linkType) == [.ethernet, .raw, .ethernet, .raw, .ethernet, .raw])
    #expect(read.filtered == 3)
  }
}
