/// Where two answers differ.
public enum DifferenceLocation: Hashable, Sendable {
  /// No answer came, or one where none was recorded.
  case answer
  case status
  /// A header field, by its name in lower case.
  case header(String)
  case trailer(String)
  /// The body as a whole: bytes, text, its media type's form.
  case body
  /// The time that answers take, of all requests of an endpoint.
  case latency
  /// A place in a structured body: an RFC 6901 JSON Pointer in which `*` stands for any array index.
  case bodyPath(String)
}

extension DifferenceLocation: CustomStringConvertible {
  /// As in the report's JSON: `status`, `header:NAME`, `trailer:NAME`, `body`, `body:/pointer`, `latency`.
  public var description: String {
    switch self {
    case .answer: "answer"
    case .status: "status"
    case .header(let name): "header:\(name)"
    case .trailer(let name): "trailer:\(name)"
    case .body: "body"
    case .bodyPath(let pointer): "body:\(pointer)"
    case .latency: "latency"
    }
  }
}

/// What kind of difference it is.
public enum DifferenceKind: String, CaseIterable, Sendable {
  case changed, added, removed, type, order, length, error
}

/// How much a difference weighs, the worst first.
public enum DifferenceSeverity: String, CaseIterable, Comparable, Sendable {
  case high, medium, low, info

  /// Less is worse.
  public static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self)! }
}

/// One difference between the expected and the shadow's answer.
public struct Difference: Hashable, Sendable {
  /// Where.
  public var location: DifferenceLocation
  /// In what way.
  public var kind: DifferenceKind
  /// How much it matters.
  public var severity: DifferenceSeverity
  /// The expected value as text, shortened for a person; nil where there was none.
  public var expected: String?
  /// The shadow's value; nil where there was none.
  public var actual: String?

  public init(
    location: DifferenceLocation, kind: DifferenceKind, severity: DifferenceSeverity, expected: String?, actual: String?
  ) {
    self.location = location
    self.kind = kind
    self.severity = severity
    self.expected = expected
    self.actual = actual
  }
}
