/// A point in packet time: nanoseconds since the Unix epoch.
///
/// Sans-IO code never reads a clock; it is handed values of this type.
public struct Timestamp: Hashable, Comparable, Sendable {
  /// Nanoseconds since 1970-01-01T00:00:00Z; negative before it.
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// - Parameters:
  ///   - seconds: whole seconds since the epoch.
  ///   - nanoseconds: the rest, 0 ..< 1_000_000_000.
  public init(seconds: Int64, nanoseconds: Int64) {
    self.nanoseconds = seconds &* 1_000_000_000 &+ nanoseconds
  }

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }

  /// Nanoseconds from `earlier` to `self`; negative when `self` is the earlier one. Wraps at ±292 years.
  public func nanoseconds(since earlier: Timestamp) -> Int64 { nanoseconds &- earlier.nanoseconds }

  /// `self` moved by `nanoseconds`, which may be negative.
  public func advanced(byNanoseconds nanoseconds: Int64) -> Timestamp {
    Timestamp(nanoseconds: self.nanoseconds &+ nanoseconds)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with nine digits of a second: `2026-11-21T00:00:00.000000001Z`.
  public var description: String {
    var days = nanoseconds / 86_400_000_000_000
    var rest = nanoseconds % 86_400_000_000_000
    if rest < 0 {
      rest += 86_400_000_000_000
      days -= 1
    }
    let (year, month, day) = Timestamp.civil(fromDays: days)
    let seconds = rest / 1_000_000_000
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
      + "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
      + ".\(padded(rest % 1_000_000_000, 9))Z"
  }

  /// Days since the epoch to a proleptic Gregorian date, by shifting the year's start to March
  /// so that the leap day falls at the end of a 400-year era of 146,097 days.
  static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }

  private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
