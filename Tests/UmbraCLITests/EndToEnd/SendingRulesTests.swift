// Rules in a replay: what is sent, as what and how; rules that change under way; live credentials.

import Foundation
import Testing

@Suite(.enabled(if: program("python3") != nil, "python3 is not installed"))
struct SendingRulesTests {
  /// A session of requests, each answered `{"now":1,"id":7}`; one connection for each in `connections`.
  private func session(_ connections: [[String]], in scratch: Scratch, keeping: Bool = true) throws -> String {
    let body = #"{"now":1,"id":7}"#
    var captures: [String] = []
    for requests in connections {
      var conversation = Packets(clientPort: UInt16(40_000 + captures.count))
      for request in requests {
        conversation.fromClient(request)
        conversation.fromServer(
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
      }
      captures.append(try Sessions.write(conversation, in: scratch))
    }
    let path = scratch.path("made-\(UUID().uuidString).umbra")
    let made = try UmbraProcess.run(
      ["capture"] + captures.flatMap { ["-r", $0] } + ["-w", path] + (keeping ? ["--keep-credentials"] : []))
    #expect(made.status == 0, "\(made.error)")
    return path
  }

  private func get(_ target: String, _ fields: String = "") -> String {
    "GET \(target) HTTP/1.1\r\nHost: shop\r\n\(fields)\r\n"
  }

  private func json(_ run: String, _ more: [String] = []) throws -> [String: Any] {
    let result = try UmbraProcess.run(["report", run, "--format", "json"] + more)
    return try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result.error)")
  }

  private func replay(_ session: String, _ server: ListeningServer, _ more: [String]) throws -> UmbraProcess.Result {
    let result = try UmbraProcess.run(["replay", session, "--target", server.url, "--speed", "max"] + more)
    #expect([0, 1, 3].contains(result.status), "\(result.error)")
    return result
  }

