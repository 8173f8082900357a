// Two JSON bodies to differences at JSON Pointers. In: two documents. Out: differences appended. Owner: BodyComparison.

import ContentTree

struct JSONBodyComparison {
  let options: ComparisonOptions
  let expected: JSONDocument
  let actual: JSONDocument

  func run(into result: inout Comparison) {
    let patterns = options.ignore.compactMap { location in
      if case .bodyPath(let pattern) = location { pattern } else { nil as JSONPointerPattern? }
    }
    let edits = expected.edits(
      to: actual,
      options: JSONComparisonOptions(
        ignore: patterns, editLimit: options.differenceLimit, alignmentLimit: options.alignmentLimit))
    if edits.isCut { result.isCut = true }
    for edit in edits.edits { result.differences.append(difference(edit)) }
  }

  private func difference(_ edit: JSONEdit) -> Difference {
    let kind: DifferenceKind
    switch edit.kind {
    case .changed: kind = .changed
    case .type: kind = .type
    case .added: kind = .added
    case .removed: kind = .removed
    case .memberOrder, .elementOrder: kind = .order
    case .length: kind = .length
    }
    return Difference(
      location: edit.path.isEmpty ? .body : .bodyPath(boundedName(edit.generalPointer)), kind: kind,
      severity: edit.kind == .memberOrder ? .info : kind.fieldSeverity,
      expected: edit.expected.map { text(of: $0, in: expected, edit.kind) },
      actual: edit.actual.map { text(of: $0, in: actual, edit.kind) })
  }

  private func text(of node: JSONNode, in document: JSONDocument, _ kind: JSONEdit.Kind) -> String {
    switch kind {
    case .length: "\(document.count(of: node)) elements"
    case .memberOrder: names(of: node, in: document)
    default: document.excerpt(of: node, limit: options.excerptLimit)
    }
  }

  private func names(of node: JSONNode, in document: JSONDocument) -> String {
    var text: [UInt8] = []
    for child in document.children(of: node) {
      if text.count > options.excerptLimit { break }
      if !text.isEmpty { text.append(contentsOf: ", ".utf8) }
      text.append(contentsOf: document.text(of: child.name!).utf8)
    }
    return excerptText(text, limit: options.excerptLimit)
  }
}
