// `--where`: which exchanges are meant. The tree of a filter and what it says of an exchange; WhereParser makes it.
//
// In: an exchange. Out: whether it is meant. Owner: one command. Bounds: linear in the exchange; bodies are looked at
// only where a filter names them, up to 1 MiB.

import ContentCoding
import HTTPModel
import MessageFraming

/// Conditions on an exchange, as written by a user.
struct WhereFilter {
  indirect enum Node {
    case all([Node])
    case any([Node])
    case not(Node)
    case term(Term)
  }

  enum Field: String, CaseIterable {
    case id, connection, stream, method, path, query, target, host, endpoint, type, status, anomaly
    case proto = "protocol"
    case tls, client, server, start, size, latency, body, complete, grpc
    case requestSize = "request.size"
    case responseSize = "response.size"
    case requestBody = "request.body"
    case responseBody = "response.body"

    /// Takes `<` and its kin.
    var isOrdered: Bool {
      [.connection, .stream, .status, .start, .size, .latency, .requestSize, .responseSize].contains(self)
    }
  }

  /// Of a field of the header section that is named by the user.
  enum Place: Equatable {
    case known(Field)
    /// Nil for either message.
    case header(String, StreamMessage.Direction?)
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

  struct Term {
    var place: Place
    var relation: Operator
    var text: String
    /// Status as written, sizes in bytes, latencies in nanoseconds, times in nanoseconds since the epoch.
    var number: ClosedRange<Int64>?
    /// The regular expression of `~` and `!~`.
    var pattern: Regex<AnyRegexOutput>?
  }

  let root: Node

  /// - Throws: `CommandFailure` that points at the column.
  init(parsing text: String) throws {
    var parser = WhereParser(text)
    root = try parser.parse()
  }

  /// Of the session that is filtered; where nothing names endpoints they are not asked for.
  var names: EndpointNames?

  /// Whether a condition is about them.
  var namesEndpoints: Bool { Self.namesEndpoints(root) }

  /// Learns the session's endpoints where a condition is about them, and leaves it at its beginning.
  mutating func learn(from source: ExchangeSource) throws {
    if namesEndpoints { names = try EndpointNames(source) }
  }

  func matches(_ exchange: Exchange) -> Bool { holds(root, exchange) }

  private func holds(_ node: Node, _ exchange: Exchange) -> Bool {
    switch node {
    case .all(let nodes): nodes.allSatisfy { holds($0, exchange) }
    case .any(let nodes): nodes.contains { holds($0, exchange) }
    case .not(let inner): !holds(inner, exchange)
    case .term(let term): term.matches(exchange, names)
    }
  }

  private static func namesEndpoints(_ node: Node) -> Bool {
    switch node {
    case .all(let nodes), .any(let nodes): nodes.contains { namesEndpoints($0) }
    case .not(let inner): namesEndpoints(inner)
    case .term(let term): term.place == .known(.endpoint)
    }
  }
}

extension WhereFilter.Term {
  fileprivate func matches(_ exchange: Exchange, _ names: EndpointNames?) -> Bool {
    if let number {
      guard let value = numericValue(of: exchange) else { return relation == .notEqual }
      switch relation {
      case .equal: return number.contains(value)
      case .notEqual: return !number.contains(value)
      case .less: return value < number.lowerBound
      case .lessOrEqual: return value <= number.upperBound
      case .greater: return value > number.upperBound
      case .greaterOrEqual: return value >= number.lowerBound
      case .matching, .notMatching: return false
      }
    }
    let values =
      place == .known(.endpoint) ? [names?.name(of: exchange)].compactMap { $0 } : textValues(of: exchange)
    switch relation {
    case .equal: return values.contains { isEqual($0) } || values.isEmpty && text.isEmpty
    case .notEqual: return !values.contains { isEqual($0) } && !(values.isEmpty && text.isEmpty)
    case .matching: return pattern.map { pattern in values.contains { $0.contains(pattern) } } ?? false
    case .notMatching: return pattern.map { pattern in !values.contains { $0.contains(pattern) } } ?? false
    case .less, .lessOrEqual, .greater, .greaterOrEqual: return false
    }
  }

