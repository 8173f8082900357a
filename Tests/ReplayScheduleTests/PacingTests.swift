import ReplaySchedule
import Testing

/// Speeds and rates as they are written.
@Suite struct PacingTests {
  @Test func recordedTimesKeepTheirDistanceAtAnySpeed() throws {
    func due(_ text: String, _ offset: Int64) throws -> Int64? {
      if case .recorded(let speed) = try Pacing(speed: text) { speed.dividing(offset) } else { nil }
    }
    let offset: Int64 = 86_400_000_000_001
    #expect(try due("1x", offset) == offset)
    #expect(try due("10x", offset) == offset / 10)
    #expect(try due("0.5x", offset) == offset * 2)
    #expect(try due("0.3", 3) == 10)
    #expect(try due("max", offset) == nil)
    #expect(try due("0.001x", .max) == Pacing.horizon)
    #expect(try due("1x", .min) == 0)
    let dues = try (0..<100).map { try due("0.7x", $0)! }
    #expect(zip(dues, dues.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test(arguments: ["1x", "0.5x", "10x", "0.001x", "10000x", "max"])
  func speedsReadBackAsTheyPrint(_ text: String) throws { #expect(try Pacing(speed: text).description == text) }

  @Test(arguments: ["", "x", "fast", "-1x", "1e3x", "1.x", ".5x", "1,5x", "1x ", "1234567890x", "1.0000001x"])
  func whatIsNoSpeedIsNamed(_ text: String) {
    #expect(throws: PacingError.speedNotUnderstood(text)) { try Pacing(speed: text) }
  }

  @Test(arguments: ["0x", "0.0x", "0.0009x", "10000.1x", "999999999x"])
  func speedsOutOfRangeAreRefused(_ text: String) {
    #expect(throws: PacingError.speedOutOfRange(text)) { try Pacing(speed: text) }
  }

  @Test(arguments: [
    "500/s", "30/m", "1000/h", "1/h", "10000000/s", "0.0005/s", "500/s,1m", "ramp:100/s..3000/s,5m",
    "ramp:7/m..0/s,90s",
    "step:500/s..3000/s,+500/s,1m", "step:3000/s..500/s,-600/s,250ms", "spike:500/s,5000/s,at=1m,for=30s",
    "sine:300/s,200/s,1h", "sine:300/s,300/s,1h,2d", "poisson:500/s", "poisson:ramp:1/s..2/s,1ns",
    "0/s,30s;poisson:500/s,1m;ramp:500/s..1000/s,1m;1000/s",
  ])
  func profilesPrintAsTheyAreWritten(_ text: String) throws {
    let pacing = try Pacing(rate: text)
    #expect(pacing.description == text)
    #expect(try Pacing(rate: pacing.description) == pacing)
  }

  @Test(arguments: [
    ("120/m", "2/s"), ("3600/h", "1/s"), (" 500/s , 60s ; 10/s ", "500/s,1m;10/s"), ("0.5/s", "30/m"),
    ("ramp: 1/s..2/s, 1.5m", "ramp:1/s..2/s,90s"), ("step:1/s..1/s,+1/s,1s", "step:1/s..1/s,-1/s,1s"),
  ])
  func otherSpellingsMeanTheSame(_ text: String, _ canonical: String) throws {
    #expect(try Pacing(rate: text).description == canonical)
  }

  /// The text, the column that is wrong, and what the message must say.
  @Test(arguments: [
    ("", 1, "500/s, 30/m or 1000/h"), ("fast", 1, "500/s"), ("500", 1, "500/s"), ("500/", 1, "500/s"),
    ("/s", 1, "500/s"), ("500/d", 1, "500/s"), ("500/s/s", 6, "expected ;"), ("-5/s", 1, "expected a rate"),
    ("0.9/h", 1, "from 1/h to 10000000/s"), ("10000001/s", 1, "from 1/h"), ("999999999.999999/s", 1, "from 1/h"),
    ("0/s", 1, "sends nothing"), ("0/s,1m", 1, "sends nothing"), ("5/s,1m;0/s", 8, "a pause needs a length"),
    ("500/s;100/s", 7, "no end"), ("500/s,1m;", 10, "expected a rate"), ("saw:5/s", 1, "ramp:, step:, spike:, sine:"),
    ("poisson:saw:5/s", 9, "'saw' is no profile"), ("ramp:1/s,5m", 9, "expected .."),
    ("ramp:1/s..2/s", 14, "expected ,"),
    ("ramp:1/s..2/s,5", 15, "as a time"), ("ramp:1/s..2/s,0s", 15, "above 0"), ("ramp:1/s..2/s,5y", 15, "30s"),
    ("step:1/s..2/s,1/s,1m", 15, "a sign"), ("step:1/s..2/s,-1/s,1m", 15, "takes a step with +"),
    ("step:1/s..2/s,+0/s,1m", 15, "above 0"), ("step:0/s..9999999/s,+1/s,1s", 1, "more than 10000"),
    ("spike:1/s,2/s,1m,for=1s", 15, "at="), ("spike:1/s,2/s,at=1m,1s", 21, "for="), ("sine:5/s,6/s,1m", 10, "below 0"),
    ("sine:0/s,0/s,1m", 10, "mean rate"), ("sine:5/s,1/s,8d", 16, "at most 7d"), ("1/s,999999999d", 5, "100 years"),
    ("1/s,36500d;1/s,36500d", 12, "longer than 100 years"), ("500/s,1m extra", 10, "expected ;"),
  ])
  func whatIsNoRateIsToldWithItsPlace(_ text: String, _ column: Int, _ hint: String) {
    do {
      _ = try Pacing(rate: text)
      Issue.record("'\(text)' was read")
    } catch {
      guard case .rateNotUnderstood(text, let found, let message) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(found == column, "\(error)")
      #expect(message.contains(hint), "\(error)")
    }
  }
}
