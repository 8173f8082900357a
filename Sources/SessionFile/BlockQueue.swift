// Blocks between the producer and the writer's thread: first in, first out, bounded in bytes.

import Glibc

/// A bounded queue for one consumer.
///
/// `@unchecked Sendable`: every access to `state` is between `pthread_mutex_lock` and `unlock` of `mutex`; state, mutex
/// and conditions stand at fixed addresses, are initialised before the queue is shared and destroyed in `deinit`.
///
/// The state is behind a pointer because waiting lets other threads change it: as a property held `inout` it would be
/// this thread's alone by the rules of exclusivity, and the compiler may keep it in registers across the wait.
final class BlockQueue: @unchecked Sendable {
  struct State {
    var blocks: [RawBlock] = []
    var bytes = 0
    var isClosed = false
    var wantsIndex = false
    var problem: SessionFileError?
    var written = SessionWriter.Summary(bytes: 0, blocks: 0, exchanges: 0)
  }

  private let limit: Int
  private let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  /// Signalled when blocks come or the queue closes.
  private let filled = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Signalled when blocks are taken or writing fails.
  private let drained = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init(limit: Int) {
    self.limit = limit
    state.initialize(to: State())
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(filled, nil)
    pthread_cond_init(drained, nil)
  }

  deinit {
    pthread_cond_destroy(drained)
    pthread_cond_destroy(filled)
    pthread_mutex_destroy(mutex)
    drained.deallocate()
    filled.deallocate()
    mutex.deallocate()
    state.deinitialize(count: 1)
    state.deallocate()
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  var problem: SessionFileError? { locked { state.pointee.problem } }
  var bytes: Int { locked { state.pointee.bytes } }
  var written: SessionWriter.Summary { locked { state.pointee.written } }

  /// Whether so large a block may come now. One that is larger than the whole queue may come alone.
  private func fits(_ block: RawBlock) -> Bool {
    state.pointee.bytes == 0 || state.pointee.bytes + block.rawSize <= limit
  }

  private var isOpen: Bool { state.pointee.problem == nil && !state.pointee.isClosed }

  private func append(_ block: RawBlock) {
    state.pointee.blocks.append(block)
    state.pointee.bytes += block.rawSize
    pthread_cond_signal(filled)
  }

  /// - Returns: false where the block does not fit or writing has failed.
  func offer(_ block: RawBlock) -> Bool {
    locked {
      guard isOpen, fits(block) else { return false }
      append(block)
      return true
    }
  }

  /// - Returns: false where writing has failed.
  func put(_ block: RawBlock) -> Bool {
    locked {
      while isOpen, !fits(block) { pthread_cond_wait(drained, mutex) }
      guard isOpen else { return false }
      append(block)
      return true
    }
  }

  /// The blocks that wait, once there are some; nil when the queue is closed and empty.
  ///
  /// They count as waiting until they are ``finish(_:written:)``ed: what is being written still holds its memory.
  func takeAll() -> [RawBlock]? {
    locked {
      while state.pointee.blocks.isEmpty, !state.pointee.isClosed { pthread_cond_wait(filled, mutex) }
      guard !state.pointee.blocks.isEmpty else { return nil }
      let blocks = state.pointee.blocks
      state.pointee.blocks = []
      return blocks
    }
  }

  /// Says that a block of `rawSize` bytes is done with.
  func finish(_ rawSize: Int, written: SessionWriter.Summary) {
    locked {
      state.pointee.bytes -= rawSize
      state.pointee.written = written
      _ = pthread_cond_signal(drained)
    }
  }

  /// Notes why writing has stopped and drops what waits.
  func fail(_ problem: SessionFileError) {
    locked {
      if state.pointee.problem == nil { state.pointee.problem = problem }
      state.pointee.bytes = 0
      state.pointee.blocks = []
      _ = pthread_cond_broadcast(drained)
    }
  }

  /// Asks for the file's end to be written once the queue is closed and empty.
  func requestIndex() { locked { state.pointee.wantsIndex = true } }
  var wantsIndex: Bool { locked { state.pointee.wantsIndex } }

  /// No more blocks come.
  func close() {
    locked {
      state.pointee.isClosed = true
      pthread_cond_broadcast(filled)
      _ = pthread_cond_broadcast(drained)
    }
  }
}
