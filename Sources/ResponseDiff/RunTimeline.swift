// What a run did over time: rate, statuses, differences and latencies in slices of time.
// In: one attempt after another, in about the order of time. Out: slices. Owner: RunAnalysis.
// Bounds: `sliceLimit` slices; when they are full, two become one and each is twice as long.

import HTTPModel

/// A slice of a run.
public struct TimeSlice: Hashable, Sendable {
  /// From the run's first due time, in seconds.
  public var start: Double
  /// Requests due in it.
  public var attempts: UInt64
  /// Without a whole answer.
  public var errors: UInt64
  /// The shadow's answers by status class: 1 to 5, and 0 for others.
  public var statusClasses: [UInt64]
  /// Pairs with at least one difference above `info`.
  public var different: UInt64
  /// Median and 95th percentile in microseconds, to about 10 %; nil where there are no samples.
  public var primaryP50: Double?
  /// See ``primaryP50``.
  public var primaryP95: Double?
  /// See ``primaryP50``.
  public var shadowP50: Double?
  /// See ``primaryP50``.
  public var shadowP95: Double?

  public init(
    start: Double, attempts: UInt64, errors: UInt64, statusClasses: [UInt64], different: UInt64, primaryP50: Double?,
    primaryP95: Double?, shadowP50: Double?, shadowP95: Double?
  ) {
    self.start = start
    self.attempts = attempts
    self.errors = errors
    self.statusClasses = statusClasses
    self.different = different
    self.primaryP50 = primaryP50
    self.primaryP95 = primaryP95
    self.shadowP50 = shadowP50
    self.shadowP95 = shadowP95
  }
}

/// A run over time, in slices of one length.
public struct Timeline: Hashable, Sendable {
  /// The length of a slice.
  public var secondsPerSlice: Double
  /// In order, without holes.
  public var slices: [TimeSlice]

  public init(secondsPerSlice: Double, slices: [TimeSlice]) {
    self.secondsPerSlice = secondsPerSlice
    self.slices = slices
  }
}

struct RunTimeline {
  private static let sliceLimit = 120

  private struct Slice {
    var attempts: UInt64 = 0
    var errors: UInt64 = 0
    var different: UInt64 = 0
    var classes = [UInt64](repeating: 0, count: 6)
    var primary = CoarseHistogram()
    var shadow = CoarseHistogram()

    mutating func count(_ attempt: AttemptFigures, _ primaryNanoseconds: Int64?, _ isDifferent: Bool) {
      attempts += 1
      if isDifferent { different += 1 }
      if let primaryNanoseconds { primary.record(nanoseconds: primaryNanoseconds) }
      guard let status = attempt.status else {
        errors += 1
        return
      }
      classes[status < 600 ? Int(status / 100) : 0] += 1
      if attempt.wasSent { shadow.record(nanoseconds: attempt.time) }
    }

    mutating func add(_ other: Slice) {
      attempts += other.attempts
      errors += other.errors
      different += other.different
      for index in classes.indices { classes[index] += other.classes[index] }
      primary.add(other.primary)
      shadow.add(other.shadow)
    }
  }

  private var origin: Timestamp?
  private var nanosecondsPerSlice: Int64 = 100_000_000
  private var slices: [Slice] = []

  mutating func count(_ attempt: AttemptFigures, primaryNanoseconds: Int64?, isDifferent: Bool) {
    slices[place(of: attempt.scheduled)].count(attempt, primaryNanoseconds, isDifferent)
  }

  /// The slice of a time; one before the first is counted as the first.
  private mutating func place(of time: Timestamp) -> Int {
    let origin = origin ?? time
    self.origin = origin
    let offset = max(0, time.nanoseconds(since: origin))
    while offset / nanosecondsPerSlice >= Int64(Self.sliceLimit) {
      nanosecondsPerSlice = nanosecondsPerSlice.multipliedReportingOverflow(by: 2).partialValue
      guard nanosecondsPerSlice > 0 else {
        nanosecondsPerSlice = .max
        break
      }
      for index in 0..<(slices.count + 1) / 2 {
        var joined = slices[2 * index]
        if 2 * index + 1 < slices.count { joined.add(slices[2 * index + 1]) }
        slices[index] = joined
      }
      slices.removeLast(slices.count / 2)
    }
    let index = min(Self.sliceLimit - 1, Int(offset / nanosecondsPerSlice))
    while slices.count <= index { slices.append(Slice()) }
    return index
  }

  var timeline: Timeline {
    let seconds = Double(nanosecondsPerSlice) / 1e9
    return Timeline(
      secondsPerSlice: seconds,
      slices: slices.enumerated().map { index, slice in
        TimeSlice(
          start: Double(index) * seconds, attempts: slice.attempts, errors: slice.errors,
          statusClasses: slice.classes, different: slice.different, primaryP50: slice.primary.value(at: 0.5),
          primaryP95: slice.primary.value(at: 0.95), shadowP50: slice.shadow.value(at: 0.5),
          shadowP95: slice.shadow.value(at: 0.95))
      })
  }
}

/// Times in 96 buckets, four to each doubling of a microsecond.
private struct CoarseHistogram {
  private var buckets: [UInt32] = []
  private var total: UInt64 = 0

  mutating func record(nanoseconds: Int64) {
    if buckets.isEmpty { buckets = Array(repeating: 0, count: 96) }
    let microseconds = UInt64(max(0, nanoseconds)) / 1000 + 1
    let octave = UInt64.bitWidth - 1 - microseconds.leadingZeroBitCount
    // The two bits below the leading one.
    let quarter =
      octave >= 2 ? Int(microseconds >> UInt64(octave - 2)) & 3 : Int(microseconds << UInt64(2 - octave)) & 3
    buckets[min(95, octave * 4 + quarter)] &+= 1
    total += 1
  }

  mutating func add(_ other: CoarseHistogram) {
    total += other.total
    if buckets.isEmpty {
      buckets = other.buckets
      return
    }
    for index in other.buckets.indices { buckets[index] &+= other.buckets[index] }
  }

  /// The middle of the bucket that holds the quantile.
  func value(at quantile: Double) -> Double? {
    guard total > 0 else { return nil }
    let rank = max(1, UInt64((quantile * Double(total)).rounded(.up)))
    var seen: UInt64 = 0
    for (index, count) in buckets.enumerated() {
      seen += UInt64(count)
      if seen >= rank { return Double(UInt64(1) << UInt64(index / 4)) * (1 + (Double(index % 4) + 0.5) / 4) - 1 }
    }
    return nil
  }
}
