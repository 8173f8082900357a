// Replayed exchanges one by one in, a RunReport out. Owner: the reader of a run, serially.
// Bounds: AnalysisOptions; memory does not grow with the run's length.

public import ContentTree
public import HTTPModel

/// Limits of a ``RunAnalysis``.
public struct AnalysisOptions: Hashable, Sendable {
  /// How two answers are compared.
  public var comparison: ComparisonOptions
  /// Endpoints that rules name; other paths are learned.
  public var endpoints: [EndpointPattern]
  /// Endpoints kept apart; later ones are counted together as `METHOD /…other`.
  public var endpointLimit: Int
  /// Places kept apart; differences at later ones are counted together, and their cluster says so.
  public var clusterLimit: Int
  /// Pairs kept as examples of one cluster.
  public var examplesPerCluster: Int
  /// Bytes of an example's text, for each side.
  public var exampleTextLimit: Int
  /// Share of an endpoint's pairs by which a difference must be more frequent in the shadow than in the control.
  public var minimumEffect: Double
  /// Pairs below which a run without a finding says nothing: of three equal pairs the rule of three concludes that up to
  /// 100 % of answers may differ.
  public var minimumPairs: UInt64

  public init(
    comparison: ComparisonOptions = ComparisonOptions(), endpoints: [EndpointPattern] = [], endpointLimit: Int = 500,
    clusterLimit: Int = 1000,
    examplesPerCluster: Int = 3, exampleTextLimit: Int = 64 << 10, minimumEffect: Double = 0.001,
    minimumPairs: UInt64 = 4
  ) {
    self.comparison = comparison
    self.endpoints = endpoints
    self.endpointLimit = max(1, endpointLimit)
    self.clusterLimit = max(1, clusterLimit)
    self.examplesPerCluster = max(0, examplesPerCluster)
    self.exampleTextLimit = max(256, exampleTextLimit)
    self.minimumEffect = max(0, minimumEffect)
    self.minimumPairs = minimumPairs
  }
}

/// Compares a run's pairs as they come and keeps what a report needs of them.
///
/// Shares of one run, replayed by several generators, are analysed as one by adding the exchanges of all of them.
public struct RunAnalysis: Sendable {
  /// The endpoint of what was counted together because a table was full.
  static let overflowEndpoint = "…"

  private var options: AnalysisOptions
  private let descriptors: ProtobufDescriptors?
  private var comparator: ResponseComparator
  private var catalog: EndpointCatalog
  private var tally: SuppressionTally
  private var endpointNames: [[UInt8]] = []
  private var endpointNumbers = HashIndex()
  /// The endpoints of places in the catalog, by the method that came there last.
  private var leaves: [(method: UInt64, number: Int)] = []
  /// Nobody can choose names so that all of them are in one place of the table.
  private let seed = UInt64.random(in: 0 ... .max)
  private var endpoints: [EndpointRecord] = []
  private var features: [FeatureTable] = []
  private var nameBuffer: [UInt8] = []
  private var whole = EndpointRecord(isPrecise: true)
  private var lag = LatencyHistogram(isPrecise: true)
  private var places: PlaceTable
  private var timeline = RunTimeline()
  private var attempts: UInt64 = 0
  private var errors: [String: UInt64] = [:]
  private var notComparable: [String: UInt64] = [:]
  private var pairs: UInt64 = 0
  private var hasLivePrimary = false
  private var recordedPairs: UInt64 = 0
  private var primaryFailed: UInt64 = 0
  private var presentFeatures: [Int] = []
  /// Suppressions that are not about the exchange in hand.
  private var inapplicable: Set<Int> = []
  /// All answers of the exchange in hand are the same.
  private var isUniform = false
  private var first: Timestamp?
  private var last: Timestamp?

  /// Whether the run whose exchanges come next asked a primary: what that might have been sent and was not is then
  /// left out, rather than held against the recorded answer as what may change something is.
  public var asksPrimary = false
  /// Whether the recorded answers of what comes next were given at the same time.
  public var isMirrored = false

  /// - Parameter descriptors: of the messages that gRPC methods answer with.
  public init(options: AnalysisOptions = AnalysisOptions(), descriptors: ProtobufDescriptors? = nil) {
    self.options = options
    self.descriptors = descriptors
    comparator = ResponseComparator(options: options.comparison, descriptors: descriptors)
    catalog = EndpointCatalog(patterns: options.endpoints)
    tally = SuppressionTally(options: options.comparison)
    places = PlaceTable(options: options)
  }

