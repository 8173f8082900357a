// `--where`: which exchanges are meant.
//
// Grammar: TERM (blank TERM)*, all of which must hold. TERM is FIELD OP VALUE without blanks, or with VALUE in double
// quotes. OP: = != < <= > >= ~ (matches the regular expression) !~.

import ArgumentParser
import HTTPModel

/// A conjunction of conditions on an exchange, as written by a user.
struct WhereFilter: ExpressibleByArgument {
  fileprivate var terms: [Term] = []

  enum Field: String, CaseIterable {
    case id, method, path, target, host, status, proto = "protocol", client, server, size, latency
  }

  enum Operator: String, CaseIterable {
    // The longer ones first: they are tried in this order.
    case notEqual = "!="
    case notMatching = "!~"
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "="
    case less = "<"
    case greater = ">"
    case matching = "~"
  }

  fileprivate struct Term: Sendable {
    var field: Field
    var relation: Operator
    var text: String
    var number: Double?
    // Immutable once parsed and used by one command on one thread; Regex itself is not marked Sendable.
    nonisolated(unsafe) var pattern: Regex<AnyRegexOutput>?
  }

  init?(argument: String) { try? self.init(parsing: argument) }

  /// - Throws: `CommandFailure` that points at the column.
  init(parsing text: String) throws {
    var rest = text[...]
    func fail(_ at: Substring, _ problem: String) -> CommandFailure {
      let column = text.distance(from: text.startIndex, to: at.startIndex) + 1
      return CommandFailure("--where '\(text)', column \(column): \(problem)", status: .usage)
    }
    while true {
      rest = rest.drop { $0 == " " }
      if rest.isEmpty { break }
      let name = rest.prefix { $0.isLetter }
      guard let field = Field(rawValue: String(name)) else {
        let known = Field.allCases.map(\.rawValue).joined(separator: ", ")
        throw fail(rest, "'\(name.isEmpty ? rest.prefix(1) : name)' is no field. Fields: \(known)")
      }
      rest = rest.dropFirst(name.count)
      guard let relation = Operator.allCases.first(where: { rest.hasPrefix($0.rawValue) }) else {
        throw fail(rest, "expected one of = != < <= > >= ~ !~ after '\(name)'")
      }
      rest = rest.dropFirst(relation.rawValue.count)
      let valueStart = rest
      var value: String
      if rest.hasPrefix("\"") {
        let body = rest.dropFirst()
        guard let end = body.firstIndex(of: "\"") else { throw fail(rest, "the quote is not closed") }
        value = String(body[..<end])
        rest = body[body.index(after: end)...]
      } else {
        value = String(rest.prefix { $0 != " " })
        rest = rest.dropFirst(value.count)
      }
      if value.isEmpty, relation != .equal, relation != .notEqual { throw fail(valueStart, "expected a value") }
      var term = Term(field: field, relation: relation, text: value, number: nil, pattern: nil)
      switch relation {
      case .matching, .notMatching:
        guard let pattern = try? Regex(value) else { throw fail(valueStart, "'\(value)' is no regular expression") }
        term.pattern = pattern
      case .less, .lessOrEqual, .greater, .greaterOrEqual:
        term.number = Self.number(value, for: field)
        if term.number == nil {
          throw fail(valueStart, "'\(value)' is no number; \(relation.rawValue) compares status, size and latency")
        }
      case .equal, .notEqual:
        term.number = Self.number(value, for: field)
      }
      terms.append(term)
    }
    if terms.isEmpty { throw CommandFailure("--where needs a condition such as 'status>=500'", status: .usage) }
  }

  func matches(_ exchange: Exchange) -> Bool { terms.allSatisfy { $0.matches(exchange) } }

  /// Latency in microseconds, size in bytes.
  private static func number(_ text: String, for field: Field) -> Double? {
    switch field {
    case .status: Double(text)
    case .size: ByteSize(argument: text).map { Double($0.bytes) }
    case .latency: TimeSpan(argument: text).map { Double($0.nanoseconds) / 1000 }
    default: nil
    }
  }
}

extension WhereFilter.Term {
  fileprivate func matches(_ exchange: Exchange) -> Bool {
    if let number {
      guard let value = numericValue(of: exchange) else { return relation == .notEqual }
      switch relation {
      case .equal: return value == number
      case .notEqual: return value != number
      case .less: return value < number
      case .lessOrEqual: return value <= number
      case .greater: return value > number
      case .greaterOrEqual: return value >= number
      case .matching, .notMatching: return false
      }
    }
    let value = textValue(of: exchange)
    switch relation {
    case .equal: return value == text
    case .notEqual: return value != text
    case .matching: return pattern.map { (try? $0.firstMatch(in: value)) != nil && value.contains($0) } ?? false
    case .notMatching: return pattern.map { !value.contains($0) } ?? false
    default: return false
    }
  }

  private func numericValue(of exchange: Exchange) -> Double? {
    switch field {
    case .status: exchange.response.map { Double($0.status) }
    case .size: exchange.response.map { Double($0.body.size) }
    case .latency: exchange.latency.map { Double($0) / 1000 }
    default: nil
    }
  }

  private func textValue(of exchange: Exchange) -> String {
    func text(_ bytes: ArraySlice<UInt8>?) -> String { bytes.map { String(decoding: $0, as: UTF8.self) } ?? "" }
    switch field {
    case .id: return "\(exchange.id)"
    case .method: return text(exchange.request?.method)
    case .target: return text(exchange.request?.target)
    case .path: return text(exchange.request?.target.prefix { $0 != 0x3f })
    case .host: return text(exchange.request?.authority)
    case .status: return exchange.response.map { "\($0.status)" } ?? ""
    case .proto: return exchange.version.identifier
    case .client: return "\(exchange.client)"
    case .server: return "\(exchange.server)"
    case .size, .latency: return ""
    }
  }
}

extension Exchange {
  /// Nanoseconds from the request's last to the response's last byte; nil where either is missing. Not negative: an
  /// answer may end before its request does.
  var latency: Int64? {
    guard let request, let response else { return nil }
    return max(0, response.timing.end.nanoseconds(since: request.timing.end))
  }
}
