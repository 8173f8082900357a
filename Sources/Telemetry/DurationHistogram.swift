/// Durations counted in fixed buckets, from 100 µs to a minute. A value: 22 words, whatever was counted.
public struct DurationHistogram: Hashable, Sendable {
  /// Upper bounds in nanoseconds, inclusive.
  public static let bounds: [Int64] = [
    100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
    250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
    60_000_000_000,
  ]

  /// By bucket, the last above every bound; not cumulative.
  public private(set) var counts = [UInt64](repeating: 0, count: DurationHistogram.bounds.count + 1)
  /// Of all durations, in nanoseconds.
  public private(set) var sum: UInt64 = 0

  public init() {}

  public var count: UInt64 { counts.reduce(0, &+) }

  /// Counts a duration; a negative one as 0.
  public mutating func record(nanoseconds: Int64) {
    let nanoseconds = max(0, nanoseconds)
    var low = 0
    var high = DurationHistogram.bounds.count
    while low < high {
      let middle = (low + high) / 2
      if DurationHistogram.bounds[middle] < nanoseconds { low = middle + 1 } else { high = middle }
    }
    counts[low] &+= 1
    sum &+= UInt64(nanoseconds)
  }
}
