// Replays what the fuzzer begins with, and every input that once failed: Corpus/TARGET.

import Glibc
import Testing

@Suite("Inputs of the fuzzer")
struct CorpusTests {
  @Test("Invariants hold on every seed", arguments: fuzzTargets.map { $0.name })
  func seeds(name: String) throws {
    let target = try #require(fuzzTargets.first { $0.name == name })
    let seeds = target.seeds
    #expect(!seeds.isEmpty)
    for seed in seeds { try target.run(seed) }
  }

  @Test("Invariants hold on every seed that is cut, or has a byte changed", arguments: fuzzTargets.map { $0.name })
  func damagedSeeds(name: String) throws {
    let target = try #require(fuzzTargets.first { $0.name == name })
    for seed in target.seeds {
      for place in stride(from: 0, to: seed.count, by: max(1, seed.count / 100)) {
        try target.run(Array(seed[..<place]))
        var changed = seed
        changed[place] = ~changed[place]
        try target.run(changed)
      }
    }
  }

  @Test("Inputs that once failed", arguments: fuzzTargets.map { $0.name })
  func corpus(name: String) throws {
    let target = try #require(fuzzTargets.first { $0.name == name })
    for path in files(in: folder(of: name)) {
      do { try target.run(contents(of: path)) } catch { Issue.record("\(path): \(error)") }
    }
  }

  private func folder(of name: String, file: String = #filePath) -> String {
    file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/Corpus/" + name
  }

  private func files(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var paths: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { paths.append("\(folder)/\(name)") }
    }
    return paths.sorted()
  }

  private func contents(of path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes.prefix(count))
  }
}
