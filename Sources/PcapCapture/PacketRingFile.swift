// One file of a ring of packets: how it is created, how older ones make room, and write(2) with all that can happen.
//
// In: a path, bytes. Out: a file of 0600. Owner: one PacketRing. Bounds: none of its own.

import Glibc

/// Why packets could not be kept: one line each, with what to do about it.
public enum PacketRingError: Error, Hashable, Sendable {
  case tooSmall(byteLimit: Int, files: Int)
  /// A capture stands there, which was not to be replaced.
  case exists(path: String)
  /// Something else stands there.
  case existsForeign(path: String)
  case isDirectory(path: String)
  case diskFull(path: String)
  /// The reader of a pipe has gone.
  case pipeClosed(path: String)
  /// The system's error number; `operation` is a verb.
  case system(path: String, operation: String, errno: Int32)
}

extension PacketRingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tooSmall(let byteLimit, let files):
      "\(byteLimit) bytes are too few for packets in \(files) files: give at least "
        + "\(max(2, files) * PacketRingOptions.smallestShare)"
    case .exists(let path): "\(path) exists and holds packets: name another file, or allow overwriting"
    case .existsForeign(let path): "\(path) exists and is no packet capture: name another file"
    case .isDirectory(let path): "\(path) is a directory: name a file in it"
    case .diskFull(let path):
      "no room is left for \(path): packets are not kept any more; free some, or lower the limit"
    case .pipeClosed(let path): "the reader of \(path) has gone: packets are not kept any more"
    case .system(let path, let operation, let code): "cannot \(operation) \(path): \(systemMessage(code))"
    }
  }
}

final class PacketRingFile {
  private let path: String
  private let descriptor: Int32
  /// Of the bytes that were written as a whole.
  private var size = 0
  /// Not a pipe or a device.
  let isRegular: Bool

  /// The first file of a ring: those of an earlier ring go, where that is allowed.
  init(path: String, olderFiles: Int, overwrite: Bool) throws(PacketRingError) {
    self.path = path
    let kinds = try (0...olderFiles).map { number throws(PacketRingError) in
      try PacketRingFile.kind(of: PacketRingFile.name(path, number), overwrite: overwrite)
    }
    isRegular = kinds[0] != .device
    if isRegular {
      for (number, kind) in kinds.enumerated() where kind == .capture {
        let name = PacketRingFile.name(path, number)
        guard unlink(name) == 0 || errno == ENOENT else {
          throw .system(path: name, operation: "replace", errno: errno)
        }
      }
    }
    descriptor = try PacketRingFile.open(path, isNew: isRegular)
  }

  /// The next file: those that are there are renamed, the oldest away.
  init(path: String, movingOlderFiles olderFiles: Int) throws(PacketRingError) {
    self.path = path
    isRegular = true
    for number in stride(from: olderFiles, to: 0, by: -1) {
      let (from, to) = (PacketRingFile.name(path, number - 1), PacketRingFile.name(path, number))
      guard rename(from, to) == 0 || errno == ENOENT else {
        throw .system(path: from, operation: "rename", errno: errno)
      }
    }
    descriptor = try PacketRingFile.open(path, isNew: true)
  }

  deinit { close(descriptor) }

  /// Writes all of `bytes`. Where that fails, what was written of them is cut off again.
  func write(_ bytes: [UInt8]) throws(PacketRingError) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
      if count > 0 {
        written += count
      } else if count < 0, errno == EAGAIN {
        var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&poller, 1, 100)
      } else if count == 0 || errno != EINTR {
        let code = count == 0 ? ENOSPC : errno
        if isRegular { _ = ftruncate(descriptor, size) }
        switch code {
        case ENOSPC, EDQUOT, EFBIG: throw .diskFull(path: path)
        case EPIPE: throw .pipeClosed(path: path)
        default: throw .system(path: path, operation: "write", errno: code)
        }
      }
    }
    size += bytes.count
  }

  private enum Kind { case nothing, capture, device }

  private static func name(_ path: String, _ number: Int) -> String { number == 0 ? path : "\(path).\(number)" }

  private static func open(_ path: String, isNew: Bool) throws(PacketRingError) -> Int32 {
    let flags = isNew ? O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC : O_WRONLY | O_CLOEXEC
    while true {
      let descriptor = Glibc.open(path, flags, 0o600)
      if descriptor >= 0 { return descriptor }
      if errno != EINTR { throw .system(path: path, operation: isNew ? "create" : "open", errno: errno) }
    }
  }

  /// What stands under a name, and whether it may go.
  private static func kind(of path: String, overwrite: Bool) throws(PacketRingError) -> Kind {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT, lstat(path, &status) != 0 else {
        throw .system(path: path, operation: "create", errno: errno)
      }
      return .nothing
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: throw .isDirectory(path: path)
    case S_IFREG: break
    default: return .device
    }
    // An empty file holds nothing that could be lost.
    if status.st_size == 0 { return .capture }
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .existsForeign(path: path) }
    defer { close(descriptor) }
    var magic: UInt32 = 0
    guard pread(descriptor, &magic, 4, 0) == 4, magic == CaptureFormat.sectionHeader else {
      throw .existsForeign(path: path)
    }
    guard overwrite else { throw .exists(path: path) }
    return .capture
  }
}
