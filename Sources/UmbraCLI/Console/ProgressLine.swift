// The live line on standard error: rewritten in place on a terminal, a line every ten seconds when plain.

import Glibc

/// Shows how far a long command has come. Owner: one thread.
struct ProgressLine {
  private let mode: ProgressMode
  private let isTerminal = StandardError.isTerminal
  private var last: Int64 = 0
  private var isShown = false

  init(_ mode: ProgressMode) { self.mode = mode }

  /// Nanoseconds between two lines.
  private var interval: Int64 { isTerminal && mode == .auto ? 250_000_000 : 10_000_000_000 }

  /// Whether ``show(_:now:)`` would print.
  func isDue(now: Int64) -> Bool {
    guard mode == .plain || mode == .auto && isTerminal else { return false }
    return now - last >= interval
  }

  mutating func show(_ text: @autoclosure () -> String, now: Int64) {
    guard isDue(now: now) else { return }
    last = now
    if isTerminal && mode == .auto {
      StandardError.write("\r\u{1b}[K" + text().prefix(79))
      isShown = true
    } else {
      StandardError.write(text() + "\n")
    }
  }

  /// Takes the rewritten line away, so that what follows starts clean.
  mutating func clear() {
    if isShown { StandardError.write("\r\u{1b}[K") }
    isShown = false
  }
}

/// Nanoseconds of the monotonic clock.
func monotonicNow() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Nanoseconds of the wall clock since the epoch.
func wallNow() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
