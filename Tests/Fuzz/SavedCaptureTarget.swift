// Saved captures of every format through their reader, and what comes out through the writer and the reader again.
//
// Input: an octet that chooses how to read, then a file. Bit 0: in order of time within a window. Bit 1: two of them
// merged. Bits 2 and 3: with a damaged octet at a place that depends on them.

import Glibc
import HTTPModel
import PcapCapture

enum SavedCaptureTarget: FuzzTarget {
  static let name = "pcap"

  static func run(_ input: [UInt8]) throws(Violation) {
    guard let choice = input.first else { return }
    var bytes = Array(input.dropFirst())
    if choice & 12 != 0, !bytes.isEmpty { bytes[bytes.count * Int(choice >> 2 & 3) / 4] ^= choice >> 4 | 1 }
    guard let file = MemoryFile(bytes) else { return }
    var total = 0
    var written: [UInt8] = []
    var encoder = PcapngEncoder(application: "fuzz", snapLength: 0, into: &written)
    var packets: [(time: Timestamp, count: Int)] = []
    var isOrderTold = true
    do throws(CaptureError) {
      let options = SavedCaptureOptions(window: choice & 1 != 0 ? 1_000_000_000 : 0, windowBytes: 1 << 16)
      let capture = try SavedCaptureSet(
        paths: Array(repeating: file.path, count: choice & 2 != 0 ? 2 : 1), options: options)
      var latest = Timestamp(nanoseconds: .min)
      var backward: UInt64 = 0
      while let packet = try capture.next() {
        total += packet.bytes.count
        if packet.time < latest { backward += 1 }
        latest = max(latest, packet.time)
        if packets.count < 64, encoder.add(packet, into: &written) { packets.append((packet.time, packet.bytes.count)) }
      }
      isOrderTold = backward == capture.packetsOutOfOrder
      for (_, problem) in capture.problems { _ = "\(problem)" }
      for secrets in capture.takeSecrets() { _ = "\(secrets)" }
    } catch { _ = "\(error)" }
    try require(isOrderTold, "packets out of order were not told of")
    // What is compressed may hold more than it is long.
    let isCompressed =
      [[0x1f, 0x8b], [0x28, 0xb5]].contains { bytes.starts(with: $0) } || bytes.dropFirst().first == 0x2a
    try require(isCompressed || total <= 2 * bytes.count, "\(total) bytes of packets in a file of \(bytes.count)")
    try readBack(written, packets)
  }

  /// What was written comes back as it was.
  private static func readBack(
    _ bytes: [UInt8], _ packets: [(time: Timestamp, count: Int)]
  ) throws(Violation) {
    guard let file = MemoryFile(bytes) else { return }
    var index = 0
    var isEqual = true
    do throws(CaptureError) {
      let capture = try SavedCapture(path: file.path)
      while let packet = try capture.next() {
        let expected = index < packets.count ? packets[index] : (time: packet.time, count: -1)
        // Times before 1970 are written as its beginning.
        if packet.bytes.count != expected.count || packet.time != max(expected.time, Timestamp(nanoseconds: 0)) {
          isEqual = false
        }
        index += 1
      }
      isEqual = isEqual && index == packets.count && !capture.problems.contains { $0.kind == .cutOff }
    } catch { isEqual = false }
    try require(isEqual, "\(packets.count) packets were written and did not come back")
  }

  static var seeds: [[UInt8]] {
    func little(_ values: UInt32...) -> [UInt8] {
      values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
    }
    let header = little(4 << 16 | 2, 0, 0, 65_535, 1)
    let packet = little(1_790_000_000, 5, 4, 60) + [1, 2, 3, 4]
    let section = little(0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, .max, .max, 28)
    let interface = little(1, 32, 1, 0, 9 | 1 << 16, 9, 0, 32)
    let enhanced = little(6, 36, 0, 0x6534, 0x1122_3344, 4, 60) + [1, 2, 3, 4] + little(36)
    let simple = little(3, 20, 4) + [1, 2, 3, 4] + little(20)
    let secrets = little(10, 24, 0x544c_534b, 4) + [1, 2, 3, 4] + little(24)
    let statistics = little(5, 40, 0, 0, 0, 5 | 8 << 16, 7, 0, 0, 40)
    let swapped: [UInt8] = [
      0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1,
    ]
    // A stored block, and a raw block, that hold a pcap file's header each.
    let stored: [UInt8] =
      [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 24, 0, 0xe7, 0xff] + little(0xa1b2_c3d4) + header
      + little(0x11a1_d7e1, 24)
    let raw: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 24, 0xc1, 0, 0] + little(0xa1b2_c3d4) + header
    let pcap = little(0xa1b2_c3d4) + header + packet + packet
    let files: [[UInt8]] = [
      pcap, little(0xa1b2_3c4d) + header + packet, pcap + pcap,
      little(0xa1b2_cd34) + header + little(1_790_000_000, 5, 4, 60, 0, 0) + [1, 2, 3, 4],
      little(0x1c00_01ac) + header + little(20) + packet,
      swapped + [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2], stored, raw,
      section + secrets + interface + enhanced + simple + section + interface + enhanced + statistics,
    ]
    return files.map { [0] + $0 } + files.map { [0x53] + $0 } + files.map { [0x4b] + $0 }
  }
}

/// A file that has no name any more.
final class MemoryFile {
  let path: String
  let descriptor: Int32

  /// nil where the system has no room for it.
  init?(_ bytes: [UInt8]) {
    let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(folder)/umbra-fuzz-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    unlink(template)
    path = "/proc/self/fd/\(descriptor)"
    guard descriptor >= 0, bytes.isEmpty || write(descriptor, bytes, bytes.count) == bytes.count else { return nil }
    lseek(descriptor, 0, SEEK_SET)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  var contents: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(max(0, lseek(descriptor, 0, SEEK_END))))
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return Array(bytes.prefix(max(0, count)))
  }
}
