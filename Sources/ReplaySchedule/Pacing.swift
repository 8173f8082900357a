/// When requests of a replay are due: recorded times at a speed, a constant rate, or as fast as the target answers.
///
/// Input: a request's place in the replay and its recorded distance from the session's start. Output: nanoseconds from
/// the replay's start. Pure functions in exact integer arithmetic: every due time is computed from the start and none
/// from the one before it, so that a schedule cannot drift however long it runs.
public enum Pacing: Hashable, Sendable {
  /// Recorded times, `speed` times as fast.
  ///
  ///     due(offset) = offset / speed
  case recorded(speed: Ratio)

  /// Evenly spaced arrivals, `arrivals` of them in every `nanoseconds`; recorded times do not count.
  ///
  ///     due(index) = index * nanoseconds / arrivals
  case constant(arrivals: UInt64, nanoseconds: UInt64)

  /// No due times: each connection sends its next request when the last one has been answered.
  case maximum

  /// Recorded times as they were.
  public static let realTime = Pacing.recorded(speed: Ratio(1, 1))

  /// No due time lies further from the start than this, 100 years: its sum with any epoch time of our days is an `Int64`.
  public static let horizon: Int64 = 3_155_760_000_000_000_000

  /// Nanoseconds from the replay's start to the moment when a request is due; nil where there are no due times.
  ///
  /// Rises with both arguments, rounds down by less than one nanosecond, lies in `0 ... Pacing.horizon`.
  /// - Parameters:
  ///   - index: the request's place among those that are sent, from 0, counted on through all rounds.
  ///   - recordedOffset: nanoseconds from the session's start to the recorded request; below 0 counts as 0.
  @inlinable
  public func due(index: UInt64, recordedOffset: Int64) -> Int64? {
    switch self {
    case .recorded(let speed):
      Pacing.scaled(UInt64(max(recordedOffset, 0)), by: speed.denominator, over: speed.numerator)
    case .constant(let arrivals, let nanoseconds):
      Pacing.scaled(index, by: nanoseconds, over: arrivals)
    case .maximum: nil
    }
  }

  /// `value * factor / divisor` with a product of 128 bits, cut at the horizon.
  @inlinable
  static func scaled(_ value: UInt64, by factor: UInt64, over divisor: UInt64) -> Int64 {
    let product = value.multipliedFullWidth(by: factor)
    guard product.high < divisor else { return horizon }
    let quotient = divisor.dividingFullWidth(product).quotient
    return quotient < UInt64(horizon) ? Int64(quotient) : horizon
  }
}

/// A fraction of two whole numbers above 0, in lowest terms.
public struct Ratio: Hashable, Sendable {
  public let numerator: UInt64
  public let denominator: UInt64

  /// - Precondition: both above 0.
  public init(_ numerator: UInt64, _ denominator: UInt64) {
    precondition(numerator > 0 && denominator > 0, "a ratio is above 0")
    var (a, b) = (numerator, denominator)
    while b != 0 { (a, b) = (b, a % b) }
    self.numerator = numerator / a
    self.denominator = denominator / a
  }
}
