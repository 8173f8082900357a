import ArgumentParser
import PcapCapture

struct Interfaces: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "interfaces", abstract: "List what can be captured here, and by whom.",
    discussion: "Loopback shows traffic between processes of this host, beside a service-mesh sidecar too.")

  @OptionGroup(title: "Standard error") var log: LogOptions

  func run() throws {
    let output = try Output()
    let interfaces: [CaptureInterface]
    do { interfaces = try CaptureInterfaces.list() } catch { throw CommandFailure("\(error)") }
    let width = max(9, interfaces.map(\.name.count).max() ?? 0)
    try output.write("\("INTERFACE".padded(to: width))  STATE    ADDRESSES\n")
    for interface in interfaces {
      let state = interface.isUp ? (interface.isRunning ? "running" : "up") : "down"
      var addresses = interface.addresses.map { "\($0)" }
      if interface.isLoopback { addresses.append("(loopback)") }
      if addresses.isEmpty, let description = interface.description { addresses = [description] }
      try output.write("\(interface.name.padded(to: width))  ")
      if addresses.isEmpty {
        try output.write("\(state)\n")
      } else {
        let list = wrapped(addresses.joined(separator: " "), to: 80, indent: width + 11)
        try output.write("\(state.padded(to: 7))  \(list)\n")
      }
    }
    if case .missing(let message) = CapturePrivilege.check() {
      try output.write("\n\(wrapped(message, to: 80, indent: 0))\n")
    }
    try output.flush()
  }
}

extension String {
  /// Filled with spaces on the right.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

  /// Filled with spaces on the left.
  func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}

/// Words broken over lines of `width` columns; the first line begins at column `indent`, the others are indented so far.
func wrapped(_ text: String, to width: Int, indent: Int) -> String {
  var lines: [String] = []
  var line = ""
  for word in text.split(separator: " ") {
    if !line.isEmpty, indent + line.count + 1 + word.count > width {
      lines.append(line)
      line = String(word)
    } else {
      line += (line.isEmpty ? "" : " ") + word
    }
  }
  lines.append(line)
  return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
}
