// Endpoints that a rule names. In: text such as `GET /users/{name}/posts/**`. Out: which requests belong to it.
// Owner: a value. Bounds: linear in the path.

public import HTTPModel

/// A path whose requests are one endpoint, by rule.
public struct EndpointPattern: Hashable, Sendable, CustomStringConvertible {
  enum Step: Hashable, Sendable {
    case name([UInt8])
    case any
  }
  /// nil: any method.
  let method: [UInt8]?
  let steps: [Step]
  /// `**` at its end: whatever follows, nothing included.
  let isOpen: Bool
  /// The path as it was written; endpoints show it.
  let path: String

  /// Reads `/users/{name}` or `GET /users/*/posts/**`: a step in braces or an asterisk is any one step, `**` at the end any
  /// number. nil where it is no path.
  public init?(_ text: some StringProtocol) {
    let words = text.split(separator: " ")
    guard words.count == 1 || words.count == 2, let last = words.last, last.first == "/" else { return nil }
    method = words.count == 2 ? Array(words[0].utf8) : nil
    var parts = last.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    isOpen = parts.last == "**"
    if isOpen { parts.removeLast() }
    if parts.contains("**") { return nil }
    steps = parts.map { $0 == "*" || $0.hasPrefix("{") && $0.hasSuffix("}") ? .any : .name(Array($0.utf8)) }
    path = String(last)
  }

  /// As rules spell it: `GET /items/{id}`.
  public var description: String { (method.map { String(decoding: $0, as: UTF8.self) + " " } ?? "") + path }

  /// The name of a request's endpoint by the first pattern that matches it: its method, and the path as it is written.
  public static func name(of request: HTTPRequest, by patterns: [EndpointPattern]) -> String? {
    guard let index = firstIndex(of: patterns, matching: request) else { return nil }
    return String(decoding: request.method.prefix(EndpointTemplate.methodLimit), as: UTF8.self) + " "
      + patterns[index].path
  }

  static func firstIndex(of patterns: [EndpointPattern], matching request: HTTPRequest) -> Int? {
    guard !patterns.isEmpty else { return nil }
    let (method, target) = (request.method, request.target)
    let segments = EndpointTemplate.path(of: target).dropFirst().prefix(EndpointTemplate.pathLimit)
      .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return patterns.firstIndex { $0.matches(method: method, segments: segments) }
  }

  /// - Parameter segments: of the path, without slashes.
  func matches(method: ArraySlice<UInt8>, segments: [ArraySlice<UInt8>]) -> Bool {
    if let wanted = self.method, !method.elementsEqual(wanted) { return false }
    guard isOpen ? segments.count >= steps.count : segments.count == steps.count else { return false }
    return zip(steps, segments).allSatisfy { step, segment in
      switch step {
      case .any: true
      case .name(let name): segment.elementsEqual(name)
      }
    }
  }
}
