// The examples that stand beside the manual: what they name exists, and the system's own tools find nothing wrong.

import Foundation
import Telemetry
import Testing

@Suite("Examples for running it")
struct ExampleTests {
  private var folder: URL {
    URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("man/examples")
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }

  @Test("Every metric and label that the dashboard names exists")
  func dashboard() throws {
    let document = try #require(
      JSONSerialization.jsonObject(with: Data(text("grafana-dashboard.json").utf8)) as? [String: Any])
    let panels = try #require(document["panels"] as? [[String: Any]])
    let expressions = panels.flatMap { $0["targets"] as? [[String: Any]] ?? [] }.compactMap { $0["expr"] as? String }
    #expect(expressions.count > 20)
    var known: Set<String> = []
    for descriptor in MetricDescriptor.catalogue {
      known.insert(descriptor.name)
      if descriptor.kind == .histogram {
        known.formUnion(["_bucket", "_sum", "_count"].map { descriptor.name + $0 })
      }
    }
    let labels = Set(MetricDescriptor.catalogue.flatMap(\.labels)).union(["le", "instance"])
    for expression in expressions {
      let names = expression.matches(of: /\b(umbra|process)_[a-z_]+/).map { String($0.output.0) }
      #expect(!names.isEmpty, "\(expression)")
      for name in names { #expect(known.contains(name), "\(name) in \(expression)") }
      for match in expression.matches(of: /([a-z_]+)(=~|!=|=)"/) {
        #expect(labels.contains(String(match.output.1)), "\(match.output.1) in \(expression)")
      }
    }
  }

  @Test(
    "systemd finds nothing wrong with the units", .enabled(if: SystemdAnalyze.isThere, "systemd-analyze is missing"),
    arguments: ["umbra-capture.service", "umbra-mirror.service"])
  func units(name: String) throws {
    // The unit's program need not be installed here, and its manual page neither.
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("umbra-unit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let unit = scratch.appendingPathComponent(name)
    try text(name).replacing("/usr/bin/umbra", with: "/bin/true").write(to: unit, atomically: true, encoding: .utf8)
    let verified = try SystemdAnalyze.run(["verify", "--man=no", unit.path])
    let complaints = verified.text.split(separator: "\n").filter { $0.contains(name) }
    #expect(complaints.isEmpty, "\(verified.text)")
    let security = try SystemdAnalyze.run(["security", "--offline=true", "--threshold=25", unit.path])
    #expect(security.status == 0, "\(security.text)")
  }

  @Test(
    "Containers have no right but that of reading packets",
    arguments: [
      "kubernetes-sidecar.yaml", "kubernetes-daemonset.yaml", "kubernetes-replay-job.yaml",
    ])
  func containers(name: String) throws {
    let yaml = try text(name)
    for line in ["runAsNonRoot: true", "readOnlyRootFilesystem: true", "drop: [ALL]", "type: RuntimeDefault"] {
      #expect(yaml.contains(line), "\(line)")
    }
    #expect(!yaml.contains("privileged: true") && !yaml.contains("\t"))
  }
}

private enum SystemdAnalyze {
  static let path = ["/usr/bin/systemd-analyze", "/bin/systemd-analyze"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }
  static var isThere: Bool { path != nil }

  static func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path!)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: said, as: UTF8.self))
  }
}
