// Behind damage: the next place from which reading can be proved right.
//
// In: bytes from a damaged record or block on. Out: the place of a later one. Owner: SavedCapture. Bounds: 2 MB of the
// buffer, and a bit for each byte of it; each byte is looked at a fixed number of times, whatever it is.
//
// Proof is a chain: records or blocks that follow one another without a gap for longer than any packet is, or exactly to
// the file's end. A chain that stands within one packet's payload, as of a capture file that is being downloaded, ends
// with the packet and so proves nothing.

import HTTPModel
import PacketHeaders

/// A stretch that can't be read, while its end is looked for.
struct Damage {
  var start: UInt64
  /// Nothing short of a new section's header makes packets readable again.
  var needsSection: Bool
}

/// What follows what, as one format has it.
protocol RecordChain {
  /// Octets of the shortest record or block.
  var shortest: Int { get }
  /// Whether a chain may begin at `place`, where `shortest` octets are; nothing before is known.
  mutating func begins(at place: UnsafeRawPointer) -> Bool
  /// The length of the record or block at `place`; nil where there is none, or one longer than ``longestLink`` or `room`.
  mutating func link(at place: UnsafeRawPointer, room: Int) -> Int?
}

extension RecordChain {
  static var longestLink: Int { 1 << 19 }
}

extension SavedCapture {
  /// Bytes that a chain has to cover, and bytes among which chains are looked for.
  private static let proof = Int(RecordLayout.usualLongest) + 64
  private static let window = 1 << 21

  /// From here on nothing can be read until ``findRecord()`` or ``findBlock()`` finds where.
  @inline(never)
  func beginDamage(_ kind: SavedCaptureProblem.Kind, at offset: UInt64, needsSection: Bool = false) {
    note(kind, at: offset)
    damage = Damage(start: offset, needsSection: needsSection)
    // What stands at the place itself is known to be wrong.
    if input.offset == offset, input.available > 0 { input.consume(1) }
  }

  /// - Returns: false where no place was found, or none yet.
  func findRecord() throws(CaptureError) -> Bool {
    var chain = recordChain
    return try find(&chain)
  }

  /// - Returns: false where no place was found, or none yet.
  func findBlock() throws(CaptureError) -> Bool {
    var chain = blockChain
    return try find(&chain)
  }

  /// How far behind the present place records can be proved to begin; nil where that can't be told.
  func placeOfRecord() throws(CaptureError) -> Int? {
    var chain = recordChain
    return try place(&chain)
  }

  /// How far behind the present place blocks can be proved to begin; nil where that can't be told.
  func placeOfBlock() throws(CaptureError) -> Int? {
    var chain = blockChain
    return try place(&chain)
  }

  private var recordChain: PcapChain { PcapChain(layout: records, last: blocks.lastTime) }

  private var blockChain: PcapngChain {
    PcapngChain(section: (blocks.isSwapped, blocks.interfaces.count), needsSection: damage?.needsSection ?? false)
  }

  private func place<Chain: RecordChain>(_ chain: inout Chain) throws(CaptureError) -> Int? {
    let isWhole = try input.peek(SavedCapture.window) != nil
    let isLast = !isWhole && (input.shortage == .end || input.shortage == .replaced)
    let bytes = UnsafeRawBufferPointer(rebasing: input.rest.dropFirst())
    return SavedCapture.firstProof(&chain, in: bytes, isLast: isLast).map { $0 + 1 }
  }

  private func find<Chain: RecordChain>(_ chain: inout Chain) throws(CaptureError) -> Bool {
    while let damage {
      let isWhole = try input.peek(SavedCapture.window) != nil
      if !isWhole, input.shortage != .end, input.shortage != .replaced {
        runOut(at: input.offset)
        return false
      }
      let bytes = input.rest
      let place = SavedCapture.firstProof(&chain, in: bytes, isLast: !isWhole)
      // Chains from further behind leave the window before they prove anything.
      let passed = place ?? (isWhole ? bytes.count - SavedCapture.proof - Chain.longestLink : bytes.count)
      input.consume(passed)
      if place == nil, isWhole { continue }
      let skipped = input.offset - damage.start
      skippedBytes &+= skipped
      note(.skipped(skipped, isResumed: place != nil), at: damage.start)
      self.damage = nil
      if place == nil { runOut(at: input.offset) }
      return place != nil
    }
    return true
  }

