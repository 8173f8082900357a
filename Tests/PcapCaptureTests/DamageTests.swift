// Damage in a file's middle: nothing is invented, what is behind it is found again, and what was lost is counted.

import PacketHeaders
import PcapCapture
import Testing

@Suite("Damage in the middle")
struct DamageTests {
  private static func payload(_ number: Int) -> [UInt8] {
    (0..<(40 + number * 131 % 1400)).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ number) }
  }

  private static let records = (0..<600).map { PcapFile.Record(ticks: UInt32($0), bytes: payload($0)) }

  /// Where record `number` begins.
  private static func offset(_ number: Int) -> Int {
    24 + records.prefix(number).reduce(0) { $0 + 16 + $1.bytes.count }
  }

  private static func blocks(_ numbers: Range<Int>, isBigEndian: Bool = false) -> PcapngFile {
    var file = PcapngFile(isBigEndian: isBigEndian)
    file.section()
    file.interface(options: [(9, [9])])
    for number in numbers { file.enhanced(payload(number), ticks: 1_700_000_000_000_000_000 + UInt64(number)) }
    return file
  }

  @Test("a pcap record's length, too large or a little off: all other packets are there", arguments: [false, true])
  func pcapLength(_ isBigEndian: Bool) throws {
    let whole = PcapFile.file(Self.records, isBigEndian: isBigEndian)
    let plain = try ReadCapture(whole).packets
    for (number, length) in [(3, 0xffff_fff0), (300, 0x0100_0000), (300, 1000), (300, 20), (590, 9000), (599, 70_000)] {
      var bytes = whole
      let place = Self.offset(number) + 8
      for octet in 0..<4 {
        bytes[place + octet] = UInt8(truncatingIfNeeded: length >> ((isBigEndian ? 3 - octet : octet) * 8))
      }
      let read = try ReadCapture(bytes)
      let others = plain.enumerated().filter { $0.offset != number }.map(\.element)
      // Where the wrong length is too small the packet itself is taken for shorter than it was.
      let kept = read.packets.filter { others.contains($0) }
      #expect(kept.count >= (number == 599 ? 599 : 598), "\(number) \(length): \(read.problems)")
      #expect(read.packets.count <= 600)
      #expect(number == 599 || read.skipped > 0, "\(number) \(length)")
    }
  }

  @Test("any octets of a pcapng block's lengths", arguments: [false, true])
  func pcapngLengths(_ isBigEndian: Bool) throws {
    let before = Self.blocks(0..<300, isBigEndian: isBigEndian).bytes.count
    let whole = Self.blocks(0..<600, isBigEndian: isBigEndian).bytes
    let plain = try ReadCapture(whole).packets
    let length = 32 + (Self.payload(300).count + 3) & ~3
    for place in [4, 5, 6, 7, length - 4, length - 1] {
      for value: UInt8 in [0x01, 0x10, 0x80] {
        var bytes = whole
        bytes[before + place] ^= value
        let read = try ReadCapture(bytes)
        #expect(read.packets == Array(plain[..<300] + plain[301...]), "\(place) \(value): \(read.problems)")
        #expect(read.skipped == UInt64(length))
        guard case .skipped(UInt64(length), isResumed: true) = read.problems.last?.kind else {
          Issue.record("\(read.problems)")
          continue
        }
      }
    }
  }

  @Test("octets that were put in or left out")
  func shifted() throws {
    let before = Self.blocks(0..<300).bytes.count
    let whole = Self.blocks(0..<600).bytes
    let plain = try ReadCapture(whole).packets
    let more = whole[..<before] + Array(repeating: 0x41, count: 5000) + whole[before...]
    var read = try ReadCapture(Array(more))
    #expect(read.packets == plain)
    #expect(read.skipped == 5000)
    let fewer = whole[..<(before + 100)] + whole[(before + 103)...]
    read = try ReadCapture(Array(fewer))
    #expect(read.packets == Array(plain[..<300] + plain[301...]))
    let records = PcapFile.file(Self.records)
    let place = Self.offset(300)
    let inserted = records[..<place] + Array(repeating: 0xff, count: 777) + records[place...]
    read = try ReadCapture(Array(inserted))
    #expect(read.packets.count == 600)
    #expect(read.skipped == 777)
  }

  @Test("what is gone is gone: damage over many packets, and to the end")
  func overwritten() throws {
    let whole = Self.blocks(0..<600).bytes
    let from = Self.blocks(0..<200).bytes.count
    let to = Self.blocks(0..<400).bytes.count
    let plain = try ReadCapture(whole).packets
    var bytes = whole
    for place in from..<to { bytes[place] = 0 }
    let read = try ReadCapture(bytes)
    #expect(read.packets == Array(plain[..<200] + plain[400...]))
    #expect(read.skipped == UInt64(to - from))
    for place in from..<bytes.count { bytes[place] = 0xff }
    let rest = try ReadCapture(bytes)
    #expect(rest.packets == Array(plain[..<200]))
    #expect(rest.problems.last?.kind == .skipped(UInt64(bytes.count - from), isResumed: false))
  }

  @Test("a section whose header is damaged is not read as the one before")
  func section() throws {
    let first = Self.blocks(0..<10).bytes
    var second = Self.blocks(10..<20, isBigEndian: true).bytes
    let third = Self.blocks(20..<30).bytes
    second[9] ^= 0xff
    let read = try ReadCapture(first + second + third)
    #expect(read.packets.count == 20)
    #expect(read.packets.last?.bytes == Self.payload(29))
    #expect(read.problems.map(\.kind) == [.sectionUnknown, .skipped(UInt64(second.count), isResumed: true)])
  }

  @Test("a damaged interface description leaves the packets of those behind it without one")
  func numbering() throws {
    var file = PcapngFile()
    file.section()
    file.interface(linkType: 1)
    let place = file.bytes.count
    file.interface(linkType: 101)
    file.interface(linkType: 113)
    for number in 0..<30 { file.enhanced(Self.payload(number), interface: UInt32(number % 3)) }
    var bytes = file.bytes
    bytes[place + 4] ^= 0x40
    let read = try ReadCapture(bytes)
    #expect(read.packets.map(\.bytes) == stride(from: 0, to: 30, by: 3).map(Self.payload))
    #expect(read.packets.allSatisfy { $0.linkType == .ethernet })
  }

  @Test("a capture that is being downloaded is not taken for the file's own packets")
  func nested() throws {
    // Each packet carries a part of a capture file, block by block.
    let inner = Self.blocks(0..<600).bytes
    let innerRecords = PcapFile.file(Self.records)
    for content in [inner, innerRecords] {
      let parts = stride(from: 0, to: content.count, by: 60_000).map {
        Array(content[$0..<min(content.count, $0 + 60_000)])
      }
      var file = PcapngFile()
      file.section()
      file.interface()
      var places: [Int] = []
      for part in parts {
        places.append(file.bytes.count)
        file.enhanced(part, ticks: 1_700_000_000_000_000)
      }
      var bytes = file.bytes
      bytes[places[1] + 6] ^= 0x7f
      let read = try ReadCapture(bytes)
      #expect(read.packets.allSatisfy { parts.contains($0.bytes) })
      #expect(read.packets.count == parts.count - 1)
      let outer = PcapFile.file(parts.map { PcapFile.Record(bytes: $0) })
      var damaged = outer
      damaged[24 + 16 + 60_000 + 11] = 0x7f
      let records = try ReadCapture(damaged)
      #expect(records.packets.allSatisfy { parts.contains($0.bytes) })
      #expect(records.packets.count == parts.count - 1)
    }
  }

  @Test("chains that fail are not walked again and again")
  func cost() throws {
    // A megabyte of the shortest blocks, then nothing that proves them.
    var file = PcapngFile()
    file.section()
    file.interface()
    file.enhanced([1])
    var bytes = file.bytes + Array(repeating: 0xff, count: 16)
    for _ in 0..<20 {
      for _ in 0..<20_000 { bytes += [4, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0] }
      bytes += [0xff, 0xff, 0xff, 0xff, 0xff]
    }
    let read = try ReadCapture(bytes)
    #expect(read.packets.count == 1)
    #expect(read.problems.last?.kind == .skipped(UInt64(bytes.count - file.bytes.count), isResumed: false))
  }

  @Test("zeros that a crash left at the end are no packets")
  func zeros() throws {
    let read = try ReadCapture(PcapFile.file(Array(Self.records.prefix(3))) + Array(repeating: 0, count: 4096))
    #expect(read.packets.count == 3)
    #expect(read.problems.map(\.kind) == [.lengthInvalid(0), .skipped(4096, isResumed: false)])
  }
}
