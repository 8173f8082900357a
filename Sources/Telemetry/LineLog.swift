// Lines into a file that others rotate.
//
// In: whole lines from any thread. Out: a file, appended to. Owner: one thread for writing. Bounds: `bufferLimit` bytes wait
// for the disk; a line that finds no room is dropped and counted, so that nobody waits.

import Glibc
import NIOPosix
import Synchronization

/// Why there is no log.
public struct LineLogError: Error, CustomStringConvertible {
  public let path: String
  public let reason: String
  public var description: String { "can't write the log \(path): \(reason). Choose a place where you may write." }
}

public final class LineLog: Sendable {
  public struct Counts: Hashable, Sendable {
    public var written: UInt64 = 0
    public var dropped: UInt64 = 0
  }

  private struct State {
    var buffer: [UInt8] = []
    var lines: UInt64 = 0
    var isWriting = false
    var counts = Counts()
  }

  static let bufferLimit = 8 << 20
  private let path: String
  private let state = Mutex(State())
  private let descriptor: Atomic<Int32>
  private let mustReopen = Atomic<Bool>(false)
  private let pool = NIOThreadPool(numberOfThreads: 1)

  /// Opens the file, made with the rights 0600 where it is new.
  public init(_ path: String) throws(LineLogError) {
    self.path = path
    let opened = LineLog.open(path)
    guard opened >= 0 else { throw LineLogError(path: path, reason: String(cString: strerror(errno))) }
    descriptor = Atomic(opened)
    pool.start()
  }

  public var counts: Counts { state.withLock { $0.counts } }

  /// From the next line on the file with this name is written to: the present one was moved away.
  public func reopen() { mustReopen.store(true, ordering: .releasing) }

  /// Adds a line, with its end.
  public func add(_ line: [UInt8]) {
    let starts = state.withLock { state in
      guard state.buffer.count + line.count <= LineLog.bufferLimit else {
        state.counts.dropped += 1
        return false
      }
      state.buffer.append(contentsOf: line)
      state.lines += 1
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if starts { pool.submit { [self] _ in write() } }
  }

  /// Writes what waits and closes the file.
  public func stop() {
    // It fails only where it was shut down before. What was submitted is carried out first, cancelled or not.
    try? pool.syncShutdownGracefully()
    write()
    close(descriptor.load(ordering: .acquiring))
  }

  private func write() {
    while true {
      let (bytes, lines) = state.withLock { state in
        if state.buffer.isEmpty { state.isWriting = false }
        defer { (state.buffer, state.lines) = ([], 0) }
        return (state.buffer, state.lines)
      }
      if bytes.isEmpty { return }
      if mustReopen.exchange(false, ordering: .acquiringAndReleasing) { openAgain() }
      let isWritten = put(bytes)
      state.withLock { if isWritten { $0.counts.written += lines } else { $0.counts.dropped += lines } }
    }
  }

  private func put(_ bytes: [UInt8]) -> Bool {
    let file = descriptor.load(ordering: .acquiring)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, $0.count - done) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }

  /// The old file stays where the new one can't be opened.
  private func openAgain() {
    let opened = LineLog.open(path)
    guard opened >= 0 else { return }
    close(descriptor.exchange(opened, ordering: .acquiringAndReleasing))
  }

  private static func open(_ path: String) -> Int32 {
    Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
  }
}
