import Foundation
@testable import Telemetry
import Testing

@Suite("Logs of lines")
struct LineLogTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("umbra-log-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  private func lines(_ path: String) throws -> [Substring] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
  }

  @Test("Lines from many threads come whole, and are added to what is there")
  func appending() throws {
    try withFolder { folder in
      let path = folder + "/access.log"
      try Data("before\n".utf8).write(to: URL(fileURLWithPath: path))
      let log = try LineLog(path)
      DispatchQueue.concurrentPerform(iterations: 8) { thread in
        for number in 0..<500 { log.add(Array("\(thread)-\(number)\n".utf8)) }
      }
      log.stop()
      let lines = try lines(path)
      #expect(lines.first == "before" && Set(lines).count == 4001)
      #expect(log.counts == LineLog.Counts(written: 4000, dropped: 0))
    }
  }

  @Test("A new file is for its owner only; a folder that is missing is told")
  func rights() throws {
    try withFolder { folder in
      let log = try LineLog(folder + "/new.log")
      log.stop()
      let mode = try FileManager.default.attributesOfItem(atPath: folder + "/new.log")[.posixPermissions] as? Int
      #expect(mode == 0o600)
      let error = #expect(throws: LineLogError.self) { try LineLog(folder + "/none/x.log") }
      #expect(error?.description.contains("No such file") == true)
    }
  }

  @Test("After a rotation lines go into the new file")
  func rotation() throws {
    try withFolder { folder in
      let path = folder + "/audit.log"
      let log = try LineLog(path)
      log.add(Array("one\n".utf8))
      while log.counts.written < 1 { sched_yield() }
      try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
      log.reopen()
      log.add(Array("two\n".utf8))
      log.stop()
      #expect(try lines(path + ".1") == ["one"])
      #expect(try lines(path) == ["two"])
    }
  }

  @Test("A disk that takes nothing costs lines")
  func fullDisk() throws {
    let log = try LineLog("/dev/full")
    log.add(Array("x\n".utf8))
    log.stop()
    #expect(log.counts == LineLog.Counts(written: 0, dropped: 1))
  }
}
