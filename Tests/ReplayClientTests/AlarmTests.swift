import Testing

@testable import ReplayClient

@Suite("The engine's timer")
struct AlarmTests {
  @Test("An earlier time replaces a later one, and any time one that has passed")
  func setting() {
    var alarm = Alarm()
    let isSet = [(100, 0), (150, 50), (80, 50), (200, 80)].map { alarm.set($0, now: $1) }
    #expect(isSet == [true, false, true, true])
    #expect(alarm.time == 200)
  }

  @Test("A timer that was replaced while it was about to fire is not answered, so that timers do not multiply")
  func replacedTimer() {
    var alarm = Alarm()
    _ = alarm.set(100, now: 0)
    // The loop has taken the timer of 100, and first calls something that sets another.
    let isSet = alarm.set(200, now: 100)
    #expect(isSet)
    let isAnswered = [100, 201].map { alarm.fired(now: $0) }
    #expect(isAnswered == [false, true])
    #expect(alarm.time == .max)
  }
}
