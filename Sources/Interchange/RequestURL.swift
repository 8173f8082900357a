// URLs of other tools, taken apart. In: text. Out: what a request line and a connection need. Bounds: linear.

/// A URL with http's structure (RFC 3986): scheme, authority and the target of a request.
struct RequestURL: Hashable {
  /// `http` or `https`; `ws` and `wss` are these too.
  var isTLS: Bool
  var authority: String
  /// Path and query; at least `/`.
  var target: String

  /// Why a text is no such URL.
  enum Problem: Error { case otherScheme, notAbsolute }

  init(_ text: String) throws(Problem) {
    guard let colon = text.firstIndex(of: ":") else { throw .notAbsolute }
    let rest = text[text.index(after: colon)...]
    let scheme = text[..<colon].lowercased()
    switch scheme {
    case "http", "ws": isTLS = false
    case "https", "wss": isTLS = true
    default: throw rest.hasPrefix("//") || scheme.allSatisfy(\.isLetter) ? .otherScheme : .notAbsolute
    }
    guard rest.hasPrefix("//") else { throw .notAbsolute }
    let hierarchy = rest.dropFirst(2).prefix { $0 != "#" }
    let host = hierarchy.prefix { $0 != "/" && $0 != "?" }
    // User information is not part of what is sent.
    authority = String(host.split(separator: "@", omittingEmptySubsequences: false).last ?? host)
    let path = hierarchy.dropFirst(host.count)
    target = path.hasPrefix("/") ? String(path) : "/" + path
    if authority.isEmpty { throw .notAbsolute }
  }

  var port: UInt16 { Self.port(of: authority) ?? (isTLS ? 443 : 80) }

  /// The port that an authority names.
  static func port(of authority: String) -> UInt16? {
    guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else { return nil }
    return UInt16(authority[authority.index(after: colon)...])
  }
}
