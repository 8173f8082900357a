// What the JSON reader accepts, and how it says no. In: set by the caller. Out: read by JSONReader.

/// Limits of the JSON reader.
public struct JSONLimits: Hashable, Sendable {
  /// The deepest nesting of arrays and objects that can be asked for: walks over a document recurse as deep.
  public static let greatestDepth = 1024

  /// Arrays and objects inside one another, 1...``greatestDepth``.
  public let depth: Int
  /// Bytes of a document, at most 1 GiB.
  public let size: Int
  /// Values and member names of a document.
  public let nodes: Int

  public init(depth: Int = 512, size: Int = 64 << 20, nodes: Int = 8 << 20) {
    self.depth = min(max(1, depth), Self.greatestDepth)
    self.size = min(max(0, size), 1 << 30)
    self.nodes = min(max(1, nodes), 1 << 28)
  }
}

/// Why bytes are not a JSON text (RFC 8259).
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: String, CaseIterable, Sendable {
    case empty = "there is no value"
    case endOfText = "the text ends inside a value"
    case unexpectedByte = "this byte cannot stand here"
    case literal = "not one of true, false and null"
    case number = "not a JSON number"
    case controlCharacter = "an unescaped control character in a string"
    case escape = "not a JSON escape"
    case utf8 = "not UTF-8"
    case trailing = "something follows the value"
    case depth = "nested deeper than the limit"
    case size = "larger than the limit"
    case nodes = "more values than the limit"
  }

  public var reason: Reason
  /// Bytes before the offending one.
  public var offset: Int

  public init(reason: Reason, offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  public var description: String { "JSON, byte \(offset): \(reason.rawValue)" }
}
