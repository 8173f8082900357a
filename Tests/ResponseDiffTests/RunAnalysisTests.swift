import Glibc
import HTTPModel
import Testing

@testable import ResponseDiff

private let local = TransportAddress(address: IPAddress(v4: 0x7f00_0001), port: 80)

/// An exchange recorded in 5 ms, answered by the shadow in 7 ms after being sent `late` ms after it was due.
private func replayed(
  _ number: UInt32, _ request: HTTPRequest, _ expected: HTTPResponse?, _ actual: HTTPResponse?,
  outcome: AttemptOutcome = .answered, late: Int64 = 0
) -> ReplayedExchange {
  var expected = expected
  expected?.timing = timing(from: 5, to: 5)
  let id = ExchangeID(connection: 1, ordinal: number)
  let due = Int64(number) * 10
  return ReplayedExchange(
    exchange: Exchange(id: id, client: local, server: local, request: request, response: expected),
    attempts: [
      Attempt(
        exchange: id, scheduled: moment(due), sent: outcome == .connectionRefused ? nil : moment(due + late),
        firstByte: nil,
        end: moment(due + late + 7), outcome: outcome, response: actual)
    ])
}

private let description = RunDescription(
  id: "r", started: moment(0), session: "day.umbra", targets: ["http://canary:8080/=2"], toolVersion: "0",
  command: ["umbra"])

private func report(
  _ pairs: [ReplayedExchange], options: AnalysisOptions = AnalysisOptions(minimumPairs: 1), gates: [String] = [],
  skipped: [String: UInt64] = [:], ledger: Ledger? = nil,
  pacing: String = "1x"
) throws -> RunReport {
  var analysis = RunAnalysis(options: options)
  for pair in pairs { analysis.add(pair) }
  return analysis.finish(
    description: description, pacing: pacing, planned: UInt64(pairs.count), skipped: skipped, ledger: ledger,
    gates: try gates.map { try Gate(parsing: $0) })
}

