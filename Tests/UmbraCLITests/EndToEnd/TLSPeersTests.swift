// TLS with peers that log their secrets, and with ones that are made to: OpenSSL's server, nginx,
// nghttpd and python under load.

import Foundation
import Testing

@Suite(
  .serialized, .enabled(if: program("openssl") != nil, "openssl is not installed"),
  .enabled(if: program("curl") != nil, "curl is not installed"),
  .enabled(if: geteuid() == 0, "live capture is for root"))
struct TLSPeersTests {
  /// OpenSSL's own server on a port, with a key log.
  private func openSSLServer(_ arguments: [String], log: String) throws -> (Child, Int) {
    let port = try freePort()
    let server = try Child(
      try #require(program("openssl")),
      [
        "s_server", "-accept", "127.0.0.1:\(port)", "-www", "-keylogfile", log, "-cipher", "ALL:@SECLEVEL=0", "-quiet",
      ]
        + arguments)
    try #require(eventually { canConnect(port) }, "\(server.standardError)")
    return (server, port)
  }

  /// A library that makes programs which use OpenSSL log their secrets, as an operator would preload it.
  private func keyLogger(in scratch: Scratch) throws -> String {
    let source = try scratch.write(
      "keylogger.c",
      """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <fcntl.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/uio.h>
      static int key_log = -1;
      static void log_line(const void *ssl, const char *line) {
        (void)ssl;
        struct iovec parts[2] = {{(void *)line, strlen(line)}, {"\\n", 1}};
        if (key_log >= 0 && writev(key_log, parts, 2) < 0) return;
      }
      void *SSL_CTX_new(const void *method) {
        void *(*make)(const void *) = (void *(*)(const void *))dlsym(RTLD_NEXT, "SSL_CTX_new");
        void (*set)(void *, void (*)(const void *, const char *)) =
          (void (*)(void *, void (*)(const void *, const char *)))dlsym(RTLD_NEXT, "SSL_CTX_set_keylog_callback");
        void *context = make(method);
        // Here, because nginx takes the environment from its workers.
        if (key_log < 0) key_log = open(getenv("SSLKEYLOGFILE"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (context && set) set(context, log_line);
        return context;
      }
      """)
    let library = scratch.path("keylogger.so")
    let built = try Child(
      try #require(program("cc")), ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]
    ).wait()
    try #require(built.status == 0, "\(built.error)")
    return library
  }

  @Test func everySuiteOfOpenSSL() throws {
    let scratch = try Scratch()
    let log = try scratch.write("keys.log", "")
    let (key, certificate) = try PythonPeer.certificate(in: scratch)
    let (server, port) = try openSSLServer(["-key", key, "-cert", certificate], log: log)
    defer { server.terminate() }
    let listed = try Child(
      try #require(program("openssl")),
      ["ciphers", "-s", "-tls1_2", "ALL:@SECLEVEL=0:!PSK:!SRP:!aNULL:!ARIA:!CAMELLIA:!ECDSA"]
    ).wait().output
    let suites = listed.split { $0 == ":" || $0 == "\n" }.map(String.init).filter { !$0.hasPrefix("TLS_") }
    let modern = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"), ["--tls-keylog", log])
    var served: [String] = []
    for suite in suites + modern {
      let choice =
        modern.contains(suite)
        ? ["--tls13-ciphers", suite] : ["--tls-max", "1.2", "--ciphers", suite + ":@SECLEVEL=0"]
      let asked = try Child(
        try #require(program("curl")),
        [
          "-sk", "--max-time", "10", "--resolve", "shop.example:\(port):127.0.0.1",
          "https://shop.example:\(port)/\(suite)",
        ] + choice
      ).wait()
      if asked.status == 0, !asked.output.isEmpty { served.append(suite) }
    }
    let said = capture.end()
    #expect(served.count >= 20, "\(served)")
    let recorded = try capture.exchanges()
    let seen = recorded.compactMap { ($0["request"] as? [String: Any])?["target"] as? String }
    #expect(Set(served).subtracting(seen.map { String($0.dropFirst()) }).isEmpty, "\(said)")
    #expect(recorded.allSatisfy { ($0["response"] as? [String: Any])?["status"] as? Int == 200 })
    print("suites read:", served.count, "of", suites.count + modern.count)
  }

