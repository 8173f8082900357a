/// Why TLS connections to a server could not be read.
public struct UnreadableTLS: Hashable, Sendable {
  /// Nil where the client named none.
  public var serverName: String?
  /// A short name: `no-secrets`, `bad-record-mac`.
  public var reason: String
}
