// --max-exchanges: so many, and no more.

import Foundation
import Testing

@Suite struct CaptureLimitTests {
  /// Several requests in one packet, and their answers in one; the last request is never answered.
  private func pipelined(in scratch: Scratch) throws -> String {
    var conversation = Packets()
    for packet in 0..<4 {
      conversation.fromClient((0..<5).map { "GET /\(packet * 5 + $0) HTTP/1.1\r\nHost: shop\r\n\r\n" }.joined())
      conversation.fromServer(String(repeating: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", count: 5))
    }
    conversation.fromClient("GET /open HTTP/1.1\r\nHost: shop\r\n\r\n")
    return try Sessions.write(conversation, in: scratch)
  }

  @Test(arguments: [(1, 1), (7, 7), (20, 20), (21, 21), (50, 21)])
  func asManyAsAskedForAreWritten(_ limit: Int, _ expected: Int) throws {
    let scratch = try Scratch()
    let session = scratch.path("s.umbra")
    let captured = try UmbraProcess.run([
      "capture", "-r", try pipelined(in: scratch), "-w", session, "--max-exchanges", "\(limit)",
    ])
    #expect(captured.status == 0)
    #expect(captured.error.contains("umbra: \(expected) exchange"), "\(captured.error)")
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl"])
    #expect(shown.output.split(separator: "\n").count == expected)
    let statistics = try UmbraProcess.run(["stats", session]).output
    // What was open when there were enough is nobody's loss.
    #expect(statistics.contains("complete: 100%") == (limit <= 20), "\(statistics)")
  }

  @Test(arguments: ["--max-exchanges", "--duration", "--max-size"])
  func noneIsNoLimit(_ flag: String) throws {
    let refused = try UmbraProcess.run(["capture", "-i", "lo", flag, flag == "--duration" ? "0s" : "0"])
    #expect(refused.status == 64 && refused.error.contains("\(flag) 0 would capture nothing"), "\(refused.error)")
  }

  @Test(
    .enabled(if: program("nginx") != nil && program("wrk") != nil, "nginx and wrk are not installed"),
    .enabled(if: geteuid() == 0, "live capture is for root"))
  func aBusyServerBringsNoMore() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let session = scratch.path("s.umbra")
    let capturing = try Child(
      UmbraProcess.binary.path,
      [
        "capture", "-i", "lo", "-p", "\(primary.port)", "-w", session, "--max-exchanges", "500", "--fanout", "2",
        "--progress", "plain",
      ])
    try #require(eventually { capturing.standardError.contains("capturing on") })
    _ = try Child(
      try #require(program("wrk")), ["-t1", "-c32", "-d1s", "http://127.0.0.1:\(primary.port)/items/1"]
    ).wait()
    let result = capturing.wait()
    #expect(result.status == 0 && result.error.contains("umbra: 500 exchanges from"), "\(result.error)")
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl"])
    #expect(shown.output.split(separator: "\n").count == 500)
  }
}
