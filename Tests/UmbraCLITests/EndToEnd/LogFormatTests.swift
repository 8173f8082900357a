// --log-format, -v and -q in every command: standard error for a person and for a machine.

import Foundation
import Testing

@Suite struct LogFormatTests {
  private func lines(_ result: UmbraProcess.Result) throws -> [[String: Any]] {
    try result.error.split(separator: "\n").map { line in
      let object = try #require(
        try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
      let time = try #require(object["time"] as? String)
      #expect(time.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/#) != nil, "\(time)")
      let level = try #require(object["level"] as? String)
      #expect(["debug", "info", "warning", "error"].contains(level))
      let message = try #require(object["message"] as? String)
      #expect(!message.isEmpty && !message.hasPrefix("umbra:") && !message.hasSuffix("\n"))
      return object
    }
  }

  /// All of them, each with something that it can't do or is not asked.
  private static let failing: [(command: [String], status: Int)] = [
    (["capture", "-r", "NONE"], 2), (["capture"], 64), (["replay", "NONE", "--target", "http://127.0.0.1:1"], 2),
    (["mirror", "-r", "NONE", "--target", "http://127.0.0.1:1"], 64), (["report", "NONE"], 2), (["show", "NONE"], 2),
    (["stats", "NONE"], 2), (["convert", "NONE", "x.har"], 2), (["merge", "NONE", "x.umbra"], 2),
    (["split", "NONE", "--by", "endpoint"], 2), (["cut", "NONE", "x.umbra", "--where", "status=200"], 2),
    (["rules", "check", "NONE"], 2),
    (["rules", "explain", "NONE", "--request", "GET /"], 2), (["scan", "NONE"], 2), (["interfaces", "--nope"], 64),
    (["doctor", "--nope"], 64), (["demo", "--nope"], 64), (["manual", "--directory", "NONE"], 2), (["nope"], 64),
  ]

  @Test(arguments: failing.indices)
  func everyCommandFailsInOneLine(index: Int) throws {
    let scratch = try Scratch()
    let (command, status) = Self.failing[index]
    let words = command.map { $0 == "NONE" ? scratch.path("none") : $0 }
    for flags in [["--log-format", "json"], ["--log-format=json"]] {
      let result = try UmbraProcess.run(words + flags)
      let said = try lines(result)
      #expect(Int(result.status) == status && said.count == 1, "\(words): \(result.error)")
      #expect(said.last?["exit_status"] as? Int == status && said.last?["level"] as? String == "error")
    }
    let text = try UmbraProcess.run(words)
    #expect(Int(text.status) == status && !text.error.hasPrefix("{"))
  }

  @Test func whatIsSaidOnTheWayIsLinesToo() throws {
    let scratch = try Scratch()
    let session = scratch.path("s.umbra")
    let capture = ["capture", "-r", try Sessions.capture(in: scratch), "-w", session, "--overwrite"]
    let said = try lines(UmbraProcess.run(capture + ["--log-format", "json"]))
    #expect(said.allSatisfy { $0["level"] as? String == "info" })
    #expect(said.contains { ($0["message"] as? String)?.hasPrefix("2 exchanges from ") == true })
    #expect(said.contains { ($0["message"] as? String)?.hasPrefix("wrote \(session)") == true })
    // More, and nothing.
    let more = try lines(UmbraProcess.run(capture + ["--log-format", "json", "-v"]))
    #expect(more.count > said.count && more.contains { $0["level"] as? String == "debug" })
    #expect(try UmbraProcess.run(capture + ["-v"]).error.contains("umbra: "))
    for command in [
      capture, ["convert", session, scratch.path("x.har"), "--overwrite"],
      ["cut", session, scratch.path("c.umbra"), "--overwrite", "--where", "status=200"], ["scan", session],
      ["stats", session],
      ["show", session], ["merge", session, scratch.path("m.umbra"), "--overwrite"],
    ] {
      let quiet = try UmbraProcess.run(command + ["-q"])
      #expect(quiet.status == 0 && quiet.error == "", "\(command): \(quiet.error)")
      let verbose = try UmbraProcess.run(command + ["-v", "--log-format", "json"])
      #expect(try verbose.status == 0 && lines(verbose).contains { $0["level"] as? String == "debug" }, "\(command)")
      let both = try UmbraProcess.run(command + ["-v", "-q"])
      #expect(both.status == 64, "\(command)")
    }
  }

  @Test func problemsOfRulesHaveTheirPlaces() throws {
    let scratch = try Scratch()
    let rules = try scratch.write("r.yaml", "version: 1\nselct: []\nsample: { share: 200% }\n")
    let session = try Sessions.small(in: scratch)
    let checked = try UmbraProcess.run(["rules", "check", rules, "--log-format", "json"])
    let found = try lines(checked)
    #expect(checked.status == 2 && found.map { $0["line"] as? Int } == [2, 3])
    #expect(found[0]["file"] as? String == rules && found[0]["column"] as? Int == 1)
    let refused = try lines(
      UmbraProcess.run(["convert", session, scratch.path("x.umbra"), "--rules", rules, "--log-format", "json"]))
    #expect(refused.count == 2 && refused.allSatisfy { $0["exit_status"] as? Int == 2 })
    // What has only expired is a warning, and said though all else is not.
    let old = try scratch.write(
      "old.yaml", "version: 1\ncompare: { ignore: [{ at: status, owner: ann, expires: 2020-01-01 }] }\n")
    let explained = try UmbraProcess.run(["rules", "explain", old, "--request", "GET /", "--log-format", "json", "-q"])
    #expect(try explained.status == 0 && lines(explained).map { $0["level"] as? String } == ["warning"])
  }

  @Test(.enabled(if: program("python3") != nil, "python3 is not installed"))
  func aVerdictIsALine() throws {
    let scratch = try Scratch()
    let server = try ListeningServer(in: scratch)
    let result = try UmbraProcess.run(
      [
        "replay", try Sessions.small(in: scratch), "--target", server.url, "--speed", "max", "--log-format", "json",
        "--gate", "error.rate < 1%",
      ])
    let last = try #require(lines(result).last)
    #expect(result.status != 0 && last["exit_status"] as? Int == Int(result.status), "\(result.error)")
    #expect(result.output.contains("GET /one"))
  }
}
