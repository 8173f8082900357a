/// How many requests arrive by when: parts one after the other, each with a shape.
///
/// Two functions, one the other's inverse: ``arrivals(before:)`` from elapsed time to a count, ``due(index:)`` from the
/// n-th arrival to its time. Both are computed from the profile's start in whole numbers (``ArrivalRate``), so that the
/// billionth arrival is as exact as the first: a due time is the exact one, rounded down to the nanosecond. Only a
/// sine's place within its period is found in floating point, to within a nanosecond or a millionth of an arrival,
/// whichever is more; whole periods are exact, so that this error does not add up.
///
/// Bounds: 10,000 stretches of one formula, ``Pacing/horizon``.
public struct ArrivalProfile: Hashable, Sendable {
  public let parts: [ArrivalPart]
  /// The parts cut where a formula changes.
  let stretches: [Stretch]

  /// A stretch and where it stands.
  struct Stretch: Hashable, Sendable {
    var curve: ArrivalCurve
    var isPoisson: Bool
    /// Nanoseconds from the profile's start, and the end; nil for one without an end, the last.
    var start: UInt64
    var end: UInt64?
    /// Quanta of arrivals before it, and before its end.
    var before: UInt128
    var through: UInt128?
  }

  /// - Parameter parts: all but the last have a length; their sum is within ``Pacing/horizon``, their number of
  ///   stretches within ``stretchLimit``. The parser sees to it.
  init(parts: [ArrivalPart]) {
    self.parts = parts
    var stretches: [Stretch] = []
    var (start, before) = (UInt64(0), UInt128(0))
    for (index, part) in parts.enumerated() {
      for (curve, length) in part.shape.curves(isLast: index == parts.count - 1) {
        var stretch = Stretch(curve: curve, isPoisson: part.isPoisson, start: start, before: before)
        if let length {
          stretch.end = start + length
          stretch.through = before + curve.count(before: length)
          (start, before) = (start + length, stretch.through!)
        }
        stretches.append(stretch)
      }
    }
    self.stretches = stretches
  }

  /// The most changes of formula in a profile.
  public static let stretchLimit = 10_000

  /// Nanoseconds until nothing more arrives; nil for a profile without an end.
  public var length: Int64? { stretches.last?.end.map { Int64($0) } }

  /// Some part's arrivals are random, so that only ``ArrivalWalk`` knows when they are.
  public var isRandom: Bool { stretches.contains { $0.isPoisson } }

  /// Arrivals from the start until just before `elapsed` nanoseconds; of random ones, the mean rounded up.
  public func arrivals(before elapsed: Int64) -> UInt64 {
    guard elapsed > 0 else { return 0 }
    let time = UInt64(elapsed)
    guard let stretch = stretches.last(where: { $0.start < time }) else { return 0 }
    let count = stretch.before + stretch.curve.count(before: min(time, stretch.end ?? time) - stretch.start)
    let (whole, rest) = count.quotientAndRemainder(dividingBy: UInt128(ArrivalRate.quantaPerArrival))
    return UInt64(clamping: whole) + (rest > 0 ? 1 : 0)
  }

  /// Nanoseconds from the start to the arrival with this index, from 0; nil where the profile ends before it.
  ///
  /// Random parts are taken as if they were even.
  public func due(index: UInt64) -> Int64? {
    let position = UInt128(index) * UInt128(ArrivalRate.quantaPerArrival)
    // A stretch without arrivals begins where the one behind it does: the last one holds the arrival.
    var (low, high) = (0, stretches.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if stretches[middle].before <= position { low = middle } else { high = middle }
    }
    return due(position: position, in: stretches[low])
  }

  /// - Parameter position: quanta of arrivals, from the stretch's own beginning on.
  func due(position: UInt128, in stretch: Stretch) -> Int64? {
    if let through = stretch.through, position >= through { return nil }
    let time = stretch.start &+ stretch.curve.time(of: position - stretch.before)
    return Int64(min(time, stretch.end.map { $0 - 1 } ?? .max, UInt64(Pacing.horizon)))
  }
}

/// One part of a profile, as it is written between semicolons.
public struct ArrivalPart: Hashable, Sendable {
  public var shape: ArrivalShape
  /// Arrivals are random around the shape's rate: a Poisson process.
  public var isPoisson: Bool

  public init(shape: ArrivalShape, isPoisson: Bool = false) {
    self.shape = shape
    self.isPoisson = isPoisson
  }
}
