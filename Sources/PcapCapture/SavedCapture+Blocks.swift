// The pcapng format: sections of blocks, each block with its type and its length before and behind.
//
// Source: draft-ietf-opsawg-pcapng. A section header block begins a section, tells its byte order and forgets the
// interfaces described before. Packets are in enhanced, simple and obsolete packet blocks. Interface statistics tell
// what the capturing program lost. Other blocks are skipped.

import HTTPModel
import PacketHeaders

/// What a pcapng file's blocks have said so far.
struct BlockLayout {
  /// The section's byte order is not this machine's.
  var isSwapped = false
  /// Those of the section.
  var interfaces: [BlockInterface] = []
  /// Interfaces of the sections before.
  var interfaceBase = 0
  /// For simple packet blocks, which have no time.
  var lastTime = Timestamp(nanoseconds: 0)
  /// Drops that statistics blocks of earlier sections told of.
  var earlierDrops = RecordedDrops()

  static let interfaceLimit = 4096
}

/// A section's interface.
struct BlockInterface {
  var linkType: LinkType
  /// 0 means no limit.
  var snapLength: UInt32
  var unit = TimestampUnit.microseconds
  var drops = RecordedDrops()
  /// Its packets can be read into, or it was told that they can't.
  var isNoted = false
}

/// Packets that the program which wrote a capture file says it lost.
public struct RecordedDrops: Hashable, Sendable {
  /// Dropped because they were not read in time.
  public var kernelDrops: UInt64 = 0
  /// Dropped by the interface.
  public var interfaceDrops: UInt64 = 0

  public init() {}

  mutating func add(_ other: RecordedDrops) {
    kernelDrops &+= other.kernelDrops
    interfaceDrops &+= other.interfaceDrops
  }
}

private enum BlockType {
  static let interfaceDescription: UInt32 = 1
  static let obsoletePacket: UInt32 = 2
  static let simplePacket: UInt32 = 3
  static let interfaceStatistics: UInt32 = 5
  static let enhancedPacket: UInt32 = 6
}

/// A block in the buffer, its lengths agreed.
private struct Block {
  let bytes: UnsafeRawPointer
  let isSwapped: Bool
  /// Where the trailing length stands: the body is 8 ..< bodyEnd.
  let bodyEnd: Int

  @inline(__always)
  func load<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Value.Type = Value.self) -> Value {
    bytes.load(offset, isSwapped)
  }

  /// Calls `body` with each option's code, place and length, from the offset of the first on.
  func forEachOption(from first: Int, _ body: (_ code: UInt16, _ offset: Int, _ length: Int) -> Void) {
    var offset = first
    while offset + 4 <= bodyEnd {
      let code: UInt16 = load(offset)
      let length = Int(load(offset + 2, as: UInt16.self))
      // opt_endofopt
      if code == 0 || offset + 4 + length > bodyEnd { return }
      body(code, offset + 4, length)
      offset += 4 + (length + 3) & ~3
    }
  }
}

extension SavedCapture {
  /// What interface statistics blocks have told up to now; 0 in a pcap file, which can't say.
  public var recordedDrops: RecordedDrops {
    guard let blocks else { return RecordedDrops() }
    return blocks.interfaces.reduce(into: blocks.earlierDrops) { $0.add($1.drops) }
  }

  /// Reads the section header at the file's start: what is wrong there is an error.
  func beginFirstSection() throws(CaptureError) {
    guard let header = try input.peek(28) else { throw .fileHeaderCut(path: input.name) }
    guard let isSwapped = SavedCapture.byteOrder(header) else {
      throw .notACapture(path: input.name, content: nil)
    }
    let major: UInt16 = header.load(12, isSwapped)
    guard major == 1 else {
      throw .versionUnknown(path: input.name, format: "pcapng", major: major, minor: header.load(14, isSwapped))
    }
  }

