/// A number of arrivals in a time, exactly.
///
/// Rates are written in decimal per second, minute or hour with up to six places after the point, and all of those are
/// whole numbers of one unit: a 7.2 x 10^18th of an arrival in a nanosecond. Sums and products of rates with
/// nanoseconds are therefore whole numbers too. The unit is half of what that takes, so that the middle of two rates is
/// whole as well, which is what the area under a ramp is made of.
public struct ArrivalRate: Hashable, Comparable, Sendable {
  /// ``quantaPerArrival``-ths of an arrival in a nanosecond; even.
  let quanta: UInt64

  static let quantaPerArrival: UInt64 = 7_200_000_000_000_000_000

  static let zero = ArrivalRate(quanta: 0)
  /// One an hour.
  static let lowest = ArrivalRate(quanta: perSecond / 3600)
  /// Ten million a second.
  static let highest = ArrivalRate(quanta: 10_000_000 * perSecond)

  private static let perSecond: UInt64 = quantaPerArrival / 1_000_000_000

  init(quanta: UInt64) { self.quanta = quanta }

  /// - Parameter seconds: 1, 60 or 3600.
  /// - Returns: nil above ``highest``.
  init?(_ number: DecimalFraction, perSeconds seconds: UInt64) {
    // The scale divides 1,000,000, and 1,000,000 times 3600 divides quanta of a second twice over.
    let (quanta, overflow) = number.units.multipliedReportingOverflow(
      by: ArrivalRate.perSecond / (seconds * number.scale))
    guard !overflow, quanta <= ArrivalRate.highest.quanta else { return nil }
    self.quanta = quanta
  }

  public static func < (a: ArrivalRate, b: ArrivalRate) -> Bool { a.quanta < b.quanta }

  /// Arrivals in a second, for display.
  public var perSecond: Double { Double(quanta) / Double(ArrivalRate.perSecond) }
}

extension ArrivalRate: CustomStringConvertible {
  /// `500/s`, `30/m`: in the largest unit that takes no fraction, else per second with up to six places.
  public var description: String {
    for (unit, seconds) in [("s", 1), ("m", 60), ("h", 3600)] as [(String, UInt64)] {
      let one = ArrivalRate.perSecond / seconds
      if quanta % one == 0 { return "\(quanta / one)/\(unit)" }
    }
    return DecimalFraction.text(quanta, over: ArrivalRate.perSecond) + "/s"
  }
}
