// The pcapng format: sections of blocks, each block with its type and its length before and behind.
//
// Source: draft-ietf-opsawg-pcapng. A section header block begins a section, tells its byte order and forgets the
// interfaces described before. Packets are in enhanced, simple and obsolete packet blocks. Interface statistics tell
// what the capturing program lost; decryption secrets are handed on. Names, comments and other blocks are skipped.

import HTTPModel
import PacketHeaders

enum BlockType {
  static let interfaceDescription: UInt32 = 1
  static let obsoletePacket: UInt32 = 2
  static let simplePacket: UInt32 = 3
  static let interfaceStatistics: UInt32 = 5
  static let enhancedPacket: UInt32 = 6
  static let decryptionSecrets: UInt32 = 10
}

/// A block in the buffer, its lengths agreed.
struct Block {
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
  /// What statistics blocks and packets' own options have told up to now; 0 in a pcap file, which can't say.
  public var recordedDrops: RecordedDrops { blocks.drops }

  /// Looks at the section header at the file's start: what is wrong there is an error.
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
      if damage != nil, try !findBlock() { return nil }
      let offset = input.offset
      guard let head = try input.peek(12) else {
        runOut(at: offset)
        return nil
      }
      var isSwapped = blocks.isSwapped
      var type: UInt32 = head.load(0, isSwapped)
      if type == CaptureFormat.sectionHeader {
        guard let order = SavedCapture.byteOrder(head) else {
          beginDamage(.sectionUnknown, at: offset, needsSection: true)
          continue
        }
        isSwapped = order
        type = CaptureFormat.sectionHeader
      }
      guard let block = try takeBlock(head.load(4, isSwapped), isSwapped, at: offset) else {
        // Out of bytes; behind damage the search for more begins.
        if damage == nil { return nil }
        continue
      }
      switch type {
      case BlockType.enhancedPacket: if let packet = enhancedPacket(block, at: offset) { return packet }
      case BlockType.simplePacket: if let packet = simplePacket(block, at: offset) { return packet }
      case BlockType.obsoletePacket: if let packet = obsoletePacket(block, at: offset) { return packet }
      case BlockType.interfaceDescription: describeInterface(block, at: offset)
      case BlockType.interfaceStatistics: noteStatistics(block)
      case BlockType.decryptionSecrets: keepSecrets(block, at: offset)
      case CaptureFormat.sectionHeader: beginSection(block, at: offset)
      default: break
      }
    }
    return nil
  }

  // MARK: Blocks

  /// Consumes the block at `offset`. Its bytes are the length rounded up, since some writers forget the padding.
  /// - Returns: nil where the bytes are not there or ``damage`` has begun.
  @inline(__always)
  private func takeBlock(_ length: UInt32, _ isSwapped: Bool, at offset: UInt64) throws(CaptureError) -> Block? {
    guard length >= 12, length <= SavedCapture.longestPacket + 65_536 else {
      beginBlockDamage(.lengthInvalid(UInt64(length)), at: offset)
      return nil
    }
    let room = (Int(length) + 3) & ~3
    guard let bytes = try input.peek(room) else {
      // A cut, or a length that damage made too large?
      if input.shortage == .end || input.shortage == .replaced, try placeOfBlock() != nil {
        beginBlockDamage(.lengthInvalid(UInt64(length)), at: offset)
      } else {
        runOut(at: offset)
      }
      return nil
    }
    let behind: UInt32 = bytes.load(room - 4, isSwapped)
    guard behind == length else {
      beginBlockDamage(.lengthsDisagree(length, behind), at: offset)
      return nil
    }
    input.consume(room)
    return Block(bytes: bytes, isSwapped: isSwapped, bodyEnd: room - 4)
  }

  /// What begins here may be an interface's description: those behind it can't be numbered any more.
  @inline(never)
  private func beginBlockDamage(_ kind: SavedCaptureProblem.Kind, at offset: UInt64) {
    let isSection =
      input.available >= 4 && input.rest.loadUnaligned(as: UInt32.self) == CaptureFormat.sectionHeader
    blocks.isNumberingLost = true
    beginDamage(kind, at: offset, needsSection: isSection)
  }

  /// A block was framed rightly but is too short for what it should hold.
  @inline(never)
  private func passOver(_ block: Block, at offset: UInt64) {
    let length = UInt64(block.bodyEnd + 4)
    note(.lengthInvalid(length), at: offset)
    note(.skipped(length, isResumed: true), at: offset)
    skippedBytes &+= length
  }

  // MARK: Sections and interfaces

  /// Whether a section header's byte order is not this machine's; nil where it is none.
  static func byteOrder(_ header: UnsafeRawPointer) -> Bool? {
    switch header.loadUnaligned(fromByteOffset: 8, as: UInt32.self) {
    case 0x1a2b_3c4d: false
    case 0x4d3c_2b1a: true
    default: nil
    }
  }

  /// The section's length is not needed: its blocks are read one by one.
  @inline(never)
  private func beginSection(_ block: Block, at offset: UInt64) {
    guard block.bodyEnd >= 24, block.load(12, as: UInt16.self) == 1 else {
      return beginDamage(.sectionUnknown, at: offset, needsSection: true)
    }
    blocks.beginSection(isSwapped: block.isSwapped)
  }

  @inline(never)
  private func describeInterface(_ block: Block, at offset: UInt64) {
    guard block.bodyEnd >= 16 else {
      blocks.isNumberingLost = true
      return passOver(block, at: offset)
    }
    guard !blocks.isNumberingLost else { return }
    guard blocks.interfaces.count < BlockLayout.interfaceLimit else { return note(.interfacesTooMany, at: offset) }
    var resolution: UInt8 = 6
    var secondsOffset: Int64 = 0
    block.forEachOption(from: 16) { code, offset, length in
      switch (code, length) {
      case (9, 1...): resolution = block.load(offset)
      case (14, 8...): secondsOffset = block.load(offset)
      default: break
      }
    }
    blocks.interfaces.append(
      BlockInterface(
        linkType: LinkType(rawValue: UInt32(block.load(8, as: UInt16.self))), snapLength: block.load(12),
        unit: TimestampUnit(resolution: resolution, secondsOffset: secondsOffset)))
  }

  /// isb_ifdrop is option 5, isb_osdrop 7. They count from the capture's start, so the last block holds. All bits set
  /// mean that the writer did not know.
  @inline(never)
  private func noteStatistics(_ block: Block) {
    guard block.bodyEnd >= 20 else { return }
    let number = Int(block.load(8, as: UInt32.self))
    guard number < blocks.interfaces.count else { return }
    block.forEachOption(from: 20) { code, offset, length in
      guard length >= 8, code == 5 || code == 7 else { return }
      let count: UInt64 = block.load(offset)
      guard count != .max else { return }
      if code == 5 {
        blocks.interfaces[number].statistics.interfaceDrops = count
      } else {
        blocks.interfaces[number].statistics.kernelDrops = count
      }
    }
  }

  /// Secrets type, length, secrets, options.
  @inline(never)
  private func keepSecrets(_ block: Block, at offset: UInt64) {
    guard block.bodyEnd >= 16 else { return passOver(block, at: offset) }
    let length = Int(block.load(12, as: UInt32.self))
    guard length <= block.bodyEnd - 16 else { return passOver(block, at: offset) }
    guard secretsSize + length <= SavedCapture.secretsLimit, secrets.count < 4096 else {
      return note(.secretsTooMany, at: offset)
    }
    secretsSize += length
    secrets.append(
      CaptureSecrets(
        kind: .init(secretsType: block.load(8)),
        bytes: Array(UnsafeRawBufferPointer(start: block.bytes + 16, count: length))))
  }

  @inline(never)
  private func noteLinkType(_ number: Int, at offset: UInt64) {
    blocks.interfaces[number].isNoted = true
    let linkType = blocks.interfaces[number].linkType
    if !linkType.isSupported { note(.linkTypeUnread(linkType), at: offset) }
  }

  // MARK: Packets

  /// Interface, time in two halves, captured and original length, packet, options.
  @inline(__always)
  private func enhancedPacket(_ block: Block, at offset: UInt64) -> PacketRecord? {
    guard block.bodyEnd >= 28 else {
      passOver(block, at: offset)
      return nil
    }
    let number: UInt32 = block.load(8)
    guard let packet = timedPacket(block, interface: number, at: offset) else { return nil }
    let options = 28 + (packet.bytes.count + 3) & ~3
    // An option of eight octets and the end of options, or less: none that matters.
    if block.bodyEnd - options >= 12 { notePacketDrops(block, interface: Int(number), options) }
    return packet
  }

  /// epb_dropcount is option 4: packets lost since the interface's packet before.
  @inline(never)
  private func notePacketDrops(_ block: Block, interface number: Int, _ options: Int) {
    block.forEachOption(from: options) { code, offset, length in
      guard code == 4, length >= 8 else { return }
      let count: UInt64 = block.load(offset)
      if count != .max { blocks.interfaces[number].packetDrops &+= count }
    }
  }

  /// The same with a number of drops in the second half of the interface's field; all bits set where it is not known.
  @inline(never)
  private func obsoletePacket(_ block: Block, at offset: UInt64) -> PacketRecord? {
    guard block.bodyEnd >= 28 else {
      passOver(block, at: offset)
      return nil
    }
    let number: UInt16 = block.load(8)
    guard let packet = timedPacket(block, interface: UInt32(number), at: offset) else { return nil }
    let drops: UInt16 = block.load(10)
    if drops != .max { blocks.interfaces[Int(number)].packetDrops &+= UInt64(drops) }
    return packet
  }

  @inline(__always)
  private func timedPacket(_ block: Block, interface number: UInt32, at offset: UInt64) -> PacketRecord? {
    guard number < blocks.interfaces.count else {
      note(.interfaceUnknown(number), at: offset)
      return nil
    }
    let captured: UInt32 = block.load(20)
    guard Int(captured) <= block.bodyEnd - 28 else {
      note(.packetLongerThanBlock(captured), at: offset)
      return nil
    }
    let linkType = blocks.interfaces[Int(number)].linkType
    if !blocks.interfaces[Int(number)].isNoted { noteLinkType(Int(number), at: offset) }
    let ticks = UInt64(block.load(12, as: UInt32.self)) << 32 | UInt64(block.load(16, as: UInt32.self))
    let time = blocks.interfaces[Int(number)].unit.timestamp(ticks: ticks)
    blocks.lastTime = time
    return PacketRecord(
      time: time, linkType: linkType, interface: blocks.interfaceBase + Int(number),
      bytes: UnsafeRawBufferPointer(start: block.bytes + 28, count: Int(captured)),
      lengthOnWire: Int(block.load(24, as: UInt32.self)))
  }

  /// The original length and the packet, of the section's first interface and cut at its snap length.
  @inline(never)
  private func simplePacket(_ block: Block, at offset: UInt64) -> PacketRecord? {
    guard block.bodyEnd >= 12 else {
      passOver(block, at: offset)
      return nil
    }
    guard let interface = blocks.interfaces.first else {
      note(.interfaceUnknown(0), at: offset)
      return nil
    }
    if !interface.isNoted { noteLinkType(0, at: offset) }
    let onWire: UInt32 = block.load(8)
    var captured = min(Int(onWire), block.bodyEnd - 12)
    if interface.snapLength != 0 { captured = min(captured, Int(interface.snapLength)) }
    return PacketRecord(
      time: blocks.lastTime, linkType: interface.linkType, interface: blocks.interfaceBase,
      bytes: UnsafeRawBufferPointer(start: block.bytes + 12, count: captured), lengthOnWire: Int(onWire))
  }
}
