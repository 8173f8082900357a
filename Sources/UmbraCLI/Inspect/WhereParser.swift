// The text of `--where` to a tree.
//
//   filter    = and *("or" and)
//   and       = unary *(["and"] unary)
//   unary     = ["not"] ( "(" filter ")" / condition )
//   condition = field operator value
//   field     = a name, or ["request." / "response."] "header:" NAME
//   operator  = "=" "!=" "<" "<=" ">" ">=" "~" "!~"
//   value     = up to a blank, or to the bracket that closes a group; or between double quotes, \" for a quote within
//
// In: what a user wrote. Out: a tree, or a failure that points at the column. Bounds: groups 64 deep.

import HTTPModel

struct WhereParser {
  private let text: String
  private var rest: Substring
  private var depth = 0

  init(_ text: String) {
    self.text = text
    rest = text[...]
  }

  mutating func parse() throws -> WhereFilter.Node {
    skipBlanks()
    if rest.isEmpty { throw CommandFailure("--where needs a condition such as 'status>=500'", status: .usage) }
    let node = try alternatives()
    if !rest.isEmpty { throw failure(rest, "this bracket closes nothing") }
    return node
  }

  private mutating func alternatives() throws -> WhereFilter.Node {
    var nodes = [try conjunction()]
    while take(word: "or") { nodes.append(try conjunction()) }
    return nodes.count == 1 ? nodes[0] : .any(nodes)
  }

  private mutating func conjunction() throws -> WhereFilter.Node {
    var nodes = [try unary()]
    while true {
      if take(word: "and") {
        nodes.append(try unary())
      } else if rest.isEmpty || rest.hasPrefix(")") || peek(word: "or") {
        return nodes.count == 1 ? nodes[0] : .all(nodes)
      } else {
        nodes.append(try unary())
      }
    }
  }

  private mutating func unary() throws -> WhereFilter.Node {
    skipBlanks()
    if take(word: "not") { return .not(try unary()) }
    guard rest.hasPrefix("(") else { return .term(try condition()) }
    let opening = rest
    depth += 1
    if depth > 64 { throw failure(opening, "groups stand too deep within each other") }
    rest = rest.dropFirst()
    let node = try alternatives()
    guard rest.hasPrefix(")") else { throw failure(opening, "the bracket is not closed") }
    rest = rest.dropFirst()
    depth -= 1
    skipBlanks()
    return node
  }

  private mutating func condition() throws -> WhereFilter.Term {
    if rest.isEmpty { throw failure(rest, "a condition is missing here") }
    let place = try place()
    guard let relation = WhereFilter.Operator.allCases.first(where: { rest.hasPrefix($0.rawValue) }) else {
      throw failure(rest, "expected one of = != < <= > >= ~ !~")
    }
    let relationStart = rest
    rest = rest.dropFirst(relation.rawValue.count)
    let valueStart = rest
    let value = try value()
    if value.isEmpty, relation != .equal, relation != .notEqual { throw failure(valueStart, "expected a value") }
    var term = WhereFilter.Term(place: place, relation: relation, text: value)
    switch relation {
    case .matching, .notMatching:
      guard let pattern = try? Regex(value) else { throw failure(valueStart, "'\(value)' is no regular expression") }
      term.pattern = pattern
    case .equal, .notEqual:
      term.number = number(value, for: place)
      if term.number == nil, case .known(let field) = place, field.isOrdered, !value.isEmpty {
        throw failure(valueStart, "'\(value)' is no \(kind(of: field))")
      }
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      guard case .known(let field) = place, field.isOrdered else {
        let ordered = WhereFilter.Field.allCases.filter(\.isOrdered).map(\.rawValue).joined(separator: ", ")
        throw failure(relationStart, "\(relation.rawValue) compares \(ordered)")
      }
      term.number = number(value, for: place)
      if term.number == nil { throw failure(valueStart, "'\(value)' is no \(kind(of: field))") }
    }
    skipBlanks()
    return term
  }

