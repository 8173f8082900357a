// Whether this process may capture live, and the command that lets it.

import Glibc

/// The right to capture packets.
public enum CapturePrivilege {
  case granted
  /// The message says what is missing and how to mend it.
  case missing(message: String)

  /// Finds out by asking the kernel for a packet socket that is bound to no protocol, so that it receives nothing.
  public static func check() -> CapturePrivilege {
    let descriptor = socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    if descriptor >= 0 {
      close(descriptor)
      return .granted
    }
    switch errno {
    case EPERM, EACCES: return .missing(message: "\(CaptureError.notPermitted(interface: "any interface"))")
    case let code: return .missing(message: "packet sockets are not available here: \(systemMessage(code))")
    }
  }

  /// `sudo setcap cap_net_raw+ep` and this program's own path, quoted for a shell where needed.
  public static var setcapCommand: String { "sudo setcap cap_net_raw+ep \(shellQuoted(executablePath))" }

  /// The running program; `umbra` where it can't be found out.
  private static var executablePath: String {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = buffer.withUnsafeMutableBytes {
      readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return length > 0 ? String(decoding: buffer.prefix(length), as: UTF8.self) : "umbra"
  }

  static func shellQuoted(_ word: String) -> String {
    let isPlain = word.utf8.allSatisfy { octet in
      switch octet {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"), UInt8(ascii: "+"):
        true
      default: false
      }
    }
    guard !isPlain else { return word }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}

/// What the system calls an error number.
func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }

/// How messages name the file `-`.
let standardInputName = "standard input"
