// Differences that rules let pass: narrow, typed, counted.
// In: a rule and a difference. Out: whether the rule covers it. Owner: ResponseComparator asks, SuppressionTally counts.

import ContentTree
public import HTTPModel

/// A value that is not compared, by rule: it must still be there, of the type it had and of the form that the rule names.
///
/// A removed member, another type, another status class and an answer that failed are never let pass. In an array that a
/// rule covers, elements are values: they may come, go and change places.
public struct Suppression: Hashable, Sendable {
  /// What both values have to be.
  public enum Form: String, CaseIterable, Sendable { case any, time, uuid, number, string, token }

  /// The place as rules spell it: `header:etag`, `body:/**/updated_at`.
  public var at: IgnoredLocation
  /// What both values have to be.
  public var form: Form
  /// Of ``Form/time``: seconds that both may be apart; of ``Form/number``: by how much they may differ. nil: any.
  public var within: Double?
  /// Why, in the words of who wrote the rule.
  public var reason: String?
  /// Whom to ask about it.
  public var owner: String?
  /// From when on it holds no more; nil: it always does.
  public var expires: Timestamp?

  public init(
    at: IgnoredLocation, form: Form = .any, within: Double? = nil, reason: String? = nil, owner: String? = nil,
    expires: Timestamp? = nil
  ) {
    self.at = at
    self.form = form
    self.within = within
    self.reason = reason
    self.owner = owner
    self.expires = expires
  }

  /// Whether it holds at a time.
  public func isExpired(at time: Timestamp) -> Bool { expires.map { $0 <= time } ?? false }

  /// Whether it lets a difference pass.
  func covers(_ difference: Difference) -> Bool {
    guard difference.severity != .info, covers(difference.location) else { return false }
    switch difference.kind {
    case .changed:
      return difference.location != .status || difference.severity != .high ? allowsValues(difference) : false
    case .order, .length: return form == .any
    case .added, .removed: return form == .any && difference.location.isArrayElement
    case .type, .error: return false
    }
  }

  private func covers(_ location: DifferenceLocation) -> Bool {
    switch (at, location) {
    case (.status, .status), (.body, .body), (.body, .bodyPath): true
    case (.header(let name), .header(let place)), (.trailer(let name), .trailer(let place)):
      name == "*" || place == name || place.utf8.starts(with: (name + "/").utf8)
    case (.bodyPath(let pattern), .bodyPath): location.bodyTokens.map { pattern.covers($0) } ?? false
    default: false
    }
  }

  private func allowsValues(_ difference: Difference) -> Bool {
    let (expected, actual) = (ValueShape(ofQuoted: difference.expected), ValueShape(ofQuoted: difference.actual))
    switch form {
    case .any: return true
    case .string: return expected.isString && actual.isString
    case .uuid: return actual == .uuid
    case .token: return ValueShape.token.accepts(actual) || actual == .uuid
    case .number: return actual.isNumber && isNear(difference) { Double($0) }
    case .time: return actual.isTime && isNear(difference) { instantSeconds($0) }
    }
  }

  private func isNear(_ difference: Difference, _ value: (String) -> Double?) -> Bool {
    guard let within else { return true }
    guard let expected = difference.expected.flatMap(value), let actual = difference.actual.flatMap(value) else {
      return false
    }
    return abs(expected - actual) <= within
  }
}

extension DifferenceLocation {
  /// The steps of a place in a body, `*` for each array index; nil of other places.
  var bodyTokens: [String]? {
    guard case .bodyPath(let pointer) = self, let pattern = JSONPointerPattern(pointer) else { return nil }
    return pattern.steps.map { step in
      switch step {
      case .name(let name): name
      case .any: "*"
      case .anyNumber: "**"
      }
    }
  }

  var isArrayElement: Bool {
    if case .bodyPath(let pointer) = self { pointer.hasSuffix("/*") } else { false }
  }
}

/// A difference that a rule let pass.
public struct SuppressedDifference: Hashable, Sendable {
  /// The rule's index in ``ComparisonOptions/suppressions``.
  public var rule: Int
  /// What it let pass.
  public var difference: Difference
}
