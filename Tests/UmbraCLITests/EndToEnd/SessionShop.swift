// A small application with sessions, form tokens and ids that it makes itself, and clients that use it as browsers do.

import Foundation
import Testing

/// A shop in Python: whatever it gives to a client is unknown to any other instance of it.
///
/// Logging in needs the hidden token of the login page; everything else the session's cookie; what changes something the
/// session's token in a header or a form; items and orders are found by the ids that it made.
final class SessionShop {
  let port: Int
  private let process: Child

  /// - Parameter breaks: `login` answers 500 to logging in.
  init(in scratch: Scratch, breaks: String = "") throws {
    port = try freePort()
    let script = try scratch.write("shop-\(port).py", SessionShop.script)
    process = try Child(try #require(program("python3")), [script, "serve", "\(port)", breaks])
    let port = port
    try #require(eventually { SessionShop.isListening(port) }, "\(process.standardError)")
  }

  deinit {
    process.kill()
    _ = process.wait()
  }

  /// Answers below 400 and others that it has given.
  func answers(in scratch: Scratch) throws -> (good: Int, bad: Int) {
    let script = try scratch.write("count.py", SessionShop.script)
    let result = try Child(try #require(program("python3")), [script, "count", "\(port)"]).wait()
    let counts = result.output.split(separator: " ").compactMap { Int($0.trimmingCharacters(in: .newlines)) }
    try #require(counts.count == 2, "\(result.output)\(result.error)")
    return (counts[0], counts[1])
  }

  /// What so many clients did, as a session.
  func record(clients: Int, to name: String, in scratch: Scratch) throws -> String {
    let script = try scratch.write("record.py", SessionShop.script)
    let recorded = try Child(try #require(program("python3")), [script, "record", "\(port)", "\(clients)"]).wait()
    try #require(recorded.status == 0, "\(recorded.error)")
    let lines = try scratch.write("\(name).jsonl", recorded.output)
    let session = scratch.path("\(name).umbra")
    let converted = try UmbraProcess.run(["convert", lines, session])
    try #require(converted.status == 0, "\(converted.error)")
    return session
  }

  private static func isListening(_ port: Int) -> Bool {
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

  private static let script = #"""
    import base64, datetime, http.client, json, random, re, secrets, sys, threading, time, urllib.parse
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    lock = threading.Lock()
    forms, sessions, carts, items, orders = set(), {}, {}, {}, {}
    counts = [0, 0]
    next_item = [random.randrange(100, 900)]
    breaks = sys.argv[3] if len(sys.argv) > 3 else ""

    class Shop(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        def log_message(self, *a): pass
        def answer(self, status, body="", kind="application/json", **fields):
            data = body.encode()
            if self.path != "/_counts":
                with lock: counts[0 if status < 400 else 1] += 1
            self.send_response(status)
            for name, value in fields.items(): self.send_header(name.replace("_", "-"), value)
            if data: self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        def session(self):
            found = re.search(r"sid=([^;]+)", self.headers.get("Cookie", ""))
            return sessions.get(found.group(1)) if found else None
        def do_GET(self):
            path = self.path.split("?")[0]
            query = dict(urllib.parse.parse_qsl(self.path.partition("?")[2]))
            if path == "/_counts": return self.answer(200, json.dumps(counts))
            if path == "/login":
                token = base64.b64encode(secrets.token_bytes(12)).decode()
                with lock: forms.add(token)
                page = f"<html><form method=post><input type=\"hidden\" name=\"csrf_token\" value=\"{token}\"></form></html>"
                return self.answer(200, page, "text/html; charset=utf-8")
            session = self.session()
            if not session: return self.answer(401)
            if path == "/cart": return self.answer(200, json.dumps({"cart": {"id": session["cart"]}}))
            if path == "/profile":
                if query.get("state") != base64.urlsafe_b64encode(session["handle"].encode()).decode().rstrip("="):
                    return self.answer(403)
                return self.answer(200, json.dumps({"name": session["user"]}))
            part = path.split("/")
            if part[1] == "items" and part[2] in items: return self.answer(200, json.dumps({"sku": items[part[2]]}))
            if part[1] == "orders" and part[2] in orders: return self.answer(200, json.dumps({"lines": orders[part[2]]}))
            self.answer(404)
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = dict(urllib.parse.parse_qsl(body))
            if self.path == "/login":
                if breaks == "login": return self.answer(500)
                if form.get("csrf_token") not in forms: return self.answer(403)
                sid, csrf, cart = secrets.token_hex(16), secrets.token_urlsafe(18), "crt_" + secrets.token_hex(8)
                handle = secrets.token_urlsafe(12)
                with lock:
                    sessions[sid] = {"user": form["user"], "csrf": csrf, "cart": cart, "handle": handle}
                    carts[cart] = []
                return self.answer(200, json.dumps({"csrf_token": csrf, "handle": handle}), Set_Cookie=f"sid={sid}; Path=/; HttpOnly")
            session = self.session()
            if not session: return self.answer(401)
            part = self.path.split("/")
            if part[1] == "carts":
                if self.headers.get("X-CSRF-Token") != session["csrf"] or part[2] not in carts: return self.answer(403)
                with lock:
                    next_item[0] += 1
                    number = next_item[0]
                items[str(number)] = json.loads(body)["sku"]
                carts[part[2]].append(number)
                return self.answer(201, json.dumps({"id": number}), Location=f"/items/{number}")
            if part[1] == "orders":
                if form.get("csrf_token") != session["csrf"] or form.get("cart") not in carts: return self.answer(403)
                order = secrets.token_hex(10)
                orders[order] = len(carts[form["cart"]])
                return self.answer(303, Location=f"http://{self.headers['Host']}/orders/{order}?new=1")
            self.answer(404)

    class Client:
        def __init__(self, port, number, begin):
            self.port, self.number, self.begin, self.connection, self.place = port, number, begin, number * 10, 0
            self.http = http.client.HTTPConnection("127.0.0.1", port)
            self.cookie, self.lines = None, []
        def reconnect(self):
            self.http.close()
            self.http = http.client.HTTPConnection("127.0.0.1", self.port)
            self.connection, self.place = self.connection + 1, 0
        def ask(self, method, target, body=None, **fields):
            fields = {name.replace("_", "-"): value for name, value in fields.items()}
            if self.cookie: fields["Cookie"] = "theme=dark; sid=" + self.cookie
            fields["Host"] = f"shop:{self.port}"
            if body is not None: fields["Content-Length"] = str(len(body))
            start = time.time_ns()
            self.http.request(method, target, body, fields)
            response = self.http.getresponse()
            text = response.read().decode()
            end = time.time_ns()
            assert response.status < 400, (method, target, response.status)
            self.place += 1
            stamp = datetime.datetime.fromtimestamp(start // 10**9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
            took = max(1, (end - start) // 1000)
            self.lines.append((start, {
                "id": f"{self.connection}-{self.place}", "protocol": "http/1.1", "connection": self.connection,
                "client": f"127.0.0.1:{20000 + self.connection}", "server": "192.0.2.1:80", "tls": False,
                "start": f"{stamp}.{start % 10**9:09d}Z",
                "request": {"method": method, "target": target, "headers": [[n, v] for n, v in fields.items()],
                            "body": {"text": body or "", "complete": True}},
                "response": {"status": response.status, "reason": response.reason, "headers": [list(h) for h in response.getheaders()],
                             "body": {"text": text, "complete": True}},
                "timing": {"request_us": 1, "first_byte_us": took, "total_us": took}}))
            return response, text
        def visit(self):
            _, page = self.ask("GET", "/login")
            token = re.search(r'value="([^"]+)"', page).group(1)
            form = urllib.parse.urlencode({"user": f"user {self.number}", "csrf_token": token})
            response, text = self.ask("POST", "/login", form, Content_Type="application/x-www-form-urlencoded")
            self.cookie = re.search(r"sid=([^;]+)", response.getheader("Set-Cookie")).group(1)
            csrf, handle = json.loads(text)["csrf_token"], json.loads(text)["handle"]
            cart = json.loads(self.ask("GET", "/cart")[1])["cart"]["id"]
            self.reconnect()
            self.ask("GET", "/profile?state=" + base64.urlsafe_b64encode(handle.encode()).decode().rstrip("="))
            for sku in range(3):
                body = json.dumps({"sku": f"A{sku}"})
                response, text = self.ask("POST", f"/carts/{cart}/items", body, Content_Type="application/json", X_CSRF_Token=csrf)
                self.ask("GET", f"/items/{json.loads(text)['id']}")
            self.reconnect()
            form = urllib.parse.urlencode({"cart": cart, "csrf_token": csrf})
            response, _ = self.ask("POST", "/orders", form, Content_Type="application/x-www-form-urlencoded")
            self.ask("GET", re.sub(r"^http://[^/]+", "", response.getheader("Location")))

    mode, port = sys.argv[1], int(sys.argv[2])
    if mode == "serve":
        ThreadingHTTPServer.request_queue_size = 256
        ThreadingHTTPServer(("127.0.0.1", port), Shop).serve_forever()
    elif mode == "count":
        http_client = http.client.HTTPConnection("127.0.0.1", port)
        http_client.request("GET", "/_counts")
        print(*json.loads(http_client.getresponse().read()))
    else:
        clients = [Client(port, number + 1, 0) for number in range(int(sys.argv[3]))]
        threads = [threading.Thread(target=client.visit) for client in clients]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        for _, line in sorted((line for client in clients for line in client.lines), key=lambda line: line[0]): print(json.dumps(line))
    """#
}
