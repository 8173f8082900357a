// A RunReport for a terminal: the verdict first, the worst findings next, 80 columns at most, legible without colour.
// Bounds: `findingLimit` findings and `endpointLimit` endpoints; the line that ends each list says what is left out.

import HTTPModel
import ResponseDiff

struct TextReport {
  private static let findingLimit = 40
  private static let endpointLimit = 20

  private let report: RunReport
  private let options: ReportOptions
  private var text = ""

  static func write(_ report: RunReport, options: ReportOptions) -> [UInt8] {
    var writer = TextReport(report: report, options: options)
    writer.verdict()
    writer.gates()
    writer.findings()
    writer.suppressions()
    writer.endpoints()
    writer.latency()
    writer.totals()
    writer.capture()
    return Array(writer.text.utf8)
  }

  private init(report: RunReport, options: ReportOptions) {
    self.report = report
    self.options = options
  }

  // MARK: Parts

  private mutating func verdict() {
    let outcome = report.verdict.outcome
    let word = outcome.rawValue.uppercased()
    let reasons = report.verdict.reasons.map { visible($0) }
    let lead = wrapped(reasons.first ?? "", to: textWidth - word.count - 2)
    line(paint(word, outcome.ink) + (lead.isEmpty ? "" : "  " + paint(lead[0], .bold)))
    let indent = String(repeating: " ", count: word.count + 2)
    for rest in lead.dropFirst() { line(indent + paint(rest, .bold)) }
    for reason in reasons.dropFirst() { paragraph(reason, indent: indent) }
    line()
    let run = report.run
    let from = run.session + (run.targets.isEmpty ? "" : " → " + run.targets.joined(separator: ", "))
    line("  " + paint(shortened(visible(from), to: textWidth - 2), .dim))
    let what = "run \(run.id), \(run.started.toSeconds), umbra \(run.toolVersion)"
    line("  " + paint(shortened(visible(what), to: textWidth - 2), .dim))
    for part in wrapped(visible(report.comparison), to: textWidth - 2) { line("  " + paint(part, .dim)) }
  }

  private mutating func gates() {
    guard !report.gates.isEmpty else { return }
    heading("Gates")
    for gate in report.gates {
      let value = gate.value.map(Figure.value) ?? "–"
      let name = shortened(visible(gate.gate), to: 48)
      line(
        "  " + paint(padded(gate.outcome.word, to: 12), gate.outcome.ink) + padded(name, to: 50)
          + shortened(value, to: 16))
      if gate.outcome != .passed { paragraph(visible(gate.explanation), indent: "              ") }
    }
  }

  private mutating func findings() {
    let counts = DifferenceSeverity.allCases.compactMap { severity -> String? in
      let count = report.clusters.count { $0.severity == severity }
      return count > 0 ? "\(Figure.count(UInt64(count))) \(severity.rawValue)" : nil
    }
    heading("Findings", note: counts.isEmpty ? "none" : counts.joined(separator: ", "))
    for cluster in report.clusters.prefix(TextReport.findingLimit) { finding(cluster) }
    let rest = report.clusters.count - TextReport.findingLimit
    if rest > 0 {
      line()
      paragraph(
        "… and \(Figure.count(UInt64(rest))) more, none worse: the HTML and JSON reports hold them.", indent: "  ")
    }
  }

  private mutating func finding(_ cluster: DifferenceCluster) {
    line()
    let severity = cluster.severity.rawValue.uppercased()
    let (endpoint, place) = shortenedPair(
      visible(cluster.endpoint), visible(cluster.location.description), to: textWidth - 21)
    line(
      "  " + paint(padded(severity, to: 8), cluster.severity.ink)
        + "\(paint(endpoint, .bold))  \(paint(place, .bold))  \(cluster.kind.rawValue)")
    var share =
      "\(Figure.count(cluster.count)) of \(Figure.count(cluster.compared))"
      + " (\(Figure.percent(cluster.count, of: cluster.compared)))"
    if let noise = cluster.noise { share += ", in the control \(Figure.count(noise))" }
    if let pValue = cluster.pValue { share += ", p = \(Figure.value(pValue))" }
    if cluster.isKnown { share += ", known from the baseline" }
    if !cluster.isConfirmed, cluster.severity != .info { share += ", not confirmed" }
    paragraph(share, indent: "          ")
    paragraph(visible(cluster.explanation), indent: "          ")
    defer { if let smallest = cluster.smallest { self.smallest(smallest) } }
    guard let example = cluster.examples.first else { return }
    let (expected, actual) = shortenedPair(
      visible(example.difference.expected ?? "(nothing)"), visible(example.difference.actual ?? "(nothing)"),
      to: textWidth - 13)
    line("          \(expected) \(paint("→", .dim)) \(actual)")
    line("          " + paint(showHint(example.exchange, to: textWidth - 10), .dim))
  }

