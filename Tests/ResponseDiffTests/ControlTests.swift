import HTTPModel
import Testing

@testable import ResponseDiff

private let local = TransportAddress(address: IPAddress(v4: 0x7f00_0001), port: 80)

/// A request's answers from the recording, the shadow, and where given from a live primary and a control.
struct Answers {
  var request: HTTPRequest
  var recorded: HTTPResponse?
  var shadow: HTTPResponse?
  var primary: HTTPResponse?
  var control: HTTPResponse?
  /// Milliseconds that the shadow and the primary take.
  var times: (shadow: Double, primary: Double) = (7, 5)
  /// The same of the control; nil for as many as the primary.
  var controlTime: Double?

  func replayed(_ number: Int) -> ReplayedExchange {
    let id = ExchangeID(connection: 1, ordinal: UInt32(number))
    let due = moment(Int64(number) * 10)
    var recorded = recorded
    recorded?.timing = timing(from: 5, to: 5)
    func attempt(_ response: HTTPResponse?, _ role: AttemptRole, _ milliseconds: Double) -> Attempt {
      Attempt(
        exchange: id, role: role, scheduled: due, sent: due, firstByte: nil,
        end: due.advanced(byNanoseconds: Int64(milliseconds * 1e6)), outcome: response == nil ? .timeout : .answered,
        response: response)
    }
    var attempts = [attempt(shadow, .shadow, times.shadow)]
    if let primary { attempts.append(attempt(primary, .primary, times.primary)) }
    if let control { attempts.append(attempt(control, .control, controlTime ?? times.primary)) }
    return ReplayedExchange(
      exchange: Exchange(id: id, client: local, server: local, request: request, response: recorded),
      attempts: attempts)
  }
}

func analysed(
  _ answers: [Answers], options: AnalysisOptions = AnalysisOptions(), gates: [Gate] = [], ledger: Ledger? = nil,
  skipped: [String: UInt64] = [:], baseline: BaselineFindings? = nil
) -> RunReport {
  var analysis = RunAnalysis(options: options)
  for (index, answer) in answers.enumerated() { analysis.add(answer.replayed(index + 1)) }
  return analysis.finish(
    description: RunDescription(
      id: "r", started: moment(0), session: "s", targets: ["http://canary"], toolVersion: "0", command: []),
    pacing: "max", planned: UInt64(answers.count), skipped: skipped, ledger: ledger, gates: gates, baseline: baseline)
}

/// A run that asked a live primary, as far as it could.
@Suite struct LivePrimaryTests {
  private func report(
    _ replayed: [ReplayedExchange], asksPrimary: Bool = true, gates: [Gate] = []
  ) -> RunReport {
    var analysis = RunAnalysis()
    analysis.asksPrimary = asksPrimary
    for exchange in replayed { analysis.add(exchange) }
    return analysis.finish(
      description: RunDescription(
        id: "r", started: moment(0), session: "s", targets: ["http://canary"], primary: "http://p", toolVersion: "0",
        command: []), pacing: "max", planned: UInt64(replayed.count), skipped: [:], ledger: nil, gates: gates)
  }

  private func pair(_ n: Int, shadow: HTTPResponse? = json("{\"a\":1}"), primary: HTTPResponse?) -> ReplayedExchange {
    Answers(
      request: request(), recorded: json("{\"a\":9}"), shadow: shadow, primary: primary, times: (shadow: 5, primary: 5)
    ).replayed(n)
  }

  @Test func whereThePrimaryFailedThereIsNothingToSay() throws {
    var replayed = (1...20).map { pair($0, primary: json("{\"a\":1}")) }
    for n in 0..<10 {
      // The shadow's own answers say nothing either way; its own failure still counts as its own.
      replayed[n].attempts[0].response = n == 0 ? nil : json("{\"a\":2}")
      replayed[n].attempts[0].outcome = n == 0 ? .timeout : .answered
      replayed[n].attempts[1].response = nil
      replayed[n].attempts[1].outcome = .connectionRefused
    }
    let report = report(replayed)
    #expect(report.totals.compared == 10 && report.totals.different == 0 && report.clusters.isEmpty)
    #expect(report.totals.notComparable == ["primary-without-answer": 10])
    #expect(report.totals.errors == ["timeout": 1] && report.evidence.primaryFailed == 10)
    #expect(report.verdict.outcome == .inconclusive)
    #expect(report.verdict.reasons.contains { $0.hasPrefix("The primary failed: it gave no whole answer to 50 %") })
  }

