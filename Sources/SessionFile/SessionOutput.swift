// The descriptor that a file is written to: how it is opened, and write(2) with all that can happen to it.

import Glibc

/// Owner: the writer's thread, after opening.
struct SessionOutput: ~Copyable, Sendable {
  let name: String
  private let descriptor: Int32
  private let isOwned: Bool
  /// A regular file that a failed write may be cut off from.
  private let isRegular: Bool

  deinit {
    if isOwned { close(descriptor) }
  }

  init(_ destination: SessionWriter.Destination) throws(SessionFileError) {
    switch destination {
    case .descriptor(let descriptor, let name):
      (self.descriptor, self.name, isOwned) = (descriptor, name, false)
    case .path("-", _):
      (descriptor, name, isOwned) = (STDOUT_FILENO, "standard output", false)
    case .path(let path, let overwrite):
      (descriptor, name, isOwned) = (try SessionOutput.create(path, overwrite: overwrite), path, true)
    }
    var status = stat()
    isRegular = isOwned && fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// A new file with 0600, or an existing FIFO or device as it is.
  ///
  /// An old session file is unlinked rather than cut to nothing: who reads it at this moment keeps it, and neither its
  /// permissions nor its other names are taken over.
  private static func create(_ path: String, overwrite: Bool) throws(SessionFileError) -> Int32 {
    for _ in 0..<8 {
      let created = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      if created >= 0 { return created }
      if errno == EINTR { continue }
      guard errno == EEXIST else { throw .system(path: path, operation: "create", errno: errno) }
      var status = stat()
      guard stat(path, &status) == 0 else {
        // A link to nowhere, or the file has just gone.
        guard errno == ENOENT else { throw .system(path: path, operation: "create", errno: errno) }
        guard lstat(path, &status) != 0 else { throw .system(path: path, operation: "create", errno: ENOENT) }
        continue
      }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: throw .isDirectory(path: path)
      case S_IFREG:
        try checkReplaceable(path, size: Int(status.st_size), overwrite: overwrite)
        guard unlink(path) == 0 || errno == ENOENT else {
          throw .system(path: path, operation: "replace", errno: errno)
        }
      default:
        let opened = open(path, O_WRONLY | O_CLOEXEC)
        guard opened >= 0 else { throw .system(path: path, operation: "open", errno: errno) }
        return opened
      }
    }
    throw .system(path: path, operation: "create", errno: EEXIST)
  }

  private static func checkReplaceable(_ path: String, size: Int, overwrite: Bool) throws(SessionFileError) {
    // An empty file holds nothing that could be lost: mktemp makes such.
    guard size > 0 else { return }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .existsForeign(path: path) }
    defer { close(descriptor) }
    let magic = withUnsafeTemporaryAllocation(byteCount: FileHeader.magic.count, alignment: 8) { bytes in
      pread(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count && bytes.elementsEqual(FileHeader.magic)
    }
    guard magic else { throw .existsForeign(path: path) }
    guard overwrite else { throw .exists(path: path) }
  }

  /// Writes all of `bytes`.
  func write(_ bytes: UnsafeRawBufferPointer) throws(SessionFileError) {
    var rest = bytes
    while let base = rest.baseAddress, rest.count > 0 {
      let count = Glibc.write(descriptor, base, rest.count)
      if count > 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
      } else if count < 0, errno == EAGAIN {
        var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&poller, 1, -1)
      } else if count == 0 || errno != EINTR {
        throw problem(count == 0 ? ENOSPC : errno)
      }
    }
  }

  private func problem(_ code: Int32) -> SessionFileError {
    switch code {
    case ENOSPC, EDQUOT: .diskFull(path: name)
    case EFBIG: .fileTooLarge(path: name)
    case EPIPE: .pipeClosed(path: name)
    default: .system(path: name, operation: "write", errno: code)
    }
  }

  /// Cuts a block off that could be written only in part, so that what stands in the file is whole.
  func cut(to length: UInt64) {
    if isRegular { _ = ftruncate(descriptor, Int(length)) }
  }
}
