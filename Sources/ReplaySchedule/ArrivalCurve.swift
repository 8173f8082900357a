import Glibc

/// One formula from time to arrivals, and back: nanoseconds from its own start, arrivals in quanta.
enum ArrivalCurve: Hashable, Sendable {
  /// `rate t`.
  case hold(ArrivalRate)
  /// `rate t ± numerator / denominator t²`, in quanta; the fraction is in lowest terms.
  case ramp(ArrivalRate, to: ArrivalRate, numerator: UInt64, denominator: UInt64)
  /// `mean t + amplitude period / 2 pi (1 - cos(2 pi t / period))`, the amplitude at most the mean.
  case sine(mean: ArrivalRate, amplitude: ArrivalRate, period: UInt64)

  /// - Parameter length: above 0, at most half of `UInt64.max`.
  init(from: ArrivalRate, to: ArrivalRate, over length: UInt64) {
    guard from != to else {
      self = .hold(from)
      return
    }
    let difference = from < to ? to.quanta - from.quanta : from.quanta - to.quanta
    let divisor = greatestDivisor(difference, 2 * length)
    self = .ramp(from, to: to, numerator: difference / divisor, denominator: 2 * length / divisor)
  }

  /// Quanta of arrivals until `time`, a fraction of one rounded up.
  func count(before time: UInt64) -> UInt128 {
    switch self {
    case .hold(let rate): return UInt128(rate.quanta) * UInt128(time)
    case .ramp(let from, let to, let numerator, let denominator):
      let even = UInt128(from.quanta) * UInt128(time)
      let (bend, rest) = ArrivalCurve.scaled(UInt128(time) * UInt128(time), by: numerator, over: denominator)
      return from < to ? even + bend + (rest > 0 ? 1 : 0) : even - bend
    case .sine(let mean, let amplitude, let period):
      let (whole, rest) = time.quotientAndRemainder(dividingBy: period)
      let even = UInt128(mean.quanta) * (UInt128(whole) * UInt128(period) + UInt128(rest))
      // 1 - cos 2x = 2 sin² x keeps its digits where x is small.
      let swing = sin(Double.pi * (Double(rest) / Double(period)))
      return even + UInt128(Double(amplitude.quanta) * Double(period) / Double.pi * swing * swing)
    }
  }

  /// The last nanosecond by which no more than `count` quanta have arrived; 0 where nothing ever does.
  func time(of count: UInt128) -> UInt64 {
    switch self {
    case .hold(let rate): return rate.quanta == 0 ? 0 : UInt64(clamping: count / UInt128(rate.quanta))
    case .ramp(let from, let to, let numerator, let denominator):
      // t = 2c / (r + √(r² ± 4 s c)), the form without a difference of near equals, is off by some nanoseconds at worst.
      let (rate, slope) = (Double(from.quanta), Double(numerator) / Double(denominator) * (from < to ? 1 : -1))
      let root = max(0, rate * rate + 4 * slope * Double(count)).squareRoot()
      let estimate = rate + root > 0 ? 2 * Double(count) / (rate + root) : 0
      return search(for: count, near: UInt64(min(estimate, 9e18)), upTo: end(from, to, numerator, denominator))
    case .sine(let mean, let amplitude, let period):
      let (whole, rest) = count.quotientAndRemainder(dividingBy: UInt128(mean.quanta) * UInt128(period))
      let share = Double(rest) / (Double(mean.quanta) * Double(period))
      let phase = ArrivalCurve.phase(of: share, swing: Double(amplitude.quanta) / Double(mean.quanta))
      let time = whole * UInt128(period) + UInt128(phase * Double(period))
      return UInt64(clamping: time)
    }
  }

  /// Where a ramp ends: half the fraction's denominator, before it was reduced.
  private func end(_ from: ArrivalRate, _ to: ArrivalRate, _ numerator: UInt64, _ denominator: UInt64) -> UInt64 {
    let difference = from < to ? to.quanta - from.quanta : from.quanta - to.quanta
    return difference / numerator * denominator / 2
  }

  /// The last time up to `end` with at most `wanted` quanta: from a place near it by doubling steps, then by halves.
  private func search(for wanted: UInt128, near estimate: UInt64, upTo end: UInt64) -> UInt64 {
    var (low, high) = (UInt64(0), end)
    let start = min(estimate, end)
    var step: UInt64 = 1
    if count(before: start) <= wanted {
      low = start
      while low < end {
        let next = min(end, low &+ step)
        guard count(before: next) <= wanted else {
          high = next
          break
        }
        low = next
        step &*= 2
      }
    } else {
      high = start
      while high > 0 {
        let next = high > step ? high - step : 0
        if count(before: next) <= wanted {
          low = next
          break
        }
        high = next
        step &*= 2
      }
    }
    // `low` has at most what is wanted, `high` has more or is the end.
    if low == end { return end }
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if count(before: middle) <= wanted { low = middle } else { high = middle }
    }
    return low
  }

  /// Solves `x + swing / 2 pi (1 - cos 2 pi x) = share` for x in 0 ..< 1: Newton's steps, kept within halves.
  private static func phase(of share: Double, swing: Double) -> Double {
    let turn = 2 * Double.pi
    var (low, high) = (0.0, 1.0)
    var x = share
    for _ in 0..<100 {
      let half = sin(turn * x / 2)
      let error = x + swing / Double.pi * half * half - share
      if error > 0 { high = x } else { low = x }
      let slope = 1 + swing * sin(turn * x)
      var next = x - error / slope
      if !(next > low && next < high) { next = (low + high) / 2 }
      if abs(next - x) < 1e-17 || next == low && next == high { break }
      x = next
    }
    return max(0, min(x, 1.0.nextDown))
  }

  /// `value * factor / divisor` with what is left over; the quotient fits where the value is a time within the ramp.
  private static func scaled(
    _ value: UInt128, by factor: UInt64, over divisor: UInt64
  ) -> (quotient: UInt128, remainder: UInt128) {
    let (product, overflow) = value.multipliedReportingOverflow(by: UInt128(factor))
    if !overflow { return product.quotientAndRemainder(dividingBy: UInt128(divisor)) }
    return UInt128(divisor).dividingFullWidth(value.multipliedFullWidth(by: UInt128(factor)))
  }
}
