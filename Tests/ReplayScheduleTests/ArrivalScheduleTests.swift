import HTTPModel
import ReplaySchedule
import Testing

@Suite struct ArrivalScheduleTests {
  private func time(_ nanoseconds: Int64) -> Timestamp {
    Timestamp(nanoseconds: 1_700_000_000_000_000_000 + nanoseconds)
  }

  @Test func recordedTimesCountFromTheFirstExchangeEvenWhereItIsNotSent() {
    var schedule = ArrivalSchedule(pacing: .realTime)
    schedule.pass(recorded: time(0))
    #expect(schedule.arrival(recorded: time(500)) == .due(500))
    #expect(schedule.arrival(recorded: time(900)) == .due(900))
  }

  @Test func aConstantRateGivesNoPlaceToWhatIsNotSent() throws {
    var schedule = ArrivalSchedule(pacing: try Pacing(rate: "1000/s"))
    #expect(schedule.arrival(recorded: time(0)) == .due(0))
    schedule.pass(recorded: time(1))
    schedule.pass(recorded: time(2))
    #expect(schedule.arrival(recorded: time(3)) == .due(1_000_000))
    schedule.beginRound()
    #expect(schedule.arrival(recorded: time(0)) == .due(2_000_000))
    #expect(schedule.arrivals == 3)
  }

  @Test func aNewRoundBeginsOneMeanGapAfterTheLastExchange() {
    var schedule = ArrivalSchedule(pacing: .realTime)
    let offsets: [Int64] = [0, 100, 300]
    #expect(offsets.map { schedule.arrival(recorded: time($0)) } == [.due(0), .due(100), .due(300)])
    schedule.beginRound()
    #expect(offsets.map { schedule.arrival(recorded: time($0)) } == [.due(450), .due(550), .due(750)])
    schedule.beginRound()
    #expect(schedule.arrival(recorded: time(0)) == .due(900))
    #expect(schedule.round == 2)
  }

  @Test func timesThatGoBackAreDueWithWhatCameBefore() {
    var schedule = ArrivalSchedule(pacing: .realTime)
    #expect(schedule.arrival(recorded: time(0)) == .due(0))
    #expect(schedule.arrival(recorded: time(700)) == .due(700))
    #expect(schedule.arrival(recorded: time(600)) == .due(700))
    #expect(schedule.arrival(recorded: time(-100)) == .due(700))
    #expect(schedule.arrival(recorded: time(800)) == .due(800))
  }

  @Test(arguments: [nil, 0, 5, Int64.max]) func extremeTimesNeitherTrapNorFall(_ pause: Int64?) {
    var schedule = ArrivalSchedule(pacing: .realTime, maximumPause: pause)
    var last: Int64 = 0
    for _ in 0..<4 {
      for nanoseconds in [Int64.min, 0, .max, .min, .max] {
        guard case .due(let due) = schedule.arrival(recorded: Timestamp(nanoseconds: nanoseconds)) else { return }
        #expect(due >= last && due <= Pacing.horizon)
        last = due
      }
      schedule.beginRound()
    }
  }

  @Test func withoutDueTimesThereAreNone() {
    var schedule = ArrivalSchedule(pacing: .maximum)
    #expect(schedule.arrival(recorded: time(5)) == .whenReady)
    #expect(schedule.arrivals == 1)
  }

  @Test func pausesAreCutToTheirLongest() throws {
    var schedule = ArrivalSchedule(pacing: .realTime, maximumPause: 100)
    // A pause is between requests that are sent: what is withheld in it does not divide it.
    #expect(schedule.arrival(recorded: time(0)) == .due(0))
    #expect(schedule.arrival(recorded: time(90)) == .due(90))
    schedule.pass(recorded: time(150))
    #expect(schedule.arrival(recorded: time(5090)) == .due(190))
    #expect(schedule.arrival(recorded: time(5091)) == .due(191))
    #expect(schedule.pausesCut == 4900)
  }

  @Test func thePauseBetweenRoundsIsCutToo() throws {
    var schedule = ArrivalSchedule(pacing: try Pacing(speed: "2x"), maximumPause: 100)
    for _ in 0..<2 {
      schedule.pass(recorded: time(0))
      _ = schedule.arrival(recorded: time(1000))
      schedule.pass(recorded: time(9000))
      schedule.beginRound()
    }
    #expect(schedule.arrival(recorded: time(0)) == .due(150))
  }

  @Test func aProfileEndsASchedule() throws {
    var schedule = ArrivalSchedule(pacing: try Pacing(rate: "10/s,200ms"))
    #expect(schedule.arrival(recorded: time(0)) == .due(0))
    #expect(schedule.arrival(recorded: time(0)) == .due(100_000_000))
    #expect(schedule.arrival(recorded: time(0)) == .over)
    #expect(schedule.arrival(recorded: time(0)) == .over)
    #expect(schedule.arrivals == 2)
  }
}
