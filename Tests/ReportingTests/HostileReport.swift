// A report in which every string that could come off the wire, or from a file's name, is the one given.

import HTTPModel
import ResponseDiff

extension SampleReports {
  static let hostileText =
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)></style></title></pre>]]>--><!--{{x}}{{{y}}}{{/z}}"
    + "\u{0}\u{7}\u{1b}[31m\u{1b}]0;t\u{7}\u{9b}2J\u{202e}\u{2066}\u{200f}\u{feff}\u{2028}\u{e0041}"
    + "\"\u{301} onload=alert(1) '\u{301}<\u{301}&\u{301}\r\n\ttail"

  static func filled(with text: String) -> RunReport {
    // Swift takes CR LF for one character, so that line feeds are found by scalar.
    let line = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\n" }))
    var report = failing
    report.run = RunDescription(
      id: text, started: report.run.started, session: text, targets: [text, text], toolVersion: text,
      command: [text, text])
    report.verdict.reasons = [text, text]
    report.gates = report.gates.map { GateResult(gate: text, value: $0.value, outcome: $0.outcome, explanation: text) }
    report.schedule.pacing = text
    report.schedule.skipped = [text: 3]
    report.totals.errors = [text: 3]
    report.evidence.baseline = text
    report.totals.notComparable = [text: 1]
    for index in report.endpoints.indices { report.endpoints[index].endpoint = text }
    let locations: [DifferenceLocation] = [
      .answer, .status, .header(text), .trailer(text), .body, .bodyPath(text), .bodyPath(text), .bodyPath(text),
    ]
    for (index, location) in zip(report.clusters.indices, locations) {
      var cluster = report.clusters[index]
      cluster.id = text
      cluster.endpoint = text
      cluster.location = location
      cluster.explanation = text
      cluster.smallest = SmallestRequest(
        state: .limited, exchange: nil, asked: 100, needed: [text], command: text, primaryCommand: text,
        explanation: text)
      cluster.features = cluster.features.map {
        SeparatingFeature(text: text, isAbsent: $0.isAbsent, affected: $0.affected, others: $0.others)
      }
      cluster.related = cluster.related.map {
        RelatedPlace(id: text, location: location, kind: $0.kind, severity: $0.severity, count: $0.count)
      }
      cluster.examples = cluster.examples.map { example in
        let difference = Difference(
          location: location, kind: cluster.kind, severity: cluster.severity, expected: text, actual: text + text)
        return DifferenceExample(
          exchange: example.exchange, requestLine: text, difference: difference,
          expectedText: "name: " + line + "\n\na\nb\nc\nd\ne\nf\ng\nh\nold",
          actualText: "other\n\na\nb\nc\nd\ne\nf\ng\nh\n" + line, curl: text)
      }
      report.clusters[index] = cluster
    }
    return report
  }
}
