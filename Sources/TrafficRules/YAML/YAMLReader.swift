// YAML text to a tree, by libyaml's events. In: a file's bytes. Out: the root, or what is wrong and where.
// Owner: one call. Bounds: YAMLLimits; aliases share what they stand for, and what a walk over them would see is counted.

import CYAML

/// What a rules file may cost.
public struct YAMLLimits: Sendable {
  /// Bytes of a file.
  public var size = 16 << 20
  /// Lists and mappings inside one another.
  public var depth = 64
  /// Nodes of a file once each alias is replaced by what it stands for.
  public var nodes = 2_000_000

  public init() {}
}

struct YAMLReader {
  private let file: String
  private let limits: YAMLLimits
  private var anchors: [String: YAMLNode] = [:]
  /// Names whose node has begun and not ended.
  private var openAnchors: Set<String> = []
  private var nodeCount = 0

  /// A list or a mapping that has begun.
  private struct Open {
    var place: RulePlace
    var isMapping: Bool
    var anchor: String?
    var items: [YAMLNode] = []
    var members: [YAMLMember] = []
    var names: [String: RulePlace] = [:]
    var key: (name: String, place: RulePlace)?
    /// What `<<` names, to be taken in where the mapping itself has no such key.
    var merged: [YAMLNode] = []
  }
  private var stack: [Open] = []
  private var root: YAMLNode?

  private init(file: String, limits: YAMLLimits) {
    self.file = file
    self.limits = limits
  }

  /// - Returns: the document; nil of a file without one.
  static func read(_ bytes: [UInt8], file: String, limits: YAMLLimits = YAMLLimits()) throws(RuleProblem) -> YAMLNode? {
    var reader = YAMLReader(file: file, limits: limits)
    guard bytes.count <= limits.size else {
      throw reader.problem(1, 1, "the file has \(bytes.count) bytes, more than \(limits.size)")
    }
    if let offset = YAMLText.firstInvalidByte(bytes) {
      let (line, column) = YAMLText.position(of: offset, in: bytes)
      throw reader.problem(
        line, column, "byte 0x\(String(bytes[offset], radix: 16)) is not UTF-8 text. Save the file as UTF-8.")
    }
    return try reader.parse(bytes)
  }

