// The rules that a capture, a replay or a mirror goes by, and that may be others a moment later.
//
// In: rules files, flags. Out: the rules as of now, for each lane. Owner: shared; the rules stand behind a mutex that is
// taken when their number has grown, which is between two exchanges.

import ContentTree
import HTTPModel
import Synchronization
import TrafficRules

final class LiveRules: Sendable {
  let paths: [String]
  /// What `--sample` says, which goes before the files.
  private let sample: SampleRule?
  /// One for all lanes and all rules of a session: equal values get equal tokens.
  private let key: [UInt8]
  /// By which fields of gRPC messages are known by name.
  let descriptors: ProtobufDescriptors?
  private let state: Mutex<RuleSet>
  /// As they were read last, and as the rules in force stand in them.
  private let contents: Mutex<[[UInt8]]>
  private let good: Mutex<[[UInt8]]>
  private let number = Atomic<Int>(1)
  private let failures = Atomic<Int>(0)

  /// - Throws: `CommandFailure` where the files are not good.
  init(
    paths: [String], sample: SampleRule? = nil, key: [UInt8]? = nil, descriptors: ProtobufDescriptors? = nil
  ) throws {
    self.paths = paths
    self.sample = sample
    self.descriptors = descriptors
    var generator = SystemRandomNumberGenerator()
    self.key = key ?? (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    let files = try RulesFiles(reading: paths)
    let rules = try files.usable()
    if let problem = rules.redact.missing(descriptors) { throw CommandFailure(problem.description) }
    state = Mutex(rules)
    contents = Mutex(files.contents)
    good = Mutex(files.contents)
  }

  /// Grows with each change.
  var generation: Int { number.load(ordering: .acquiring) }
  /// Rules that were not good and changed nothing.
  var failedReloads: Int { failures.load(ordering: .relaxed) }

  var rules: RuleSet {
    var rules = state.withLock { $0 }
    if let sample { rules.sample = sample }
    return rules
  }

  /// Says which key it is, and nothing else of it.
  var keyFingerprint: String { Redactor.fingerprint(ofKey: key) }

  /// - Parameter values: what is hidden wherever it stands.
  func redactor(hiding values: [[UInt8]] = []) -> Redactor {
    var rule = rules.redact
    rule.values = values
    return Redactor(rule, key: key, descriptors: descriptors)
  }

  /// What a run keeps of the files, so that it can be compared again by them.
  var comparisonTexts: [String] {
    let contents = good.withLock { $0 }
    return zip(paths, contents).compactMap { ComparisonPart.text(of: $1, file: $0) }
  }

  /// Reads the files again where they have changed.
  /// - Returns: what there is to say of it; nil where nothing has changed.
  func reload() -> String? {
    let files: RulesFiles
    do { files = try RulesFiles(reading: paths) } catch {
      // A file that is replaced is not there for a moment; the next look finds it.
      return nil
    }
    let isNew = contents.withLock { contents in
      defer { contents = files.contents }
      return contents != files.contents
    }
    guard isNew else { return nil }
    let errors = files.errors + [files.rules.redact.missing(descriptors)].compactMap(\.self)
    guard errors.isEmpty else {
      failures.add(1, ordering: .relaxed)
      let first = visibleLine(errors[0].description)
      let rest = errors.count > 1 ? " (and \(errors.count - 1) more; 'umbra rules check' tells them)" : ""
      return "the rules stay as they were: \(first)\(rest)"
    }
    state.withLock { $0 = files.rules }
    good.withLock { $0 = files.contents }
    number.add(1, ordering: .releasing)
    return "rules reloaded: \(files.rules.summary)"
  }
}

extension RedactRule {
  /// Nothing but these values is hidden.
  static func hidingOnly(_ values: [[UInt8]]) -> RedactRule {
    var rule = RedactRule()
    (rule.values, rule.hasDefaults) = (values, false)
    return rule
  }

  /// What is wrong where fields of gRPC messages are named and no descriptors say which they are.
  func missing(_ descriptors: ProtobufDescriptors?) -> RuleProblem? {
    guard descriptors == nil, let place = placeOfNamedFields else { return nil }
    return RuleProblem(
      place: place,
      message: "fields of gRPC messages are named, and only descriptors know their names: add --proto-descriptors FILE")
  }
}

/// What one lane of a capture does by the rules. Owner: the lane's thread.
struct CaptureRules {
  private let live: LiveRules
  private var generation = 0
  private var rules = RuleSet()
  private var sampler: Sampler?
  private var redactor: Redactor?
  private let redacts: Bool
  /// What is never written, credentials kept or not.
  private let hidden: [[UInt8]]
  /// Rows of exchanges that were left out.
  private(set) var ledger = Ledger()

  init(_ live: LiveRules, redacts: Bool, hiding hidden: [[UInt8]] = []) {
    self.live = live
    self.redacts = redacts
    self.hidden = hidden
    refresh()
  }

  /// Whether an exchange may be left out, now or after a change.
  var mayLeaveOut: Bool { !live.paths.isEmpty || sampler != nil || !rules.select.isEmpty }

  /// Goes by other rules where they have changed.
  mutating func refresh() {
    guard generation != live.generation else { return }
    generation = live.generation
    let before = rules.sample
    rules = live.rules
    // A sample that stays the same goes on where it was.
    if sampler == nil || rules.sample != before { sampler = rules.sample.map { Sampler($0) } }
    if redacts {
      redactor = live.redactor(hiding: hidden)
    } else if !hidden.isEmpty, redactor == nil {
      redactor = Redactor(.hidingOnly(hidden))
    }
  }

  /// Whether a request may be written before its answer is there.
  var selectsByRequest: Bool { !rules.selectsByResponse }

  /// Whether an exchange is taken; the others are counted.
  mutating func takes(_ exchange: borrowing Exchange) -> Bool {
    refresh()
    if !rules.select.isEmpty, !rules.selection(of: exchange).isTaken {
      ledger[.exchangesFiltered] += 1
      return false
    }
    if sampler?.takes(exchange) == false {
      ledger[.exchangesSampledOut] += 1
      return false
    }
    return true
  }

  mutating func redact(_ exchange: inout Exchange) { redactor?.redact(&exchange) }
}
