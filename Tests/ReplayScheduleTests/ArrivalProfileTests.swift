import Glibc
import ReplaySchedule
import Testing

/// The two functions of a profile against sums that know nothing of its formulas.
@Suite struct ArrivalProfileTests {
  private func profile(_ text: String) throws -> ArrivalProfile {
    guard case .profile(let profile) = try Pacing(rate: text) else { throw PacingError.speedNotUnderstood(text) }
    return profile
  }

  /// A rate as a function of seconds, as the manual has it, and how long to follow it.
  private struct Case: Sendable {
    var text: String
    var seconds: Double
    var rate: @Sendable (Double) -> Double
  }

  private static let cases: [Case] = [
    Case(text: "500/s", seconds: 3) { _ in 500 },
    Case(text: "90/m", seconds: 20) { _ in 1.5 },
    Case(text: "ramp:100/s..900/s,5s", seconds: 5) { 100 + 160 * $0 },
    Case(text: "ramp:900/s..0/s,5s", seconds: 5) { 900 - 180 * $0 },
    Case(text: "ramp:0/s..7/s,7s", seconds: 7) { $0 },
    Case(text: "step:50/s..200/s,+60/s,2s", seconds: 8) { [50, 110, 170, 200][min(3, Int($0 / 2))] },
    Case(text: "step:200/s..50/s,-50/s,1s", seconds: 4) { 200 - 50 * min(3, $0.rounded(.down)) },
    Case(text: "spike:40/s,900/s,at=2s,for=500ms", seconds: 5) { $0 >= 2 && $0 < 2.5 ? 900 : 40 },
    Case(text: "sine:300/s,200/s,4s", seconds: 11) { 300 + 200 * sin(2 * .pi * $0 / 4) },
    Case(text: "sine:300/s,300/s,3s,9s", seconds: 9) { 300 + 300 * sin(2 * .pi * $0 / 3) },
    Case(text: "100/s,1s;0/s,2s;ramp:0/s..400/s,2s;400/s", seconds: 7) { time in
      switch time {
      case ..<1: 100
      case ..<3: 0
      case ..<5: 200 * (time - 3)
      default: 400
      }
    },
  ]

  @Test(arguments: cases.indices)
  func arrivalsAreTheAreaUnderTheRate(_ index: Int) throws {
    let checked = Self.cases[index]
    let profile = try profile(checked.text)
    // Midpoints of 50 µs: off by far less than an arrival.
    let step = 5e-5
    var area = 0.0
    for slice in 0..<Int(checked.seconds / step) {
      area += checked.rate((Double(slice) + 0.5) * step) * step
      if slice % 997 == 0 {
        let counted = Double(profile.arrivals(before: Int64((Double(slice) + 1) * 50_000)))
        #expect(counted >= area - 0.01 && counted < area + 1.01, "\(checked.text) slice \(slice): \(counted) \(area)")
      }
    }
  }

