// Spellings of single values in rules: times, sizes, shares, ranges. In: a scalar's text. Out: a number, or nil.

enum RuleValue {
  /// `250ms`, `30s`, `5m`, `1h` in nanoseconds, at most 292 years.
  static func time(_ text: some StringProtocol) -> Int64? {
    number(text, units: ["ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9, "d": 86_400e9])
      .flatMap { Int64(exactly: $0.rounded()) }
  }

  /// `64KB`, `10MB`, `1GiB`, or a number of bytes.
  static func size(_ text: some StringProtocol) -> UInt64? {
    let units: [String: Double] = [
      "": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824,
      "TiB": 1_099_511_627_776,
    ]
    return number(text, units: units).flatMap { UInt64(exactly: $0.rounded()) }
  }

  /// `10%` as 0.1; 0% to 100%.
  static func share(_ text: some StringProtocol) -> Double? {
    guard let value = number(text, units: ["%": 0.01]), value <= 1 else { return nil }
    return value
  }

  /// `64KB/s`.
  static func rate(_ text: some StringProtocol) -> Int? {
    text.hasSuffix("/s") ? size(text.dropLast(2)).flatMap { Int(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil } : nil
  }

  /// `200ms..2s`, or one time.
  static func times(_ text: String) -> ClosedRange<Int64>? {
    guard let dots = text.firstIndex(of: ".").flatMap({ text[$0...].hasPrefix("..") ? $0 : nil }) else {
      return time(text).map { $0...$0 }
    }
    guard let low = time(text[..<dots]), let high = time(text[dots...].dropFirst(2)), low <= high else { return nil }
    return low...high
  }

  /// `>=1MB`, `<64KB`, `1KB..1MB`, or one size.
  static func sizes(_ text: String) -> ClosedRange<UInt64>? {
    let text = text.filter { $0 != " " }
    if let dots = text.firstIndex(of: ".").flatMap({ text[$0...].hasPrefix("..") ? $0 : nil }) {
      guard let low = size(text[..<dots]), let high = size(text[dots...].dropFirst(2)), low <= high else { return nil }
      return low...high
    }
    for sign in [">=", "<=", ">", "<"] where text.hasPrefix(sign) {
      guard let value = size(text.dropFirst(sign.count)) else { return nil }
      switch sign {
      case ">=": return value...UInt64.max
      case "<=": return 0...value
      case ">": return value < .max ? value + 1...UInt64.max : nil
      default: return value > 0 ? 0...value - 1 : nil
      }
    }
    return size(text).map { $0...$0 }
  }

  /// `404`, `5xx`, `500-599`.
  static func statuses(_ text: String) -> ClosedRange<UInt16>? {
    if text.count == 3, text.lowercased().hasSuffix("xx"), let first = UInt16(text.prefix(1)), (1...9).contains(first) {
      return first * 100...first * 100 + 99
    }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let low = UInt16(parts[0]), let high = UInt16(parts[parts.count - 1]),
      low >= 100, low <= high, high <= 999
    else { return nil }
    return low...high
  }

  static func flag(_ text: String) -> Bool? {
    switch text {
    case "true", "yes", "on": true
    case "false", "no", "off": false
    default: nil
    }
  }

  /// Digits with at most one point, and a unit.
  private static func number(_ text: some StringProtocol, units: [String: Double]) -> Double? {
    let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
    guard !digits.isEmpty, digits.utf8.count <= 20, let value = Double(String(digits)), value.isFinite,
      let unit = units[String(text[digits.endIndex...])]
    else { return nil }
    return value * unit
  }
}
