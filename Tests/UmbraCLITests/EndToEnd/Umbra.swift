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
final class Child: @unchecked Sendable {
  // Sendable by discipline: a Child is used by one test, the collecting closures touch only their own file.
  private let process = Process()
  private let outputFile: URL
  private let errorFile: URL

  init(
    _ program: String, _ arguments: [String], input: Data? = nil, environment: [String: String] = [:],
    folder: URL? = nil
  ) throws {
    let base = FileManager.default.temporaryDirectory.appendingPathComponent("umbra-child-\(UUID().uuidString)")
    outputFile = base.appendingPathExtension("out")
    errorFile = base.appendingPathExtension("err")
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let folder { process.currentDirectoryURL = folder }
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    if let input {
      let inputFile = base.appendingPathExtension("in")
      try input.write(to: inputFile)
      process.standardInput = try FileHandle(forReadingFrom: inputFile)
    } else {
      process.standardInput = FileHandle.nullDevice
    }
    try process.run()
  }

  deinit {
    if process.isRunning { process.terminate() }
    try? FileManager.default.removeItem(at: outputFile)
    try? FileManager.default.removeItem(at: errorFile)
  }

  var isRunning: Bool { process.isRunning }
  var identifier: Int32 { process.processIdentifier }
  func interrupt() { process.interrupt() }
  func terminate() { process.terminate() }
  func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

  var standardError: String { (try? String(decoding: Data(contentsOf: errorFile), as: UTF8.self)) ?? "" }

  func wait() -> UmbraProcess.Result {
    process.waitUntilExit()
    let output = (try? Data(contentsOf: outputFile)) ?? Data()
    return UmbraProcess.Result(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self), error: standardError)
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
  let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") + ["/usr/sbin", "/sbin"]
  return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
}
