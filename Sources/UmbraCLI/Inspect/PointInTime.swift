// Points in time as people write them. In: text. Out: the nanoseconds that it may mean.

import HTTPModel
import Interchange

enum PointInTime {
  /// `2026-11-21`, `2026-11-21T08`, `…T08:15`, `…T08:15:30`, `…30.5`, with or without `Z` or an offset: from the first
  /// nanosecond of the unit that is written last to its last. Nil for anything else.
  static func range(_ text: String) -> ClosedRange<Int64>? {
    let zone = text.dropFirst(10).firstIndex { "Zz+-".contains($0) } ?? text.endIndex
    let written = String(text[..<zone])
    let offset = zone == text.endIndex ? "Z" : String(text[zone...])
    let full: String
    let unit: Int64
    switch written.count {
    case 10: (full, unit) = (written + "T00:00:00", 86_400_000_000_000)
    case 13: (full, unit) = (written + ":00:00", 3_600_000_000_000)
    case 16: (full, unit) = (written + ":00", 60_000_000_000)
    case 19: (full, unit) = (written, 1_000_000_000)
    case 21...29:
      let decimals = written.count - 20
      (full, unit) = (written, (0..<9 - decimals).reduce(1) { value, _ in value * 10 })
    default: return nil
    }
    guard let start = Timestamp(dateText: full + offset)?.nanoseconds else { return nil }
    return start...start + unit - 1
  }
}
