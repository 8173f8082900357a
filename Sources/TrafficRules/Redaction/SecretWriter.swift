// What happens to a secret where it is found: it is written over, or told. In: octets and where a secret stands in
// them. Out: the same number of octets. Owner: one redactor. Bounds: SpeltText.limit; longer secrets are masked.

import Crypto

/// A place where something looks secret.
public struct SecretFinding: Hashable, Sendable {
  /// As in `request header x-api-key`, `response body password`.
  public var place: String
  /// Octets of the secret, which itself is not told.
  public var length: Int
}

struct SecretWriter {
  enum Mode {
    case replace(RedactRule.Style)
    /// Every secret becomes the same, whatever it was: for comparing what was redacted under two keys.
    case blank
    /// Nothing is changed.
    case inspect
  }

  let mode: Mode
  private var tokens: TokenMemory
  /// Whether anything was written over since this was last set to false.
  var hasChanged = false
  /// What was found by ``Mode/inspect``.
  var findings: [SecretFinding] = []
  /// Where in the exchange one is, for findings.
  var place = ""

  init(mode: Mode, key: SymmetricKey) {
    self.mode = mode
    tokens = TokenMemory(key: key)
  }

  var inspects: Bool { if case .inspect = mode { true } else { false } }

  /// Hides what stands in `range`.
  mutating func hide(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, _ spelling: TextSpelling, isNumber: Bool = false,
    name: @autoclosure () -> String = ""
  ) {
    guard !range.isEmpty else { return }
    let slice = UnsafeMutableBufferPointer(rebasing: bytes[range])
    guard range.count <= SpeltText.limit else {
      if inspects { return tell(name(), range.count) }
      hasChanged = true
      return SecretWriter.blankLong(slice)
    }
    guard isSpelt(slice, spelling) else {
      if inspects {
        if !SecretText.isHidden(UnsafeBufferPointer(slice)) { tell(name(), range.count) }
        return
      }
      return writeOver(slice, isNumber: isNumber)
    }
    var text = SpeltText(bytes, range, spelling)
    if inspects {
      if !text.characters.withUnsafeBufferPointer({ SecretText.isHidden($0) }) { tell(name(), range.count) }
      return
    }
    let before = text.characters
    text.characters.withUnsafeMutableBufferPointer { writeOver($0, isNumber: isNumber) }
    text.write(to: bytes, before: before)
  }

  /// Hides octets that need be no text: nothing of them is left.
  mutating func hideOctets(_ bytes: UnsafeMutableBufferPointer<UInt8>, name: @autoclosure () -> String = "") {
    if inspects {
      if !SecretText.isHidden(UnsafeBufferPointer(bytes)) { tell(name(), bytes.count) }
      return
    }
    guard case .replace(.token) = mode else { return zero(bytes) }
    let digest = tokens.digest(of: UnsafeRawBufferPointer(bytes))
    bytes.update(repeating: UInt8(ascii: "x"))
    SecretText.writeToken(bytes, digest: digest)
    hasChanged = true
  }

  /// Hides numbers in binary: of each octet only some bits stay, so that varints end where they ended.
  mutating func hideNumbers(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, keeping bits: UInt8, name: @autoclosure () -> String = ""
  ) {
    guard bytes.contains(where: { $0 & ~bits != 0 }) else { return }
    if inspects { return tell(name(), bytes.count) }
    for index in bytes.indices { bytes[index] &= bits }
    hasChanged = true
  }

  /// Leaves nothing of what can't be looked into.
  mutating func zero(_ bytes: UnsafeMutableBufferPointer<UInt8>) {
    bytes.update(repeating: 0)
    hasChanged = true
  }

  /// The content of a JSON string with its quotes, or a number.
  mutating func hideJSON(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, isString: Bool,
    name: @autoclosure () -> String = ""
  ) {
    let filler: StaticString
    switch mode {
    case .replace(.remove): filler = range.count >= 4 ? "null" : isString ? "\"\"" : "0"
    case .blank: filler = isString ? "\"\"" : "0"
    default:
      // A string cut off by the body's end has no closing quote.
      let isClosed = range.count >= 2 && bytes[range.upperBound - 1] == 0x22
      let content = isString ? range.lowerBound + 1..<range.upperBound - (isClosed ? 1 : 0) : mantissa(bytes, range)
      return hide(bytes, content, isString ? .json : .plain, isNumber: !isString, name: name())
    }
    hasChanged = true
    for index in range {
      let offset = index - range.lowerBound
      bytes[index] = offset < filler.utf8CodeUnitCount ? filler.utf8Start[offset] : 0x20
    }
  }

  private func mantissa(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>) -> Range<Int> {
    range.lowerBound..<(range.first { bytes[$0] | 0x20 == 0x65 } ?? range.upperBound)
  }

  /// Runs a search over what a text says once its escapes are read, and spells again what that wrote over.
  mutating func lookInside(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, _ spelling: TextSpelling,
    _ search: (inout SecretWriter, UnsafeMutableBufferPointer<UInt8>) -> Void
  ) {
    guard range.count <= SpeltText.limit else { return }
    var text = SpeltText(bytes, range, spelling)
    let before = text.characters
    let changedBefore = hasChanged
    hasChanged = false
    text.characters.withUnsafeMutableBufferPointer { search(&self, $0) }
    if hasChanged { text.write(to: bytes, before: before) }
    hasChanged = hasChanged || changedBefore
  }

  private mutating func tell(_ name: String, _ length: Int) {
    findings.append(SecretFinding(place: name.isEmpty ? place : "\(place) \(name)", length: length))
  }

  private func isSpelt(_ text: UnsafeMutableBufferPointer<UInt8>, _ spelling: TextSpelling) -> Bool {
    switch spelling {
    case .plain: false
    case .json: text.contains(0x5c)
    case .percent: text.contains { $0 == 0x25 || $0 == 0x2b }
    }
  }

  private mutating func writeOver(_ text: UnsafeMutableBufferPointer<UInt8>, isNumber: Bool) {
    hasChanged = true
    switch mode {
    case .replace(.token): tokens.writeToken(over: text)
    case .replace(.mask), .blank: SecretText.writeMask(text, isNumber: isNumber)
    case .replace(.remove):
      SecretText.writeMask(text, isNumber: isNumber)
      for index in text.indices where text[index] == 0x2a { text[index] = 0x2d }
    case .inspect: break
    }
  }

  /// In constant memory: letters and digits become `x`, escapes stay escapes.
  private static func blankLong(_ text: UnsafeMutableBufferPointer<UInt8>) {
    var index = 0
    while index < text.count {
      if text[index] == 0x5c, index + 1 < text.count {
        let isUnit = text[index + 1] == UInt8(ascii: "u")
        for digit in index + 2..<max(index + 2, min(index + 6, text.count)) where isUnit {
          text[digit] = digit < index + 4 ? 0x30 : digit == index + 4 ? 0x37 : 0x38
        }
        index += isUnit ? 6 : 2
        continue
      }
      if SecretText.isSubstance(text[index]) { text[index] = UInt8(ascii: "x") }
      index += 1
    }
  }
}
