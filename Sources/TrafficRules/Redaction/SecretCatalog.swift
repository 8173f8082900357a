// What is secret: names, places, looks, values. In: a rule. Out: answers about single names. Owner: shared by the copies of
// a redactor, never changed. Bounds: as NameTable's.

import ContentTree

/// What a rule and the well-known names say is secret.
final class SecretCatalog: Sendable {
  /// Names of fields whose values are hidden whole.
  let headers: NameTable
  /// Those, and the names of fields of which a part is hidden.
  let notable: NameTable
  /// Nil where all cookies are hidden but for those that are kept.
  let cookies: NameTable?
  let keptCookies: Set<String>
  let hasDefaults: Bool
  /// Of members in JSON and of elements.
  let fields: NameTable
  let query: NameTable
  let form: NameTable
  let pointers: [JSONPointerPattern]
  let kinds: Set<RedactRule.TextKind>
  /// Octets that are hidden wherever they stand.
  let values: [[UInt8]]

  init(_ rule: RedactRule) {
    func table(_ known: [String], _ patterns: [TextPattern]) -> NameTable {
      NameTable(rule.hasDefaults ? known : [], patterns: patterns, except: rule.keep)
    }
    headers = table(WellKnownNames.headers, rule.headers)
    notable = NameTable(WellKnownNames.formed + WellKnownNames.headers, patterns: rule.headers)
    // Without defaults only cookies that are named; else all that are not kept.
    cookies = rule.hasDefaults ? nil : NameTable([], patterns: rule.cookies)
    keptCookies = rule.keep
    hasDefaults = rule.hasDefaults
    fields = table(WellKnownNames.fields, [])
    query = table(WellKnownNames.fields + WellKnownNames.query, rule.query)
    form = table(WellKnownNames.fields, rule.form)
    pointers = rule.json
    kinds = rule.text
    values = SecretSearch.spellings(of: rule.values)
  }

  func isSecretCookie(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    if let cookies { return cookies.contains(name) }
    return keptCookies.isEmpty || !keptCookies.contains(String(decoding: name, as: UTF8.self).lowercased())
  }

  /// Where a pair of name and value stands.
  enum PairKind {
    /// Behind a URL's question mark.
    case query
    /// A form's body.
    case form
    /// Anything that may hold URLs, queries or assignments.
    case text
  }

  func contains(_ name: UnsafeBufferPointer<UInt8>, _ kind: PairKind) -> Bool {
    switch kind {
    case .query: query.contains(name)
    case .form: form.contains(name)
    case .text: query.contains(name) || form.contains(name)
    }
  }

  /// Whether a pair ends at `byte`.
  @inline(__always)
  static func separates(_ byte: UInt8, _ kind: PairKind) -> Bool {
    switch kind {
    case .query: byte == UInt8(ascii: "&") || byte == UInt8(ascii: "#")
    case .form: byte == UInt8(ascii: "&")
    case .text:
      byte <= 0x20 || byte == UInt8(ascii: "&") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: ";")
        || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "\"")
        || byte == UInt8(ascii: "<")
    }
  }
}
