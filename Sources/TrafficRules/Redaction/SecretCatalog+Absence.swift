// Proof, at a glance, that a text holds nothing to hide, as nearly every text does. In: octets. Out: false where the
// searches by names would find nothing, whatever the text is part of; true proves nothing.
//
// A secret in JSON, in text or in a query stands behind a name, and behind the name a colon or an equals sign. So these
// are looked for, and the three letters before each refuse nearly every name. Whatever could be spelt so that this misses
// it (escapes that stand for ASCII, escaped quotes, percent signs) counts as a secret. Bounds: a few passes of memchr
// and, for each sign, as many octets before it as the longest name has.

extension SecretCatalog {
  /// False where a search of such a text would find nothing.
  func mayHoldSecret(_ text: UnsafeBufferPointer<UInt8>, _ form: TextForm) -> Bool {
    guard values.isEmpty else { return true }
    switch form {
    case .opaque: return false
    case _ where !kinds.isEmpty: return true
    case .json: return mayHoldSecret(text)
    case .text:
      // Most texts have neither.
      let mayHold = text.contains(UInt8(ascii: "\"")) || text.contains(UInt8(ascii: "=")) || !pointers.isEmpty
      return mayHold && mayHoldSecret(text)
    case .form, .markup, .multipart: return true
    }
  }

  /// Of JSON, of text with JSON or pairs in it, and of what stands in a JSON string with its escapes.
  func mayHoldSecret(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard pointers.isEmpty else { return true }
    var (hasEscapes, hasPairs) = (false, false)
    return text.has(anyOf: Self.signs) { place in
      switch text[place] {
      case UInt8(ascii: ":"): return mayEndSecretName(text, place) || mayPrecedePassword(text, place)
      case UInt8(ascii: "="):
        // One look is at all pairs of the text.
        defer { hasPairs = true }
        return !hasPairs && mayHoldPair(text, .text)
      default:
        defer { hasEscapes = true }
        return !hasEscapes && mayHoldEscapedSecret(text)
      }
    }
  }

