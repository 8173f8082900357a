import ReplaySchedule
import Testing

@Suite struct PacingTests {
  @Test func recordedTimesKeepTheirDistanceAtAnySpeed() throws {
    let offset: Int64 = 86_400_000_000_001
    #expect(Pacing.realTime.due(index: 7, recordedOffset: offset) == offset)
    #expect(try Pacing(speed: "10x").due(index: 7, recordedOffset: offset) == offset / 10)
    #expect(try Pacing(speed: "0.5x").due(index: 7, recordedOffset: offset) == offset * 2)
    #expect(try Pacing(speed: "0.3").due(index: 0, recordedOffset: 3) == 10)
    #expect(try Pacing(speed: "max").due(index: 7, recordedOffset: offset) == nil)
  }

  @Test func aConstantRateDoesNotDriftOverABillionArrivals() throws {
    // 3/s has no period in whole nanoseconds: a schedule that adds periods would be 333 ms off after this many.
    let pacing = try Pacing(rate: "3/s")
    #expect(pacing.due(index: 0, recordedOffset: 99) == 0)
    #expect(pacing.due(index: 1, recordedOffset: 0) == 333_333_333)
    #expect(pacing.due(index: 3, recordedOffset: 0) == 1_000_000_000)
    #expect(pacing.due(index: 1_000_000_000, recordedOffset: 0) == 333_333_333_333_333_333)
    #expect(pacing.due(index: 3_000_000_000, recordedOffset: 0) == 1_000_000_000_000_000_000)
    #expect(try Pacing(rate: "30/m").due(index: 1_000_000_000, recordedOffset: 0) == 2_000_000_000_000_000_000)
  }

  @Test func dueTimesNeverFall() throws {
    for text in ["3/s", "7/m", "10000000/s", "0.7/s"] {
      let pacing = try Pacing(rate: text)
      for start in [0, 999_999_990, UInt64.max - 21] as [UInt64] {
        let dues = (0..<20).map { pacing.due(index: start + $0, recordedOffset: 0)! }
        #expect(zip(dues, dues.dropFirst()).allSatisfy { $0 <= $1 }, "\(text) from \(start)")
      }
    }
    let slow = try Pacing(speed: "0.7x")
    let dues = (0..<100).map { slow.due(index: 0, recordedOffset: Int64($0))! }
    #expect(zip(dues, dues.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func dueTimesEndAtTheHorizon() throws {
    #expect(try Pacing(rate: "1/h").due(index: .max, recordedOffset: 0) == Pacing.horizon)
    #expect(try Pacing(speed: "0.001x").due(index: 0, recordedOffset: .max) == Pacing.horizon)
    #expect(Pacing.realTime.due(index: 0, recordedOffset: .min) == 0)
    #expect(Pacing.constant(arrivals: 0, nanoseconds: 1).due(index: 5, recordedOffset: 0) == Pacing.horizon)
  }

  @Test(arguments: ["1x", "0.5x", "10x", "0.001x", "10000x", "max", "1.25x"])
  func speedsReadBackAsWritten(_ text: String) throws {
    #expect(try Pacing(speed: text).description == text)
  }

  @Test(arguments: ["500/s", "30/m", "1000/h", "1/h", "10000000/s", "1/s"])
  func ratesMeanTheSameReadBack(_ text: String) throws {
    let pacing = try Pacing(rate: text)
    #expect(try Pacing(rate: pacing.description) == pacing)
  }

  @Test func ratesPrintInTheSmallestUnitWithoutAFraction() throws {
    #expect(try Pacing(rate: "500/s").description == "500/s")
    #expect(try Pacing(rate: "30/m").description == "30/m")
    #expect(try Pacing(rate: "120/m").description == "2/s")
    #expect(try Pacing(rate: "0.0005/s").description == "0.0005/s")
  }

  @Test(arguments: ["", "x", "fast", "-1x", "1e3x", "1.x", ".5x", "1,5x", "1x ", "1234567890x", "1.0000001x"])
  func whatIsNoSpeedIsNamed(_ text: String) {
    #expect(throws: PacingError.speedNotUnderstood(text)) { try Pacing(speed: text) }
  }

  @Test(arguments: ["0x", "0.0x", "0.0009x", "10000.1x", "999999999x"])
  func speedsOutOfRangeAreRefused(_ text: String) {
    #expect(throws: PacingError.speedOutOfRange(text)) { try Pacing(speed: text) }
  }

  @Test(arguments: ["", "500", "500/", "/s", "500/d", "500/s/s", "-5/s", "many/s", "1 /s", "sine:5/s"])
  func whatIsNoRateIsNamed(_ text: String) {
    #expect(throws: PacingError.rateNotUnderstood(text)) { try Pacing(rate: text) }
  }

  @Test(arguments: ["0/s", "0.9/h", "10000001/s", "999999999.999999/s"])
  func ratesOutOfRangeAreRefused(_ text: String) {
    #expect(throws: PacingError.rateOutOfRange(text)) { try Pacing(rate: text) }
  }

  @Test(arguments: ["ramp:100/s..3000/s,5m", "step:1/s..2/s,+1/s,1m", "spike:1/s,2/s,at=1m,for=30s", "poisson:500/s"])
  func profilesThatChangeOverTimeAreRefusedByName(_ text: String) {
    let name = text.prefix { $0 != ":" }
    #expect(throws: PacingError.profileNotSupported(profile: "the profile '\(name)'", text: text)) {
      try Pacing(rate: text)
    }
  }

  @Test func aProfileOfSeveralPartsIsRefused() {
    #expect(throws: PacingError.self) { try Pacing(rate: "500/s;100/s") }
    let message = PacingError.profileNotSupported(profile: "the profile 'ramp'", text: "ramp:1/s..2/s,1m").description
    #expect(message.contains("not in this version") && message.contains("500/s"))
  }
}
