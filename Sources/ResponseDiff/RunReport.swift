public import HTTPModel

/// Everything that a report says about a run; each format prints this and computes nothing.
public struct RunReport: Sendable {
  /// Which run it was.
  public var run: RunDescription
  /// What came of it.
  public var verdict: Verdict
  /// In the order in which they were given.
  public var gates: [GateResult]
  /// Of the capture behind the session; nil where the session holds none.
  public var ledger: Ledger?
  /// How well the schedule was kept.
  public var schedule: ScheduleSummary
  /// Counts over the whole run.
  public var totals: RunTotals
  /// Over all endpoints, by side: `primary` (recorded or live) and `shadow`, from sending and from the schedule.
  public var latency: LatencySummary
  /// The busiest first.
  public var endpoints: [EndpointSummary]
  /// The worst first: confirmed ones, then severity, then count; what is known from a baseline after what is new.
  public var clusters: [DifferenceCluster]
  /// What the answers were held against.
  public var evidence: ComparisonEvidence
  /// The run in slices of time.
  public var timeline: Timeline
  /// What rules let pass, in their order.
  public var suppressions: [SuppressionTally.Row]

  public init(
    run: RunDescription, verdict: Verdict, gates: [GateResult], ledger: Ledger?, schedule: ScheduleSummary,
    totals: RunTotals, latency: LatencySummary, endpoints: [EndpointSummary], clusters: [DifferenceCluster],
    evidence: ComparisonEvidence = ComparisonEvidence(), timeline: Timeline = Timeline(secondsPerSlice: 1, slices: []),
    suppressions: [SuppressionTally.Row] = []
  ) {
    self.run = run
    self.verdict = verdict
    self.gates = gates
    self.ledger = ledger
    self.schedule = schedule
    self.totals = totals
    self.latency = latency
    self.endpoints = endpoints
    self.clusters = clusters
    self.evidence = evidence
    self.timeline = timeline
    self.suppressions = suppressions
  }
}

/// Which run it was. Stored at the head of a run file.
public struct RunDescription: Hashable, Sendable {
  /// Names the run; made anew for each.
  public var id: String
  /// When it began.
  public var started: Timestamp
  /// Where the exchanges came from: a path.
  public var session: String
  /// The shadow's.
  public var targets: [String]
  /// The primary and the control that were asked too; nil where none was.
  public var primary: String?
  /// See ``primary``.
  public var control: String?
  /// Of umbra.
  public var toolVersion: String
  /// As it was typed, word by word.
  public var command: [String]

  public init(
    id: String, started: Timestamp, session: String, targets: [String], primary: String? = nil,
    control: String? = nil, toolVersion: String, command: [String]
  ) {
    self.primary = primary
    self.control = control
    self.id = id
    self.started = started
    self.session = session
    self.targets = targets
    self.toolVersion = toolVersion
    self.command = command
  }
}

/// May the release go on?
public struct Verdict: Hashable, Sendable {
  /// What a run has shown.
  public enum Outcome: String, Sendable { case pass, fail, inconclusive }
  /// Whether it passed.
  public var outcome: Outcome
  /// Plain sentences, the weightiest first; never empty.
  public var reasons: [String]

  public init(outcome: Outcome, reasons: [String]) {
    self.outcome = outcome
    self.reasons = reasons
  }
}

/// A gate and what came of it.
public struct GateResult: Hashable, Sendable {
  /// What became of a gate.
  public enum Outcome: String, Sendable { case passed, crossed, noEvidence = "no-evidence" }
  /// As the user wrote it: `error.rate < 0.01`.
  public var gate: String
  /// What was measured; nil where nothing could be.
  public var value: Double?
  /// Whether it was crossed.
  public var outcome: Outcome
  /// A plain sentence.
  public var explanation: String

  public init(gate: String, value: Double?, outcome: Outcome, explanation: String) {
    self.gate = gate
    self.value = value
    self.outcome = outcome
    self.explanation = explanation
  }
}

/// Did the generator keep its schedule?
public struct ScheduleSummary: Hashable, Sendable {
  /// `1x`, `500/s`, `max`.
  public var pacing: String
  /// Requests of the schedule.
  public var planned: UInt64
  /// Requests that were sent.
  public var sent: UInt64
  /// Sent more than 10 ms after they were due.
  public var late: UInt64
  /// Due and never sent, by reason: `unsafe-method`, `incomplete-request`, `interrupted`, ...
  public var skipped: [String: UInt64]
  /// Lag of sending behind the schedule, in microseconds.
  public var lag: Quantiles?
  /// From the first to the last event of the run, in seconds.
  public var durationSeconds: Double