  private mutating func smallest(_ smallest: SmallestRequest) {
    paragraph(visible(smallest.explanation), indent: "          ")
    guard let command = smallest.command else { return }
    for part in commandLines(visible(command, keepsLines: true), width: textWidth - 12) { line("          " + part) }
  }

  private mutating func suppressions() {
    let rows = report.suppressions
    guard !rows.isEmpty else { return }
    heading("Suppressions", note: rows.summary)
    for row in rows.prefix(TextReport.findingLimit) {
      let ink: Ink = row.state == .used ? .dim : .yellow
      line(
        "  " + paint(padded(row.state.rawValue, to: 12), ink) + padded(shortened(visible(row.rule), to: 48), to: 50)
          + rightAligned("\(Figure.count(row.hits)) \(row.hits == 1 ? "hit" : "hits")", to: 14))
      if !row.origin.isEmpty { paragraph(visible(row.origin), indent: "              ") }
      if let advice = row.advice { paragraph(advice, indent: "              ") }
    }
    let rest = rows.count - TextReport.findingLimit
    if rest > 0 { line("  … and \(Figure.count(UInt64(rest))) more") }
  }

  private mutating func endpoints() {
    guard !report.endpoints.isEmpty else { return }
    let columns = rightAligned("compared", to: 10) + rightAligned("different", to: 20) + rightAligned("errors", to: 9)
    heading("Endpoints", columns: columns)
    for endpoint in report.endpoints.prefix(TextReport.endpointLimit) {
      let different =
        "\(Figure.count(endpoint.different)) \(rightAligned(Figure.percent(endpoint.different, of: endpoint.compared), to: 7))"
      let counts =
        padded(shortened(visible(endpoint.endpoint), to: 38), to: 39)
        + rightAligned(Figure.count(endpoint.compared), to: 10) + rightAligned(different, to: 20)
        + rightAligned(Figure.count(endpoint.errors), to: 9)
      line("  " + shortened(counts, to: textWidth - 2))
      let latency = endpoint.latency
      guard latency.primary != nil || latency.shadow != nil else { continue }
      func sides(_ name: String, _ quantile: (Quantiles) -> Double) -> String {
        let primary = latency.primary.map { Figure.time(microseconds: quantile($0)) } ?? "–"
        let shadow = latency.shadow.map { Figure.time(microseconds: quantile($0)) } ?? "–"
        return padded("\(name) \(primary) → \(shadow)", to: 23)
      }
      let ratio = latency.ratio?.p99.map(Figure.ratio) ?? ""
      let quantiles = sides("p50", \.p50) + sides("p95", \.p95) + sides("p99", \.p99) + ratio
      line("    " + paint(shortened(trimmed(quantiles), to: textWidth - 4), .dim))
    }
    let rest = report.endpoints.count - TextReport.endpointLimit
    if rest > 0 { line("  … and \(Figure.count(UInt64(rest))) more with fewer requests") }
  }

  private mutating func latency() {
    let sides = [
      ("primary", report.latency.primary), ("shadow", report.latency.shadow),
      ("shadow, from due time", report.latency.shadowFromSchedule),
    ]
    guard sides.contains(where: { $0.1 != nil }) else { return }
    let names = ["samples", "p50", "p90", "p95", "p99", "p99.9", "max"]
    heading(
      "Latency", columns: names.enumerated().map { rightAligned($1, to: $0 == 0 ? 11 : 7) }.joined())
    for (name, quantiles) in sides {
      guard let quantiles else { continue }
      let times = quantiles.named.map { rightAligned(Figure.time(microseconds: $0.value), to: 7) }.joined()
      let row = padded(name, to: 24) + rightAligned(Figure.count(quantiles.count), to: 11) + times
      line("  " + shortened(row, to: textWidth - 2))
    }
  }

