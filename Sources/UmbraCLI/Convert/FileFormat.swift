// Which format a file has: by what it holds when read, by its name when written.

import ArgumentParser
import SessionFile

/// The formats that `umbra convert` knows.
enum FileFormat: String, ExpressibleByArgument, CaseIterable {
  case session, pcap, har, gor, mitmproxy, jsonl, curl

  static let readable: [FileFormat] = [.session, .pcap, .har, .gor, .mitmproxy, .jsonl]
  static let writable: [FileFormat] = [.session, .har, .gor, .jsonl, .curl]

  /// By the end of a file's name, `.gz` left out; nil for another name.
  init?(name: String) {
    let plain = name.hasSuffix(".gz") ? name.dropLast(3) : name[...]
    switch plain.split(separator: ".").last?.lowercased() {
    case "umbra", "umbra-run": self = .session
    case "pcap", "pcapng", "cap": self = .pcap
    case "har": self = .har
    case "gor": self = .gor
    case "flow", "flows", "mitm": self = .mitmproxy
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
    } else if FileFormat.beginsFlow(content) {
      self = .mitmproxy
    } else {
      // Damage may stand at the beginning.
      guard let named = FileFormat(name: name), [.har, .gor, .mitmproxy, .jsonl].contains(named) else { return nil }
      self = named
    }
  }

  /// A length, and within it the length and beginning of a member's name: `1864:9:websocket`.
  private static func beginsFlow(_ content: [UInt8]) -> Bool {
    var rest = content[...]
    for _ in 0..<2 {
      let digits = rest.prefix(12).prefix { (0x30...0x39).contains($0) }
      guard !digits.isEmpty, rest.dropFirst(digits.count).first == UInt8(ascii: ":") else { return false }
      rest = rest.dropFirst(digits.count + 1)
    }
    return rest.first.map { (0x61...0x7a).contains($0) } ?? false
  }
}
