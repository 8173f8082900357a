// Looks whether rules files have changed, and has them read again. In: inotify(7), SIGHUP, the files' states. Out: calls
// of `LiveRules.reload()` and a line on standard error. Owner: a thread of its own.

import Glibc
import Synchronization

/// Waits until who writes the files is done: a change is read when nothing has moved for a moment. Directories are
/// watched, not files, because editors put a new file in the old one's place and Kubernetes swaps a link beside it. What
/// inotify does not tell, on network file systems and behind links, is seen by looking once a second.
final class RulesWatcher: Sendable {
  private let rules: LiveRules
  private let ended = Atomic<Bool>(false)
  private let thread = Mutex<BackgroundThread?>(nil)
  private let observation: Observation?

  /// Milliseconds without another change, after which one is read.
  private static let settling: Int64 = 100
  private static let looking: Int64 = 1000

  /// - Throws: `CommandFailure` where no thread can be had.
  init(_ rules: LiveRules, observation: Observation? = nil) throws {
    self.rules = rules
    self.observation = observation
    Interruption.installHangUp()
    let started = try BackgroundThread { [self] in watch() }
    thread.withLock { $0 = started }
  }

  func stop() {
    ended.store(true, ordering: .relaxed)
    thread.withLock { $0.take() }?.join()
  }

  private func watch() {
    let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    defer { if descriptor >= 0 { close(descriptor) } }
    let mask = UInt32(IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB)
    for path in rules.paths {
      for folder in RulesWatcher.folders(of: path) where descriptor >= 0 {
        _ = inotify_add_watch(descriptor, folder, mask)
      }
    }
    var hangups = Interruption.hangUps
    var states = rules.paths.map { RulesWatcher.state(of: $0) }
    var nextLook = RulesWatcher.milliseconds() + RulesWatcher.looking
    var changedAt: Int64?
    while !ended.load(ordering: .relaxed) {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      poll(&waiting, descriptor >= 0 ? 1 : 0, 50)
      let now = RulesWatcher.milliseconds()
      if RulesWatcher.drain(descriptor) { changedAt = now }
      if now >= nextLook {
        nextLook = now + RulesWatcher.looking
        let seen = rules.paths.map { RulesWatcher.state(of: $0) }
        if seen != states { changedAt = changedAt ?? now }
        states = seen
      }
      let asked = Interruption.hangUps
      guard asked != hangups || changedAt.map({ now - $0 >= RulesWatcher.settling }) ?? false else { continue }
      hangups = asked
      changedAt = nil
      guard let message = rules.reload() else { continue }
      observation?.audit("reload", [("said", message), ("rules_in_force", rules.rules.summary)])
      StandardError.say(message, message.hasPrefix("rules reloaded") ? .info : .warning)
    }
  }

  /// Where a change to the file shows: its folder, and that of what it is a link to.
  private static func folders(of path: String) -> Set<String> {
    func folder(_ path: String) -> String {
      path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }
    var folders: Set = [folder(path)]
    if let resolved = realpath(path, nil) {
      folders.insert(folder(String(cString: resolved)))
      free(resolved)
    }
    return folders
  }

  /// Device, file, size and times.
  private static func state(of path: String) -> [Int64] {
    var facts = stat()
    guard stat(path, &facts) == 0 else { return [] }
    return [
      Int64(truncatingIfNeeded: facts.st_dev), Int64(truncatingIfNeeded: facts.st_ino), Int64(facts.st_size),
      Int64(facts.st_mtim.tv_sec), Int64(facts.st_mtim.tv_nsec),
    ]
  }

  /// Whether anything was told.
  private static func drain(_ descriptor: Int32) -> Bool {
    guard descriptor >= 0 else { return false }
    var isTold = false
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
      while read(descriptor, buffer.baseAddress, buffer.count) > 0 { isTold = true }
    }
    return isTold
  }

  private static func milliseconds() -> Int64 { monotonicNow() / 1_000_000 }
}
