// A thread with a body, joined by its owner.

import Glibc
import Synchronization

/// Runs a body on a thread of its own. Not joined, it runs to its end by itself.
final class BackgroundThread: Sendable {
  private let thread: Mutex<pthread_t?>

  /// - Throws: `CommandFailure` where the system has no thread left.
  init(_ body: @escaping @Sendable () -> Void) throws {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Body(run: body))
    let result = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    guard result == 0 else {
      argument.release()
      throw CommandFailure("can't start a thread: \(String(cString: strerror(result))). Raise the limit of processes.")
    }
    self.thread = Mutex(thread)
  }

  deinit { if let thread = take() { pthread_detach(thread) } }

  /// Waits for the body's end; at once where that was done before.
  func join() { if let thread = take() { pthread_join(thread, nil) } }

  private func take() -> pthread_t? {
    thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
  }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
