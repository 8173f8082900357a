// RFC 6901 JSON Pointers: text to tokens and back. Owner: a value.

/// A place in a JSON document (RFC 6901).
public struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
  /// The reference tokens, unescaped; none is the whole document.
  public var tokens: [String]

  public init(tokens: [String]) { self.tokens = tokens }

  /// Reads `/a/0/b~1c`; nil where it neither is empty nor begins with `/`, or has a `~` without `0` or `1` after it.
  public init?(_ text: some StringProtocol) {
    guard let parts = JSONPointer.split(text) else { return nil }
    tokens = []
    for part in parts {
      guard let token = JSONPointer.unescaped(part, allowingAsterisk: false) else { return nil }
      tokens.append(token)
    }
  }

  /// As RFC 6901 writes it.
  public var description: String {
    tokens.map { "/" + JSONPointer.escaped($0, asterisk: false) }.joined()
  }

  /// The parts between slashes; nil where text does not begin with one.
  static func split(_ text: some StringProtocol) -> [Substring.UTF8View]? {
    let bytes = String(text)
    if bytes.isEmpty { return [] }
    guard bytes.utf8.first == UInt8(ascii: "/") else { return nil }
    return bytes.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { $0 }
  }

  /// - Parameter allowingAsterisk: whether `~2` is an asterisk, as in ``JSONPointerPattern``.
  static func unescaped(_ part: Substring.UTF8View, allowingAsterisk: Bool) -> String? {
    var bytes: [UInt8] = []
    var rest = part.makeIterator()
    while let byte = rest.next() {
      guard byte == UInt8(ascii: "~") else {
        bytes.append(byte)
        continue
      }
      switch rest.next() {
      case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
      case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
      case UInt8(ascii: "2") where allowingAsterisk: bytes.append(UInt8(ascii: "*"))
      default: return nil
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// One token as it stands between slashes.
  /// - Parameter asterisk: whether a token made of asterisks alone is written with `~2`, so that it is no wildcard.
  static func escaped(_ token: String, asterisk: Bool) -> String {
    let hides = asterisk && (token == "*" || token == "**")
    guard hides || token.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else {
      return token
    }
    var bytes: [UInt8] = []
    for byte in token.utf8 {
      switch byte {
      case UInt8(ascii: "~"): bytes.append(contentsOf: "~0".utf8)
      case UInt8(ascii: "/"): bytes.append(contentsOf: "~1".utf8)
      case UInt8(ascii: "*") where hides: bytes.append(contentsOf: "~2".utf8)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension JSONDocument {
  /// The value at a place; nil where there is none. Of members with one name the last counts, as in most readers.
  public func node(at pointer: JSONPointer) -> JSONNode? {
    var node = root
    for token in pointer.tokens {
      switch kind(of: node) {
      case .object:
        var found: JSONNode?
        for child in children(of: node) where text(of: child.name!).utf8.elementsEqual(token.utf8) {
          found = child.value
        }
        guard let found else { return nil }
        node = found
      case .array:
        let isIndex = token == "0" || (token.utf8.allSatisfy { $0 &- 0x30 < 10 } && !token.hasPrefix("0"))
        guard isIndex, let index = Int(token), index < count(of: node) else { return nil }
        var left = index
        for child in children(of: node) {
          node = child.value
          if left == 0 { break }
          left -= 1
        }
      default: return nil
      }
    }
    return node
  }
}
