// A RunReport as a comment on a merge request: GitHub's and GitLab's Markdown, the verdict in the first line.
// Bounds: `findingLimit` rows and `endpointLimit` endpoints; what is left out is counted. Well under the 65,536 characters
// that a comment may have.
//
// Text off the wire stands in table cells and code spans only, with everything that Markdown or HTML would obey escaped.

import ResponseDiff

struct MarkdownReport {
  private static let findingLimit = 25
  private static let endpointLimit = 10
  private static let sentenceLimit = 600

  private let report: RunReport
  private let options: ReportOptions
  private var text = ""

  static func write(_ report: RunReport, options: ReportOptions) -> [UInt8] {
    var writer = MarkdownReport(report: report, options: options)
    writer.verdict()
    writer.gates()
    writer.findings()
    writer.suppressions()
    writer.endpoints()
    writer.origin()
    return Array(writer.text.utf8)
  }

  private init(report: RunReport, options: ReportOptions) {
    self.report = report
    self.options = options
  }

  private mutating func line(_ content: String = "") { text += content + "\n" }

  private mutating func verdict() {
    let outcome = report.verdict.outcome
    let sign = outcome == .pass ? "✅" : outcome == .fail ? "❌" : "⚠️"
    line("## \(sign) umbra: \(outcome.rawValue) – \(prose(report.verdict.reasons.first ?? ""))")
    line()
    for reason in report.verdict.reasons.dropFirst().prefix(12) { line("- \(prose(reason))") }
  }

  private mutating func gates() {
    guard report.gates.count > 1 || report.gates.contains(where: { $0.outcome != .passed }) else { return }
    line()
    line("| Gate | Measured | Result |")
    line("|---|--:|---|")
    for gate in report.gates {
      let result = gate.outcome == .passed ? "passed" : gate.outcome == .crossed ? "**crossed**" : "no evidence"
      line("| \(code(gate.gate)) | \(gate.value.map(Figure.value) ?? "–") | \(result) |")
    }
  }

  private mutating func findings() {
    let shown = report.clusters.filter { $0.isConfirmed || $0.severity == .high && $0.evidence != .harmless }
    let rest = UInt64(report.clusters.count - shown.count)
    line()
    guard !shown.isEmpty else {
      line("**Findings:** none\(rest > 0 ? " beyond \(Figure.count(rest)) of noise or without consequence" : "").")
      return
    }
    line("| Severity | Endpoint | Place | Kind | Answers | Finding |")
    line("|---|---|---|---|--:|---|")
    for cluster in shown.prefix(Self.findingLimit) {
      let standing = cluster.isKnown ? " (known)" : cluster.isConfirmed ? "" : " (noise)"
      let severity = cluster.severity == .high && cluster.isRegression ? "**high**" : cluster.severity.rawValue
      line(
        "| \(severity)\(standing) | \(code(cluster.endpoint)) | \(code(cluster.location.description)) | "
          + "\(cluster.kind.rawValue) | \(Figure.count(cluster.count)) of \(Figure.count(cluster.compared)) | "
          + "\(prose(cluster.explanation))\(cluster.smallest.map { " " + prose($0.explanation) } ?? "") |")
    }
    let more = UInt64(max(0, shown.count - Self.findingLimit))
    if more > 0 || rest > 0 {
      line()
      let parts = [
        more > 0 ? "\(Figure.count(more)) more, none worse" : "",
        rest > 0 ? "\(Figure.count(rest)) of noise or without consequence" : "",
      ].filter { !$0.isEmpty }
      line("… and \(parts.joined(separator: ", and ")): the HTML and JSON reports hold them.")
    }
    guard let first = shown.first(where: { $0.curl != nil || !$0.examples.isEmpty }) else { return }
    line()
    line("<details><summary>See the first one again</summary>")
    line()
    // Indented, a code block ends at no character that it could hold.
    if let example = first.examples.first { line("    " + options.showCommand(example.exchange)) }
    if let curl = first.curl ?? first.examples.first?.curl {
      for part in visible(cut(curl, to: 4000), keepsLines: true).split(separator: "\n") { line("    " + part) }
    }
    line()
    line("</details>")
  }

