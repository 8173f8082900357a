// `umbra doctor`: what is missing here, and the command that mends it.

import ArgumentParser
import Glibc
import PcapCapture

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what is missing to capture and replay here, and the command that mends it.",
    discussion: """
      Exit status 2 where capturing or replaying would fail. HTTPS can be read where a server, a proxy or a client logs \
      its secrets: --tls says how the common ones are made to.
      """)

  @OptionGroup(title: "Standard error") var log: LogOptions

  @Flag(help: "Explain how servers, proxies and clients are made to log TLS secrets for --tls-keylog.")
  var tls = false

  func run() throws {
    let output = try Output()
    guard !tls else {
      try explainKeyLogs(to: output)
      try output.flush()
      return
    }
    let checks = [capturePrivilege, interfaces, openFiles, temporaryFolder, sessionFolder, keyLog]
    var failed = 0
    for check in checks {
      let result = check()
      switch result.state {
      case .good: try output.write("ok       \(wrapped(result.text, to: 80, indent: 9))\n")
      case .advice: try output.write("advice   \(wrapped(result.text, to: 80, indent: 9))\n")
      case .missing:
        failed += 1
        try output.write("MISSING  \(wrapped(result.text, to: 80, indent: 9))\n")
      }
      if let mend = result.mend { try output.write("         mend: \(mend)\n") }
    }
    try output.flush()
    if failed > 0 { throw CommandFailure("\(counted(failed, "thing")) to mend, see above") }
  }

  private func explainKeyLogs(to output: Output) throws {
    for advice in KeyLogAdvice.all {
      try output.write(Palette(isOn: mayColour).strong(advice.program) + "\n")
      for line in advice.text.split(separator: "\n") {
        try output.write("  " + (line.hasPrefix("  ") ? String(line) : wrapped(String(line), to: 80, indent: 2)) + "\n")
      }
    }
    try output.write("\n" + wrapped(KeyLogAdvice.risks, to: 80, indent: 0) + "\n")
    try output.write("\n  umbra capture -i eth0 -p 443 --tls-keylog /run/keys.log -w day.umbra\n")
  }

  private struct Finding {
    enum State { case good, advice, missing }
    var state: State
    var text: String
    var mend: String?

    init(_ state: State, _ text: String, mend: String? = nil) {
      (self.state, self.text, self.mend) = (state, text, mend)
    }
  }

  private func capturePrivilege() -> Finding {
    switch CapturePrivilege.check() {
    case .granted: Finding(.good, "may capture packets live")
    case .missing(let message):
      Finding(.missing, "may not capture packets live: \(message)", mend: CapturePrivilege.setcapCommand)
    }
  }

  private func interfaces() -> Finding {
    guard let interfaces = try? CaptureInterfaces.list(), !interfaces.isEmpty else {
      return Finding(.missing, "no interface can be seen; saved captures (-r) can still be read")
    }
    let running = interfaces.filter(\.isUp).map(\.name)
    return Finding(
      .good,
      "\(counted(interfaces.count, "interface")), up: \(running.isEmpty ? "none" : running.joined(separator: ", "))")
  }

  private func openFiles() -> Finding {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    if limit.rlim_max < 4096 {
      return Finding(
        .advice, "at most \(limit.rlim_max) files may be open, so a replay holds fewer connections than that",
        mend: "ulimit -Hn 65536 (as root), or LimitNOFILE=65536 in the service")
    }
    return Finding(.good, "\(grouped(limit.rlim_max)) files may be open: as many connections in a replay")
  }

  private func temporaryFolder() -> Finding {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    if access(folder, W_OK) == 0 { return Finding(.good, "\(folder) is writable, for sessions read from a pipe") }
    return Finding(
      .advice, "\(folder) is not writable: sessions can't be read from a pipe",
      mend: "export TMPDIR=/some/writable/folder")
  }

  private func keyLog() -> Finding {
    guard let value = getenv("SSLKEYLOGFILE").map({ String(cString: $0) }), !value.isEmpty else {
      return Finding(.good, "HTTPS is read with a key log: 'umbra doctor --tls' says how servers are made to write one")
    }
    if access(value, R_OK) == 0 { return Finding(.good, "SSLKEYLOGFILE names a key log: --tls-keylog \(value)") }
    return Finding(
      .advice, "SSLKEYLOGFILE names \(value), which can't be read: \(systemError())",
      mend: "as its owner, chmod 640 \(value); or run as its owner")
  }

  private func sessionFolder() -> Finding {
    var info = statvfs()
    guard statvfs(".", &info) == 0 else { return Finding(.advice, "this folder can't be examined: \(systemError())") }
    let free = Int(clamping: UInt64(info.f_bavail) * UInt64(info.f_frsize))
    if access(".", W_OK) != 0 { return Finding(.advice, "this folder is not writable: name another one with -w") }
    return Finding(free < 1 << 30 ? .advice : .good, "\(ByteSize(bytes: free)) free in this folder")
  }
}
