/// Where requests are sent: `scheme://host[:port][/path]`, or a Unix socket, `http+unix:///path`.
public struct ReplayTarget: Hashable, Sendable {
  public enum Scheme: String, CaseIterable, Sendable {
    case http
    case https
    /// HTTP/2 without TLS, by prior knowledge (RFC 9113, 3.3).
    case h2c
  }

  public let scheme: Scheme
  /// In lower case, without the brackets of an IPv6 address; `localhost` where only a socket was named.
  public let host: String
  public let port: UInt16
  /// Put before each request target in origin form; empty, or begins with `/` and does not end with it.
  public let basePath: String
  /// The Unix socket to connect to instead of host and port; nil for none.
  public var socketPath: String?

  /// Reads a URL.
  ///
  /// - Throws: ``ReplayError/targetNotUnderstood(url:reason:)``. A user name, a query and a fragment are refused: they
  ///   would not be sent.
  public init(url: String) throws(ReplayError) {
    func refuse(_ reason: String) -> ReplayError { .targetNotUnderstood(url: url, reason: reason) }
    guard let separator = url.firstRange(of: "://") else { throw refuse("it has no scheme") }
    var name = url[..<separator.lowerBound].lowercased()
    let isSocket = name.hasSuffix("+unix")
    if isSocket { name.removeLast(5) }
    guard let scheme = Scheme(rawValue: name) else {
      throw refuse("the scheme '\(name)' is none of http, https, h2c and http+unix")
    }
    let rest = url[separator.upperBound...]
    guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw refuse("it holds a character that no URL holds")
    }
    self.scheme = scheme
    if isSocket {
      guard rest.hasPrefix("/"), rest.count > 1 else { throw refuse("a socket's path is absolute: http+unix:///run/a") }
      (host, port, basePath, socketPath) = ("localhost", scheme.defaultPort, "", String(rest))
      return
    }
    guard !rest.contains("?"), !rest.contains("#") else { throw refuse("a target takes no query and no fragment") }
    let authority = rest.prefix { $0 != "/" }
    guard !authority.contains("@") else { throw refuse("a target takes no user name") }
    var path = rest[authority.endIndex...]
    while path.hasSuffix("/") { path.removeLast() }

    var port = Substring("\(scheme.defaultPort)")
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { throw refuse("the bracket of its IPv6 address is open") }
      host = authority[authority.index(after: authority.startIndex)..<end].lowercased()
      let after = authority[authority.index(after: end)...]
      guard after.isEmpty || after.hasPrefix(":") else { throw refuse("a port must follow its IPv6 address") }
      if after.count > 1 { port = after.dropFirst() }
    } else {
      let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2 else { throw refuse("an IPv6 address stands in brackets: http://[::1]:8080") }
      host = parts[0].lowercased()
      if parts.count == 2, !parts[1].isEmpty { port = parts[1] }
    }
    guard !host.isEmpty else { throw refuse("it has no host") }
    guard port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt16(port), number > 0 else {
      throw refuse("its port is not a number from 1 to 65535")
    }
    self.port = number
    basePath = String(path)
    socketPath = nil
  }

  public var isTLS: Bool { scheme == .https }

  /// The Host field of a request to this target (RFC 9110, 7.2): without the port where it is the scheme's own.
  public var authority: String { port == scheme.defaultPort ? hostText : "\(hostText):\(port)" }

  private var hostText: String { host.contains(":") ? "[\(host)]" : host }
}

extension ReplayTarget.Scheme {
  var defaultPort: UInt16 { self == .https ? 443 : 80 }
}

extension ReplayTarget: CustomStringConvertible {
  /// `http://canary:8080`, always with the port; `http+unix:///run/canary.sock`.
  public var description: String {
    if let socketPath, host == "localhost", port == scheme.defaultPort, basePath.isEmpty {
      return "\(scheme.rawValue)+unix://\(socketPath)"
    }
    let place = "\(scheme.rawValue)://\(hostText):\(port)\(basePath)"
    return socketPath.map { "\(place) (at \($0))" } ?? place
  }
}