  private mutating func totals() {
    let (totals, schedule) = (report.totals, report.schedule)
    heading("Totals")
    let errors = totals.errors.sum
    row(
      "attempts",
      "\(Figure.count(totals.attempts)), \(Figure.count(totals.answered)) answered"
        + (errors > 0 ? "; " + list(totals.errors.sortedByName) : ""))
    row(
      "compared",
      "\(Figure.count(totals.compared)), \(Figure.count(totals.different)) different"
        + share(totals.different, of: totals.compared))
    if !totals.statuses.isEmpty {
      row(
        "status", totals.statuses.sortedByStatus.map { "\($0.name): \(Figure.count($0.count))" }.joined(separator: ", ")
      )
    }
    let skipped = schedule.skipped.sum
    row(
      "schedule",
      "\(schedule.pacing), \(Figure.count(schedule.planned)) planned, \(Figure.count(schedule.sent)) sent in"
        + " \(Figure.seconds(schedule.durationSeconds)), \(Figure.count(schedule.late)) late"
        + share(schedule.late, of: schedule.sent))
    if skipped > 0 { row("skipped", list(schedule.skipped.sortedByName)) }
    if let lag = schedule.lag {
      row("lag", lag.named.map { "\($0.name.label) \(Figure.time(microseconds: $0.value))" }.joined(separator: ", "))
    }
  }

  private mutating func capture() {
    guard let ledger = report.ledger else { return row("capture", "the session holds no ledger") }
    guard !ledger.isBlank else { return row("capture", "nothing was seen") }
    let lost = Ledger.Row.losses.filter { ledger[$0] > 0 }.map { "\(Figure.count(ledger[$0])) \($0.phrase)" }
    row(
      "capture",
      "\(Figure.percent(ledger.completeness)) complete, \(Figure.count(ledger[.exchangesComplete])) exchanges whole; "
        + (lost.isEmpty ? "nothing lost" : lost.joined(separator: "; ")))
  }

  // MARK: Lines

  private mutating func line(_ content: String = "") {
    text += content
    text += "\n"
  }

  private mutating func heading(_ title: String, note: String = "", columns header: String = "") {
    line()
    let gap =
      header.isEmpty ? "  " : String(repeating: " ", count: max(1, textWidth - title.count - columns(of: header)))
    line(paint(title.uppercased(), .bold) + (note + header).withLead(gap, painted: paint))
  }

  private mutating func paragraph(_ content: String, indent: String) {
    for part in wrapped(content, to: textWidth - columns(of: indent)) { line(indent + part) }
  }

  private mutating func row(_ name: String, _ value: String) {
    for (index, part) in wrapped(visible(value), to: textWidth - 13).enumerated() {
      line("  " + padded(index == 0 ? name : "", to: 11) + part)
    }
  }

  private func list(_ counts: [(name: String, count: UInt64)]) -> String {
    counts.map { "\($0.name): \(Figure.count($0.count))" }.joined(separator: ", ")
  }

  /// ` (7.9%)`, or nothing where there is nothing to have a share of.
  private func share(_ part: UInt64, of whole: UInt64) -> String {
    whole == 0 ? "" : " (\(Figure.percent(part, of: whole)))"
  }

  private func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  /// The command that shows one exchange; with the file's name where it fits.
  private func showHint(_ exchange: ExchangeID, to width: Int) -> String {
    let command = options.showCommand(exchange)
    return columns(of: command) <= width ? command : ReportOptions().showCommand(exchange)
  }

  private func paint(_ text: String, _ ink: Ink) -> String {
    options.usesColor && !text.isEmpty ? "\u{1b}[\(ink.rawValue)m\(text)\u{1b}[0m" : text
  }
}

/// Select Graphic Rendition parameters (ECMA-48, 8.3.117).
private enum Ink: String {
  case bold = "1"
  case dim = "2"
  case red = "1;31"
  case green = "1;32"
  case yellow = "1;33"
  case cyan = "36"
}

extension String {
  fileprivate func withLead(_ lead: String, painted paint: (String, Ink) -> String) -> String {
    isEmpty ? "" : lead + paint(self, .dim)
  }
}

extension Verdict.Outcome {
  fileprivate var ink: Ink {
    switch self {
    case .pass: .green
    case .fail: .red
    case .inconclusive: .yellow
    }
  }
}

extension GateResult.Outcome {
  fileprivate var ink: Ink {
    switch self {
    case .passed: .green
    case .crossed: .red
    case .noEvidence: .yellow
    }
  }
}

extension DifferenceSeverity {
  fileprivate var ink: Ink {
    switch self {
    case .high: .red
    case .medium: .yellow
    case .low: .cyan
    case .info: .dim
    }
  }
}
