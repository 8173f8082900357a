// Header fields that hold nothing made for one client, and names that say that a value is an id. Owner: pure functions.

enum FieldNames {
  enum Message { case request, response }

  /// Whether a field concerns the message, its sender or its connection alone.
  static func areGeneral(_ name: ArraySlice<UInt8>, of message: Message) -> Bool {
    let name = String(decoding: name, as: UTF8.self).lowercased()
    if name.hasPrefix("content-") || name.hasPrefix("accept") || name.hasPrefix("sec-") { return true }
    switch message {
    case .request: return requestNames.contains(name)
    case .response: return responseNames.contains(name) || name.hasPrefix("access-control-")
    }
  }

  private static let requestNames: Set<String> = [
    "host", "user-agent", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect",
    "cache-control", "pragma", "date", "dnt", "origin", "referer", "priority", "upgrade-insecure-requests", "via",
    "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-real-ip",
    "idempotency-key", "x-idempotency-key", "traceparent", "tracestate", "proxy-connection", "http2-settings",
  ]

  private static let responseNames: Set<String> = [
    "age", "alt-svc", "cache-control", "connection", "date", "expires", "keep-alive", "last-modified", "nel", "p3p",
    "permissions-policy", "pragma", "referrer-policy", "report-to", "server", "server-timing",
    "strict-transport-security", "trailer", "transfer-encoding", "upgrade", "vary", "via", "x-cache",
    "x-content-type-options", "x-frame-options", "x-powered-by", "x-runtime", "x-xss-protection", "traceparent",
  ]

  /// `id`, `orderId`, `order_id`, `cart-id`, `ID`.
  static func isID(_ name: String) -> Bool {
    if name.lowercased() == "id" || name.lowercased() == "uid" { return true }
    return name.hasSuffix("Id") || name.hasSuffix("ID") || name.hasSuffix("_id") || name.hasSuffix("-id")
  }

  /// Without case and separators: `orderId` and `order_id` are one name.
  static func normalized(_ name: some StringProtocol) -> String {
    String(decoding: name.utf8.filter { $0 != 0x5f && $0 != 0x2d }, as: UTF8.self).lowercased()
  }

  /// `order` of `orders`.
  static func singular(_ name: String) -> String {
    name.hasSuffix("ies") ? name.dropLast(3) + "y" : name.hasSuffix("s") ? String(name.dropLast()) : name
  }
}
