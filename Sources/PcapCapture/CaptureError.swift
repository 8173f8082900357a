// Why packets can't be captured or read: one line each, with what to do about it.

public import PacketHeaders

/// A failure that the operator can mend.
public enum CaptureError: Error, Hashable, Sendable {
  /// The process may not capture; ``CapturePrivilege/setcapCommand`` mends it.
  case notPermitted(interface: String)
  /// `existing` is in order of likeness to the name asked for.
  case interfaceUnknown(name: String, existing: [String])
  case interfaceDown(name: String)
  /// It was there and went away, or was taken down, while it was captured from.
  case interfaceGone(name: String)
  /// libpcap failed otherwise; the message is its own.
  case interfaceFailed(name: String, message: String)
  /// The message is libpcap's own. `linkType` is told where the filter does not fit a saved capture's link type.
  case filterInvalid(filter: String, message: String, linkType: LinkType?)

  case fileMissing(path: String)
  case fileIsDirectory(path: String)
  /// The system's error number from open or read.
  case fileUnreadable(path: String, errno: Int32)
  case fileEmpty(path: String)
  /// Ends within the file header.
  case fileHeaderCut(path: String)
  /// `content` says what the file seems to be instead, where that could be told.
  case notACapture(path: String, content: ForeignContent?)
  case versionUnknown(path: String, format: String, major: UInt16, minor: UInt16)
  /// A compressed file of which not even the capture's header comes out.
  case compressionUnreadable(path: String, format: String, isCutOff: Bool)
  /// A zstd file that was made for more memory than is given here.
  case compressionWindowTooLarge(path: String)

  /// What a file that is neither pcap nor pcapng seems to be.
  public enum ForeignContent: Hashable, Sendable {
    /// The tool that undoes it.
    case compressed(by: String, tool: String)
    /// A capture in a format that is not read here.
    case otherCapture(format: String)
    case umbraSession
  }
}

extension CaptureError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notPermitted(let interface):
      "capturing on \(interface) needs the capability CAP_NET_RAW, which this process lacks; grant it to the program "
        + "with '\(CapturePrivilege.setcapCommand)' and start it again"
    case .interfaceUnknown(let name, let existing):
      "there is no interface '\(name)'"
        + (existing.isEmpty ? "" : "; there are: \(existing.joined(separator: ", "))")
    case .interfaceDown(let name):
      "interface \(name) is down; bring it up with 'sudo ip link set \(name) up', or name another"
    case .interfaceGone(let name):
      "interface \(name) went away or was taken down; capture on 'any' outlives single interfaces"
    case .interfaceFailed(let name, let message): "cannot capture on \(name): \(message)"
    case .filterInvalid(let filter, let message, let linkType):
      "the filter '\(filter)' is not valid\(linkType.map { " for \($0) packets" } ?? ""): \(message); "
        + "see pcap-filter(7)"
    case .fileMissing(let path): "\(path) does not exist: check the name"
    case .fileIsDirectory(let path): "\(path) is a directory: name a capture file in it"
    case .fileUnreadable(let path, let code): "cannot read \(path): \(systemMessage(code))"
    case .fileEmpty(let path): "\(path) is empty: it holds no capture; capture again"
    case .fileHeaderCut(let path): "\(path) is cut off within its file header: nothing can be read; copy it again"
    case .notACapture(let path, .compressed(let format, let tool)):
      "\(path) is compressed with \(format): decompress it first, with "
        + (path == standardInputName ? "'\(tool) | umbra ...'" : "'\(tool) < \(path) > capture.pcap'")
    case .notACapture(let path, .otherCapture(let format)):
      "\(path) is a capture in \(format) format: convert it first, with 'editcap -F pcap \(path) NEW.pcap'"
    case .notACapture(let path, .umbraSession):
      "\(path) is an umbra session or run, not a packet capture: it is read by 'umbra show' and 'umbra replay'"
    case .notACapture(let path, nil):
      "\(path) is neither pcap nor pcapng: check the name; 'tcpdump -w' and Wireshark write such files"
    case .versionUnknown(let path, let format, let major, let minor):
      "\(path) is \(format) version \(major).\(minor), which is not known here: convert it with 'editcap'"
    case .compressionUnreadable(let path, let format, let isCutOff):
      "\(path) is compressed with \(format) and \(isCutOff ? "cut off" : "damaged") before the capture's first packet: "
        + "nothing can be read; copy it again"
    case .compressionWindowTooLarge(let path):
      "\(path) was compressed for more memory than umbra gives (128 MB): decompress it first, with 'zstd -dc --long=31 "
        + (path == standardInputName ? "| umbra ...'" : "< \(path) > capture.pcap'")
    }
  }
}