@Suite struct RunAnalysisTests {
  @Test func equalPairsPassWithTheRuleOfThree() throws {
    let report = try report(
      (1...100).map { replayed($0, request("GET", "/items/\($0)"), json("{\"a\":1}"), json("{\"a\":1}")) })
    #expect(report.verdict.outcome == .pass && report.gates.map(\.gate) == ["regressions == 0"])
    #expect(report.verdict.reasons.contains { $0.contains("fewer than 3 % of answers differ, at 95 %") })
    #expect(report.totals.compared == 100 && report.totals.different == 0 && report.totals.statuses == [200: 100])
    #expect(report.endpoints.map(\.endpoint) == ["GET /items/{id}"] && report.clusters.isEmpty)
    #expect(
      report.latency.primary?.p50 == 5000 && report.latency.shadow?.p99 == 7000
        && report.latency.shadowFromSchedule?.count == 100)
    #expect(report.schedule.sent == 100 && report.schedule.late == 0 && report.schedule.lag?.max == 0)
    #expect(abs(report.schedule.durationSeconds - 0.997) < 1e-9)
  }

  @Test func methodsOfOnePathAreEndpointsOfTheirOwn() throws {
    let methods = ["GET", "PUT", "GET", "SUBSCRIBE", "PUT", "DELETE", "GET", "SUBSCRIBE"]
    let report = try report(
      (1...800).map { replayed($0, request(methods[Int($0) % 8], "/items/\($0)"), json("{}"), json("{}")) })
    let counts = Dictionary(uniqueKeysWithValues: report.endpoints.map { ($0.endpoint, $0.compared) })
    #expect(
      counts == [
        "GET /items/{id}": 300, "PUT /items/{id}": 200, "SUBSCRIBE /items/{id}": 200, "DELETE /items/{id}": 100,
      ])
  }

  @Test(arguments: [true, false])
  func manyQuantilesAreThoseTakenOneByOne(isPrecise: Bool) {
    var generator = SplitMix64(seed: 5)
    for count in [1, 2, 3, 10, 1000, 20_000] {
      var histogram = LatencyHistogram(isPrecise: isPrecise)
      for _ in 0..<count {
        let scale = Double.random(in: 0...12, using: &generator)
        histogram.record(nanoseconds: Int64(Double.random(in: 0...10, using: &generator) * pow(10, scale)))
      }
      let percentiles = ([0, 50, 90, 99, 99.9, 100] + (0..<200).map { Double($0) / 2 }).sorted()
      #expect(histogram.values(at: percentiles) == percentiles.map { histogram.value(at: $0) })
    }
  }

  @Test func answersToWhatThePrimaryNeverAnsweredCountForTheShadowAlone() throws {
    let report = try report(
      (1...30).map {
        replayed($0, request("GET", "/"), $0 % 3 == 0 ? nil : json("{}"), json("{}"), late: Int64($0 % 2))
      })
    let latency = report.latency
    #expect(latency.primary?.count == 20 && latency.shadow?.count == 30 && latency.shadow?.mean == 7000)
    #expect(latency.intervals?.samples == 20 && latency.shadowFromSchedule?.count == 30)
  }

  @Test func statusesAreCountedWhateverTheirOrder() {
    var generator = SplitMix64(seed: 3)
    var counts = StatusCounts()
    var expected: [UInt16: UInt64] = [:]
    for _ in 0..<5000 {
      let status = UInt16.random(in: 200...230, using: &generator)
      counts.count(status)
      expected[status, default: 0] += 1
    }
    #expect(counts.table == expected)
  }

  /// Lines that stand where they stood before are known at a glance: those that moved, changed or share their octets
  /// with another name must not be taken for them.
  @Test func whatSeparatesIsFoundInWhateverOrderFieldsCome() throws {
    var generator = SplitMix64(seed: 11)
    let pairs = (1...600).map { number -> ReplayedExchange in
      let isAffected = Int.random(in: 0..<3, using: &generator) == 0
      var fields = [("Accept", "*/*"), ("X-Flavour", isAffected ? "vanilla" : "mint"), ("User-Agent", "shop/1.0")]
      if Bool.random(using: &generator) { fields.append(("X-Flavourva", "nilla")) }
      if Int.random(in: 0..<4, using: &generator) > 0 { fields.shuffle(using: &generator) }
      let sent = request("GET", "/items", fields)
      return replayed(UInt32(number), sent, json("{\"a\":1}"), json(isAffected ? "{\"a\":2}" : "{\"a\":1}"))
    }
    let report = try report(pairs)
    #expect(
      report.clusters.first?.features == [
        SeparatingFeature(text: "header x-flavour: vanilla", isAbsent: false, affected: 1, others: 0)
      ])
  }

  /// What is remembered of a line is as long as the line: a table that a file brings may put parts anywhere.
  @Test func onlyLinesInOrderAreRemembered() throws {
    func isLine(_ name: Range<UInt32>, _ value: Range<UInt32>) -> Bool {
      FeatureTable.isLine(
        FieldRange(
          nameStart: name.lowerBound, nameEnd: name.upperBound, valueStart: value.lowerBound, valueEnd: value.upperBound
        ))
    }
    #expect(isLine(10..<14, 16..<20) && isLine(10..<14, 14..<14) && isLine(10..<14, 150..<202))
    #expect(!isLine(10..<14, 2..<20) && !isLine(10..<14, 2..<8) && !isLine(10..<300, 12..<15))
    #expect(!isLine(10..<14, 16..<203) && !isLine(10..<10, 12..<14) && !isLine(10..<14, 12..<16))
    var generator = SplitMix64(seed: 13)
    let pairs = (1...400).map { number -> ReplayedExchange in
      var sent = request("GET", "/items", (0..<12).map { ("name-\($0)", String(repeating: "v", count: 40)) })
      let count = UInt32(sent.fields.storage.count)
      for index in sent.fields.ranges.indices {
        let places = (0..<4).map { _ in UInt32.random(in: 0...count, using: &generator) }
        sent.fields.ranges[index] = FieldRange(
          nameStart: min(places[0], places[1]), nameEnd: max(places[0], places[1]),
          valueStart: min(places[2], places[3]), valueEnd: max(places[2], places[3]))
      }
      return replayed(UInt32(number), sent, json("{}"), json("{}"))
    }
    #expect(try report(pairs).totals.compared == 400)
  }

  @Test func differencesBecomeOneCluster() throws {
    let pairs = (1...10).map { number in
      replayed(
        number, request("GET", "/items/\(number)"), json("{\"l\":[{\"p\":1},{\"p\":2}]}"),
        json(number <= 4 ? "{\"l\":[{\"p\":\"1\"},{\"p\":\"2\"}]}" : "{\"l\":[{\"p\":1},{\"p\":2}]}"))
    }
    let report = try report(pairs)
    let cluster = try #require(report.clusters.first)
    #expect(report.clusters.count == 1 && report.verdict.outcome == .fail)
    #expect(
      "\(cluster.location)" == "body:/l/*/p" && cluster.kind == .type && cluster.severity == .high
        && cluster.isConfirmed)
    #expect(cluster.count == 4 && cluster.compared == 10 && cluster.noise == nil && cluster.pValue == nil)
    #expect(cluster.examples.map(\.exchange.ordinal) == [1, 2, 3])
    #expect(cluster.examples[0].requestLine == "GET /items/1: 200 recorded, 200 from the shadow")
    #expect(cluster.examples[0].curl == "curl -i -H 'Host: shop' 'http://canary:8080/items/1'")
    #expect(cluster.examples[0].actualText.hasSuffix("\"p\": \"2\"\n    }\n  ]\n}"))
    #expect(
      cluster.explanation.hasPrefix(
        "/l/*/p became text in 4 of 10 answers of GET /items/{id}, as from 1 to \"1\"."))
    #expect(cluster.explanation.contains("weaker evidence"))
    #expect(report.gates[0].outcome == .crossed && report.gates[0].value == 1)
  }

  @Test func clusterIdentifiersAreStable() throws {
    func id(_ value: Int) throws -> String? {
      try report([replayed(1, request(), json("{\"a\":1}"), json("{\"a\":\(value)}"))]).clusters.first?.id
    }
    #expect(try id(2) == id(3) && id(2)?.count == 16)
  }

  @Test func infoIsNoRegression() throws {
    let report = try report([replayed(1, request(), json("{\"a\":1,\"b\":2}"), json("{\"b\":2,\"a\":1}"))])
    #expect(report.clusters.map(\.severity) == [.info] && report.clusters.map(\.isConfirmed) == [false])
    #expect(report.verdict.outcome == .pass && report.totals.different == 0)
  }

  @Test func noAnswerIsADifference() throws {
    let report = try report(
      [
        replayed(1, request(), json("{}"), nil, outcome: .timeout),
        replayed(2, request(), json("{}"), nil, outcome: .connectionRefused),
        replayed(3, request(), json("{}"), json("{}")),
      ], gates: ["error.rate < 50%"])
    #expect(report.totals.errors == ["timeout": 1, "connection-refused": 1] && report.totals.answered == 1)
    #expect(
      report.clusters.map(\.location) == [.answer] && report.clusters[0].count == 2
        && report.clusters[0].severity == .high)
    #expect(report.clusters[0].examples[0].actualText.hasPrefix("no answer: timeout"))
    #expect(report.verdict.outcome == .fail && report.endpoints[0].errors == 2 && report.schedule.sent == 2)
  }

  @Test func whatCannotBeComparedIsCounted() throws {
    var part = json("{}")
    part.body.isComplete = false
    let report = try report([
      replayed(1, request(), nil, json("{}")), replayed(2, request(), part, json("{}")),
      replayed(3, request(), json("{}"), nil, outcome: .interrupted),
    ])
    #expect(
      report.totals.notComparable == ["no-recorded-response": 1, "recorded-response-incomplete": 1, "interrupted": 1])
    #expect(report.totals.compared == 0 && report.verdict.outcome == .inconclusive)
    #expect(report.verdict.reasons.first?.hasPrefix("No pair could be compared") == true)
  }

  @Test func emptyRunIsInconclusive() throws {
    let report = try report([])
    #expect(report.verdict.outcome == .inconclusive && report.verdict.reasons[0].hasPrefix("Nothing was sent"))
    #expect(report.latency.primary == nil && report.schedule.lag == nil && report.schedule.durationSeconds == 0)
  }

  @Test func interruptedRunIsInconclusiveUnlessAGateIsCrossed() throws {
    let same = replayed(1, request(), json("{}"), json("{}"))
    let other = replayed(2, request(), json("{}"), json("{\"a\":1}"))
    #expect(try report([same], skipped: ["interrupted": 5]).verdict.outcome == .inconclusive)
    #expect(try report([same, other], skipped: ["interrupted": 5]).verdict.outcome == .fail)
    #expect(try report([same], skipped: ["unsafe-method": 5]).verdict.outcome == .pass)
  }

  @Test func latenessMakesARunInconclusive() throws {
    let pairs = (1...10).map { replayed($0, request(), json("{}"), json("{}"), late: $0 <= 2 ? 11 : 10) }
    let late = try report(pairs)
    #expect(late.schedule.late == 2 && late.verdict.outcome == .inconclusive)
    #expect(try report(pairs, pacing: "max").verdict.outcome == .pass)
    #expect(late.latency.shadow?.max == 7000 && late.latency.shadowFromSchedule?.max == 18_000)
  }

  @Test func gateWithoutEvidenceIsInconclusive() throws {
    let report = try report([replayed(1, request(), json("{}"), json("{}"))], gates: ["latency.p99 < 1s"])
    #expect(report.gates[0].outcome == .noEvidence && report.verdict.outcome == .inconclusive)
  }

  @Test func completenessIsSaid() throws {
    var ledger = Ledger()
    (ledger[.exchangesComplete], ledger[.exchangesIncomplete]) = (9, 1)
    let report = try report(
      [replayed(1, request(), json("{}"), json("{}"))], gates: ["completeness >= 99%"], ledger: ledger)
    #expect(report.gates[0].value == 0.9 && report.verdict.outcome == .fail)
    #expect(report.verdict.reasons.contains { $0.contains("90 % complete") })
  }

  @Test func endpointsAreBounded() throws {
    let options = AnalysisOptions(endpointLimit: 3, minimumPairs: 1)
    let pairs = (1...50).map {
      replayed($0, request($0 % 2 == 0 ? "GET" : "M\($0)", "/p\($0)x"), json("{}"), json("{}"))
    }
    let report = try report(pairs, options: options)
    #expect(Set(report.endpoints.map(\.endpoint)) == ["M1 /p1x", "GET /p2x", "M3 /p3x", "GET /…other", "* /…other"])
    #expect(report.endpoints.map(\.compared).reduce(0, +) == 50 && report.endpoints[0].compared > 20)
  }

  @Test func clustersAreBoundedAndSaySo() throws {
    let pairs = (1...20).map {
      replayed($0, request(), json("{\"k\($0)\":1,\"j\($0)\":1}"), json("{\"k\($0)\":2,\"j\($0)\":\"\"}"))
    }
    let report = try report(pairs, options: AnalysisOptions(clusterLimit: 5))
    #expect(report.clusters.count == 4, "what comes together is one")
    let overflow = try #require(report.clusters.first { $0.endpoint == "…" })
    #expect(overflow.count == 18 && overflow.severity == .high && overflow.examples.count == 3)
    #expect(overflow.explanation.contains("limit of 5"))
  }

  @Test func worstComesFirst() throws {
    let report = try report([
      replayed(1, request(), json("{\"a\":1,\"b\":1,\"c\":1}"), json("{\"a\":2,\"b\":1,\"d\":1}")),
      replayed(2, request(), json("{\"a\":1}"), json("{\"a\":2}")),
      replayed(3, request(), json("{\"e\":1}"), json("{\"e\":2}")),
    ])
    #expect(report.clusters.map { "\($0.location)" } == ["body:/c", "body:/a", "body:/e"])
    #expect(report.clusters[0].related.map { "\($0.location)" } == ["body:/d"], "it comes with what went")
  }

  @Test func exampleTextsAreCut() throws {
    let big = "{\"a\":\"" + String(repeating: "x", count: 200_000) + "\"}"
    let report = try report([replayed(1, request(), json(big), json(big + " x"))])
    let example = try #require(report.clusters.first?.examples.first)
    #expect(example.expectedText.utf8.count <= 64 << 10 + 3 && example.expectedText.hasSuffix("…"))
    #expect(example.actualText.utf8.count <= (64 << 10) + 3)
  }

  @Test(
    arguments: [
      (
        request("POST", "/a?b='c'", [("X-E", ""), ("Content-Length", "3")], body: "a'b"),
        "curl -i -X 'POST' -H 'X-E;' --data-raw 'a'\\''b' 'http://shop/a?b='\\''c'\\'''"
      ),
      (request("HEAD", "/a/../[b]"), "curl -i --path-as-is --globoff --head 'http://shop/a/../[b]'"),
      (
        request("PUT", "/", [], body: "\u{1}\\"),
        "curl -i -X 'PUT' --data-raw $'\\001\\\\' 'http://shop/'"
      ),
      (
        request("PUT", "/", [], body: "\0"),
        "curl -i -X 'PUT' 'http://shop/'  # and a body of 1 bytes, not shown"
      ),
      (request("GET", "http://other/x"), "curl -i -H 'Host: shop' 'http://other/x'"),
    ] as [(HTTPRequest, String)])
  func curlCommands(request: HTTPRequest, command: String) {
    #expect(CurlCommand(request, isTLS: false).text(base: nil) == command)
  }

  @Test(
    arguments: [
      ("http://canary:8080/v2/=3", "curl -i -H 'Host: shop' 'http://canary:8080/v2/a?b=1'"),
      ("https://shop", "curl -i 'https://shop/a?b=1'"),
      ("h2c://canary:81", "curl -i --http2-prior-knowledge -H 'Host: shop' 'http://canary:81/a?b=1'"),
      ("http+unix:///run/a.sock", "curl -i --unix-socket '/run/a.sock' -H 'Host: shop' 'http://localhost/a?b=1'"),
    ])
  func curlCommandsAskTheTarget(base: String, command: String) {
    #expect(CurlCommand(request("GET", "/a?b=1"), isTLS: false).text(base: base) == command)
  }
}
