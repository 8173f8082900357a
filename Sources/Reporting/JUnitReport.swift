// A RunReport as JUnit's XML, which build servers show: a suite for each endpoint, a case for each of its findings, and one
// suite for the gates. A case fails where it is a regression; what is inconclusive is skipped.
// Bounds: `caseLimit` findings an endpoint; the case that ends them counts the rest.
//
// There is no standard; what is written is what Jenkins, GitLab and GitHub's actions agree on: testsuites, testsuite with
// name, tests, failures, errors, skipped and time, testcase with classname and name, failure and skipped with message.

import HTTPModel
import ResponseDiff

struct JUnitReport {
  private static let caseLimit = 100

  private enum Result {
    case passed
    case failed(message: String, detail: String)
    case skipped(String)
  }

  private struct Case {
    var name: String
    var result: Result
  }

  private let report: RunReport
  private let options: ReportOptions
  private var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

  static func write(_ report: RunReport, options: ReportOptions) -> [UInt8] {
    var writer = JUnitReport(report: report, options: options)
    writer.write()
    return Array(writer.text.utf8)
  }

  private init(report: RunReport, options: ReportOptions) {
    self.report = report
    self.options = options
  }

  private mutating func write() {
    var suites = [("gates", report.gates.map(gate) + [verdict])]
    let clusters = Dictionary(grouping: report.clusters, by: \.endpoint)
    let names = report.endpoints.map(\.endpoint)
    for endpoint in report.endpoints {
      suites.append((endpoint.endpoint, cases(endpoint, clusters[endpoint.endpoint] ?? [])))
    }
    // What was counted together beyond a limit belongs to no endpoint.
    for (name, rest) in clusters.sorted(by: { $0.key < $1.key }) where !names.contains(name) {
      suites.append((name, rest.prefix(Self.caseLimit).map(finding)))
    }
    let all = suites.flatMap(\.1)
    text +=
      "<testsuites name=\"umbra\" \(counts(all)) time=\"\(Figure.decimal(report.schedule.durationSeconds, 3))\">\n"
    for (name, cases) in suites {
      text += "  <testsuite name=\"\(attribute(name))\" \(counts(cases))"
      text += " timestamp=\"\(report.run.started.description.prefix { $0 != "." })\" time=\"0\">\n"
      for one in cases { write(one, suite: name) }
      text += "  </testsuite>\n"
    }
    text += "</testsuites>\n"
  }

  private func counts(_ cases: [Case]) -> String {
    var (failures, skipped) = (0, 0)
    for one in cases {
      switch one.result {
      case .failed: failures += 1
      case .skipped: skipped += 1
      case .passed: break
      }
    }
    return "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"0\" skipped=\"\(skipped)\""
  }

  private mutating func write(_ one: Case, suite: String) {
    text += "    <testcase classname=\"\(attribute(suite))\" name=\"\(attribute(one.name))\" time=\"0\""
    switch one.result {
    case .passed: text += "/>\n"
    case .failed(let message, let detail):
      text += ">\n      <failure message=\"\(attribute(message))\" type=\"regression\">\(content(detail))</failure>\n"
      text += "    </testcase>\n"
    case .skipped(let message):
      text += ">\n      <skipped message=\"\(attribute(message))\"/>\n    </testcase>\n"
    }
  }

  // MARK: Cases

  private var verdict: Case {
    let reasons = report.verdict.reasons.joined(separator: "\n")
    let result: Result =
      switch report.verdict.outcome {
      case .pass: .passed
      case .fail: .failed(message: report.verdict.reasons.first ?? "", detail: reasons)
      case .inconclusive: .skipped("inconclusive: \(report.verdict.reasons.joined(separator: " "))")
      }
    return Case(name: "verdict", result: result)
  }

  private func gate(_ gate: GateResult) -> Case {
    let result: Result =
      switch gate.outcome {
      case .passed: .passed
      case .crossed: .failed(message: gate.explanation, detail: gate.explanation)
      case .noEvidence: .skipped("no evidence: \(gate.explanation)")
      }
    return Case(name: gate.gate, result: result)
  }

  /// The endpoint's findings; one case that passes where there is none, so that the suite says that it was looked at.
  private func cases(_ endpoint: EndpointSummary, _ clusters: [DifferenceCluster]) -> [Case] {
    var cases = clusters.prefix(Self.caseLimit).map(finding)
    if clusters.count > Self.caseLimit {
      let rest = clusters.dropFirst(Self.caseLimit)
      let failed = rest.count(where: \.isRegression)
      let message = "\(rest.count) more findings, \(failed) of them regressions"
      cases.append(
        Case(name: "further findings", result: failed > 0 ? .failed(message: message, detail: message) : .passed))
    }
    guard !clusters.contains(where: \.isRegression) else { return cases }
    let pairs = "\(Figure.count(endpoint.compared)) \(endpoint.compared == 1 ? "pair" : "pairs")"
    let isSilent = endpoint.compared == 0 || report.verdict.outcome == .inconclusive
    let reason = endpoint.compared == 0 ? "nothing was compared" : "\(pairs) say too little: the run is inconclusive"
    cases.append(Case(name: "no regression in \(pairs)", result: isSilent ? .skipped(reason) : .passed))
    return cases
  }

  private func finding(_ cluster: DifferenceCluster) -> Case {
    let name = "\(cluster.location) \(cluster.kind.rawValue) (\(cluster.id))"
    guard cluster.isRegression else { return Case(name: name, result: .passed) }
    var detail = cluster.explanation
    for example in cluster.examples {
      detail += "\n\n\(example.requestLine)\n  expected: \(example.difference.expected ?? "nothing")"
      detail += "\n  shadow:   \(example.difference.actual ?? "nothing")\n  \(options.showCommand(example.exchange))"
    }
    if let curl = cluster.curl ?? cluster.examples.first?.curl { detail += "\n\n\(curl)" }
    return Case(
      name: name, result: .failed(message: "\(cluster.severity.rawValue): \(cluster.explanation)", detail: detail))
  }

  // MARK: Escaping

  /// XML 1.0 has no way to write most control characters: they are shown as escapes first (2.2).
  private func content(_ text: String) -> String { escaped(visible(text, keepsLines: true)) }

  private func attribute(_ text: String) -> String { escaped(visible(text)) }

  private func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&apos;"
      case "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