  /// Reads blocks until one holds a packet.
  func nextPacketBlock() throws(CaptureError) -> PacketRecord? {
    while !isAtEnd {
      let offset = input.offset
      guard let head = try input.peek(12) else {
        input.available == 0 ? end() : end(.cutOff, at: offset)
        break
      }
      if head.loadUnaligned(as: UInt32.self) == CaptureFormat.sectionHeader {
        guard try beginSection(at: offset) else { break }
        continue
      }
      let type: UInt32 = head.load(0, blocks!.isSwapped)
      let length: UInt32 = head.load(4, blocks!.isSwapped)
      switch type {
      case BlockType.enhancedPacket, BlockType.simplePacket, BlockType.obsoletePacket:
        guard let block = try takeBlock(length, at: offset) else { break }
        let packet =
          switch type {
          case BlockType.enhancedPacket: enhancedPacket(block, at: offset)
          case BlockType.simplePacket: simplePacket(block, at: offset)
          default: obsoletePacket(block, at: offset)
          }
        if let packet { return packet }
      case BlockType.interfaceDescription:
        if let block = try takeBlock(length, at: offset) { describeInterface(block, at: offset) }
      case BlockType.interfaceStatistics:
        if let block = try takeBlock(length, at: offset) { noteStatistics(block) }
      default: try skipBlock(length, at: offset)
      }
    }
    return nil
  }

  // MARK: Blocks

  /// The bytes that a block takes: its length, rounded up by readers since some writers forget the padding.
  private func room(_ length: UInt32, at offset: UInt64) -> Int? {
    guard length >= 12, length <= UInt32.max - 3 else {
      end(.lengthInvalid(UInt64(length)), at: offset)
      return nil
    }
    return (Int(length) + 3) & ~3
  }

  private func takeBlock(_ length: UInt32, at offset: UInt64) throws(CaptureError) -> Block? {
    guard let room = room(length, at: offset) else { return nil }
    guard room <= SavedCapture.longestPacket + 65_536 else {
      end(.lengthInvalid(UInt64(length)), at: offset)
      return nil
    }
    guard let bytes = try input.peek(room) else {
      end(.cutOff, at: offset)
      return nil
    }
    let isSwapped = blocks!.isSwapped
    let behind: UInt32 = bytes.load(room - 4, isSwapped)
    guard behind == length else {
      end(.lengthsDisagree(length, behind), at: offset)
      return nil
    }
    input.consume(room)
    return Block(bytes: bytes, isSwapped: isSwapped, bodyEnd: room - 4)
  }

  private func skipBlock(_ length: UInt32, at offset: UInt64) throws(CaptureError) {
    guard let room = room(length, at: offset) else { return }
    guard try input.skip(UInt64(room - 4)), let trailer = try input.peek(4) else {
      end(.cutOff, at: offset)
      return
    }
    let behind: UInt32 = trailer.load(0, blocks!.isSwapped)
    if behind != length { return end(.lengthsDisagree(length, behind), at: offset) }
    input.consume(4)
  }

  // MARK: Sections and interfaces

  /// Whether a section header's byte order is not this machine's; nil where it is none.
  private static func byteOrder(_ header: UnsafeRawPointer) -> Bool? {
    switch header.loadUnaligned(fromByteOffset: 8, as: UInt32.self) {
    case 0x1a2b_3c4d: false
    case 0x4d3c_2b1a: true
    default: nil
    }
  }

  /// - Returns: false where the file ends here.
  private func beginSection(at offset: UInt64) throws(CaptureError) -> Bool {
    guard let header = try input.peek(28) else {
      end(.cutOff, at: offset)
      return false
    }
    guard let isSwapped = SavedCapture.byteOrder(header), header.load(12, isSwapped, as: UInt16.self) == 1 else {
      end(.sectionUnknown, at: offset)
      return false
    }
    blocks!.earlierDrops = recordedDrops
    blocks!.isSwapped = isSwapped
    blocks!.interfaceBase += blocks!.interfaces.count
    blocks!.interfaces.removeAll(keepingCapacity: true)
    // The section's length is not needed: its blocks are read one by one.
    try skipBlock(header.load(4, isSwapped), at: offset)
    return !isAtEnd
  }

  private func describeInterface(_ block: Block, at offset: UInt64) {
    guard block.bodyEnd >= 16 else { return end(.lengthInvalid(UInt64(block.bodyEnd + 4)), at: offset) }
    guard blocks!.interfaces.count < BlockLayout.interfaceLimit else { return note(.interfacesTooMany, at: offset) }
    var resolution: UInt8 = 6
    var secondsOffset: Int64 = 0
    block.forEachOption(from: 16) { code, offset, length in
      switch (code, length) {
      case (9, 1...): resolution = block.load(offset)
      case (14, 8...): secondsOffset = block.load(offset)
      default: break
      }
    }
    blocks!.interfaces.append(
      BlockInterface(
        linkType: LinkType(rawValue: UInt32(block.load(8, as: UInt16.self))), snapLength: block.load(12),
        unit: TimestampUnit(resolution: resolution, secondsOffset: secondsOffset)))
  }

