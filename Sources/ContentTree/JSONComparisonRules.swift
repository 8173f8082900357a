// What a comparison is told of certain places: how arrays are paired, how near numbers must be. Owner: values.

/// How the elements of arrays at a place belong together.
public struct JSONArrayRule: Hashable, Sendable {
  public enum Order: Hashable, Sendable {
    /// By their order; no key is looked for.
    case list
    /// In any order; repetition means nothing.
    case set
    /// In any order, each as often.
    case multiset
    /// By the scalar that each has as the member of this name.
    case key(String)
  }
  public var at: JSONPointerPattern
  public var order: Order

  public init(at: JSONPointerPattern, order: Order) {
    self.at = at
    self.order = order
  }
}

/// By how much numbers at a place may differ.
public struct JSONNumberRule: Hashable, Sendable {
  public var at: JSONPointerPattern
  /// 0 or more, in the number's own unit; a share of the expected number where ``isRelative``.
  public var within: Double
  public var isRelative: Bool

  public init(at: JSONPointerPattern, within: Double, isRelative: Bool = false) {
    self.at = at
    self.within = max(0, within)
    self.isRelative = isRelative
  }

  /// Whether `actual` is near enough. The bound itself is, as far as binary64 can tell.
  func allows(_ expected: Double, _ actual: Double) -> Bool {
    guard expected.isFinite, actual.isFinite else { return false }
    let bound = isRelative ? within * abs(expected) : within
    return abs(expected - actual) <= bound + 4 * max(expected.ulp, actual.ulp)
  }
}