  private mutating func place() throws -> WhereFilter.Place {
    let start = rest
    let name = rest.prefix { $0.isLetter || $0 == "." }
    let after = rest.dropFirst(name.count)
    if after.hasPrefix(":"), let direction = headerDirection(name) {
      let header = after.dropFirst().prefix { !"=!<>~ )".contains($0) }
      if header.isEmpty { throw failure(after.dropFirst(), "the name of a header field is missing") }
      rest = after.dropFirst(1 + header.count)
      return .header(String(header), direction)
    }
    guard let field = WhereFilter.Field(rawValue: String(name)) else {
      let known = WhereFilter.Field.allCases.map(\.rawValue) + ["header:NAME"]
      let written = name.isEmpty ? start.prefix(1) : name
      throw failure(start, "'\(written)' is no field. Fields: \(known.joined(separator: ", "))")
    }
    rest = after
    return .known(field)
  }

  /// Of `header`, `request.header` and `response.header`; the outer nil for any other name.
  private func headerDirection(_ name: Substring) -> StreamMessage.Direction?? {
    switch name {
    case "header": .some(nil)
    case "request.header": .request
    case "response.header": .response
    default: nil
    }
  }

  private mutating func value() throws -> String {
    guard rest.hasPrefix("\"") else {
      // A bracket that belongs to the value is closed within it: path~^/(a|b).
      var open = 0
      let value = rest.prefix { character in
        if character == "(" { open += 1 }
        if character == ")" { open -= 1 }
        return character != " " && open >= 0
      }
      rest = rest.dropFirst(value.count)
      return String(value)
    }
    let opening = rest
    var value = ""
    var body = rest.dropFirst()
    while let character = body.first, character != "\"" {
      body = body.dropFirst()
      if character == "\\", let next = body.first, next == "\"" {
        value.append(next)
        body = body.dropFirst()
      } else {
        value.append(character)
      }
    }
    guard body.hasPrefix("\"") else { throw failure(opening, "the quote is not closed") }
    rest = body.dropFirst()
    if let next = rest.first, next != " ", next != ")" { throw failure(rest, "a blank is missing behind the quote") }
    return value
  }

  // MARK: Values

  /// The values that are equal to what was written: `5xx` is a hundred of them.
  private func number(_ text: String, for place: WhereFilter.Place) -> ClosedRange<Int64>? {
    guard case .known(let field) = place else { return nil }
    switch field {
    case .status:
      if text.count == 3, text.hasSuffix("xx"), let hundreds = Int64(text.prefix(1)) {
        return hundreds * 100...hundreds * 100 + 99
      }
      return Int64(text).map { $0...$0 }
    case .size, .requestSize, .responseSize: return ByteSize(argument: text).map { Int64($0.bytes)...Int64($0.bytes) }
    case .latency: return TimeSpan(argument: text).map { $0.nanoseconds...$0.nanoseconds }
    case .connection, .stream: return Int64(text).map { $0...$0 }
    case .start: return PointInTime.range(text)
    default: return nil
    }
  }

  private func kind(of field: WhereFilter.Field) -> String {
    switch field {
    case .status: "status such as 500 or 5xx"
    case .size, .requestSize, .responseSize: "size such as 64KB"
    case .latency: "time such as 250ms"
    case .start: "point in time such as 2026-11-21T08:00Z"
    default: "whole number"
    }
  }

  // MARK: Words

  private mutating func skipBlanks() { rest = rest.drop { $0 == " " } }

  private func peek(word: String) -> Bool {
    guard rest.hasPrefix(word) else { return false }
    let next = rest.dropFirst(word.count).first
    return next == nil || next == " " || next == "("
  }

  private mutating func take(word: String) -> Bool {
    skipBlanks()
    guard peek(word: word) else { return false }
    rest = rest.dropFirst(word.count)
    skipBlanks()
    return true
  }

  private func failure(_ at: Substring, _ problem: String) -> CommandFailure {
    let column = text.distance(from: text.startIndex, to: at.startIndex)
    let pointer = String(repeating: " ", count: column) + "^"
    return CommandFailure("--where, column \(column + 1): \(problem)\n  \(text)\n  \(pointer)", status: .usage)
  }
}
