// What a comparison is told: limits that keep it bounded, and places to leave out.
// In: set by the CLI or by rules. Out: read by ResponseComparator. Owner: the comparator, as a value.

public import ContentTree
public import HTTPModel

/// What ``ResponseComparator`` is told.
public struct ComparisonOptions: Hashable, Sendable {
  /// Places that are left out of the comparison.
  public var ignore: [IgnoredLocation]
  /// Values that may differ, by rule, as long as they are there and of their type. Unlike ``ignore`` they are counted.
  public var suppressions: [Suppression]
  /// The time that decides which suppressions have expired; nil: none have.
  public var now: Timestamp?
  /// How the elements of arrays in bodies belong together.
  public var arrays: [JSONArrayRule]
  /// By how much numbers in bodies may differ.
  public var numbers: [JSONNumberRule]
  /// Bytes that a body may have after its content coding is undone; above, the coded bytes are compared.
  public var decodedBodyLimit: Int
  /// Differences reported for one pair; the rest are not looked for.
  public var differenceLimit: Int
  /// Cells (rows times columns) of an array alignment, after equal ends are taken off. Above it, elements are
  /// paired in order, the array's length is one difference, and the comparison says that it is approximate.
  public var alignmentLimit: Int
  /// Limits of the JSON reader.
  public var json: JSONLimits
  /// Bytes of a value quoted in a difference.
  public var excerptLimit: Int

  public init(
    ignore: [IgnoredLocation] = [], suppressions: [Suppression] = [], now: Timestamp? = nil,
    arrays: [JSONArrayRule] = [], numbers: [JSONNumberRule] = [], decodedBodyLimit: Int = 64 << 20,
    differenceLimit: Int = 256,
    alignmentLimit: Int = 1 << 18, json: JSONLimits = JSONLimits(), excerptLimit: Int = 256
  ) {
    self.ignore = ignore
    self.suppressions = suppressions
    self.now = now
    self.arrays = arrays
    self.numbers = numbers
    self.decodedBodyLimit = decodedBodyLimit
    self.differenceLimit = max(1, differenceLimit)
    self.alignmentLimit = max(0, alignmentLimit)
    self.json = json
    self.excerptLimit = max(16, excerptLimit)
  }
}

/// A place, or a family of places, that is not compared.
public enum IgnoredLocation: Hashable, Sendable, CustomStringConvertible {
  case status
  /// A header field by its name in lower case; `*` stands for all.
  case header(String)
  /// A trailer field by its name in lower case; `*` stands for all.
  case trailer(String)
  /// The whole body.
  case body
  /// What stands in a JSON or form body at places that match, and everything below them.
  case bodyPath(JSONPointerPattern)

  /// Reads the spelling of rules and reports: `status`, `header:NAME`, `trailer:NAME`, `body`, `body:/pattern`.
  ///
  /// nil where it is none of these or the pattern is malformed.
  public init?(_ text: String) {
    guard let colon = text.firstIndex(of: ":") else {
      switch text {
      case "status": self = .status
      case "body": self = .body
      default: return nil
      }
      return
    }
    let rest = String(text[text.index(after: colon)...])
    switch text[..<colon] {
    case "header" where !rest.isEmpty: self = .header(rest.lowercased())
    case "trailer" where !rest.isEmpty: self = .trailer(rest.lowercased())
    case "body":
      guard let pattern = JSONPointerPattern(rest) else { return nil }
      self = pattern.isRoot ? .body : .bodyPath(pattern)
    default: return nil
    }
  }

  /// In the same spelling.
  public var description: String {
    switch self {
    case .status: "status"
    case .header(let name): "header:\(name)"
    case .trailer(let name): "trailer:\(name)"
    case .body: "body"
    case .bodyPath(let pattern): "body:\(pattern)"
    }
  }
}
