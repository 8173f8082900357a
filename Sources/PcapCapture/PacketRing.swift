// The packets of a capture beside its session: the newest, in files of a bounded size together.
//
// In: packets. Out: FILE with the newest, FILE.1 with those before, and so on; each a pcapng file that can be read alone.
// Owner: one thread, that may wait for the disk. Bounds: a number of bytes for all files, and of files.
//
// Files and not one file that is written round: such a file has no beginning that any tool could read. The newest keeps
// its name, as logs do, so that it can be followed, and what is oldest goes as a whole. Memory is one buffer.

import Glibc
import HTTPModel
import PacketHeaders

/// How a ring of packets is kept.
public struct PacketRingOptions: Sendable {
  /// The newest file's path; older ones have `.1`, `.2`, … behind it. A pipe or a device is written to without an end.
  public var path: String
  /// Bytes that all files have together at most, where no packet is larger than a file's share.
  public var byteLimit: Int
  /// The files that share them, at least 2: with n files, at least (n - 1) / n of the bytes hold the newest packets.
  public var files: Int
  /// Files of an earlier ring may be replaced.
  public var overwrite: Bool
  /// Told in the files.
  public var application: String
  /// Bytes kept of each packet, told in the files; 0 where there is no limit.
  public var snapLength: UInt32

  public init(
    path: String, byteLimit: Int = 1 << 30, files: Int = 8, overwrite: Bool = false, application: String = "umbra",
    snapLength: UInt32 = 0
  ) {
    self.path = path
    self.byteLimit = byteLimit
    self.files = files
    self.overwrite = overwrite
    self.application = application
    self.snapLength = snapLength
  }

  /// Below this a ring would hold its own headers.
  public static let smallestShare = 1 << 16
}

/// Writes packets into a ring of pcapng files with 0600.
///
/// After an error nothing more is written; what stands in the files is whole.
public final class PacketRing {
  /// Packets that were added.
  @exclusivity(unchecked) public private(set) var packets: UInt64 = 0
  /// Packets that pcapng can't hold; see ``PcapngEncoder/add(_:into:)``.
  public private(set) var packetsRefused: UInt64 = 0
  /// Packets that have gone again with the oldest files.
  public private(set) var packetsDiscarded: UInt64 = 0
  /// Bytes in all files now, those in the buffer included.
  public var bytes: Int { sizes.reduce(fileSize, +) }

  private let options: PacketRingOptions
  private let share: Int
  @exclusivity(unchecked) private var output: PacketRingFile?
  @exclusivity(unchecked) private var encoder: PcapngEncoder
  @exclusivity(unchecked) private var buffer: [UInt8] = []
  /// Bytes of the newest file, with those in the buffer.
  @exclusivity(unchecked) private var fileSize = 0
  @exclusivity(unchecked) private var filePackets: UInt64 = 0
  /// Of the older files, the newest first.
  private var sizes: [Int] = []
  private var counts: [UInt64] = []
  @exclusivity(unchecked) private var lastTime = Timestamp(nanoseconds: 0)
  private var secrets: [CaptureSecrets] = []
  /// By interface: the totals, and what they were when the file was begun.
  private var statistics: [Int: (now: LiveCaptureStatistics, before: LiveCaptureStatistics)] = [:]
  @exclusivity(unchecked) private var linkTypes: [Int: LinkType] = [:]

  private static let flushSize = 1 << 18

  /// Creates the first file.
  public init(_ options: PacketRingOptions) throws(PacketRingError) {
    guard options.files >= 2, options.byteLimit / options.files >= PacketRingOptions.smallestShare else {
      throw .tooSmall(byteLimit: options.byteLimit, files: options.files)
    }
    self.options = options
    share = options.byteLimit / options.files
    buffer.reserveCapacity(PacketRing.flushSize + (1 << 17))
    output = try PacketRingFile(path: options.path, olderFiles: options.files - 1, overwrite: options.overwrite)
    encoder = PcapngEncoder(application: options.application, snapLength: options.snapLength, into: &buffer)
    fileSize = buffer.count
  }

  /// Adds a packet; its bytes are copied. Writes to the file now and then.
  public func add(_ packet: PacketRecord) throws(PacketRingError) {
    guard let output else { return }
    let room = PcapngEncoder.room(for: packet) + encoder.interfaces * PacketRing.statisticsSize
    if output.isRegular, fileSize + room > share, filePackets > 0 { try rotate() }
    let before = buffer.count
    let interfaces = encoder.interfaces
    guard encoder.add(packet, into: &buffer) else {
      packetsRefused &+= 1
      return
    }
    if encoder.interfaces != interfaces, linkTypes[packet.interface] == nil {
      linkTypes[packet.interface] = packet.linkType
    }
    fileSize += buffer.count - before
    filePackets &+= 1
    packets &+= 1
    lastTime = packet.time
    if buffer.count >= PacketRing.flushSize { try flush() }
  }

  /// Takes an interface's counters, from the capture's start; each file tells what came to pass while it was written.
  public func note(_ statistics: LiveCaptureStatistics, interface: Int) {
    self.statistics[interface] = (statistics, self.statistics[interface]?.before ?? LiveCaptureStatistics())
  }

  /// Adds keys to this file and, at its beginning, to each that follows. Their bytes count against the limit.
  public func add(_ secrets: CaptureSecrets) throws(PacketRingError) {
    guard output != nil else { return }
    self.secrets.append(secrets)
    let before = buffer.count
    encoder.add(secrets, into: &buffer)
    fileSize += buffer.count - before
  }

  /// Writes what is buffered, so that a reader of the file sees it.
  public func flush() throws(PacketRingError) {
    guard let output, !buffer.isEmpty else { return }
    self.output = nil
    try output.write(buffer)
    self.output = output
    buffer.removeAll(keepingCapacity: true)
  }

  /// Ends the newest file. Nothing can be added after it.
  public func close() throws(PacketRingError) {
    addStatistics()
    try flush()
    output = nil
  }

  // MARK: The ring

  private func rotate() throws(PacketRingError) {
    addStatistics()
    try flush()
    sizes.insert(fileSize, at: 0)
    counts.insert(filePackets, at: 0)
    if sizes.count >= options.files {
      sizes.removeLast()
      packetsDiscarded &+= counts.removeLast()
    }
    output = nil
    output = try PacketRingFile(path: options.path, movingOlderFiles: options.files - 1)
    encoder = PcapngEncoder(application: options.application, snapLength: options.snapLength, into: &buffer)
    for secrets in secrets { encoder.add(secrets, into: &buffer) }
    for interface in statistics.keys { statistics[interface]!.before = statistics[interface]!.now }
    (fileSize, filePackets) = (buffer.count, 0)
  }

  private static let statisticsSize = 64

  private func addStatistics() {
    let before = buffer.count
    for (interface, totals) in statistics.sorted(by: { $0.key < $1.key }) {
      guard let linkType = linkTypes[interface] else { continue }
      var drops = RecordedDrops()
      drops.kernelDrops = totals.now.kernelDrops &- totals.before.kernelDrops
      drops.interfaceDrops = totals.now.interfaceDrops &- totals.before.interfaceDrops
      _ = encoder.addStatistics(
        interface: interface, linkType: linkType, at: lastTime, received: totals.now.received &- totals.before.received,
        drops: drops, into: &buffer)
    }
    fileSize += buffer.count - before
  }
}
