// Where the shared corpus is, if it is: UMBRA_CORPUS, else beside the package.

import Glibc
import Testing

enum Corpus {
  /// The corpus' JSON folder; nil where there is none.
  static let json = folder("json")

  /// Its protobuf folder.
  static let protobuf = folder("protobuf")

  private static func folder(_ name: String) -> String? {
    let candidates: [String]
    if let named = getenv("UMBRA_CORPUS") {
      candidates = [String(cString: named)]
    } else {
      // A source file's path may lead through a symbolic link, so look beside every folder above it.
      let real = realpath(#filePath, nil).map { path in
        defer { free(path) }
        return String(cString: path)
      }
      candidates = [#filePath, real ?? #filePath].flatMap { path in
        let parts = path.split(separator: "/")
        return parts.indices.reversed().map { "/" + parts[..<$0].joined(separator: "/") + "/../shared/corpus" }
      }
    }
    return candidates.map { "\($0)/\(name)" }.first { access($0, R_OK) == 0 }
  }

  static var isPresent: Bool { json != nil }

  static let note: Comment = "the shared corpus is not here; set UMBRA_CORPUS"

  static func files(in folder: String) -> [String] {
    guard let json, let directory = opendir("\(json)/\(folder)") else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".json") { names.append(name) }
    }
    return names.sorted()
  }

  static func bytes(_ path: String) -> [UInt8] {
    guard let json, let file = fopen("\(json)/\(path)", "rb") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }
}
