/// When requests of a replay are due: recorded times at a speed, arrivals of a profile, or as fast as the target answers.
///
/// Everything is computed from the replay's start in exact integer arithmetic and nothing from the due time before, so
/// that a schedule cannot drift however long it runs. ``ArrivalSchedule`` walks a session by one of these.
public enum Pacing: Hashable, Sendable {
  /// Recorded times, `speed` times as fast.
  ///
  ///     due(offset) = offset / speed
  case recorded(speed: Ratio)

  /// Arrivals of a profile, one for each request that is sent; recorded times do not count.
  case profile(ArrivalProfile)

  /// No due times: each connection sends its next request when the last one has been answered.
  case maximum

  /// Recorded times as they were.
  public static let realTime = Pacing.recorded(speed: Ratio(1, 1))

  /// No due time lies further from the start than this, 100 years: its sum with any epoch time of our days is an `Int64`.
  public static let horizon: Int64 = 3_155_760_000_000_000_000
}

/// A fraction of two whole numbers above 0, in lowest terms.
public struct Ratio: Hashable, Sendable {
  public let numerator: UInt64
  public let denominator: UInt64

  /// - Precondition: both above 0.
  public init(_ numerator: UInt64, _ denominator: UInt64) {
    precondition(numerator > 0 && denominator > 0, "a ratio is above 0")
    let divisor = greatestDivisor(numerator, denominator)
    self.numerator = numerator / divisor
    self.denominator = denominator / divisor
  }

  /// `value / self`, rounded down by less than 1 and cut at ``Pacing/horizon``; below 0 counts as 0.
  public func dividing(_ value: Int64) -> Int64 {
    let product = UInt64(max(value, 0)).multipliedFullWidth(by: denominator)
    guard product.high < numerator else { return Pacing.horizon }
    let quotient = numerator.dividingFullWidth(product).quotient
    return quotient < UInt64(Pacing.horizon) ? Int64(quotient) : Pacing.horizon
  }
}

/// The greatest common divisor; of 0 and a number, that number.
func greatestDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
