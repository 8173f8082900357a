// `rewrite`: what is sent in place of what was recorded. In: a request. Out: the same with another host, path or header.
// Owner: a value of the rules. Bounds: linear in the head, for each pattern.

public import HTTPModel

extension RuleSet {
  /// The request that is sent for an exchange, all rewrites that match it one after the other; nil where none changes it.
  ///
  /// Each rule is matched against the exchange as it was recorded.
  public func rewritten(_ request: HTTPRequest, of exchange: Exchange) -> HTTPRequest? {
    var result: HTTPRequest?
    for rule in rewrites where rule.match.matches(exchange) {
      result = rule.applied(to: result ?? request) ?? result
    }
    return result
  }
}

extension RewriteRule {
  /// The request as this rule wants it, whatever its conditions say; nil where that is as it is.
  public func applied(to request: HTTPRequest) -> HTTPRequest? {
    var edit = RequestEdit()
    edit.target = target(of: request)
    edit.set = setHeaders.map { (Array($0.name.utf8), Array($0.value.utf8)) }
    edit.removed = removedHeaders.map { Array($0.utf8) }
    if let host { setHost(Array(host.utf8), of: request, &edit) }
    return edit.isEmpty ? nil : edit.applied(to: request)
  }

  /// The target that ``path`` makes; nil where no pattern matches.
  ///
  /// Patterns see path and query, of an absolute form too. What they make begins with a slash; blanks and controls in it,
  /// which would end it, are percent-encoded.
  public func target(of request: HTTPRequest) -> [UInt8]? {
    guard !path.isEmpty, !request.method.elementsEqual("CONNECT".utf8) else { return nil }
    let target = request.target
    let start = request.path.startIndex
    var (text, isChanged) = (Array(target[start...]), false)
    for replacement in path {
      guard let replaced = replacement.applied(to: text) else { continue }
      (text, isChanged) = (replaced, true)
    }
    guard isChanged, !text.elementsEqual(target[start...]) else { return nil }
    if text.first != UInt8(ascii: "/"), !text.elementsEqual("*".utf8) { text.insert(UInt8(ascii: "/"), at: 0) }
    return Array(target[..<start]) + RewriteRule.withoutBlanks(text)
  }

  /// HTTP/1 has it in Host and in an absolute form of the target (RFC 9112, 3.2.2), HTTP/2 in `:authority`.
  private func setHost(_ host: [UInt8], of request: HTTPRequest, _ edit: inout RequestEdit) {
    if request.version == .http2, request.fields.first(":authority") != nil {
      edit.set.append((Array(":authority".utf8), host))
      if request.fields.first("host") != nil { edit.set.append((Array("host".utf8), host)) }
      return
    }
    edit.set.append((Array("Host".utf8), host))
    let target = edit.target.map { $0[...] } ?? request.target
    guard target.first != UInt8(ascii: "/"), let scheme = target.firstRange(of: "://".utf8) else { return }
    let rest = target[scheme.upperBound...].drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    edit.target = Array(target[..<scheme.upperBound]) + host + rest
  }

  private static func withoutBlanks(_ text: [UInt8]) -> [UInt8] {
    guard text.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else { return text }
    return text.flatMap { byte -> [UInt8] in
      guard byte <= 0x20 || byte == 0x7f else { return [byte] }
      return [UInt8(ascii: "%"), hexadecimalDigit(byte >> 4), hexadecimalDigit(byte & 15)]
    }
  }
}
