// Endpoints that rules name: in explanations, statistics, replays and reports.

import Foundation
import Testing

@Suite struct EndpointRuleTests {
  private let rules = """
    version: 1
    endpoints:
      - GET /shop/{customer}/cart
      - /static/**

    """
  private let paths = ["/shop/ann/cart", "/shop/bob/cart", "/static/a/b.css", "/static/c.js", "/plain"]

  private func session(in scratch: Scratch, paths: [String]? = nil) throws -> String {
    var conversation = Packets()
    for path in paths ?? self.paths {
      conversation.fromClient("GET \(path) HTTP/1.1\r\nHost: shop\r\n\r\n")
      conversation.fromServer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    }
    let session = scratch.path("s.umbra")
    let made = try UmbraProcess.run(["capture", "-r", try Sessions.write(conversation, in: scratch), "-w", session])
    #expect(made.status == 0, "\(made.error)")
    return session
  }

  private func endpoints(_ json: String) throws -> Set<String> {
    let object = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    return Set((object["endpoints"] as? [[String: Any]] ?? []).compactMap { $0["endpoint"] as? String })
  }

  private let named: Set = ["GET /shop/{customer}/cart", "GET /static/**", "GET /plain"]

  @Test func checkAndExplain() throws {
    let scratch = try Scratch()
    let file = try scratch.write("r.yaml", rules)
    #expect(try UmbraProcess.run(["rules", "check", file]).output.contains("2 endpoints"))
    let explained = try UmbraProcess.run(["rules", "explain", file, "--request", "GET /shop/ann/cart?x=1"])
    #expect(
      explained.output.contains("endpoint: GET /shop/{customer}/cart, named at \(file):3:5"), "\(explained.output)")
    let other = try UmbraProcess.run(["rules", "explain", file, "--request", "POST /shop/ann/cart"])
    #expect(other.output.contains("endpoint: POST /shop/ann/cart, no rule names it"), "\(other.output)")
    let bad = try scratch.write("bad.yaml", "version: 1\nendpoints: [shop, /a/**/b, GET POST /x]\n")
    let wrong = try UmbraProcess.run(["rules", "check", bad])
    #expect(wrong.status == 2)
    for column in [13, 19, 28] { #expect(wrong.error.contains("\(bad):2:\(column): "), "\(wrong.error)") }
  }

  /// What the traffic shows to be values, in a plan from its first request on.
  @Test func aPlanNamesEndpointsAsStatisticsDo() throws {
    let scratch = try Scratch()
    let letters = Array("abcdefgh")
    let session = try session(in: scratch, paths: (0..<64).map { "/users/\(letters[$0 / 8])\(letters[$0 % 8])/posts" })
    let planned = try UmbraProcess.run(["replay", session, "--target", "http://127.0.0.1:9", "--dry-run"])
    #expect(planned.output.contains("GET /users/{name}/posts"), "\(planned.output)\(planned.error)")
    #expect(!planned.output.contains("/users/ab"))
    #expect(
      try endpoints(UmbraProcess.run(["stats", session, "--format", "json"]).output) == ["GET /users/{name}/posts"])
  }

  @Test func statistics() throws {
    let scratch = try Scratch()
    let file = try scratch.write("r.yaml", rules)
    let stats = try UmbraProcess.run(["stats", try session(in: scratch), "--format", "json", "--rules", file])
    #expect(try endpoints(stats.output) == named, "\(stats.output)\(stats.error)")
  }

  @Test(.enabled(if: program("python3") != nil, "python3 is not installed"))
  func replayAndReport() throws {
    let scratch = try Scratch()
    let file = try scratch.write("r.yaml", rules)
    let server = try ListeningServer(in: scratch)
    let (session, run) = (try session(in: scratch), scratch.path("r.umbra-run"))
    let replay = ["replay", session, "--target", server.url, "--speed", "max", "--rules", file]
    let planned = try UmbraProcess.run(replay + ["--dry-run"])
    for name in named { #expect(planned.output.contains(name), "\(planned.output)") }
    let result = try UmbraProcess.run(replay + ["-o", run, "--report", scratch.path("r.json")])
    #expect([0, 1, 3].contains(result.status), "\(result.error)")
    #expect(try endpoints(String(contentsOfFile: scratch.path("r.json"), encoding: .utf8)) == named)
    // A run keeps them, and others may take their place.
    #expect(try endpoints(UmbraProcess.run(["report", run, "--format", "json"]).output) == named)
    #expect(
      try endpoints(UmbraProcess.run(["report", run, "--format", "json", "--rules", "none"]).output).count == 5)
    let other = try scratch.write("other.yaml", "version: 1\nendpoints: [/**]\n")
    #expect(
      try endpoints(UmbraProcess.run(["report", run, "--format", "json", "--rules", other]).output) == ["GET /**"])
  }
}
