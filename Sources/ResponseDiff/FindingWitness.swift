// Whether a finding shows in answers that were given just now.
//
// In: a finding, one request's answers of the shadow and of the primary, twice of the latter. Out: what is to be seen at
// the finding's place. Owner: who asks again; a value. Bounds: those of the comparison.

public import ContentTree
public import HTTPModel

/// Looks for one finding.
public struct FindingWitness: Sendable {
  /// What answers show at the finding's place.
  public enum Sight: Hashable, Sendable {
    case shows(Difference)
    /// No difference of the finding's kind.
    case absent(primary: UInt16, shadow: String)
    /// The primary's two answers differ there as well.
    case noise
    /// The primary gave no whole answer.
    case noPrimary(String)
  }

  private let location: DifferenceLocation
  private let kind: DifferenceKind
  /// Of statuses, their classes on both sides.
  private let statusClasses: [String]?
  private let comparator: ResponseComparator

  /// nil for what no single request shows: times that answers take, and differences that were counted together.
  public init?(
    _ cluster: DifferenceCluster, options: ComparisonOptions, descriptors: ProtobufDescriptors? = nil
  ) {
    guard cluster.location != .latency, cluster.endpoint != RunAnalysis.overflowEndpoint else { return nil }
    location = cluster.location
    kind = cluster.kind
    statusClasses =
      cluster.location == .status ? cluster.examples.first.map { FindingWitness.classes($0.difference) } : nil
    comparator = ResponseComparator(options: options, descriptors: descriptors)
  }

  /// What one request's answers show. The primary's second answer is the control's.
  /// - Parameter inapplicable: indices of suppressions that are about other requests.
  public func look(at replayed: ReplayedExchange, inapplicable: Set<Int> = []) -> Sight {
    func attempt(_ role: AttemptRole) -> Attempt? { replayed.attempts.first { $0.role == role } }
    guard let request = replayed.exchange.request, let primary = attempt(.primary), let shadow = attempt(.shadow) else {
      return .noPrimary("not-asked")
    }
    guard primary.outcome == .answered, let expected = primary.response else {
      return .noPrimary(primary.outcome.identifier)
    }
    func found(_ attempt: Attempt) -> Difference? {
      guard attempt.outcome == .answered, let actual = attempt.response else {
        let difference = Difference(
          location: .answer, kind: .error, severity: .high, expected: String(expected.status),
          actual: attempt.outcome.identifier)
        return isMeant(difference) ? difference : nil
      }
      return comparator.comparison(
        expected: expected, actual: actual, method: request.method, target: request.target, inapplicable: inapplicable
      ).differences.first(where: isMeant)
    }
    guard let difference = found(shadow) else {
      let answer = shadow.outcome == .answered ? shadow.response.map { "\($0.status)" } : nil
      return .absent(primary: expected.status, shadow: answer ?? shadow.outcome.identifier)
    }
    if let control = attempt(.control), found(control) != nil { return .noise }
    return .shows(difference)
  }

  private func isMeant(_ difference: Difference) -> Bool {
    guard difference.location == location else { return false }
    if let statusClasses { return FindingWitness.classes(difference) == statusClasses }
    if difference.kind == kind { return true }
    // A value that can't be tested changed its form.
    return kind == .type && difference.kind == .changed
      && !ValueShape(ofQuoted: difference.expected).accepts(ValueShape(ofQuoted: difference.actual))
  }

  private static func classes(_ difference: Difference) -> [String] {
    [difference.expected, difference.actual].map { String(($0 ?? "").prefix(1)) }
  }
}

extension FindingWitness.Sight {
  /// The answer shows the difference.
  public var showsIt: Bool { if case .shows = self { true } else { false } }

  /// Why it did not show, as half a sentence.
  var reason: String {
    switch self {
    case .shows: "it showed"
    case .absent(let primary, let shadow): "the primary answered \(primary), the shadow \(shadow), alike in this place"
    case .noise: "the primary's own two answers differ in this place"
    case .noPrimary(let outcome): "the primary gave no answer (\(outcome))"
    }
  }
}
