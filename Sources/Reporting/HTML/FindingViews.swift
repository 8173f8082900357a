// Clusters in, the fields of the findings' templates out. Bounds: `rowBudget` and `foldBudget` characters of answers
// in all, so that the page stays quick to open however many clusters there are; the worst come first and are served first.

import ResponseDiff

/// Names and values for a Mustache template.
typealias Fields = [String: Any]

struct FindingViews {
  /// What the compared lines around changes may take, markup included.
  private var rowBudget = 5_000_000
  /// What equal lines that are folded away may take.
  private var foldBudget = 3_000_000
  /// About what a row costs beside its text.
  private static let rowOverhead = 100
  private static let foldLimit = 64 << 10

  private let options: ReportOptions
  private(set) var omittedExamples = 0

  init(options: ReportOptions) { self.options = options }

  mutating func fields(of cluster: DifferenceCluster, isOpen: Bool) -> Fields {
    let examples = cluster.examples.enumerated().map { index, example in
      fields(of: example, number: index + 1, of: cluster)
    }
    var notes: [String] = []
    if let noise = cluster.noise { notes.append("\(Figure.count(noise)) in the control") }
    if let pValue = cluster.pValue { notes.append("p = \(Figure.value(pValue))") }
    if !cluster.isConfirmed, cluster.severity != .info { notes.append("not confirmed") }
    return [
      "id": cluster.id, "severity": cluster.severity.rawValue, "place": cluster.location.description,
      "kind": cluster.kind.rawValue, "endpoint": cluster.endpoint,
      "explanation": FindingViews.prose(cluster.explanation),
      "count": Figure.count(cluster.count), "compared": Figure.count(cluster.compared),
      "percent": Figure.percent(cluster.count, of: cluster.compared),
      "barWidth": Figure.barWidth(cluster.count, of: cluster.compared), "notes": notes, "isOpen": isOpen,
      "value": cluster.examples.first.map { [FindingViews.value($0.difference)] } ?? [],
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
      guard let text else { return "nothing" }
      return text.utf8.count <= 400 ? text : String(text.unicodeScalars.prefix(400)) + "…"
    }
    return ["expected": side(difference.expected), "actual": side(difference.actual)]
  }

  private mutating func fields(of example: DifferenceExample, number: Int, of cluster: DifferenceCluster) -> Fields {
    var missing: [String] = []
    var parts: [Fields] = []
    if rowBudget > 0 {
      parts = self.parts(of: example)
    } else {
      omittedExamples += 1
      missing = ["The answers are left out to keep this page small; the command above shows them."]
    }
    return [
      "number": String(number), "isExampleOpen": number == 1, "requestLine": example.requestLine,
      "command": options.showCommand(example.exchange),
      "value": [FindingViews.value(example.difference)], "parts": parts, "missing": missing,
      "curl": rowBudget > 0 && !example.curl.isEmpty ? [String(example.curl.unicodeScalars.prefix(16 << 10))] : [],
    ]
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
      case .answer, .trailer: (true, true)
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
    var rows = comparison.rows.map { fields(of: $0, isOnly: comparison.rows.count == 1) }
    if comparison.omittedRows > 0 {
      rows.append(["gap": ["\(Figure.count(UInt64(comparison.omittedRows))) further rows are not shown"]])
    }
    let changed = Figure.count(UInt64(comparison.changedLines))
    let summary =
      switch comparison.changedLines {
      case 0: "no difference"
      case 1: "1 line differs"
      default: "\(changed) lines differ"
      }
    return ["title": title, "summary": summary, "isPartOpen": isOpen, "rows": rows]
  }

  private mutating func fields(of row: ComparisonRow, isOnly: Bool) -> Fields {
    rowBudget -= FindingViews.rowOverhead
    switch row {
    case .same(let expected, let actual, let text):
      rowBudget -= 2 * text.utf8.count
      return ["same": true, "left": String(expected), "right": String(actual), "text": text]
    case .changed(let expected, let actual):
      return [
        "changed": true, "expectedLine": expected.map { [fields(of: $0)] } ?? [], "noExpected": expected == nil,
        "actualLine": actual.map { [fields(of: $0)] } ?? [], "noActual": actual == nil,
      ]
    case .fold(let count, let text):
      let title = "\(Figure.count(UInt64(count))) equal lines"
      guard text.utf8.count <= min(foldBudget, FindingViews.foldLimit) else { return ["gap": [title + ", left out"]] }
      foldBudget -= text.utf8.count
      return ["fold": true, "foldTitle": title, "text": text, "isFoldOpen": isOnly]
    }
  }

  private mutating func fields(of line: ComparedLine) -> Fields {
    let pieces = line.pieces.map { piece -> Fields in
      rowBudget -= piece.text.utf8.count
      return ["mark": piece.isMarked, "text": piece.text]
    }
    return ["number": String(line.number), "pieces": pieces]
  }
}
