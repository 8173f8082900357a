// The three jobs on real traffic: capture between curl and nginx, replay against another nginx, report.

import Foundation
import Testing

@Suite(
  .serialized, .enabled(if: program("nginx") != nil, "nginx is not installed"),
  .enabled(if: program("curl") != nil, "curl is not installed"),
  .enabled(if: geteuid() == 0, "live capture is for root"))
struct ThreeJobsTests {
  /// A live capture on loopback that has begun.
  private func capture(port: Int, to session: String, _ more: [String] = []) throws -> Child {
    let child = try Child(
      UmbraProcess.binary.path,
      ["capture", "-i", "lo", "-p", "\(port)", "-w", session, "--progress", "plain"] + more)
    try #require(eventually { child.standardError.contains("capturing on lo") }, "\(child.standardError)")
    return child
  }

  private func curl(_ arguments: [String]) throws -> String {
    let child = try Child(try #require(program("curl")), ["-s", "--max-time", "10"] + arguments)
    let result = child.wait()
    #expect(result.status == 0, "curl \(arguments): \(result.error)")
    return result.output
  }

  private func exchanges(_ session: String, _ more: [String] = []) throws -> [[String: Any]] {
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl", "--body", "inline"] + more)
    #expect(shown.status == 0, "\(shown.error)")
    return try shown.output.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func captureReplayReport() throws {
    let scratch = try Scratch()
    let shop = #"{"id": 7, "price": 12.5, "tags": ["a", "b"]}"#
    let primary = try Nginx(
      locations: """
        location /item { return 200 '\(shop)'; }
        location /gone { return 404 '{}'; }
        location /same { return 200 'the same'; }
        location /order { return 201 '{}'; }
        """)
    let session = scratch.path("day.umbra")
    let capturing = try capture(port: primary.port, to: session)
    let base = "http://127.0.0.1:\(primary.port)"
    // Three on one connection, as curl keeps it alive; then a POST with credentials.
    _ = try curl(["\(base)/item?x=1", "\(base)/gone", "\(base)/same"])
    _ = try curl(["-X", "POST", "-d", "a=b", "-H", "Authorization: Bearer s3cr3t-t0ken", "\(base)/order"])
    _ = try curl(["-I", "\(base)/same"])
    usleep(300_000)
    capturing.interrupt()
    let captured = capturing.wait()
    #expect(captured.status == 0)
    #expect(captured.error.contains("5 exchanges"), "\(captured.error)")

    let recorded = try exchanges(session)
    #expect(recorded.count == 5)
    let requests = recorded.compactMap { $0["request"] as? [String: Any] }
    #expect(requests.map { $0["target"] as? String } == ["/item?x=1", "/gone", "/same", "/order", "/same"])
    #expect(requests.map { $0["method"] as? String } == ["GET", "GET", "GET", "POST", "HEAD"])
    #expect(Set(recorded.prefix(3).map { $0["connection"] as? Int }).count == 1)
    let response = try #require(recorded[0]["response"] as? [String: Any])
    #expect((response["body"] as? [String: Any])?["text"] as? String == shop)
    #expect((response["body"] as? [String: Any])?["complete"] as? Bool == true)

    // Credentials never reach the disk.
    let stored = try Data(contentsOf: URL(fileURLWithPath: session))
    #expect(stored.range(of: Data("s3cr3t".utf8)) == nil)
    #expect(try UmbraProcess.run(["show", session, "--format", "curl"]).output.contains("Bearer "))
    let permissions = try FileManager.default.attributesOfItem(atPath: session)[.posixPermissions] as? Int
    #expect(permissions == 0o600)

    // A shadow with one change in one place.
    let shadow = try Nginx(
      locations: """
        location /item { return 200 '{"price": "12.50", "id": 7, "tags": ["a", "b"]}'; }
        location /gone { return 404 '{}'; }
        location /same { return 200 'the same'; }
        location /order { return 500 'must not be asked'; }
        """)
    let run = scratch.path("run.umbra-run")
    let replayed = try UmbraProcess.run([
      "replay", session, "--target", "http://127.0.0.1:\(shadow.port)", "--speed", "max", "-o", run,
      "--report", scratch.path("report.html"),
    ])
    #expect(replayed.status == 1, "\(replayed.error)\(replayed.output)")
    let reported = try UmbraProcess.run(["report", run, "--format", "json"])
    #expect(reported.status == 1)
    let report = try #require(
      JSONSerialization.jsonObject(with: Data(reported.output.utf8)) as? [String: Any])
    #expect((report["verdict"] as? [String: Any])?["outcome"] as? String == "fail")
    let clusters = try #require(report["clusters"] as? [[String: Any]])
    let severe = clusters.filter { $0["severity"] as? String != "info" }
    #expect(severe.count == 1)
    #expect(severe.first?["location"] as? String == "body:/price")
    #expect(severe.first?["kind"] as? String == "type")
    #expect(severe.first?["severity"] as? String == "high")
    let schedule = try #require(report["schedule"] as? [String: Any])
    #expect((schedule["skipped"] as? [String: Any])?["unsafe-method"] as? Int == 1)
    let html = try String(contentsOfFile: scratch.path("report.html"), encoding: .utf8)
    #expect(html.contains("/price"))

    // Left out, the rest agrees; a gate on errors passes as well.
    let ignored = try UmbraProcess.run([
      "report", run, "--ignore", "body:/price", "--gate", "error.rate < 1%", "--gate", "regressions == 0",
    ])
    #expect(ignored.status == 0, "\(ignored.output)\(ignored.error)")
  }

  @Test func replayedAgainstItselfNothingDiffers() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 '{\"a\": 1}'; }")
    let session = scratch.path("s.umbra")
    let capturing = try capture(port: primary.port, to: session, ["--max-exchanges", "20"])
    let targets = (1...20).map { "http://127.0.0.1:\(primary.port)/items/\($0)" }
    _ = try curl(targets)
    #expect(capturing.wait().status == 0)
    // The captured server itself is refused unless forced.
    let target = ["--target", "http://127.0.0.1:\(primary.port)", "--speed", "max"]
    let refused = try UmbraProcess.run(["replay", session] + target)
    #expect(refused.status == 2)
    #expect(refused.error.contains("--force"))
    let forced = try UmbraProcess.run(["replay", session, "--force"] + target)
    #expect(forced.status == 0, "\(forced.output)\(forced.error)")
    #expect(forced.output.contains("GET /items/{id}"))
  }

  @Test func uploadsChunksAndCodingsAreTrueCopies() throws {
    let scratch = try Scratch()
    let text = String(repeating: "the quick brown fox ", count: 5000)
    let primary = try Nginx(
      locations: """
        gzip on; gzip_types text/plain; gzip_min_length 10;
        location /text { default_type text/plain; }
        location /put { return 200 'ok'; }
        """, files: ["text": text])
    let session = scratch.path("s.umbra")
    let capturing = try capture(port: primary.port, to: session)
    let base = "http://127.0.0.1:\(primary.port)"
    let upload = String(repeating: "0123456789abcdef", count: 20_000)
    let file = try scratch.write("upload", upload)
    _ = try curl(["-H", "Accept-Encoding: gzip", "-o", scratch.path("gz"), "\(base)/text"])
    _ = try curl(["-T", file, "\(base)/put"])
    _ = try curl(["-H", "Transfer-Encoding: chunked", "-T", file, "\(base)/put"])
    usleep(300_000)
    capturing.terminate()
    #expect(capturing.wait().status == 0)
    let recorded = try exchanges(session)
    #expect(recorded.count == 3)
    let bodies = recorded.map { (($0["request"] as? [String: Any])?["body"] as? [String: Any]) }
    #expect(bodies[1]?["text"] as? String == upload)
    #expect(bodies[2]?["text"] as? String == upload)
    let coded = ((recorded[0]["response"] as? [String: Any])?["body"] as? [String: Any])?["base64"] as? String
    #expect(try Data(base64Encoded: #require(coded)) == Data(contentsOf: URL(fileURLWithPath: scratch.path("gz"))))
  }

  @Test func captureThroughPipes() throws {
    guard let tcpdump = program("tcpdump") else { return }
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let dump = scratch.path("lo.pcap")
    let sniffing = try Child(tcpdump, ["-i", "lo", "--immediate-mode", "-U", "-w", dump, "tcp port \(primary.port)"])
    try #require(eventually { sniffing.standardError.contains("listening on") })
    _ = try curl(["http://127.0.0.1:\(primary.port)/a", "http://127.0.0.1:\(primary.port)/b"])
    usleep(300_000)
    sniffing.interrupt()
    _ = sniffing.wait()
    let packets = try Data(contentsOf: URL(fileURLWithPath: dump))
    let written = try UmbraProcess.run(["capture", "-r", "-", "-w", scratch.path("s.umbra")], input: packets)
    #expect(written.status == 0, "\(written.error)")
    let session = try Data(contentsOf: URL(fileURLWithPath: scratch.path("s.umbra")))
    let shown = try UmbraProcess.run(["show", "-"], input: session)
    #expect(shown.status == 0)
    #expect(shown.output.contains("/a") && shown.output.contains("/b"))
    #expect(shown.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test func aKilledCaptureLosesAtMostTheLastSecond() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let session = scratch.path("s.umbra")
    let capturing = try capture(port: primary.port, to: session)
    _ = try curl((1...50).map { "http://127.0.0.1:\(primary.port)/\($0)" })
    usleep(1_200_000)
    capturing.kill()
    _ = capturing.wait()
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl"])
    #expect(shown.status == 0)
    #expect(shown.output.split(separator: "\n").count == 50)
    #expect(shown.error.contains("umbra:"), "what is missing is said: \(shown.error)")
  }

  @Test func aKilledCaptureHasTheRequestThatWaitsForItsAnswer() throws {
    let scratch = try Scratch()
    // 10 bytes a second: the answer takes much longer than the test.
    let primary = try Nginx(
      locations: "location / { limit_rate 10; }", files: ["slow": String(repeating: "x", count: 100_000)])
    let session = scratch.path("s.umbra")
    let capturing = try capture(port: primary.port, to: session)
    let asking = try Child(
      try #require(program("curl")), ["-s", "--max-time", "8", "http://127.0.0.1:\(primary.port)/slow"])
    var shown = ""
    // Written while the answer is still coming, so that it is there whenever the capture is killed.
    let found = eventually {
      shown = (try? UmbraProcess.run(["show", session, "--format", "jsonl"]).output) ?? ""
      return shown.contains("/slow")
    }
    capturing.kill()
    _ = capturing.wait()
    asking.terminate()
    _ = asking.wait()
    #expect(found)
    #expect(shown.contains("\"response\":null"))
  }
}
