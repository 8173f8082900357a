// A file's bytes for the readers of other formats: from a path or standard input, gzip undone.
//
// In: a descriptor. Out: pieces of content. Owner: one conversion. Bounds: 128 KB, and what gzip takes.

import Glibc
import Interchange

/// Content that is read once, from front to back.
final class FormatInput {
  /// What error messages call it.
  let name: String
  private let path: String
  private let descriptor: Int32
  /// What was read to look at it.
  private var beginning: [UInt8] = []
  private var isGzip = false

  init(path: String) throws {
    self.path = path
    name = path == "-" ? "standard input" : path
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CommandFailure("can't read \(path): \(systemError()). Check the name.") }
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      throw CommandFailure("\(path) is a directory: name a file in it")
    }
  }

  deinit { if path != "-" { close(descriptor) } }

  /// What the file is, by its first bytes.
  func format() throws -> FileFormat {
    while beginning.count < 4096, try refill(&beginning) {}
    if beginning.isEmpty { throw CommandFailure("\(name) is empty: there is nothing to convert") }
    var content = beginning
    if beginning.starts(with: [0x1f, 0x8b]) {
      isGzip = true
      content = []
      let decoder = GzipDecoder()
      beginning.withUnsafeBytes { bytes in decoder.receive(bytes) { content.append(contentsOf: $0) } }
    }
    if let format = FileFormat(content: content, name: path) { return format }
    throw CommandFailure(
      "\(name) is in no format that is known here; known are \(FileFormat.readable.map(\.rawValue).joined(separator: ", "))"
    )
  }

  /// All of the content, a piece at a time.
  /// - Throws: what `body` throws; `CommandFailure` where reading fails.
  func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let decoder = isGzip ? GzipDecoder() : nil
    var piece = beginning
    beginning = []
    while try !piece.isEmpty || refill(&piece) {
      try piece.withUnsafeBytes { bytes in
        if let decoder { try decoder.receive(bytes, body) } else { try body(bytes) }
      }
      piece.removeAll(keepingCapacity: true)
      if decoder?.fault != nil || Interruption.isRequested { break }
    }
    decoder?.finish()
    switch decoder?.fault {
    case .cutOff: damage = "the gzip file is cut off; what stands before is converted"
    case .damaged: damage = "the gzip file is damaged; what stands before is converted"
    case nil: break
    }
  }

  /// What of the compression was wrong.
  private(set) var damage: String?

  /// For a reader of its own: a path under which the file is read from its beginning. What cannot be opened a second
  /// time (a pipe) goes on as standard input.
  func pathFromBeginning() throws -> String {
    var status = stat()
    if path != "-", fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG { return path }
    var ends: [Int32] = [0, 0]
    let source = dup(descriptor)
    guard source >= 0, pipe(&ends) == 0, dup2(ends[0], STDIN_FILENO) >= 0 else {
      throw CommandFailure("can't read standard input again: \(systemError())")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    close(ends[0])
    let (beginning, sink) = (beginning, ends[1])
    _ = try BackgroundThread {
      var bytes = beginning
      repeat {
        var written = 0
        while written < bytes.count {
          let count = bytes.withUnsafeBytes { write(sink, $0.baseAddress! + written, $0.count - written) }
          if count < 0, errno == EINTR { continue }
          if count <= 0 { return }
          written += count
        }
        bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
          repeat { count = max(-1, read(source, buffer.baseAddress, buffer.count)) } while count < 0 && errno == EINTR
          count = max(0, count)
        }
      } while !bytes.isEmpty
      close(sink)
      close(source)
    }
    return "-"
  }

  private func refill(_ bytes: inout [UInt8]) throws -> Bool {
    let room = 1 << 17
    var failure: Int32 = 0
    let more = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      var got = read(descriptor, buffer.baseAddress, room)
      while got < 0, errno == EINTR, !Interruption.isRequested { got = read(descriptor, buffer.baseAddress, room) }
      if got < 0, errno != EINTR { failure = errno }
      count = max(0, got)
    }
    if failure != 0 { throw CommandFailure("can't read \(name): \(String(cString: strerror(failure)))") }
    if bytes.isEmpty { bytes = more } else { bytes += more }
    return !more.isEmpty
  }
}
