// The statistics behind a verdict: pure functions of counts and samples. In: counts. Out: probabilities, intervals.
// Owner: nobody; no state. Bounds: a tail is summed until its terms no longer count, a bootstrap does `resamples` rounds.
//
// Sources
//   McNemar's exact test: Q. McNemar, Psychometrika 12 (1947); one-sided, on the pairs that disagree.
//   False discovery rate: Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57 (1995).
//   Rule of three: J. A. Hanley, A. Lippman-Hand, JAMA 249 (1983).
//   Score interval: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927).
//   Exact test of a two-by-two table: R. A. Fisher, J. R. Stat. Soc. 85 (1922).
//   Percentile bootstrap of paired samples: B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), 13.3.
//   Drawn in circular blocks: D. Politis, J. Romano, A Circular Block-Resampling Procedure for Stationary Data (1992).
//   Separation: W. J. Youden, Cancer 3 (1950).

import Glibc

enum DifferenceStatistics {
  /// The false discovery rate at which differences are confirmed. With no true difference every discovery is a false
  /// one, so this is also the greatest share of such runs that raise any alarm.
  static let falseDiscoveryRate = 0.05

  // MARK: Is it the shadow?

  /// P(X ≥ b), X binomial with b + c trials of 1/2: how likely so many of the disagreeing pairs disagree on the shadow's
  /// side when the shadow is one more instance of the primary.
  ///
  /// - Parameters:
  ///   - shadowOnly: b, pairs in which the shadow differs from the primary and the control does not.
  ///   - controlOnly: c, pairs in which the control differs and the shadow does not.
  static func pairedTest(shadowOnly b: UInt64, controlOnly c: UInt64) -> Double {
    let (n, k) = (Double(b) + Double(c), Double(b))
    if b == 0 { return 1 }
    // Summed outwards from the edge of the tail that does not hold the mean, where terms only fall.
    if 2 * k > n { return min(1, upperTail(from: k, of: n)) }
    return max(0, min(1, 1 - upperTail(from: n - k + 1, of: n)))
  }

  /// P(X ≥ k) for k above n/2: C(n, k) 2^-n (1 + (n-k)/(k+1) + ...).
  private static func upperTail(from k: Double, of n: Double) -> Double {
    if k > n { return 0 }
    var term = 1.0
    var sum = 1.0
    var place = k
    while place < n {
      term *= (n - place) / (place + 1)
      sum += term
      place += 1
      if term < sum * 1e-17 { break }
    }
    return exp(logChoose(n, k) - n * M_LN2) * sum
  }

  /// Which of the hypotheses are rejected: the k least p where k is the greatest with p(k) ≤ k/m · level.
  static func benjaminiHochberg(_ p: [Double], level: Double = falseDiscoveryRate) -> [Bool] {
    let order = p.indices.sorted { p[$0] < p[$1] }
    var bound = -1.0
    for (rank, index) in order.enumerated() where p[index] <= Double(rank + 1) / Double(p.count) * level {
      bound = p[index]
    }
    return p.map { $0 <= bound }
  }

  /// Which of a run's places are confirmed. Those that Bonferroni's bound at 0.1 % leaves no doubt of are confirmed and set
  /// aside, and Benjamini and Hochberg's procedure is done over the others.
  ///
  /// What it rejects is a subset of what one pass over all would: with r/(m-k) for (r+k)/m, the k sure ones no longer
  /// raise the bound for the rest. So a run with plain regressions raises a false alarm beside them no more often than
  /// a run without.
  static func confirmed(_ p: [Double], level: Double = falseDiscoveryRate) -> [Bool] {
    let sure = p.map { isSure($0, of: p.count) }
    let rest = p.indices.filter { !sure[$0] }
    var result = sure
    for (index, isRejected) in zip(rest, benjaminiHochberg(rest.map { p[$0] }, level: level)) {
      result[index] = isRejected
    }
    return result
  }

  /// Beyond doubt by Bonferroni's bound at 0.1 %.
  static func isSure(_ p: Double, of hypotheses: Int) -> Bool { p * Double(hypotheses) <= 0.001 }

  // MARK: How much?

  /// The 95 % upper bound of a rate of which nothing was seen in n: 3/n, since (1 - 3/n)^n ≈ e^-3 ≈ 0.05.
  static func ruleOfThree(_ n: UInt64) -> Double { n == 0 ? 1 : min(1, 3 / Double(n)) }

  /// Wilson's 95 % interval of a share.
  static func shareInterval(_ part: UInt64, of n: UInt64) -> (low: Double, high: Double) {
    guard n > 0 else { return (0, 1) }
    let (n, z) = (Double(n), 1.959963984540054)
    let share = min(1, Double(part) / n)
    let middle = share + z * z / (2 * n)
    let spread = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    return (share == 0 ? 0 : (middle - spread) / scale, share == 1 ? 1 : (middle + spread) / scale)
  }

  // MARK: Whom does it concern?

  /// Youden's J: the share of the affected that have a feature, less the share of the others. -1...1.
  static func separation(affectedWith a: UInt64, of affected: UInt64, othersWith o: UInt64, of others: UInt64) -> Double
  {
    guard affected > 0, others > 0 else { return 0 }
    return Double(a) / Double(affected) - Double(o) / Double(others)
  }

