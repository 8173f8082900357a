// A live primary and a control, as real servers with answers that never are the same twice.

import Foundation
import Testing

@Suite(.enabled(if: program("python3") != nil, "python3 is not installed")) struct LiveRoleTests {
  /// A server whose answers hold an identifier and a time of their own, and a field that is there by chance. The one that
  /// is called `shadow` gives the price of every fourth item as text.
  private final class Shop {
    private static let script = """
      import sys, json, random, time, http.server
      name, port, log = sys.argv[1], int(sys.argv[2]), open(sys.argv[3], "a", buffering=1)
      class Shop(http.server.BaseHTTPRequestHandler):
          protocol_version = "HTTP/1.1"
          wbufsize = -1
          disable_nagle_algorithm = True
          def do_GET(self):
              log.write(f"{self.command} {self.path} {self.headers.get('X-Umbra-Replay')}\\n")
              number = int(self.path.rsplit("/", 1)[1])
              item = {"id": number, "request": "%032x" % random.getrandbits(128), "at": time.time(),
                  "price": number * 1.5}
              if random.random() < 0.3: item["hint"] = "sold out soon"
              if name == "shadow" and number % 4 == 0: item["price"] = str(item["price"])
              body = json.dumps(item).encode()
              self.send_response(200)
              self.send_header("Content-Type", "application/json")
              self.send_header("Content-Length", str(len(body)))
              self.end_headers()
              self.wfile.write(body)
          do_POST = do_GET
          def log_message(self, *arguments): pass
      http.server.ThreadingHTTPServer(("127.0.0.1", port), Shop).serve_forever()
      """

    let port: Int
    private let child: Child
    private let log: String

    init(_ name: String, in scratch: Scratch) throws {
      port = try freePort()
      log = scratch.path("\(name).log")
      child = try PythonPeer.start(Shop.script, [name, "\(port)", log])
      try #require(eventually { Shop.answers(port) }, "the \(name) does not listen: \(child.standardError)")
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// Methods, paths and markers of what came.
    var requests: [[String]] {
      ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").map {
        $0.split(separator: " ").map(String.init)
      }
    }

    private static func answers(_ port: Int) -> Bool {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = UInt16(port).bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
    }
  }

  private static let count = 160

  /// Every tenth a POST; captured at `server`.
  private func session(in scratch: Scratch, server: String = "192.0.2.1:80") throws -> String {
    var lines = ""
    for number in 0..<LiveRoleTests.count {
      let body = #"{\"id\":\#(number),\"request\":\"0\",\"at\":1,\"price\":\#(Double(number) * 1.5)}"#
      let start = "2026-11-21T00:00:0\(number / 1000).\(String(1000 + number % 1000).dropFirst())000000Z"
      lines += """
        {"id":"\(number % 8 + 1)-\(number / 8 + 1)","protocol":"http/1.1","connection":\(number % 8 + 1),"stream":null,\
        "client":"192.0.2.9:5000\(number % 8)","server":"\(server)","tls":false,"start":"\(start)",\
        "request":{"method":"\(number % 10 == 9 ? "POST" : "GET")","target":"/items/\(number)","scheme":"http",\
        "authority":"shop","headers":[["Host","shop"]],"trailers":[],"body":{"size":0,"complete":true}},\
        "response":{"status":200,"reason":"OK","headers":[["Content-Type","application/json"]],"trailers":[],\
        "informational":[],"body":{"size":\(body.utf8.count - 8),"complete":true,"text":"\(body)"}},\
        "timing":{"request_us":10,"first_byte_us":900,"total_us":1200}}

        """
    }
    let path = scratch.path("shop-\(UUID().uuidString).umbra")
    let made = try UmbraProcess.run(["convert", try scratch.write("shop.jsonl", lines), path])
    try #require(made.status == 0, "\(made.error)")
    return path
  }

  private func json(_ path: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
  }

  /// Places of confirmed findings.
  private func regressions(_ report: [String: Any]) throws -> [String] {
    try #require(report["clusters"] as? [[String: Any]]).filter { $0["confirmed"] as? Bool == true }
      .compactMap { $0["location"] as? String }
  }

  private func replay(
    _ session: String, _ shadow: Shop, in scratch: Scratch, _ more: [String]
  ) throws -> (result: UmbraProcess.Result, report: [String: Any]) {
    let report = scratch.path("report-\(UUID().uuidString).json")
    let result = try UmbraProcess.run(
      ["replay", session, "--target", shadow.url, "--speed", "max", "--progress", "none", "--report", report] + more)
    return (result, try json(report))
  }

  @Test func noiseIsMeasuredAndThePlantedRegressionIsFound() throws {
    let scratch = try Scratch()
    let session = try session(in: scratch)
    let (shadow, primary, control) = (
      try Shop("shadow", in: scratch), try Shop("primary", in: scratch), try Shop("control", in: scratch)
    )
    let run = scratch.path("live.umbra-run")
    let (result, report) = try replay(
      session, shadow, in: scratch, ["--primary", primary.url, "--control", control.url, "-o", run])
    #expect(result.status == 1, "\(result.output)\(result.error)")
    #expect(try regressions(report) == ["body:/price"], "\(result.output)")
    let evidence = try #require(report["comparison"] as? [String: Any])
    #expect(evidence["primary"] as? String == "live" && evidence["controlled"] as? Int == 144)
    #expect((report["run"] as? [String: Any])?["primary"] as? String == primary.url)
    #expect(result.output.contains("compared with the live primary \(primary.url); noise measured with the"))
    // All with the run's marker, none that may change something.
    for shop in [shadow, primary, control] {
      #expect(shop.requests.count == 144 && shop.requests.allSatisfy { $0[0] == "GET" })
      #expect(Set(shop.requests.map { $0[2] }) == [(report["run"] as? [String: Any])?["id"] as? String ?? ""])
    }
    // The run file says the same again.
    let again = try UmbraProcess.run(["report", run, "--format", "json", "-o", scratch.path("again.json")])
    #expect(again.status == 1, "\(again.error)")
    let repeated = try json(scratch.path("again.json"))
    #expect(try regressions(repeated) == ["body:/price"])
    #expect((repeated["comparison"] as? [String: Any])?["controlled"] as? Int == 144)
    let shown = try UmbraProcess.run(["show", run, "--id", "1-1"])
    for role in ["shadow", "primary", "control"] { #expect(shown.output.contains("to the \(role): answered")) }
  }

  @Test func withoutAControlChanceIsTakenForARegression() throws {
    let scratch = try Scratch()
    let session = try session(in: scratch)
    let (shadow, primary) = (try Shop("shadow", in: scratch), try Shop("primary", in: scratch))
    let (result, report) = try replay(session, shadow, in: scratch, ["--primary", primary.url])
    #expect(result.status == 1, "\(result.output)\(result.error)")
    let places = try regressions(report)
    #expect(places.contains("body:/price") && places.contains("body:/hint"), "\(places)")
    #expect(result.output.contains("No control was asked"))
    #expect(result.output.contains("without a control"))
  }

  @Test func whatMayChangeSomethingNeedsAFlagOfItsOwn() throws {
    let scratch = try Scratch()
    let session = try session(in: scratch)
    let (shadow, primary) = (try Shop("shadow", in: scratch), try Shop("primary", in: scratch))
    var (result, report) = try replay(session, shadow, in: scratch, ["--primary", primary.url, "--allow-unsafe"])
    #expect(shadow.requests.count { $0[0] == "POST" } == 16 && !primary.requests.contains { $0[0] == "POST" })
    #expect((report["comparison"] as? [String: Any])?["held_against_recorded"] as? Int == 16)
    #expect(result.output.contains("16 requests that may change something were not sent to the primary"))
    (result, report) = try replay(
      session, shadow, in: scratch, ["--primary", primary.url, "--allow-unsafe", "--allow-unsafe-primary"])
    #expect(primary.requests.count { $0[0] == "POST" } == 16)
    #expect((report["comparison"] as? [String: Any])?["held_against_recorded"] as? Int == 0)
  }

  @Test func flagsThatWouldDoNothingAreRefused() throws {
    for (more, reason) in [
      (["--allow-unsafe", "--allow-unsafe-primary"], "name one of them"),
      (["--primary", "http://a", "--allow-unsafe-primary"], "give that too"),
      (["--primary", "ftp://a"], "the scheme 'ftp'"), (["--control", "http://a?b"], "no query"),
    ] {
      let result = try UmbraProcess.run(["replay", "none.umbra", "--target", "http://127.0.0.1:9"] + more)
      #expect(result.status == 64 && result.error.contains(reason), "\(more): \(result.error)")
    }
  }

  @Test func theCapturedServerMayBeThePrimaryForWhatIsSafe() throws {
    let scratch = try Scratch()
    let (shadow, primary) = (try Shop("shadow", in: scratch), try Shop("primary", in: scratch))
    let session = try session(in: scratch, server: "127.0.0.1:\(primary.port)")
    let plain = try replay(session, shadow, in: scratch, ["--primary", primary.url, "--control", primary.url])
    #expect(plain.result.status == 1 && primary.requests.count == 288, "\(plain.result.error)")
    let unsafe = ["--primary", primary.url, "--allow-unsafe", "--allow-unsafe-primary"]
    let refused = try UmbraProcess.run(
      ["replay", session, "--target", shadow.url, "--speed", "max", "--progress", "none"] + unsafe)
    #expect(refused.status == 2 && refused.error.contains("is the server that was captured"), "\(refused.error)")
    #expect(!primary.requests.contains { $0[0] == "POST" })
    let forced = try replay(session, shadow, in: scratch, unsafe + ["--force"])
    #expect(primary.requests.count { $0[0] == "POST" } == 16, "\(forced.result.error)")
  }

  @Test func aPrimaryThatFailsMakesTheRunInconclusive() throws {
    let scratch = try Scratch()
    let session = try session(in: scratch)
    let shadow = try Shop("shadow", in: scratch)
    let port = try freePort()
    let closing = try PythonPeer.start(
      """
      import socket, sys
      listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
      print("listening", flush=True)
      while True: listener.accept()[0].close()
      """, ["\(port)"])
    defer { closing.kill() }
    try #require(eventually { closing.standardOutput.contains("listening") })
    let (result, report) = try replay(
      session, shadow, in: scratch, ["--primary", "http://127.0.0.1:\(port)", "--breaker", "off"])
    #expect(result.status == 3, "\(result.output)\(result.error)")
    #expect(result.output.contains("The primary failed") || result.output.contains("No pair could be compared"))
    #expect((report["totals"] as? [String: Any])?["answered"] as? Int == 144)
    #expect(try regressions(report).isEmpty)
  }

  @Test func aDryRunSaysWhoWouldBeAsked() throws {
    let scratch = try Scratch()
    let session = try session(in: scratch)
    let result = try UmbraProcess.run([
      "replay", session, "--target", "http://127.0.0.1:9", "--primary", "http://127.0.0.1:10", "--control",
      "http://127.0.0.1:11", "--allow-unsafe", "--correlate", "auto", "--dry-run",
    ])
    #expect(result.status == 0, "\(result.error)")
    for line in [
      "  primary    http://127.0.0.1:10\n", "  control    http://127.0.0.1:11\n", "16 of them to the shadow alone",
      "  correlates ",
    ] { #expect(result.output.contains(line), "\(line) is not in \(result.output)") }
  }
}
