// Blocks of all lanes into session files: one, or a row of them with rotation.
//
// In: sealed blocks from any thread. Out: files. Bounds: the writers' queues; while a file is closed and the next one
// begun, two writers exist. A live capture never waits here: what the disk cannot take is shed and counted.

import Glibc
import HTTPModel
import SessionFile
import Synchronization

/// Where a capture's blocks go.
///
/// A file ends for all lanes together: ``rotateIfDue(now:)`` begins the next one, a lane that sees that ``generation``
/// has grown seals what it has for the file before and says so with ``move(from:ledger:)``, and after the last lane the
/// file before is finished on a thread of its own.
final class SessionSink: Sendable {
  struct Plan {
    var path: String
    var overwrite = false
    var rotation: RotationRule?
    /// Files that stay where there is rotation; older ones are deleted.
    var kept: Int?
    /// Raw bytes that may wait for the disk.
    var queueLimit = SessionWriter.defaultQueueLimit
    var metadata = SessionMetadata()
    var key: SessionKey?
  }

  struct Written {
    var files: [String] = []
    var bytes: UInt64 = 0
  }

  private struct File {
    var writer: SessionWriter
    var path: String
    /// Monotonic nanoseconds.
    var opened: Int64
    /// What the lanes had counted when they began to write here.
    var before: Ledger
    /// What they have counted since, of those that have moved on.
    var ledger = Ledger()
    var shed = Ledger()
    var lanesLeft: Int
  }

  private struct State {
    var current: File
    var closing: File?
    var generation = 0
    var files: [String]
    var closedBytes: UInt64 = 0
    var shed = Ledger()
    var finishing: BackgroundThread?
    var problem: SessionFileError?
  }

  private let plan: Plan
  private let names: SessionNamePattern
  private let lanes: Int
  private let state: Mutex<State>
  private let generationNumber = Atomic<Int>(0)

  /// Opens the first file.
  init(_ plan: Plan, lanes: Int) throws(SessionFileError) {
    self.plan = plan
    self.lanes = lanes
    names = SessionNamePattern(pattern: plan.path)
    let earlier = plan.rotation != nil && plan.kept != nil ? names.existingFiles() : []
    let file = try SessionSink.open(plan, names, lanes: lanes, taken: [])
    state = Mutex(State(current: file, files: earlier + [file.path]))
  }

  /// Grows when a new file is begun.
  var generation: Int { generationNumber.load(ordering: .acquiring) }

  /// Why writing has stopped; nil while all is well.
  var problem: SessionFileError? { state.withLock { $0.problem ?? $0.current.writer.problem } }

  /// What was shed until now.
  var shed: Ledger { state.withLock { $0.shed } }

  /// Bytes of all files, and of what waits to be written.
  var bytes: UInt64 {
    state.withLock { state in
      let closing = state.closing.map { $0.writer.written.bytes + UInt64($0.writer.queuedBytes) } ?? 0
      return state.closedBytes + closing + state.current.writer.written.bytes
        + UInt64(state.current.writer.queuedBytes)
    }
  }

  /// Hands over a block and never waits; what finds no room is counted as shed.
  func offer(_ block: RawBlock, generation: Int) {
    state.withLock { state in
      let isCurrent = generation == state.generation
      let writer = isCurrent ? state.current.writer : state.closing?.writer ?? state.current.writer
      guard !writer.offer(block) else { return }
      var shed = Ledger()
      shed[.blocksShed] = 1
      shed[.exchangesShed] = UInt64(block.exchangeCount)
      if isCurrent || state.closing == nil {
        state.current.shed.add(shed)
      } else {
        state.closing?.shed.add(shed)
      }
      state.shed.add(shed)
    }
  }

  /// Hands over a block, waiting for the disk. For captures read from a file, which are written into one file.
  /// - Returns: false where writing has failed.
  func put(_ block: RawBlock) -> Bool { state.withLock { $0.current.writer }.put(block) }

