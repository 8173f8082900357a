// How targets are reached: protocols, certificates, names. As in curl where curl has it.

import ArgumentParser
import HTTPModel
import ReplayClient

/// Of commands whose `--key` is a session's.
struct ReachingOptions: ParsableArguments {
  @Option(
    name: .customLong("protocol"),
    help: ArgumentHelp(
      """
      What requests travel on: auto is what they were recorded on, where the target speaks it; http/1.1 or h2 for all. \
      An h2c:// target speaks HTTP/2 without TLS.
      """, valueName: "auto|http/1.1|h2"))
  var protocolChoice = ProtocolFlag(value: .recorded)

  @Option(
    help: ArgumentHelp("Trust the authorities in this PEM file instead of the system's.", valueName: "file"),
    completion: .file())
  var cacert: String?

  @Option(
    help: ArgumentHelp("The client's certificate, and those up to its authority, in PEM.", valueName: "file"),
    completion: .file())
  var cert: String?

  @Flag(help: "Take any certificate of a target.")
  var insecure = false

  @Option(
    help: ArgumentHelp(
      "Look for HOST (or *) and PORT at these addresses instead of asking DNS. May be repeated.",
      valueName: "host:port:addr[,addr]"), transform: ResolvedNameFlag.init)
  var resolve: [ResolvedNameFlag] = []

  func apply(to options: inout ReplayOptions) {
    options.protocolChoice = protocolChoice.value
    options.security.authorities = cacert
    options.security.certificate = cert
    options.security.isInsecure = insecure
    options.resolved = resolve.map(\.value)
  }
}

/// The same where `--key` is free to be a certificate's.
struct TargetOptions: ParsableArguments {
  @OptionGroup var reaching: ReachingOptions

  @Option(
    help: ArgumentHelp("The key of --cert in PEM, where it is not in the same file.", valueName: "file"),
    completion: .file())
  var key: String?

  @Option(
    help: ArgumentHelp("Connect to this Unix socket instead of the targets' hosts.", valueName: "path"),
    completion: .file())
  var unixSocket: String?

  func validate() throws {
    if key != nil, reaching.cert == nil {
      throw ValidationError("--key is the key of a certificate: give that with --cert")
    }
  }

  func apply(to options: inout ReplayOptions) {
    reaching.apply(to: &options)
    options.security.key = key
  }

  /// A target as these flags reach it.
  func reached(_ target: ReplayTarget) -> ReplayTarget {
    var target = target
    if let unixSocket { target.socketPath = unixSocket }
    return target
  }
}

/// `auto`, `http/1.1` or `h2`.
struct ProtocolFlag: ExpressibleByArgument {
  var value: ProtocolChoice

  init(value: ProtocolChoice) { self.value = value }

  init?(argument: String) {
    switch argument.lowercased() {
    case "auto": value = .recorded
    case "http/1.1", "http1.1", "http1": value = .http1
    case "h2", "http2", "http/2": value = .http2
    default: return nil
    }
  }

  var defaultValueDescription: String { "auto" }
}

/// `HOST:PORT:ADDR[,ADDR]`; an IPv6 address may stand in brackets.
struct ResolvedNameFlag {
  var value: ResolvedName

  init(_ argument: String) throws {
    let parts = argument.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, let port = UInt16(parts[1]), port > 0 else {
      throw ValidationError("'\(argument)' is not HOST:PORT:ADDR, as in canary:443:10.0.0.7")
    }
    let addresses = parts[2].split(separator: ",").map { text in
      text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : String(text)
    }
    for address in addresses where !ResolvedNameFlag.isAddress(address) {
      throw ValidationError("'\(address)' in --resolve '\(argument)' is no IPv4 or IPv6 address")
    }
    guard !addresses.isEmpty else { throw ValidationError("'\(argument)' names no address") }
    value = ResolvedName(host: parts[0].lowercased(), port: port, addresses: addresses)
  }

  private static func isAddress(_ text: String) -> Bool { IPAddress(text) != nil }
}