  @Test func theErrorRateIsTheShadows() throws {
    var replayed = (1...20).map { pair($0, primary: json("{\"a\":1}")) }
    replayed[0].attempts[1].outcome = .timeout
    replayed[0].attempts[1].response = nil
    let gates = [try Gate(parsing: "error.rate == 0"), try Gate(parsing: "regressions == 0")]
    let report = report(replayed, gates: gates)
    #expect(report.gates.map(\.outcome) == [.passed, .passed] && report.verdict.outcome == .pass)
  }

  @Test func whatThePrimaryWasNotSentThoughItMightHaveBeenIsLeftOut() throws {
    var replayed = (1...20).map { pair($0, primary: json("{\"a\":1}")) }
    replayed[3].attempts.removeLast()
    let report = report(replayed)
    #expect(report.totals.notComparable == ["primary-not-asked": 1] && report.clusters.isEmpty)
    // Of a run without a primary, the recorded answer is what there is.
    #expect(self.report([replayed[3]], asksPrimary: false).totals.different == 1)
  }

  @Test func whatMayChangeSomethingIsHeldAgainstTheRecordingAndNoTimeOfItCounts() throws {
    var replayed = (1...20).map { pair($0, primary: json("{\"a\":1}")) }
    for n in 10..<20 {
      replayed[n].exchange.request = request("POST")
      replayed[n].attempts.removeLast()
    }
    let report = report(replayed)
    #expect(report.evidence.hasLivePrimary && report.evidence.recorded == 10 && report.totals.compared == 20)
    #expect(report.clusters.map(\.endpoint) == ["POST /"] && report.clusters[0].evidence == .noControl)
    #expect(report.verdict.reasons.contains { $0.hasPrefix("10 of the pairs were held against the recorded answers") })
    #expect(report.latency.primary?.count == 10 && report.latency.shadow?.count == 20)
  }

  @Test(arguments: [AttemptOutcome.interrupted, .cancelled])
  func whatWasEndedFromThisSideIsNoError(_ outcome: AttemptOutcome) throws {
    var replayed = (1...20).map { pair($0, primary: json("{\"a\":1}")) }
    for (n, role) in [(0, 0), (1, 1)] {
      replayed[n].attempts[role].outcome = outcome
      replayed[n].attempts[role].response = nil
    }
    let report = report(replayed, gates: [try Gate(parsing: "error.rate == 0"), try Gate(parsing: "regressions == 0")])
    #expect(report.gates.map(\.outcome) == [.passed, .passed])
    #expect(report.totals.notComparable == [outcome.identifier: 2] && report.evidence.primaryFailed == 0)
    #expect(report.totals.errors["cancelled"] == nil)
    #expect(report.verdict.outcome == (outcome == .cancelled ? .pass : .inconclusive))
  }
}

@Suite struct ControlTests {
  private let uuid = { (n: Int) -> String in
    let digits = String(UInt64(n) &* 0x9E37_79B9_7F4A_7C15 | 1 << 63, radix: 16)
    return "\(digits.prefix(8))-\(digits.suffix(4))-4000-8000-\(digits.suffix(12))"
  }

  @Test func whatTheControlShowsAsOftenIsNoise() throws {
    let report = analysed(
      (0..<300).map { n in
        Answers(
          request: request(), recorded: json("{\"a\":1}"), shadow: json("{\"a\":\(n % 10 == 0 ? 2 : 1)}"),
          control: json("{\"a\":\(n % 10 == 5 ? 2 : 1)}"))
      })
    let cluster = try #require(report.clusters.first)
    #expect(cluster.count == 30 && cluster.noise == 30 && !cluster.isConfirmed && cluster.evidence == .noise)
    #expect(try #require(cluster.pValue) > 0.4 && report.verdict.outcome == .pass)
    #expect(report.evidence.controlled == 300 && report.evidence.tested == 1)
    #expect(cluster.explanation.hasSuffix("The control shows it in 30 of 300 pairs: not beyond noise (p = 0.551)."))
  }

