import Glibc

/// Whether this process may capture packets live.
public enum CapturePrivilege: Hashable, Sendable {
  case granted
  /// With a message that names what is missing and the command that mends it.
  case missing(String)

  /// CAP_NET_RAW, bit 13 of the effective set (capabilities(7)).
  private static let rawCapability: UInt64 = 1 << 13

  /// Reads the effective capabilities from `/proc/self/status`.
  public static func check() -> CapturePrivilege {
    guard let status = fopen("/proc/self/status", "re") else { return geteuid() == 0 ? .granted : denied }
    defer { fclose(status) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), status) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard text.hasPrefix("CapEff:") else { continue }
      let digits = text.dropFirst(7).filter { !$0.isWhitespace }
      return UInt64(digits, radix: 16).map { $0 & rawCapability != 0 } ?? false ? .granted : denied
    }
    return denied
  }

  private static var denied: CapturePrivilege {
    .missing("live capture takes the capability CAP_NET_RAW; grant it once with: \(setcapCommand)")
  }

  /// The command that grants this very program the capability.
  public static var setcapCommand: String {
    var name = [CChar](repeating: 0, count: 4096)
    let length = max(0, readlink("/proc/self/exe", &name, name.count - 1))
    let path = String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "sudo setcap cap_net_raw+ep \(path.contains(" ") ? "'\(path)'" : path)"
  }
}
