/// When an engine wants to be woken next.
///
/// A timer that has been replaced may fire all the same: an event loop takes everything that is due before it calls the
/// first of it. Were such a one answered with another timer, there would be one more from then on, and each would do the
/// same again.
struct Alarm {
  /// Of the engine's clock; `.max` where no timer is set.
  private(set) var time = Int64.max

  /// - Returns: whether a timer must be set for this time, in place of the one that is.
  mutating func set(_ time: Int64, now: Int64) -> Bool {
    guard time < self.time || self.time <= now else { return false }
    self.time = time
    return true
  }

  /// A timer has fired.
  /// - Returns: whether it is the one that was set last.
  mutating func fired(now: Int64) -> Bool {
    guard time <= now else { return false }
    time = .max
    return true
  }
}
