// JSON Pointers with wildcards. Owner: a value.

/// A JSON Pointer in which `*` is any one step and `**` any number of steps, none included.
///
/// A step that is literally `*` or `**` is written with `~2` for the asterisk.
public struct JSONPointerPattern: Hashable, Sendable, CustomStringConvertible {
  public enum Step: Hashable, Sendable {
    case name(String)
    case any
    case anyNumber
  }
  public var steps: [Step]

  public init(steps: [Step]) { self.steps = steps }

  /// Reads `/items/*/id`, `/**/password`; nil where it is malformed.
  public init?(_ text: some StringProtocol) { fatalError() }

  /// Matches only the whole document.
  public var isRoot: Bool { steps.isEmpty }

  /// Whether it matches this path.
  public func matches(_ tokens: [String]) -> Bool { fatalError() }

  /// Whether it matches this path or one above it.
  public func covers(_ tokens: [String]) -> Bool { fatalError() }

  public var description: String { fatalError() }
}

extension JSONDocument {
  /// All places that match, in the order of the text, each once, at most `limit`.
  public func nodes(matching pattern: JSONPointerPattern, limit: Int = 10_000) -> [JSONNode] { fatalError() }
}
