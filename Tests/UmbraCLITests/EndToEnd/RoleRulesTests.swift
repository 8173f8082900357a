// Rules in a replay with a live primary and a control: each part of them on all sides.

import Foundation
import Testing

@Suite(.enabled(if: program("python3") != nil, "python3 is not installed"))
struct RoleRulesTests {
  private func session(_ targets: [String], in scratch: Scratch) throws -> String {
    var conversation = Packets()
    for target in targets {
      conversation.fromClient(
        "GET \(target) HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer s3cr3t-of-ann-0123456789\r\n\r\n")
      conversation.fromServer(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"now\":1,\"id\":7}")
    }
    let path = scratch.path("s.umbra")
    let made = try UmbraProcess.run(["capture", "-r", try Sessions.write(conversation, in: scratch), "-w", path])
    #expect(made.status == 0, "\(made.error)")
    return path
  }

  @Test func rulesHoldOnAllSides() throws {
    let scratch = try Scratch()
    let servers = try (0..<3).map { _ in try ListeningServer(in: scratch) }
    let targets = (0..<12).map { "/api/\($0)" } + ["/skip/1", "/limited", "/limited", "/limited", "/limited", "/echo"]
    let session = try session(targets, in: scratch)
    let rules = try scratch.write(
      "r.yaml",
      """
      version: 1
      select: [{ exclude: { path: /skip/* } }]
      redact: { json: [/id], headers: [X-Back] }
      rewrite: { match: { path: /api/* }, path: [{ match: ^/api/(.*), replace: /v2/$1 }] }
      routes: [{ match: { path: /limited }, concurrency: 1 }, { match: { path: /** }, timeout: 5s }]
      compare: { ignore: [{ at: body:/now, as: number, reason: clock }, { at: 'header:X-Back' }, { at: 'header:Date' }] }
      endpoints: ["/api/**"]
      """)
    let credentials = try scratch.write("live.yaml", "- headers: { Authorization: Bearer l1ve-0123456789abcdef }\n")
    chmod(credentials, 0o600)
    let (run, report) = (scratch.path("r.umbra-run"), scratch.path("r.json"))
    let result = try UmbraProcess.run(
      [
        "replay", session, "--target", servers[0].url, "--primary", servers[1].url, "--control", servers[2].url,
        "--speed", "max", "--connections", "8", "--rules", rules, "--inject", credentials, "-o", run, "--report",
        // Of three servers one may be slower on a busy machine, which would count as a regression.
        report, "--gate", "diff.rate == 0",
      ])
    #expect([0, 3].contains(result.status), "\(result.output)\(result.error)")

    // select: nobody is asked. rewrite: the shadow alone. inject: everybody. routes: on each side by itself.
    let heard = servers.map { $0.heard() }
    for (index, requests) in heard.enumerated() {
      #expect(requests.count == 17, "\(index): \(requests.map(\.target))")
      #expect(!requests.contains { $0.target.hasPrefix("/skip") })
      #expect(requests.count { $0.target.hasPrefix(index == 0 ? "/v2/" : "/api/") } == 12)
      #expect(requests.allSatisfy { $0.field("Authorization") == "Bearer l1ve-0123456789abcdef" })
      #expect(requests.filter { $0.target == "/limited" }.allSatisfy { $0.inFlight == 1 })
    }

    // compare, endpoints: in the report of the run, and in one made afterwards.
    let told = try String(contentsOfFile: report, encoding: .utf8)
    let again = try UmbraProcess.run(["report", run, "--format", "json"])
    for text in [told, again.output] {
      let object = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      let names = (object["endpoints"] as? [[String: Any]] ?? []).compactMap { $0["endpoint"] as? String }
      #expect(Set(names) == ["GET /api/**", "GET /limited", "GET /echo"], "\(names)")
      let places = (object["clusters"] as? [[String: Any]] ?? []).compactMap { $0["location"] as? String }
      #expect(!places.contains("body:/now") && !places.contains("body:/id") && !places.contains("header:X-Back"))
      #expect((object["totals"] as? [String: Any])?["compared"] as? Int == 17, "\(text.prefix(500))")
    }

    // redact: in the answers of all three.
    let shown = try UmbraProcess.run(["show", run, "--format", "jsonl", "--body", "inline"]).output
    #expect(!shown.contains("l1ve") && !shown.contains("s3cr3t"), "\(shown.prefix(2000))")
    let clean = try UmbraProcess.run(["scan", run, "--rules", rules])
    #expect(clean.status == 0, "\(clean.output)")
    for file in [run, report] {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      #expect(bytes.range(of: Data("l1ve".utf8)) == nil && bytes.range(of: Data("s3cr3t".utf8)) == nil)
    }
  }
}
