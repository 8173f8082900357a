// Why packets can't be had: what failed, on which interface or file, and what to do next.

import Glibc

/// A failure of a packet source that an operator can mend. Its description is one message for a person.
public enum CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
  case fileUnreadable(path: String, reason: String)
  case fileIsDirectory(path: String)
  case fileEmpty(path: String)
  /// Compressed with this tool.
  case fileCompressed(path: String, tool: String, decompress: String)
  /// Of another kind; `hint` names it where it was recognised.
  case fileNotCapture(path: String, hint: String?)
  case fileCorrupt(path: String, offset: UInt64, reason: String)
  case noPrivilege(interface: String)
  case interfaceUnknown(interface: String, known: [String])
  case interfaceDown(interface: String)
  case interfaceGone(interface: String)
  case filterInvalid(filter: String, reason: String)
  case captureFailed(interface: String, reason: String)

  public var description: String {
    switch self {
    case .fileUnreadable(let path, let reason): "can't read \(path): \(reason)"
    case .fileIsDirectory(let path): "\(path) is a folder: name a capture file in it"
    case .fileEmpty(let path): "\(path) is empty: it holds not even a capture's header"
    case .fileCompressed(let path, let tool, let decompress):
      "\(path) is compressed with \(tool): decompress it first, \(decompress)"
    case .fileNotCapture(let path, let hint):
      hint.map { "\(path) is \($0), not a packet capture (pcap or pcapng)" }
        ?? "\(path) is not a packet capture: neither pcap nor pcapng"
    case .fileCorrupt(let path, let offset, let reason): "\(path) is damaged at byte \(offset): \(reason)"
    case .noPrivilege(let interface):
      "no permission to capture on \(interface): it takes the capability CAP_NET_RAW. Grant it to this program once "
        + "with '\(CapturePrivilege.setcapCommand)', or run it as root."
    case .interfaceUnknown(let interface, let known):
      "there is no interface '\(interface)'; there are: \(known.joined(separator: ", "))"
    case .interfaceDown(let interface): "the interface \(interface) is down: 'ip link set \(interface) up' raises it"
    case .interfaceGone(let interface): "the interface \(interface) went away; what was captured until then is kept"
    case .filterInvalid(let filter, let reason): "the filter '\(filter)' can't be used: \(reason); see pcap-filter(7)"
    case .captureFailed(let interface, let reason): "capturing on \(interface) failed: \(reason)"
    }
  }
}
