import HTTPModel
import ResponseDiff
import Testing

@testable import Reporting

@Suite struct TextReportTests {
  private static let samples = [
    ("failing", SampleReports.failing), ("green", SampleReports.green), ("inconclusive", SampleReports.inconclusive),
    ("empty", SampleReports.empty),
  ]

  @Test(arguments: 0..<4) func printsWhatWasApproved(_ index: Int) throws {
    let (name, report) = TextReportTests.samples[index]
    try expectGolden(report.rendered(as: .text, options: ReportOptions(runFile: "day.umbra-run")), name + ".txt")
  }

  private static let texts = [
    SampleReports.hostileText, String(repeating: "漢字", count: 200), String(repeating: "e\u{301}🙂", count: 90),
    String(repeating: "long-word", count: 40), "a b " + String(repeating: "x", count: 81) + " c", "",
  ]

  @Test(arguments: texts.indices) func noLineIsWiderThan80ColumnsAndNothingIsObeyed(_ index: Int) {
    let text = TextReportTests.texts[index]
    var report = SampleReports.filled(with: text)
    let options = ReportOptions(runFile: text)
    let whole = String(decoding: report.rendered(as: .text, options: options), as: UTF8.self)
    #expect(!whole.unicodeScalars.contains { $0 != "\n" && $0 != "\t" && isInvisible($0) })
    // A word of a command that is to be pasted is as wide as it is.
    for index in report.clusters.indices { report.clusters[index].smallest?.command = nil }
    let plain = String(decoding: report.rendered(as: .text, options: options), as: UTF8.self)
    for line in plain.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
      let line = String(line)
      #expect(columns(of: line) <= 80, "\(line)")
      #expect(!line.unicodeScalars.contains { isInvisible($0) }, "\(line.debugDescription)")
    }
  }

  @Test func commandsAreBrokenBetweenTheirWords() {
    let command =
      "curl -i -H 'X-A: it'\\''s a b c' -H $'X: it\\'s' 'http://canary:8080/" + String(repeating: "x", count: 60) + "'"
    let lines = commandLines(command, width: 40)
    #expect(
      lines == [
        "curl -i -H 'X-A: it'\\''s a b c' -H \\", "  $'X: it\\'s' \\",
        "  'http://canary:8080/" + String(repeating: "x", count: 60) + "'",
      ])
    let pasted = lines.map { $0.hasSuffix(" \\") ? String($0.dropLast(2)) : $0 }
    #expect(pasted.map { $0.drop { $0 == " " } }.joined(separator: " ") == command)
    #expect(commandLines("curl", width: 40) == ["curl"])
  }

  @Test func largeNumbersFit() {
    var report = SampleReports.failing
    let most = UInt64.max
    report.totals = RunTotals(
      attempts: most, answered: most, errors: ["timeout": most], compared: most, different: most, statuses: [200: most])
    report.schedule.late = most
    report.schedule.durationSeconds = .infinity
    let times = Quantiles(
      count: most, mean: .nan, p50: 1e300, p90: -1, p95: .infinity, p99: 9e18, p999: 1e19, max: .greatestFiniteMagnitude
    )
    report.latency = LatencySummary(primary: times, shadow: times, shadowFromSchedule: times)
    for index in report.endpoints.indices {
      report.endpoints[index] = EndpointSummary(
        endpoint: "GET /", compared: most, different: most, errors: most, statuses: [65535: most],
        latency: report.latency)
    }
    for index in report.gates.indices { report.gates[index].value = index == 0 ? -.infinity : 1.5e308 }
    for index in report.clusters.indices { (report.clusters[index].count, report.clusters[index].noise) = (most, most) }
    for format in ReportFormat.allCases {
      let text = String(decoding: report.rendered(as: format), as: UTF8.self)
      #expect(!text.isEmpty)
      if format == .text { for line in text.split(separator: "\n") { #expect(columns(of: line) <= 80, "\(line)") } }
    }
  }

  @Test func colorsAreOnlyAddedWhenAskedFor() throws {
    let plain = SampleReports.failing.rendered(as: .text)
    let colored = SampleReports.failing.rendered(as: .text, options: ReportOptions(usesColor: true))
    #expect(!plain.contains(0x1b))
    #expect(colored.contains(0x1b))
    let stripped = String(decoding: colored, as: UTF8.self).replacing(try Regex("\u{1b}\\[[0-9;]*m"), with: "")
    #expect(Array(stripped.utf8) == plain)
  }

  @Test func aLongListEndsWithWhatIsLeftOut() {
    let text = String(decoding: SampleReports.large(clusters: 200).rendered(as: .text), as: UTF8.self)
    #expect(text.contains("… and 160 more, none worse"))
  }

  @Test func commandsAreQuotedForAShell() {
    let exchange = ExchangeID(connection: 7, ordinal: 3)
    #expect(ReportOptions(runFile: "a/b-1.umbra-run").showCommand(exchange) == "umbra show a/b-1.umbra-run --id 7-3")
    #expect(ReportOptions(runFile: "my run's").showCommand(exchange) == #"umbra show 'my run'\''s' --id 7-3"#)
    #expect(ReportOptions(runFile: "").showCommand(exchange) == "umbra show '' --id 7-3")
  }

  @Test func pathsAreShortenedInTheMiddleAndValuesAroundTheDifference() {
    #expect(shortened("GET /api/v1/customers/{id}/orders", to: 21) == "GET /api/v…id}/orders")
    let (a, b) = shortenedPair(String(repeating: "x", count: 60) + "1", String(repeating: "x", count: 60) + "2", to: 30)
    #expect(a == "…xxxxxxxx1" && b == "…xxxxxxxx2")
  }

  @Test(arguments: [
    (0.0, "0%"), (1, "100%"), (0.00005, "<0.01%"), (0.99999, ">99.99%"), (0.0123, "1.2%"), (0.001, "0.10%"),
    (2.5, "250.0%"), (.nan, "–"),
  ])
  func percentagesNeverRoundToAllOrNothing(_ share: Double, _ text: String) {
    #expect(Figure.percent(share) == text)
  }

  @Test(arguments: [
    (0.0, "0.0us"), (9.99, "10.0us"), (870, "870us"), (999.6, "1.00ms"), (12_345, "12.3ms"), (999_600, "1.00s"),
    (4_200_000, "4.20s"), (-1, "–"), (.infinity, "–"),
  ])
  func timesHaveThreeDigits(_ microseconds: Double, _ text: String) {
    #expect(Figure.time(microseconds: microseconds) == text)
  }
}
