// Blocks between the producer and the writer's thread: first in, first out, bounded in bytes.

import Glibc

/// A bounded queue for one consumer.
///
/// `@unchecked Sendable`: every access to `state` is between `pthread_mutex_lock` and `unlock` of `mutex`; mutex and
/// conditions stand at fixed addresses, are initialised before the queue is shared and destroyed in `deinit`.
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
  private var state = State()
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  /// Signalled when blocks come or the queue closes.
  private let filled = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Signalled when blocks are taken or writing fails.
  private let drained = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init(limit: Int) {
    self.limit = limit
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
  }

  private func locked<Result>(_ body: (inout State) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&state)
  }

  var problem: SessionFileError? { locked { $0.problem } }
  var bytes: Int { locked { $0.bytes } }
  var written: SessionWriter.Summary { locked { $0.written } }

  /// Whether so large a block may come now. One that is larger than the whole queue may come alone.
  private func fits(_ block: RawBlock, _ state: State) -> Bool {
    state.bytes == 0 || state.bytes + block.rawSize <= limit
  }

  private func append(_ block: RawBlock, _ state: inout State) {
    state.blocks.append(block)
    state.bytes += block.rawSize
    pthread_cond_signal(filled)
  }

  /// - Returns: false where the block does not fit or writing has failed.
  func offer(_ block: RawBlock) -> Bool {
    locked { state in
      guard state.problem == nil, !state.isClosed, fits(block, state) else { return false }
      append(block, &state)
      return true
    }
  }

  /// - Returns: false where writing has failed.
  func put(_ block: RawBlock) -> Bool {
    locked { state in
      while state.problem == nil, !state.isClosed, !fits(block, state) { pthread_cond_wait(drained, mutex) }
      guard state.problem == nil, !state.isClosed else { return false }
      append(block, &state)
      return true
    }
  }

  /// The blocks that wait, once there are some; nil when the queue is closed and empty.
  ///
  /// They count as waiting until they are ``finish(_:written:)``ed: what is being written still holds its memory.
  func takeAll() -> [RawBlock]? {
    locked { state in
      while state.blocks.isEmpty, !state.isClosed { pthread_cond_wait(filled, mutex) }
      guard !state.blocks.isEmpty else { return nil }
      let blocks = state.blocks
      state.blocks = []
      return blocks
    }
  }

  /// Says that a block of `rawSize` bytes is done with.
  func finish(_ rawSize: Int, written: SessionWriter.Summary) {
    locked { state in
      state.bytes -= rawSize
      state.written = written
      pthread_cond_signal(drained)
    }
  }

  /// Notes why writing has stopped and drops what waits.
  func fail(_ problem: SessionFileError) {
    locked { state in
      if state.problem == nil { state.problem = problem }
      state.bytes = 0
      state.blocks = []
      pthread_cond_broadcast(drained)
    }
  }

  /// Asks for the file's end to be written once the queue is closed and empty.
  func requestIndex() { locked { $0.wantsIndex = true } }
  var wantsIndex: Bool { locked { $0.wantsIndex } }

  /// No more blocks come.
  func close() {
    locked { state in
      state.isClosed = true
      pthread_cond_broadcast(filled)
      pthread_cond_broadcast(drained)
    }
  }
}
