// The real binary as a child process, with folders of its own; and the peers it is tried against.

import Foundation
import Testing

/// Runs the umbra binary that was built with the tests.
enum UmbraProcess {
  struct Result: Sendable {
    var status: Int32
    var output: String
    var error: String
  }

  /// Beside the test bundle's executable.
  static let binary: URL = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("umbra")
  }()

  /// Runs it to its end. Standard input is empty unless given.
  static func run(_ arguments: [String], input: Data? = nil, environment: [String: String] = [:]) throws -> Result {
    let process = try Child(binary.path, arguments, input: input, environment: environment)
    return process.wait()
  }
}

/// A child process whose output is collected.
///
/// Not Foundation's Process: its children inherit the calling thread's signal mask, and the threads that tests run on
/// block every signal, so that a child could only be killed.
final class Child {
  let identifier: pid_t
  private var status: Int32?
  private let outputFile: URL
  private let errorFile: URL
  private let inputFile: URL

  init(
    _ program: String, _ arguments: [String], input: Data? = nil, environment: [String: String] = [:],
    folder: URL? = nil
  ) throws {
    let base = FileManager.default.temporaryDirectory.appendingPathComponent("umbra-child-\(UUID().uuidString)")
    outputFile = base.appendingPathExtension("out")
    errorFile = base.appendingPathExtension("err")
    inputFile = base.appendingPathExtension("in")
    try (input ?? Data()).write(to: inputFile)
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    posix_spawn_file_actions_addopen(&files, 0, inputFile.path, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&files, 1, outputFile.path, O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_addopen(&files, 2, errorFile.path, O_WRONLY | O_CREAT, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // No signal is blocked, and none is ignored because a shell in the background had it so.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let entered = folder.map { ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, $0.path] } ?? []
    let command = entered + [program] + arguments
    let words = command.map { strdup($0) }
    let variables = merged.map { strdup("\($0.key)=\($0.value)") }
    defer { for text in words + variables { free(text) } }
    var child: pid_t = 0
    let failure = posix_spawn(&child, command[0], &files, &attributes, words + [nil], variables + [nil])
    guard failure == 0 else { throw ServerFailure(text: "\(program): \(String(cString: strerror(failure)))") }
    identifier = child
  }

  deinit {
    if isRunning {
      kill()
      _ = wait()
    }
    for file in [inputFile, outputFile, errorFile] { try? FileManager.default.removeItem(at: file) }
  }

  var isRunning: Bool {
    reap(WNOHANG)
    return status == nil
  }

  func interrupt() { signal(SIGINT) }
  func terminate() { signal(SIGTERM) }
  func kill() { signal(SIGKILL) }

  func signal(_ number: Int32) {
    if isRunning { Foundation.kill(identifier, number) }
  }

  private func reap(_ options: Int32) {
    var raw: Int32 = 0
    guard status == nil, waitpid(identifier, &raw, options) == identifier else { return }
    // As a shell says it: 128 and the signal's number for one that a signal ended.
    status = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + raw & 0x7f
  }

  var standardOutput: String { (try? String(decoding: Data(contentsOf: outputFile), as: UTF8.self)) ?? "" }
  var standardError: String { (try? String(decoding: Data(contentsOf: errorFile), as: UTF8.self)) ?? "" }

  /// Waits for the end, and looks at the largest resident size meanwhile. (What wait4 tells counts the parent's too.)
  func waitWatchingMemory() -> (result: UmbraProcess.Result, peakBytes: Int) {
    var peak = 0
    while isRunning {
      let text = (try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
      peak = max(peak, line.flatMap { Int($0.filter(\.isNumber)) } ?? 0)
      usleep(3000)
    }
    return (wait(), peak << 10)
  }

  func wait() -> UmbraProcess.Result {
    while status == nil { reap(0) }
    let output = (try? Data(contentsOf: outputFile)) ?? Data()
    return UmbraProcess.Result(
      status: status ?? -1, output: String(decoding: output, as: UTF8.self), error: standardError)
  }
}

/// A folder that goes away with the test.
final class Scratch: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("umbra-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  @discardableResult func write(_ name: String, _ text: String) throws -> String {
    try Data(text.utf8).write(to: url.appendingPathComponent(name))
    return path(name)
  }
}

/// Waits until a condition holds; false after ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
  let end = ContinuousClock.now + .seconds(10)
  while ContinuousClock.now < end {
    if condition() { return true }
    usleep(20_000)
  }
  return condition()
}

/// Where a program of the system is, or nil.
func program(_ name: String) -> String? {
  let searched = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  let folders = searched + ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
  return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
}