  /// Begins the next file where the present one is large or old enough. Called by one thread.
  func rotateIfDue(now: Int64) {
    guard let rule = plan.rotation else { return }
    let isDue = state.withLock { state in
      guard state.closing == nil, state.problem == nil else { return false }
      let bytes = state.current.writer.written.bytes + UInt64(state.current.writer.queuedBytes)
      return rule.bytes.map { bytes >= $0 } ?? false || rule.interval.map { now - state.current.opened >= $0 } ?? false
    }
    guard isDue else { return }
    do {
      let next = try SessionSink.open(plan, names, lanes: lanes, taken: state.withLock { Set($0.files) })
      state.withLock { state in
        state.closing = state.current
        state.current = next
        state.generation += 1
        state.files.append(next.path)
        generationNumber.store(state.generation, ordering: .releasing)
      }
    } catch {
      state.withLock { $0.problem = error }
    }
  }

  /// A lane has sealed what belongs into the file before; its later blocks go into the present one.
  /// - Parameter ledger: all that the lane has counted until now.
  func move(ledger: Ledger) {
    let last: (file: File, delete: [String], earlier: BackgroundThread?)? = state.withLock { state in
      guard state.closing != nil else { return nil }
      state.closing!.ledger.add(ledger)
      state.current.before.add(ledger)
      state.closing!.lanesLeft -= 1
      guard state.closing!.lanesLeft == 0, let file = state.closing else { return nil }
      state.closing = nil
      var delete: [String] = []
      if let kept = plan.kept, state.files.count > kept {
        delete = Array(state.files.prefix(state.files.count - kept))
        state.files.removeFirst(delete.count)
      }
      return (file, delete, state.finishing)
    }
    guard let last else { return }
    let finishing = try? BackgroundThread { [self] in
      last.earlier?.join()
      finish(last.file)
      for path in last.delete { unlink(path) }
    }
    // Without a thread it has to be done here.
    if finishing == nil { finish(last.file) }
    state.withLock { $0.finishing = finishing }
  }

  /// Writes the last file's end.
  /// - Parameters:
  ///   - ledger: all that was counted, the packet source's drops included.
  ///   - facts: what the file says of itself beyond what was known when it was begun.
  func finish(ledger: Ledger, facts: SessionMetadata = SessionMetadata()) throws(SessionFileError) -> Written {
    let (file, finishing, closing) = state.withLock { state in
      defer {
        state.finishing = nil
        state.closing = nil
      }
      return (state.current, state.finishing, state.closing)
    }
    finishing?.join()
    if let closing { finish(closing) }
    var rest = plan.rotation == nil ? ledger : ledger.since(file.before)
    rest.add(file.shed)
    if !facts.entries.isEmpty { _ = file.writer.put(.metadata(facts)) }
    let summary = try file.writer.finish(ledger: rest)
    return try state.withLock { state throws(SessionFileError) in
      if let problem = state.problem { throw problem }
      return Written(files: state.files, bytes: state.closedBytes + summary.bytes)
    }
  }

  private func finish(_ file: File) {
    var ledger = file.ledger.since(file.before)
    ledger.add(file.shed)
    do {
      let summary = try file.writer.finish(ledger: ledger)
      state.withLock { $0.closedBytes += summary.bytes }
    } catch {
      state.withLock { if $0.problem == nil { $0.problem = error } }
    }
  }

  private static func open(
    _ plan: Plan, _ names: SessionNamePattern, lanes: Int, taken: Set<String>
  ) throws(SessionFileError) -> File {
    let wall = wallNow()
    var ordinal = 1
    while true {
      let isRow = plan.rotation != nil
      let path = names.name(seconds: wall / 1_000_000_000, ordinal: ordinal, isRow: isRow)
      // A row's own file is never replaced.
      if isRow, taken.contains(path) {
        ordinal += 1
        continue
      }
      do throws(SessionFileError) {
        let destination: SessionWriter.Destination =
          path == "-" ? .descriptor(STDOUT_FILENO, name: "standard output") : .path(path, overwrite: plan.overwrite)
        let writer = try SessionWriter(
          destination, kind: .session, created: Timestamp(nanoseconds: wall), queueLimit: plan.queueLimit,
          key: plan.key)
        _ = writer.put(.metadata(plan.metadata))
        return File(writer: writer, path: path, opened: monotonicNow(), before: Ledger(), lanesLeft: lanes)
      } catch .exists where isRow && ordinal < 1_000_000 {
        ordinal += 1
      }
    }
  }
}
