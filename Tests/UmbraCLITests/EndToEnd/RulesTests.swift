// Rules at work: what a capture takes, samples and hides; what check, explain and scan say; rules that change.

import ContentCoding
import Foundation
import Testing

@Suite struct RulesTests {
  /// A capture of requests on one connection, each answered with the same body.
  func capture(
    _ requests: [String], answer: String = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", in scratch: Scratch
  ) throws -> String {
    var conversation = Packets()
    for request in requests {
      conversation.fromClient(request)
      conversation.fromServer(answer)
    }
    let path = scratch.path("made-\(UUID().uuidString).pcap")
    try Data(Sessions.pcapHeader + conversation.bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  func get(_ target: String, _ fields: String = "") -> String {
    "GET \(target) HTTP/1.1\r\nHost: shop\r\n\(fields)\r\n"
  }

  func targets(_ session: String) throws -> [String] {
    try UmbraProcess.run(["show", session, "--format", "jsonl"]).output.split(separator: "\n").compactMap { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return (object?["request"] as? [String: Any])?["target"] as? String
    }
  }

  @Test func checkSaysWhereAndWhat() throws {
    let scratch = try Scratch()
    let good = try scratch.write("good.yaml", "version: 1\nselect: [{ include: { path: /api/** } }]\n")
    let bad = try scratch.write("bad.yaml", "version: 1\nselct: []\nsample: { share: 200% }\n")
    let fine = try UmbraProcess.run(["rules", "check", good])
    #expect(fine.status == 0 && fine.output.contains("1 rule to select"))
    let wrong = try UmbraProcess.run(["rules", "check", good, bad])
    #expect(wrong.status == 2)
    #expect(wrong.error.contains("\(bad):2:1: 'selct' means nothing in a rules file; did you mean 'select'?\n"))
    #expect(wrong.error.contains("\(bad):3:18: "))
    let old = try scratch.write(
      "old.yaml", "version: 1\ncompare: { ignore: [{ at: status, owner: ann, expires: 2020-01-01 }] }\n")
    let expired = try UmbraProcess.run(["rules", "check", old])
    #expect(expired.status == 2 && expired.error.contains("expired on 2020-01-01") && expired.error.contains("ask ann"))
    #expect(try UmbraProcess.run(["rules", "check", scratch.path("none.yaml")]).status == 2)
  }

  @Test func explainSaysWhichRuleAndWhy() throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      "r.yaml",
      """
      version: 1
      select:
        - include: { method: POST, path: /api/** }
        - exclude: { header: { X-User: 7 } }
      routes: [{ match: { path: /api/x }, timeout: 1s }]
      rewrite: { path: [{ match: ^/api/(.*), replace: /v2/$1 }] }
      """)
    let taken = try UmbraProcess.run([
      "rules", "explain", file, "--request", "POST /api/x?token=s3cr3t99 -H 'X-User: 8'",
    ])
    #expect(taken.status == 0, "\(taken.error)")
    #expect(taken.output.contains("taken: matches the 'include' at \(file):3:"))
    #expect(taken.output.contains("no, because of header x-user: 7"))
    #expect(taken.output.contains("target /v2/x?token=s3cr3t99"))
    #expect(taken.output.contains("hidden: request target token"))
    let out = try UmbraProcess.run(["rules", "explain", file, "--request", "POST /api/x -H \"X-User: 7\""])
    #expect(out.output.contains("left out: matches the 'exclude' at \(file):4:"))
    #expect(try UmbraProcess.run(["rules", "explain", file, "--request", "POST"]).status == 64)
  }

