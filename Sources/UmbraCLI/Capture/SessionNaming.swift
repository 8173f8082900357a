// Names of a capture's files: one, or a row of them by time and number.

import ArgumentParser
import Glibc
import SessionFile

/// When a session file is closed and the next begun: `1GiB`, `1h`, or both as `1GiB,1h`, whichever comes first.
struct RotationRule: ExpressibleByArgument, Equatable {
  var bytes: UInt64?
  /// Nanoseconds.
  var interval: Int64?

  init?(argument: String) {
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      if let span = TimeSpan(argument: String(part)), span.nanoseconds >= 1_000_000_000, interval == nil {
        interval = span.nanoseconds
      } else if let size = ByteSize(argument: String(part)), size.bytes >= 1000, bytes == nil {
        bytes = UInt64(size.bytes)
      } else {
        return nil
      }
    }
    if bytes == nil, interval == nil { return nil }
  }
}

/// A file name in which strftime(3) conversions stand for the local time at which the file is begun.
struct SessionNamePattern {
  let pattern: String

  var hasTime: Bool { pattern.contains("%") }

  /// The name at a time.
  /// - Parameters:
  ///   - seconds: of the wall clock since the epoch.
  ///   - ordinal: from 1; above 1, and always without a time in the pattern, it stands before the extension.
  func name(seconds: Int64, ordinal: Int, isRow: Bool) -> String {
    let name = hasTime ? expanded(seconds) : pattern
    guard isRow, ordinal > 1 || !hasTime else { return name }
    let digits = String(ordinal)
    let number = hasTime ? digits : String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    return SessionNamePattern.inserting("-\(number)", into: name)
  }

  private func expanded(_ seconds: Int64) -> String {
    var time = time_t(seconds)
    var parts = tm()
    localtime_r(&time, &parts)
    // A name is 255 octets at most, a path 4,096: what is longer is refused when it is opened.
    var buffer = [CChar](repeating: 0, count: 8192)
    let length = strftime(&buffer, buffer.count, pattern, &parts)
    return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func inserting(_ text: String, into path: String) -> String {
    let nameStart = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    guard let dot = path[nameStart...].lastIndex(of: "."), dot != nameStart else { return path + text }
    return path[..<dot] + text + path[dot...]
  }

  /// Session files that this pattern may have named, the oldest first by their time of change: those of earlier runs
  /// count among those that are kept. A file of another kind is never among them.
  func existingFiles() -> [String] {
    let slash = pattern.lastIndex(of: "/")
    let folder = slash.map { String(pattern[..<$0]) } ?? "."
    let template = slash.map { String(pattern[pattern.index(after: $0)...]) } ?? pattern
    // A time in the folder's name: only this run's files are known.
    guard !folder.contains("%"), let directory = opendir(folder.isEmpty ? "/" : folder) else { return [] }
    defer { closedir(directory) }
    var found: [(path: String, changed: Int64)] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard matches(name, template) else { continue }
      let path = slash == nil ? name : "\(folder)/\(name)"
      var facts = stat()
      guard stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, isSession(path) else {
        continue
      }
      found.append((path, Int64(facts.st_mtim.tv_sec) * 1_000_000_000 + Int64(facts.st_mtim.tv_nsec)))
    }
    return found.sorted { ($0.changed, $0.path) < ($1.changed, $1.path) }.map(\.path)
  }

  /// Encrypted or not.
  private func isSession(_ path: String) -> Bool {
    do { _ = try SessionReader(path: path) } catch .encrypted { return true } catch { return false }
    return true
  }

  /// Whether a name is the template's with times put in, and perhaps a number before the extension.
  private func matches(_ name: String, _ template: String) -> Bool {
    var glob = ""
    var isConversion = false
    for character in template {
      if isConversion {
        glob += character == "%" ? "%" : "[0-9A-Za-z+-]*"
        isConversion = false
      } else if character == "%" {
        isConversion = true
      } else if "*?[\\".contains(character) {
        glob += "\\\(character)"
      } else {
        glob.append(character)
      }
    }
    return fnmatch(glob, name, FNM_PERIOD) == 0
      || fnmatch(SessionNamePattern.inserting("-[0-9]*", into: glob), name, FNM_PERIOD) == 0
  }
}
