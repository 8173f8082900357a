// A saved capture's time units to nanoseconds.

import HTTPModel

/// How many ticks a second has, and which second is tick 0.
///
/// Times before 1677 and after 2262, which nanoseconds in 64 bits can't say, become the nearest that can.
struct TimestampUnit {
  /// A tick is this many nanoseconds, or this part of one.
  private enum Tick {
    case multiple(UInt64)
    case fraction(UInt64)
    /// 2^-n seconds.
    case binary(UInt64)
    /// So short that 64 bits of ticks make no nanosecond.
    case negligible
  }

  private let tick: Tick
  private let secondsOffset: Int64

  static let microseconds = TimestampUnit(resolution: 6)

  /// - Parameters:
  ///   - resolution: pcapng's `if_tsresol`: n for 10^-n seconds, 128 + n for 2^-n seconds.
  ///   - secondsOffset: pcapng's `if_tsoffset`, added to every time.
  init(resolution: UInt8, secondsOffset: Int64 = 0) {
    self.secondsOffset = secondsOffset
    let exponent = Int(resolution & 0x7f)
    if resolution & 0x80 != 0 {
      tick = .binary(UInt64(exponent))
    } else if exponent <= 9 {
      tick = .multiple(TimestampUnit.power(9 - exponent))
    } else {
      tick = exponent - 9 <= 19 ? .fraction(TimestampUnit.power(exponent - 9)) : .negligible
    }
  }

  func timestamp(ticks: UInt64) -> Timestamp {
    let nanoseconds: UInt64
    switch tick {
    case .multiple(let factor):
      let product = ticks.multipliedReportingOverflow(by: factor)
      nanoseconds = product.overflow ? .max : product.partialValue
    case .fraction(let divisor): nanoseconds = ticks / divisor
    case .negligible: nanoseconds = 0
    case .binary(let exponent):
      // ticks * 10^9 / 2^exponent, in 128 bits.
      let product = ticks.multipliedFullWidth(by: 1_000_000_000)
      if exponent >= 64 {
        nanoseconds = product.high >> (exponent - 64)
      } else {
        let whole = product.high >> exponent == 0
        nanoseconds =
          !whole ? .max : exponent == 0 ? product.low : product.high << (64 - exponent) | product.low >> exponent
      }
    }
    let base = Int64(clamping: nanoseconds)
    guard secondsOffset != 0 else { return Timestamp(nanoseconds: base) }
    let shift = secondsOffset.multipliedReportingOverflow(by: 1_000_000_000)
    let sum = base.addingReportingOverflow(shift.partialValue)
    if shift.overflow || sum.overflow { return Timestamp(nanoseconds: secondsOffset < 0 ? .min : .max) }
    return Timestamp(nanoseconds: sum.partialValue)
  }

  private static func power(_ exponent: Int) -> UInt64 {
    (0..<exponent).reduce(1) { product, _ in product * 10 }
  }
}
