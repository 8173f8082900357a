// A server in Python that writes down every request that it gets.

import Foundation
import Testing

/// Answers by path: `/slow` after a while, `/echo` with the request itself, `/packed` the same in gzip, anything else with
/// a time and a constant.
final class ListeningServer {
  struct Request {
    var method: String
    var target: String
    /// As they came.
    var fields: [(name: String, value: String)]
    /// Requests for the same path that were being answered when this one came, this one included.
    var inFlight: Int

    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
  }

  let port: Int
  private let child: Child
  private let log: String

  init(in scratch: Scratch) throws {
    port = try freePort()
    log = scratch.path("heard-\(port)")
    let script = try scratch.write("listening-\(port).py", ListeningServer.script)
    child = try Child(try #require(program("python3")), [script, "\(port)", log])
    let port = port
    try #require(eventually { canConnect(port) }, "\(child.standardError)")
  }

  deinit {
    child.kill()
    _ = child.wait()
  }

  var url: String { "http://127.0.0.1:\(port)" }

  /// What it has heard so far, in order.
  func heard() -> [Request] {
    let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
        let fields = object["fields"] as? [[String]]
      else { return nil }
      return Request(
        method: object["method"] as? String ?? "", target: object["target"] as? String ?? "",
        fields: fields.map { ($0[0], $0[1]) }, inFlight: object["in_flight"] as? Int ?? 0)
    }
  }

  func targets() -> [String] { heard().map(\.target) }

  /// What it has written is forgotten, so that a search of all files does not find it.
  func forget() { try? FileManager.default.removeItem(atPath: log) }

  private static let script = #"""
    import collections, gzip, json, sys, threading, time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    lock, inside = threading.Lock(), collections.Counter()

    class Listener(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        def log_message(self, *a): pass
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            path = self.path.split("?")[0]
            with lock:
                inside[path] += 1
                line = {"method": self.command, "target": self.path, "in_flight": inside[path],
                        "fields": [list(field) for field in self.headers.items()]}
                with open(sys.argv[2], "a") as log: log.write(json.dumps(line) + "\n")
            if path == "/slow": time.sleep(3)
            if path == "/limited": time.sleep(0.05)
            if path in ("/echo", "/packed"):
                body = (self.path + "\n" + str(self.headers) + json.dumps(dict(self.headers))).encode()
            else:
                body = json.dumps({"now": time.time(), "id": 7}).encode()
            with lock: inside[path] -= 1
            self.send_response(200)
            self.send_header("Content-Type", "text/plain" if path in ("/echo", "/packed") else "application/json")
            if path == "/packed":
                body = gzip.compress(body)
                self.send_header("Content-Encoding", "gzip")
            if path == "/echo": self.send_header("X-Back", self.headers.get("Authorization", ""))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        do_POST = do_GET
        do_PUT = do_GET

    ThreadingHTTPServer.request_queue_size = 256
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Listener).serve_forever()
    """#
}
