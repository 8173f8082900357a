import Glibc
import HTTPModel
import PacketHeaders
import Testing

@testable import PcapCapture

@Suite("Packets kept in a ring")
struct PacketRingTests {
  /// A name in a folder of its own, gone at the end.
  private final class Place {
    let folder: String
    var path: String { folder + "/raw.pcapng" }

    init() throws {
      var template = Array("/tmp/umbra-ring-XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else { throw SystemFailure() }
      folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    /// FILE, FILE.1, …
    var files: [String] {
      (0..<100).map { $0 == 0 ? path : "\(path).\($0)" }.filter { access($0, F_OK) == 0 }
    }

    var bytes: Int { files.reduce(0) { $0 + Place.size($1) } }

    static func size(_ path: String) -> Int {
      var status = stat()
      return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    deinit {
      for file in files { unlink(file) }
      rmdir(folder)
    }
  }

  private func add(_ numbers: Range<Int>, to ring: PacketRing, size: Int = 1000) throws {
    for number in numbers {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &+ number) }
      try bytes.withUnsafeBytes { bytes in
        try ring.add(
          PacketRecord(
            time: Timestamp(nanoseconds: 1_700_000_000_000_000_001 + Int64(number)),
            linkType: number % 2 == 0 ? .ethernet : .linuxCooked2, interface: number % 3, bytes: bytes,
            lengthOnWire: size + number % 2))
      }
    }
  }

