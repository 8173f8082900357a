// Giving up root once the interfaces are open: what reads packets off the wire needs no right to do more.

import Glibc
import PcapCapture

/// Whom a live capture runs as after its interfaces have been opened.
enum PrivilegeDrop: Equatable {
  /// Started by sudo: as the user who typed it. As root otherwise: root, but without root's capabilities except that of
  /// writing where root may. Without root: as it is.
  case automatic
  /// A user by name or number. `root` keeps everything.
  case user(String)

  /// Carried out in the thread that will start the others, which inherit it.
  /// - Parameter keepsCapture: the right to capture stays, for interfaces that are opened later.
  /// - Returns: nil; or what could not be done and is not grave.
  /// - Throws: `CommandFailure` where the user does not exist or the system refuses.
  func drop(keepsCapture: Bool) throws -> String? {
    switch self {
    case .user(let name):
      let account = try Account(name: name)
      guard account.user != geteuid() else { return nil }
      guard geteuid() == 0 else {
        throw CommandFailure("--user \(name) needs root: start as root, or leave it out.")
      }
      try become(account, keepsCapture: keepsCapture)
    case .automatic:
      guard geteuid() == 0 else { return nil }
      if let account = Account.sudo {
        try become(account, keepsCapture: keepsCapture)
      } else if !CapturePrivilege.keep(keepsCapture ? [.netRaw, .dacOverride] : [.dacOverride]) {
        return "root's capabilities could not be given up: \(systemError())"
      }
    }
    return nil
  }

  private func become(_ account: Account, keepsCapture: Bool) throws {
    func require(_ succeeded: Bool, _ what: String) throws {
      guard succeeded else {
        throw CommandFailure("can't \(what) user \(account.name): \(systemError()). '--user root' stays root.")
      }
    }
    // Capabilities end with the change of user unless they are asked to stay.
    if keepsCapture { try require(CapturePrivilege.keepThroughChangeOfUser(), "keep the right to capture as") }
    try require(initgroups(account.name, account.group) == 0, "take the groups of")
    try require(setgid(account.group) == 0, "take the group of")
    try require(setuid(account.user) == 0, "become")
    if keepsCapture { try require(CapturePrivilege.keep([.netRaw]), "keep the right to capture as") }
  }

  private struct Account {
    var name: String
    var user: uid_t
    var group: gid_t

    init(name: String) throws {
      let entry = uid_t(name).map { getpwuid($0) } ?? getpwnam(name)
      guard let entry else {
        throw CommandFailure("there is no user '\(name)' (--user): 'getent passwd' lists those of this host.")
      }
      self.init(entry.pointee)
    }

    private init(_ entry: passwd) {
      (name, user, group) = (String(cString: entry.pw_name), entry.pw_uid, entry.pw_gid)
    }

    /// Who called sudo(8), where that was not root.
    static var sudo: Account? {
      guard let text = getenv("SUDO_UID"), let user = uid_t(String(cString: text)), user != 0,
        let entry = getpwuid(user)
      else { return nil }
      return Account(entry.pointee)
    }
  }
}
