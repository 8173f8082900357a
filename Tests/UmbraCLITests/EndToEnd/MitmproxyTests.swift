// Flow files that a real mitmdump writes: HTTP/1.1, HTTP/2 over TLS, content codings, a WebSocket, an answer that is cut.

import Foundation
import Testing

@Suite(
  .enabled(if: program("mitmdump") != nil, "mitmdump is not installed"),
  .enabled(if: program("curl") != nil, "curl is not installed"),
  .enabled(if: program("python3") != nil, "python3 is not installed"))
struct RealMitmproxyTests {
  /// What curl was given for each target, and the flows.
  private static func record(in scratch: Scratch) throws -> (flows: String, heard: [String: String]) {
    let (server, proxy) = (try freePort(), try freePort())
    let flows = scratch.path("flows")
    let origin = try PythonPeer.start(MitmproxyPeers.origin, ["\(server)"])
    defer { end(origin) }
    try #require(eventually { canConnect(server) }, "\(origin.standardError)")
    let recorder = try Child(
      try #require(program("mitmdump")),
      [
        "-q", "--mode", "reverse:http://127.0.0.1:\(server)", "--listen-host", "127.0.0.1", "-p", "\(proxy)",
        "-w", flows, "--set", "confdir=\(scratch.path("mitmproxy"))",
      ])
    defer { end(recorder) }
    let isUp = eventually { canConnect(proxy) } || eventually { canConnect(proxy) }
    try #require(isUp, "\(recorder.standardError)")
    var heard: [String: String] = [:]
    func curl(_ target: String, _ arguments: [String] = [], scheme: String = "http") throws {
      let command = ["-s", "-k", "-m", "30", "\(scheme)://127.0.0.1:\(proxy)\(target)"] + arguments
      heard[target] = try Child(try #require(program("curl")), command).wait().output
    }
    try curl("/plain")
    try curl("/packed", ["--compressed"])
    try curl("/chunked")
    try curl("/echo?x=1", ["-d", "a=b&c=d", "-H", "X-OdD-Name: v"])
    try curl("/cut")
    try curl("/over-h2", ["--http2", "-d", "over HTTP/2"], scheme: "https")
    let webSocket = try PythonPeer.start(MitmproxyPeers.webSocketClient, ["\(proxy)"]).wait()
    try #require(webSocket.status == 0, "\(webSocket.error)")
    // What it holds in memory is written when it ends.
    recorder.terminate()
    _ = recorder.wait()
    return (flows, heard)
  }

  private static func end(_ child: Child) {
    child.kill()
    _ = child.wait()
  }

  private func json(_ text: String) throws -> [String: [String: Any]] {
    var lines: [String: [String: Any]] = [:]
    for line in text.split(separator: "\n") {
      let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      let request = try #require(object["request"] as? [String: Any])
      lines[request["target"] as? String ?? ""] = object
    }
    return lines
  }

  @Test("What mitmdump wrote is what curl saw, and can be sent again")
  func recorded() throws {
    let scratch = try Scratch()
    let (flows, heard) = try Self.record(in: scratch)
    let session = scratch.path("flows.umbra")
    let converted = try UmbraProcess.run(["convert", flows, session])
    try #require(converted.status == 0, "\(converted.error)")
    #expect(converted.error.contains("7 exchanges"))
    let printed = try UmbraProcess.run(["show", session, "--format", "jsonl", "--body", "inline"])
    let exchanges = try json(printed.output)
    for target in ["/plain", "/chunked", "/echo?x=1", "/over-h2"] {
      let response = try #require(exchanges[target]?["response"] as? [String: Any])
      #expect((response["body"] as? [String: Any])?["text"] as? String == heard[target], "\(target)")
    }
    let packed = try #require(exchanges["/packed"]?["response"] as? [String: Any])
    #expect(((packed["body"] as? [String: Any])?["base64"] as? String)?.hasPrefix("H4sI") == true)
    #expect(heard["/packed"] == String(repeating: "again and again ", count: 20))
    let echo = try #require(exchanges["/echo?x=1"]?["request"] as? [String: Any])
    #expect((echo["headers"] as? [[String]])?.contains(["X-OdD-Name", "v"]) == true)
    #expect(exchanges["/over-h2"]?["protocol"] as? String == "h2")
    #expect((exchanges["/over-h2"]?["tls_session"] as? [String: Any])?["alpn"] as? String == "h2")
    #expect((exchanges["/cut"]?["anomalies"] as? [String])?.contains("http1.truncated-by-close") == true)
    let messages = try #require(exchanges["/live"]?["messages"] as? [[String: Any]])
    #expect(
      messages.map { "\($0["from"] ?? "") \($0["kind"] ?? "")" }.prefix(4) == [
        "client text", "server text", "client binary", "server binary",
      ])
    #expect(messages.last?["kind"] as? String == "close")
    let server = try ListeningServer(in: scratch)
    let replayed = try UmbraProcess.run([
      "replay", session, "--target", server.url, "--allow-unsafe", "--methods", "GET,POST", "--speed", "max", "-o",
      scratch.path("run.umbra-run"),
    ])
    #expect([0, 1, 3].contains(replayed.status), "\(replayed.error)")
    #expect(server.targets().contains("/echo?x=1") && server.targets().contains("/over-h2"))
  }
}

/// Both ends of what mitmproxy records.
private enum MitmproxyPeers {
  /// Port.
  static let origin = #"""
    import base64, gzip, hashlib, sys
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Origin(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def answer(self, status, body, **fields):
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name.replace("_", "-"), value)
            if "Transfer_Encoding" not in fields:
                self.send_header("Content-Length", fields.get("length", str(len(body))))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.answer(201, self.rfile.read(int(self.headers["Content-Length"])))

        def do_GET(self):
            if self.path == "/packed":
                self.answer(200, gzip.compress(b"again and again " * 20), Content_Encoding="gzip", Content_Type="text/plain")
            elif self.path == "/chunked":
                self.answer(200, b"3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n", Transfer_Encoding="chunked")
            elif self.path == "/cut":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"short")
                self.close_connection = True
            elif self.path == "/live":
                key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                self.send_response(101)
                self.send_header("Upgrade", "websocket")
                self.send_header("Connection", "Upgrade")
                self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
                self.end_headers()
                while head := self.rfile.read(2):
                    mask = self.rfile.read(4)
                    data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(head[1] & 127)))
                    self.wfile.write(bytes([head[0], len(data)]) + data)
                    if head[0] & 15 == 8:
                        break
                self.close_connection = True
            else:
                self.answer(200, b"you asked for " + self.path.encode(), Set_Cookie="a=1")

    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Origin).serve_forever()
    """#

  /// Port. A text, a binary message, the end; waits for the answer to each.
  static let webSocketClient = #"""
    import socket, struct, sys

    peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30)
    peer.sendall(
        b"GET /live HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    assert b" 101 " in peer.recv(4096)
    for opcode, data in (1, b"hello"), (2, b"\0\xff\1"), (8, struct.pack(">H", 1000) + b"bye"):
        masked = bytes(byte ^ b"mask"[i % 4] for i, byte in enumerate(data))
        peer.sendall(bytes([0x80 | opcode, 0x80 | len(data)]) + b"mask" + masked)
        assert peer.recv(4096)
    """#
}