  /// Behind a member's name, behind a pair's, before what is escaped.
  private static let signs = (UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "\\"))

  /// Of what stands behind a URL's question mark.
  func mayHoldSecret(inQuery text: UnsafeBufferPointer<UInt8>) -> Bool {
    let signs = (UInt8(ascii: "="), UInt8(ascii: "%"), UInt8(ascii: "%"))
    return text.has(anyOf: signs) { place in
      text[place] == UInt8(ascii: "%")
        || mayEndPairName(text, place, .query) && isSecretName(text, before: place, .query)
    }
  }

  /// Of a query's or form's value, in which escaped text may stand.
  func mayHoldSecret(inEncoded value: UnsafeBufferPointer<UInt8>) -> Bool {
    guard pointers.isEmpty, kinds.isEmpty, values.isEmpty else { return true }
    var index = 0
    while index < value.count {
      switch value[index] {
      // Names stand in quotes, before equals signs or in tags.
      case 0x22, 0x3c, 0x3d: return true
      case 0x25 where value.count &- index >= 3:
        switch (value[index &+ 1], value[index &+ 2]) {
        case (0x32, 0x32), (0x32, 0x35), (0x33, 0x43), (0x33, 0x63), (0x33, 0x44), (0x33, 0x64): return true
        default: break
        }
      default: break
      }
      index &+= 1
    }
    return false
  }

  /// By text inside of strings whose meaning differs from its spelling.
  private func mayHoldEscapedSecret(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var next = text.place(of: UInt8(ascii: "\\"), from: 0)
    guard next != nil else { return false }
    // Read without escapes it may be markup, or hold what is told by its looks.
    guard kinds.isEmpty, values.isEmpty, !text.contains(UInt8(ascii: "<")) else { return true }
    while let place = next {
      if text.count &- place > 4, text[place &+ 1] == UInt8(ascii: "u"), text[place &+ 2] == 0x30,
        text[place &+ 3] == 0x30, text[place &+ 4] < 0x38
      {
        return true
      }
      next = text.place(of: UInt8(ascii: "\\"), from: place &+ 1)
    }
    return false
  }

  // MARK: Members

  /// Whether a member's name stands before a colon and may be secret.
  @inline(__always)
  private func mayEndSecretName(_ text: UnsafeBufferPointer<UInt8>, _ colon: Int) -> Bool {
    if colon > 3, fields.refuses(quoted: text.littleWord(endingAt: colon)) { return false }
    var end = colon
    while end > 0, Self.isBlank(text[end &- 1]) { end &-= 1 }
    guard end > 1 else { return false }
    // Escaped white space before the colon, or an escaped quote.
    guard text[end &- 1] == UInt8(ascii: "\"") else { return text[end &- 2] == UInt8(ascii: "\\") }
    if text[end &- 2] == UInt8(ascii: "\\") { return true }
    return fields.mayEnd(text, at: end &- 1) && isSecretName(text, end &- 1)
  }

  /// Whether what stands between the quote at `end` and the one before it is a secret name.
  private func isSecretName(_ text: UnsafeBufferPointer<UInt8>, _ end: Int) -> Bool {
    let floor = max(0, end &- 1 &- min(fields.longest, end))
    var start = end
    while start > floor, text[start &- 1] != UInt8(ascii: "\"") {
      start &-= 1
      if text[start] == UInt8(ascii: "\\") { return true }
    }
    guard start > floor else { return false }
    if start > 1, text[start &- 2] == UInt8(ascii: "\\") { return true }
    return fields.contains(UnsafeBufferPointer(rebasing: text[start..<end]))
  }

  /// Whether a URL with a password may begin at a colon; its slashes may be escaped.
  @inline(__always)
  private func mayPrecedePassword(_ text: UnsafeBufferPointer<UInt8>, _ colon: Int) -> Bool {
    let next = colon &+ 1
    guard next < text.count, text[next] == 0x2f || text[next] == UInt8(ascii: "\\") else { return false }
    return isPassword(text, next)
  }

  private func isPassword(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
    var index = start
    for _ in 0..<2 {
      while index < text.count, text[index] == UInt8(ascii: "\\") { index &+= 1 }
      guard index < text.count, text[index] == 0x2f else { return false }
      index &+= 1
    }
    var hasColon = false
    while index < text.count, text[index] > 0x20, text[index] != 0x2f, text[index] != UInt8(ascii: "?"),
      text[index] != UInt8(ascii: "\"")
    {
      if text[index] == UInt8(ascii: ":") { hasColon = true }
      if text[index] == UInt8(ascii: "@"), hasColon { return true }
      index &+= 1
    }
    return false
  }

  @inline(__always)
  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte >= 0x09 && byte <= 0x0d }

  // MARK: Pairs

  private func mayHoldPair(_ text: UnsafeBufferPointer<UInt8>, _ kind: PairKind) -> Bool {
    var next = text.place(of: UInt8(ascii: "="), from: 0)
    guard next != nil else { return false }
    let isSpelt = text.contains(UInt8(ascii: "%"))
    while let equals = next {
      if isSpelt || mayEndPairName(text, equals, kind), isSecretName(text, before: equals, kind) { return true }
      next = text.place(of: UInt8(ascii: "="), from: equals &+ 1)
    }
    return false
  }

  @inline(__always)
  private func mayEndPairName(_ text: UnsafeBufferPointer<UInt8>, _ equals: Int, _ kind: PairKind) -> Bool {
    // The last part of `user[password]`.
    if equals > 0, text[equals &- 1] == UInt8(ascii: "]") { return true }
    return query.mayEnd(text, at: equals) || kind != .query && form.mayEnd(text, at: equals)
  }

  /// Whether what stands between an equals sign and the separator before it may be a secret name.
  private func isSecretName(_ text: UnsafeBufferPointer<UInt8>, before equals: Int, _ kind: PairKind) -> Bool {
    guard equals > 0, text[equals &- 1] != UInt8(ascii: "]") else { return equals > 0 }
    let floor = equals &- min(equals, max(query.longest, form.longest))
    var start = equals
    while start > floor, !Self.separates(text[start &- 1], kind) {
      start &-= 1
      switch text[start] {
      // A pair's value begins behind its first equals sign.
      case UInt8(ascii: "="): return false
      case UInt8(ascii: "%"), UInt8(ascii: "\\"): return true
      default: break
      }
    }
    return contains(UnsafeBufferPointer(rebasing: text[start..<equals]), kind)
  }
}
