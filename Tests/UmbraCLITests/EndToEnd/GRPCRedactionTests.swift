// Secrets planted in the messages of grpcio's own client and servers: none of them reaches a file.

import Foundation
import Testing

@Suite(
  .serialized, .enabled(if: PythonPeer.has("grpc_tools"), "python3 with grpcio-tools is not installed"),
  .enabled(if: geteuid() == 0, "live capture is for root"))
struct GRPCRedactionTests {
  private static let proto = """
    syntax = "proto3";
    package vault;
    import "google/protobuf/struct.proto";
    message Card { string number = 1; string holder_name = 2; }
    message Login {
      string user = 1; string password = 2; Card card = 3; map<string, string> meta = 4; repeated string notes = 5;
      bytes api_key = 6; int64 pin = 7; google.protobuf.Struct extra = 8; string text = 9;
    }
    service Vault { rpc Get(Login) returns (Login); rpc Chat(stream Login) returns (stream Login); }
    """

  /// Port, a secret: echoes, with a password of its own behind what it was sent.
  private static let server = """
    import sys, grpc
    from concurrent import futures
    more = b"\\x12" + bytes([len(sys.argv[2])]) + sys.argv[2].encode()
    class Vault(grpc.GenericRpcHandler):
        def service(self, details):
            if details.method == "/vault.Vault/Get":
                return grpc.unary_unary_rpc_method_handler(lambda request, context: request + more)
            return grpc.stream_stream_rpc_method_handler(lambda requests, context: (r + more for r in requests))
    server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Vault()])
    server.add_insecure_port("127.0.0.1:" + sys.argv[1])
    server.start()
    server.wait_for_termination()
    """

  /// Address, folder of the compiled types: prints each secret that it sent.
  private static let client = """
    import sys, uuid, time, grpc
    sys.path.insert(0, sys.argv[2])
    import vault_pb2
    sent = []
    def secret(n=24):
        sent.append("pl4nt" + uuid.uuid4().hex[:n])
        return sent[-1]
    def login(i):
        m = vault_pb2.Login(user="ann-%d" % i, password=secret(), api_key=b"\\x00\\xff" + secret().encode(), pin=987654321)
        m.card.number, m.card.holder_name = secret(12), "Ann Other"
        m.meta["token"], m.meta["colour"] = secret(13), "blue"
        m.notes.extend([secret(14), secret(31)])
        m.extra.update({"plain": "seen", "inner": {"client_secret": secret(), "list": [{"otp": secret(12)}]}})
        m.text = "mail %s@b.example and Bearer %s." % (secret(20), secret(30))
        return m
    with grpc.insecure_channel(sys.argv[1]) as channel:
        def call(kind, name):
            return getattr(channel, kind)("/vault.Vault/" + name, vault_pb2.Login.SerializeToString, vault_pb2.Login.FromString)
        for i in range(20):
            for coding in [None, grpc.Compression.Gzip, grpc.Compression.Deflate]:
                m = login(i)
                assert call("unary_unary", "Get")(m, compression=coding, timeout=20).user == m.user
        assert len(list(call("stream_stream", "Chat")(iter([login(i) for i in range(30)]), timeout=20))) == 30
    time.sleep(0.2)
    print("\\n".join(sent))
    """

  private func compiled(in scratch: Scratch) throws -> String {
    try scratch.write("vault.proto", Self.proto)
    let types = scratch.path("vault.pb")
    let made = try Child(
      try #require(program("python3")),
      [
        "-m", "grpc_tools.protoc", "-I", scratch.url.path, "--include_imports", "--descriptor_set_out=\(types)",
        "--python_out=\(scratch.url.path)", scratch.path("vault.proto"),
      ]
    ).wait()
    try #require(made.status == 0, "\(made.error)")
    return types
  }

