import Glibc
import Synchronization

/// Carries requests from the thread that reads the session to the event loop, and ended ones back.
///
/// Whole batches change hands under one short lock. The reading thread bounds what is in here: it reads nothing while
/// too much of what it read has not come back.
final class Handover: Sendable {
  private struct Contents {
    /// By side.
    var planned: [[PlannedRequest]]
    var isSessionOver = false
    /// A side found nothing planned and wants to be told when there is.
    var isLoopWaiting = false
    var ended: [PlannedRequest] = []
    var isReaderWaiting = false
    /// The reader is to look for more, though nothing has ended.
    var isReaderWoken = false
    /// Each set with the last ended requests of its side.
    var outcomes: [ReplayOutcome?]

    var isOver: Bool { outcomes.allSatisfy { $0 != nil } }
  }

  private let contents: Mutex<Contents>
  private let readerWake = Semaphore()
  private let stopping = Atomic<Bool>(false)

  /// - Parameter sides: how many take from the plan.
  init(sides: Int = 1) {
    contents = Mutex(
      Contents(planned: Array(repeating: [], count: sides), outcomes: Array(repeating: nil, count: sides)))
  }

  /// Nothing more is to be read or sent.
  var isStopping: Bool { stopping.load(ordering: .acquiring) }
  func stopSending() { stopping.store(true, ordering: .releasing) }

  // MARK: The reading thread's side

  /// Adds requests at the end of the plan, each to that of its side.
  /// - Returns: whether the loop waits to be told.
  func plan(_ batch: [PlannedRequest], isSessionOver: Bool) -> Bool {
    contents.withLock { contents in
      if contents.planned.count == 1 {
        contents.planned[0].append(contentsOf: batch)
      } else {
        for request in batch { contents.planned[request.side].append(request) }
      }
      contents.isSessionOver = isSessionOver
      defer { contents.isLoopWaiting = false }
      return contents.isLoopWaiting
    }
  }

  /// Takes what has ended; where that is nothing, waits for it if `waits`, and no longer than so many nanoseconds.
  /// - Returns: the sides' outcomes once these are the last.
  func takeEnded(
    waits: Bool, atMost limit: Int64? = nil
  ) -> (ended: [PlannedRequest], outcomes: [ReplayOutcome]?) {
    while true {
      let (ended, outcomes, isWoken) = contents.withLock { contents in
        let (ended, isWoken) = (contents.ended, contents.isReaderWoken)
        contents.ended = []
        contents.isReaderWoken = false
        contents.isReaderWaiting = waits && ended.isEmpty && !contents.isOver && !isWoken
        return (ended, contents.isOver ? contents.outcomes.compactMap { $0 } : nil, isWoken)
      }
      if !waits || !ended.isEmpty || outcomes != nil || isWoken { return (ended, outcomes) }
      if !readerWake.wait(atMost: limit) { return ([], nil) }
    }
  }

  /// Lets ``takeEnded(waits:)`` return, now or when it is called next. From any thread.
  func wakeReader() {
    let wakes = contents.withLock { contents in
      contents.isReaderWoken = true
      defer { contents.isReaderWaiting = false }
      return contents.isReaderWaiting
    }
    if wakes { readerWake.post() }
  }

  // MARK: The event loop's side

  /// Takes all that is planned for a side; where that is nothing and more will come, the loop is told when it does.
  func takePlanned(side: Int) -> (planned: [PlannedRequest], isSessionOver: Bool) {
    contents.withLock { contents in
      let planned = contents.planned[side]
      contents.planned[side] = []
      if planned.isEmpty, !contents.isSessionOver { contents.isLoopWaiting = true }
      return (planned, contents.isSessionOver)
    }
  }

  /// Hands back ended requests of a side.
  /// - Parameter outcome: given with the last of them.
  func end(_ batch: [PlannedRequest], side: Int, outcome: ReplayOutcome? = nil) {
    let wakes = contents.withLock { contents in
      contents.ended.append(contentsOf: batch)
      if let outcome { contents.outcomes[side] = outcome }
      defer { contents.isReaderWaiting = false }
      return contents.isReaderWaiting
    }
    if wakes { readerWake.post() }
  }
}

/// Bytes of exchanges and answers between reading and delivery, on either side of the handover.
final class HeldMemory: Sendable {
  /// In bytes.
  let limit: Int
  private let held = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  /// Whether the session may be read on: half of the limit is left to the answers.
  var hasRoomToRead: Bool { held.load(ordering: .relaxed) < limit / 2 }

  /// Whether little of that half is left.
  var isScarce: Bool { held.load(ordering: .relaxed) > limit / 8 * 3 }

  func add(_ bytes: Int) { held.wrappingAdd(bytes, ordering: .relaxed) }

  /// Takes `bytes` if they are there.
  func take(_ bytes: Int) -> Bool {
    guard held.load(ordering: .relaxed) &+ bytes <= limit else { return false }
    add(bytes)
    return true
  }
}

/// A POSIX semaphore: a thread waits until another has posted.
///
/// `@unchecked Sendable`: the pointer is set once and `sem_wait` and `sem_post` may be called from any thread.
private final class Semaphore: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// - Returns: false where so many nanoseconds passed without a post.
  func wait(atMost nanoseconds: Int64?) -> Bool {
    guard let nanoseconds else {
      while sem_wait(semaphore) != 0 {}
      return true
    }
    // Looked at now and then: what waits for an end goes by the wall clock, which may be set.
    let end = RunClock().now &+ nanoseconds
    while sem_trywait(semaphore) != 0 {
      let left = end &- RunClock().now
      if left <= 0 { return false }
      usleep(UInt32(min(5000, left / 1000 + 1)))
    }
    return true
  }

  func post() { sem_post(semaphore) }
}
