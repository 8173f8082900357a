// Findings asked for again until the smallest request is left, against a pair of real servers.

import Foundation
import Testing

@Suite(.enabled(if: program("python3") != nil, "python3 is not installed")) struct ShrinkTests {
  /// A shop of which the one called `shadow` differs for a few requests. Every answer of both has an id of its own.
  final class Shop {
    private static let script = #"""
      import sys, json, os, random, time, http.server, urllib.parse
      name, port, log = sys.argv[1], int(sys.argv[2]), open(sys.argv[3], "a", buffering=1)
      class Shop(http.server.BaseHTTPRequestHandler):
          protocol_version = "HTTP/1.1"
          wbufsize = -1
          disable_nagle_algorithm = True
          def do_GET(self):
              log.write(json.dumps([self.command, self.path, dict(self.headers)]) + "\n")
              while os.path.exists(sys.argv[3] + ".hold"): time.sleep(0.01)
              path, _, query = self.path.partition("?")
              query = dict(urllib.parse.parse_qsl(query))
              body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
              isShadow, status = name == "shadow", 200
              item = {"request": "%032x" % random.getrandbits(128), "price": 12.5}
              if path == "/items" and isShadow and query.get("currency") == "JPY": item["price"] = "12.5"
              if path == "/beta" and isShadow and self.headers.get("X-Beta") == "on" and query.get("v") == "2":
                  status = 500
              if path == "/search" and isShadow and body:
                  wanted = json.loads(body)
                  if wanted.get("filter", {}).get("colour") == "red" and "page" in wanted: del item["price"]
              if path == "/private":
                  if self.headers.get("Authorization") != "Bearer live-secret-4711": status = 401
                  elif isShadow: item["price"] = 13
              if path == "/once" and isShadow and self.headers.get("X-Umbra-Replay", "").startswith(sys.argv[4]):
                  item["price"] = 99
              body = json.dumps(item).encode()
              self.send_response(status)
              self.send_header("Content-Type", "application/json")
              self.send_header("Content-Length", str(len(body)))
              self.end_headers()
              if self.command != "HEAD": self.wfile.write(body)
          do_POST = do_HEAD = do_GET
          def log_message(self, *arguments): pass
      http.server.ThreadingHTTPServer(("127.0.0.1", port), Shop).serve_forever()
      """#

    let port: Int
    private let child: Child
    private let log: String

    init(_ name: String, in scratch: Scratch) throws {
      port = try freePort()
      log = scratch.path("\(name).log")
      child = try PythonPeer.start(Shop.script, [name, "\(port)", log, "only-then"])
      let port = port
      try #require(
        eventually {
          (try? Child(program("curl") ?? "/bin/true", ["-s", "http://127.0.0.1:\(port)/"]).wait().status) == 0
        },
        "the \(name) does not listen: \(child.standardError)")
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// From now on it takes requests and answers none.
    func hold() throws { try Data().write(to: URL(fileURLWithPath: log + ".hold")) }
    var requests: Int {
      (try? String(contentsOfFile: log, encoding: .utf8))?.count { $0 == "\n" } ?? 0
    }
  }

  private struct Recorded {
    var method = "GET"
    var target: String
    var headers: [[String]] = []
    var body = ""
    var status = 200
    var answer = #"{"request":"00000000000000000000000000000000","price":12.5}"#
  }

  /// Header fields that a browser sends and that do not matter.
  private static let usual: [[String]] = [
    ["Host", "shop.example"], ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64) it's"], ["Accept", "application/json"],
    ["Accept-Language", "ja,en;q=0.5"], ["Accept-Encoding", "identity"], ["Referer", "http://shop.example/"],
    ["DNT", "1"], ["Cache-Control", "no-cache"], ["X-Trace", "4711"], ["Sec-Fetch-Mode", "cors"],
    ["Cookie", "theme=dark; session=abc; beta=1; seen=7"],
  ]

  private static func session(_ requests: [Recorded], in scratch: Scratch, server: String = "192.0.2.1:80") throws
    -> String
  {
    var lines = ""
    for (number, request) in requests.enumerated() {
      let exchange: [String: Any] = [
        "id": "\(number % 4 + 1)-\(number / 4 + 1)", "protocol": "http/1.1", "connection": number % 4 + 1,
        "client": "192.0.2.9:5000\(number % 4)", "server": server, "tls": false,
        "start": "2026-11-21T00:00:00.\(String(1000 + number).dropFirst())000000Z",
        "request": [
          "method": request.method, "target": request.target,
          "headers": request.headers
            + (request.body.isEmpty ? [] : [["Content-Length", "\(request.body.utf8.count)"]]),
          "body": ["text": request.body, "complete": true],
        ],
        "response": [
          "status": request.status, "reason": "OK", "headers": [["Content-Type", "application/json"]],
          "body": ["text": request.answer, "complete": true],
        ],
        "timing": ["request_us": 10, "first_byte_us": 900, "total_us": 1200],
      ]
      lines += String(decoding: try JSONSerialization.data(withJSONObject: exchange), as: UTF8.self) + "\n"
    }
    let path = scratch.path("shop-\(UUID().uuidString).umbra")
    let made = try UmbraProcess.run(["convert", try scratch.write("shop.jsonl", lines), path])
    try #require(made.status == 0, "\(made.error)")
    return path
  }

  /// A run of these requests with a live primary and a control.
  private static func run(
    _ requests: [Recorded], _ shadow: Shop, _ primary: Shop, in scratch: Scratch, _ more: [String] = []
  ) throws -> String {
    let run = scratch.path("\(UUID().uuidString).umbra-run")
    let replayed = try UmbraProcess.run(
      [
        "replay", try session(requests, in: scratch), "--target", shadow.url, "--primary", primary.url, "--control",
        primary.url, "--speed", "max", "--progress", "none", "-o", run,
      ] + more)
    try #require(replayed.status == 1 || replayed.status == 0, "\(replayed.output)\(replayed.error)")
    return run
  }

  private static func findings(_ run: String, _ more: [String] = []) throws -> [[String: Any]] {
    let result = try UmbraProcess.run(["report", run, "--shrink", "--format", "json"] + more)
    try #require(result.status == 1 || result.status == 0, "\(result.output)\(result.error)")
    let report = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
    return try #require(report?["clusters"] as? [[String: Any]]).filter {
      // On a busy machine one of the two may also be slower.
      $0["confirmed"] as? Bool == true && $0["location"] as? String != "latency"
    }
  }

  private static func answer(_ command: String) throws -> String {
    let result = try Child("/bin/sh", ["-c", command.replacing("curl -i", with: "curl -sS -i")]).wait()
    try #require(result.status == 0, "\(command): \(result.error)")
    return result.output
  }

  private static let query = "page=2&size=50&currency=JPY&sort=price&dir=asc&lang=ja&ref=home&utm=x"

  @Test(.enabled(if: program("curl") != nil, "curl is not installed"))
  func oneParameterOfManyIsLeftAndItsCommandShowsTheDifference() throws {
    let scratch = try Scratch()
    let (shadow, primary) = (try Shop("shadow", in: scratch), try Shop("primary", in: scratch))
    let requests = (0..<40).map { number in
      Recorded(
        target: "/items?" + (number % 4 == 0 ? ShrinkTests.query : ShrinkTests.query.replacing("JPY", with: "EUR")),
        headers: ShrinkTests.usual)
    }
    let run = try ShrinkTests.run(requests, shadow, primary, in: scratch)
    let findings = try ShrinkTests.findings(run)
    #expect(findings.map { $0["location"] as? String } == ["body:/price"])
    let smallest = try #require(findings.first?["smallest"] as? [String: Any])
    #expect(smallest["state"] as? String == "minimal", "\(smallest)")
    #expect(smallest["needed"] as? [String] == ["currency=JPY"])
    #expect(smallest["omitted"] as? Int == 7 + 9 + 4)
    let asked = try #require(smallest["asked"] as? Int)
    #expect((4...40).contains(asked))
    #expect(
      smallest["explain"] as? String
        == "Asked again \(asked) times: of 8 query parameters, 9 header fields and 4 cookies it takes only currency=JPY."
    )
    let command = try #require(findings.first?["curl"] as? String)
    #expect(command == "curl -i -H 'Host: shop.example' '\(shadow.url)/items?currency=JPY'")
    #expect(smallest["command"] as? String == command)
    let primaryCommand = try #require(smallest["primary_command"] as? String)
    #expect(try ShrinkTests.answer(command).contains(#""price": "12.5""#))
    #expect(try ShrinkTests.answer(primaryCommand).contains(#""price": 12.5"#))

    // Every format says it.
    for (name, expected) in [
      ("a.txt", "it takes only currency=JPY"), ("a.md", "it takes only currency=JPY"),
      ("a.html", "it takes only currency=JPY"),
    ] {
      let made = try UmbraProcess.run(["report", run, "--shrink", "-o", scratch.path(name)])
      #expect(made.status == 1, "\(made.error)")
      let text = try String(contentsOfFile: scratch.path(name), encoding: .utf8)
      #expect(text.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains(expected), "\(text)")
    }
  }

  @Test func partsThatMatterTogetherAreAllLeft() throws {
    let scratch = try Scratch()
    let (shadow, primary) = (try Shop("shadow", in: scratch), try Shop("primary", in: scratch))
    var requests: [Recorded] = []
    for number in 0..<40 {
      let body = #"{"text":"shoe","filter":{"size":[41,42],"colour":"\#(number % 4 == 0 ? "red" : "blue")"},"page":1}"#
      requests.append(
        Recorded(
          target: "/search?debug=0", headers: ShrinkTests.usual + [["Content-Type", "application/json"]], body: body))
      requests.append(
        Recorded(
          target: "/beta?\(number % 4 == 1 ? "v=2" : "v=1")&w=3",
          headers: ShrinkTests.usual + [["X-Beta", "on"], ["X-Gamma", "on"]]))
    }
    let run = try ShrinkTests.run(requests, shadow, primary, in: scratch)
    let findings = try ShrinkTests.findings(run)
    let smallest = Dictionary(
      uniqueKeysWithValues: findings.map { ($0["location"] as? String ?? "", $0["smallest"] as? [String: Any] ?? [:]) })
    #expect(smallest["body:/price"]?["needed"] as? [String] == ["/filter/colour", "/page"], "\(smallest)")
    #expect(
      (smallest["body:/price"]?["command"] as? String)?.contains(#"'{"filter":{"colour":"red"},"page":1}'"#) == true)
    #expect(smallest["status"]?["state"] as? String == "minimal", "\(smallest)")
    #expect(smallest["status"]?["needed"] as? [String] == ["v=2", "X-Beta: on"])
  }

  @Test func whatDoesNotShowAgainIsSaidWithItsReason() throws {
    let scratch = try Scratch()
    let (shadow, primary) = (try Shop("shadow", in: scratch), try Shop("primary", in: scratch))
    let requests = (0..<20).map { _ in Recorded(target: "/once", headers: ShrinkTests.usual) }
    let run = try ShrinkTests.run(requests, shadow, primary, in: scratch, ["--marker", "X-Umbra-Replay:only-then"])
    let findings = try ShrinkTests.findings(run)
    let smallest = try #require(findings.first?["smallest"] as? [String: Any])
    #expect(smallest["state"] as? String == "not-reproduced")
    #expect(
      smallest["explain"] as? String
        == "Asked again twice, it does not show: the primary answered 200, the shadow 200, alike in this place. It "
        + "carries tokens for what was hidden in the capture (cookie): --inject puts live values there.")
    #expect(smallest["command"] is NSNull)
  }

  @Test func anInterruptPrintsTheReportWithWhatWasFound() throws {
    let scratch = try Scratch()
    let (shadow, primary) = (try Shop("shadow", in: scratch), try Shop("primary", in: scratch))
    let requests = (0..<40).map { number in
      number % 2 == 0
        ? Recorded(target: "/items?a=1&currency=JPY", headers: ShrinkTests.usual)
        : Recorded(target: "/beta?v=2", headers: [["Host", "shop.example"], ["X-Beta", "on"]])
    }
    let run = try ShrinkTests.run(requests, shadow, primary, in: scratch)
    // The shadow is silent: the first request again is under way when the interrupt comes.
    try shadow.hold()
    let before = shadow.requests
    let command = try Child(UmbraProcess.binary.path, ["report", run, "--shrink", "--format", "json"])
    #expect(eventually { shadow.requests > before || !command.isRunning })
    command.interrupt()
    let result = command.wait()
    #expect(result.status == 1, "\(result.status) \(result.error)")
    let report = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
    let clusters = try #require(report?["clusters"] as? [[String: Any]])
    let smallest = clusters.filter { $0["confirmed"] as? Bool == true && $0["location"] as? String != "latency" }
      .map { $0["smallest"] as? [String: Any] }
    #expect(smallest.count >= 2)
    for finding in smallest {
      #expect(finding?["state"] as? String == "not-asked")
      #expect(finding?["explain"] as? String == "Not asked again: interrupted.")
    }
  }

  @Test func hiddenCredentialsTakeLiveOnesAndAreNotWritten() throws {
    let scratch = try Scratch()
    let (shadow, primary) = (try Shop("shadow", in: scratch), try Shop("primary", in: scratch))
    let secret = "Bearer live-secret-4711"
    let requests = (0..<20).map { _ in
      Recorded(
        target: "/private?a=1", headers: ShrinkTests.usual + [["Authorization", "Bearer redacted.0123456789abcdef"]])
    }
    let credentials = try scratch.write("live.yaml", "- headers: { Authorization: \(secret) }\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: credentials)
    let run = try ShrinkTests.run(requests, shadow, primary, in: scratch, ["--inject", credentials])
    let without = try #require(try ShrinkTests.findings(run).first?["smallest"] as? [String: Any])
    #expect(without["state"] as? String == "not-reproduced")
    #expect((without["explain"] as? String)?.contains("authorization") == true, "\(without)")
    let with = try ShrinkTests.findings(run, ["--inject", credentials])
    let smallest = try #require(with.first?["smallest"] as? [String: Any])
    let needed = try #require(smallest["needed"] as? [String])
    #expect(needed.count == 1 && needed[0].hasPrefix("Authorization: Bearer redacted."), "\(smallest)")
    #expect((smallest["explain"] as? String)?.hasSuffix("tokens in the places of live values (authorization).") == true)
    #expect(!"\(with)".contains("live-secret"))
  }

  @Test func productionIsGuarded() throws {
    let scratch = try Scratch()
    let (shadow, primary) = (try Shop("shadow", in: scratch), try Shop("primary", in: scratch))
    let requests = (0..<12).map { _ in
      Recorded(method: "POST", target: "/items?currency=JPY", headers: ShrinkTests.usual)
    }
    let run = try ShrinkTests.run(requests, shadow, primary, in: scratch, ["--allow-unsafe"])
    let smallest = try #require(try ShrinkTests.findings(run).first?["smallest"] as? [String: Any])
    #expect(smallest["state"] as? String == "not-asked", "\(smallest)")
    #expect((smallest["explain"] as? String)?.contains("unsafe-method") == true)

    let captured = scratch.path("captured.umbra-run")
    let session = try ShrinkTests.session(
      (0..<8).map { _ in Recorded(target: "/items?currency=JPY", headers: ShrinkTests.usual) }, in: scratch,
      server: "127.0.0.1:\(primary.port)")
    let replayed = try UmbraProcess.run(
      ["replay", session, "--target", shadow.url, "--speed", "max", "--progress", "none", "-o", captured])
    #expect(replayed.status == 1, "\(replayed.error)")
    let unknown = try UmbraProcess.run(["report", captured, "--shrink"])
    #expect(unknown.status == 64 && unknown.error.contains("--primary"), "\(unknown.error)")
    let refused = try UmbraProcess.run([
      "report", captured, "--shrink", "--target", primary.url, "--primary", primary.url,
    ])
    #expect(refused.status == 2 && refused.error.contains("--force"), "\(refused.error)")
    // As the primary it is asked: what is safe does no harm there.
    let asked = try UmbraProcess.run(["report", captured, "--shrink", "--primary", primary.url])
    #expect(
      asked.output.contains("it takes only currency=JPY") || asked.output.contains("there is nothing to leave out"),
      "\(asked.output)\(asked.error)")
    for arguments in [["report", captured, "--primary", primary.url], ["report", "-", "--shrink"]] {
      #expect(try UmbraProcess.run(arguments).status == 64)
    }
  }
}