  @Test func whatTheControlShowsLessOftenIsConfirmed() throws {
    let report = analysed(
      (0..<300).map { n in
        Answers(
          request: request(), recorded: json("{\"a\":1}"), shadow: json("{\"a\":\(n % 10 == 0 ? 2 : 1)}"),
          control: json("{\"a\":\(n % 100 == 5 ? 2 : 1)}"))
      })
    let cluster = try #require(report.clusters.first)
    #expect(cluster.isConfirmed && cluster.evidence == .significant && cluster.noise == 3)
    #expect(report.verdict.outcome == .fail)
  }

  /// One in three hundred is not beyond chance, unless it is of the kinds that do not wait.
  @Test func onlyRemovedFieldsAndStatusClassesDoNotWait() {
    func evidence(_ odd: HTTPResponse) -> ClusterEvidence? {
      analysed(
        (0..<300).map { n in
          Answers(
            request: request(), recorded: json("{\"a\":1}"), shadow: n == 7 ? odd : json("{\"a\":1}"),
            control: json("{\"a\":1}"))
        }
      ).clusters.first?.evidence
    }
    #expect(evidence(json("{\"a\":2}")) == .noise && evidence(json("{\"a\":\"1\"}")) == .noise)
    #expect(evidence(json("{}")) == .unseenInControl && evidence(json("{\"a\":1}", 500)) == .unseenInControl)
    #expect(evidence(json("{\"a\":1}", 201)) == .noise)
  }

  @Test func statusesThatTheControlGivesTooWait() {
    let report = analysed(
      (0..<300).map { n in
        Answers(
          request: request("GET", n % 2 == 0 ? "/a" : "/b"), recorded: json("{}"),
          shadow: json("{}", n == 4 ? 503 : 200), control: json("{}", n == 5 ? 503 : 200))
      })
    #expect(report.clusters.map(\.evidence) == [.noise] && report.verdict.outcome == .pass)
  }

  @Test func whatIsThereByChanceIsNotMissing() {
    let report = analysed(
      (0..<300).map { n in
        Answers(
          request: request(), recorded: json(n == 1 ? "{\"a\":1}" : "{}"), shadow: json("{}"),
          control: json(n == 1 ? "{\"a\":1}" : n == 2 ? "{\"a\":1}" : "{}"))
      })
    #expect(report.clusters.allSatisfy { !$0.isConfirmed })
  }

  @Test func whatAlwaysDiffersIsCheckedForItsForm() throws {
    func answers(_ shadow: @escaping (Int) -> String) -> [Answers] {
      (0..<200).map { n in
        Answers(
          request: request(), recorded: json("{\"id\":\"\(uuid(n))\"}"), shadow: json("{\"id\":\(shadow(n))}"),
          control: json("{\"id\":\"\(uuid(n + 500))\"}"))
      }
    }
    let same = analysed(answers { "\"\(uuid($0 + 900))\"" })
    #expect(same.clusters.map(\.evidence) == [.untestable] && same.verdict.outcome == .pass)
    let other = analysed(answers { "\"order \($0)\"" })
    #expect(other.clusters.map(\.evidence) == [.significant, .untestable] && other.clusters[0].kind == .type)
    #expect(other.clusters[0].explanation.hasPrefix("/id became text where it was a UUID in 200 of 200"))
    let number = analysed(answers { "\($0)" })
    #expect(number.clusters.first?.kind == .type && number.clusters.first?.isConfirmed == true)
  }

