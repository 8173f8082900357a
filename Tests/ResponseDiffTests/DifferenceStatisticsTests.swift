import Testing

@testable import ResponseDiff

private typealias Statistics = DifferenceStatistics

@Suite struct DifferenceStatisticsTests {
  /// Against sums of binomial coefficients, exact in integers.
  @Test func pairedTestIsTheBinomialTail() {
    func exact(_ b: Int, _ c: Int) -> Double {
      var row: [Double] = [1]
      for _ in 0..<(b + c) { row = zip(row + [0], [0] + row).map { $0 + $1 } }
      return row[b...].reduce(0, +) / row.reduce(0, +)
    }
    for b in 0...20 {
      for c in 0...20 {
        let p = Statistics.pairedTest(shadowOnly: UInt64(b), controlOnly: UInt64(c))
        #expect(abs(p - exact(b, c)) < 1e-12, "\(b), \(c)")
      }
    }
    #expect(Statistics.pairedTest(shadowOnly: 500_000, controlOnly: 500_000) > 0.5)
    #expect(Statistics.pairedTest(shadowOnly: 505_000, controlOnly: 495_000) < 1e-20)
    #expect(Statistics.pairedTest(shadowOnly: .max, controlOnly: 0) == 0)
  }

  /// The example of Benjamini and Hochberg's own paper, section 4: four of fifteen at 5 %.
  @Test func falseDiscoveryRateRejectsAsInItsPaper() {
    let p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1,
    ]
    #expect(Statistics.benjaminiHochberg(p).filter { $0 }.count == 4)
    #expect(Statistics.benjaminiHochberg(p.reversed()).suffix(4).allSatisfy { $0 })
    #expect(Statistics.benjaminiHochberg([]).isEmpty && Statistics.benjaminiHochberg([0.05]) == [true])
  }

  @Test func whatIsSureDoesNotHelpTheRest() {
    let p = [1e-9, 1e-8, 1e-7, 0.012, 0.4, 0.8]
    #expect(Statistics.benjaminiHochberg(p) == [true, true, true, true, false, false])
    #expect(Statistics.confirmed(p) == [true, true, true, true, false, false])
    #expect(Statistics.confirmed([1e-9, 1e-8, 1e-7, 0.03, 0.4, 0.8]) == [true, true, true, false, false, false])
    #expect(Statistics.confirmed([1e-9, 0.012]) == [true, true] && Statistics.confirmed([]).isEmpty)
  }

  @Test func intervalsAreThoseOfTheTables() {
    #expect(Statistics.ruleOfThree(1000) == 0.003 && Statistics.ruleOfThree(1) == 1 && Statistics.ruleOfThree(0) == 1)
    let (low, high) = Statistics.shareInterval(10, of: 100)
    #expect(abs(low - 0.05523) < 1e-4 && abs(high - 0.17437) < 1e-4)
    #expect(Statistics.shareInterval(0, of: 10).low == 0 && Statistics.shareInterval(10, of: 10).high == 1)
  }

  /// Fisher's tea: 4 of 4 by chance is 1 in 70, 3 or more 17 in 70.
  @Test func associationIsFishersTea() {
    func p(_ a: UInt64) -> Double { Statistics.associationTest(affectedWith: a, of: 4, othersWith: 4 - a, of: 4) }
    #expect(abs(p(4) - 1 / 70) < 1e-12 && abs(p(3) - 17 / 70) < 1e-12 && abs(p(0) - 1) < 1e-12)
    #expect(Statistics.separation(affectedWith: 4, of: 4, othersWith: 1, of: 4) == 0.75)
  }

  // MARK: By simulation

  private struct Place {
    /// How often the control, and the shadow before it changed, differs from the primary.
    var noise: Double
    /// How often the shadow differs beyond that.
    var effect = 0.0
  }

  /// One run's confirmed places: pairs are drawn, counted and tested as RunAnalysis does.
  private func confirmed(_ places: [Place], pairs: Int, _ random: inout SplitMix64) -> [Bool] {
    let p = places.map { place in
      var (b, c): (UInt64, UInt64) = (0, 0)
      for _ in 0..<pairs {
        let control = Double.random(in: 0..<1, using: &random) < place.noise
        let shadow = Double.random(in: 0..<1, using: &random) < place.noise + place.effect
        if shadow, !control { b += 1 }
        if control, !shadow { c += 1 }
      }
      return (b, c)
    }
    let tested = p.indices.filter { p[$0] != (0, 0) }
    let rejected = Statistics.confirmed(
      tested.map { Statistics.pairedTest(shadowOnly: p[$0].0, controlOnly: p[$0].1) })
    var result = [Bool](repeating: false, count: places.count)
    for (index, isRejected) in zip(tested, rejected) { result[index] = isRejected }
    return result
  }

  /// With no true difference at most one run in twenty raises an alarm, whatever the noise.
  @Test(arguments: [[0.001, 0.01], [0.05, 0.3], [0.5, 0.9], [0.001, 0.5]], [1, 30])
  func falseAlarmsStayUnderFivePercent(noise: [Double], places: Int) {
    var random = SplitMix64(seed: 7)
    let runs = 300
    let alarms = (0..<runs).count { _ in
      let all = (0..<places).map { Place(noise: noise[$0 % noise.count]) }
      return confirmed(all, pairs: 60, &random).contains(true)
    }
    #expect(Double(alarms) <= 0.05 * Double(runs))
  }

  /// The table of umbra-statistics(7): the share of runs in which a difference at one of ten noisy places is confirmed.
  @Test(arguments: [
    (pairs: 100, noise: 0.0, effect: 0.05, power: 0.05...0.35), (100, 0.0, 0.1, 0.65...0.95),
    (100, 0.1, 0.2, 0.5...0.9),
    (300, 0.01, 0.05, 0.75...1), (300, 0.1, 0.1, 0.45...0.9), (1000, 0.01, 0.02, 0.6...1),
    (1000, 0.1, 0.05, 0.45...0.9),
  ])
  func powerIsAsTheManualSays(pairs: Int, noise: Double, effect: Double, power: ClosedRange<Double>) {
    var random = SplitMix64(seed: 11)
    let places = [Place(noise: noise, effect: effect)] + Array(repeating: Place(noise: 0.02), count: 9)
    let found = (0..<100).count { _ in confirmed(places, pairs: pairs, &random)[0] }
    #expect(power.contains(Double(found) / 100))
  }

  // MARK: Quantile ratios

  @Test func ratiosOfQuantilesHoldTheTruth() throws {
    var random = SplitMix64(seed: 3)
    var hits = 0
    for _ in 0..<40 {
      let primary = (0..<400).map { _ in 1000 + 500 * Double.random(in: 0..<1, using: &random) }
      let shadow = (0..<400).map { _ in 1.3 * (1000 + 500 * Double.random(in: 0..<1, using: &random)) }
      let ratio = try #require(
        Statistics.quantileRatios(primary: primary, shadow: shadow, quantiles: [0.5], resamples: 120)[0])
      #expect(ratio.low <= ratio.ratio && ratio.ratio <= ratio.high && ratio.differenceLow > 0)
      if (ratio.low...ratio.high).contains(1.3) { hits += 1 }
    }
    #expect(hits >= 34)
  }

  /// 400 pairs; the shadow is slower by 40 ms in a tenth of them.
  private func pairs(slowInOneMoment: Bool, _ random: inout SplitMix64) -> (primary: [Double], shadow: [Double]) {
    var (primary, shadow): ([Double], [Double]) = ([], [])
    for number in 0..<400 {
      let time = 10_000 + 5000 * Double.random(in: 0..<1, using: &random)
      primary.append(time)
      let isSlow = slowInOneMoment ? (100..<140).contains(number) : Double.random(in: 0..<1, using: &random) < 0.1
      shadow.append(time + (isSlow ? 40_000 : 0))
    }
    return (primary, shadow)
  }

  @Test func oneBusyMomentConfirmsNothing() throws {
    var random = SplitMix64(seed: 5)
    var (moments, spread) = (0, 0)
    for _ in 0..<20 {
      for slowInOneMoment in [true, false] {
        let (primary, shadow) = pairs(slowInOneMoment: slowInOneMoment, &random)
        let ratio = try #require(
          Statistics.quantileRatios(primary: primary, shadow: shadow, quantiles: [0.95], resamples: 200)[0])
        #expect(ratio.ratio > 3)
        if ratio.low > 1.1 { if slowInOneMoment { moments += 1 } else { spread += 1 } }
      }
    }
    #expect(moments <= 2 && spread >= 18, "\(moments) of one moment, \(spread) spread over all")
  }

  @Test func samplesThatReplacedOthersStandInTheirOrderAgain() throws {
    // Slow while the 3,000th to 3,400th of 4,000 pairs are sent, of which 1,024 are kept.
    var latencies = LatencyPairs(capacity: 1024)
    for number in 0..<4000 {
      let isSlow = (3000..<3400).contains(number)
      latencies.record(primaryNanoseconds: 10_000_000, shadowNanoseconds: isSlow ? 60_000_000 : 10_000_000)
    }
    let ratio = try #require(latencies.ratios()[1])
    #expect(latencies.samples == 1024 && ratio.ratio == 6 && ratio.low == 1)
  }

  @Test func quantilesOfTooFewSamplesHaveNoInterval() {
    let times = (0..<100).map { Double($0 + 1) }
    let ratios = Statistics.quantileRatios(primary: times, shadow: times, quantiles: [0.5, 0.95, 0.99])
    #expect(ratios[0]?.ratio == 1 && ratios[1]?.low == 1 && ratios[2] == nil)
    #expect(Statistics.quantileRatios(primary: [], shadow: [], quantiles: [0.5]) == [nil])
    #expect(Statistics.quantileRatios(primary: [0, 0], shadow: [1, 1], quantiles: [0]) == [nil])
  }
}