  @Test func whatTheRulesLeaveOutIsCounted() throws {
    let scratch = try Scratch()
    let packets = try capture((0..<20).map { get($0 % 2 == 0 ? "/api/\($0)" : "/static/\($0)") }, in: scratch)
    let rules = try scratch.write(
      "r.yaml", "version: 1\nselect: [{ include: { path: /api/** } }]\nsample: { share: 50%, by: request }\n")
    let session = scratch.path("s.umbra")
    let result = try UmbraProcess.run(["capture", "-r", packets, "-w", session, "--rules", rules])
    #expect(result.status == 0, "\(result.error)")
    #expect(try targets(session) == ["/api/2", "/api/6", "/api/10", "/api/14", "/api/18"])
    let statistics = try UmbraProcess.run(["stats", session, "--format", "json"]).output
    #expect(statistics.contains("\"exchanges_filtered\": 10") && statistics.contains("\"exchanges_sampled_out\": 5"))

    let none = scratch.path("none.umbra")
    _ = try UmbraProcess.run(["capture", "-r", packets, "-w", none, "--sample", "0%", "--sample-by", "connection"])
    #expect(try targets(none) == [])
    let bad = try UmbraProcess.run(["capture", "-r", packets, "--rules", scratch.path("none.yaml")])
    #expect(bad.status == 2)
  }