  @Test("comes back as it went in: times, link types, interfaces, lengths")
  func roundTrip() throws {
    let place = try Place()
    let ring = try PacketRing(PacketRingOptions(path: place.path, snapLength: 4096))
    for size in [0, 1, 2, 3, 61, 70_000] { try add(0..<12, to: ring, size: size) }
    ring.note(statistics(received: 50, kernel: 7, interface: 3), interface: 0)
    try ring.add(CaptureSecrets(kind: .tlsKeyLog, bytes: [1, 2, 3]))
    try ring.close()
    #expect(ring.packets == 72 && ring.packetsRefused == 0)
    #expect(ring.bytes == place.bytes)
    let capture = try SavedCapture(path: place.path)
    var packets: [OwnedPacket] = []
    while let packet = try capture.next() { packets.append(OwnedPacket(packet)) }
    #expect(packets.count == 72)
    for (index, packet) in packets.enumerated() {
      let number = index % 12
      let size = [0, 1, 2, 3, 61, 70_000][index / 12]
      #expect(packet.nanoseconds == 1_700_000_000_000_000_001 + Int64(number))
      #expect(packet.linkType == (number % 2 == 0 ? .ethernet : .linuxCooked2))
      #expect(packet.lengthOnWire == size + number % 2)
      #expect(packet.bytes == (0..<size).map { UInt8(truncatingIfNeeded: $0 &+ number) })
      // An interface with two link types is two of pcapng's.
      #expect(packet.interface == number % 6)
    }
    #expect(capture.problems.isEmpty)
    #expect(capture.recordedDrops.kernelDrops == 7 && capture.recordedDrops.interfaceDrops == 3)
    #expect(capture.takeSecrets() == [CaptureSecrets(kind: .tlsKeyLog, bytes: [1, 2, 3])])
    var status = stat()
    #expect(stat(place.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test("stays within its bytes, keeps the newest, and each file can be read alone")
  func bounded() throws {
    let place = try Place()
    let limit = 4 << 16
    let ring = try PacketRing(PacketRingOptions(path: place.path, byteLimit: limit, files: 4))
    try ring.add(CaptureSecrets(kind: .tlsKeyLog, bytes: Array(repeating: 9, count: 100)))
    for step in 0..<40 {
      ring.note(statistics(received: UInt64(step * 25), kernel: UInt64(step), interface: 0), interface: 0)
      try add(step * 25..<step * 25 + 25, to: ring)
      try ring.flush()
      #expect(place.bytes <= limit)
      #expect(ring.bytes == place.bytes)
    }
    try ring.close()
    #expect(place.files.count == 4)
    #expect(place.bytes <= limit && place.bytes > limit * 3 / 4 - 2048)
    var total: UInt64 = 0
    var drops: UInt64 = 0
    for file in place.files {
      let capture = try SavedCapture(path: file)
      let read = try ReadCapture(capture)
      #expect(read.problems.isEmpty)
      #expect(capture.takeSecrets().count == 1)
      total += UInt64(read.packets.count)
      drops += read.drops.kernelDrops
    }
    #expect(total + ring.packetsDiscarded == 1000)
    // One at each step, of which the four files hold some nine.
    #expect((6...12).contains(drops))
    // Merged, the newest packets without a hole.
    let set = try SavedCaptureSet(paths: place.files)
    var times: [Int64] = []
    while let packet = try set.next() { times.append(packet.time.nanoseconds - 1_700_000_000_000_000_001) }
    let oldest = Int64(1000) - Int64(total)
    #expect(times == Array(oldest..<1000))
  }

  @Test("a packet larger than a file's share has a file to itself")
  func large() throws {
    let place = try Place()
    let ring = try PacketRing(PacketRingOptions(path: place.path, byteLimit: 2 << 16, files: 2))
    try add(0..<3, to: ring, size: 200_000)
    try ring.close()
    #expect(place.files.count == 2)
    #expect(ring.packetsDiscarded == 1)
    #expect(try ReadCapture(SavedCapture(path: place.path)).packets.count == 1)
  }

  @Test("what stands there is replaced only where that is allowed, and only captures")
  func overwriting() throws {
    let place = try Place()
    let options = PacketRingOptions(path: place.path, byteLimit: 2 << 16, files: 2)
    let first = try PacketRing(options)
    try add(0..<100, to: first)
    try first.close()
    #expect(throws: PacketRingError.exists(path: place.path)) { try PacketRing(options) }
    var again = options
    again.overwrite = true
    try PacketRing(again).close()
    #expect(place.files == [place.path])
    #expect(try ReadCapture(SavedCapture(path: place.path)).packets.isEmpty)
    let descriptor = open(place.path + ".1", O_WRONLY | O_CREAT, 0o600)
    #expect(write(descriptor, "diary", 5) == 5)
    close(descriptor)
    #expect(throws: PacketRingError.existsForeign(path: place.path + ".1")) { try PacketRing(again) }
    #expect(throws: PacketRingError.isDirectory(path: "/tmp")) { try PacketRing(PacketRingOptions(path: "/tmp")) }
    #expect(throws: PacketRingError.tooSmall(byteLimit: 1000, files: 8)) {
      try PacketRing(PacketRingOptions(path: place.path, byteLimit: 1000))
    }
    #expect(throws: PacketRingError.system(path: "/nonexistent/x", operation: "create", errno: ENOENT)) {
      try PacketRing(PacketRingOptions(path: "/nonexistent/x"))
    }
  }

  @Test("devices are written to without rotation; a full disk is told once")
  func devices() throws {
    let null = try PacketRing(PacketRingOptions(path: "/dev/null", byteLimit: 2 << 16, files: 2))
    try add(0..<1000, to: null)
    try null.close()
    #expect(null.packets == 1000 && null.packetsDiscarded == 0)
    let full = try PacketRing(PacketRingOptions(path: "/dev/full"))
    #expect(throws: PacketRingError.diskFull(path: "/dev/full")) { try add(0..<1000, to: full) }
    try add(0..<1000, to: full)
    try full.close()
  }

  @Test("what pcapng can't say is refused and counted")
  func refused() throws {
    let ring = try PacketRing(PacketRingOptions(path: "/dev/null"))
    let packet = PacketRecord(
      time: Timestamp(nanoseconds: -5), linkType: LinkType(rawValue: 1 << 20),
      bytes: UnsafeRawBufferPointer(start: nil, count: 0), lengthOnWire: -1)
    try ring.add(packet)
    #expect(ring.packets == 0 && ring.packetsRefused == 1)
  }

  private func statistics(received: UInt64, kernel: UInt64, interface: UInt64) -> LiveCaptureStatistics {
    var statistics = LiveCaptureStatistics()
    statistics.received = received
    statistics.kernelDrops = kernel
    statistics.interfaceDrops = interface
    return statistics
  }
}