  private mutating func parse(_ bytes: [UInt8]) throws(RuleProblem) -> YAMLNode? {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else { throw problem(1, 1, "no memory is left to read the file") }
    defer { yaml_parser_delete(&parser) }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
    let result: Result<Void, RuleProblem> = bytes.withUnsafeBufferPointer { text in
      yaml_parser_set_input_string(&parser, text.baseAddress, text.count)
      do throws(RuleProblem) {
        while try step(&parser, bytes) {}
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
    return root
  }

  /// - Returns: false at the stream's end.
  private mutating func step(_ parser: inout yaml_parser_t, _ bytes: [UInt8]) throws(RuleProblem) -> Bool {
    var event = yaml_event_t()
    guard yaml_parser_parse(&parser, &event) == 1 else { throw failure(of: parser, bytes) }
    defer { yaml_event_delete(&event) }
    let place = place(event.start_mark)
    switch event.type {
    case YAML_STREAM_END_EVENT: return false
    case YAML_DOCUMENT_START_EVENT:
      if root != nil { throw RuleProblem(place: place, message: "a second document begins: a rules file is one") }
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      try refuseTag(scalar.tag, place)
      let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
      try add(.scalar(text, isPlain: isPlain), place, anchor: name(scalar.anchor))
    case YAML_SEQUENCE_START_EVENT:
      try refuseTag(event.data.sequence_start.tag, place)
      try open(place, isMapping: false, anchor: name(event.data.sequence_start.anchor))
    case YAML_MAPPING_START_EVENT:
      try refuseTag(event.data.mapping_start.tag, place)
      try open(place, isMapping: true, anchor: name(event.data.mapping_start.anchor))
    case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: try close()
    case YAML_ALIAS_EVENT: try addAlias(name(event.data.alias.anchor) ?? "", place)
    default: break
    }
    return true
  }

  private mutating func open(_ place: RulePlace, isMapping: Bool, anchor: String?) throws(RuleProblem) {
    if let open = stack.last, open.isMapping, open.key == nil {
      throw RuleProblem(place: place, message: "a key is text, not a list or a mapping")
    }
    guard stack.count < limits.depth else {
      throw RuleProblem(place: place, message: "nested deeper than \(limits.depth) levels")
    }
    if let anchor { openAnchors.insert(anchor) }
    stack.append(Open(place: place, isMapping: isMapping, anchor: anchor))
  }

  private mutating func close() throws(RuleProblem) {
    guard var open = stack.popLast() else { return }
    if let anchor = open.anchor { openAnchors.remove(anchor) }
    for source in open.merged {
      guard case .mapping(let members) = source.content else { continue }
      for member in members where open.names[member.name] == nil {
        open.names[member.name] = member.place
        open.members.append(member)
        try count(member.value.weight, at: open.place)
      }
    }
    try add(open.isMapping ? .mapping(open.members) : .sequence(open.items), open.place, anchor: open.anchor)
  }

  private mutating func add(_ content: YAMLNode.Content, _ place: RulePlace, anchor: String?) throws(RuleProblem) {
    if case .scalar(let text, _) = content, let open = stack.last, open.isMapping, open.key == nil {
      return try begin(key: text, place)
    }
    try count(1, at: place)
    let node = YAMLNode(content, at: place)
    if let anchor { anchors[anchor] = node }
    try put(node)
  }

  private mutating func begin(key: String, _ place: RulePlace) throws(RuleProblem) {
    let last = stack.count - 1
    if key != "<<", let first = stack[last].names.updateValue(place, forKey: key) {
      throw RuleProblem(place: place, message: "'\(key)' stands here again; it was first set in line \(first.line)")
    }
    stack[last].key = (key, place)
  }

  private mutating func put(_ node: YAMLNode) throws(RuleProblem) {
    guard let last = stack.indices.last else {
      root = node
      return
    }
    guard stack[last].isMapping else {
      stack[last].items.append(node)
      return
    }
    guard let key = stack[last].key else {
      throw RuleProblem(place: node.place, message: "a key is text, not \(node.kindName)")
    }
    stack[last].key = nil
    guard key.name == "<<" else {
      stack[last].members.append(YAMLMember(name: key.name, place: key.place, value: node))
      return
    }
    switch node.content {
    case .mapping: stack[last].merged.append(node)
    case .sequence(let items):
      for item in items {
        guard case .mapping = item.content else {
          throw RuleProblem(place: item.place, message: "'<<' merges mappings, and this is \(item.kindName)")
        }
        stack[last].merged.append(item)
      }
    case .scalar: throw RuleProblem(place: node.place, message: "'<<' merges mappings: write '<<: *NAME'")
    }
  }

  private mutating func addAlias(_ name: String, _ place: RulePlace) throws(RuleProblem) {
    if openAnchors.contains(name) {
      throw RuleProblem(place: place, message: "'*\(name)' stands inside what '&\(name)' names: it would never end")
    }
    guard let node = anchors[name] else {
      let near = Spelling.nearest(name, in: anchors.keys.sorted()).map { "; did you mean '*\($0)'?" } ?? ""
      throw RuleProblem(place: place, message: "no '&\(name)' stands before '*\(name)'\(near)")
    }
    if let open = stack.last, open.isMapping, open.key == nil {
      guard case .scalar(let text, _) = node.content else {
        throw RuleProblem(place: place, message: "a key is text, and '*\(name)' is \(node.kindName)")
      }
      return try begin(key: text, place)
    }
    guard stack.count + node.depth <= limits.depth else {
      throw RuleProblem(place: place, message: "with '*\(name)' nested deeper than \(limits.depth) levels")
    }
    try count(node.weight, at: place)
    try put(node)
  }

  private mutating func count(_ nodes: Int, at place: RulePlace) throws(RuleProblem) {
    nodeCount = nodeCount &+ min(nodes, limits.nodes + 1)
    guard nodeCount <= limits.nodes else {
      throw RuleProblem(place: place, message: "with its aliases the file has more than \(limits.nodes) values")
    }
  }

  // MARK: Places and failures

  /// A tag that says what plain YAML says anyway is passed over.
  private func refuseTag(_ tag: UnsafeMutablePointer<yaml_char_t>?, _ place: RulePlace) throws(RuleProblem) {
    guard let tag = name(tag), !tag.isEmpty, tag != "!" else { return }
    let known = ["str", "int", "float", "bool", "null", "seq", "map"].map { "tag:yaml.org,2002:\($0)" }
    guard known.contains(tag) else {
      throw RuleProblem(place: place, message: "the tag '\(tag)' means nothing here")
    }
  }

  private func name(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? { text.map { String(cString: $0) } }

  private func place(_ mark: yaml_mark_t) -> RulePlace {
    RulePlace(file: file, line: mark.line + 1, column: mark.column + 1)
  }

  private func problem(_ line: Int, _ column: Int, _ message: String) -> RuleProblem {
    RuleProblem(place: RulePlace(file: file, line: line, column: column), message: message)
  }

  private func failure(of parser: yaml_parser_t, _ bytes: [UInt8]) -> RuleProblem {
    let text = parser.problem.map { String(cString: $0) } ?? "not YAML"
    guard parser.error != YAML_READER_ERROR else {
      let (line, column) = YAMLText.position(of: min(parser.problem_offset, bytes.count), in: bytes)
      return problem(line, column, text)
    }
    let mark = place(parser.problem_mark)
    guard let context = parser.context.map({ String(cString: $0) }) else {
      return RuleProblem(place: mark, message: text)
    }
    let began = parser.context_mark.line + 1
    let since = began == mark.line ? "" : " that begins in line \(began)"
    return RuleProblem(place: mark, message: "\(text) (\(context)\(since))")
  }
}