  /// An answer of another class says nothing of the body: such pairs count for neither side there.
  @Test func otherAnswersDoNotCountInTheBody() throws {
    let report = analysed(
      (0..<100).map { n in
        Answers(
          request: request(), recorded: json("{\"a\":1}"), shadow: json("{\"a\":2}"),
          control: n < 40 ? json("{}", 503) : json("{\"a\":1}"))
      })
    #expect(report.evidence.strayed == 40 && report.verdict.reasons.contains { $0.contains("in 40 % of the pairs") })
    let cluster = try #require(report.clusters.first { $0.location == .bodyPath("/a") })
    #expect(cluster.count == 100 && cluster.isConfirmed && cluster.pValue.map { $0 < 1e-17 && $0 > 1e-19 } == true)
  }

  @Test func aControlThatIsDownMeasuresNothing() {
    let report = analysed(
      (0..<50).map { n in
        Answers(
          request: request(), recorded: json("{\"a\":1}"), shadow: json(n < 5 ? "{\"a\":2}" : "{\"a\":1}"),
          control: json("{}", 502))
      })
    #expect(report.clusters.map(\.evidence) == [.noControl] && report.verdict.outcome == .fail)
    let same = analysed(
      (0..<50).map { _ in Answers(request: request(), recorded: json("{}"), shadow: json("{}"), control: json("", 502))
      })
    #expect(same.verdict.outcome == .inconclusive && same.clusters.isEmpty)
  }

  @Test func theLivePrimaryIsWhatIsComparedWith() {
    let report = analysed(
      (0..<20).map { _ in
        Answers(
          request: request(), recorded: json("{\"a\":1}"), shadow: json("{\"a\":2}"), primary: json("{\"a\":2}"),
          control: json("{\"a\":2}"), times: (6, 5))
      })
    #expect(report.clusters.isEmpty && report.evidence.hasLivePrimary && report.totals.attempts == 20)
    #expect(report.latency.primary?.p50 == 5000 && report.latency.shadow?.p50 == 6000)
    let failing = ReplayedExchange(
      exchange: Exchange(
        id: ExchangeID(connection: 1, ordinal: 1), client: local, server: local, request: request(),
        response: json("{}")),
      attempts: [AttemptRole.shadow, .primary].map {
        Attempt(
          exchange: ExchangeID(connection: 1, ordinal: 1), role: $0, scheduled: moment(0), sent: moment(0),
          firstByte: nil, end: moment(1), outcome: $0 == .shadow ? .answered : .timeout,
          response: $0 == .shadow ? json("{}") : nil)
      })
    var analysis = RunAnalysis()
    analysis.add(failing)
    let left = analysis.finish(
      description: report.run, pacing: "max", planned: 1, skipped: [:], ledger: nil)
    #expect(left.totals.notComparable == ["primary-without-answer": 1] && left.verdict.outcome == .inconclusive)
  }

  @Test func valuesMadeAnewAreNoiseWithoutAControl() throws {
    let report = analysed(
      (0..<50).map { n in
        Answers(
          request: request(), recorded: response(200, [("X-Request-Id", uuid(n)), ("X-Count", "\(n)")]),
          shadow: response(200, [("X-Request-Id", uuid(n + 90)), ("X-Count", "\(n)")]))
      })
    #expect(report.clusters.map(\.evidence) == [.volatile] && report.verdict.outcome == .pass)
    #expect(report.verdict.reasons.contains { $0.contains("weaker evidence") })
    let fixed = analysed(
      (0..<50).map { n in
        Answers(
          request: request(), recorded: response(200, [("X-Build", uuid(1))]),
          shadow: response(200, [("X-Build", uuid(2))]))
      })
    #expect(fixed.clusters.map(\.evidence) == [.noControl], "the recording always had the same one")
  }

  // MARK: Latency

  /// - Parameter control: by what the control's times are longer; nil where none is asked.
  private func slowed(
    _ factor: Double, primary: Bool = true, extra: Double = 0, control: Double? = nil, pairs: Int = 400
  ) -> RunReport {
    var random = SplitMix64(seed: 5)
    return analysed(
      (0..<pairs).map { n in
        let base = Double.random(in: 4..<40, using: &random)
        var answers = Answers(
          request: request(), recorded: json("{}"), shadow: json("{}"), primary: primary ? json("{}") : nil,
          control: control == nil ? nil : json("{}"),
          times: (
            base * factor + extra + Double.random(in: 0..<4, using: &random),
            base + Double.random(in: 0..<4, using: &random)
          ))
        if let control { answers.controlTime = base * control + Double.random(in: 0..<4, using: &random) }
        return answers
      })
  }

