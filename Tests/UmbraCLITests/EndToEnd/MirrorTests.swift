// A mirror between a real primary and shadows that behave, lie, hang, die and come back.

import Foundation
import Testing

@Suite(
  .serialized, .enabled(if: program("nginx") != nil, "nginx is not installed"),
  .enabled(if: program("curl") != nil, "curl is not installed"),
  .enabled(if: geteuid() == 0, "live capture is for root"))
struct MirrorTests {
  private func mirror(_ primary: Int, _ arguments: [String], ports: String? = nil) throws -> Child {
    let child = try Child(
      UmbraProcess.binary.path,
      ["mirror", "-i", "lo", "-p", ports ?? "\(primary)", "--progress", "plain", "--user", "root"] + arguments)
    try #require(eventually { child.standardError.contains("capturing on") }, "\(child.standardError)")
    return child
  }

  /// Answers that production gave.
  private func ask(_ port: Int, _ count: Int) throws {
    let targets = (1...count).map { "http://127.0.0.1:\(port)/\($0)" }
    let result = try Child(try #require(program("curl")), ["-s", "-S", "--max-time", "10"] + targets).wait()
    #expect(result.status == 0, "\(result.error)")
  }

  private func end(_ child: Child) -> UmbraProcess.Result {
    usleep(300_000)
    child.interrupt()
    return child.wait()
  }

  private func report(_ path: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
  }

  private func exchanges(_ session: String) throws -> Int {
    try UmbraProcess.run(["show", session, "--format", "jsonl"]).output.split(separator: "\n").count
  }

  @Test func equalAnswersPass() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 '{\"a\":1}'; }")
    let shadow = try Nginx(locations: "location / { return 200 '{\"a\":1}'; }")
    let child = try mirror(
      primary.port,
      [
        "--target", "http://127.0.0.1:\(shadow.port)", "--report", scratch.path("r.json"), "-w",
        scratch.path("s.umbra"),
      ])
    try ask(primary.port, 25)
    let result = end(child)
    #expect(result.status == 0, "\(result.error)\(result.output)")
    let totals = try #require(report(scratch.path("r.json"))["totals"] as? [String: Any])
    #expect(totals["compared"] as? Int == 25, "\(totals)")
    #expect(try exchanges(scratch.path("s.umbra")) == 25)
  }

  @Test func differencesAreFoundAndFail() throws {
    let primary = try Nginx(locations: "location / { return 200 '{\"a\":1}'; }")
    let shadow = try Nginx(locations: "location / { return 200 '{\"a\":2}'; }")
    let child = try mirror(primary.port, ["--target", "http://127.0.0.1:\(shadow.port)"])
    try ask(primary.port, 25)
    let result = end(child)
    #expect(result.status == 1, "\(result.error)")
    #expect(result.output.contains("/a"), "\(result.output)")
  }

  /// The loopback shows the mirrored requests as well: with the marker, and to the shadow itself.
  @Test func mirroredRequestsAreNotMirroredAgain() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let shadow = try Nginx(locations: "location / { return 200 'x'; }")
    let ports = "\(primary.port),\(shadow.port)"
    let child = try mirror(
      primary.port, ["--target", "http://127.0.0.1:\(shadow.port)", "--report", scratch.path("r.json")], ports: ports)
    try ask(primary.port, 10)
    try ask(shadow.port, 3)
    let result = end(child)
    let totals = try #require(report(scratch.path("r.json"))["totals"] as? [String: Any])
    #expect(totals["compared"] as? Int == 10, "\(totals)")
    #expect(result.output.contains("10 requests carried the marker"), "\(result.output)")
    #expect(result.output.contains("what the mirrored service answered at the same time"), "\(result.output)")
    #expect(result.output.contains("3 requests went to a target itself"), "\(result.output)")
  }

  @Test(.enabled(if: program("python3") != nil, "python3 is not installed"))
  func aRequestIsSentBeforeItsAnswerComes() throws {
    let scratch = try Scratch()
    let primary = try WaitingServer(in: scratch)
    let shadow = try Nginx(locations: "location / { access_log \(scratch.path("seen")); return 200 'late'; }")
    let child = try mirror(
      primary.port, ["--target", "http://127.0.0.1:\(shadow.port)", "--report", scratch.path("r.json")])
    let asking = try Child(
      try #require(program("curl")), ["-s", "--max-time", "30", "http://127.0.0.1:\(primary.port)/early"])
    let seen = eventually {
      ((try? String(contentsOfFile: scratch.path("seen"), encoding: .utf8)) ?? "").contains("GET /early")
    }
    #expect(seen)
    #expect(asking.isRunning)
    primary.letGo()
    #expect(asking.wait().output == "late")
    _ = end(child)
    let totals = try #require(report(scratch.path("r.json"))["totals"] as? [String: Any])
    #expect(totals["compared"] as? Int == 1, "\(totals)")
  }

  /// As in a replay: live credentials reach the shadow, in the places of those that production got, and no file.
  @Test(.enabled(if: program("python3") != nil, "python3 is not installed"), arguments: [[], ["--keep-credentials"]])
  func credentialsArePutIn(more: [String]) throws {
    let scratch = try Scratch()
    let (primary, shadow) = (try ListeningServer(in: scratch), try ListeningServer(in: scratch))
    let inject = try scratch.write(
      "live.yaml", "- headers: { Authorization: Bearer l1ve-0123456789abcdef }\n  query: { api_key: l1ve%key=7777 }\n")
    let arguments =
      [
        "--target", shadow.url, "--inject", inject, "--report", scratch.path("r.json"), "-w", scratch.path("s.umbra"),
        "--access-log", scratch.path("access.log"),
      ] + more
    let open = try UmbraProcess.run(["mirror", "-i", "lo", "-p", "\(primary.port)"] + arguments)
    #expect(open.status == 2 && open.error.contains("everyone on this machine can read"), "\(open.error)")
    chmod(inject, 0o600)
    // The shadow's port too: what is sent there is seen, and not written either.
    let child = try mirror(primary.port, arguments, ports: "\(primary.port),\(shadow.port)")
    for (target, field) in [("/echo?api_key=mine", "Authorization: Bearer production-token"), ("/anonymous", "X-A: b")]
    {
      let asked = try Child(
        try #require(program("curl")), ["-s", "-H", field, "http://127.0.0.1:\(primary.port)\(target)"]
      ).wait()
      #expect(asked.status == 0)
    }
    #expect(eventually { shadow.heard().count == 2 })
    let result = end(child)
    // Each goes out on a connection of its own, which may be there before the other one's.
    let (heard, asked) = (shadow.heard().sorted { $0.target > $1.target }, primary.heard())
    try #require(heard.count == 2 && asked.count == 2, "\(result.error)")
    #expect(heard[0].field("Authorization") == "Bearer l1ve-0123456789abcdef")
    #expect(heard[0].target == "/echo?api_key=l1ve%25key%3D7777")
    #expect(heard[1].field("Authorization") == nil && heard[1].target == "/anonymous")
    #expect(asked[0].field("Authorization") == "Bearer production-token")
    #expect(result.output.contains("1 request carried live credentials"), "\(result.output)")
    let shown = try UmbraProcess.run(["show", scratch.path("s.umbra"), "--format", "jsonl", "--body", "inline"]).output
    #expect(shown.contains("/echo") && !shown.contains("l1ve"))
    for file in ["r.json", "s.umbra", "access.log"] {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.path(file)))
      #expect(bytes.range(of: Data("l1ve".utf8)) == nil, "\(file)")
    }
  }

  /// Whatever the shadow does, the capture is whole.
  @Test(arguments: ["hung", "dead"])
  func aBadShadowCostsTheCaptureNothing(kind: String) throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let hole = try SilentPort(listens: kind == "hung")
    let child = try mirror(
      primary.port,
      [
        "--target", "http://127.0.0.1:\(hole.port)", "-w", scratch.path("s.umbra"), "--timeout", "500ms",
        "--connect-timeout", "500ms", "--drain", "1s",
      ])
    try ask(primary.port, 200)
    let result = end(child)
    #expect(result.status == 1 || result.status == 3, "\(result.status) \(result.error)")
    #expect(try exchanges(scratch.path("s.umbra")) == 200)
    #expect(result.error.contains("complete: 100%"), "\(result.error)")
    #expect(result.error.contains("can't be reached now") == (kind == "dead"), "\(result.error)")
  }

  @Test func aShadowThatComesBackIsSentToAgain() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let port = try freePort()
    var shadow: Nginx? = try Nginx(locations: "location / { return 200 'x'; }", port: port)
    let child = try mirror(
      primary.port,
      [
        "--target", "http://127.0.0.1:\(port)", "-w", scratch.path("s.umbra"), "--report-every", "1s", "--report",
        scratch.path("r.json"), "--breaker", "50%/1s", "--connect-timeout", "500ms",
      ])
    func isCompared() -> Bool {
      guard let totals = (try? report(scratch.path("r.json")))?["totals"] as? [String: Any] else { return false }
      return (totals["compared"] as? Int ?? 0) > 0 && (totals["errors"] as? [String: Any] ?? [:]).isEmpty
    }
    try ask(primary.port, 30)
    #expect(eventually(isCompared))
    shadow = nil
    try ask(primary.port, 30)
    shadow = try Nginx(locations: "location / { return 200 'x'; }", port: port)
    var asked = 60
    #expect(
      eventually {
        asked += 5
        try? ask(primary.port, 5)
        return isCompared()
      })
    let result = end(child)
    _ = shadow
    #expect(try exchanges(scratch.path("s.umbra")) == asked, "\(result.error)")
    #expect(result.error.contains("complete: 100%"), "\(result.error)")
  }

  /// A full queue sheds and says so; what is written is whole.
  @Test func aFullQueueSheds() throws {
    let scratch = try Scratch()
    let primary = try Nginx(
      locations: "location / { return 200 'x'; }", files: ["large": String(repeating: "y", count: 100_000)])
    let hole = try SilentPort(listens: true)
    let child = try mirror(
      primary.port,
      [
        "--target", "http://127.0.0.1:\(hole.port)", "-w", scratch.path("s.umbra"), "--queue", "1MB", "--timeout", "2s",
        "--breaker", "off", "--concurrency", "1", "--memory-limit", "4MB", "--drain", "100ms",
      ])
    let padding = String(repeating: "p", count: 6000)
    for _ in 0..<10 {
      let targets = (1...100).map { "http://127.0.0.1:\(primary.port)/\($0)" }
      let result = try Child(try #require(program("curl")), ["-s", "-S", "-H", "X-Padding: \(padding)"] + targets)
        .wait()
      #expect(result.status == 0, "\(result.error)")
    }
    let result = end(child)
    #expect(try exchanges(scratch.path("s.umbra")) == 1000, "\(result.error)")
    #expect(result.output.contains("captured requests were not mirrored"), "\(result.output)")
  }

  @Test(.enabled(if: program("python3") != nil, "python3 is not installed"))
  func rulesDecideBeforeAnythingIsQueuedAndMayChange() throws {
    let scratch = try Scratch()
    let primary = try Nginx(
      locations: """
        location / { return 200 '{"now":1,"id":7,"nick":"pl4ntednick01"}'; }
        location /missing { return 404 '{}'; }
        """)
    let shadow = try ListeningServer(in: scratch)
    let folder = scratch.url.appendingPathComponent("config")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appendingPathComponent("r.yaml").path
    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic) }
    let compared = """
      redact: { json: [/nick] }
      compare: { ignore: [{ at: "header:*" }, { at: "body:/now", as: number, reason: clock }] }

      """
    try write("version: 1\nselect: [{ exclude: { path: /one } }]\n" + compared)
    let (session, report) = (scratch.path("s.umbra"), scratch.path("r.json"))
    let child = try mirror(
      primary.port,
      ["--target", shadow.url, "-w", session, "--report", report, "--rules", file, "--ignore", "body:/nick"])
    func curl(_ path: String) throws {
      _ = try Child(try #require(program("curl")), ["-s", "http://127.0.0.1:\(primary.port)\(path)"]).wait()
    }
    for path in ["/one", "/two", "/one", "/three"] { try curl(path) }
    #expect(eventually { shadow.heard().count >= 2 })
    // On connections of their own they may overtake each other.
    #expect(shadow.targets().sorted() == ["/three", "/two"])
    try write("version: 1\nrewrite: { path: { match: ^/, replace: /v2/ } }\n" + compared)
    #expect(eventually { child.standardError.contains("rules reloaded: 1 rewrite") }, "\(child.standardError)")
    try curl("/one")
    #expect(eventually { shadow.targets().last == "/v2/one" }, "\(shadow.targets())")
    try write("version: 1\nrewrite: []\nroutes: {}\n")
    #expect(eventually { child.standardError.contains("the rules stay as they were: \(file):3:9: ") })
    try curl("/four")
    #expect(eventually { shadow.targets().last == "/v2/four" })
    // What only an answer tells is waited for.
    try write("version: 1\nselect: [{ include: { status: 4xx } }]\n" + compared)
    #expect(eventually { child.standardError.contains("rules reloaded: 1 rule to select") })
    for path in ["/five", "/missing"] { try curl(path) }
    #expect(eventually { shadow.targets().last == "/missing" })
    let result = end(child)
    #expect(shadow.targets().dropFirst(2) == ["/v2/one", "/v2/four", "/missing"])
    let read = try self.report(report)
    #expect((read["totals"] as? [String: Any])?["compared"] as? Int == 5, "\(result.output)")
    #expect(((read["schedule"] as? [String: Any])?["skipped"] as? [String: Int])?["excluded-by-rules"] == 3)
    let rows = try #require(read["suppressions"] as? [[String: Any]])
    #expect(rows.map { $0["hits"] as? Int }.last == 4, "\(rows)")
    #expect(try exchanges(session) == 5)
    for path in [session, report] {
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)).range(of: Data("pl4nted".utf8)) == nil)
    }
    #expect(result.output.contains("The rules changed 2 times."), "\(result.output)")
  }

  @Test func aSampleIsMirrored() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let shadow = try Nginx(locations: "location / { return 200 'x'; }")
    let child = try mirror(
      primary.port,
      [
        "--target", "http://127.0.0.1:\(shadow.port)", "--report", scratch.path("r.json"), "--sample", "20%",
        "--sample-by", "request", "-w", scratch.path("s.umbra"),
      ])
    try ask(primary.port, 25)
    _ = end(child)
    let read = try report(scratch.path("r.json"))
    #expect((read["totals"] as? [String: Any])?["compared"] as? Int == 5)
    #expect(((read["schedule"] as? [String: Any])?["skipped"] as? [String: Int])?["sampled-out"] == 20)
    #expect(try exchanges(scratch.path("s.umbra")) == 5)
  }

  @Test(arguments: [
    (["-r", "x.pcap"], "a mirror is live"), ([], "a mirror is live"),
    (["-i", "lo", "--report-every", "1ms"], "--report-every takes 1s or more"),
    (["-i", "lo", "--queue", "1KB"], "--queue takes 1MB or more"),
    (["-i", "lo", "--keep", "3"], "--keep says how many files stay with --rotate"),
  ])
  func wrongUsageIsTold(arguments: [String], message: String) throws {
    let result = try UmbraProcess.run(["mirror", "--target", "http://127.0.0.1:1"] + arguments)
    #expect(result.status == 64)
    #expect(result.error.contains(message), "\(result.error)")
  }
}

