// `compare` rules as the comparison takes them. In: rules, flags. Out: options of a comparison, and which of their
// suppressions are about an exchange. Owner: who compares; a value.

import ContentTree
import HTTPModel
import ResponseDiff
import TrafficRules

struct RuledComparison {
  let options: ComparisonOptions
  /// Suppressions that hold for some requests only.
  private let conditions: [(suppression: Int, match: ExchangeMatch)]

  /// - Parameters:
  ///   - ignore: places that `--ignore` leaves out.
  ///   - now: decides which rules have expired.
  init(_ rules: CompareRules = CompareRules(), ignore: [IgnoredLocation], now: Timestamp) {
    let ignored = rules.ignore + rules.expired
    options = ComparisonOptions(
      ignore: ignore, suppressions: ignored.map { Suppression($0) }, now: now,
      arrays: rules.arrays.map { JSONArrayRule($0) }, numbers: rules.numbers.map { JSONNumberRule($0) })
    conditions = ignored.enumerated().compactMap { $1.match.conditions.isEmpty ? nil : ($0, $1.match) }
  }

  /// Suppressions that are about other requests than this exchange's.
  func inapplicable(to exchange: Exchange) -> Set<Int> {
    if conditions.isEmpty { return [] }
    return Set(conditions.lazy.filter { !$0.match.matches(exchange) }.map(\.suppression))
  }
}

extension RuleSet {
  /// Endpoints as the comparison takes them.
  var endpointPatterns: [EndpointPattern] { endpoints.compactMap { EndpointPattern($0.pattern) } }
}

extension Suppression {
  init(_ rule: CompareRules.Ignored) {
    self.init(
      at: IgnoredLocation(rule.at), form: Form(rawValue: rule.shape.rawValue) ?? .any,
      within: rule.within.map { rule.shape == .time ? $0 / 1e9 : $0 }, reason: rule.reason, owner: rule.owner,
      expires: rule.expires.map(\.midnight))
  }
}

extension IgnoredLocation {
  init(_ location: CompareRules.Location) {
    switch location {
    case .status: self = .status
    case .header(let name): self = .header(name)
    case .trailer(let name): self = .trailer(name)
    case .body(let pattern): self = pattern.isRoot ? .body : .bodyPath(pattern)
    }
  }
}

extension JSONArrayRule {
  init(_ rule: CompareRules.ArrayRule) {
    let order: Order
    switch rule.order {
    case .list: order = .list
    case .set: order = .set
    case .multiset: order = .multiset
    case .key(let name): order = .key(name)
    }
    self.init(at: rule.at, order: order)
  }
}

extension JSONNumberRule {
  init(_ rule: CompareRules.NumberRule) {
    self.init(at: rule.at, within: rule.within, isRelative: rule.isRelative)
  }
}

extension RuleDate {
  /// Its beginning in UTC; of a day that no timestamp reaches, the nearest that one does.
  var midnight: Timestamp {
    // Days from the Gregorian calendar's year 0, March first, so that a leap day is a year's last.
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let seconds = Int64(era * 146_097 + dayOfEra - 719_468) * 86_400
    let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return Timestamp(nanoseconds: overflow ? (seconds < 0 ? .min : .max) : nanoseconds)
  }
}
