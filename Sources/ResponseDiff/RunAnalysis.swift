// Replayed exchanges one by one in, a RunReport out. Owner: the reader of a run, serially.
// Bounds: AnalysisOptions; memory does not grow with the run's length.

public import HTTPModel

/// Limits of a ``RunAnalysis``.
public struct AnalysisOptions: Hashable, Sendable {
  public var comparison: ComparisonOptions
  /// Endpoints kept apart; later ones are counted together as `METHOD /…other`.
  public var endpointLimit: Int
  /// Clusters kept apart; differences of later ones are counted together, and the cluster says so.
  public var clusterLimit: Int
  /// Pairs kept as examples of one cluster.
  public var examplesPerCluster: Int
  /// Bytes of an example's text, for each side.
  public var exampleTextLimit: Int

  public init(
    comparison: ComparisonOptions = ComparisonOptions(), endpointLimit: Int = 500, clusterLimit: Int = 1000,
    examplesPerCluster: Int = 3, exampleTextLimit: Int = 64 << 10
  ) {
    self.comparison = comparison
    self.endpointLimit = max(1, endpointLimit)
    self.clusterLimit = max(1, clusterLimit)
    self.examplesPerCluster = max(0, examplesPerCluster)
    self.exampleTextLimit = max(256, exampleTextLimit)
  }
}

/// Compares a run's pairs as they come and keeps what a report needs of them.
public struct RunAnalysis: Sendable {
  private let options: AnalysisOptions
  private let comparator: ResponseComparator
  private var endpointNumbers: [[UInt8]: Int] = [:]
  private var endpoints: [EndpointRecord] = []
  private var nameBuffer: [UInt8] = []
  private var whole = EndpointRecord(isPrecise: true)
  private var lag = LatencyHistogram(isPrecise: true)
  private var clusters: ClusterTable
  private var attempts: UInt64 = 0
  private var errors: [String: UInt64] = [:]
  private var notComparable: [String: UInt64] = [:]
  private var first: Timestamp?
  private var last: Timestamp?

  public init(options: AnalysisOptions = AnalysisOptions()) {
    self.options = options
    comparator = ResponseComparator(options: options.comparison)
    clusters = ClusterTable(options: options)
  }

  /// Takes one exchange with all its attempts. Each attempt is compared with the recorded response.
  ///
  /// An attempt without a whole answer is a difference of its own; where the recorded response is missing or not
  /// whole, or an interrupt ended the attempt, there is nothing to compare and that is counted.
  public mutating func add(_ replayed: ReplayedExchange) {
    guard let request = replayed.exchange.request else { return }
    let number = endpointNumber(of: request)
    for attempt in replayed.attempts { add(attempt, of: replayed.exchange, request, number) }
  }

  private mutating func add(
    _ attempt: Attempt, of exchange: Exchange, _ request: HTTPRequest, _ number: Int
  ) {
    attempts += 1
    first = min(first ?? attempt.scheduled, attempt.sent ?? attempt.scheduled, attempt.scheduled)
    last = max(last ?? attempt.end, attempt.end)
    if let sent = attempt.sent { lag.record(nanoseconds: sent.nanoseconds(since: attempt.scheduled)) }
    whole.count(attempt)
    endpoints[number].count(attempt)
    let answer = attempt.outcome == .answered ? attempt.response : nil
    if answer == nil { errors[attempt.outcome.identifier, default: 0] += 1 }

    guard let expected = exchange.response else { return leaveOut("no-recorded-response") }
    guard expected.body.isComplete || expected.body.cutHash != nil else {
      return leaveOut("recorded-response-incomplete")
    }
    if attempt.outcome == .interrupted { return leaveOut("interrupted") }
    if answer != nil {
      whole.countRecorded(request, expected)
      endpoints[number].countRecorded(request, expected)
    }
    let differences: [Difference]
    if let answer {
      let comparison = comparator.comparison(expected: expected, actual: answer, method: request.method)
      differences = comparison.differences
      if let reason = comparison.uncomparedBody, differences.isEmpty { return leaveOut(reason.rawValue) }
    } else {
      differences = [
        Difference(
          location: .answer, kind: .error, severity: .high, expected: String(expected.status),
          actual: attempt.outcome.identifier)
      ]
    }
    whole.compared += 1
    endpoints[number].compared += 1
    guard !differences.isEmpty else { return }
    if differences.contains(where: { $0.severity != .info }) {
      whole.different += 1
      endpoints[number].different += 1
    }
    clusters.add(
      differences, endpoint: number, exchange: exchange, request: request, expected: expected, attempt: attempt)
  }

