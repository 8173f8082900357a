import HTTPModel
import Testing

@testable import ResponseDiff

@Suite struct RunTimelineTests {
  private func attempt(_ milliseconds: Int64, status: UInt16? = 200, took: Int64 = 5) -> AttemptFigures {
    AttemptFigures(
      Attempt(
        exchange: ExchangeID(connection: 1, ordinal: 1), scheduled: moment(milliseconds), sent: moment(milliseconds),
        firstByte: nil, end: moment(milliseconds + took), outcome: status == nil ? .timeout : .answered,
        response: status.map { response($0) }))
  }

  @Test func slicesHoldWhatFellIntoThem() {
    var timeline = RunTimeline()
    timeline.count(attempt(1000), primaryNanoseconds: 4_000_000, isDifferent: false)
    timeline.count(attempt(1099, status: 500), primaryNanoseconds: nil, isDifferent: true)
    timeline.count(attempt(1100, status: nil), primaryNanoseconds: nil, isDifferent: true)
    let made = timeline.timeline
    #expect(made.secondsPerSlice == 0.1 && made.slices.map(\.attempts) == [2, 1])
    #expect(made.slices[0].statusClasses == [0, 0, 1, 0, 0, 1] && made.slices[1].errors == 1)
    #expect(made.slices.map(\.different) == [1, 1] && made.slices[1].shadowP50 == nil)
    for value in [made.slices[0].shadowP50, made.slices[0].primaryP95] {
      #expect(value.map { $0 > 3400 && $0 < 5600 } == true)
    }
  }

  /// However long a run is, and whenever what comes was due.
  @Test func slicesAreBoundedAndLoseNothing() {
    var timeline = RunTimeline()
    for second in 0..<5000 {
      timeline.count(attempt(Int64(second) * 1000), primaryNanoseconds: nil, isDifferent: second % 2 == 0)
    }
    timeline.count(attempt(-50_000), primaryNanoseconds: nil, isDifferent: false)
    let made = timeline.timeline
    #expect(made.slices.count <= 120 && made.slices.count > 60 && made.slices.reduce(0) { $0 + $1.attempts } == 5001)
    #expect(made.slices.reduce(0) { $0 + $1.different } == 2500 && made.secondsPerSlice == 51.2)
    timeline.count(attempt(.max / 2_000_000), primaryNanoseconds: 0, isDifferent: false)
    #expect(timeline.timeline.slices.count <= 120)
  }
}
