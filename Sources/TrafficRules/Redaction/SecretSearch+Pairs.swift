// Secrets in `name=value` pairs: queries, forms, cookies, lines of text; and passwords in URLs. Bounds: one pass.

extension SecretSearch {
  enum PairKind {
    /// Behind a URL's question mark.
    case query
    /// A form's body.
    case form
    /// Anything that may hold URLs, queries or assignments.
    case text
  }

  mutating func searchPairs(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, in kind: PairKind, nesting: Int = 0
  ) {
    var start = range.lowerBound
    while start < range.upperBound {
      var (index, equals): (Int, Int?) = (start, nil)
      while index < range.upperBound, !isSeparator(bytes[index], kind) {
        if equals == nil, bytes[index] == UInt8(ascii: "=") { equals = index }
        index += 1
      }
      if let equals { pair(bytes, start..<equals, equals + 1..<index, kind, nesting) }
      start = index + 1
    }
  }

  @inline(__always)
  private func isSeparator(_ byte: UInt8, _ kind: PairKind) -> Bool {
    switch kind {
    case .query: byte == UInt8(ascii: "&") || byte == UInt8(ascii: "#")
    case .form: byte == UInt8(ascii: "&")
    case .text:
      byte <= 0x20 || byte == UInt8(ascii: "&") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: ";")
        || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "\"")
        || byte == UInt8(ascii: "<")
    }
  }

  private mutating func pair(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ name: Range<Int>, _ value: Range<Int>, _ kind: PairKind,
    _ nesting: Int
  ) {
    guard !value.isEmpty, !name.isEmpty else { return }
    if isSecret(bytes, name, kind) {
      writer.hide(bytes, value, .percent, name: bytes.text(name))
    } else if kind != .text, value.count > 6, bytes.slice(value).contains(UInt8(ascii: "%")) {
      lookInside(bytes, value, .percent, nesting: nesting)
    }
  }

  private func isSecret(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ name: Range<Int>, _ kind: PairKind) -> Bool {
    // The last part of `user[password]` and `user%5Bpassword%5D`.
    var name = name
    if bytes[name.upperBound - 1] == UInt8(ascii: "]"), let open = name.last(where: { bytes[$0] == 0x5b }) {
      name = open + 1..<name.upperBound - 1
    }
    if bytes.slice(name).contains(where: { $0 == UInt8(ascii: "%") }) {
      var text = SpeltText(bytes, name.prefix(512), .percent).characters
      if text.last == 0x5d, let open = text.lastIndex(of: 0x5b) { text = Array(text[(open + 1)...].dropLast()) }
      return text.withUnsafeBufferPointer { contains($0, kind) }
    }
    return contains(bytes.slice(name), kind)
  }

  private func contains(_ name: UnsafeBufferPointer<UInt8>, _ kind: PairKind) -> Bool {
    switch kind {
    case .query: query.contains(name)
    case .form: form.contains(name)
    case .text: query.contains(name) || form.contains(name)
    }
  }

  /// The password of `scheme://user:password@host` (RFC 3986, 3.2.1).
  mutating func searchUserInformation(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>) {
    var index = range.lowerBound
    while index + 3 < range.upperBound {
      guard bytes[index] == UInt8(ascii: ":"), bytes[index + 1] == 0x2f, bytes[index + 2] == 0x2f else {
        index += 1
        continue
      }
      index += 3
      var (end, colon, at): (Int, Int?, Int?) = (index, nil, nil)
      while end < range.upperBound, bytes[end] > 0x20, bytes[end] != 0x2f, bytes[end] != UInt8(ascii: "?") {
        if bytes[end] == UInt8(ascii: ":"), colon == nil { colon = end }
        if bytes[end] == UInt8(ascii: "@") { at = end }
        end += 1
      }
      if let colon, let at, colon < at { writer.hide(bytes, colon + 1..<at, .percent, name: "URL's password") }
      index = end
    }
  }
}
