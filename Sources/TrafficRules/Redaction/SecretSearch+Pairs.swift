// Secrets in `name=value` pairs: queries, forms, cookies, lines of text; and passwords in URLs. Bounds: one pass.

extension SecretSearch {
  mutating func searchPairs(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, in kind: SecretCatalog.PairKind, nesting: Int = 0
  ) {
    var start = range.lowerBound
    while start < range.upperBound {
      var (index, equals): (Int, Int?) = (start, nil)
      while index < range.upperBound, !SecretCatalog.separates(bytes[index], kind) {
        if equals == nil, bytes[index] == UInt8(ascii: "=") { equals = index }
        index += 1
      }
      if let equals { pair(bytes, start..<equals, equals + 1..<index, kind, nesting) }
      start = index + 1
    }
  }

  private mutating func pair(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ name: Range<Int>, _ value: Range<Int>, _ kind: SecretCatalog.PairKind,
    _ nesting: Int
  ) {
    guard !value.isEmpty, !name.isEmpty else { return }
    if isSecret(bytes, name, kind) {
      writer.hide(bytes, value, .percent, name: bytes.text(name))
    } else if kind != .text, value.count > 6, bytes.slice(value).contains(UInt8(ascii: "%")),
      catalog.mayHoldSecret(inEncoded: bytes.slice(value))
    {
      lookInside(bytes, value, .percent, nesting: nesting)
    }
  }

  private func isSecret(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ name: Range<Int>, _ kind: SecretCatalog.PairKind)
    -> Bool
  {
    // The last part of `user[password]` and `user%5Bpassword%5D`.
    var name = name
    if bytes[name.upperBound - 1] == UInt8(ascii: "]"), let open = name.last(where: { bytes[$0] == 0x5b }) {
      name = open + 1..<name.upperBound - 1
    }
    if bytes.slice(name).contains(UInt8(ascii: "%")) {
      var text = SpeltText(bytes, name.prefix(512), .percent).characters
      if text.last == 0x5d, let open = text.lastIndex(of: 0x5b) { text = Array(text[(open + 1)...].dropLast()) }
      return text.withUnsafeBufferPointer { catalog.contains($0, kind) }
    }
    return catalog.contains(bytes.slice(name), kind)
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
