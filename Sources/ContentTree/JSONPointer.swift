// RFC 6901 JSON Pointers: text to tokens and back. Owner: a value.

/// A place in a JSON document (RFC 6901).
public struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
  /// The reference tokens, unescaped; none is the whole document.
  public var tokens: [String]

  public init(tokens: [String]) { self.tokens = tokens }

  /// Reads `/a/0/b~1c`; nil where it neither is empty nor begins with `/`, or has a `~` without `0` or `1` after it.
  public init?(_ text: some StringProtocol) { fatalError() }

  /// As RFC 6901 writes it.
  public var description: String { fatalError() }
}
