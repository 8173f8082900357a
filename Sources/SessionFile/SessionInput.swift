// The descriptor that a file is read from: opening, spooling of pipes, reads at an offset.

import Glibc

/// A file that can be read anywhere. Owner: one reader.
struct SessionInput: ~Copyable {
  let name: String
  let size: UInt64
  private let descriptor: Int32
  private let isOwned: Bool

  deinit {
    if isOwned { close(descriptor) }
  }

  /// - Parameter path: `-` is standard input.
  init(path: String) throws(SessionFileError) {
    if path == "-" {
      try self.init(descriptor: STDIN_FILENO, name: "standard input")
      return
    }
    let opened = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { throw .system(path: path, operation: "open", errno: errno) }
    do throws(SessionFileError) {
      try self.init(descriptor: opened, name: path, isOwned: true)
    } catch {
      close(opened)
      throw error
    }
  }

  /// - Parameter isOwned: closed at the end; after a throw it is still open.
  init(descriptor: Int32, name: String, isOwned: Bool = false) throws(SessionFileError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(path: name, operation: "read", errno: errno) }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: throw .isDirectory(path: name)
    case S_IFREG where lseek(descriptor, 0, SEEK_CUR) == 0:
      self.init(name: name, size: UInt64(max(0, status.st_size)), descriptor: descriptor, isOwned: isOwned)
    default:
      let (spool, size) = try SessionInput.spool(descriptor, name: name)
      if isOwned { close(descriptor) }
      self.init(name: name, size: size, descriptor: spool, isOwned: true)
    }
  }

  private init(name: String, size: UInt64, descriptor: Int32, isOwned: Bool) {
    self.name = name
    self.size = size
    self.descriptor = descriptor
    self.isOwned = isOwned
  }

  /// Copies all of a pipe to a file without a name, so that it can be read in another order.
  private static func spool(_ source: Int32, name: String) throws(SessionFileError) -> (Int32, UInt64) {
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(directory)/umbra-XXXXXX".utf8CString)
    // mkstemp creates with 0600.
    let spool = mkstemp(&template)
    guard spool >= 0 else {
      throw .system(path: "a temporary file in \(directory)", operation: "create", errno: errno)
    }
    unlink(template)
    _ = fcntl(spool, F_SETFD, FD_CLOEXEC)
    var size: UInt64 = 0
    let capacity = 1 << 18
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    defer { buffer.deallocate() }
    do throws(SessionFileError) {
      while true {
        let count = Glibc.read(source, buffer, capacity)
        if count == 0 { return (spool, size) }
        if count < 0 {
          if errno == EINTR { continue }
          guard errno == EAGAIN else { throw .system(path: name, operation: "read", errno: errno) }
          var poller = pollfd(fd: source, events: Int16(POLLIN), revents: 0)
          _ = poll(&poller, 1, -1)
          continue
        }
        var written = 0
        while written < count {
          let step = Glibc.write(spool, buffer + written, count - written)
          if step < 0, errno == EINTR { continue }
          guard step > 0 else {
            throw step < 0 && errno != ENOSPC
              ? .system(path: "a temporary file in \(directory)", operation: "write", errno: errno)
              : .spoolFull(path: name, directory: directory)
          }
          written += step
        }
        size += UInt64(count)
      }
    } catch {
      close(spool)
      throw error
    }
  }

  /// Fills `bytes` from `offset` on.
  /// - Returns: how many could be had; fewer only at the file's end.
  func read(_ bytes: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SessionFileError) -> Int {
    guard let start = Int(exactly: offset) else { return 0 }
    var filled = 0
    while filled < bytes.count {
      let (position, overflow) = start.addingReportingOverflow(filled)
      guard !overflow else { return filled }
      let count = pread(descriptor, bytes.baseAddress! + filled, bytes.count - filled, position)
      if count == 0 { return filled }
      if count < 0 {
        if errno == EINTR { continue }
        throw .system(path: name, operation: "read", errno: errno)
      }
      filled += count
    }
    return filled
  }

  /// The same as an array, for small parts.
  func read(_ count: Int, at offset: UInt64) throws(SessionFileError) -> [UInt8] {
    var problem: SessionFileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(SessionFileError) {
        initialized = try read(UnsafeMutableRawBufferPointer(buffer), at: offset)
      } catch {
        problem = error
      }
    }
    if let problem { throw problem }
    return bytes
  }
}
