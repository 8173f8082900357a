// Which format a file has: by what it holds when read, by its name when written.

import ArgumentParser
import SessionFile

/// The formats that `umbra convert` knows.
enum FileFormat: String, ExpressibleByArgument, CaseIterable {
  case session, pcap, har, gor, jsonl, curl

  static let readable: [FileFormat] = [.session, .pcap, .har, .gor, .jsonl]
  static let writable: [FileFormat] = [.session, .har, .gor, .jsonl, .curl]

  /// By the end of a file's name, `.gz` left out; nil for another name.
  init?(name: String) {
    let plain = name.hasSuffix(".gz") ? name.dropLast(3) : name[...]
    switch plain.split(separator: ".").last?.lowercased() {
    case "umbra", "umbra-run": self = .session
    case "pcap", "pcapng", "cap": self = .pcap
    case "har": self = .har
    case "gor": self = .gor
    case "jsonl", "ndjson": self = .jsonl
    case "sh", "curl": self = .curl
    default: return nil
    }
  }

  /// By a file's first bytes (at least 64, or all that there are), compression undone.
  init?(content: [UInt8], name: String) {
    let start = content.prefix(8)
    let magic = start.count >= 4 ? start.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) } : 0
    switch magic {
    case 0xa1b2_c3d4, 0xd4c3_b2a1, 0xa1b2_3c4d, 0x4d3c_b2a1, 0xa1b2_cd34, 0x34cd_b2a1, 0x0a0d_0d0a:
      self = .pcap
      return
    case 0x8955_4d42:
      self = .session
      return
    default: break
    }
    let text = content.drop { [0xef, 0xbb, 0xbf, 0x20, 0x09, 0x0a, 0x0d].contains($0) }
    if text.first == UInt8(ascii: "{") {
      let key = text.dropFirst().drop { [0x20, 0x09, 0x0a, 0x0d].contains($0) }
      if key.starts(with: "\"log\"".utf8) {
        self = .har
      } else {
        self = FileFormat(name: name) == .har ? .har : .jsonl
      }
    } else if let type = content.first, (0x31...0x33).contains(type), content.dropFirst().first == 0x20 {
      self = .gor
    } else {
      // Damage may stand at the beginning.
      guard let named = FileFormat(name: name), [.har, .gor, .jsonl].contains(named) else { return nil }
      self = named
    }
  }
}
