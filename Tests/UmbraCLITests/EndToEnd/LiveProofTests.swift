// Planted regressions among noise, live: three real servers, and one finding for each regression and nothing else.

import Foundation
import Testing

@Suite(.serialized, .enabled(if: program("python3") != nil, "python3 is not installed")) struct LiveProofTests {
  /// A primary with all the noise that real ones have; the one that is called `shadow` has the regressions.
  private static let script = #"""
    import http.server, json, random, struct, sys, time
    name, port, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    chance = random.Random(name + seed)
    shadow = name == "shadow"
    class Shop(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True
        def give(self, status, text, fields):
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Request-Id", "%032x" % chance.getrandbits(128))
            for field in fields: self.send_header(*field)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def do_GET(self):
            step = self.path.partition("?")[0].split("/")
            number = int(step[2]) if len(step) > 2 and step[2].isdigit() else 0
            if chance.random() < 0.01: return self.give(503, '{"error":"busy"}', [])
            if step[1] == "search": time.sleep(0.05 if shadow else 0.01)
            if step[1] == "reviews" and shadow and number % 50 == 3: return self.give(500, '{"error":"null"}', [])
            tags = ["a", "b", "c", "d"]
            chance.shuffle(tags)
            answer = {"trace": "%032x" % chance.getrandbits(128), "generated_at": time.time(), "tags": tags,
                      "left": chance.choice([8] * 9 + [7])}
            if step[1] == "items":
                price = number + 0.5
                answer["price"] = str(price) if shadow and "currency=JPY" in self.path else price
            if step[1] == "quotes": answer["amount"] = float("0.12345678901" + ("" if shadow else str(1 + number % 9)))
            if step[1] == "users":
                answer["name"] = "n%d" % number
                if not (shadow and self.headers.get("X-View") == "compact"): answer["email"] = "n%d@e.example" % number
            if step[1] == "orders":
                lines = [{"id": number * 10 + k, "quantity": k + 1} for k in range(4)]
                answer["lines"] = lines[::-1] if shadow else lines
            self.give(200, json.dumps(answer), [] if step[1] == "lists" and shadow else [("Cache-Control", "max-age=60")])
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            message = bytes([8, chance.randrange(1, 100), 16, 3 if shadow else 2, 26, 2, 104, 105])
            body = b"\0" + struct.pack(">I", len(message)) + message
            self.send_response(200)
            self.send_header("Content-Type", "application/grpc")
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Trailer", "grpc-status")
            self.end_headers()
            self.wfile.write(b"%x\r\n" % len(body) + body + b"\r\n0\r\ngrpc-status: 0\r\n\r\n")
        def log_message(self, *arguments): pass
    http.server.ThreadingHTTPServer.request_queue_size = 256
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Shop).serve_forever()
    """#

  private static let regressions: Set<String> = [
    "GET /items/{id} body:/price type", "GET /quotes/{id} body:/amount changed", "GET /users/{id} body:/email removed",
    "GET /orders/{id}/lines body:/lines order", "GET /lists header:cache-control removed",
    "GET /reviews/{id} status changed", "GET /search latency changed", "POST /shop.Orders/Get body:/2:varint/* changed",
  ]

  private static let requestsPerEndpoint = 100

  /// All endpoints in turn, the last two of them without a regression.
  private static func session(in scratch: Scratch) throws -> String {
    var lines = ""
    for number in 0..<requestsPerEndpoint * 10 {
      let id = number / 10
      var (method, target, fields) = ("GET", "", [["Host", "shop"]])
      switch number % 10 {
      case 0: target = "/items/\(1000 + id)?currency=\(["EUR", "JPY", "USD"][id % 3])&page=\(id % 5)"
      case 1: target = "/quotes/\(id)"
      case 2:
        target = "/users/\(id)"
        fields.append(["X-View", id % 4 == 0 ? "compact" : "full"])
      case 3: target = "/orders/\(id)/lines"
      case 4: target = "/lists?page=\(id % 9)"
      case 5: target = "/reviews/\(id)"
      case 6: target = "/search?q=w\(id % 40)"
      case 7:
        (method, target) = ("POST", "/shop.Orders/Get")
        fields += [["Content-Type", "application/grpc"], ["Content-Length", "0"]]
      case 8: target = "/health"
      default: target = "/carts/\(id)"
      }
      let exchange: [String: Any] = [
        "id": "\(number % 16 + 1)-\(number / 16 + 1)", "protocol": "http/1.1", "connection": number % 16 + 1,
        "client": "192.0.2.9:\(50_000 + number % 16)", "server": "192.0.2.1:80", "tls": false,
        "start": "2026-11-21T00:00:0\(number / 1000).\(String(1000 + number % 1000).dropFirst())000000Z",
        "request": ["method": method, "target": target, "headers": fields, "body": ["text": "", "complete": true]],
        "response": ["status": 200, "reason": "OK", "headers": [[String]](), "body": ["text": "", "complete": true]],
        "timing": ["request_us": 10, "first_byte_us": 900, "total_us": 1200],
      ]
      lines += String(decoding: try JSONSerialization.data(withJSONObject: exchange), as: UTF8.self) + "\n"
    }
    let path = scratch.path("proof.umbra")
    let made = try UmbraProcess.run(["convert", try scratch.write("proof.jsonl", lines), path])
    try #require(made.status == 0, "\(made.error)")
    return path
  }

  private static func server(_ name: String, seed: Int) throws -> (child: Child, url: String) {
    let port = try freePort()
    let child = try PythonPeer.start(script, [name, "\(port)", "\(seed)"])
    try #require(
      eventually {
        (try? Child(program("bash") ?? "/bin/bash", ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port)"]).wait().status) == 0
      },
      "the \(name) does not listen: \(child.standardError)")
    return (child, "http://127.0.0.1:\(port)")
  }

  @Test(arguments: [1, 2]) func everyRegressionIsOneFindingAndNothingElseIs(seed: Int) throws {
    let scratch = try Scratch()
    let session = try LiveProofTests.session(in: scratch)
    let servers = try ["shadow", "primary", "control"].map { try LiveProofTests.server($0, seed: seed) }
    let report = scratch.path("proof.json")
    let result = try UmbraProcess.run([
      "replay", session, "--target", servers[0].url, "--primary", servers[1].url, "--control", servers[2].url,
      "--allow-unsafe", "--allow-unsafe-primary", "--rate", "120/s", "--seed", "\(seed)", "--progress", "none",
      "--report", report,
    ])
    try #require(result.status == 1, "\(result.output)\(result.error)")
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: report))) as? [String: Any]
    let confirmed = try #require(json?["clusters"] as? [[String: Any]]).filter { $0["confirmed"] as? Bool == true }
    // Of three servers one may be slower everywhere on a busy machine; of latency only what was planted counts.
    let found = confirmed.map { "\($0["endpoint"] ?? "") \($0["location"] ?? "") \($0["kind"] ?? "")" }
      .filter { !$0.hasSuffix(" latency changed") || LiveProofTests.regressions.contains($0) }
    #expect(
      Set(found) == LiveProofTests.regressions && found.count == LiveProofTests.regressions.count, "\(result.output)")
    func features(_ endpoint: String) -> [String] {
      let cluster = confirmed.first { $0["endpoint"] as? String == endpoint }
      return (cluster?["features"] as? [[String: Any]] ?? []).compactMap { $0["feature"] as? String }
    }
    #expect(features("GET /items/{id}") == ["currency=JPY"])
    #expect(features("GET /users/{id}") == ["header x-view: compact"])
  }
}
