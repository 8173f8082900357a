// The bytes of a saved capture: a mapped file, or a pipe read in pieces.
//
// In: a path or descriptor. Out: windows of contiguous bytes. Owner: SavedCapture. Bounds: a pipe's buffer grows to the
// largest block asked for; a file is mapped and costs no memory of its own.

import Glibc

final class CaptureInput {
  let path: String
  private let descriptor: Int32
  private let closes: Bool
  private var mapping: UnsafeRawBufferPointer?
  private var buffer: [UInt8] = []
  private var start = 0
  /// Offset of the next unread byte from the beginning.
  private(set) var offset: UInt64 = 0
  private var isAtEnd = false

  init(path: String) throws(CaptureError) {
    if path == "-" {
      (self.path, descriptor, closes) = ("standard input", STDIN_FILENO, false)
      return
    }
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    closes = true
    guard descriptor >= 0 else { throw .fileUnreadable(path: path, reason: String(cString: strerror(errno))) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
      close(descriptor)
      throw .fileIsDirectory(path: path)
    }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { return }
    let memory = mmap(nil, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let memory, memory != MAP_FAILED else { return }
    madvise(memory, status.st_size, MADV_SEQUENTIAL)
    mapping = UnsafeRawBufferPointer(start: memory, count: status.st_size)
  }

  deinit {
    if let mapping { munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress!), mapping.count) }
    if closes, descriptor >= 0 { close(descriptor) }
  }

  /// The next `count` bytes without passing over them; fewer where the input ends before. Valid until the next call.
  @inline(__always)
  func peek(_ count: Int) throws(CaptureError) -> UnsafeRawBufferPointer {
    if let mapping {
      let position = Int(offset)
      return UnsafeRawBufferPointer(rebasing: mapping[position..<min(mapping.count, position &+ count)])
    }
    return try peekBuffered(count)
  }

  /// Passes over bytes that were peeked.
  @inline(__always)
  func consume(_ count: Int) {
    offset &+= UInt64(count)
    if mapping == nil { start += count }
  }

  private func peekBuffered(_ count: Int) throws(CaptureError) -> UnsafeRawBufferPointer {
    while buffer.count - start < count, !isAtEnd {
      if start > 0 {
        buffer.removeFirst(start)
        start = 0
      }
      let wanted = max(count - buffer.count, 1 << 16)
      let held = buffer.count
      buffer.append(contentsOf: repeatElement(0, count: wanted))
      let got = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + held, wanted) }
      let reason = errno
      buffer.removeLast(wanted - max(0, got))
      if got == 0 { isAtEnd = true }
      if got < 0, reason != EINTR {
        throw .fileUnreadable(path: path, reason: String(cString: strerror(reason)))
      }
    }
    // The array stays alive and unchanged until the next call, and its storage does not move.
    return buffer.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[start..<min($0.count, start + count)]) }
  }
}
