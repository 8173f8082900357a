/// Where requests are sent: `scheme://host[:port][/path]`.
public struct ReplayTarget: Hashable, Sendable {
  /// In lower case, without the brackets of an IPv6 address.
  public let host: String
  public let port: UInt16
  /// Put before each request target in origin form; empty, or begins with `/` and does not end with it.
  public let basePath: String

  /// Reads a URL.
  ///
  /// - Throws: ``ReplayError/targetNotUnderstood(url:reason:)``, or ``ReplayError/schemeNotSupported(scheme:url:)``
  ///   for `https` and `h2c`. A user name, a query and a fragment are refused: they would not be sent.
  public init(url: String) throws(ReplayError) {
    func refuse(_ reason: String) -> ReplayError { .targetNotUnderstood(url: url, reason: reason) }
    guard let separator = url.firstRange(of: "://") else { throw refuse("it has no scheme") }
    let scheme = url[..<separator.lowerBound].lowercased()
    guard scheme == "http" else {
      if scheme == "https" || scheme == "h2c" { throw .schemeNotSupported(scheme: scheme, url: url) }
      throw refuse("the scheme '\(scheme)' is not http")
    }
    let rest = url[separator.upperBound...]
    guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw refuse("it holds a character that no URL holds")
    }
    guard !rest.contains("?"), !rest.contains("#") else { throw refuse("a target takes no query and no fragment") }
    let authority = rest.prefix { $0 != "/" }
    guard !authority.contains("@") else { throw refuse("a target takes no user name") }
    var path = rest[authority.endIndex...]
    while path.hasSuffix("/") { path.removeLast() }

    var port = Substring("80")
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
  }

  /// The Host field of a request to this target (RFC 9110, 7.2): without the port where it is 80.
  public var authority: String { port == 80 ? hostText : "\(hostText):\(port)" }

  private var hostText: String { host.contains(":") ? "[\(host)]" : host }
}

extension ReplayTarget: CustomStringConvertible {
  /// `http://canary:8080`, always with the port.
  public var description: String { "http://\(hostText):\(port)\(basePath)" }
}
