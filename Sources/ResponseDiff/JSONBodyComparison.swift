// Two JSON bodies to differences at JSON Pointers. In: two documents. Out: differences appended. Owner: BodyComparison.

import ContentTree

struct JSONBodyComparison {
  let options: ComparisonOptions
  let expected: JSONDocument
  let actual: JSONDocument
  var dialect = Dialect.json

  /// What the documents stand for.
  enum Dialect {
    case json
    /// Protobuf by its type: the order of members is the renderer's.
    case protobuf
    /// Protobuf by wire type: whether bytes are a text or a message is a guess, so that its types are none.
    case wire
    /// XML or HTML: see `Markup`.
    case markup
  }

  func run(into result: inout Comparison) {
    let patterns = options.ignore.compactMap { location in
      if case .bodyPath(let pattern) = location { pattern } else { nil as JSONPointerPattern? }
    }
    let limit = options.suppressions.isEmpty ? options.differenceLimit : 8 &* options.differenceLimit
    let isMarkup = dialect == .markup
    let edits = expected.edits(
      to: actual,
      options: JSONComparisonOptions(
        ignore: isMarkup ? [] : patterns, editLimit: limit, arrays: isMarkup ? [] : options.arrays,
        numbers: options.numbers, alignmentLimit: options.alignmentLimit, seesMemberOrder: dialect == .json))
    if edits.isCut { result.isCut = true }
    if edits.isApproximate { result.isApproximate = true }
    for edit in edits.edits {
      let difference = difference(edit)
      if isMarkup, let tokens = difference.location.bodyTokens, patterns.contains(where: { $0.covers(tokens) }) {
        continue
      }
      result.differences.append(difference)
    }
  }

  private func difference(_ edit: JSONEdit) -> Difference {
    var kind: DifferenceKind
    switch edit.kind {
    case .changed: kind = .changed
    case .type: kind = dialect == .wire || dialect == .markup ? .changed : .type
    case .added: kind = .added
    case .removed: kind = .removed
    case .memberOrder, .elementOrder: kind = .order
    case .length: kind = .length
    }
    let pointer = dialect == .markup ? markupPointer(edit) : edit.generalPointer
    return Difference(
      location: pointer.isEmpty ? .body : .bodyPath(boundedName(pointer)), kind: kind,
      severity: edit.kind == .memberOrder ? .info : kind.fieldSeverity,
      expected: edit.expected.map { text(of: $0, in: expected, edit.kind) },
      actual: edit.actual.map { text(of: $0, in: actual, edit.kind) })
  }

  /// `/html/body/p/@class`: the elements on the way, without their places among others. An element that came or went is
  /// named itself.
  private func markupPointer(_ edit: JSONEdit) -> String {
    var steps: [JSONPointerPattern.Step] = edit.path.compactMap { step in
      if case .member(let name) = step, !name.isEmpty { .name(name) } else { nil }
    }
    if edit.kind == .added || edit.kind == .removed, case .element? = edit.path.last {
      let (node, document) = edit.actual.map { ($0, actual) } ?? (edit.expected ?? expected.root, expected)
      if document.kind(of: node) == .object, let name = document.children(of: node).first(where: { _ in true })?.name {
        steps.append(.name(document.text(of: name)))
      }
    }
    return JSONPointerPattern(steps: steps).description
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
