// HTTP/2 in the clear between real peers: curl, h2load and nghttp against nginx and nghttpd.

import Foundation
import Testing

@Suite(
  .serialized, .enabled(if: program("nginx") != nil, "nginx is not installed"),
  .enabled(if: program("nghttpd") != nil && program("h2load") != nil, "nghttp2's programs are not installed"),
  .enabled(if: program("curl") != nil, "curl is not installed"),
  .enabled(if: geteuid() == 0, "live capture is for root"))
struct HTTP2Tests {
  private func capture(port: Int, to session: String) throws -> Child {
    let child = try Child(
      UmbraProcess.binary.path,
      ["capture", "-i", "lo", "-p", "\(port)", "-w", session, "--progress", "plain"])
    try #require(eventually { child.standardError.contains("capturing on lo") }, "\(child.standardError)")
    return child
  }

  private func end(_ capturing: Child) -> String {
    usleep(300_000)
    capturing.interrupt()
    let result = capturing.wait()
    #expect(result.status == 0)
    return result.error
  }

  private func run(_ name: String, _ arguments: [String]) throws -> String {
    let result = try Child(try #require(program(name)), arguments).wait()
    #expect(result.status == 0, "\(name): \(result.error)")
    return result.output
  }

  private func exchanges(_ session: String) throws -> [[String: Any]] {
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl", "--body", "inline"])
    #expect(shown.status == 0, "\(shown.error)")
    return try shown.output.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func curlAndNginx() throws {
    let scratch = try Scratch()
    let primary = try Nginx(
      locations: "location / { return 200 'hello'; } location /post { return 201 'made'; }", protocols: "http2")
    let session = scratch.path("s.umbra")
    let capturing = try capture(port: primary.port, to: session)
    let base = "http://127.0.0.1:\(primary.port)"
    _ = try run("curl", ["-s", "--http2-prior-knowledge", "\(base)/a?x=1"])
    _ = try run("nghttp", ["-n", "\(base)/b", "\(base)/c"])
    let form = try scratch.write("form", "a=b")
    _ = try run("nghttp", ["-n", "-d", form, "-H", "authorization: Bearer s3cr3t-t0ken", "\(base)/post"])
    let summary = end(capturing)
    #expect(summary.contains("4 exchanges") && summary.contains("complete: 100%"), "\(summary)")
    let recorded = try exchanges(session)
    #expect(recorded.map { $0["protocol"] as? String } == ["h2", "h2", "h2", "h2"])
    try #require(recorded.count == 4)
    let requests = recorded.compactMap { $0["request"] as? [String: Any] }
    #expect(requests.map { $0["target"] as? String } == ["/a?x=1", "/b", "/c", "/post"])
    #expect(requests.allSatisfy { $0["scheme"] as? String == "http" })
    #expect(requests.allSatisfy { $0["authority"] as? String == "127.0.0.1:\(primary.port)" })
    #expect((requests[3]["body"] as? [String: Any])?["text"] as? String == "a=b")
    let responses = recorded.compactMap { $0["response"] as? [String: Any] }
    #expect(responses.map { $0["status"] as? Int } == [200, 200, 200, 201])
    #expect((responses[0]["body"] as? [String: Any])?["text"] as? String == "hello")
    let stored = try Data(contentsOf: URL(fileURLWithPath: session))
    #expect(stored.range(of: Data("s3cr3t".utf8)) == nil)
  }

  @Test func manyStreamsAtOnce() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'hello'; }", protocols: "http2")
    let session = scratch.path("s.umbra")
    let capturing = try capture(port: primary.port, to: session)
    let load = try run(
      "h2load", ["-n", "2000", "-c", "4", "-m", "20", "http://127.0.0.1:\(primary.port)/x"])
    #expect(load.contains("2000 succeeded"))
    let summary = end(capturing)
    #expect(summary.contains("2,000 exchanges") && summary.contains("complete: 100%"), "\(summary)")
    let stats = try UmbraProcess.run(["stats", session, "--format", "json"])
    #expect(stats.output.contains("\"h2\":2000") || stats.output.contains("\"h2\": 2000"), "\(stats.output)")
  }

