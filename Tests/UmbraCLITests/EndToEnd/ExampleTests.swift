// Every example of the help texts and manual pages about files is run as it stands.

import Foundation
import Testing

@Suite struct ExampleTests {
  /// Commands whose examples need files and nothing else.
  static let commands = ["show", "stats", "convert", "merge", "split", "cut"]
  static let pages = ["umbra-filter.7", "umbra-formats.7"]

  /// A folder with the files that examples name.
  private func folder() throws -> Scratch {
    let scratch = try Scratch()
    let session = try ConvertTests.shop(in: scratch)
    for name in ["day.umbra", "web1.umbra", "web2.umbra"] {
      try FileManager.default.copyItem(atPath: session, toPath: scratch.path(name))
    }
    try FileManager.default.copyItem(
      atPath: try Sessions.capture(in: scratch), toPath: scratch.path("dump.pcapng"))
    try scratch.write("rules.yaml", "version: 1\nselect: [{ include: { method: GET } }]\n")
    for name in ["browser.har", "requests_0.gor", "requests_1.gor.gz"] {
      #expect(try UmbraProcess.run(["convert", session, scratch.path(name)]).status == 0)
    }
    try scratch.write("flows.mitm", Self.flow)
    return scratch
  }

  /// A mitmproxy flow with hardly anything in it.
  private static var flow: String {
    func netstring(_ payload: String, _ type: String) -> String { "\(payload.utf8.count):\(payload)\(type)" }
    func member(_ name: String, _ value: String) -> String { netstring(name, ";") + value }
    let request =
      member("method", netstring("GET", ",")) + member("path", netstring("/a", ","))
      + member("headers", netstring("", "]"))
    return netstring(member("request", netstring(request, "}")) + member("version", netstring("21", "#")), "}")
  }

  private func run(_ example: String, source: String) throws {
    let scratch = try folder()
    // What may be there already is what the example writes.
    let command = example.replacingOccurrences(of: " day.umbra", with: " new.umbra", options: .backwards)
    let isWriting =
      ["convert", "merge"].contains { example.hasPrefix("umbra \($0)") } && example.hasSuffix(" day.umbra")
    // The other side of a pipe is another program's.
    let line = (isWriting ? command : example).components(separatedBy: " | ")[0]
    let path =
      "\(UmbraProcess.binary.deletingLastPathComponent().path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
    let result = try Child("/bin/sh", ["-c", line], environment: ["PATH": path], folder: scratch.url).wait()
    let isNothing = ["none of", "holds no exchange"].contains { result.error.contains($0) }
    #expect(result.status == 0 || result.status == 2 && isNothing, "\(source): \(line): \(result.error)")
  }

  @Test("Help texts", arguments: commands)
  func help(_ command: String) throws {
    let help = try UmbraProcess.run(["help", command]).output
    let examples = help.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { $0.hasPrefix("umbra \(command) ") && !$0.contains("<") && !$0.contains("[") }
    #expect(!examples.isEmpty, "\(help)")
    for example in examples { try run(example, source: "umbra help \(command)") }
  }

  @Test("Manual pages", arguments: pages)
  func manual(_ page: String) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("man/\(page)"), encoding: .utf8)
    let examples = text.split(separator: "\n").filter { $0.hasPrefix(".Dl umbra ") }.map { String($0.dropFirst(4)) }
    #expect(!examples.isEmpty)
    for example in examples { try run(example, source: page) }
  }
}
