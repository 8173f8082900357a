// Live credentials for requests whose recorded ones were hidden. In: a file of its own, an exchange. Out: the request with
// them in their places. Owner: a replay; its values go to targets and nowhere else. Bounds: linear in the head.

public import HTTPModel

/// Credentials, and the requests that they belong to.
public struct InjectionRules: Sendable {
  struct Rule: Sendable {
    var match = ExchangeMatch()
    var headers: [(name: String, value: String)] = []
    var cookies: [(name: String, value: String)] = []
    var query: [(name: String, value: String)] = []
    /// Requests get them that had none, too.
    var adds = false
  }

  var rules: [Rule] = []

  /// Reads a file: a list of mappings with `match`, `headers`, `cookies`, `query` and `add`.
  /// - Returns: what is good of it, and what is wrong with the rest.
  public static func read(_ bytes: [UInt8], file: String) -> (rules: InjectionRules, problems: [RuleProblem]) {
    var reader = RuleReader(today: RuleDate("0001-01-01")!)
    var rules = InjectionRules()
    do throws(RuleProblem) {
      if let root = try YAMLReader.read(bytes, file: file, limits: YAMLLimits()) {
        rules.rules = reader.injections(root)
      }
    } catch { reader.problems.append(error) }
    if rules.rules.isEmpty, reader.problems.isEmpty {
      reader.fail(RulePlace(file: file, line: 1, column: 1), "there are no credentials in it")
    }
    return (rules, reader.problems)
  }

  /// How many there are.
  public var count: Int { rules.count }

  /// What must not be kept of answers that give it back: the values, and what follows the scheme of an authorization.
  public var secrets: [[UInt8]] {
    var secrets: Set<[UInt8]> = []
    for rule in rules {
      for (_, value) in rule.headers + rule.cookies + rule.query {
        secrets.insert(Array(value.utf8))
        if let blank = value.firstIndex(of: " ") { secrets.insert(Array(value[blank...].dropFirst().utf8)) }
      }
    }
    return secrets.filter { $0.count >= 4 }.sorted { $0.count > $1.count }
  }

  /// The request with the credentials of all rules that match; nil where it needs none.
  public func applied(to request: HTTPRequest, of exchange: Exchange) -> HTTPRequest? {
    var result: HTTPRequest?
    for rule in rules where rule.match.matches(exchange) {
      let edit = rule.edit(of: result ?? request)
      if !edit.isEmpty { result = edit.applied(to: result ?? request) }
    }
    return result
  }
}

extension InjectionRules.Rule {
  fileprivate func edit(of request: HTTPRequest) -> RequestEdit {
    var edit = RequestEdit()
    edit.set = headers.filter { adds || request.fields.first(named: $0.name) != nil }
      .map { (Array($0.name.utf8), Array($0.value.utf8)) }
    if let cookies = cookieValue(of: request) {
      edit.set.append((Array((request.version == .http2 ? "cookie" : "Cookie").utf8), cookies))
    }
    edit.target = target(of: request)
    return edit
  }

  /// All cookies of a request in one value, these ones exchanged; nil where it has none of them.
  private func cookieValue(of request: HTTPRequest) -> [UInt8]? {
    guard !cookies.isEmpty else { return nil }
    var pairs = request.fields.indices(of: "cookie").flatMap { index in
      request.fields.value(at: index).split(separator: UInt8(ascii: ";")).map { pair in
        Array(pair.drop { $0 == 0x20 || $0 == 0x09 })
      }
    }
    var isChanged = false
    for (name, value) in cookies {
      let new = Array("\(name)=\(value)".utf8)
      let prefix = Array("\(name)=".utf8)
      let places = pairs.indices.filter { pairs[$0].starts(with: prefix) }
      for place in places { pairs[place] = new }
      if places.isEmpty, adds { pairs.append(new) }
      isChanged = isChanged || !places.isEmpty || adds
    }
    return isChanged ? Array(pairs.joined(separator: "; ".utf8)) : nil
  }

  private func target(of request: HTTPRequest) -> [UInt8]? {
    guard !query.isEmpty else { return nil }
    let target = request.target
    let mark = target.firstIndex(of: UInt8(ascii: "?"))
    var pairs = mark.map { target[($0 + 1)...].split(separator: 0x26, omittingEmptySubsequences: false) } ?? []
    var isChanged = false
    for (name, value) in query {
      let new = InjectionRules.Rule.encoded(value)
      var isThere = false
      for index in pairs.indices {
        let equals = pairs[index].firstIndex(of: 0x3d) ?? pairs[index].endIndex
        guard PercentText.decoded(pairs[index][..<equals]).elementsEqual(name.utf8) else { continue }
        pairs[index] = (pairs[index][..<equals] + [0x3d] + new)[...]
        (isThere, isChanged) = (true, true)
      }
      guard !isThere, adds else { continue }
      pairs.append((InjectionRules.Rule.encoded(name) + [0x3d] + new)[...])
      isChanged = true
    }
    guard isChanged else { return nil }
    return Array(target[..<(mark ?? target.endIndex)]) + [UInt8(ascii: "?")] + pairs.joined(separator: [0x26])
  }

  /// Percent-encoded, but for unreserved characters (RFC 3986, 2.3).
  fileprivate static func encoded(_ text: String) -> [UInt8] {
    text.utf8.flatMap { byte -> [UInt8] in
      let isUnreserved =
        byte >= 0x61 && byte <= 0x7a || byte >= 0x41 && byte <= 0x5a || byte >= 0x30 && byte <= 0x39
        || "-._~".utf8.contains(byte)
      return isUnreserved ? [byte] : Array("%".utf8) + [byte >> 4, byte & 15].map(digit)
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}

extension RuleReader {
  fileprivate mutating func injections(_ root: YAMLNode) -> [InjectionRules.Rule] {
    guard case .sequence(let items) = root.content else {
      fail(root, "a file of credentials is a list such as '- headers: { Authorization: … }', not \(root.kindName)")
      return []
    }
    return items.compactMap { item in
      guard let keys = members(of: item, "an entry", ["match", "headers", "cookies", "query", "add"]) else {
        return nil
      }
      var rule = InjectionRules.Rule()
      if let node = keys["match"] { rule.match = match(node) }
      if let node = keys["headers"] { rule.headers = fields(node, "'headers'") }
      if let node = keys["cookies"] { rule.cookies = values(node, "'cookies'", isCookie: true) }
      if let node = keys["query"] { rule.query = values(node, "'query'", isCookie: false) }
      if let node = keys["add"] { rule.adds = flag(node) ?? false }
      if rule.headers.isEmpty, rule.cookies.isEmpty, rule.query.isEmpty {
        fail(item, "an entry has 'headers', 'cookies' or 'query', with a value for each name")
      }
      return rule
    }
  }

  private mutating func values(_ node: YAMLNode, _ what: String, isCookie: Bool) -> [(name: String, value: String)] {
    guard case .mapping(let members) = node.content else {
      fail(node, "\(what) is a mapping of names to values, not \(node.kindName)")
      return []
    }
    return members.compactMap { member in
      guard let text = text(member.value) else { return nil }
      // RFC 6265, 4.1.1.
      let isGood = !isCookie || (member.name + text).utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3b }
      guard isGood, !member.name.isEmpty else {
        fail(member.place, "'\(member.name)' has a value that no cookie can have: no blanks, controls or semicolons")
        return nil
      }
      return (member.name, text)
    }
  }
}
