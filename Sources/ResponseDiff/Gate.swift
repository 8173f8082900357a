// A condition on a run's numbers: `METRIC OP VALUE`, with `{endpoint="..."}` after the metric to narrow it.
// In: the user's text. Out: a value that GateEvaluation measures. Owner: a value.

/// What must hold for a run to pass: `error.rate < 1%`, `latency.p99{endpoint="GET /a/{id}"} <= 250ms`.
public struct Gate: Hashable, Sendable {
  /// What is measured.
  public enum Metric: Hashable, Sendable {
    /// Confirmed clusters of differences above `info`.
    case regressions
    /// Pairs with a difference above `info`, of the pairs compared.
    case differenceRate
    /// Attempts without a whole answer, of the attempts made (those an interrupt ended are left out).
    case errorRate
    /// Answers with a 5xx status, of the answers.
    case statusRate
    /// ``HTTPModel/Ledger/completeness`` of the capture.
    case completeness
    /// Requests sent more than 10 ms after they were due, of the requests sent.
    case lateRate
    /// The shadow's latency from sending, in microseconds.
    case latency(percentile: Double)
    /// The shadow's latency from sending over the primary's.
    case latencyRatio(percentile: Double)
  }

  /// How the measured is compared with the limit.
  public enum Comparison: String, CaseIterable, Sendable {
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case equal = "=="
  }

  /// What is measured.
  public var metric: Metric
  /// An endpoint's name as the report prints it; nil for the whole run.
  public var endpoint: String?
  /// How it is held against ``value``.
  public var comparison: Comparison
  /// A count, a share (0...1), a ratio, or microseconds, as the metric has it.
  public var value: Double
  /// As the user wrote it, white space trimmed.
  public var text: String

  /// What holds where the user names no gate: `regressions == 0`.
  public static let standard = Gate(metric: .regressions, comparison: .equal, value: 0, text: "regressions == 0")

  public init(metric: Metric, endpoint: String? = nil, comparison: Comparison, value: Double, text: String) {
    self.metric = metric
    self.endpoint = endpoint
    self.comparison = comparison
    self.value = value
    self.text = text
  }
}

/// What is wrong with a gate's text, and where.
public struct GateSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
  /// As the user wrote it.
  public var text: String
  /// Of the first character that is wrong, from 1, in characters.
  public var column: Int
  /// One sentence; names what would be right.
  public var message: String

  public init(text: String, column: Int, message: String) {
    self.text = text
    self.column = column
    self.message = message
  }

  /// `gate 'TEXT', column N: MESSAGE`
  public var description: String { "gate '\(text)', column \(column): \(message)" }
}