  /// Names of hosts and media types have no case (RFC 9110, 4.2.3 and 8.3.1).
  private func isEqual(_ value: String) -> Bool {
    switch place {
    case .known(.host), .known(.type): value.lowercased() == text.lowercased()
    default: value == text
    }
  }

  private func numericValue(of exchange: Exchange) -> Int64? {
    guard case .known(let field) = place else { return nil }
    switch field {
    case .status: return exchange.response.map { Int64($0.status) }
    case .size, .responseSize: return exchange.response.map { Int64(clamping: $0.body.size) }
    case .requestSize: return exchange.request.map { Int64(clamping: $0.body.size) }
    case .latency: return exchange.latency
    case .start: return exchange.start.nanoseconds
    case .connection: return Int64(exchange.id.connection)
    case .stream: return exchange.stream.map(Int64.init)
    default: return nil
    }
  }

  private func textValues(of exchange: Exchange) -> [String] {
    switch place {
    case .header(let name, let direction):
      let sections = [
        direction == .response ? nil : exchange.request?.fields,
        direction == .response ? nil : exchange.request?.trailers,
        direction == .request ? nil : exchange.response?.fields,
        direction == .request ? nil : exchange.response?.trailers,
      ]
      return sections.compactMap { $0 }.flatMap { fields in
        fields.ranges.indices.filter { asciiCaseInsensitiveEqual(fields.name(at: $0), name.utf8) }
          .map { String(decoding: fields.value(at: $0), as: UTF8.self) }
      }
    case .known(.body): return [exchange.request?.contentText, exchange.response?.contentText].compactMap { $0 }
    case .known(.requestBody): return [exchange.request?.contentText].compactMap { $0 }
    case .known(.responseBody): return [exchange.response?.contentText].compactMap { $0 }
    case .known(.anomaly): return exchange.anomalies.members.map(\.identifier)
    case .known(let field): return [textValue(field, of: exchange)].compactMap { $0 }
    }
  }

  private func textValue(_ field: WhereFilter.Field, of exchange: Exchange) -> String? {
    func text(_ bytes: ArraySlice<UInt8>?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
    let target = exchange.request?.target
    switch field {
    case .id: return "\(exchange.id)"
    case .method: return text(exchange.request?.method)
    case .target: return text(target)
    case .path: return text(target?.prefix { $0 != 0x3f })
    case .query: return text(target?.drop { $0 != 0x3f }.dropFirst())
    case .host: return text(exchange.request?.authority)
    case .type: return text(exchange.response?.fields.first("content-type")?.prefix { $0 != 0x3b && $0 != 0x20 })
    case .status: return exchange.response.map { "\($0.status)" }
    case .proto: return exchange.version.identifier
    case .tls: return exchange.isTLS ? "yes" : "no"
    case .client: return "\(exchange.client)"
    case .server: return "\(exchange.server)"
    case .start: return "\(exchange.start)"
    case .complete: return exchange.isWhole ? "yes" : "no"
    case .grpc:
      guard let messages = exchange.details.messages, messages.protocol != .webSocket else { return nil }
      let trailers = messages.webTrailers(in: exchange.response?.body)
      let call = GRPCCall(request: exchange.request, response: exchange.response, webTrailers: trailers)
      return call?.status.map { "\($0.code)" }
    default: return numericValue(of: exchange).map(String.init)
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

extension HTTPRequest {
  fileprivate var contentText: String { contentOf(body, fields) }
}

extension HTTPResponse {
  fileprivate var contentText: String { contentOf(body, fields) }
}

/// A body's beginning as text, its content codings undone.
private func contentOf(_ body: HTTPBody, _ fields: HeaderFields) -> String {
  let codings = ContentCoding.names(in: fields.indices(of: "content-encoding").map { fields.value(at: $0) })
  let limit = 1 << 20
  guard !codings.isEmpty else { return String(decoding: body.bytes.prefix(limit), as: UTF8.self) }
  let content = try? ContentCoding.decode(body.bytes, codings: codings, limit: 64 << 20)
  return String(decoding: (content ?? []).prefix(limit), as: UTF8.self)
}