  /// isb_ifdrop is option 5, isb_osdrop 7. They count from the capture's start, so the last block holds.
  private func noteStatistics(_ block: Block) {
    guard block.bodyEnd >= 20 else { return }
    let number = Int(block.load(8, as: UInt32.self))
    guard number < blocks!.interfaces.count else { return }
    block.forEachOption(from: 20) { code, offset, length in
      switch (code, length) {
      case (5, 8...): blocks!.interfaces[number].drops.interfaceDrops = block.load(offset)
      case (7, 8...): blocks!.interfaces[number].drops.kernelDrops = block.load(offset)
      default: break
      }
    }
  }

  private func noteLinkType(_ number: Int, at offset: UInt64) {
    blocks!.interfaces[number].isNoted = true
    let linkType = blocks!.interfaces[number].linkType
    if !linkType.isSupported { note(.linkTypeUnread(linkType), at: offset) }
  }

  // MARK: Packets

  /// Interface, time in two halves, captured and original length, packet.
  @inline(__always)
  private func enhancedPacket(_ block: Block, at offset: UInt64) -> PacketRecord? {
    guard block.bodyEnd >= 28 else {
      end(.lengthInvalid(UInt64(block.bodyEnd + 4)), at: offset)
      return nil
    }
    return timedPacket(block, interface: block.load(8), at: offset)
  }

  /// The same with a number of drops in the second half of the interface's field.
  private func obsoletePacket(_ block: Block, at offset: UInt64) -> PacketRecord? {
    guard block.bodyEnd >= 28 else {
      end(.lengthInvalid(UInt64(block.bodyEnd + 4)), at: offset)
      return nil
    }
    return timedPacket(block, interface: UInt32(block.load(8, as: UInt16.self)), at: offset)
  }

  @inline(__always)
  private func timedPacket(_ block: Block, interface number: UInt32, at offset: UInt64) -> PacketRecord? {
    guard number < blocks!.interfaces.count else {
      note(.interfaceUnknown(number), at: offset)
      return nil
    }
    let captured: UInt32 = block.load(20)
    guard Int(captured) <= block.bodyEnd - 28 else {
      note(.packetLongerThanBlock(captured), at: offset)
      return nil
    }
    let linkType = blocks!.interfaces[Int(number)].linkType
    if !blocks!.interfaces[Int(number)].isNoted { noteLinkType(Int(number), at: offset) }
    let ticks = UInt64(block.load(12, as: UInt32.self)) << 32 | UInt64(block.load(16, as: UInt32.self))
    let time = blocks!.interfaces[Int(number)].unit.timestamp(ticks: ticks)
    blocks!.lastTime = time
    return PacketRecord(
      time: time, linkType: linkType, interface: blocks!.interfaceBase + Int(number),
      bytes: UnsafeRawBufferPointer(start: block.bytes + 28, count: Int(captured)),
      lengthOnWire: Int(block.load(24, as: UInt32.self)))
  }

  /// The original length and the packet, of the section's first interface and cut at its snap length.
  private func simplePacket(_ block: Block, at offset: UInt64) -> PacketRecord? {
    guard block.bodyEnd >= 12 else {
      end(.lengthInvalid(UInt64(block.bodyEnd + 4)), at: offset)
      return nil
    }
    guard let interface = blocks!.interfaces.first else {
      note(.interfaceUnknown(0), at: offset)
      return nil
    }
    if !interface.isNoted { noteLinkType(0, at: offset) }
    let onWire: UInt32 = block.load(8)
    var captured = min(Int(onWire), block.bodyEnd - 12)
    if interface.snapLength != 0 { captured = min(captured, Int(interface.snapLength)) }
    return PacketRecord(
      time: blocks!.lastTime, linkType: interface.linkType, interface: blocks!.interfaceBase,
      bytes: UnsafeRawBufferPointer(start: block.bytes + 12, count: captured), lengthOnWire: Int(onWire))
  }
}
