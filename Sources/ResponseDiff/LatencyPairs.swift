// Times of the same requests on both sides, as far as memory allows, and how often which side was clearly slower.
// In: a pair of times after another. Out: ratios with intervals, a test. Owner: EndpointRecord. Bounds: `capacity` pairs.

/// Ratios of quantiles, shadow over primary, with 95 % intervals by paired bootstrap.
public struct LatencyIntervals: Hashable, Sendable {
  /// A ratio, or a difference in microseconds, with its 95 % interval.
  public struct Interval: Hashable, Sendable {
    /// The estimate.
    public var value: Double
    /// The interval's lower end.
    public var low: Double
    /// The interval's upper end.
    public var high: Double

    public init(value: Double, low: Double, high: Double) {
      self.value = value
      self.low = low
      self.high = high
    }
  }
  /// Pairs that the intervals were made from: a sample where there were more.
  public var samples: UInt64
  /// Each nil where fewer than five samples lie above the quantile.
  public var p50: Interval?
  /// See ``p50``.
  public var p95: Interval?
  /// See ``p50``.
  public var p99: Interval?

  public init(samples: UInt64, p50: Interval?, p95: Interval?, p99: Interval?) {
    self.samples = samples
    self.p50 = p50
    self.p95 = p95
    self.p99 = p99
  }
}

struct LatencyPairs {
  /// The difference that counts at least, in microseconds, and as a share of the faster time.
  static let floorMicroseconds = 1000.0
  static let floorShare = 0.1
  /// Fewer pairs say more of the moment in which they were sent than of the shadow: on a host that was busy just then
  /// all of them may be slow.
  static let fewestPairs: UInt64 = 30

  private let capacity: Int
  private var primary: [Float] = []
  private var shadow: [Float] = []
  /// Which pair of all it was; by place only while none was left out.
  private var numbers: [UInt64] = []
  private var random: SplitMix64
  private(set) var count: UInt64 = 0
  /// Pairs in which the shadow was slower than the primary by more than the floors, and the control was not.
  private(set) var shadowSlower: UInt64 = 0
  /// The same with the control's part and the shadow's exchanged; without a control, with the primary's and the shadow's.
  private(set) var otherSlower: UInt64 = 0
  /// Pairs whose control's time was known.
  private(set) var controlled: UInt64 = 0

  init(capacity: Int) {
    self.capacity = capacity
    random = SplitMix64(seed: UInt64(capacity))
  }

  /// - Parameter controlNanoseconds: nil where no control answered.
  mutating func record(primaryNanoseconds: Int64, shadowNanoseconds: Int64, controlNanoseconds: Int64? = nil) {
    let (p, s) = (Double(max(0, primaryNanoseconds)) / 1000, Double(max(0, shadowNanoseconds)) / 1000)
    count += 1
    let isShadowSlower = Self.isSlower(s, than: p)
    let isOtherSlower: Bool
    if let controlNanoseconds {
      // What slows the control as well, such as a busy host, is not the release's doing.
      controlled += 1
      isOtherSlower = Self.isSlower(Double(max(0, controlNanoseconds)) / 1000, than: p)
    } else {
      isOtherSlower = Self.isSlower(p, than: s)
    }
    if isShadowSlower != isOtherSlower { if isShadowSlower { shadowSlower += 1 } else { otherSlower += 1 } }
    if primary.count < capacity {
      primary.append(Float(p))
      shadow.append(Float(s))
    } else {
      // Algorithm R: each pair is kept with the same probability.
      let place = random.below(Int(clamping: count))
      guard place < capacity else { return }
      if numbers.isEmpty { numbers = Array(1...UInt64(capacity)) }
      numbers[place] = count
      primary[place] = Float(p)
      shadow[place] = Float(s)
    }
  }

  /// There are enough to judge by, and some in which a side was clearly slower.
  var isTelling: Bool { count >= Self.fewestPairs && shadowSlower + otherSlower > 0 }

  /// P that the shadow is so often the slower one when it is not slower at all: the sign test, on pairs beyond the floors.
  var pValue: Double { DifferenceStatistics.pairedTest(shadowOnly: shadowSlower, controlOnly: otherSlower) }

  /// Microseconds.
  private static func isSlower(_ a: Double, than b: Double) -> Bool {
    a - b > max(floorMicroseconds, floorShare * min(a, b))
  }

  /// The statistics of the quantiles 0.5, 0.95 and 0.99.
  func ratios() -> [DifferenceStatistics.QuantileRatio?] {
    let inOrder = numbers.isEmpty ? Array(primary.indices) : numbers.indices.sorted { numbers[$0] < numbers[$1] }
    return DifferenceStatistics.quantileRatios(
      primary: inOrder.map { Double(primary[$0]) }, shadow: inOrder.map { Double(shadow[$0]) },
      quantiles: [0.5, 0.95, 0.99], resamples: capacity > 2000 ? 100 : 200)
  }

  var samples: UInt64 { UInt64(primary.count) }
}

extension LatencyIntervals {
  init?(_ ratios: [DifferenceStatistics.QuantileRatio?], samples: UInt64) {
    guard ratios.contains(where: { $0 != nil }) else { return nil }
    let intervals = ratios.map { $0.map { Interval(value: $0.ratio, low: $0.low, high: $0.high) } }
    self.init(samples: samples, p50: intervals[0], p95: intervals[1], p99: intervals[2])
  }
}
