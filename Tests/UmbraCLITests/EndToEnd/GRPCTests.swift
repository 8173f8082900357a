// gRPC between grpcio's own server and client, in the clear and within TLS.

import Foundation
import Testing

@Suite(
  .serialized, .enabled(if: PythonPeer.has("grpc"), "python3 with grpcio is not installed"),
  .enabled(if: program("openssl") != nil, "openssl is not installed"),
  .enabled(if: geteuid() == 0, "live capture is for root"))
struct GRPCTests {
  private func server() throws -> (Child, Int) {
    let port = try freePort()
    let server = try PythonPeer.start(PythonPeer.grpcServer, ["\(port)"])
    try #require(eventually { canConnect(port) }, "\(server.standardError)")
    return (server, port)
  }

  private func name(_ exchange: [String: Any]) -> String {
    let target = (exchange["request"] as? [String: Any])?["target"] as? String ?? ""
    return String(target.split(separator: "/").last ?? "")
  }

  /// What every capture of the nine calls has to show.
  private func check(_ recorded: [[String: Any]]) throws {
    let names = ["Get", "Upload", "Download", "Chat", "Get", "Get", "Get", "Slow", "Refuse"]
    try #require(recorded.map(name) == names)
    let calls = try recorded.map { try #require($0["grpc"] as? [String: Any]) }
    #expect(
      calls.prefix(4).map { $0["kind"] as? String }
        == ["unary", "client-streaming", "server-streaming", "bidirectional"])
    #expect(calls.map { $0["request_messages"] as? Int } == [1, 4, 1, 3, 1, 1, 1, 1, 1])
    #expect(calls.prefix(7).map { $0["response_messages"] as? Int } == [1, 1, 5, 3, 1, 1, 1])
    #expect(calls.prefix(7).allSatisfy { $0["status"] as? Int == 0 })
    // The client gives up at its deadline; the server may say so first.
    let isReset = (recorded[7]["reset"] as? [String: Any])?["name"] as? String == "CANCEL"
    #expect(isReset || calls[7]["status"] as? Int == 4, "\(recorded[7])")
    #expect(calls[8]["status"] as? Int == 5 && calls[8]["message"] as? String == "no such thing")
    for exchange in recorded {
      let times = try #require(exchange["messages"] as? [[String: Any]]).compactMap { $0["at_us"] as? Int }
      #expect(times == times.sorted())
    }
    let large = try #require(recorded[6]["messages"] as? [[String: Any]])
    #expect(large.map { $0["size"] as? Int } == [3_000_007, 3_000_007])
    let compressed = try #require(recorded[4]["messages"] as? [[String: Any]]?)?.first
    #expect(compressed?["compressed"] as? Bool == true && compressed?["size"] as? Int ?? 1000 < 200)
  }

  @Test func everyKindOfCall() throws {
    let scratch = try Scratch()
    let (server, port) = try server()
    defer { server.terminate() }
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"))
    let client = try PythonPeer.start(PythonPeer.grpcCalls, ["127.0.0.1:\(port)", "0"]).wait()
    #expect(client.status == 0, "\(client.error)")
    let said = capture.end()
    #expect(said.contains("9 exchanges"), "\(said)")
    let recorded = try capture.exchanges()
    try check(recorded)
    // Without descriptors by number and wire type, the coding undone.
    let id = try #require(recorded[4]["id"] as? String)
    let whole = try UmbraProcess.run(["show", capture.session, "--id", id])
    #expect(whole.output.contains("pear pear") && whole.output.contains("in gzip"), "\(whole.output)")
  }

  @Test(.enabled(if: PythonPeer.has("grpc_tools"), "grpcio-tools is not installed"))
  func namedByDescriptors() throws {
    let scratch = try Scratch()
    let (server, port) = try server()
    defer { server.terminate() }
    let types = try PythonPeer.descriptors(in: scratch)
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"))
    _ = try PythonPeer.start(PythonPeer.grpcCalls, ["127.0.0.1:\(port)", "0"]).wait()
    _ = capture.end()
    let recorded = try capture.exchanges(["--proto-descriptors", types, "--where", "path~^/shop.Shop/(Get|Upload)"])
    try #require(recorded.count == 5)
    let messages = recorded.map { ($0["messages"] as? [[String: Any]] ?? []).map { $0["json"] as? [String: Any] } }
    #expect(messages[0].allSatisfy { $0?["name"] as? String == "apple" && $0?["number"] as? Int == 7 })
    #expect(messages[1].map { $0?["number"] as? Int } == [nil, 1, 2, 3, 3])
    #expect(messages[2].first??["name"] as? String == String(repeating: "pear ", count: 100))
    let id = try #require(recorded[0]["id"] as? String)
    let whole = try UmbraProcess.run(["show", capture.session, "--id", id, "--proto-descriptors", types])
    #expect(whole.output.contains(#""name": "apple""#), "\(whole.output)")
    let wrong = try UmbraProcess.run(["show", capture.session, "--proto-descriptors", scratch.path("shop.proto")])
    #expect(wrong.status == 2 && wrong.error.contains("--descriptor_set_out"), "\(wrong.error)")
  }

  /// grpcio's own TLS logs no secrets: the proxy that ends it does.
  @Test(arguments: ["1.2", "1.3"])
  func withinTLS(version: String) throws {
    let scratch = try Scratch()
    let (server, behind) = try server()
    defer { server.terminate() }
    let (key, certificate) = try PythonPeer.certificate(in: scratch)
    let (port, log) = (try freePort(), scratch.path("keys.log"))
    let proxy = try PythonPeer.start(
      PythonPeer.tlsProxy, ["\(port)", "\(behind)", certificate, key, log, version])
    defer { proxy.terminate() }
    try #require(eventually { canConnect(port) }, "\(proxy.standardError)")
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"), ["--tls-keylog", log])
    let client = try PythonPeer.start(PythonPeer.grpcCalls, ["127.0.0.1:\(port)", "0", certificate]).wait()
    #expect(client.status == 0, "\(client.error)")
    let said = capture.end()
    #expect(said.contains("9 exchanges"), "\(said)")
    let recorded = try capture.exchanges()
    try check(recorded)
    let session = recorded.first?["tls_session"] as? [String: Any]
    #expect(session?["version"] as? String == "TLSv\(version)" && session?["alpn"] as? String == "h2")
    #expect(session?["server_name"] as? String == "shop.example")
  }
}