  private mutating func leaveOut(_ reason: String) { notComparable[reason, default: 0] += 1 }

  private mutating func endpointNumber(of request: HTTPRequest) -> Int {
    nameBuffer.removeAll(keepingCapacity: true)
    EndpointTemplate.write(method: request.method, target: request.target, into: &nameBuffer)
    if let number = endpointNumbers[nameBuffer] { return number }
    if endpointNumbers.count >= options.endpointLimit {
      // Methods are anyone's to invent, so those of the overflow are bounded too.
      let isKnown = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"].contains {
        request.method.elementsEqual($0.utf8)
      }
      nameBuffer = (isKnown ? Array(request.method) : [UInt8(ascii: "*")]) + Array(" /…other".utf8)
      if let number = endpointNumbers[nameBuffer] { return number }
    }
    // A copy, so that the key does not share the buffer that the next name is written to.
    endpointNumbers[Array(nameBuffer)] = endpoints.count
    endpoints.append(EndpointRecord(isPrecise: false))
    return endpoints.count - 1
  }

  /// Closes the books.
  ///
  /// - Parameters:
  ///   - pacing: as printed: `1x`, `500/s`, `max`.
  ///   - planned: requests the schedule held.
  ///   - skipped: requests that were due and not sent, by reason; `interrupted` makes the verdict inconclusive.
  ///   - ledger: of the capture behind the session; nil where there is none.
  ///   - gates: what must hold; where there are none, ``Gate/standard``.
  public func finish(
    description: RunDescription, pacing: String, planned: UInt64, skipped: [String: UInt64], ledger: Ledger?,
    gates: [Gate] = []
  ) -> RunReport {
    var names = [String](repeating: "", count: endpoints.count)
    for (name, number) in endpointNumbers { names[number] = String(decoding: name, as: UTF8.self) }
    let found = clusters.clusters(endpoints: names, compared: endpoints.map(\.compared), targets: description.targets)
    let evidence = RunEvidence(
      whole: whole, endpoints: Dictionary(zip(names, endpoints), uniquingKeysWith: { first, _ in first }),
      clusters: found, completeness: ledger?.completeness)
    let results = (gates.isEmpty ? [Gate.standard] : gates).map { evidence.evaluate($0) }
    let schedule = ScheduleSummary(
      pacing: pacing, planned: planned, sent: whole.sent, late: whole.late, skipped: skipped, lag: lag.quantiles,
      durationSeconds: Double(last.flatMap { last in first.map { last.nanoseconds(since: $0) } } ?? 0) / 1e9)
    let totals = RunTotals(
      attempts: attempts, answered: whole.answered, errors: errors, compared: whole.compared,
      different: whole.different, statuses: whole.statuses, notComparable: notComparable)
    let summaries = zip(endpoints, names).map { $0.summary(endpoint: $1) }
      .sorted { ($1.compared + $1.errors, $0.endpoint) < ($0.compared + $0.errors, $1.endpoint) }
    return RunReport(
      run: description,
      verdict: Verdict(
        gates: results, schedule: schedule, totals: totals, clusters: found, completeness: ledger?.completeness),
      gates: results, ledger: ledger, schedule: schedule, totals: totals, latency: whole.latency, endpoints: summaries,
      clusters: found)
  }
}