  @Test func trailersAndPushes() throws {
    let scratch = try Scratch()
    try scratch.write("page", "the page")
    try scratch.write("style", "the style")
    let port = try freePort()
    let server = try Child(
      try #require(program("nghttpd")),
      [
        "--no-tls", "-d", scratch.url.path, "--trailer", "x-sum: 42", "-p", "/page=/style", "\(port)",
      ])
    defer { server.terminate() }
    try #require(eventually { canConnect(port) })
    let session = scratch.path("s.umbra")
    let capturing = try capture(port: port, to: session)
    _ = try run("nghttp", ["-n", "http://127.0.0.1:\(port)/page"])
    _ = end(capturing)
    let recorded = try exchanges(session)
    let page = try #require(recorded.first { ($0["request"] as? [String: Any])?["target"] as? String == "/page" })
    let answer = try #require(page["response"] as? [String: Any])
    #expect(answer["trailers"] as? [[String]] == [["x-sum", "42"]])
    #expect((answer["body"] as? [String: Any])?["text"] as? String == "the page")
    let pushed = try #require(recorded.first { $0["pushed_by"] != nil })
    #expect((pushed["request"] as? [String: Any])?["target"] as? String == "/style")
    #expect(pushed["pushed_by"] as? Int == page["stream"] as? Int)
    #expect(((pushed["response"] as? [String: Any])?["body"] as? [String: Any])?["text"] as? String == "the style")
  }

  @Test(.enabled(if: PythonPeer.has("h2"), "python3 with h2 is not installed"))
  func oddFrames() throws {
    let scratch = try Scratch()
    let port = try freePort()
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"))
    let peers = try PythonPeer.start(PythonPeer.oddFrames, ["\(port)"]).wait()
    try #require(peers.status == 0, "\(peers.error)")
    let said = capture.end()
    let recorded = try capture.exchanges(["--body", "inline"])
    try #require(recorded.count == 5, "\(said)")
    for (number, exchange) in recorded.prefix(4).enumerated() {
      let request = try #require(exchange["request"] as? [String: Any])
      let answer = try #require(exchange["response"] as? [String: Any])
      #expect(request["target"] as? String == "/\(number)" && exchange["anomalies"] as? [String] == [])
      #expect((request["body"] as? [String: Any])?["text"] as? String == "body")
      #expect(request["trailers"] as? [[String]] == [["x-end", "\(number)"]])
      #expect(answer["informational"] as? [Int] == [103] && answer["trailers"] as? [[String]] == [["x-sum", "42"]])
      #expect((answer["body"] as? [String: Any])?["text"] as? String == "first second")
      let long = (answer["headers"] as? [[String]])?.first { $0.first == "x-long" }?.last
      #expect(long?.utf8.count == 40_000)
    }
    #expect((recorded[4]["reset"] as? [String: Any])?["name"] as? String == "CANCEL")
  }

  /// The capture begins while a connection is in use: tables and frame boundaries have to be found out.
  @Test func joinedInTheMiddle() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'hello'; }", protocols: "http2")
    let load = try Child(
      try #require(program("h2load")),
      ["-D", "3", "-c", "1", "-m", "1", "--rps", "200", "http://127.0.0.1:\(primary.port)/joined"])
    usleep(700_000)
    let session = scratch.path("s.umbra")
    let capturing = try capture(port: primary.port, to: session)
    _ = load.wait()
    _ = end(capturing)
    let recorded = try exchanges(session).dropFirst(2)
    #expect(recorded.count > 100)
    // h2load sends the whole path by reference to an entry of before: known it can't be, guessed it must not be.
    for exchange in recorded {
      let request = try #require(exchange["request"] as? [String: Any])
      let target = request["target"] as? String
      let anomalies = exchange["anomalies"] as? [String] ?? []
      #expect(target == "/joined" || target == "" && anomalies.contains("h2.unresolved-index"), "\(exchange)")
      let answer = try #require(exchange["response"] as? [String: Any])
      #expect((answer["body"] as? [String: Any])?["text"] as? String == "hello")
    }
  }
}
