// The block format: sections, interfaces with link types and clocks of their own, packets in three kinds of block.
// Source: draft-ietf-opsawg-pcapng.

import HTTPModel
import PacketHeaders

struct PcapngFormat: SavedCaptureFormat {
  /// The section header's block type reads the same in either byte order.
  static let sectionHeader: UInt32 = 0x0a0d_0d0a

  private struct Interface {
    var linkType: LinkType
    var snapLength: UInt32
    /// Ticks a second: a power of ten or of two.
    var ticksPerSecond: UInt64 = 1_000_000
    /// Seconds to add to every time.
    var offset: Int64 = 0
  }

  private var swapped = false
  private var interfaces: [Interface] = []
  /// Interfaces of earlier sections, so that numbers stay unique over the file.
  private var earlierInterfaces = 0
  private var lastTime = Timestamp(nanoseconds: 0)

  private static let maxBlock: UInt32 = 64 << 20
  private static let maxInterfaces = 65_536

  mutating func next(_ input: CaptureInput) throws(CaptureError) -> SavedCaptureItem {
    while true {
      let head = try input.peek(12)
      if head.isEmpty { return .end }
      guard head.count == 12 else { return .truncated }
      let type = head.u32(0, swapped: swapped)
      if type == Self.sectionHeader { try beginSection(head, input) }
      let length = head.u32(4, swapped: swapped)
      guard length >= 12, length % 4 == 0, length <= Self.maxBlock else {
        throw .fileCorrupt(path: input.path, offset: input.offset, reason: "a block of \(length) bytes")
      }
      let block = try input.peek(Int(length))
      guard block.count == Int(length) else { return .truncated }
      let offset = input.offset
      input.consume(Int(length))
      let body = UnsafeRawBufferPointer(rebasing: block[8..<Int(length) - 4])
      switch type {
      case 1: try describeInterface(body, input.path, offset)
      case 2:
        // Packet block, obsolete: like an enhanced one with a 16-bit interface and a drop count.
        guard body.count >= 20 else { throw damage(input.path, offset) }
        if let record = packet(body, interface: Int(body.u16(0, swapped: swapped)), at: 4) { return .packet(record) }
        throw damage(input.path, offset)
      case 3:
        if let record = simplePacket(body) { return .packet(record) }
        throw damage(input.path, offset)
      case 6:
        guard body.count >= 20 else { throw damage(input.path, offset) }
        if let record = packet(body, interface: Int(body.u32(0, swapped: swapped)), at: 4) { return .packet(record) }
        throw damage(input.path, offset)
      default: break
      }
    }
  }

  private func damage(_ path: String, _ offset: UInt64) -> CaptureError {
    .fileCorrupt(path: path, offset: offset, reason: "a block that contradicts itself, or names no known interface")
  }

  private mutating func beginSection(_ head: UnsafeRawBufferPointer, _ input: CaptureInput) throws(CaptureError) {
    switch head.u32(8, swapped: false) {
    case 0x1a2b_3c4d: swapped = false
    case 0x4d3c_2b1a: swapped = true
    default: throw .fileCorrupt(path: input.path, offset: input.offset, reason: "a section without byte-order magic")
    }
    earlierInterfaces += interfaces.count
    interfaces = []
  }

  private mutating func describeInterface(_ body: UnsafeRawBufferPointer, _ path: String, _ offset: UInt64)
    throws(CaptureError)
  {
    guard body.count >= 8, interfaces.count < Self.maxInterfaces else { throw damage(path, offset) }
    var interface = Interface(
      linkType: LinkType(rawValue: UInt32(body.u16(0, swapped: swapped))), snapLength: body.u32(4, swapped: swapped))
    var position = 8
    while position + 4 <= body.count {
      let code = body.u16(position, swapped: swapped)
      let length = Int(body.u16(position + 2, swapped: swapped))
      position += 4
      guard code != 0, position + length <= body.count else { break }
      if code == 9, length >= 1 { interface.ticksPerSecond = Self.ticks(body[position]) }
      if code == 14, length >= 8 {
        let low = UInt64(body.u32(position + (swapped ? 4 : 0), swapped: swapped))
        let high = UInt64(body.u32(position + (swapped ? 0 : 4), swapped: swapped))
        interface.offset = Int64(bitPattern: high << 32 | low)
      }
      position += (length + 3) & ~3
    }
    interfaces.append(interface)
  }

  /// if_tsresol: a negative power of ten, or of two where the top bit is set. Finer than 64 bits can count is cut.
  private static func ticks(_ resolution: UInt8) -> UInt64 {
    let power = resolution & 0x7f
    if resolution & 0x80 != 0 { return 1 << UInt64(min(power, 63)) }
    return (0..<min(power, 19)).reduce(1 as UInt64) { ticks, _ in ticks &* 10 }
  }

  /// The four fields from `at` on are time high and low, captured and original length.
  private mutating func packet(_ body: UnsafeRawBufferPointer, interface number: Int, at: Int) -> PacketRecord? {
    guard number < interfaces.count else { return nil }
    let interface = interfaces[number]
    let ticks = UInt64(body.u32(at, swapped: swapped)) << 32 | UInt64(body.u32(at + 4, swapped: swapped))
    let captured = Int(body.u32(at + 8, swapped: swapped))
    let onWire = Int(body.u32(at + 12, swapped: swapped))
    guard at + 16 + captured <= body.count else { return nil }
    let (seconds, rest) = ticks.quotientAndRemainder(dividingBy: interface.ticksPerSecond)
    let nanoseconds = interface.ticksPerSecond.dividingFullWidth(rest.multipliedFullWidth(by: 1_000_000_000)).quotient
    let wall = Int64(truncatingIfNeeded: seconds) &+ interface.offset
    lastTime = Timestamp(seconds: wall, nanoseconds: Int64(truncatingIfNeeded: nanoseconds))
    return PacketRecord(
      time: lastTime, linkType: interface.linkType, interface: earlierInterfaces + number,
      bytes: UnsafeRawBufferPointer(rebasing: body[at + 16..<at + 16 + captured]), lengthOnWire: max(onWire, captured))
  }

  /// A simple packet block has no time: it is given that of the packet before it.
  private func simplePacket(_ body: UnsafeRawBufferPointer) -> PacketRecord? {
    guard body.count >= 4, let interface = interfaces.first else { return nil }
    let onWire = Int(body.u32(0, swapped: swapped))
    let limit = interface.snapLength == 0 ? onWire : min(onWire, Int(interface.snapLength))
    let captured = min(limit, body.count - 4)
    return PacketRecord(
      time: lastTime, linkType: interface.linkType, interface: earlierInterfaces,
      bytes: UnsafeRawBufferPointer(rebasing: body[4..<4 + captured]), lengthOnWire: max(onWire, captured))
  }
}
