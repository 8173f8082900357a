// What turns one JSON document into another, as a list of places. Owner: values.

/// One step of a path.
public enum JSONStep: Hashable, Sendable {
  /// A name of more than 256 bytes is cut and has a hash of the whole after an ellipsis.
  case member(String)
  /// From 0. Of an element that only the second document has: its index there; else the index in the first.
  case element(Int)
}

/// One place where two documents differ.
public struct JSONEdit: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// Another value of the same type.
    case changed
    /// A value of another type; `null` is a type of its own, integers and reals are one.
    case type
    case added
    case removed
    /// The members of an object come in another order.
    case memberOrder
    /// The elements of an array are the same in another order.
    case elementOrder
    /// Arrays of other lengths that are too large to align: their elements were paired in order, and what the longer one
    /// has in addition was not looked at one by one.
    case length
  }
  public var kind: Kind
  public var path: [JSONStep]
  /// In the first document; nil where it was added.
  public var expected: JSONNode?
  /// In the second document; nil where it was removed.
  public var actual: JSONNode?

  /// The path as RFC 6901 tokens.
  public var tokens: [String] { JSONEdit.tokens(of: path) }

  /// The path as text, with `*` for every array index, in the syntax of ``JSONPointerPattern``.
  public var generalPointer: String {
    path.map { step in
      switch step {
      case .member(let name): "/" + JSONPointer.escaped(name, asterisk: true)
      case .element: "/*"
      }
    }.joined()
  }

  static func tokens(of path: [JSONStep]) -> [String] {
    path.map { step in
      switch step {
      case .member(let name): name
      case .element(let index): String(index)
      }
    }
  }
}

/// How two documents differ.
public struct JSONEdits: Sendable {
  /// Depth first, in the order of the first document; what an object or array has in addition comes after the rest of it.
  public var edits: [JSONEdit]
  /// The limit was reached: there may be more.
  public var isCut: Bool
  /// Arrays were too large or too different to find which elements belong together; some were paired in order.
  public var isApproximate: Bool
}

/// What a comparison of documents is told.
public struct JSONComparisonOptions: Hashable, Sendable {
  /// Places that are left out, with everything below them.
  public var ignore: [JSONPointerPattern]
  public var editLimit: Int
  /// How the elements of arrays at certain places belong together; the first that matches counts.
  public var arrays: [JSONArrayRule]
  /// By how much numbers at certain places may differ; the first that matches counts.
  public var numbers: [JSONNumberRule]
  /// Cells of a table that aligns two arrays, after equal ends are taken off; all tables together take four times that.
  public var alignmentLimit: Int
  /// Whether another order of members is an edit.
  public var seesMemberOrder: Bool

  public init(
    ignore: [JSONPointerPattern] = [], editLimit: Int = 256, arrays: [JSONArrayRule] = [],
    numbers: [JSONNumberRule] = [], alignmentLimit: Int = 1 << 18, seesMemberOrder: Bool = true
  ) {
    self.ignore = ignore
    self.arrays = arrays
    self.numbers = numbers
    self.editLimit = max(1, editLimit)
    self.alignmentLimit = min(max(0, alignmentLimit), 1 << 28)
    self.seesMemberOrder = seesMemberOrder
  }
}

extension JSONDocument {
  /// Where `other` differs from this document.
  ///
  /// Numbers are equal by value, strings by their decoded characters, objects in any order of members; members with one
  /// name are paired in order. Elements of arrays belong together by a key where one is named or shows itself, else by
  /// their longest common subsequence, what moved by being equal, the rest by place and likeness. Linear in the sizes
  /// except for those tables, which are bounded, and for sorting names.
  public func edits(to other: JSONDocument, options: JSONComparisonOptions = JSONComparisonOptions()) -> JSONEdits {
    JSONComparison.run(expected: self, actual: other, options: options)
  }

  /// Whether the two hold the same value; members may stand in any order.
  public func isEqual(to other: JSONDocument) -> Bool {
    edits(to: other, options: JSONComparisonOptions(editLimit: 1, seesMemberOrder: false)).edits.isEmpty
  }
}
