// Rules files from the disk. In: their names. Out: a RuleSet, or what is wrong with them. Owner: a command.

import Glibc
import HTTPModel
import TrafficRules

/// The files of `--rules`, as of now.
struct RulesFiles {
  var rules = RuleSet()
  var problems: [RuleProblem] = []
  /// Of all files together; equal contents need no second look.
  var contents: [[UInt8]] = []

  /// - Throws: `CommandFailure` where a file can't be read.
  init(reading paths: [String]) throws {
    var files: [(name: String, bytes: [UInt8])] = []
    for path in paths {
      let bytes = try RulesFiles.bytes(of: path)
      files.append((path, bytes))
      contents.append(bytes)
    }
    (rules, problems) = RuleReader.read(files, today: RulesFiles.today)
    if !paths.isEmpty { StandardError.say("read \(paths.joined(separator: ", ")): \(rules.summary)", .debug) }
  }

  /// From what a run has kept of its rules.
  init(kept texts: [String]) {
    (rules, problems) = RuleReader.read(texts.map { ("the run's rules", Array($0.utf8)) }, today: RulesFiles.today)
  }

  /// Without what has merely expired.
  var errors: [RuleProblem] { problems.filter { !$0.isExpiry } }

  /// The rules, where nothing but expiry is wrong with them; that is said.
  func usable(quietly: Bool = false) throws -> RuleSet {
    guard errors.isEmpty else {
      throw CommandFailure(errors.map(\.description).joined(separator: "\numbra: "))
    }
    if !quietly { for problem in problems { problem.say(.warning) } }
    return rules
  }

  static var today: RuleDate {
    RuleDate("\(Timestamp(nanoseconds: wallNow()))".prefix(10)) ?? RuleDate("2000-01-01")!
  }

  /// A file's bytes, up to what a rules file may have and one more.
  static func bytes(of path: String, limit: Int = (16 << 20) + 1) throws -> [UInt8] {
    let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CommandFailure("can't read \(path): \(systemError()). Check the name.") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < limit {
      let count = read(descriptor, &piece, min(piece.count, limit - bytes.count))
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw CommandFailure("can't read \(path): \(systemError()).")
      }
      bytes += piece[..<count]
    }
    return bytes
  }
}

extension RuleProblem {
  /// Says it on standard error, with its place for a machine.
  func say(_ level: StandardError.Level) {
    StandardError.say(
      visibleLine(description), level,
      ["file": .text(place.file), "line": .number(place.line), "column": .number(place.column)])
  }
}
