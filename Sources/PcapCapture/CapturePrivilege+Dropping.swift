// Giving up rights once the interfaces are open.

import CPcap
import Glibc

extension CapturePrivilege {
  /// A capability(7) that may be worth keeping; raw values are linux/capability.h's.
  public enum Capability: UInt32, Sendable {
    /// Writing where root may.
    case dacOverride = 1
    /// Capturing.
    case netRaw = 13
  }

  /// Leaves the calling thread these capabilities and no others; threads that it starts later have the same.
  /// - Returns: false where the system refuses; `errno` says why.
  public static func keep(_ capabilities: [Capability]) -> Bool {
    umbra_set_capabilities(capabilities.reduce(0) { $0 | 1 << $1.rawValue }) == 0
  }

  /// The calling thread's permitted capabilities outlive a change of user.
  /// - Returns: false where the system refuses; `errno` says why.
  public static func keepThroughChangeOfUser() -> Bool { umbra_keep_capabilities() == 0 }
}
