// Numbers as a person reads them. Owner: pure functions.

enum Figures {
  /// `1,234,567`.
  static func count(_ value: UInt64) -> String {
    var text = ""
    for (index, digit) in String(value).reversed().enumerated() {
      if index > 0, index % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }

  /// Three significant digits, as a decimal fraction: `0.0123`, `12.3`, `1,230`.
  static func number(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return value.isNaN ? "none" : "very large" }
    if value < 0 { return "-" + number(-value) }
    if value == 0 { return "0" }
    var decimals = 0
    var scaled = value
    while scaled < 100, decimals < 9 {
      scaled *= 10
      decimals += 1
    }
    var digits = String(UInt64(scaled.rounded()))
    if decimals == 0 { return count(UInt64(value.rounded())) }
    if digits.count <= decimals { digits = String(repeating: "0", count: decimals - digits.count + 1) + digits }
    var fraction = Substring(digits.suffix(decimals))
    while fraction.last == "0" { fraction.removeLast() }
    let whole = digits.dropLast(decimals)
    return fraction.isEmpty ? String(whole) : "\(whole).\(fraction)"
  }

  /// `1.23 %`.
  static func share(_ value: Double) -> String { number(value * 100) + " %" }

  /// A p-value: `0.012`, or `under 0.0001` where the digits no longer matter.
  static func probability(_ value: Double) -> String { value < 1e-4 ? "under 0.0001" : number(value) }

  /// Microseconds as `12.3 us`, `250 ms` or `1.5 s`.
  static func duration(microseconds value: Double) -> String {
    if value < 1e3 { return number(value) + " us" }
    return value < 1e6 ? number(value / 1e3) + " ms" : number(value / 1e6) + " s"
  }
}
