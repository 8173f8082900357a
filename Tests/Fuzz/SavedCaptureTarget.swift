// Saved captures of every format through their reader.
//
// Input: a file.

import Glibc
import PcapCapture

enum SavedCaptureTarget: FuzzTarget {
  static let name = "pcap"

  static func run(_ input: [UInt8]) throws(Violation) {
    guard let file = MemoryFile(input) else { return }
    var total = 0
    do throws(CaptureError) {
      let capture = try SavedCapture(path: file.path)
      while let packet = try capture.next() {
        total += packet.bytes.count
        // Every byte is looked at, so that the sanitizer sees whether it is there.
        _ = packet.bytes.reduce(0, &+)
      }
      for problem in capture.problems { _ = "\(problem)" }
    } catch { _ = "\(error)" }
    try require(total <= input.count, "\(total) bytes of packets in a file of \(input.count)")
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
    let swapped: [UInt8] = [
      0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1,
    ]
    return [
      little(0xa1b2_c3d4) + header + packet + packet, little(0xa1b2_3c4d) + header + packet,
      little(0xa1b2_cd34) + header + little(1_790_000_000, 5, 4, 60, 0, 0) + [1, 2, 3, 4],
      swapped + [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2],
      section + interface + enhanced + simple + section + interface + enhanced,
    ]
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
