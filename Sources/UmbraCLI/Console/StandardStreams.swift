// Standard output and error as byte sinks: buffered, whole writes, a broken pipe told as a value.

import Glibc
import HTTPModel
import Synchronization

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
      StandardError.say("writing \(path)", .debug)
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

/// Standard error: messages for a person, or one line of JSON each for a machine.
enum StandardError {
  enum Format: String, CaseIterable, Sendable { case text, json }

  enum Level: Int, Sendable {
    case debug, info, warning, error

    var name: String {
      switch self {
      case .debug: "debug"
      case .info: "info"
      case .warning: "warning"
      case .error: "error"
      }
    }
  }

  /// What a line of JSON says beside its message.
  enum Detail: Sendable {
    case text(String)
    case number(Int)
  }

  private static let state = Mutex((format: Format.text, level: Level.info))

  /// - Parameter level: messages below it are not said.
  static func configure(_ format: Format, from level: Level) { state.withLock { $0 = (format, level) } }

  static var isJSON: Bool { state.withLock { $0.format == .json } }
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// One message, of one sentence or several.
  static func say(_ message: String, _ level: Level = .info, _ details: KeyValuePairs<String, Detail> = [:]) {
    let (format, least) = state.withLock { $0 }
    guard level.rawValue >= least.rawValue else { return }
    switch format {
    case .text: put(Array("umbra: \(message)\n".utf8))
    case .json: put(line(message, level, details))
    }
  }

  /// Lines as they are for a person; each is a message where a machine reads them.
  static func write(_ text: String, _ level: Level = .info) {
    let (format, least) = state.withLock { $0 }
    guard level.rawValue >= least.rawValue else { return }
    guard format == .json else { return put(Array(text.utf8)) }
    let lines = text.split(separator: "\n").map { $0.hasPrefix("umbra: ") ? $0.dropFirst(7) : $0 }
    put(lines.flatMap { line(String($0), level, [:]) })
  }

  private static func line(_ message: String, _ level: Level, _ details: KeyValuePairs<String, Detail>) -> [UInt8] {
    var json = JSONWriter(reservingCapacity: 256)
    json.beginObject()
    json.key("time")
    json.string(Timestamp(nanoseconds: wallNow()).description)
    json.key("level")
    json.string(level.name)
    json.key("message")
    json.string(message)
    for (name, detail) in details {
      json.key(name)
      switch detail {
      case .text(let text): json.string(text)
      case .number(let number): json.number(number)
      }
    }
    json.endObject()
    json.endLine()
    return json.bytes
  }

  private static func put(_ bytes: [UInt8]) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress! + written, $0.count - written) }
      if count <= 0 && errno != EINTR { return }
      written += max(0, count)
    }
  }
}

/// The text of `errno`.
func systemError() -> String { String(cString: strerror(errno)) }

/// Whether colour may be used on standard output (https://no-color.org).
var mayColour: Bool {
  isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR").map { $0.pointee == 0 } ?? true
    && getenv("TERM").map { String(cString: $0) != "dumb" } ?? true
}
