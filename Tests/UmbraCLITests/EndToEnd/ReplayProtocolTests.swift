// What was recorded on HTTP/2 and gRPC goes to servers that others wrote: nghttpd, HAProxy, grpcio.

import Foundation
import Testing

@Suite(.serialized, .enabled(if: geteuid() == 0, "live capture is for root"))
struct ReplayProtocolTests {
  /// Replays a session, requires it to pass, and gives the report as JSON.
  private func report(of session: String, _ arguments: [String], in scratch: Scratch) throws -> [String: Any] {
    let run = scratch.path("\(UUID().uuidString).umbra-run")
    // At max speed there is no schedule that a busy machine could miss.
    let result = try UmbraProcess.run(
      ["replay", session, "--speed", "max", "-o", run, "--gate", "error.rate == 0", "--gate", "diff.rate == 0"]
        + arguments)
    #expect(result.status == 0, "\(result.output)\(result.error)")
    let text = try UmbraProcess.run(["report", run, "--format", "json"]).output
    return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func compared(_ report: [String: Any]) -> Int? { (report["totals"] as? [String: Any])?["compared"] as? Int }

  private func nghttpd(_ folder: String) throws -> (Child, Int) {
    let port = try freePort()
    let server = try Child(
      try #require(program("nghttpd")), ["--no-tls", "-d", folder, "--trailer", "x-sum: 42", "\(port)"])
    try #require(eventually { canConnect(port) }, "\(server.standardError)")
    return (server, port)
  }

  @Test(
    .enabled(if: program("nghttpd") != nil && program("h2load") != nil, "nghttp2's programs are not installed"),
    .enabled(if: program("haproxy") != nil, "haproxy is not installed"),
    .enabled(if: program("openssl") != nil, "openssl is not installed"))
  func streamsOfManyConnections() throws {
    let scratch = try Scratch()
    try scratch.write("small", "hello")
    // More than a window of HTTP/2 as it is at first.
    try scratch.write("large", String(repeating: "0123456789abcdef", count: 6000))
    let (primary, port) = try nghttpd(scratch.url.path)
    let (shadow, behind) = try nghttpd(scratch.url.path)
    defer { for server in [primary, shadow] { server.terminate() } }
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"))
    let base = "http://127.0.0.1:\(port)"
    let load = try Child(
      try #require(program("h2load")), ["-n", "300", "-c", "3", "-m", "10", "\(base)/small", "\(base)/large"]
    ).wait()
    try #require(load.output.contains("300 succeeded"), "\(load.output)")
    _ = capture.end()

    let (plain, clear, secure) = (try freePort(), try freePort(), try freePort())
    let (key, certificate) = try PythonPeer.certificate(in: scratch)
    let both = try scratch.write(
      "both.pem",
      String(contentsOfFile: certificate, encoding: .utf8) + String(contentsOfFile: key, encoding: .utf8))
    let configuration = try scratch.write(
      "haproxy.cfg",
      """
      defaults
        mode http
        timeout connect 10s
        timeout client 60s
        timeout server 60s
      frontend shop
        bind 127.0.0.1:\(plain)
        bind 127.0.0.1:\(clear) proto h2
        bind 127.0.0.1:\(secure) ssl crt \(both) alpn h2,http/1.1
        default_backend behind
      backend behind
        server shadow 127.0.0.1:\(behind) proto h2

      """)
    let proxy = try Child(try #require(program("haproxy")), ["-f", configuration, "-q"])
    defer { proxy.terminate() }
    let isUp = eventually { [plain, clear, secure].allSatisfy(canConnect) }
    try #require(isUp, "\(proxy.standardError)")

    let targets: [[String]] = [
      ["--target", "h2c://127.0.0.1:\(behind)"],
      ["--target", "h2c://127.0.0.1:\(behind)", "--connections", "2"],
      ["--target", "h2c://127.0.0.1:\(clear)"],
      // An answer with a length has no place for trailers on HTTP/1.1.
      ["--target", "http://127.0.0.1:\(plain)", "--protocol", "http/1.1", "--ignore", "trailer:x-sum"],
      [
        "--target", "https://shop.example:\(secure)", "--cacert", certificate, "--resolve",
        "shop.example:\(secure):127.0.0.1",
      ],
    ]
    for target in targets {
      let report = try report(of: capture.session, target, in: scratch)
      #expect(compared(report) == 300, "\(target)")
    }
  }

  /// Each kind of call, messages in both directions, one that its client gave up and one that is refused.
  @Test(
    .enabled(if: PythonPeer.has("grpc"), "python3 with grpcio is not installed"))
  func everyKindOfCall() throws {
    let scratch = try Scratch()
    let (port, behind) = (try freePort(), try freePort())
    let servers = try [port, behind].map { try PythonPeer.start(PythonPeer.grpcServer, ["\($0)"]) }
    defer { for server in servers { server.terminate() } }
    let isUp = eventually { canConnect(port) && canConnect(behind) }
    try #require(isUp, "\(servers.map(\.standardError))")
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"))
    let client = try PythonPeer.start(PythonPeer.grpcCalls, ["127.0.0.1:\(port)", "0"]).wait()
    try #require(client.status == 0, "\(client.error)")
    _ = capture.end()
    // What its client gave up has no answer of the server's own to compare with.
    let calls = scratch.path("calls.umbra")
    let cut = try UmbraProcess.run(["cut", capture.session, calls, "--where", "path!~/Slow$"])
    try #require(cut.status == 0, "\(cut.error)")
    let target = ["--target", "h2c://127.0.0.1:\(behind)"]
    let report = try report(of: calls, target + ["--allow-unsafe"], in: scratch)
    #expect(compared(report) == 8)
    let endpoints = (report["endpoints"] as? [[String: Any]] ?? []).compactMap { $0["endpoint"] as? String }
    #expect(
      Set(endpoints) == Set(["Get", "Upload", "Download", "Chat", "Refuse"].map { "POST /shop.Shop/\($0)" }))
    // Calls are not safe to repeat unless someone says so.
    let held = try UmbraProcess.run(["replay", calls, "--dry-run"] + target)
    #expect(held.output.contains("withholds  8  unsafe-method"), "\(held.output)")
  }
  @Test(.enabled(if: PythonPeer.has("grpc_tools"), "python3 with grpcio-tools is not installed"))
  func fieldsAreNamedByDescriptors() throws {
    let scratch = try Scratch()
    let types = try PythonPeer.descriptors(in: scratch)
    let (port, behind) = (try freePort(), try freePort())
    let servers = [
      try PythonPeer.start(PythonPeer.grpcServer, ["\(port)"]),
      try PythonPeer.start(PythonPeer.grpcServer, ["\(behind)", "changed"]),
    ]
    defer { for server in servers { server.terminate() } }
    let isUp = eventually { canConnect(port) && canConnect(behind) }
    try #require(isUp, "\(servers.map(\.standardError))")
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"))
    _ = try PythonPeer.start(PythonPeer.grpcCalls, ["127.0.0.1:\(port)", "0"]).wait()
    _ = capture.end()
    let run = scratch.path("r.umbra-run")
    let replayed = try UmbraProcess.run([
      "replay", capture.session, "--target", "h2c://127.0.0.1:\(behind)", "--allow-unsafe", "--speed", "max", "-o", run,
      "--proto-descriptors", types,
    ])
    #expect(replayed.status == 1 && replayed.error == "", "\(replayed.output)\(replayed.error)")
    func locations(_ arguments: [String]) throws -> Set<String> {
      let text = try UmbraProcess.run(["report", run, "--format", "json"] + arguments).output
      let report = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      return Set((report["clusters"] as? [[String: Any]] ?? []).compactMap { $0["location"] as? String })
    }
    #expect(try locations(["--proto-descriptors", types]) == ["body:/number"])
    #expect(try locations([]) == ["body:/2:varint/*"])
  }
}
