/// How a part's rate goes over time. Times in nanoseconds from the part's start, rates in arrivals per time.
///
/// Each plot has the rate upwards and the time to the right; the area under it is the number of arrivals.
public enum ArrivalShape: Hashable, Sendable {
  /// A rate that stays; without a length, to the end of the run.
  ///
  ///     r |─────────────
  ///       |
  ///       └────────────── t
  ///
  ///     rate(t) = r                     arrivals(t) = r t
  case hold(ArrivalRate, length: UInt64?)

  /// A rate that goes evenly from one to another, up or down.
  ///
  ///     b |         ／
  ///       |     ／
  ///     a | ／
  ///       └──────────┤ T    t
  ///
  ///     rate(t) = a + (b - a) t / T     arrivals(t) = a t + (b - a) t² / 2T
  case ramp(from: ArrivalRate, to: ArrivalRate, length: UInt64)

  /// Rates that follow each other, each `by` above (or below) the one before, for `each` nanoseconds; the last is `to`,
  /// be the last step shorter than the others or not.
  ///
  ///     b |          ┌───
  ///       |      ┌───┘
  ///       |  ┌───┘
  ///     a |──┘
  ///       └──────────────┤  t
  ///
  ///     rate(t) = a + d floor(t / T)    arrivals(kT + u) = T (a + ... + (a + (k-1) d)) + (a + k d) u
  case step(from: ArrivalRate, to: ArrivalRate, by: ArrivalRate, each: UInt64)

  /// A rate with a higher one (or a lower) in it. The base rate goes on behind the peak where this is the last part;
  /// where another follows, that begins when the peak is over.
  ///
  ///     p |      ┌──┐
  ///       |      │  │
  ///     r |──────┘  └────
  ///       └──────┴──┴──── t
  ///           at   at+for
  ///
  ///     rate(t) = p while at <= t < at + for, else r
  case spike(base: ArrivalRate, peak: ArrivalRate, at: UInt64, lasting: UInt64)

  /// A rate that swings around a mean, beginning there and upwards; without a length, to the end of the run.
  ///
  ///     m+a |   .-.             .-.
  ///       m | .'   '.         .'
  ///     m-a |        '.     .'
  ///         |          '._.'
  ///         └──────────────┼──────── t
  ///                        P
  ///
  ///     rate(t) = m + a sin(2 pi t / P)    arrivals(t) = m t + a P / 2 pi (1 - cos(2 pi t / P))
  case sine(mean: ArrivalRate, amplitude: ArrivalRate, period: UInt64, length: UInt64?)

  /// How many rates a step has; 1 for other shapes.
  var stepCount: Int {
    guard case .step(let from, let to, let by, _) = self, by.quanta > 0 else { return 1 }
    let distance = from < to ? to.quanta - from.quanta : from.quanta - to.quanta
    return Int(clamping: distance / by.quanta + (distance % by.quanta > 0 ? 2 : 1))
  }

  /// The shape as formulas one after the other, each with its length; only the very last may go without.
  func curves(isLast: Bool) -> [(curve: ArrivalCurve, length: UInt64?)] {
    switch self {
    case .hold(let rate, let length): return [(.hold(rate), length)]
    case .ramp(let from, let to, let length): return [(ArrivalCurve(from: from, to: to, over: length), length)]
    case .step(let from, let to, let by, let each):
      return (0..<stepCount).map { index in
        if index == stepCount - 1 { return (.hold(to), each) }
        let distance = UInt64(index) * by.quanta
        return (.hold(ArrivalRate(quanta: from < to ? from.quanta + distance : from.quanta - distance)), each)
      }
    case .spike(let base, let peak, let at, let lasting):
      return [(.hold(base), at), (.hold(peak), lasting)] + (isLast ? [(.hold(base), nil)] : [])
    case .sine(let mean, let amplitude, let period, let length):
      return [(.sine(mean: mean, amplitude: amplitude, period: period), length)]
    }
  }
}