/// A server that answers when it is allowed to.
private final class WaitingServer {
  let port: Int
  private let child: Child
  private let gate: String

  init(in scratch: Scratch) throws {
    port = try freePort()
    gate = scratch.path("gate")
    let script = try scratch.write(
      "waiting.py",
      """
      import http.server, os, sys, time
      class Handler(http.server.BaseHTTPRequestHandler):
          protocol_version = "HTTP/1.1"
          def do_GET(self):
              while not os.path.exists(sys.argv[2]): time.sleep(0.01)
              self.send_response(200); self.send_header("Content-Length", "4"); self.end_headers()
              self.wfile.write(b"late")
          def log_message(self, *arguments): pass
      http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
      """)
    child = try Child(try #require(program("python3")), [script, "\(port)", gate])
    let port = self.port
    try #require(eventually { canConnect(port) }, "\(child.standardError)")
  }

  func letGo() { _ = FileManager.default.createFile(atPath: gate, contents: nil) }

  deinit { child.kill() }
}

/// A port at which connections are taken and nothing is ever said, or nobody listens.
private final class SilentPort {
  let port: Int
  private let descriptor: Int32

  init(listens: Bool) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.descriptor = descriptor
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound, !listens || listen(descriptor, 1024) == 0 else { throw ServerFailure(text: "no port") }
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  deinit { close(descriptor) }
}