  private mutating func suppressions() {
    let rows = report.suppressions
    guard !rows.isEmpty else { return }
    line()
    line("<details><summary>Suppressions: \(rows.summary)</summary>")
    line()
    line("| State | Rule | Hits | Why |")
    line("|---|---|--:|---|")
    for row in rows.prefix(Self.findingLimit) {
      let state = row.state == .used ? row.state.rawValue : "**\(row.state.rawValue)**"
      line("| \(state) | \(code(row.rule)) | \(Figure.count(row.hits)) | \(prose(row.origin)) |")
    }
    let rest = rows.count - Self.findingLimit
    if rest > 0 { line("| | … and \(Figure.count(UInt64(rest))) more | | |") }
    line()
    line("</details>")
  }

  private mutating func endpoints() {
    guard !report.endpoints.isEmpty else { return }
    line()
    line("<details><summary>\(Figure.count(UInt64(report.endpoints.count))) endpoints, latency</summary>")
    line()
    line("| Endpoint | Compared | Different | Errors | p50 | p99 | p99 ratio |")
    line("|---|--:|--:|--:|--:|--:|--:|")
    for endpoint in report.endpoints.prefix(Self.endpointLimit) {
      func sides(_ quantile: (Quantiles) -> Double) -> String {
        let sides = [endpoint.latency.primary, endpoint.latency.shadow]
        return sides.map { $0.map { Figure.time(microseconds: quantile($0)) } ?? "–" }.joined(separator: " → ")
      }
      line(
        "| \(code(endpoint.endpoint)) | \(Figure.count(endpoint.compared)) | \(Figure.count(endpoint.different)) | "
          + "\(Figure.count(endpoint.errors)) | \(sides(\.p50)) | \(sides(\.p99)) | \(ratio(endpoint.latency)) |")
    }
    let rest = report.endpoints.count - Self.endpointLimit
    if rest > 0 { line("| … and \(Figure.count(UInt64(rest))) more | | | | | | |") }
    line()
    line("</details>")
  }

  private func ratio(_ latency: LatencySummary) -> String {
    guard let ratio = latency.ratio?.p99 else { return "–" }
    let interval = latency.intervals?.p99.map { " (\(Figure.ratio($0.low))–\(Figure.ratio($0.high)))" } ?? ""
    return Figure.ratio(ratio) + interval
  }

  private mutating func origin() {
    line()
    let targets = report.run.targets.prefix(4).map { code($0) }.joined(separator: ", ")
    line(
      "<sub>\(code(report.run.session)) against \(targets), \(escaped(visible(cut(report.comparison, to: 400)))); run \(code(report.run.id)), "
        + "umbra \(prose(report.run.toolVersion)).</sub>")
  }

  // MARK: Escaping

  /// A sentence as it is read: markup is escaped, code between backticks stays code.
  private func prose(_ sentence: String) -> String {
    let pieces = visible(cut(sentence, to: Self.sentenceLimit)).split(separator: "`", omittingEmptySubsequences: false)
    guard pieces.count % 2 == 1 else { return escaped(pieces.joined(separator: "'")) }
    return pieces.enumerated().map { $0 % 2 == 1 ? code(String($1)) : escaped(String($1)) }.joined()
  }

  /// In `<code>`, whose content Markdown still reads, so that it is escaped as well.
  private func code(_ text: String) -> String { "<code>\(escaped(visible(cut(text, to: 200))))</code>" }

  /// Every character that Markdown or HTML gives a meaning, as a character reference; so are those that make links and
  /// mentions of what looks like one.
  private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<", ">", "&", "\"", "'", "`", "*", "_", "~", "[", "]", "(", ")", "|", "\\", "#", "!", "@", "$", "^":
        result += "&#\(scalar.value);"
      case ":" where result.hasSuffix("http") || result.hasSuffix("https") || result.hasSuffix("ftp"): result += "&#58;"
      case "." where result.hasSuffix("www"): result += "&#46;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private func cut(_ text: String, to limit: Int) -> String {
    text.utf8.count <= limit ? text : String(text.unicodeScalars.prefix(limit)) + "…"
  }
}
