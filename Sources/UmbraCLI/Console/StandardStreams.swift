// Standard output and error as byte sinks: buffered, whole writes, a broken pipe told as a value.

import Glibc

/// The reader of standard output has gone.
struct BrokenPipe: Error {}

/// Buffered standard output, or a file in its place. Owner: one command, one thread.
final class Output {
  private var buffer: [UInt8] = []
  private let descriptor: Int32
  private let closes: Bool
  private let name: String

  /// - Parameter path: nil or `-` for standard output; a file is created anew, readable by its owner only.
  init(path: String? = nil) throws {
    if let path, path != "-" {
      descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else {
        throw CommandFailure("can't write \(path): \(systemError()). Choose a place where you may write.")
      }
      (closes, name) = (true, path)
    } else {
      (descriptor, closes, name) = (STDOUT_FILENO, false, "standard output")
    }
    buffer.reserveCapacity(1 << 16)
  }

  deinit { if closes { close(descriptor) } }

  func write(_ text: String) throws { try write(Array(text.utf8)) }

  func write(_ bytes: some Collection<UInt8>) throws {
    buffer.append(contentsOf: bytes)
    if buffer.count >= 1 << 16 { try flush() }
  }

  func flush() throws {
    var written = 0
    while written < buffer.count {
      let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
      if count < 0 {
        if errno == EINTR { continue }
        if errno == EPIPE { throw BrokenPipe() }
        throw CommandFailure("can't write to \(name): \(systemError()).")
      }
      written += count
    }
    buffer.removeAll(keepingCapacity: true)
  }
}

/// Standard error: messages for a person.
enum StandardError {
  static func write(_ text: String) {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress! + written, $0.count - written) }
      if count <= 0 && errno != EINTR { return }
      written += max(0, count)
    }
  }

  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

/// The text of `errno`.
func systemError() -> String { String(cString: strerror(errno)) }

/// Whether colour may be used on standard output (https://no-color.org).
var mayColour: Bool {
  isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR").map { $0.pointee == 0 } ?? true
    && getenv("TERM").map { String(cString: $0) != "dumb" } ?? true
}