  /// What the rules that let values pass did so far, in their order.
  public var suppressions: [SuppressionTally.Row] { tally.rows }

  /// Compares by other options from here on; what was added stays as it was compared.
  public mutating func use(_ comparison: ComparisonOptions, endpoints: [EndpointPattern]? = nil) {
    options.comparison = comparison
    if let endpoints {
      options.endpoints = endpoints
      catalog.patterns = endpoints
    }
    comparator = ResponseComparator(options: comparison, descriptors: descriptors)
    tally.use(comparison)
  }

  /// Takes one exchange with all its attempts.
  ///
  /// Each of the shadow's attempts is compared with the live primary's answer of the same round where the primary was
  /// asked, else with the recorded response; so is the control's. An attempt without a whole answer is a difference of
  /// its own; where the answer to compare with is missing or not whole, or the attempt was ended from this side, there
  /// is nothing to compare and that is counted.
  /// - Parameters:
  ///   - inapplicable: indices of suppressions that are about other requests.
  ///   - isUniform: all answers are known to be the recorded one, as of ``HTTPModel/HTTPResponse/isSameAnswer(as:)``.
  public mutating func add(_ replayed: ReplayedExchange, inapplicable: Set<Int> = [], isUniform: Bool = false) {
    self.inapplicable = inapplicable
    self.isUniform = isUniform
    guard let request = replayed.exchange.request else { return }
    let number = endpointNumber(of: request)
    // As in most runs: there is nothing to look for.
    if replayed.attempts.count == 1, replayed.attempts[0].role == .shadow {
      return add(replayed.attempts[0], of: replayed.exchange, request, number, primary: nil, control: nil)
    }
    for attempt in replayed.attempts where attempt.role == .shadow {
      let others = replayed.attempts.filter { $0.round == attempt.round }
      add(
        attempt, of: replayed.exchange, request, number, primary: others.last { $0.role == .primary },
        control: others.last { $0.role == .control })
    }
  }

  private mutating func add(
    _ attempt: Attempt, of exchange: Exchange, _ request: HTTPRequest, _ number: Int, primary: Attempt?,
    control: Attempt?
  ) {
    attempts += 1
    first = min(first ?? attempt.scheduled, attempt.sent ?? attempt.scheduled, attempt.scheduled)
    last = max(last ?? attempt.end, attempt.end)
    let figures = AttemptFigures(attempt)
    if figures.wasSent { lag.record(nanoseconds: figures.lag) }
    let answer = attempt.outcome == .answered ? attempt.response : nil
    if answer == nil, attempt.outcome != .cancelled { errors[attempt.outcome.identifier, default: 0] += 1 }

    let expectation = expectation(of: exchange, request, primary)
    // A recorded time beside live ones would be of another place and another load.
    let primaryTime = expectation.isLive || !asksPrimary ? expectation.nanoseconds : nil
    let controlTime = control.flatMap { control in
      control.outcome == .answered ? control.sent.map { control.end.nanoseconds(since: $0) } : nil
    }
    whole.count(figures, primary: primaryTime, control: controlTime)
    endpoints[number].count(figures, primary: primaryTime, control: controlTime)
    let isDifferent = compare(attempt, answer, of: exchange, request, number, expectation, control)
    timeline.count(figures, primaryNanoseconds: answer == nil ? nil : primaryTime, isDifferent: isDifferent)
  }

  /// What the others are held against.
  private struct Expectation {
    var response: HTTPResponse?
    /// The time the primary took, where it is known.
    var nanoseconds: Int64?
    var isLive: Bool
    /// Why there is nothing to compare with.
    var obstacle: String?
  }

  private mutating func expectation(
    of exchange: Exchange, _ request: HTTPRequest, _ primary: Attempt?
  ) -> Expectation {
    if let primary {
      hasLivePrimary = true
      guard primary.outcome == .answered, let response = primary.response else {
        if primary.outcome == .interrupted || primary.outcome == .cancelled {
          return Expectation(isLive: true, obstacle: primary.outcome.identifier)
        }
        primaryFailed += 1
        return Expectation(isLive: true, obstacle: "primary-without-answer")
      }
      return Expectation(
        response: response, nanoseconds: primary.sent.map { primary.end.nanoseconds(since: $0) }, isLive: true)
    }
    if asksPrimary, request.isSafe {
      hasLivePrimary = true
      primaryFailed += 1
      return Expectation(isLive: true, obstacle: "primary-not-asked")
    }
    guard let response = exchange.response else { return Expectation(isLive: false, obstacle: "no-recorded-response") }
    guard response.body.isComplete || response.body.cutHash != nil else {
      return Expectation(response: response, isLive: false, obstacle: "recorded-response-incomplete")
    }
    // From the request's last to the response's last byte on the wire.
    return Expectation(
      response: response, nanoseconds: response.timing.end.nanoseconds(since: request.timing.end), isLive: false)
  }