  public init(
    pacing: String, planned: UInt64, sent: UInt64, late: UInt64, skipped: [String: UInt64], lag: Quantiles?,
    durationSeconds: Double
  ) {
    self.pacing = pacing
    self.planned = planned
    self.sent = sent
    self.late = late
    self.skipped = skipped
    self.lag = lag
    self.durationSeconds = durationSeconds
  }
}

/// A distribution of times in microseconds.
public struct Quantiles: Hashable, Sendable {
  /// Samples behind the others.
  public var count: UInt64
  /// The arithmetic mean.
  public var mean: Double
  /// The median.
  public var p50: Double
  /// The 90th percentile.
  public var p90: Double
  /// The 95th percentile.
  public var p95: Double
  /// The 99th percentile.
  public var p99: Double
  /// The 99.9th percentile.
  public var p999: Double
  /// The largest.
  public var max: Double

  public init(
    count: UInt64, mean: Double, p50: Double, p90: Double, p95: Double, p99: Double, p999: Double, max: Double
  ) {
    self.count = count
    self.mean = mean
    self.p50 = p50
    self.p90 = p90
    self.p95 = p95
    self.p99 = p99
    self.p999 = p999
    self.max = max
  }
}

/// Counts over a whole run.
public struct RunTotals: Hashable, Sendable {
  /// Requests sent to the shadow.
  public var attempts: UInt64
  /// Attempts with a whole answer.
  public var answered: UInt64
  /// Attempts without a whole answer, by ``HTTPModel/AttemptOutcome/identifier``. What the recorded client had given up
  /// at the same moment (`cancelled`) is no error.
  public var errors: [String: UInt64]
  /// Pairs that could be compared: a whole recorded response, and an answer or the lack of one.
  public var compared: UInt64
  /// Attempts that could not be compared, by reason: `no-recorded-response`, `recorded-response-incomplete`,
  /// `primary-without-answer`, `primary-not-asked`, `interrupted`, `cancelled`, ``UncomparedBody``'s.
  public var notComparable: [String: UInt64]
  /// Pairs with at least one difference above `info`.
  public var different: UInt64
  /// The shadow's answers by status.
  public var statuses: [UInt16: UInt64]

  public init(
    attempts: UInt64, answered: UInt64, errors: [String: UInt64], compared: UInt64, different: UInt64,
    statuses: [UInt16: UInt64], notComparable: [String: UInt64] = [:]
  ) {
    self.attempts = attempts
    self.answered = answered
    self.errors = errors
    self.compared = compared
    self.different = different
    self.statuses = statuses
    self.notComparable = notComparable
  }
}

/// Latencies of both sides, in microseconds; nil where there are no samples.
public struct LatencySummary: Hashable, Sendable {
  /// Recorded: from the request's last to the response's last byte on the wire. Live: from sending.
  public var primary: Quantiles?
  /// From sending to the last byte.
  public var shadow: Quantiles?
  /// From the scheduled time to the last byte, so that a stalled target is not forgiven (coordinated omission).
  public var shadowFromSchedule: Quantiles?
  /// Of the same requests on both sides; nil where there are too few.
  public var intervals: LatencyIntervals?
  /// The distributions themselves, in rising order of share; empty where there are no samples.
  public var curve: [LatencyPoint]

  public init(
    primary: Quantiles?, shadow: Quantiles?, shadowFromSchedule: Quantiles?, intervals: LatencyIntervals? = nil,
    curve: [LatencyPoint] = []
  ) {
    self.primary = primary
    self.shadow = shadow
    self.shadowFromSchedule = shadowFromSchedule
    self.intervals = intervals
    self.curve = curve
  }
}

/// A point of both sides' cumulative distributions.
public struct LatencyPoint: Hashable, Sendable {
  /// 0 ... 1: the share of answers that took at most this long.
  public var share: Double
  /// Microseconds; nil where that side has no samples.
  public var primary: Double?
  /// See ``primary``.
  public var shadow: Double?

  public init(share: Double, primary: Double?, shadow: Double?) {
    self.share = share
    self.primary = primary
    self.shadow = shadow
  }
}

/// What one endpoint did.
public struct EndpointSummary: Hashable, Sendable {
  /// Method and path template: `GET /items/{id}`.
  public var endpoint: String
  /// Pairs that could be compared.
  public var compared: UInt64
  /// Pairs with at least one difference above `info`.
  public var different: UInt64
  /// Attempts without a whole answer.
  public var errors: UInt64
  /// The shadow's answers by status.
  public var statuses: [UInt16: UInt64]
  /// Of both sides.
  public var latency: LatencySummary

