/// Says which of several targets is next: by weight, evenly mixed, sparing one that has just come back.
///
/// Each pick every available target gains its weight and the one that has most is chosen and pays the sum: among
/// weights 5, 1, 1 that is a a b a c a a. A target that comes back after its breaker was open begins with a tenth of its
/// weight, which grows evenly to the whole in ``slowStart``. A pure value; times in nanoseconds.
struct TargetBalancer: Sendable {
  private struct Share {
    var weight: Double
    var credit = 0.0
    /// When it came back; nil when that is long ago.
    var returned: Int64?
  }

  private var shares: [Share]

  /// Nanoseconds in which a target that came back gets its whole weight.
  static let slowStart: Int64 = 30_000_000_000
  private static let firstShare = 0.1

  init(weights: [UInt32]) { shares = weights.map { Share(weight: Double($0)) } }

  mutating func cameBack(_ target: Int, at now: Int64) { shares[target].returned = now }

  /// The next among those that are available; nil where none is.
  mutating func pick(at now: Int64, isAvailable: (Int) -> Bool) -> Int? {
    var (best, sum): (Int?, Double) = (nil, 0)
    for target in shares.indices where isAvailable(target) {
      let weight = weight(of: target, at: now)
      sum += weight
      shares[target].credit += weight
      if best.map({ shares[target].credit > shares[$0].credit }) ?? true { best = target }
    }
    if let best { shares[best].credit -= sum }
    return best
  }

  private mutating func weight(of target: Int, at now: Int64) -> Double {
    guard let returned = shares[target].returned else { return shares[target].weight }
    let age = Double(max(0, now &- returned)) / Double(TargetBalancer.slowStart)
    if age >= 1 { shares[target].returned = nil }
    return shares[target].weight * min(1, TargetBalancer.firstShare + (1 - TargetBalancer.firstShare) * age)
  }
}

/// A target and its share of the connections, relative to the others'.
public struct WeightedTarget: Hashable, Sendable {
  public var target: ReplayTarget
  /// 1 to 10,000.
  public var weight: UInt32

  public init(_ target: ReplayTarget, weight: UInt32 = 1) {
    self.target = target
    self.weight = weight
  }
}
