// Signals as counters that loops look at: the first SIGINT or SIGTERM asks for a clean end, the second ends at once;
// SIGUSR1 asks for the figures up to now, SIGHUP for logs to be opened anew and rules to be read again.

import Glibc
import Synchronization

enum Interruption {
  private static let count = Atomic<Int>(0)
  private static let status = Atomic<Int>(0)
  private static let hangUp = Atomic<Int>(0)

  /// From here on the signals set the flag.
  static func install() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        // Only what is safe in a signal handler: an atomic, and leaving at once.
        if Interruption.count.add(1, ordering: .relaxed).oldValue >= 1 { _exit(130) }
      }
    }
  }

  /// From here on SIGUSR1 is counted instead of ending the process.
  static func installStatus() {
    signal(SIGUSR1) { _ in Interruption.status.add(1, ordering: .relaxed) }
  }

  /// From here on SIGHUP is counted instead of ending the process.
  static func installHangUp() {
    signal(SIGHUP) { _ in Interruption.hangUp.add(1, ordering: .relaxed) }
  }

  /// How often SIGHUP came.
  static var hangUps: Int { hangUp.load(ordering: .relaxed) }

  /// How often SIGUSR1 came.
  static var statusRequests: Int { status.load(ordering: .relaxed) }

  static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

  /// The same as a signal; for what ends itself.
  static func request() { count.add(1, ordering: .relaxed) }
}