  public init(
    endpoint: String, compared: UInt64, different: UInt64, errors: UInt64, statuses: [UInt16: UInt64],
    latency: LatencySummary
  ) {
    self.endpoint = endpoint
    self.compared = compared
    self.different = different
    self.errors = errors
    self.statuses = statuses
    self.latency = latency
  }
}

/// How a cluster came to be confirmed, or not to be.
public enum ClusterEvidence: String, CaseIterable, Sendable {
  /// More often than chance explains, by test against the control.
  case significant
  /// A removed field or another class of status, of which the control shows nothing: it does not wait for a test.
  case unseenInControl = "unseen-in-control"
  /// Tested against the control and not beyond chance, or too small to matter.
  case noise
  /// Differs between any two answers of the primary; presence, type and form are still looked at.
  case untestable
  /// There is no control to test against.
  case noControl = "no-control"
  /// No control, and values that look as if they were made anew for each answer.
  case volatile
  /// True and harmless.
  case harmless
}

/// A place that differs together with a cluster's own.
public struct RelatedPlace: Hashable, Sendable {
  /// As ``DifferenceCluster/id`` would be of it alone.
  public var id: String
  /// Where it differs.
  public var location: DifferenceLocation
  /// In what way.
  public var kind: DifferenceKind
  /// How much it matters.
  public var severity: DifferenceSeverity
  /// Pairs that show it.
  public var count: UInt64

  public init(
    id: String, location: DifferenceLocation, kind: DifferenceKind, severity: DifferenceSeverity, count: UInt64
  ) {
    self.id = id
    self.location = location
    self.kind = kind
    self.severity = severity
    self.count = count
  }
}

/// Differences of one kind at one location of one endpoint, and those that come with them.
public struct DifferenceCluster: Hashable, Sendable {
  /// Stable between runs: a hash of endpoint, location and kind.
  public var id: String
  /// Method and path template: `GET /items/{id}`.
  public var endpoint: String
  /// Where it differs.
  public var location: DifferenceLocation
  /// In what way.
  public var kind: DifferenceKind
  /// How much it matters.
  public var severity: DifferenceSeverity
  /// Pairs that show it.
  public var count: UInt64
  /// Pairs of the endpoint that were compared.
  public var compared: UInt64
  /// Pairs in which a control showed the same; nil where there was no control.
  public var noise: UInt64?
  /// That of the one-sided exact test; nil where there was no control to test against.
  public var pValue: Double?
  /// Not explained by noise, not merely informative.
  public var isConfirmed: Bool
  /// The baseline shows it too, and no less often.
  public var isKnown: Bool
  /// How it came to be confirmed, or not.
  public var evidence: ClusterEvidence
  /// Places that differ in the same answers.
  public var related: [RelatedPlace]
  /// What the affected requests have in common and the others have not, the best first.
  public var features: [SeparatingFeature]
  /// A plain sentence.
  public var explanation: String
  /// At most three.
  public var examples: [DifferenceExample]
  /// The smallest request that shows it as a curl command, or as a grpcurl command where it was asked again; nil where
  /// there is none.
  public var curl: String?
  /// What came of asking both sides again; nil where that was not wanted.
  public var smallest: SmallestRequest? {
    didSet { if let command = smallest?.command { curl = command } }
  }

  /// Counts in the gate `regressions`: confirmed, and new where there is a baseline.
  public var isRegression: Bool { isConfirmed && !isKnown }

  public init(
    id: String, endpoint: String, location: DifferenceLocation, kind: DifferenceKind, severity: DifferenceSeverity,
    count: UInt64, compared: UInt64, noise: UInt64?, pValue: Double?, isConfirmed: Bool, isKnown: Bool = false,
    evidence: ClusterEvidence = .noControl, related: [RelatedPlace] = [], features: [SeparatingFeature] = [],
    explanation: String, examples: [DifferenceExample], curl: String? = nil
  ) {
    self.id = id
    self.endpoint = endpoint
    self.location = location
    self.kind = kind
    self.severity = severity
    self.count = count
    self.compared = compared
    self.noise = noise
    self.pValue = pValue
    self.isConfirmed = isConfirmed
    self.isKnown = isKnown
    self.evidence = evidence
    self.related = related
    self.features = features
    self.explanation = explanation
    self.examples = examples
    self.curl = curl
  }
}