  private static func firstProof<Chain: RecordChain>(
    _ chain: inout Chain, in bytes: UnsafeRawBufferPointer, isLast: Bool
  ) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    // Places on chains that have failed: a chain that comes to one of them fails too.
    var failed: [UInt64] = []
    let end = isLast ? bytes.count - chain.shortest + 1 : bytes.count - proof - Chain.longestLink
    var start = 0
    while start < end {
      defer { start += 1 }
      guard chain.begins(at: base + start) else { continue }
      if failed.isEmpty { failed = Array(repeating: 0, count: (bytes.count + 63) / 64) }
      var place = start
      while true {
        if place - start >= proof || isLast && place == bytes.count && place > start { return start }
        guard bytes.count - place >= chain.shortest, failed[place / 64] >> UInt64(place % 64) & 1 == 0 else { break }
        failed[place / 64] |= 1 << UInt64(place % 64)
        guard let length = chain.link(at: base + place, room: bytes.count - place) else { break }
        place += length
      }
    }
    return nil
  }
}

/// Records of a pcap file: lengths and times that make sense.
struct PcapChain: RecordChain {
  let layout: RecordLayout
  /// The time of the last packet before the damage; of the epoch where there was none.
  let last: Timestamp

  var shortest: Int { layout.headerLength }

  func begins(at place: UnsafeRawPointer) -> Bool { length(at: place) != nil }

  func link(at place: UnsafeRawPointer, room: Int) -> Int? {
    guard let length = length(at: place), length <= room else { return nil }
    return length
  }

  private func length(at place: UnsafeRawPointer) -> Int? {
    let ticks: UInt32 = place.load(4, layout.isSwapped)
    guard ticks < 1_000_000_000, layout.nanosecondsPerTick == 1 || ticks < 1_000_000 else { return nil }
    let (captured, onWire) = layout.lengths(place)
    guard captured > 0, captured <= onWire, captured <= layout.longest, onWire <= SavedCapture.longestPacket,
      Int(captured) <= PcapChain.longestLink - layout.headerLength
    else { return nil }
    // A day earlier than the last packet, or a year later, is not believed.
    if last.nanoseconds != 0 {
      let seconds = Int64(place.load(0, layout.isSwapped, as: UInt32.self)) - last.nanoseconds / 1_000_000_000
      guard seconds >= -86_400, seconds <= 366 * 86_400 else { return nil }
    }
    return layout.headerLength + Int(captured)
  }
}

/// Blocks of a pcapng file: known types, both lengths agreed, packets that fit their blocks.
struct PcapngChain: RecordChain {
  typealias Section = (isSwapped: Bool, interfaces: Int)

  /// As it is where the damage began.
  let section: Section
  let needsSection: Bool
  private var current: Section = (false, 0)

  init(section: Section, needsSection: Bool) {
    self.section = section
    self.needsSection = needsSection
  }

  var shortest: Int { 12 }

  mutating func begins(at place: UnsafeRawPointer) -> Bool {
    current = section
    let type: UInt32 = place.load(0, section.isSwapped)
    if type == CaptureFormat.sectionHeader { return true }
    return !needsSection && (1...10).contains(type) && place.load(4, section.isSwapped, as: UInt32.self) <= 1 << 19
  }

  mutating func link(at place: UnsafeRawPointer, room: Int) -> Int? {
    if place.load(0, false, as: UInt32.self) == CaptureFormat.sectionHeader {
      guard room >= 28, let isSwapped = SavedCapture.byteOrder(place), place.load(12, isSwapped, as: UInt16.self) == 1
      else { return nil }
      current = (isSwapped, 0)
    }
    let length: UInt32 = place.load(4, current.isSwapped)
    guard length >= 12, length <= PcapngChain.longestLink - 4 else { return nil }
    let span = (Int(length) + 3) & ~3
    guard span <= room, place.load(span - 4, current.isSwapped, as: UInt32.self) == length else { return nil }
    switch place.load(0, current.isSwapped, as: UInt32.self) {
    case BlockType.interfaceDescription: current.interfaces += 1
    case BlockType.simplePacket: if current.interfaces == 0 || span < 16 { return nil }
    case BlockType.enhancedPacket:
      // Of an interface whose description may have been lost.
      guard span >= 32, place.load(8, current.isSwapped, as: UInt32.self) < 65_536,
        Int(place.load(20, current.isSwapped, as: UInt32.self)) <= span - 32
      else { return nil }
    case BlockType.obsoletePacket: if span < 32 { return nil }
    default: break
    }
    return span
  }
}
