// What sessions and runs are encrypted to, and read with. In: names of key files. Out: keys.

import ArgumentParser
import Glibc
import SessionFile

/// Of commands that write sessions or runs.
struct EncryptionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Encrypt what is written to the key in this file, any 16 octets or more. See umbra-session(5).",
      valueName: "file"),
    completion: .file())
  var encryptTo: String?

  /// nil for a file in the clear.
  func key() throws -> SessionKey? { try encryptTo.map { try KeyFile.key(in: $0) } }
}

/// Of commands that read sessions or runs.
struct DecryptionOptions: ParsableArguments {
  @Option(
    name: [.customLong("key"), .customLong("session-key")],
    help: ArgumentHelp("The file of the key that a session or run is encrypted to.", valueName: "file"),
    completion: .file())
  var sessionKey: String?

  /// nil where none was named.
  func key() throws -> SessionKey? { try sessionKey.map { try KeyFile.key(in: $0) } }
}

/// The same where `--key` is a certificate's.
struct ReplayDecryptionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The file of the key that the session is encrypted to.", valueName: "file"),
    completion: .file())
  var sessionKey: String?

  func key() throws -> SessionKey? { try sessionKey.map { try KeyFile.key(in: $0) } }
}

enum KeyFile {
  /// - Throws: `CommandFailure` where it is too short, or everyone can read it.
  static func key(in path: String) throws -> SessionKey {
    try refuseIfPublic(path, "the key")
    let octets = try RulesFiles.bytes(of: path, limit: 1 << 20)
    guard octets.count >= 16 else {
      throw CommandFailure(
        "the key in \(path) has \(octets.count) octets: 16 or more are needed, such as 'openssl rand -out FILE 32'")
    }
    return SessionKey(octets)
  }

  /// What is secret is no one's but its owner's and group's.
  static func refuseIfPublic(_ path: String, _ what: String) throws {
    var facts = stat()
    guard stat(path, &facts) == 0 else {
      throw CommandFailure("can't read \(path): \(systemError()). Check the name.")
    }
    if facts.st_mode & S_IFMT == S_IFREG, facts.st_mode & S_IROTH != 0 {
      throw CommandFailure(
        "everyone on this machine can read \(what) in \(path): 'chmod 600 \(path)', and think about whether it should "
          + "be replaced")
    }
  }
}