  @Test func whatIsRewrittenReachesTheTargetAndTheRunKeepsTheRecording() throws {
    let scratch = try Scratch()
    let server = try ListeningServer(in: scratch)
    let rules = try scratch.write(
      "r.yaml",
      """
      version: 1
      rewrite:
        - match: { path: /api/** }
          host: canary.internal
          path: [{ match: ^/api/(.*), replace: /v2/$1 }, { match: "q=1", replace: "q=a b" }]
          headers: { set: { X-Mirror-Source: order-svc, X-Old: new }, remove: [x-debug] }
      """)
    let odd = "x-ODD:  1 \r\nX-Debug: 1\r\nX-Old: old\r\nX-Old: older\r\n"
    let run = scratch.path("r.umbra-run")
    _ = try replay(
      try session([[get("/api/x?q=1", odd), get("/other", odd)]], in: scratch), server,
      ["--rules", rules, "-o", run, "--marker", "none"])
    let heard = server.heard()
    try #require(heard.count == 2)
    #expect(heard[0].target == "/v2/x?q=a%20b")
    #expect(
      heard[0].fields.map { "\($0.name)=\($0.value)" } == [
        "Host=canary.internal", "x-ODD=1 ", "X-Old=new", "X-Mirror-Source=order-svc",
      ])
    #expect(
      heard[1].target == "/other" && heard[1].fields.map(\.name) == ["Host", "x-ODD", "X-Debug", "X-Old", "X-Old"])
    let shown = try UmbraProcess.run(["show", run, "--format", "jsonl"]).output
    #expect(shown.contains("/api/x?q=1") && !shown.contains("/v2/x"))
  }

  @Test func whatIsLeftOutIsCountedUnderItsName() throws {
    let scratch = try Scratch()
    let server = try ListeningServer(in: scratch)
    let requests = (0..<20).map { get($0 % 2 == 0 ? "/api/\($0)" : "/static/\($0)") }
    let session = try session([requests], in: scratch)
    let rules = try scratch.write(
      "r.yaml", "version: 1\nselect: [{ include: { path: /api/** } }]\nsample: { share: 50%, by: request }\n")
    let plan = try UmbraProcess.run(["replay", session, "--target", server.url, "--rules", rules, "--dry-run"])
    #expect(plan.output.contains("5 requests") && plan.output.contains("10  excluded-by-rules: the rules do not"))
    #expect(plan.output.contains("5  sampled-out: outside the sample"), "\(plan.output)")
    #expect(server.heard().isEmpty)
    let run = scratch.path("r.umbra-run")
    _ = try replay(session, server, ["--rules", rules, "-o", run])
    #expect(server.targets() == ["/api/2", "/api/6", "/api/10", "/api/14", "/api/18"])
    let skipped = try #require((try json(run)["schedule"] as? [String: Any])?["skipped"] as? [String: Int])
    #expect(skipped == ["excluded-by-rules": 10, "sampled-out": 5])
    // The second round takes the same ones.
    server.forget()
    _ = try replay(session, server, ["--sample", "10%", "--sample-by", "request", "--loop", "2"])
    #expect(server.targets().sorted() == ["/static/19", "/static/19", "/static/9", "/static/9"])
  }

  @Test func routesLimitAndAllow() throws {
    let scratch = try Scratch()
    let server = try ListeningServer(in: scratch)
    let post = { (path: String) in "POST \(path) HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n" }
    let put = "PUT /search HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n"
    let limited = (0..<12).map { _ in [get("/limited")] }
    let session = try session([[get("/slow")], [post("/search"), post("/buy")], [put]] + limited, in: scratch)
    let rules = try scratch.write(
      "r.yaml",
      """
      version: 1
      routes:
        - { match: { path: /slow }, timeout: 200ms }
        - { match: { path: /search, method: POST }, allow_unsafe: true }
        - { match: { method: PUT }, allow_unsafe: false }
        - { match: { path: /limited }, concurrency: 2 }
      """)
    let run = scratch.path("r.umbra-run")
    _ = try replay(session, server, ["--rules", rules, "-o", run, "--methods", "GET,PUT", "--ignore", "body"])
    let heard = server.heard()
    #expect(heard.filter { $0.method == "POST" }.map(\.target) == ["/search"] && !heard.contains { $0.method == "PUT" })
    let loads = heard.filter { $0.target == "/limited" }.map(\.inFlight)
    #expect(loads.count == 12 && loads.max() ?? 0 <= 2, "\(loads)")
    let report = try json(run)
    #expect((report["totals"] as? [String: Any])?["errors"] as? [String: Int] == ["timeout": 1])
    #expect((report["schedule"] as? [String: Any])?["skipped"] as? [String: Int] == ["unsafe-method": 2])
    // Of a pool as well.
    server.forget()
    _ = try replay(session, server, ["--rules", rules, "--connections", "8", "--ignore", "body"])
    let pooled = server.heard().filter { $0.target == "/limited" }.map(\.inFlight)
    #expect(pooled.count == 12 && pooled.max() ?? 0 <= 2, "\(pooled)")
  }

  @Test func faultsStrikeWhatMatches() throws {
    let scratch = try Scratch()
    let server = try ListeningServer(in: scratch)
    let rules = try scratch.write("r.yaml", "version: 1\nfaults: [{ match: { path: /a }, abort: 503 }]\n")
    let run = scratch.path("r.umbra-run")
    _ = try replay(
      try session([[get("/a"), get("/b"), get("/a")]], in: scratch), server,
      ["--rules", rules, "-o", run, "--breaker", "off"])
    #expect(server.targets() == ["/b"])
    let statuses = (try json(run)["totals"] as? [String: Any])?["statuses"] as? [String: Int]
    #expect(statuses == ["200": 1, "503": 2])
  }

  @Test func suppressionsAreCountedInEveryReport() throws {
    let scratch = try Scratch()
    let server = try ListeningServer(in: scratch)
    let session = try session([(0..<10).map { get($0 < 7 ? "/clock" : "/other") }], in: scratch)
    let rules = try scratch.write(
      "r.yaml",
      """
      version: 1
      compare:
        ignore:
          - { at: "header:*", reason: another server }
          - { at: "body:/now", as: number, reason: clock, owner: orders, match: { path: /clock }, expires: 2199-01-01 }
          - { at: "body:/never", reason: gone }
          - { at: "body:/now", reason: old, expires: 2020-01-01 }
      """)
    let run = scratch.path("r.umbra-run")
    let html = scratch.path("r.html")
    let replayed = try replay(session, server, ["--rules", rules, "-o", run, "--report", html, "--ignore", "header:*"])
    #expect(replayed.output.contains("SUPPRESSIONS"), "\(replayed.output)")
    #expect(replayed.output.contains("body:/now as number") && replayed.output.contains("7 hits"))
    #expect(replayed.output.contains("clock, orders, until 2199-01-01"))
    #expect(try String(contentsOfFile: html, encoding: .utf8).contains("<code>body:/now as number</code>"))
    // The run has kept the rules; those for other requests let nothing pass.
    let report = try json(run)
    let rows = try #require(report["suppressions"] as? [[String: Any]])
    #expect(rows.compactMap { $0["state"] as? String } == ["dead", "used", "dead", "expired"])
    #expect(rows.compactMap { $0["hits"] as? Int } == [0, 7, 0, 0])
    let clusters = try #require(report["clusters"] as? [[String: Any]])
    #expect(clusters.contains { $0["location"] as? String == "body:/now" && $0["endpoint"] as? String == "GET /other" })
    #expect(!clusters.contains { $0["endpoint"] as? String == "GET /clock" })
    #expect((try json(run, ["--rules", "none"])["suppressions"] as? [Any])?.isEmpty == true)
    let all = try scratch.write("all.yaml", "version: 1\ncompare: { ignore: [{ at: \"body:/now\" }] }\n")
    #expect(try UmbraProcess.run(["report", run, "--rules", all]).status == 0)
    let markdown = try UmbraProcess.run(["report", run, "--format", "markdown"]).output
    #expect(markdown.contains("Suppressions: 1 used, 2 dead, 1 expired"), "\(markdown)")
  }

  @Test func anEditTakesEffectWhileAReplayRuns() throws {
    let scratch = try Scratch()
    let server = try ListeningServer(in: scratch)
    let folder = scratch.url.appendingPathComponent("config")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appendingPathComponent("r.yaml").path
    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic) }
    try write("version: 1\nselect: [{ exclude: { path: /b } }]\n")
    // A request every 200 ms, for as long as it takes.
    let session = try session([(0..<600).map { get($0 % 2 == 0 ? "/a" : "/b") }], in: scratch)
    let run = scratch.path("r.umbra-run")
    let child = try Child(
      UmbraProcess.binary.path,
      [
        "replay", session, "--target", server.url, "--speed", "0.01x", "--rules", file, "-o", run, "--ignore", "body",
        "--ignore", "header:*",
      ])
    #expect(eventually { server.heard().count >= 2 }, "\(child.standardError)")
    #expect(Set(server.targets()) == ["/a"])
    try write("version: 1\nrewrite: { path: [{ match: ^/b, replace: /new }] }\n")
    #expect(eventually { child.standardError.contains("rules reloaded: 1 rewrite") }, "\(child.standardError)")
    #expect(eventually { server.targets().contains("/new") }, "\(server.targets())")
    try write("version: 1\nrewrite: { pth: [] }\n")
    #expect(eventually { child.standardError.contains("the rules stay as they were: \(file):2:12: 'pth'") })
    let before = server.targets().filter { $0 == "/new" }.count
    #expect(eventually { server.targets().filter { $0 == "/new" }.count > before })
    child.interrupt()
    let result = child.wait()
    #expect(
      result.output.contains("The rules changed 1 time.") && result.output.contains("1 change of the rules was not"))
    #expect(!server.targets().contains("/b"))
  }

  @Test func liveCredentialsGoToTheTargetAndNowhereElse() throws {
    let scratch = try Scratch()
    let server = try ListeningServer(in: scratch)
    let fields = "Authorization: Bearer recorded0123456789\r\nCookie: a=1; sid=recordedsid; b=2\r\n"
    let session = try session(
      [
        [
          get("/echo?api_key=recorded&x=1", fields), get("/packed?api_key=recorded", fields), get("/anonymous"),
          "POST /echo HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer recorded0123456789\r\nContent-Length: 0\r\n\r\n",
        ]
      ], in: scratch, keeping: false)
    let secrets = ["l1ve/Bearer+0123456789abcdef", "l1vesid0123456789", "l1ve&key=\"0123456789"]
    let inject = try scratch.write(
      "credentials.yaml",
      """
      - match: { path: ["/echo", "/packed", "/anonymous"] }
        headers: { Authorization: "Bearer \(secrets[0])" }
        cookies: { sid: \(secrets[1]) }
        query: { api_key: '\(secrets[2])' }
      """)
    let open = try UmbraProcess.run(["replay", session, "--target", server.url, "--inject", inject])
    #expect(open.status == 2 && open.error.contains("everyone on this machine can read"), "\(open.error)")
    #expect(server.heard().isEmpty)
    chmod(inject, 0o600)
    var files = ["r.umbra-run", "r.html", "r.json", "r.md", "access.log", "audit.log"].map { scratch.path($0) }
    let result = try replay(
      session, server,
      [
        "--inject", inject, "-o", files[0], "--access-log", files[4], "--audit-log", files[5], "--allow-unsafe",
        "--keep-credentials", "-v",
      ].filter { $0 != "-v" } + files[1...3].flatMap { ["--report", $0] })
    let heard = server.heard()
    try #require(heard.count == 4)
    #expect(heard[0].target == "/echo?api_key=l1ve%26key%3D%220123456789&x=1")
    #expect(heard[0].field("Authorization") == "Bearer \(secrets[0])")
    #expect(
      heard[0].field("Cookie") == "a=1; sid=\(secrets[1]); b=2"
        || heard[0].field("Cookie")?.contains(secrets[1]) == true)
    #expect(heard[2].field("Authorization") == nil && heard[2].field("Cookie") == nil)
    #expect(result.output.contains("carried live credentials"), "\(result.output)")

    let output = scratch.path("output")
    try Data((result.output + result.error).utf8).write(to: URL(fileURLWithPath: output))
    let shown = scratch.path("shown")
    let show = try UmbraProcess.run(["show", files[0], "--format", "jsonl", "--body", "inline"])
    try Data(show.output.utf8).write(to: URL(fileURLWithPath: shown))
    files += [output, shown, session]
    for file in files {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      #expect(bytes.range(of: Data("l1ve".utf8)) == nil, "\(file)")
    }
    // What was given back stands there as something else.
    #expect(show.output.contains("Authorization"))
  }
}