  @Test func renegotiation() throws {
    let scratch = try Scratch()
    let log = try scratch.write("keys.log", "")
    let (key, certificate) = try PythonPeer.certificate(in: scratch)
    let (server, port) = try openSSLServer(["-key", key, "-cert", certificate, "-client_renegotiation"], log: log)
    defer { server.terminate() }
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"), ["--tls-keylog", log])
    let client = try Child(
      "/bin/sh",
      [
        "-c",
        "(sleep 0.5; printf 'R\\n'; sleep 1; printf 'GET /after HTTP/1.0\\r\\n\\r\\n'; sleep 1) | "
          + "openssl s_client -connect 127.0.0.1:\(port) -servername shop.example -tls1_2",
      ]
    ).wait()
    try #require(client.error.contains("RENEGOTIATING") || client.output.contains("RENEGOTIATING"), "\(client.error)")
    let said = capture.end()
    let recorded = try capture.exchanges()
    let targets = recorded.compactMap { ($0["request"] as? [String: Any])?["target"] as? String }
    #expect(targets == ["/after"], "\(said)")
    let secrets = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").count {
      $0.hasPrefix("CLIENT_RANDOM")
    }
    #expect(secrets >= 2)
  }

  /// Decrypted is served, while the log grows under a full-rate load.
  @Test(
    .enabled(if: program("nginx") != nil && program("h2load") != nil, "nginx or h2load is not installed"),
    .enabled(if: program("cc") != nil, "no C compiler is installed"), arguments: [["--h1"], []])
  func fullRate(version: [String]) throws {
    let scratch = try Scratch()
    let log = try scratch.write("keys.log", "")
    let (key, certificate) = try PythonPeer.certificate(in: scratch)
    let primary = try Nginx(
      locations: """
        ssl_certificate \(certificate); ssl_certificate_key \(key); location / { return 200 'hello'; }
        """, protocols: "ssl http2",
      environment: ["LD_PRELOAD": try keyLogger(in: scratch), "SSLKEYLOGFILE": log])
    let raw = scratch.path("raw.pcapng")
    let capture = try LiveCapture(
      ports: [primary.port], to: scratch.path("s.umbra"),
      ["--tls-keylog", log, "--raw", raw, "--raw-with-secrets"])
    let load = try Child(
      try #require(program("h2load")),
      ["-n", "4000", "-c", "40", "-m", "5"] + version + ["https://127.0.0.1:\(primary.port)/x"]
    ).wait()
    try #require(load.output.contains("4000 succeeded"), "\(load.output)")
    let said = capture.end()
    #expect(said.contains("4,000 exchanges") && said.contains("complete: 100%"), "\(said)")
    // The packets bring their secrets with them.
    let again = try UmbraProcess.run(["capture", "-r", raw])
    #expect(again.error.contains("4,000 exchanges") && again.error.contains("complete: 100%"), "\(again.error)")
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    #expect(lines.count >= 40)
    let secret = Data(try #require(lines.last?.split(separator: " ").last).utf8)
    let stored = try Data(contentsOf: URL(fileURLWithPath: capture.session))
    #expect(stored.range(of: secret) == nil)
    #expect(try Data(contentsOf: URL(fileURLWithPath: raw)).range(of: secret) != nil)
  }

  /// The same with python's ssl, which writes a line of its log at a time, at either end.
  @Test(
    .enabled(if: PythonPeer.has("ssl"), "python3 is not installed"),
    arguments: [("1.3", "server"), ("1.3", "client"), ("1.2", "server")])
  func fullRateOfPython(version: String, logger: String) throws {
    let scratch = try Scratch()
    let log = scratch.path("keys.log")
    let (key, certificate) = try PythonPeer.certificate(in: scratch)
    let port = try freePort()
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"), ["--tls-keylog", log])
    let load = try PythonPeer.start(PythonPeer.tlsLoad, ["\(port)", certificate, key, log, version, logger]).wait()
    try #require(load.output == "2400\n", "\(load.output) \(load.error)")
    let said = capture.end()
    #expect(said.contains("2,400 exchanges") && said.contains("complete: 100%"), "\(said)")
    let recorded = try capture.exchanges()
    let seen = Set(recorded.compactMap { ($0["request"] as? [String: Any])?["target"] as? String })
    #expect(seen == Set((0..<160).flatMap { number in (0..<15).map { "/\(number)/\($0)" } }))
    let versions = Set(recorded.compactMap { ($0["tls_session"] as? [String: Any])?["version"] as? String })
    #expect(versions == ["TLSv\(version)"])
  }

  @Test(
    .enabled(if: program("nghttpd") != nil && program("nghttp") != nil, "nghttp2's programs are not installed"),
    .enabled(if: program("cc") != nil, "no C compiler is installed"))
  func nghttpWithinTLS() throws {
    let scratch = try Scratch()
    let log = try scratch.write("keys.log", "")
    let (key, certificate) = try PythonPeer.certificate(in: scratch)
    try scratch.write("page", "the page")
    let port = try freePort()
    let server = try Child(
      try #require(program("nghttpd")), ["-d", scratch.url.path, "\(port)", key, certificate],
      environment: ["LD_PRELOAD": try keyLogger(in: scratch), "SSLKEYLOGFILE": log])
    defer { server.terminate() }
    try #require(eventually { canConnect(port) }, "\(server.standardError)")
    let capture = try LiveCapture(ports: [port], to: scratch.path("s.umbra"), ["--tls-keylog", log])
    let asked = try Child(
      try #require(program("nghttp")), ["-n", "--no-verify-peer", "https://127.0.0.1:\(port)/page"]
    ).wait()
    #expect(asked.status == 0, "\(asked.error)")
    let said = capture.end()
    let recorded = try capture.exchanges(["--body", "inline"])
    #expect(recorded.count == 1, "\(said)")
    let body = (recorded.first?["response"] as? [String: Any])?["body"] as? [String: Any]
    #expect(body?["text"] as? String == "the page")
    #expect((recorded.first?["tls_session"] as? [String: Any])?["alpn"] as? String == "h2")
  }

  /// A connection whose secrets nobody logged is in the session, by the name of its server.
  @Test func whatWasNotReadIsKept() throws {
    let scratch = try Scratch()
    let (ours, theirs) = (try scratch.write("keys.log", ""), try scratch.write("other.log", ""))
    let (key, certificate) = try PythonPeer.certificate(in: scratch)
    let (server, port) = try openSSLServer(["-key", key, "-cert", certificate], log: theirs)
    defer { server.terminate() }
    let capture = try LiveCapture(
      ports: [port], to: scratch.path("s.umbra"), ["--tls-keylog", ours, "--tls-wait", "1s"])
    _ = try Child(
      try #require(program("curl")),
      ["-sk", "--max-time", "10", "--resolve", "shop.example:\(port):127.0.0.1", "https://shop.example:\(port)/"]
    ).wait()
    _ = capture.end()
    let text = try UmbraProcess.run(["stats", capture.session])
    #expect(text.output.contains("1 TLS connection to shop.example not read: no-secrets"), "\(text.output)")
    let json = try UmbraProcess.run(["stats", capture.session, "--format", "json"])
    let facts = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    let kinds = try #require(facts?["tls_not_read"] as? [[String: Any]])
    #expect(kinds.count == 1 && kinds.first?["connections"] as? Int == 1)
    #expect(kinds.first?["server_name"] as? String == "shop.example")
    #expect((facts?["metadata"] as? [String: Any])?["tls-not-read"] == nil)
  }

  @Test func doctorSaysHowSecretsAreLogged() throws {
    let said = try UmbraProcess.run(["doctor", "--tls"])
    #expect(said.status == 0)
    for name in ["nginx", "Envoy", "KeyLogWriter", "keylog_filename", "--tls-keylog", "javaagent", "SSLKEYLOGFILE"] {
      #expect(said.output.contains(name), "\(name)")
    }
    #expect(said.output.contains("chmod"))
  }
}
