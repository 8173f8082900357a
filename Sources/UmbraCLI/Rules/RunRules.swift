// What rules make of answers: what of them is kept, and which of their differences count.
//
// In: replayed exchanges, the rules as of now. Out: the same with their secrets hidden; comparisons. Owner: the thread that
// takes a replay's or a mirror's results.

import HTTPModel
import ResponseDiff
import TrafficRules

struct RunRules {
  private let live: LiveRules?
  private var generation = 0
  private var redactor: Redactor?
  private var blanking = ComparisonBlanking()
  private var comparison: RuledComparison
  private let ignore: [IgnoredLocation]
  private let keepsCredentials: Bool
  /// Live credentials, which are never kept.
  private let injected: [[UInt8]]

  /// - Parameter live: nil where there are no rules.
  init(_ live: LiveRules?, ignore: [IgnoredLocation], keepsCredentials: Bool = false, injected: [[UInt8]] = []) {
    self.live = live
    self.ignore = ignore
    self.keepsCredentials = keepsCredentials
    self.injected = injected
    comparison = RuledComparison(ignore: ignore, now: Timestamp(nanoseconds: wallNow()))
    redactor = RunRules.redactor(nil, keepsCredentials, injected)
    if live != nil { read() }
  }

  /// Of a comparison by the rules of now.
  var options: ComparisonOptions { comparison.options }

  /// Goes by other rules where they have changed.
  mutating func refresh(_ analysis: inout RunAnalysis) {
    guard let live, generation != live.generation else { return }
    read()
    analysis.use(comparison.options)
  }

  /// Makes the exchange what may be written.
  /// - Parameter isLive: its recorded side comes from the wire, too.
  mutating func hideSecrets(in replayed: inout ReplayedExchange, isLive: Bool = false) {
    guard redactor != nil else { return }
    if isLive { redactor!.redact(&replayed.exchange) }
    for index in replayed.attempts.indices where replayed.attempts[index].response != nil {
      redactor!.redact(&replayed.attempts[index].response!)
    }
  }

  /// Compares what was kept.
  /// - Parameter isLive: both sides were redacted under one key.
  mutating func add(_ kept: ReplayedExchange, to analysis: inout RunAnalysis, isLive: Bool = false) {
    let inapplicable = comparison.inapplicable(to: kept.exchange)
    let isComparable = keepsCredentials || isLive
    analysis.add(isComparable ? kept : blanking.applied(to: kept), inapplicable: inapplicable)
  }

  private mutating func read() {
    guard let live else { return }
    generation = live.generation
    let rules = live.rules
    comparison = RuledComparison(rules.compare, ignore: ignore, now: Timestamp(nanoseconds: wallNow()))
    blanking = ComparisonBlanking(rules.redact)
    redactor = RunRules.redactor(live, keepsCredentials, injected)
  }

  private static func redactor(_ live: LiveRules?, _ keepsCredentials: Bool, _ injected: [[UInt8]]) -> Redactor? {
    if keepsCredentials, injected.isEmpty { return nil }
    var rule = RedactRule()
    rule.values = injected
    if keepsCredentials {
      rule.hasDefaults = false
      return Redactor(rule)
    }
    return live?.redactor(hiding: injected) ?? Redactor(rule)
  }
}