  /// Whether the answer differs by more than what is harmless.
  private mutating func compare(
    _ attempt: Attempt, _ answer: HTTPResponse?, of exchange: Exchange, _ request: HTTPRequest, _ number: Int,
    _ expectation: Expectation, _ control: Attempt?
  ) -> Bool {
    if let obstacle = expectation.obstacle { return leaveOut(obstacle) }
    guard let expected = expectation.response else { return false }
    if attempt.outcome == .interrupted || attempt.outcome == .cancelled {
      return leaveOut(attempt.outcome.identifier)
    }
    let shadow = differences(expected, attempt, answer, request)
    if let obstacle = shadow.obstacle { return leaveOut(obstacle) }
    if !expectation.isLive { recordedPairs += 1 }
    whole.compared += 1
    endpoints[number].compared += 1
    pairs += 1
    presentFeatures.removeAll(keepingCapacity: true)
    features[number].count(request, into: &presentFeatures)

    var controlDifferences: [Difference]?
    if let control, control.outcome != .interrupted, control.outcome != .cancelled {
      let response = control.outcome == .answered ? control.response : nil
      let found = differences(expected, control, response, request)
      if found.obstacle == nil {
        controlDifferences = found.list
        whole.controlled += 1
        endpoints[number].controlled += 1
        if found.list.contains(where: \.isOtherAnswer) {
          whole.controlStrayed += 1
          endpoints[number].controlStrayed += 1
        }
      }
    }
    let isDifferent = shadow.list.contains { $0.severity != .info }
    if isDifferent {
      whole.different += 1
      endpoints[number].different += 1
    }
    if !shadow.list.isEmpty || controlDifferences?.isEmpty == false {
      let pair = ComparedPair(
        endpoint: number, number: pairs, exchange: exchange, request: request, expected: expected,
        isLive: expectation.isLive, attempt: attempt)
      places.add(pair, shadow: shadow.list, control: controlDifferences, features: presentFeatures)
    }
    return isDifferent
  }

  private mutating func differences(
    _ expected: HTTPResponse, _ attempt: Attempt, _ answer: HTTPResponse?, _ request: HTTPRequest
  ) -> (list: [Difference], obstacle: String?) {
    guard let answer else {
      let difference = Difference(
        location: .answer, kind: .error, severity: .high, expected: String(expected.status),
        actual: attempt.outcome.identifier)
      return ([difference], nil)
    }
    if isUniform { return ([], nil) }
    let comparison = comparator.comparison(
      expected: expected, actual: answer, method: request.method, target: request.target,
      inapplicable: inapplicable)
    if attempt.role == .shadow { tally.add(comparison) }
    guard comparison.differences.isEmpty else { return (comparison.differences, nil) }
    return ([], comparison.uncomparedBody?.rawValue)
  }

  private mutating func leaveOut(_ reason: String) -> Bool {
    notComparable[reason, default: 0] += 1
    return false
  }

  private mutating func endpointNumber(of request: HTTPRequest) -> Int {
    let visit = catalog.visit(request)
    guard let leaf = visit.leaf, let method = Self.shortWord(request.method) else {
      return namedEndpoint(of: request, visit)
    }
    if leaf < leaves.count, leaves[leaf].method == method { return leaves[leaf].number }
    if leaf >= leaves.count {
      leaves.append(contentsOf: repeatElement((method: 0, number: 0), count: leaf + 1 - leaves.count))
    }
    let number = namedEndpoint(of: request, visit)
    leaves[leaf] = (method, number)
    return number
  }

  /// A method of up to seven octets, as all common ones are, as a number above 0.
  private static func shortWord(_ method: ArraySlice<UInt8>) -> UInt64? {
    guard 1...7 ~= method.count else { return nil }
    return method.reduce(UInt64(method.count)) { $0 &<< 8 | UInt64($1) }
  }

