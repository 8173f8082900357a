// Secrets told by what they look like, in any text: card numbers, e-mail addresses, bearer tokens, JSON Web Tokens.
// Bounds: one pass; a candidate's neighbourhood is looked at once.

extension SecretSearch {
  mutating func searchKinds(_ bytes: UnsafeMutableBufferPointer<UInt8>) {
    let kinds = catalog.kinds
    let (cards, mail) = (kinds.contains(.card), kinds.contains(.email))
    let (bearers, tokens) = (kinds.contains(.bearer), kinds.contains(.jwt))
    var index = 0
    var floor = 0
    while index < bytes.count {
      let found: (range: Range<Int>, name: String)?
      switch bytes[index] {
      case 0x30...0x39 where cards:
        let run = cardNumber(bytes, index)
        guard run.isCard else {
          index = run.end
          continue
        }
        found = (index..<run.end, "card number")
      case UInt8(ascii: "@") where mail: found = address(bytes, index, floor).map { ($0, "e-mail address") }
      case UInt8(ascii: "e") where tokens: found = webToken(bytes, index).map { ($0, "JSON Web Token") }
      case UInt8(ascii: "B") where bearers, UInt8(ascii: "b") where bearers:
        found = bearer(bytes, index).map { ($0, "bearer token") }
      default: found = nil
      }
      guard let found else {
        index += 1
        continue
      }
      writer.hide(bytes, found.range, .plain, name: found.name)
      index = found.range.upperBound
      floor = index
    }
  }

  /// Digits with single blanks or hyphens between; `end` is behind them whether or not they are a card's number.
  private func cardNumber(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ start: Int) -> (isCard: Bool, end: Int) {
    var (digits, end, index): ([UInt8], Int, Int) = ([], start, start)
    while index < bytes.count {
      let byte = bytes[index]
      if byte >= 0x30, byte <= 0x39 {
        if digits.count < 20 { digits.append(byte - 0x30) }
        index += 1
        end = index
      } else if byte == 0x20 || byte == 0x2d, index == end {
        index += 1
      } else {
        break
      }
    }
    let isJoined =
      start > 0 && Self.isWord(bytes[start - 1]) || end < bytes.count && Self.isWord(bytes[end])
      || start > 0 && bytes[start - 1] == UInt8(ascii: ".")
    guard !isJoined, (13...19).contains(digits.count), Set(digits).count > 1 else { return (false, end) }
    // ISO/IEC 7812-1, annex B: every second digit from the right, the last one not counted, is doubled.
    var sum = 0
    for (place, digit) in digits.reversed().enumerated() {
      let doubled = Int(digit) * (place % 2 == 1 ? 2 : 1)
      sum += doubled > 9 ? doubled - 9 : doubled
    }
    return (sum % 10 == 0, end)
  }

  private static func isWord(_ byte: UInt8) -> Bool { ByteSet.word.contains(byte) }

  private func address(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ at: Int, _ floor: Int) -> Range<Int>? {
    var start = at
    while start > max(floor, at - 64), Self.isWord(bytes[start - 1]) || ".%+-'".utf8.contains(bytes[start - 1]) {
      start -= 1
    }
    var (end, dot): (Int, Int?) = (at + 1, nil)
    while end < min(bytes.count, at + 256), Self.isWord(bytes[end]) || bytes[end] == 0x2e || bytes[end] == 0x2d {
      if bytes[end] == 0x2e { dot = end }
      end += 1
    }
    while end > at + 1, bytes[end - 1] == 0x2e || bytes[end - 1] == 0x2d { end -= 1 }
    guard start < at, let dot, dot > at + 1, end > dot ? end - dot > 2 : bytes[(at + 1)..<end].contains(0x2e) else {
      return nil
    }
    return start..<end
  }

  private static func isTokenCharacter(_ byte: UInt8) -> Bool {
    isWord(byte) || "-._~+/=".utf8.contains(byte)
  }

  /// Three parts in base64url, the first of which begins with `{"`.
  private func webToken(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ start: Int) -> Range<Int>? {
    guard start + 16 < bytes.count, bytes[start + 1] == UInt8(ascii: "y"), bytes[start + 2] == UInt8(ascii: "J"),
      start == 0 || !Self.isWord(bytes[start - 1])
    else { return nil }
    var (end, dots) = (start, 0)
    while end < bytes.count, Self.isWord(bytes[end]) || bytes[end] == 0x2d || bytes[end] == 0x2e {
      if bytes[end] == 0x2e { dots += 1 }
      end += 1
    }
    return dots >= 2 ? start..<end : nil
  }

  /// What follows `Bearer` (RFC 6750, 2.1).
  private func bearer(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ start: Int) -> Range<Int>? {
    let word = Array("bearer".utf8)
    guard start + 15 <= bytes.count, start == 0 || !Self.isWord(bytes[start - 1]),
      bytes.slice(start..<start + 6).lazy.map({ $0 | 0x20 }).elementsEqual(word), bytes[start + 6] == 0x20
    else { return nil }
    var end = start + 7
    while end < bytes.count, Self.isTokenCharacter(bytes[end]) { end += 1 }
    return end - start >= 15 ? start + 7..<end : nil
  }
}
