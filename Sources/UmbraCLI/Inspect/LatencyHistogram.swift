import Histogram

/// Latencies with two significant digits, in memory that grows with the largest one only (about 10 KB).
struct LatencyHistogram {
  /// In microseconds.
  private var histogram = Histogram<UInt32>(numberOfSignificantValueDigits: .two)

  /// - Parameter nanoseconds: 0 or more; an hour at most is told apart.
  mutating func record(_ nanoseconds: Int64) {
    _ = histogram.record(UInt64(min(max(0, nanoseconds), 3_600_000_000_000)) / 1000)
  }

  /// In nanoseconds; nil where nothing was recorded.
  func quantile(_ share: Double) -> Int64? {
    histogram.totalCount == 0 ? nil : Int64(histogram.valueAtPercentile(share * 100)) * 1000
  }
}
