// Clusters in, the fields of the findings' templates out. Bounds: `rowBudget` and `foldBudget` characters of answers
// in all, so that the page stays quick to open however many clusters there are; the worst come first and are served first.

import HTTPModel
import ResponseDiff

/// Names and values for a Mustache template.
typealias Fields = [String: Any]

struct FindingViews {
  /// What the compared lines around changes may take, markup included.
  private var rowBudget = 400_000
  /// What equal lines that are folded away may take.
  private var foldBudget = 200_000
  /// The longest equal stretch that is quoted.
  private static let foldLimit = 64 << 10

  private let options: ReportOptions
  /// Findings whose answers did not fit.
  private(set) var curtailedFindings = 0

  init(options: ReportOptions) { self.options = options }

  mutating func fields(of cluster: DifferenceCluster, isOpen: Bool) -> Fields {
    var examples: [Fields] = []
    for (index, example) in cluster.examples.enumerated() {
      if index > 0, rowBudget <= 0 { break }
      examples.append(fields(of: example, number: index + 1))
    }
    if rowBudget <= 0, let last = examples.indices.last {
      let further = cluster.examples[(last + 1)...].map(\.exchange.description).joined(separator: ", ")
      if !further.isEmpty { examples[last]["further"] = [further] }
    }
    var notes: [String] = []
    if let noise = cluster.noise { notes.append("\(Figure.count(noise)) in the control") }
    if let pValue = cluster.pValue { notes.append("p = \(Figure.value(pValue))") }
    if cluster.isKnown { notes.append("known") }
    if !cluster.isConfirmed, cluster.severity != .info { notes.append("not confirmed") }
    return [
      "id": cluster.id, "severity": cluster.severity.rawValue, "place": cluster.location.description,
      "kind": cluster.kind.rawValue, "endpoint": cluster.endpoint,
      "explanation": FindingViews.prose(cluster.explanation),
      "count": Figure.count(cluster.count), "compared": Figure.count(cluster.compared),
      "percent": Figure.percent(cluster.count, of: cluster.compared),
      "barWidth": Figure.barWidth(cluster.count, of: cluster.compared), "notes": notes, "isOpen": isOpen,
      "value": cluster.examples.first.map { [FindingViews.value($0.difference)] } ?? [],
      "features": cluster.features.map { feature -> Fields in
        [
          "feature": FindingViews.cut(feature.text, to: 300), "verb": feature.isAbsent ? "without" : "with",
          "affected": Figure.percent(feature.affected), "others": Figure.percent(feature.others),
        ]
      }, "hasFeatures": !cluster.features.isEmpty,
      "hasRelated": !cluster.related.isEmpty,
      "related": cluster.related.prefix(50).map { place -> Fields in
        [
          "place": place.location.description, "kind": place.kind.rawValue, "severity": place.severity.rawValue,
          "count": Figure.count(place.count),
        ]
      },
      "smallest": rowBudget > 0 || cluster.smallest != nil
        ? cluster.curl.map { [FindingViews.cut($0, to: 16 << 10)] } ?? [] : [],
      "again": cluster.smallest.map { [$0.explanation] } ?? [],
      "primaryCommand": cluster.smallest?.primaryCommand.map { [FindingViews.cut($0, to: 16 << 10)] } ?? [],
      "exampleCount": String(cluster.examples.count), "examples": examples,
    ]
  }

  /// A sentence in pieces: what stands between backticks is code.
  static func prose(_ sentence: String) -> [Fields] {
    let pieces = sentence.utf8.split(separator: 0x60, omittingEmptySubsequences: false)
    guard pieces.count % 2 == 1 else { return [["code": false, "text": sentence]] }
    return pieces.enumerated().filter { !$1.isEmpty }.map { ["code": $0 % 2 == 1, "text": String(Substring($1))] }
  }

  /// Both values of a difference; long ones are cut, the whole stands in the comparison.
  private static func value(_ difference: Difference) -> Fields {
    func side(_ text: String?) -> String {
      text.map { cut($0, to: 400) } ?? "nothing"
    }
    return ["expected": side(difference.expected), "actual": side(difference.actual)]
  }

  private mutating func fields(of example: DifferenceExample, number: Int) -> Fields {
    let isQuoted = rowBudget > 0
    if !isQuoted { curtailedFindings += 1 }
    return [
      "number": String(number), "isExampleOpen": number == 1, "requestLine": example.requestLine,
      "command": options.showCommand(example.exchange), "value": [FindingViews.value(example.difference)],
      "parts": isQuoted ? parts(of: example) : [],
      "missing": isQuoted ? [] : ["The answers are left out to keep this page small; the command above shows them."],
      "further": [String](),
      "curl": isQuoted && !example.curl.isEmpty ? [FindingViews.cut(example.curl, to: 16 << 10)] : [],
    ]
  }

  private static func cut(_ text: String, to limit: Int) -> String {
    text.utf8.count <= limit ? text : String(text.unicodeScalars.prefix(limit)) + "…"
  }

  // MARK: Comparing both answers

  /// The heads and the bodies, each compared by itself; open is what holds the difference.
  private mutating func parts(of example: DifferenceExample) -> [Fields] {
    let (expectedHead, expectedBody) = FindingViews.split(example.expectedText)
    let (actualHead, actualBody) = FindingViews.split(example.actualText)
    let head = LineComparison(expected: expectedHead, actual: actualHead)
    let body = LineComparison(expected: expectedBody, actual: actualBody)
    let (inHead, inBody) =
      switch example.difference.location {
      case .status, .header: (true, head.changedLines == 0)
      case .body, .bodyPath: (body.changedLines == 0, true)
      case .answer, .trailer, .latency: (true, true)
      }
    return [("Head", head, inHead), ("Body", body, inBody)].compactMap { title, comparison, isNamed in
      comparison.rows.isEmpty
        ? nil : fields(of: comparison, title: title, isOpen: isNamed && comparison.changedLines > 0)
    }
  }

  /// At the first empty line.
  private static func split(_ text: String) -> (head: Substring, body: Substring) {
    let bytes = text.utf8
    var start = bytes.startIndex
    while let end = bytes[start...].firstIndex(of: 0x0a) {
      let line = bytes[start..<end]
      let next = bytes.index(after: end)
      if line.isEmpty || line.elementsEqual([0x0d]) { return (text[..<start], text[next...]) }
      start = next
    }
    return (text[...], "")
  }

  private mutating func fields(of comparison: LineComparison, title: String, isOpen: Bool) -> Fields {
    var rows = ComparisonMarkup()
    for row in comparison.rows {
      if case .fold(_, let text) = row {
        let isShown = text.utf8.count <= min(foldBudget, FindingViews.foldLimit)
        if isShown { foldBudget -= text.utf8.count }
        rows.append(row, isFoldShown: isShown, isFoldOpen: comparison.rows.count == 1)
      } else {
        let before = rows.text.utf8.count
        rows.append(row)
        rowBudget -= rows.text.utf8.count - before
      }
    }
    if comparison.omittedRows > 0 {
      rows.gap("\(Figure.count(UInt64(comparison.omittedRows))) further rows are not shown")
    }
    let summary =
      switch comparison.changedLines {
      case 0: "no difference"
      case 1: "1 line differs"
      default: "\(Figure.count(UInt64(comparison.changedLines))) lines differ"
      }
    return ["title": title, "summary": summary, "isPartOpen": isOpen, "rows": rows.text]
  }
}