  /// All that a session or a run says, its bodies decoded.
  private func contents(of file: String) throws -> Data {
    let text = try UmbraProcess.run(["show", file, "--format", "jsonl", "--body", "inline"]).output
    var all = Data(text.utf8)
    for part in text.components(separatedBy: #""base64":""#).dropFirst() {
      all.append(try #require(Data(base64Encoded: String(part.prefix { $0 != "\"" }))))
    }
    return all
  }

  private func expectClean(_ files: [String], of secrets: [String], _ sessions: [String]) throws {
    for file in files + sessions {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      #expect(!bytes.isEmpty && bytes.range(of: Data("pl4nt".utf8)) == nil, "\(file)")
    }
    for session in sessions {
      let bytes = try contents(of: session)
      #expect(bytes.range(of: Data("pl4nt".utf8)) == nil, "\(session)")
      for secret in secrets { #expect(bytes.range(of: Data(secret.dropFirst(5).utf8)) == nil, "\(secret)") }
    }
  }

  private static let rules = """
    version: 1
    redact:
      with: STYLE
      grpc: [/card/number, { method: /vault.Vault/*, fields: /notes }]
      text: [email, bearer]

    """

  @Test(arguments: ["token", "mask", "remove"])
  func plantedSecretsReachNoFile(style: String) throws {
    let scratch = try Scratch()
    let types = try compiled(in: scratch)
    let rules = try scratch.write("rules.yaml", Self.rules.replacing("STYLE", with: style))
    let (port, behind) = (try freePort(), try freePort())
    let servers = [
      try PythonPeer.start(Self.server, ["\(port)", "pl4ntprimary00"]),
      try PythonPeer.start(Self.server, ["\(behind)", "pl4ntshadow000"]),
    ]
    defer { for server in servers { server.terminate() } }
    let isUp = eventually { canConnect(port) && canConnect(behind) }
    try #require(isUp, "\(servers.map(\.standardError))")

    let hiding = ["--rules", rules, "--proto-descriptors", types]
    let (session, mirrored) = (scratch.path("s.umbra"), scratch.path("m.umbra"))
    let logs = ["--access-log", scratch.path("access.log"), "--audit-log", scratch.path("audit.log")]
    let mirror = try Child(
      UmbraProcess.binary.path,
      [
        "mirror", "-i", "lo", "-p", "\(port)", "--target", "h2c://127.0.0.1:\(behind)", "--allow-unsafe", "-w",
        mirrored,
        "--report", scratch.path("m.json"), "--report", scratch.path("m.html"), "--progress", "plain", "--user", "root",
      ] + hiding + logs)
    try #require(eventually { mirror.standardError.contains("capturing on lo") }, "\(mirror.standardError)")
    let capture = try LiveCapture(ports: [port], to: session, hiding)
    let client = try PythonPeer.start(Self.client, ["127.0.0.1:\(port)", scratch.url.path]).wait()
    try #require(client.status == 0, "\(client.error)")
    let secrets = client.output.split(separator: "\n").map(String.init) + ["pl4ntprimary00", "pl4ntshadow000"]
    #expect(secrets.count > 900)
    let said = capture.end()
    #expect(said.contains("61 exchanges"), "\(said)")
    mirror.interrupt()
    let ended = mirror.wait()

    // The run's answers come from the shadow.
    let run = scratch.path("r.umbra-run")
    let replayed = try UmbraProcess.run(
      [
        "replay", session, "--target", "h2c://127.0.0.1:\(behind)", "--allow-unsafe", "--speed", "max", "-o", run,
        "--report", scratch.path("r.html"),
      ] + hiding)
    let har = scratch.path("s.har")
    #expect(try UmbraProcess.run(["convert", session, har]).status == 0)
    let lines = scratch.path("s.jsonl")
    #expect(try UmbraProcess.run(["convert", session, lines]).status == 0)
    let files = ["access.log", "audit.log", "m.json", "m.html", "r.html"].map { scratch.path($0) } + [har, lines]
    try expectClean(files, of: secrets, [session, mirrored, run])
    for text in [said, ended.error, ended.output, replayed.error, replayed.output] { #expect(!text.contains("pl4nt")) }

    // What is not secret is as it was, and the messages read by their types.
    let shown = try shown(session, ["--proto-descriptors", types])
    #expect(shown.count == 61)
    for exchange in shown {
      let messages = try #require(exchange["messages"] as? [[String: Any]])
      for message in messages {
        let json = try #require(message["json"] as? [String: Any], "\(message)")
        #expect((json["user"] as? String)?.hasPrefix("ann-") == true)
        #expect((json["meta"] as? [String: Any])?["colour"] as? String == "blue")
        #expect((json["extra"] as? [String: Any])?["plain"] as? String == "seen")
        #expect((json["card"] as? [String: Any])?["holderName"] as? String == "Ann Other")
        #expect(json.keys.contains("password") == (style != "remove") && json["pin"] == nil)
      }
    }
    // In the run also what the shadow answered.
    for file in [session, mirrored, run] {
      let clean = try UmbraProcess.run(["scan", file] + hiding)
      #expect(clean.status == 0, "\(clean.output)")
    }
  }

  @Test func secretsAreToldAndRulesWithoutDescriptorsRefused() throws {
    let scratch = try Scratch()
    let types = try compiled(in: scratch)
    let rules = try scratch.write("rules.yaml", Self.rules.replacing("STYLE", with: "token"))
    let port = try freePort()
    let server = try PythonPeer.start(Self.server, ["\(port)", "pl4ntprimary00"])
    defer { server.terminate() }
    try #require(eventually { canConnect(port) }, "\(server.standardError)")
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"))
    let client = try PythonPeer.start(Self.client, ["127.0.0.1:\(port)", scratch.url.path]).wait()
    try #require(client.status == 0, "\(client.error)")
    _ = capture.end()
    let found = try UmbraProcess.run(["scan", capture.session, "--rules", rules, "--proto-descriptors", types])
    #expect(found.status == 1)
    for place in ["request message password", "request message card.number", "response message extra.inner.list.otp"] {
      #expect(found.output.contains(place), "\(found.output)")
    }
    #expect(!found.output.contains("pl4nt"))
    // A conversion hides what the capture did not.
    let clean = scratch.path("clean.umbra")
    let converted = try UmbraProcess.run([
      "convert", capture.session, clean, "--rules", rules, "--proto-descriptors", types,
    ])
    #expect(converted.status == 0, "\(converted.error)")
    try expectClean([], of: client.output.split(separator: "\n").map(String.init), [clean])
    for command in [["scan", capture.session], ["convert", capture.session, scratch.path("x.umbra")]] {
      let refused = try UmbraProcess.run(command + ["--rules", rules])
      #expect(refused.status == 2 && refused.error.contains("rules.yaml:4:10"), "\(refused.error)")
      #expect(refused.error.contains("--proto-descriptors"))
    }
  }
}
