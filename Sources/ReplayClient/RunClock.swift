import Glibc
import HTTPModel

/// The one clock of a run: monotonic nanoseconds, shifted once to the epoch so that results carry packet time's unit.
struct RunClock {
  /// What is added to a monotonic time to make it an epoch time.
  private let shift: Int64

  /// Reads both clocks; their distance stays as it is now whatever is done to the system's time later.
  init() { shift = RunClock.read(CLOCK_REALTIME) - RunClock.read(CLOCK_MONOTONIC) }

  /// Nanoseconds since an arbitrary point, never falling.
  var now: Int64 { RunClock.read(CLOCK_MONOTONIC) }

  /// Nanoseconds of CPU that the calling thread has had.
  var threadTime: Int64 { RunClock.read(CLOCK_THREAD_CPUTIME_ID) }

  func timestamp(_ monotonic: Int64) -> Timestamp { Timestamp(nanoseconds: monotonic &+ shift) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}
