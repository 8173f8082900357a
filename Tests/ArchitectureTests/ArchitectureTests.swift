// Holds the sources to what Architecture.md says of them, and to the rules of the house that a compiler does not know.

import Testing

@Suite("Architecture")
struct ArchitectureTests {
  @Test("Every target is in the table, and every row has its folder")
  func tableIsComplete() throws {
    let folders = Set(SourceTree.entries(of: "Sources").filter { $0.hasSuffix("/") }.map { String($0.dropLast()) })
    #expect(folders == Set(try ImportTable.read().rows.map(\.target)))
  }

  @Test("A target imports what its row allows and nothing else")
  func imports() throws {
    let table = try ImportTable.read()
    for file in SourceTree.sources {
      for (number, module) in file.imports {
        #expect(
          table.allows(file.target, toImport: module),
          "\(file.path):\(number) imports \(module), which the table in Architecture.md does not allow")
      }
    }
  }

  @Test("What a row allows is used somewhere")
  func noRowAllowsTooMuch() throws {
    for row in try ImportTable.read().rows {
      let used = Set(SourceTree.sources.filter { $0.target == row.target }.flatMap { $0.imports.map(\.module) })
      #expect(row.allowed.subtracting(used) == [], "\(row.target) does not import all that its row allows")
    }
  }

  @Test("A target imports targets of the house only from rows above its own")
  func noCycles() throws {
    let rows = try ImportTable.read().rows
    let targets = Set(rows.map(\.target))
    var above: Set<String> = []
    for row in rows {
      #expect(row.allowed.intersection(targets).subtracting(above) == [], "\(row.target) stands above what it imports")
      above.insert(row.target)
    }
  }

  /// The cores take memory and mathematics from the C library, and nothing that asks the system.
  @Test("Only the shells call the system")
  func coresAreWithoutIO() throws {
    let calls: Set<Substring> = [
      "open", "fopen", "read", "pread", "write", "pwrite", "close", "stat", "fstat", "mmap", "socket", "connect",
      "send", "recv", "poll", "time", "clock_gettime", "gettimeofday", "localtime", "getenv", "setenv", "sleep",
      "usleep", "nanosleep", "pthread_create", "pthread_mutex_lock", "fputs", "puts", "printf", "fprintf", "exit",
      "abort", "random", "rand", "getpid", "ioctl", "signal",
    ]
    for file in SourceTree.sources where !shells.contains(file.target) {
      guard file.imports.contains(where: { $0.module == "Glibc" }) else { continue }
      for (number, text) in file.code {
        let found = calls.intersection(calledNames(in: text))
        #expect(found.isEmpty, "\(file.path):\(number) calls \(found.sorted())")
      }
    }
  }

  @Test("Libraries print nothing")
  func noPrinting() {
    let faces: Set = ["UmbraCLI", "umbra"]
    for file in SourceTree.sources where !faces.contains(file.target) {
      for (number, text) in file.code {
        let found = Set(calledNames(in: text)).intersection(["print", "debugPrint", "dump", "puts", "printf"])
        #expect(found.isEmpty, "\(file.path):\(number) calls \(found.sorted())")
      }
    }
  }

  @Test("Files are named by what they hold")
  func names() {
    for file in SourceTree.sources + SourceTree.tests {
      for word in ["Util", "Helper", "Common", "Manager", "Misc"] {
        #expect(!file.path.contains(word), "\(file.path): no '\(word)'")
      }
    }
  }

  @Test("No file is longer than 400 lines")
  func lengths() {
    for file in SourceTree.sources + SourceTree.tests where !file.isGenerated {
      // A last empty piece is the end of the last line.
      let count = file.lines.count - (file.lines.last == "" ? 1 : 0)
      #expect(count <= 400, "\(file.path) has \(count) lines: split it by idea")
    }
  }

  @Test("Every @unchecked Sendable comes with its reason")
  func uncheckedSendable() {
    for file in SourceTree.sources {
      for (number, text) in file.code where text.contains("@unchecked Sendable") {
        let comment = file.lines[..<(number - 1)].reversed().map { $0.trimmingPrefix { $0 == " " } }
          .drop { $0.hasPrefix("@") }.prefix { $0.hasPrefix("///") }
        #expect(
          comment.contains { $0.contains("`@unchecked Sendable`: ") },
          "\(file.path):\(number): the doc comment says '`@unchecked Sendable`: ' and why it holds")
      }
    }
  }

  @Test("Nothing is left for later, and no test stands on XCTest")
  func nothingUnfinished() {
    for file in SourceTree.sources + SourceTree.tests where file.target != "ArchitectureTests" {
      for (index, line) in file.lines.enumerated() {
        let isOpen = ["TODO", "FIXME", "XXX:"].contains { line.contains($0) }
        #expect(!isOpen, "\(file.path):\(index + 1)")
      }
      #expect(!file.imports.contains { $0.module == "XCTest" }, "\(file.path)")
    }
  }

  /// What make, git and editors leave behind is not looked at.
  @Test("The top folder holds what it has to")
  func topFolder() {
    let expected: Set = [
      ".ci", ".gitignore", ".swift-format", "CHANGELOG.md", "LICENSE", "Makefile", "Package.swift", "README.md",
      "Sources", "Tests", "fixtures", "man",
    ]
    let leftBehind: Set = ["Package.resolved", "umbra-demo"]
    let names = SourceTree.entries(of: ".").map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    let found = names.filter { name in
      !leftBehind.contains(name) && !name.hasSuffix(".umbra") && !name.hasSuffix(".umbra-run")
        && (!name.hasPrefix(".") || expected.contains(name))
    }
    #expect(Set(found) == expected)
  }

  private let shells: Set = ["PcapCapture", "SessionFile", "ReplayClient", "Telemetry", "UmbraCLI", "umbra"]

  /// Names before an opening parenthesis that are no member's and no declaration's.
  private func calledNames(in text: Substring) -> [Substring] {
    text.indices.filter { text[$0] == "(" }.compactMap { parenthesis in
      let before = text[..<parenthesis]
      let name = before.suffix(while: { $0.isLetter || $0.isNumber || $0 == "_" })
      let rest = before.dropLast(name.count)
      return name.isEmpty || rest.hasSuffix(".") || rest.hasSuffix("func ") ? nil : name
    }
  }
}

extension Substring {
  fileprivate func suffix(while isWanted: (Character) -> Bool) -> Substring {
    var start = endIndex
    while start > startIndex, isWanted(self[index(before: start)]) { start = index(before: start) }
    return self[start...]
  }
}
