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
    #expect(schedule.arrival(recorded: time(500)) == 500)
    #expect(schedule.arrival(recorded: time(900)) == 900)
  }

  @Test func aConstantRateGivesNoPlaceToWhatIsNotSent() throws {
    var schedule = ArrivalSchedule(pacing: try Pacing(rate: "1000/s"))
    #expect(schedule.arrival(recorded: time(0)) == 0)
    schedule.pass(recorded: time(1))
    schedule.pass(recorded: time(2))
    #expect(schedule.arrival(recorded: time(3)) == 1_000_000)
    schedule.beginRound()
    #expect(schedule.arrival(recorded: time(0)) == 2_000_000)
    #expect(schedule.arrivals == 3)
  }

  @Test func aNewRoundBeginsOneMeanGapAfterTheLastExchange() {
    var schedule = ArrivalSchedule(pacing: .realTime)
    let offsets: [Int64] = [0, 100, 300]
    #expect(offsets.map { schedule.arrival(recorded: time($0)) } == [0, 100, 300])
    schedule.beginRound()
    #expect(offsets.map { schedule.arrival(recorded: time($0)) } == [450, 550, 750])
    schedule.beginRound()
    #expect(schedule.arrival(recorded: time(0)) == 900)
    #expect(schedule.round == 2)
  }

  @Test func timesThatGoBackAreDueWithWhatCameBefore() {
    var schedule = ArrivalSchedule(pacing: .realTime)
    #expect(schedule.arrival(recorded: time(0)) == 0)
    #expect(schedule.arrival(recorded: time(700)) == 700)
    #expect(schedule.arrival(recorded: time(600)) == 700)
    #expect(schedule.arrival(recorded: time(-100)) == 700)
    #expect(schedule.arrival(recorded: time(800)) == 800)
  }

  @Test func extremeTimesNeitherTrapNorFall() {
    var schedule = ArrivalSchedule(pacing: .realTime)
    var last: Int64 = 0
    for _ in 0..<4 {
      for nanoseconds in [Int64.min, 0, .max, .min, .max] {
        let due = schedule.arrival(recorded: Timestamp(nanoseconds: nanoseconds)) ?? -1
        #expect(due >= last && due <= Pacing.horizon)
        last = due
      }
      schedule.beginRound()
    }
  }

  @Test func withoutDueTimesThereAreNone() {
    var schedule = ArrivalSchedule(pacing: .maximum)
    #expect(schedule.arrival(recorded: time(5)) == nil)
    #expect(schedule.arrivals == 1)
  }
}
