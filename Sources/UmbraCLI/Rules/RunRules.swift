// What rules make of answers: what of them is kept, and which of their differences count.
//
// In: replayed exchanges, the rules as of now. Out: the same with their secrets hidden; comparisons. Owner: the thread that
// takes a replay's or a mirror's results.

import ContentTree
import HTTPModel
import ResponseDiff
import TrafficRules

struct RunRules {
  private let live: LiveRules?
  private var generation = 0
  private var redactor: Redactor?
  private var blanking: ComparisonBlanking
  private var comparison: RuledComparison
  private let ignore: [IgnoredLocation]
  private let keepsCredentials: Bool
  private let descriptors: ProtobufDescriptors?
  /// Live credentials, which are never kept.
  private let injected: [[UInt8]]

  /// - Parameter live: nil where there are no rules.
  init(
    _ live: LiveRules?, ignore: [IgnoredLocation], keepsCredentials: Bool = false, injected: [[UInt8]] = [],
    descriptors: ProtobufDescriptors? = nil
  ) {
    self.live = live
    self.ignore = ignore
    self.keepsCredentials = keepsCredentials
    self.injected = injected
    comparison = RuledComparison(ignore: ignore, now: Timestamp(nanoseconds: wallNow()))
    self.descriptors = descriptors
    blanking = ComparisonBlanking(descriptors: descriptors)
    redactor = RunRules.redactor(nil, keepsCredentials, injected, descriptors)
    if live != nil { read() }
  }

  /// Of a comparison by the rules of now.
  var options: ComparisonOptions { comparison.options }

  /// Endpoints that the rules of now name.
  private(set) var endpoints: [EndpointPattern] = []

  /// Goes by other rules where they have changed.
  mutating func refresh(_ analysis: inout RunAnalysis) {
    guard let live, generation != live.generation else { return }
    read()
    analysis.use(comparison.options, endpoints: endpoints)
  }

  /// Makes the exchange what may be written.
  ///
  /// An answer that is the recorded one octet for octet stays: it says nothing that is not written beside it.
  /// - Parameter isLive: its recorded side comes from the wire, too.
  /// - Returns: whether all answers are the recorded one.
  @discardableResult
  mutating func hideSecrets(in replayed: inout ReplayedExchange, isLive: Bool = false) -> Bool {
    guard redactor != nil else { return false }
    if isLive { redactor!.redact(&replayed.exchange) }
    var isAsRecorded = !replayed.attempts.isEmpty
    for index in replayed.attempts.indices {
      if !isLive, injected.isEmpty, replayed.isAnsweredAsRecorded(index) { continue }
      isAsRecorded = false
      guard replayed.attempts[index].response != nil else { continue }
      redactor!.redact(&replayed.attempts[index].response!, to: replayed.exchange.request)
    }
    return isAsRecorded
  }

  /// Compares what was kept.
  /// - Parameters:
  ///   - isLive: both sides were redacted under one key.
  ///   - isAsRecorded: all answers are the recorded one.
  mutating func add(
    _ kept: ReplayedExchange, to analysis: inout RunAnalysis, isLive: Bool = false, isAsRecorded: Bool = false
  ) {
    let inapplicable = comparison.inapplicable(to: kept.exchange)
    let isComparable = keepsCredentials || isLive || isAsRecorded
    if !isComparable, let blanked = blanking.applied(to: kept) {
      analysis.add(blanked, inapplicable: inapplicable)
    } else {
      analysis.add(kept, inapplicable: inapplicable, isUniform: isAsRecorded)
    }
  }

  private mutating func read() {
    guard let live else { return }
    generation = live.generation
    let rules = live.rules
    endpoints = rules.endpointPatterns
    comparison = RuledComparison(rules.compare, ignore: ignore, now: Timestamp(nanoseconds: wallNow()))
    blanking = ComparisonBlanking(rules.redact, descriptors: descriptors)
    redactor = RunRules.redactor(live, keepsCredentials, injected, descriptors)
  }

  private static func redactor(
    _ live: LiveRules?, _ keepsCredentials: Bool, _ injected: [[UInt8]], _ descriptors: ProtobufDescriptors?
  ) -> Redactor? {
    if keepsCredentials, injected.isEmpty { return nil }
    if keepsCredentials { return Redactor(.hidingOnly(injected)) }
    var rule = RedactRule()
    rule.values = injected
    return live?.redactor(hiding: injected) ?? Redactor(rule, descriptors: descriptors)
  }
}

extension ReplayedExchange {
  /// Whether an attempt's answer is the recorded one.
  func isAnsweredAsRecorded(_ index: Int) -> Bool {
    guard let recorded = exchange.response, let answer = attempts[index].response else { return false }
    return recorded.isSameAnswer(as: answer)
  }
}
