// A JSON document's strings and numbers with the way to each. Owner: who walks. Bounds: documents nested deeper than 64
// are not walked; as many values as its owner takes.

import ContentTree

/// Visits scalars depth first, in the order of the text, and knows the path to the one at hand.
final class JSONWalk {
  enum Step {
    case member(JSONNode)
    case element(Int)
  }

  let document: JSONDocument
  private(set) var path: [Step] = []
  private var left: Int

  private static let limits = JSONLimits(depth: 64, size: ContentKind.limit, nodes: 1 << 18)

  /// - Parameter limit: scalars that are visited at most.
  init?(_ bytes: [UInt8], limit: Int) {
    guard let document = try? JSONDocument(bytes, limits: JSONWalk.limits) else { return nil }
    self.document = document
    left = limit
  }

  func visitScalars(_ body: (JSONNode, JSONKind) -> Void) { visit(document.root, body) }

  private func visit(_ node: JSONNode, _ body: (JSONNode, JSONKind) -> Void) {
    let kind = document.kind(of: node)
    switch kind {
    case .string, .integer, .real:
      left -= 1
      if left >= 0 { body(node, kind) }
    case .object, .array:
      var index = 0
      for child in document.children(of: node) where left > 0 {
        path.append(child.name.map { .member($0) } ?? .element(index))
        visit(child.value, body)
        path.removeLast()
        index += 1
      }
    case .null, .true, .false: break
    }
  }

  /// RFC 6901's text for the path.
  var pointer: String {
    JSONPointer(
      tokens: path.map { step in
        switch step {
        case .member(let name): document.text(of: name)
        case .element(let index): String(index)
        }
      }
    ).description
  }

  /// The names on the path from its end, elements of arrays passed over.
  var names: some Sequence<String> {
    path.reversed().lazy.compactMap { [document] step in
      if case .member(let name) = step { document.text(of: name) } else { nil }
    }
  }
}
