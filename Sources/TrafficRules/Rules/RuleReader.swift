// Rules files to a RuleSet: each value checked where it stands. In: files' bytes. Out: rules, and every problem found.
// Owner: one call. Bounds: YAMLLimits for each file; at most `problemLimit` problems are told.

import ContentTree

/// Reads rules files.
public struct RuleReader {
  var problems: [RuleProblem] = []
  var rules = RuleSet()
  let today: RuleDate
  /// More are not told.
  static let problemLimit = 100

  init(today: RuleDate) { self.today = today }

  /// Reads files in the order given: lists are joined, of single values the last one counts.
  /// - Parameters:
  ///   - files: names and contents.
  ///   - today: rules that have expired by then are left out, and told as problems that ``RuleProblem/isExpiry``.
  /// - Returns: the rules that are good, and what is wrong with the others in the order of the files.
  public static func read(
    _ files: [(name: String, bytes: [UInt8])], today: RuleDate, limits: YAMLLimits = YAMLLimits()
  ) -> (rules: RuleSet, problems: [RuleProblem]) {
    var reader = RuleReader(today: today)
    for file in files {
      do throws(RuleProblem) {
        guard let root = try YAMLReader.read(file.bytes, file: file.name, limits: limits) else {
          throw RuleProblem(
            place: RulePlace(file: file.name, line: 1, column: 1),
            message: "the file is empty: write 'version: 1' and rules")
        }
        reader.readFile(root)
      } catch {
        reader.problems.append(error)
      }
    }
    return (reader.rules, Array(reader.problems.prefix(problemLimit)))
  }

  private mutating func readFile(_ root: YAMLNode) {
    guard
      let keys = members(
        of: root, "a rules file",
        ["version", "select", "sample", "redact", "rewrite", "routes", "faults", "compare", "endpoints"])
    else { return }
    if let version = keys["version"] {
      if let text = text(version), text != "1" { fail(version, "this is version 1 of umbra's rules, not \(text)") }
    } else {
      fail(root, "'version: 1' is missing")
    }
    if let node = keys["select"] { readSelect(node) }
    if let node = keys["sample"] { readSample(node) }
    if let node = keys["redact"] { readRedact(node) }
    if let node = keys["rewrite"] { readRewrites(node) }
    if let node = keys["routes"] { readRoutes(node) }
    if let node = keys["faults"] { readFaults(node) }
    if let node = keys["compare"] { readCompare(node) }
    if let node = keys["endpoints"] { readEndpoints(node) }
  }

  // MARK: Nodes

  mutating func fail(_ node: YAMLNode, _ message: String) { fail(node.place, message) }

  mutating func fail(_ place: RulePlace, _ message: String) {
    if problems.count < Self.problemLimit { problems.append(RuleProblem(place: place, message: message)) }
  }

  /// A mapping's values by their keys; keys that mean nothing are told with the nearest that does.
  mutating func members(of node: YAMLNode, _ what: String, _ known: [String]) -> [String: YAMLNode]? {
    guard case .mapping(let members) = node.content else {
      fail(node, "\(what) is a mapping with \(RuleReader.list(known)), not \(node.kindName)")
      return nil
    }
    var found: [String: YAMLNode] = [:]
    for member in members {
      guard known.contains(member.name) else {
        let near = Spelling.nearest(member.name, in: known)
        fail(
          member.place,
          "'\(member.name)' means nothing in \(what); "
            + (near.map { "did you mean '\($0)'?" } ?? "known are \(RuleReader.list(known))"))
        continue
      }
      found[member.name] = member.value
    }
    return found
  }

  static func list(_ names: [String]) -> String {
    guard names.count > 1 else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
  }

  /// The elements of a list.
  mutating func items(of node: YAMLNode, _ what: String) -> [YAMLNode] {
    if case .sequence(let items) = node.content { return items }
    fail(node, "\(what) is a list, not \(node.kindName)")
    return []
  }

  /// The elements of a list, or the one value that stands in its place.
  func oneOrMore(_ node: YAMLNode) -> [YAMLNode] {
    if case .sequence(let items) = node.content { items } else { [node] }
  }

  mutating func text(_ node: YAMLNode) -> String? {
    guard case .scalar(let text, let isPlain) = node.content, !isPlain || !["", "~", "null"].contains(text) else {
      fail(node, "a value is expected here, not \(node.kindName)")
      return nil
    }
    return text
  }

  /// A value that is spelt in a way of its own.
  mutating func value<Value>(_ node: YAMLNode, _ expected: String, _ parse: (String) -> Value?) -> Value? {
    guard let text = text(node) else { return nil }
    guard let value = parse(text) else {
      fail(node, "'\(text)' is not \(expected)")
      return nil
    }
    return value
  }

  mutating func choice<Value: RawRepresentable & CaseIterable>(_ node: YAMLNode, _ type: Value.Type) -> Value?
  where Value.RawValue == String {
    guard let text = text(node) else { return nil }
    if let value = Value(rawValue: text) { return value }
    let known = Value.allCases.map(\.rawValue)
    let near =
      Spelling.nearest(text, in: known).map { "did you mean '\($0)'?" } ?? "known are \(RuleReader.list(known))"
    fail(node, "'\(text)' means nothing here; \(near)")
    return nil
  }

  mutating func flag(_ node: YAMLNode) -> Bool? { value(node, "true or false") { RuleValue.flag($0) } }

  mutating func pattern(_ node: YAMLNode, _ subject: TextPattern.Subject) -> TextPattern? {
    guard let text = text(node) else { return nil }
    do throws(PatternError) {
      return try TextPattern(text, subject)
    } catch {
      fail(place(in: node, text, error.offset), "\(error.message), in '\(text)'")
      return nil
    }
  }

  mutating func patterns(_ node: YAMLNode, _ subject: TextPattern.Subject) -> [TextPattern] {
    oneOrMore(node).compactMap { pattern($0, subject) }
  }

  mutating func pointer(_ node: YAMLNode) -> JSONPointerPattern? {
    value(node, "a JSON Pointer such as /card/number or /**/password (* is one step, ** any number)") {
      JSONPointerPattern($0)
    }
  }

  /// Where a byte of a value stands. Exact unless the value is quoted with escapes or goes over lines.
  func place(in node: YAMLNode, _ text: String, _ offset: Int) -> RulePlace {
    var place = node.place
    if case .scalar(_, let isPlain) = node.content, offset >= 0 {
      place.column += String(decoding: text.utf8.prefix(offset), as: UTF8.self).count + (isPlain ? 0 : 1)
    }
    return place
  }
}