  @Test(arguments: cases.indices)
  func dueTimesAreWhereTheCountIsReached(_ index: Int) throws {
    let checked = Self.cases[index]
    let profile = try profile(checked.text)
    let end = Int64(checked.seconds * 1e9)
    let count = profile.arrivals(before: end)
    var last: Int64 = -1
    for arrival in 0..<count {
      let due = try #require(profile.due(index: arrival))
      #expect(due >= last && due < end)
      last = due
      // One nanosecond for rounding; a sine's place is found to within another.
      #expect(profile.arrivals(before: max(0, due - 1)) <= arrival, "\(checked.text) \(arrival) at \(due)")
      #expect(profile.arrivals(before: due + 2) > arrival, "\(checked.text) \(arrival) at \(due)")
    }
    if let length = profile.length, length == end { #expect(profile.due(index: count) == nil) }
  }

  @Test(arguments: cases.indices)
  func theWalkGoesThroughTheSameTimes(_ index: Int) throws {
    let profile = try profile(Self.cases[index].text)
    var walk = ArrivalWalk(profile, seed: 9)
    for arrival in 0..<1500 as Range<UInt64> { #expect(walk.next() == profile.due(index: arrival)) }
  }

  @Test func nothingDriftsOverABillionArrivals() throws {
    // 3/s has no period in whole nanoseconds: a schedule that adds periods would be 333 ms off after this many.
    let third = try profile("3/s")
    #expect(third.due(index: 1) == 333_333_333)
    #expect(third.due(index: 1_000_000_000) == 333_333_333_333_333_333)
    #expect(third.due(index: 3_000_000_000) == 1_000_000_000_000_000_000)
    #expect(third.arrivals(before: 1_000_000_000_000_000_000) == 3_000_000_000)
    #expect(third.arrivals(before: 1_000_000_000_000_000_001) == 3_000_000_001)
    #expect(try profile("30/m").due(index: 1_000_000_000) == 2_000_000_000_000_000_000)

    // Up a ramp to 2r in 10^6 s: t² / 10^6 arrivals of r = 1000/s, exact at every whole second.
    let ramp = try profile("ramp:0/s..2000/s,1000000s")
    for second in [1000, 123_000, 777_000, 999_999] as [UInt64] where second * second % 1000 == 0 {
      #expect(ramp.due(index: second * second / 1000) == Int64(second) * 1_000_000_000)
    }
    #expect(ramp.arrivals(before: 1_000_000_000_000_000) == 1_000_000_000)
    #expect(ramp.due(index: 1_000_000_000) == nil)

    // Whole periods of a sine are its mean.
    let sine = try profile("sine:1000/s,999/s,1m")
    #expect(sine.due(index: 60_000_000_000) == 60_000_000_000_000_000)

    // Steps: a thousand seconds each at 1, 2, ... 1,000 thousand a second, then on at 1,000/s.
    let step = try profile("step:1000/s..1000000/s,+1000/s,1000s;1000/s")
    let before: UInt64 = 1000 * 1000 * 1000 * 1001 / 2
    #expect(step.due(index: before) == 1_000_000_000_000_000)
    #expect(step.due(index: before + 1000) == 1_000_001_000_000_000)
  }

  @Test func aRampIsSearchedToTheNanosecond() throws {
    for text in [
      "ramp:1/h..10000000/s,100000h", "ramp:10000000/s..0/s,1s", "ramp:0/s..0.000278/s,36500d", "ramp:3/s..4/s,1ms;3/s",
    ] {
      let profile = try profile(text)
      let count = profile.arrivals(before: profile.length ?? 1_000_000_000)
      for part in 0..<64 as Range<UInt64> {
        let index = count / 64 * part
        guard index < count, let due = profile.due(index: index) else { continue }
        // n arrivals are before the n-th one's time, and n + 1 right after it.
        #expect(profile.arrivals(before: due) <= index && profile.arrivals(before: due + 1) > index, "\(text) \(index)")
      }
    }
  }

  @Test func dueTimesEndAtTheHorizon() throws {
    #expect(try profile("1/h").due(index: .max) == Pacing.horizon)
    #expect(try profile("sine:1/h,1/h,7d").due(index: .max) == Pacing.horizon)
    #expect(try profile("ramp:0/s..10000000/s,36500d").due(index: .max) == nil)
    #expect(try profile("10000000/s").arrivals(before: .max) == 92_233_720_368_547_759)
    #expect(try profile("10/s").arrivals(before: .min) == 0)
  }

  @Test func aPauseHoldsNoArrival() throws {
    let profile = try profile("0/s,30s;10/s,1s;0/s,2s;10/s,1s")
    #expect(profile.due(index: 0) == 30_000_000_000)
    #expect(profile.due(index: 9) == 30_900_000_000)
    #expect(profile.due(index: 10) == 33_000_000_000)
    #expect(profile.due(index: 20) == nil)
    #expect(profile.length == 34_000_000_000)
  }
}

/// Random arrivals.
@Suite struct PoissonArrivalTests {
  private func dues(_ text: String, seed: UInt64, count: Int) throws -> [Int64] {
    guard case .profile(let profile) = try Pacing(rate: text) else { return [] }
    var walk = ArrivalWalk(profile, seed: seed)
    return (0..<count).compactMap { _ in walk.next() }
  }

  @Test func aSeedIsRepeatedAndAnotherIsNot() throws {
    let once = try dues("poisson:500/s", seed: 7, count: 1000)
    #expect(try dues("poisson:500/s", seed: 7, count: 1000) == once)
    #expect(try dues("poisson:500/s", seed: 8, count: 1000) != once)
    #expect(once == once.sorted() && once[0] > 0)
  }

  @Test func gapsAreExponential() throws {
    let dues = try dues("poisson:1000/s", seed: 3, count: 200_000)
    let gaps = zip([0] + dues, dues).map { Double($1 - $0) / 1e6 }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    // In means of 1 ms: five standard errors.
    #expect(abs(mean - 1) < 0.012 && abs(variance - 1) < 0.04, "\(mean) \(variance)")
    for limit in [0.1, 0.5, 1, 3] {
      let share = Double(gaps.filter { $0 < limit }.count) / Double(gaps.count)
      #expect(abs(share - (1 - exp(-limit))) < 0.006, "\(limit) \(share)")
    }
  }

  @Test func countsOfARampFollowItsRate() throws {
    let dues = try dues("poisson:ramp:0/s..2000/s,20s", seed: 5, count: 100_000)
    #expect(abs(dues.count - 20_000) < 800)
    #expect(dues.allSatisfy { $0 < 20_000_000_000 })
    for second in [1, 5, 10, 19] {
      let found = Double(dues.filter { $0 / 1_000_000_000 == Int64(second) }.count)
      let expected = 100 * (Double(second) + 0.5)
      #expect(abs(found - expected) < 5 * expected.squareRoot(), "\(second): \(found)")
    }
  }

  @Test func randomAndEvenPartsMeetAtTheirBoundary() throws {
    let dues = try dues("poisson:100/s,10s;10/s,1s;poisson:100/s,10s", seed: 2, count: 10_000)
    let even = dues.filter { $0 >= 10_000_000_000 && $0 < 11_000_000_000 }
    #expect(even == (0..<10).map { 10_000_000_000 + $0 * 100_000_000 })
    #expect(dues.last! < 21_000_000_000 && dues.last! > 20_000_000_000)
  }
}