  @Test func fewPairsSayNothingOfLatency() throws {
    #expect(slowed(3, pairs: 29).clusters.isEmpty)
    #expect(try #require(slowed(3, pairs: 30).clusters.first).isConfirmed)
  }

  @Test func whatSlowsTheControlAsWellIsNoFinding() throws {
    #expect(slowed(1.4, control: 1.4).clusters.isEmpty)
    let cluster = try #require(slowed(1.4, control: 1).clusters.first)
    #expect(cluster.location == .latency && cluster.explanation.contains("pairs, the control in "))
  }

  @Test func slowerAnswersAreAFinding() throws {
    let cluster = try #require(slowed(1.4).clusters.first)
    #expect(cluster.location == .latency && cluster.isConfirmed && cluster.severity == .medium)
    #expect(cluster.explanation.hasPrefix("Answers of GET / are slower: their median is"))
    #expect(slowed(1).clusters.isEmpty && slowed(0.5).clusters.isEmpty && slowed(1, extra: 0.3).clusters.isEmpty)
    #expect(slowed(1.4, primary: false).clusters.isEmpty, "recorded times were taken elsewhere")
    let intervals = try #require(slowed(1.4).endpoints[0].latency.intervals)
    let median = try #require(intervals.p50)
    #expect(intervals.samples == 400 && median.low < median.value && median.value < median.high && median.low > 1.1)
    #expect(intervals.p99 == nil && slowed(1).latency.curve.count > 20)
  }

  // MARK: Verdict

  @Test func aGreenThatMeansNothingIsNotPrinted() {
    let same = (0..<10).map { _ in Answers(request: request(), recorded: json("{}"), shadow: json("{}")) }
    #expect(analysed(same).verdict.outcome == .pass)
    let few = analysed(Array(same.prefix(3)))
    #expect(few.verdict.outcome == .inconclusive && few.verdict.reasons[0].contains("up to 100 %"))
    let opened = analysed(same, skipped: ["breaker-open": 4])
    #expect(opened.verdict.outcome == .inconclusive && opened.verdict.reasons[0].hasPrefix("The breaker opened: 4 of"))
    var ledger = Ledger()
    (ledger[.exchangesComplete], ledger[.exchangesIncomplete]) = (8, 2)
    #expect(analysed(same, ledger: ledger).verdict.outcome == .inconclusive)
    let gate = Gate(metric: .completeness, comparison: .greaterOrEqual, value: 0.5, text: "completeness >= 50%")
    #expect(analysed(same, gates: [gate], ledger: ledger).verdict.outcome == .pass)
  }

  @Test func aBaselineLeavesOnlyWhatIsNew() throws {
    func answers(price: Int, missing: Int) -> [Answers] {
      (0..<200).map { n in
        Answers(
          request: request(), recorded: json("{\"price\":1,\"stock\":1}"),
          shadow: json(n < missing ? "{\"price\":1}" : "{\"price\":\(n >= 200 - price ? "\"1\"" : "1"),\"stock\":1}"))
      }
    }
    let before = BaselineFindings(analysed(answers(price: 40, missing: 0)))
    let same = analysed(answers(price: 44, missing: 0), baseline: before)
    #expect(same.clusters.map(\.isKnown) == [true] && same.verdict.outcome == .pass && same.evidence.baseline == "r")
    let new = analysed(answers(price: 40, missing: 20), baseline: before)
    #expect(new.clusters.map(\.isKnown) == [false, true] && new.clusters[0].location == .bodyPath("/stock"))
    #expect(new.verdict.outcome == .fail && new.gates[0].value == 1)
    #expect(
      analysed(answers(price: 120, missing: 0), baseline: before).clusters.map(\.isKnown) == [false], "more often")
  }
}
