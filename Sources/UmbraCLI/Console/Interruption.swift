// SIGINT and SIGTERM as a flag that loops look at: the first asks for a clean end, the second ends at once.

import Glibc
import Synchronization

enum Interruption {
  private static let count = Atomic<Int>(0)

  /// From here on the signals set the flag.
  static func install() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        // Only what is safe in a signal handler: an atomic, and leaving at once.
        if Interruption.count.add(1, ordering: .relaxed).oldValue >= 1 { _exit(130) }
      }
    }
  }

  static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

  /// The same as a signal; for what ends itself.
  static func request() { count.add(1, ordering: .relaxed) }
}
