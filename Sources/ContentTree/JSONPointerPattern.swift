// JSON Pointers with wildcards. In: text of a rule or an option. Out: which places match. Owner: a value.
// Bounds: matching takes at most steps times tokens.

/// A JSON Pointer in which `*` is any one step and `**` any number of steps, none included.
///
/// A step that is literally `*` or `**` is written with `~2` for each asterisk. Escapes are otherwise RFC 6901's.
public struct JSONPointerPattern: Hashable, Sendable, CustomStringConvertible {
  public enum Step: Hashable, Sendable {
    case name(String)
    case any
    case anyNumber
  }
  public var steps: [Step]

  public init(steps: [Step]) { self.steps = steps }

  /// Reads `/items/*/id`, `/**/password`; nil where it is malformed.
  public init?(_ text: some StringProtocol) {
    guard let parts = JSONPointer.split(text) else { return nil }
    steps = []
    for part in parts {
      if part.elementsEqual("*".utf8) {
        steps.append(.any)
      } else if part.elementsEqual("**".utf8) {
        if steps.last != .anyNumber { steps.append(.anyNumber) }
      } else {
        guard let token = JSONPointer.unescaped(part, allowingAsterisk: true) else { return nil }
        steps.append(.name(token))
      }
    }
  }

  /// Matches the whole document and nothing else.
  public var isRoot: Bool { steps.isEmpty }

  /// Whether it matches this path.
  public func matches(_ tokens: [String]) -> Bool { reached(by: tokens).last! }

  /// Whether it matches this path or one above it.
  public func covers(_ tokens: [String]) -> Bool { reached(by: tokens).contains(true) }

  /// For each prefix of the path, the empty one first, whether the pattern matches it.
  private func reached(by tokens: [String]) -> [Bool] {
    var states = PatternStates(self)
    return [states.isMatch] + tokens.map { states.step($0) }
  }

  public var description: String {
    steps.map { step in
      switch step {
      case .name(let token): "/" + JSONPointer.escaped(token, asterisk: true)
      case .any: "/*"
      case .anyNumber: "/**"
      }
    }.joined()
  }
}

/// The places in a pattern that a path may have come to: the pattern's nondeterministic automaton.
struct PatternStates {
  let steps: [JSONPointerPattern.Step]
  /// By number of steps done.
  private var open: [Bool]

  init(_ pattern: JSONPointerPattern) {
    steps = pattern.steps
    open = Array(repeating: false, count: steps.count + 1)
    open[0] = true
    passAnyNumber()
  }

  var isMatch: Bool { open[steps.count] }
  /// Whether anything below can still match.
  var isAlive: Bool { open.dropLast().contains(true) }

  /// Goes one step down the path; whether the path so far matches.
  @discardableResult
  mutating func step(_ token: String) -> Bool {
    var after = [Bool](repeating: false, count: open.count)
    for (index, step) in steps.enumerated() where open[index] {
      switch step {
      case .name(let name): if name.utf8.elementsEqual(token.utf8) { after[index + 1] = true }
      case .any: after[index + 1] = true
      case .anyNumber: after[index] = true
      }
    }
    open = after
    passAnyNumber()
    return isMatch
  }

  private mutating func passAnyNumber() {
    for (index, step) in steps.enumerated() where open[index] && step == .anyNumber { open[index + 1] = true }
  }
}

extension JSONDocument {
  /// All places that match, in the order of the text, each once, at most `limit`. Members with one name count apart.
  public func nodes(matching pattern: JSONPointerPattern, limit: Int = 10_000) -> [JSONNode] {
    var found: [JSONNode] = []
    collect(root, PatternStates(pattern), &found, limit: limit)
    return found
  }

  private func collect(_ node: JSONNode, _ states: PatternStates, _ found: inout [JSONNode], limit: Int) {
    guard found.count < limit else { return }
    if states.isMatch { found.append(node) }
    guard states.isAlive else { return }
    for (index, child) in children(of: node).enumerated() {
      var below = states
      below.step(child.name.map { text(of: $0) } ?? String(index))
      collect(child.value, below, &found, limit: limit)
    }
  }
}
