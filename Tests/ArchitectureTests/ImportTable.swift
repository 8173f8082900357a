// The table of allowed imports, read from where people read it.

import Testing

/// The targets in the order of the table, each with the modules that it may import.
struct ImportTable {
  struct Row {
    var target: String
    var allowed: Set<String>
  }

  var rows: [Row]

  static let path = "Sources/UmbraCLI/UmbraCLI.docc/Architecture.md"

  /// Rows are `` | `Target` | its job | `Module`, `Module` | ``; several targets may share one.
  static func read() throws -> ImportTable {
    let text = try #require(SourceTree.text(path), "\(path) is missing")
    let rows = text.split(separator: "\n").flatMap { line -> [Row] in
      let cells = line.split(separator: "|")
      guard line.hasPrefix("| `"), cells.count == 3 else { return [] }
      let allowed = Set(names(in: cells[2]))
      return names(in: cells[0]).map { Row(target: $0, allowed: allowed) }
    }
    try #require(rows.count > 10, "\(path) holds no table of targets")
    return ImportTable(rows: rows)
  }

  func allows(_ target: String, toImport module: String) -> Bool {
    rows.contains { $0.target == target && $0.allowed.contains(module) }
  }

  /// What stands between backticks.
  private static func names(in cell: Substring) -> [String] {
    cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }
  }
}