  /// P(X ≥ a), X hypergeometric: how likely at least so many of the affected have the feature when it has nothing to do
  /// with being affected.
  static func associationTest(
    affectedWith a: UInt64, of affected: UInt64, othersWith o: UInt64, of others: UInt64
  ) -> Double {
    let (with, drawn, total) = (Double(a) + Double(o), Double(affected), Double(affected) + Double(others))
    var k = Double(a)
    let last = min(with, drawn)
    guard k <= last, with - k <= total - drawn else { return 1 }
    var term = exp(logChoose(with, k) + logChoose(total - with, drawn - k) - logChoose(total, drawn))
    var sum = term
    while k < last {
      // Successive terms: (K-k)(n-k) / ((k+1)(N-K-n+k+1)).
      term *= (with - k) * (drawn - k) / ((k + 1) * (total - with - drawn + k + 1))
      sum += term
      k += 1
      if term < sum * 1e-17 { break }
    }
    return min(1, sum)
  }

  /// ln C(n, k).
  private static func logChoose(_ n: Double, _ k: Double) -> Double {
    logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
  }

  private static func logGamma(_ x: Double) -> Double {
    var sign: Int32 = 0
    return lgamma_r(x, &sign)
  }

  // MARK: How much slower?

  /// A quantile of the shadow's times over the same of the primary's, with its 95 % interval.
  struct QuantileRatio: Hashable {
    var ratio: Double
    var low: Double
    var high: Double
    /// The shadow's quantile less the primary's, with its 95 % interval.
    var difference: Double
    var differenceLow: Double
    var differenceHigh: Double
  }

  /// Ratios of quantiles over paired samples. Pairs are drawn, not times: what both sides had in common, such as a heavy
  /// request, stays common. And a fiftieth of all pairs at a time, neighbours each: a busy moment that slowed many of them
  /// counts as the one thing that it was. The same samples give the same intervals.
  ///
  /// O(resamples · samples); nothing is sorted twice.
  /// - Parameters:
  ///   - primary, shadow: times of the same requests, in the same unit and both in the order in which they were sent.
  ///   - quantiles: rising, in 0 ..< 1.
  /// - Returns: nil for a quantile of which fewer than five samples lie above, whose interval would be the luck of those.
  static func quantileRatios(
    primary: [Double], shadow: [Double], quantiles: [Double], resamples: Int = 300
  ) -> [QuantileRatio?] {
    let n = min(primary.count, shadow.count)
    guard n > 0 else { return quantiles.map { _ in nil } }
    let byPrimary = (0..<n).sorted { primary[$0] < primary[$1] }
    let byShadow = (0..<n).sorted { shadow[$0] < shadow[$1] }
    let ranks = quantiles.map { max(1, Int(($0 * Double(n)).rounded(.up))) }
    func values(_ order: [Int], _ times: [Double], _ weights: [UInt16], into result: inout [Double]) {
      var (seen, rank) = (0, 0)
      for index in order {
        seen += Int(weights[index])
        while rank < ranks.count, seen >= ranks[rank] {
          result[rank] = times[index]
          rank += 1
        }
        if rank == ranks.count { return }
      }
    }
    var (p, s) = ([Double](repeating: 0, count: ranks.count), [Double](repeating: 0, count: ranks.count))
    values(byPrimary, primary, [UInt16](repeating: 1, count: n), into: &p)
    values(byShadow, shadow, [UInt16](repeating: 1, count: n), into: &s)
    let (observedPrimary, observedShadow) = (p, s)
    var ratios = [[Double]](repeating: [], count: ranks.count)
    var differences = ratios
    var random = SplitMix64(seed: UInt64(n))
    let block = max(1, n / blocksPerResample)
    for _ in 0..<resamples {
      var weights = [UInt16](repeating: 0, count: n)
      var missing = n
      while missing > 0 {
        var place = random.below(n)
        for _ in 0..<min(block, missing) {
          weights[place] &+= 1
          place = place &+ 1 == n ? 0 : place &+ 1
        }
        missing -= min(block, missing)
      }
      values(byPrimary, primary, weights, into: &p)
      values(byShadow, shadow, weights, into: &s)
      for rank in ranks.indices {
        differences[rank].append(s[rank] - p[rank])
        ratios[rank].append(p[rank] > 0 ? s[rank] / p[rank] : .infinity)
      }
    }
    return quantiles.indices.map { index in
      guard Double(n) * (1 - quantiles[index]) >= 5 - 1e-9, observedPrimary[index] > 0 else { return nil }
      let (ratio, difference) = (middle(ratios[index]), middle(differences[index]))
      guard ratio.high.isFinite else { return nil }
      return QuantileRatio(
        ratio: observedShadow[index] / observedPrimary[index], low: ratio.low, high: ratio.high,
        difference: observedShadow[index] - observedPrimary[index], differenceLow: difference.low,
        differenceHigh: difference.high)
    }
  }

  /// Enough for an interval, and so few that each spans what lasts a while.
  private static let blocksPerResample = 50

  /// The middle 95 % of bootstrap values.
  private static func middle(_ values: [Double]) -> (low: Double, high: Double) {
    let sorted = values.sorted()
    let cut = Int(Double(sorted.count) * 0.025)
    return (sorted[cut], sorted[sorted.count - 1 - cut])
  }
}

/// S. Vigna's splitmix64: small, and good enough to draw samples with. Not for secrets.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mixed(state)
  }

  /// The output function: a bijection in which each bit of the input changes half of the output's.
  static func mixed(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// 0 ..< count, by the high half of a product (D. Lemire, 2019); its bias is under count / 2^64.
  mutating func below(_ count: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(count)).high) }
}
