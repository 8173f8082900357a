// A YAML document as a tree whose every node knows where it stands. In: made by YAMLReader. Out: read by RuleReader.
// Owner: immutable; nodes behind an alias are shared, not copied.

/// Where something stands in a rules file.
public struct RulePlace: Hashable, Sendable, CustomStringConvertible {
  /// The name that the file was read under.
  public var file: String
  /// From 1.
  public var line: Int
  /// From 1, in characters.
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  public var description: String { "\(file):\(line):\(column)" }
}

/// What is wrong with a rules file, and where.
public struct RuleProblem: Error, Hashable, Sendable, CustomStringConvertible {
  public var place: RulePlace
  public var message: String
  /// The rule is good and its time is over: it is left out, and so said.
  public var isExpiry: Bool

  public init(place: RulePlace, message: String, isExpiry: Bool = false) {
    self.place = place
    self.message = message
    self.isExpiry = isExpiry
  }

  /// `FILE:LINE:COLUMN: MESSAGE`, as compilers write it.
  public var description: String { "\(place): \(message)" }
}

final class YAMLNode: Sendable {
  enum Content: Sendable {
    /// - Parameter isPlain: written without quotes, so that `true` or `5` may be more than text.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    case mapping([YAMLMember])
  }

  let content: Content
  let place: RulePlace
  /// Nodes of the tree below, this one included, each alias counted as what it stands for.
  let weight: Int
  /// Levels below, this one included.
  let depth: Int

  init(_ content: Content, at place: RulePlace) {
    self.content = content
    self.place = place
    let children: [YAMLNode]
    switch content {
    case .scalar: children = []
    case .sequence(let items): children = items
    case .mapping(let members): children = members.map(\.value)
    }
    weight = children.reduce(1) { $0.addingReportingOverflow($1.weight).overflow ? .max : $0 + $1.weight }
    depth = 1 + (children.map(\.depth).max() ?? 0)
  }

  /// What it is, for a message.
  var kindName: String {
    switch content {
    case .scalar(let text, let isPlain):
      isPlain && (text.isEmpty || text == "~" || text == "null") ? "nothing" : "a value"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}

struct YAMLMember: Sendable {
  var name: String
  var place: RulePlace
  var value: YAMLNode
}
