import Glibc
import Testing

/// Another program that runs while a test does; its output is thrown away.
final class PeerProcess {
  private let pid: pid_t
  private var hasEnded = false

  /// - Parameter ready: looked at until it holds, for ten seconds at most.
  init(_ name: String, _ arguments: [String], ready: () -> Bool = { true }) throws {
    let path = try #require(program(name))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
    // A thread of this process may hold signals back, and what it starts inherits that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    let status = posix_spawn(&child, path, &actions, &attributes, &words, environ)
    try #require(status == 0, "\(name) could not be started")
    pid = child
    for _ in 0..<1000 where !ready() { usleep(10_000) }
    try #require(ready(), "\(name) did not come up")
  }

  /// Waits until it has ended by itself.
  func wait() -> Int32 {
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    hasEnded = true
    return status
  }

  func end() {
    guard !hasEnded else { return }
    kill(pid, SIGTERM)
    _ = wait()
  }

  deinit { end() }
}

/// Where a program is; nil where it is not installed.
func program(_ name: String) -> String? {
  for folder in ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"] {
    let path = "\(folder)/\(name)"
    if access(path, X_OK) == 0 { return path }
  }
  return nil
}

/// A port of 127.0.0.1 on which nobody listens at this moment.
func freePort() throws -> UInt16 { RefusingPort().port }

func canConnect(_ port: UInt16) -> Bool {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }
}

/// A folder with an authority, and certificates of a server `shop.test` and of a client; gone with this object.
final class CertificateFolder {
  let folder: String

  init() throws {
    var template = Array("/tmp/umbra-peer-XXXXXX".utf8CString)
    folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    try run(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
      "/CN=Test Authority", "-keyout", path("ca.key"), "-out", path("ca.pem"))
    for (name, subject) in [("server", "shop.test"), ("client", "someone")] {
      let extensions = write("\(name).ext", "subjectAltName=DNS:\(subject)\n")
      try run(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(subject)", "-keyout",
        path("\(name).key"), "-out", path("\(name).csr"))
      try run(
        "x509", "-req", "-in", path("\(name).csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial",
        "-days", "2", "-extfile", extensions, "-out", path("\(name).pem"))
    }
  }

  deinit { if let remover = try? PeerProcess("rm", ["-r", folder]) { _ = remover.wait() } }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// - Returns: the file's path.
  func write(_ name: String, _ text: String) -> String {
    let descriptor = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    _ = text.utf8CString.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count - 1) }
    close(descriptor)
    return path(name)
  }

  private func run(_ arguments: String...) throws {
    let status = try PeerProcess("openssl", arguments).wait()
    try #require(status == 0, "openssl \(arguments.joined(separator: " "))")
  }
}
