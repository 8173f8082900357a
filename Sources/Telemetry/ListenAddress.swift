/// Where a server listens: `9090` and `:9090`, `127.0.0.1:9090`, `[::1]:9090`, `localhost:0`.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  public var host: String
  /// 0 for any that is free.
  public var port: UInt16

  /// A port alone means loopback; `:9090` means every address of this host, as elsewhere in Prometheus' world.
  public init?(_ text: String) {
    if let port = UInt16(text) {
      self.init(host: "127.0.0.1", port: port)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard host.allSatisfy({ $0.isASCII && !$0.isWhitespace && $0 != "/" }) else { return nil }
    self.init(host: host.isEmpty ? "0.0.0.0" : String(host), port: port)
  }

  init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
