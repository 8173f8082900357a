/// A decimal number above or equal to 0 as a whole number of its last digit's units: `0.25` is 25 with scale 100.
struct DecimalFraction {
  let units: UInt64
  /// A power of ten up to 1,000,000.
  let scale: UInt64

  /// - Returns: nil unless `text` is one to nine digits, optionally followed by a point and one to six digits.
  init?(_ text: Substring) {
    let parts = text.utf8.split(separator: 0x2e, omittingEmptySubsequences: false)
    guard parts.count == 1 || parts.count == 2, (1...9).contains(parts[0].count) else { return nil }
    if parts.count == 2 { guard (1...6).contains(parts[1].count) else { return nil } }
    var (units, scale): (UInt64, UInt64) = (0, 1)
    for (index, part) in parts.enumerated() {
      for byte in part {
        guard byte >= 0x30 && byte <= 0x39 else { return nil }
        units = units * 10 + UInt64(byte - 0x30)
        if index == 1 { scale *= 10 }
      }
    }
    (self.units, self.scale) = (units, scale)
  }

  /// `numerator / denominator` in decimal, cut after six digits.
  static func text(_ numerator: UInt64, over denominator: UInt64) -> String {
    text(numerator / denominator, plus: numerator % denominator, over: denominator)
  }

  /// `whole + rest / denominator` in decimal, cut after six digits.
  static func text(_ whole: UInt64, plus rest: UInt64, over denominator: UInt64) -> String {
    var (text, rest) = (String(whole), rest)
    if rest > 0 { text += "." }
    for _ in 0..<6 where rest > 0 {
      let (digit, next) = denominator.dividingFullWidth(rest.multipliedFullWidth(by: 10))
      text += String(digit)
      rest = next
    }
    return text
  }
}
