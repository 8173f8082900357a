// What rules that let differences pass did in a run. In: comparisons, one after another. Out: a line for each rule.
// Owner: whoever reads a run, serially. Bounds: rules times 64 places.

import ContentTree
import HTTPModel

/// Counts how often each suppression was of use, and where.
public struct SuppressionTally: Sendable {
  /// What is to be said of a rule.
  public enum State: String, CaseIterable, Sendable {
    case used
    /// It let nothing pass in the whole run: remove it, or mend its place.
    case dead
    /// Its day has come; it let nothing pass.
    case expired
    /// It lets differences pass at more places than one rule should know of.
    case overBroad = "over-broad"
  }

  /// One rule's line.
  public struct Row: Hashable, Sendable {
    /// The rule.
    public var suppression: Suppression
    /// How it stands with it.
    public var state: State
    /// Differences that it let pass.
    public var hits: UInt64
    /// Places of them, sorted; at most 64.
    public var places: [String]

    public init(suppression: Suppression, state: State, hits: UInt64, places: [String]) {
      self.suppression = suppression
      self.state = state
      self.hits = hits
      self.places = places
    }
  }

  /// Places from which on a rule is over-broad; it is also where it covers all header fields or the whole body.
  public static let broadPlaces = 16
  private static let placeLimit = 64

  private var suppressions: [Suppression]
  private var now: Timestamp?
  private var hits: [UInt64]
  private var places: [Set<DifferenceLocation>]

  public init(options: ComparisonOptions) {
    suppressions = options.suppressions
    now = options.now
    hits = Array(repeating: 0, count: suppressions.count)
    places = Array(repeating: [], count: suppressions.count)
  }

  /// Counts what the rules let pass in one comparison.
  public mutating func add(_ comparison: Comparison) {
    for suppressed in comparison.suppressed where hits.indices.contains(suppressed.rule) {
      hits[suppressed.rule] &+= 1
      if places[suppressed.rule].count < Self.placeLimit {
        places[suppressed.rule].insert(suppressed.difference.location)
      }
    }
  }

  /// Goes on with other rules; those that stay keep their counts.
  public mutating func use(_ options: ComparisonOptions) {
    let old = self
    self = SuppressionTally(options: options)
    for (index, rule) in suppressions.enumerated() {
      guard let before = old.suppressions.firstIndex(of: rule) else { continue }
      (hits[index], places[index]) = (old.hits[before], old.places[before])
    }
  }

  /// In the order of the rules.
  public var rows: [Row] {
    suppressions.indices.map { rule in
      let suppression = suppressions[rule]
      let state: State
      if let now, suppression.isExpired(at: now) {
        state = .expired
      } else if hits[rule] == 0 {
        state = .dead
      } else {
        state = suppression.isBroad || places[rule].count >= Self.broadPlaces ? .overBroad : .used
      }
      return Row(
        suppression: suppression, state: state, hits: hits[rule], places: places[rule].map(\.description).sorted())
    }
  }
}

extension Suppression {
  /// It covers all of a kind of place.
  fileprivate var isBroad: Bool {
    switch at {
    case .header("*"), .trailer("*"), .body: true
    case .bodyPath(let pattern): pattern.steps.allSatisfy { $0 == .any || $0 == .anyNumber }
    default: false
    }
  }
}
