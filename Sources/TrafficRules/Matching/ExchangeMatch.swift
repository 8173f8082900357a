// Which exchanges a rule is about. In: an exchange. Out: whether each condition holds, and for a person why not.
// Owner: a value of the rules, immutable and shared. Bounds: linear in what is looked at, for each pattern.

public import HTTPModel

/// Conditions that all have to hold; of the values that one condition lists, one is enough.
public struct ExchangeMatch: Hashable, Sendable {
  public enum Condition: Hashable, Sendable {
    case method([TextPattern])
    case path([TextPattern])
    case host([TextPattern])
    /// Name in lower case. No pattern: the field is there.
    case header(String, [TextPattern])
    /// Decoded. No pattern: the parameter is there.
    case query(String, [TextPattern])
    case status([ClosedRange<UInt16>])
    /// As `http/1.1`, `h2`, `grpc`, `grpc-web`, `websocket`.
    case `protocol`([String])
    case grpc([TextPattern])
    case client([NetworkRange])
    case server([NetworkRange])
    /// Bytes of the request's body.
    case size(ClosedRange<UInt64>)
    case responseSize(ClosedRange<UInt64>)
    case not(ExchangeMatch)
    case any([ExchangeMatch])
  }

  public var conditions: [Condition]

  public init(_ conditions: [Condition] = []) { self.conditions = conditions }

  /// Whether it can only be told once the response is there.
  public var needsResponse: Bool {
    conditions.contains { condition in
      switch condition {
      case .status, .responseSize: true
      case .not(let match): match.needsResponse
      case .any(let matches): matches.contains(where: \.needsResponse)
      default: false
      }
    }
  }

  public func matches(_ exchange: Exchange) -> Bool { conditions.allSatisfy { $0.holds(for: exchange) } }

  /// The first condition that does not hold; nil where all do.
  public func obstacle(for exchange: Exchange) -> Condition? { conditions.first { !$0.holds(for: exchange) } }
}

extension ExchangeMatch.Condition {
  public func holds(for exchange: Exchange) -> Bool {
    switch self {
    case .method(let patterns):
      exchange.request.map { request in patterns.contains { $0.matches(request.method) } } ?? false
    case .path(let patterns):
      exchange.request.map { request in patterns.contains { $0.matches(request.path) } } ?? false
    case .host(let patterns):
      exchange.request?.authority.map { authority in
        patterns.contains { $0.matches(authority) || $0.matches(authority.withoutPort) }
      } ?? false
    case .header(let name, let patterns):
      exchange.request?.fields.hasValue(named: name) { value in
        patterns.isEmpty || patterns.contains { $0.matches(value) }
      }
        ?? false
    case .query(let name, let patterns):
      exchange.request?.queryValues(named: name).contains { value in
        patterns.isEmpty || patterns.contains { $0.matches(value[...]) }
      } ?? false
    case .status(let ranges):
      exchange.response.map { response in ranges.contains { $0.contains(response.status) } } ?? false
    case .protocol(let names):
      names.contains(exchange.version.identifier) || exchange.messageProtocol.map(names.contains) ?? false
    case .grpc(let patterns):
      exchange.isGRPC && (exchange.request.map { request in patterns.contains { $0.matches(request.path) } } ?? false)
    case .client(let ranges): ranges.contains { $0.contains(exchange.client.address) }
    case .server(let ranges): ranges.contains { $0.contains(exchange.server.address) }
    case .size(let range): exchange.request.map { range.contains($0.body.size) } ?? false
    case .responseSize(let range): exchange.response.map { range.contains($0.body.size) } ?? false
    case .not(let match): !match.matches(exchange)
    case .any(let matches): matches.contains { $0.matches(exchange) }
    }
  }
}

extension Exchange {
  /// What its messages are framed by beyond HTTP, as rules name it.
  var messageProtocol: String? {
    if let known = details.messages?.protocol { return known.identifier }
    guard isGRPC else { return nil }
    let type = request?.fields.first("content-type") ?? response?.fields.first("content-type") ?? []
    let web = type.starts(with: "application/grpc-web".utf8)
    return !web ? "grpc" : type.starts(with: "application/grpc-web-text".utf8) ? "grpc-web-text" : "grpc-web"
  }

  var isGRPC: Bool {
    (request?.fields.first("content-type") ?? response?.fields.first("content-type"))?
      .starts(with: "application/grpc".utf8) ?? false
  }
}

extension HTTPRequest {
  /// The target's path as sent, without scheme, authority and query.
  public var path: ArraySlice<UInt8> {
    var target = self.target
    if target.first != 0x2f, let colon = target.firstIndex(of: 0x3a), target[colon...].starts(with: "://".utf8) {
      target = target[(colon + 3)...].drop { $0 != 0x2f && $0 != 0x3f }
    }
    return target.prefix { $0 != 0x3f && $0 != 0x23 }
  }

  /// Behind the first question mark; nil where there is none.
  var query: ArraySlice<UInt8>? {
    guard let mark = target.firstIndex(of: 0x3f) else { return nil }
    return target[(mark + 1)...].prefix { $0 != 0x23 }
  }

  fileprivate func queryValues(named name: String) -> [[UInt8]] {
    guard let query else { return [] }
    return query.split(separator: 0x26).compactMap { pair in
      let mark = pair.firstIndex(of: 0x3d) ?? pair.endIndex
      guard PercentText.decoded(pair[..<mark]).elementsEqual(name.utf8) else { return nil }
      return PercentText.decoded(pair[mark...].dropFirst())
    }
  }
}

extension HeaderFields {
  /// - Parameter name: in lower case.
  func hasValue(named name: String, where isWanted: (ArraySlice<UInt8>) -> Bool) -> Bool {
    ranges.indices.contains { index in
      asciiCaseInsensitiveEqual(self.name(at: index), name.utf8) && isWanted(value(at: index))
    }
  }
}

extension ArraySlice<UInt8> {
  fileprivate var withoutPort: ArraySlice<UInt8> {
    guard let colon = lastIndex(of: 0x3a), self[(colon + 1)...].allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
      return self
    }
    return self[..<colon]
  }
}

/// Percent-encoding as forms and queries use it (WHATWG URL, 5.1).
enum PercentText {
  static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var index = text.startIndex
    while index < text.endIndex {
      let byte = text[index]
      if byte == UInt8(ascii: "%"), index + 2 < text.endIndex, let high = hexadecimalValue(text[index + 1]),
        let low = hexadecimalValue(text[index + 2])
      {
        bytes.append(high << 4 | low)
        index += 3
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
        index += 1
      }
    }
    return bytes
  }
}
