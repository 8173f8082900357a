// The bytes of a saved capture, in order, through one buffer.
//
// In: a path or a descriptor. Out: windows onto the bytes to come. Owner: one SavedCapture. Bounds: the buffer grows to
// the longest record that is asked for and no further.
//
// Files are read, not mapped: a mapped file that is cut while it is read ends the process with SIGBUS, and its pages
// would count as the capture's memory.

import Glibc

/// A descriptor that is read from its present position on.
final class CaptureInput {
  /// For messages.
  let name: String
  /// Offset in the file of the next byte that is not consumed.
  private(set) var offset: UInt64 = 0
  private let descriptor: Int32
  private let isOwned: Bool
  /// A pipe, a terminal or a socket may have nothing to read for long.
  private let mayWait: Bool
  private let mustStop: () -> Bool
  private var buffer: UnsafeMutableRawPointer
  private var capacity = 1 << 18
  private var start = 0
  private var end = 0

  /// - Parameter path: `-` is standard input.
  convenience init(path: String, mustStop: @escaping () -> Bool) throws(CaptureError) {
    if path == "-" {
      try self.init(
        descriptor: STDIN_FILENO, isOwned: false, name: standardInputName, mustStop: mustStop)
      return
    }
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code = errno
      throw code == ENOENT ? .fileMissing(path: path) : .fileUnreadable(path: path, errno: code)
    }
    try self.init(descriptor: descriptor, isOwned: true, name: path, mustStop: mustStop)
  }

  /// - Parameter isOwned: closed at the end, also where this throws.
  init(descriptor: Int32, isOwned: Bool, name: String, mustStop: @escaping () -> Bool) throws(CaptureError) {
    self.descriptor = descriptor
    self.isOwned = isOwned
    self.name = name
    self.mustStop = mustStop
    buffer = .allocate(byteCount: capacity, alignment: 16)
    var status = stat()
    let failure = fstat(descriptor, &status) == 0 ? 0 : errno
    mayWait = status.st_mode & S_IFMT != S_IFREG
    if failure != 0 { throw .fileUnreadable(path: name, errno: failure) }
    if status.st_mode & S_IFMT == S_IFDIR { throw .fileIsDirectory(path: name) }
  }

  deinit {
    buffer.deallocate()
    if isOwned { close(descriptor) }
  }

  /// Bytes that are there without reading.
  var available: Int { end - start }

  /// The next `count` bytes, not consumed; nil where the file ends before. Valid until the next call of any method.
  @inline(__always)
  func peek(_ count: Int) throws(CaptureError) -> UnsafeRawPointer? {
    if end - start < count, try !fill(count) { return nil }
    return UnsafeRawPointer(buffer + start)
  }

  /// Moves on by bytes that ``peek(_:)`` has shown.
  @inline(__always)
  func consume(_ count: Int) {
    start += count
    offset &+= UInt64(count)
  }

  /// Moves on by any number of bytes.
  /// - Returns: false where the file ends before.
  func skip(_ count: UInt64) throws(CaptureError) -> Bool {
    var rest = count
    while true {
      let step = Int(min(rest, UInt64(available)))
      consume(step)
      rest -= UInt64(step)
      if rest == 0 { return true }
      if try !fill(1) { return false }
    }
  }

  /// Reads until `count` bytes are there.
  /// - Returns: false where the file ends before.
  private func fill(_ count: Int) throws(CaptureError) -> Bool {
    makeRoom(count)
    while end - start < count {
      if mayWait, try !wait() { return false }
      let got = Glibc.read(descriptor, buffer + end, capacity - end)
      if got == 0 { return false }
      if got > 0 {
        end += got
      } else if errno != EINTR, errno != EAGAIN {
        throw .fileUnreadable(path: name, errno: errno)
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

  /// Waits until there is something to read, or the end.
  /// - Returns: false where waiting is to stop.
  private func wait() throws(CaptureError) -> Bool {
    while !mustStop() {
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let status = poll(&poller, 1, 100)
      if status > 0 { return true }
      if status < 0, errno != EINTR { throw .fileUnreadable(path: name, errno: errno) }
    }
    return false
  }
}
