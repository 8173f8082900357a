// What a pcapng file's blocks have said so far: its interfaces, and what was lost on them.

import HTTPModel
import PacketHeaders

/// What is known of the section that is being read, and kept of those before.
struct BlockLayout {
  /// The section's byte order is not this machine's.
  var isSwapped = false
  /// Those of the section.
  var interfaces: [BlockInterface] = []
  /// Interfaces of the sections and files before.
  var interfaceBase = 0
  /// A description may have been lost to damage: the numbers of later ones are not known.
  var isNumberingLost = false
  /// For simple packet blocks, which have no time, and for what may follow damage.
  var lastTime = Timestamp(nanoseconds: 0)
  /// Drops that earlier sections told of.
  private var earlierDrops = RecordedDrops()

  static let interfaceLimit = 4096

  var drops: RecordedDrops { interfaces.reduce(into: earlierDrops) { $0.add($1.drops) } }

  mutating func beginSection(isSwapped: Bool) {
    earlierDrops = drops
    self.isSwapped = isSwapped
    interfaceBase += interfaces.count
    interfaces.removeAll(keepingCapacity: true)
    isNumberingLost = false
  }

  /// Another file follows, of whatever format.
  mutating func beginFile() {
    let isPcap = interfaces.isEmpty
    beginSection(isSwapped: false)
    if isPcap { interfaceBase += 1 }
  }
}

/// A section's interface.
struct BlockInterface {
  var linkType: LinkType
  /// 0 means no limit.
  var snapLength: UInt32
  var unit = TimestampUnit.microseconds
  /// Its packets can be read into, or it was told that they can't.
  var isNoted = false
  /// From its last statistics block.
  var statistics = RecordedDrops()
  /// From its packets.
  var packetDrops: UInt64 = 0

  /// Both tell of the same losses, and either may be missing.
  var drops: RecordedDrops {
    var drops = statistics
    let told = drops.kernelDrops.addingReportingOverflow(drops.interfaceDrops)
    if !told.overflow, packetDrops > told.partialValue { drops.kernelDrops &+= packetDrops - told.partialValue }
    return drops
  }
}

/// Packets that the program which wrote a capture file says it lost.
public struct RecordedDrops: Hashable, Sendable {
  /// Dropped because they were not read in time; also where it is not told who dropped them.
  public var kernelDrops: UInt64 = 0
  /// Dropped by the interface.
  public var interfaceDrops: UInt64 = 0

  public init() {}

  mutating func add(_ other: RecordedDrops) {
    kernelDrops &+= other.kernelDrops
    interfaceDrops &+= other.interfaceDrops
  }
}