  @Test func plantedSecretsReachNoFile() throws {
    let scratch = try Scratch()
    var secrets: [String] = []
    func secret() -> String {
      secrets.append("pl4nt" + UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(11 + secrets.count % 20))
      return secrets.last!
    }
    var requests: [String] = []
    func post(_ type: String, _ body: String, _ fields: String = "") {
      let bytes = body.utf8.count
      requests.append(
        "POST /p?access_token=\(secret())&sig=\(secret()) HTTP/1.1\r\nHost: shop\r\nContent-Type: \(type)\r\n"
          + "Content-Length: \(bytes)\r\nAuthorization: Bearer \(secret())\r\nX-Api-Key: \(secret())\r\n"
          + "Cookie: a=\(secret()); b=\(secret())\r\nReferer: http://u:\(secret())@h/?token=\(secret())\r\n\(fields)\r\n\(body)"
      )
    }
    for _ in 0..<60 {
      post(
        "application/json", #"{"password":"\#(secret())","o":{"client_secret":["\#(secret())",{"x":"\#(secret())"}]}}"#)
      post("application/json", #"{"s":"{\"token\":\"\#(secret())\"}","u":"http://x/?api_key=\#(secret())"}"#)
      post(
        "application/x-www-form-urlencoded",
        "password=\(secret())&u%5Bpin%5D=\(secret())&j=%7B%22pwd%22%3A%22\(secret())%22%7D")
      post("text/xml", "<a><b:Password>\(secret())</b:Password><c token='\(secret())'/></a>")
      post(
        "multipart/form-data; boundary=qq",
        "--qq\r\nContent-Disposition: form-data; name=\"secret\"\r\n\r\n\(secret())\r\n--qq--\r\n")
    }
    let answer =
      "HTTP/1.1 302 Found\r\nSet-Cookie: sid=\(secret()); HttpOnly\r\nLocation: /x?token=\(secret())\r\nContent-Type: "
      + "text/html\r\nContent-Length: 62\r\n\r\n"
    let page = #"<input type="hidden" name="csrf_token" value="\#(secret())">"#
    let packets = try capture(
      requests, answer: answer.replacing("Content-Length: 62", with: "Content-Length: \(page.utf8.count)") + page,
      in: scratch)
    let session = scratch.path("s.umbra")
    let result = try UmbraProcess.run(["capture", "-r", packets, "-w", session])
    #expect(result.status == 0, "\(result.error)")
    #expect(secrets.count > 3000)
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl", "--body", "inline"]).output
    #expect(shown.split(separator: "\n").count == requests.count)
    #expect(!shown.contains("pl4nt"))
    let har = scratch.path("s.har")
    #expect(try UmbraProcess.run(["convert", session, har]).status == 0)
    for file in [session, har] {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      #expect(bytes.range(of: Data("pl4nt".utf8)) == nil)
    }
    let clean = try UmbraProcess.run(["scan", session])
    #expect(clean.status == 0, "\(clean.output)")

    let open = scratch.path("open.umbra")
    _ = try UmbraProcess.run(["capture", "-r", packets, "-w", open, "--keep-credentials"])
    let found = try UmbraProcess.run(["scan", open])
    #expect(found.status == 1)
    for place in ["request header authorization", "request target access_token", "request body password"] {
      #expect(found.output.contains(place))
    }
    #expect(!found.output.contains("pl4nt"))
  }

  @Test func oneKeyGivesOneToken() throws {
    let scratch = try Scratch()
    let packets = try capture([get("/?token=abcdefghijkl")], in: scratch)
    let key = try scratch.write("key", String(repeating: "k", count: 32))
    var found: [String] = []
    for name in ["a", "b", "c"] {
      let session = scratch.path(name)
      _ = try UmbraProcess.run(
        ["capture", "-r", packets, "-w", session] + (name == "c" ? [] : ["--redact-key", key]))
      found += try targets(session)
    }
    #expect(found.count == 3 && found[0] == found[1] && found[1] != found[2] && found[0] != "/?token=abcdefghijkl")
    let short = try scratch.write("short", "abc")
    #expect(try UmbraProcess.run(["capture", "-r", packets, "--redact-key", short]).status == 2)
  }

  @Test(
    .enabled(if: getuid() == 0, "needs the right to capture"),
    .enabled(if: program("nginx") != nil && program("curl") != nil, "needs nginx and curl"))
  func rulesChangeWhileRunning() throws {
    let scratch = try Scratch()
    let nginx = try Nginx(locations: "location / { return 200 'ok'; }")
    let folder = scratch.url.appendingPathComponent("config")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appendingPathComponent("r.yaml").path
    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic) }
    try write("version: 1\nselect: [{ exclude: { path: /one } }]\n")
    let session = scratch.path("s.umbra")
    let capture = try Child(
      UmbraProcess.binary.path,
      [
        "capture", "-i", "lo", "-p", "\(nginx.port)", "-w", session, "--rules", file, "--progress", "plain", "--user",
        "root",
      ])
    #expect(eventually { capture.standardError.contains("capturing on") })
    func ask(_ path: String) throws {
      let answer = try Child("/usr/bin/env", ["curl", "-s", "http://127.0.0.1:\(nginx.port)\(path)"]).wait()
      #expect(answer.output == "ok")
    }
    /// What was asked so far has been judged: rules that come now do not.
    func isJudged(_ count: Int) -> Bool {
      eventually {
        capture.signal(SIGUSR1)
        return capture.standardError.contains("\(count) exchanges (")
      }
    }
    try ask("/one")
    try ask("/two")
    #expect(isJudged(1))
    try write("version: 1\nselect: [{ exclude: { path: /two } }]\n")
    #expect(eventually { capture.standardError.contains("rules reloaded: 1 rule to select") })
    try ask("/two")
    try ask("/one")
    #expect(isJudged(2))
    // A broken file keeps the rules and is told once, with its place.
    try write("version: 1\nselect: [{ exclude: { pth: /one } }]\n")
    #expect(eventually { capture.standardError.contains("\(file):2:23: 'pth' means nothing") })
    capture.signal(SIGHUP)
    try ask("/two")
    try ask("/one")
    #expect(isJudged(3))
    // A link that is swapped, as Kubernetes does it.
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("next"), withDestinationPath: scratch.write("new.yaml", "version: 1\n"))
    #expect(rename(scratch.path("next"), file) == 0)
    #expect(eventually { capture.standardError.components(separatedBy: "rules reloaded").count == 3 })
    try ask("/three")
    capture.interrupt()
    let result = capture.wait()
    #expect(result.status == 0, "\(result.error)")
    #expect(result.error.components(separatedBy: "the rules stay as they were").count == 2)
    let taken = try targets(session)
    #expect(taken == ["/two", "/one", "/one", "/three"], "\(taken): \(result.error)")
  }
}
