// The bytes of a saved capture, in order, through one buffer, decompressed where they have to be.
//
// In: a descriptor. Out: windows onto the bytes to come. Owner: one SavedCapture. Bounds: the buffer grows to the
// longest record that is asked for and no further; a decompressor has its window, 32 KB for gzip, 128 MB at most for zstd.
//
// Files are read, not mapped: a mapped file that is cut while it is read ends the process with SIGBUS, and its pages
// would count as the capture's memory.

import Glibc

/// Why there are fewer bytes than were asked for.
enum Shortage {
  /// There may be more later.
  case pending
  case end
  /// What comes next is a new file; ``CaptureInput/restart()`` goes on to it.
  case replaced
  /// It was to stop.
  case stopped
}

final class CaptureInput {
  /// Offset of the next byte that is not consumed, in the file after decompression.
  @exclusivity(unchecked) private(set) var offset: UInt64 = 0
  /// Why ``peek(_:)`` had nothing, the last time that it hadn't.
  private(set) var shortage = Shortage.pending
  private(set) var decompressor: Decompressor?
  private let source: CaptureDescriptor
  private let mustStop: () -> Bool
  @exclusivity(unchecked) private var buffer: UnsafeMutableRawPointer
  private var capacity: Int
  @exclusivity(unchecked) private var start = 0
  @exclusivity(unchecked) private var end = 0

  static let defaultCapacity = 1 << 18

  /// - Parameter mustStop: asked at each read.
  init(_ source: CaptureDescriptor, capacity: Int = defaultCapacity, mustStop: @escaping () -> Bool) {
    self.source = source
    self.capacity = capacity
    self.mustStop = mustStop
    buffer = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// For messages.
  var name: String { source.name }

  /// Whether there may be more after the present end.
  var isOpenEnded: Bool { source.isOpenEnded }

  /// A pipe, a terminal or a socket.
  var isPipe: Bool { source.mayWait }

  /// Bytes that are there without reading.
  var available: Int { end - start }

  /// The next `count` bytes, not consumed; nil where they are not there, for the reason in ``shortage``. Valid until the
  /// next call of any method. Does not wait.
  @inline(__always)
  func peek(_ count: Int) throws(CaptureError) -> UnsafeRawPointer? {
    if end - start < count, try !fill(count) { return nil }
    return UnsafeRawPointer(buffer + start)
  }

  /// The bytes that are there without reading, not consumed.
  var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer + start, count: end - start) }

  /// Moves on by bytes that ``peek(_:)`` has shown.
  @inline(__always)
  func consume(_ count: Int) {
    start += count
    offset &+= UInt64(count)
  }

  /// Waits a tenth of a second, or until there is something to read.
  func wait() { source.wait() }

  /// Goes on to the file that has taken this one's place; what is left of the old one is dropped.
  func restart() {
    (start, end, offset) = (0, 0, 0)
    decompressor = nil
  }

  /// Takes what follows, what is there already included, as compressed.
  func decompress(_ format: Decompressor.Format) {
    decompressor = Decompressor(format, beginning: rest)
    (start, end) = (0, 0)
  }

  /// Reads until `count` bytes are there.
  private func fill(_ count: Int) throws(CaptureError) -> Bool {
    if mustStop() {
      shortage = .stopped
      return false
    }
    makeRoom(count)
    while end - start < count {
      let outcome =
        if let decompressor {
          try decompressor.read(into: buffer + end, room: capacity - end, from: source)
        } else {
          try source.read(into: buffer + end, room: capacity - end)
        }
      switch outcome {
      case .bytes(let got): end += got
      case .pending:
        shortage = .pending
        return false
      case .end:
        shortage = .end
        return false
      case .replaced:
        shortage = .replaced
        return false
      }
    }
    return true
  }

  /// Moves what is there to the buffer's front, into a larger buffer where it is needed.
  private func makeRoom(_ count: Int) {
    if count > capacity {
      var larger = capacity
      while larger < count { larger *= 2 }
      let grown = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
      grown.copyMemory(from: buffer + start, byteCount: end - start)
      buffer.deallocate()
      (buffer, capacity) = (grown, larger)
    } else if start > 0 {
      memmove(buffer, buffer + start, end - start)
    }
    (start, end) = (0, end - start)
  }
}
