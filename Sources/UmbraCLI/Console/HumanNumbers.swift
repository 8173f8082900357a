/// `12345678` as `12,345,678`.
func grouped(_ value: some BinaryInteger) -> String {
  let digits = String(value.magnitude)
  var text = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return value < 0 ? "-" + text : text
}

/// `1 exchange`, `2 exchanges`, `1,024 exchanges`.
func counted(_ count: some BinaryInteger, _ noun: String, plural: String? = nil) -> String {
  "\(grouped(count)) \(count == 1 ? noun : plural ?? noun + "s")"
}

/// A share as a percentage with as many digits as matter; never `100%` where something is missing.
func percentage(_ share: Double) -> String {
  if share >= 1 { return "100%" }
  if share <= 0 { return "0%" }
  let percent = share * 100
  if percent > 99.99 { return ">99.99%" }
  return percent < 0.01 ? "<0.01%" : fixed(percent, percent < 1 || percent > 99 ? 2 : 1) + "%"
}

/// Nanoseconds for a person: `870us`, `12.3ms`, `4.20s`.
func shortDuration(_ nanoseconds: Int64) -> String {
  let value = Double(nanoseconds)
  switch nanoseconds.magnitude {
  case ..<1000: return "\(nanoseconds)ns"
  case ..<1_000_000: return "\(fixed(value / 1e3, 0))us"
  case ..<1_000_000_000: return "\(fixed(value / 1e6, value < 1e7 ? 2 : 1))ms"
  case ..<120_000_000_000: return "\(fixed(value / 1e9, 2))s"
  case ..<7_200_000_000_000: return "\(fixed(value / 60e9, 1))m"
  default: return "\(fixed(value / 3600e9, 1))h"
  }
}
