// A capture file's descriptor: read in its order, and followed while the file grows, is cut or is replaced.
//
// In: a path or a descriptor. Out: bytes, or why there are none. Owner: one CaptureInput. Bounds: none of its own.
//
// A file that is followed is looked at again after a tenth of a second. inotify would tell sooner, but not of what other
// hosts write to a shared file system, and packet time is not the time of reading.

import Glibc

/// What a read brought.
enum ReadOutcome {
  case bytes(Int)
  /// Nothing now; there may be more later.
  case pending
  /// Nothing any more.
  case end
  /// The file was cut short, or another stands under its name: what comes next is a new file's beginning.
  case replaced
}

/// A descriptor that is read from its present position on.
final class CaptureDescriptor {
  /// For messages.
  let name: String
  /// nil where the file is known by its descriptor alone.
  private let path: String?
  private let follows: Bool
  private var descriptor: Int32
  private let isOwned: Bool
  /// A pipe, a terminal or a socket may have nothing to read for long.
  let mayWait: Bool
  /// Offset in the file of the next byte; meaningful where the file is followed.
  private var position: Int
  /// Another file was found under the name; what is left of this one is read first.
  private var isSucceeded = false

  /// - Parameters:
  ///   - path: `-` is standard input.
  ///   - follows: where the file is a regular one, its end is not the end.
  convenience init(path: String, follows: Bool = false) throws(CaptureError) {
    if path == "-" {
      try self.init(descriptor: STDIN_FILENO, isOwned: false, name: standardInputName, follows: follows)
      return
    }
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code = errno
      throw code == ENOENT ? .fileMissing(path: path) : .fileUnreadable(path: path, errno: code)
    }
    try self.init(descriptor: descriptor, isOwned: true, name: path, path: path, follows: follows)
  }

  /// - Parameter isOwned: closed at the end, also where this throws.
  init(
    descriptor: Int32, isOwned: Bool, name: String, path: String? = nil, follows: Bool = false
  ) throws(CaptureError) {
    self.descriptor = descriptor
    self.isOwned = isOwned
    self.name = name
    self.path = path
    var status = stat()
    let failure = fstat(descriptor, &status) == 0 ? 0 : errno
    mayWait = status.st_mode & S_IFMT != S_IFREG
    self.follows = follows && !mayWait
    position = self.follows ? max(0, lseek(descriptor, 0, SEEK_CUR)) : 0
    if failure != 0 { throw .fileUnreadable(path: name, errno: failure) }
    if status.st_mode & S_IFMT == S_IFDIR { throw .fileIsDirectory(path: name) }
  }

  deinit { if isOwned { close(descriptor) } }

  /// Whether there may be more after the present end.
  var isOpenEnded: Bool { mayWait || follows }

  /// Reads at most `room` bytes; does not wait.
  func read(into place: UnsafeMutableRawPointer, room: Int) throws(CaptureError) -> ReadOutcome {
    if mayWait {
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&poller, 1, 0)
      if ready == 0 || ready < 0 && errno == EINTR { return .pending }
    }
    while true {
      let got = Glibc.read(descriptor, place, room)
      if got > 0 {
        position &+= got
        return .bytes(got)
      }
      if got == 0 { return follows ? beyondEnd() : .end }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .pending
      case let code: throw .fileUnreadable(path: name, errno: code)
      }
    }
  }

  /// Waits a tenth of a second, or until there is something to read.
  func wait() {
    guard mayWait else {
      poll(nil, 0, 100)
      return
    }
    var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    poll(&poller, 1, 100)
  }

  /// The followed file has no more bytes. Its successor is opened at the second look that finds one, so that what was
  /// written to the old file around its renaming is read.
  private func beyondEnd() -> ReadOutcome {
    var status = stat()
    if fstat(descriptor, &status) == 0, Int(status.st_size) < position {
      position = max(0, lseek(descriptor, 0, SEEK_SET))
      return .replaced
    }
    guard let path else { return .pending }
    var named = stat()
    guard stat(path, &named) == 0, named.st_dev != status.st_dev || named.st_ino != status.st_ino else {
      isSucceeded = false
      return .pending
    }
    guard isSucceeded else {
      isSucceeded = true
      return .pending
    }
    let successor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    // Gone again, or not yet ours to read: looked for again.
    guard successor >= 0 else { return .pending }
    if isOwned { close(descriptor) }
    (descriptor, position, isSucceeded) = (successor, 0, false)
    return .replaced
  }
}