  private mutating func namedEndpoint(of request: HTTPRequest, _ visit: EndpointCatalog.Visit) -> Int {
    nameBuffer.removeAll(keepingCapacity: true)
    catalog.write(request, visit, into: &nameBuffer)
    if let number = knownEndpoint() { return number }
    if endpointNames.count >= options.endpointLimit {
      // Methods are anyone's to invent, so those of the overflow are bounded too.
      let isKnown = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"].contains {
        request.method.elementsEqual($0.utf8)
      }
      nameBuffer = (isKnown ? Array(request.method) : [UInt8(ascii: "*")]) + Array(" /…other".utf8)
      if let number = knownEndpoint() { return number }
    }
    endpointNumbers.add(nameHash, endpoints.count)
    // A copy, so that it does not share the buffer that the next name is written to.
    endpointNames.append(nameBuffer.map { $0 })
    endpoints.append(EndpointRecord(isPrecise: false))
    features.append(FeatureTable())
    return endpoints.count - 1
  }

  /// The number of the name in the buffer.
  private func knownEndpoint() -> Int? {
    endpointNumbers.number(of: nameHash) { equalBytes(endpointNames[$0], nameBuffer) }
  }

  private var nameHash: UInt64 { nameBuffer.withUnsafeBufferPointer { octetHash($0, seed: seed) } }

  /// Closes the books.
  ///
  /// - Parameters:
  ///   - pacing: as printed: `1x`, `500/s`, `max`.
  ///   - planned: requests the schedule held.
  ///   - skipped: requests that were due and not sent, by reason; `interrupted` makes the verdict inconclusive.
  ///   - ledger: of the capture behind the session; nil where there is none.
  ///   - gates: what must hold; where there are none, ``Gate/standard``.
  ///   - baseline: what a run before this one found; only what is new since then counts as a regression.
  public func finish(
    description: RunDescription, pacing: String, planned: UInt64, skipped: [String: UInt64], ledger: Ledger?,
    gates: [Gate] = [], baseline: BaselineFindings? = nil
  ) -> RunReport {
    let names = endpointNames.map { String(decoding: $0, as: UTF8.self) }
    let found = CauseClustering(
      options: options, table: places, names: names, endpoints: endpoints, features: features,
      targets: description.targets, hasLivePrimary: hasLivePrimary, baseline: baseline
    ).run()
    let numbers = RunEvidence(
      whole: whole, endpoints: Dictionary(zip(names, endpoints), uniquingKeysWith: { first, _ in first }),
      clusters: found.clusters, completeness: ledger?.completeness, hasLivePrimary: hasLivePrimary)
    let gates = gates.isEmpty ? [Gate.standard] : gates
    let results = gates.map { numbers.evaluate($0) }
    let schedule = ScheduleSummary(
      pacing: pacing, planned: planned, sent: whole.sent, late: whole.late, skipped: skipped, lag: lag.quantiles,
      durationSeconds: Double(last.flatMap { last in first.map { last.nanoseconds(since: $0) } } ?? 0) / 1e9)
    let totals = RunTotals(
      attempts: attempts, answered: whole.answered, errors: errors, compared: whole.compared,
      different: whole.different, statuses: whole.statuses.table, notComparable: notComparable)
    let summaries = zip(endpoints, names).map { $0.summary(endpoint: $1) }
      .sorted { ($1.compared + $1.errors, $0.endpoint) < ($0.compared + $0.errors, $1.endpoint) }
    let evidence = ComparisonEvidence(
      hasLivePrimary: hasLivePrimary, isMirrored: isMirrored, recorded: hasLivePrimary ? recordedPairs : 0,
      primaryFailed: primaryFailed, controlled: whole.controlled, strayed: whole.controlStrayed, tested: found.tested,
      baseline: baseline?.name)
    let reasoning = VerdictReasoning(
      gates: results, schedule: schedule, totals: totals, clusters: found.clusters, evidence: evidence,
      completeness: ledger?.completeness, isCompletenessGated: gates.contains { $0.metric == .completeness },
      minimumPairs: options.minimumPairs)
    return RunReport(
      run: description, verdict: reasoning.verdict, gates: results, ledger: ledger, schedule: schedule, totals: totals,
      latency: whole.latency, endpoints: summaries, clusters: found.clusters, evidence: evidence,
      timeline: timeline.timeline, suppressions: tally.rows)
  }
}
