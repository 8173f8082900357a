// TLS between curl and nginx, read live with the key log that curl writes.

import Foundation
import Testing

@Suite(
  .serialized, .enabled(if: program("nginx") != nil, "nginx is not installed"),
  .enabled(if: program("curl") != nil, "curl is not installed"),
  .enabled(if: program("openssl") != nil, "openssl is not installed"),
  .enabled(if: geteuid() == 0, "live capture is for root"))
struct TLSTests {
  private func server(in scratch: Scratch) throws -> Nginx {
    let made = try Child(
      try #require(program("openssl")),
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop.example",
        "-keyout", scratch.path("key.pem"), "-out", scratch.path("cert.pem"),
      ]
    ).wait()
    try #require(made.status == 0, "\(made.error)")
    return try Nginx(
      locations: """
        ssl_certificate \(scratch.path("cert.pem")); ssl_certificate_key \(scratch.path("key.pem"));
        ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;
        location / { return 200 'secret answer'; }
        """, protocols: "ssl http2")
  }

  private func exchanges(_ session: String) throws -> [[String: Any]] {
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl", "--body", "inline"])
    return try shown.output.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func everySuiteThatTheyNegotiate() throws {
    let scratch = try Scratch()
    let primary = try server(in: scratch)
    let (session, log) = (scratch.path("s.umbra"), scratch.path("keys.log"))
    // The key log does not exist yet: it is waited for and followed.
    let capturing = try Child(
      UmbraProcess.binary.path,
      [
        "capture", "-i", "lo", "-p", "\(primary.port)", "-w", session, "--tls-keylog", log, "--progress", "plain",
      ])
    try #require(eventually { capturing.standardError.contains("capturing on lo") }, "\(capturing.standardError)")
    let suites: [[String]] = [
      ["--tlsv1.3", "--tls13-ciphers", "TLS_AES_128_GCM_SHA256"],
      ["--tlsv1.3", "--tls13-ciphers", "TLS_AES_256_GCM_SHA384"],
      ["--tlsv1.3", "--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256"],
      ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"],
      ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-CHACHA20-POLY1305"],
      ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES256-SHA384"],
      ["--tls-max", "1.2", "--ciphers", "AES128-SHA"],
      ["--tls-max", "1.2", "--ciphers", "AES256-CCM8"],
    ]
    for (index, suite) in suites.enumerated() {
      for version in ["--http1.1", "--http2"] {
        let asked = try Child(
          try #require(program("curl")),
          [
            "-sk", "--max-time", "10", version, "--resolve", "shop.example:\(primary.port):127.0.0.1",
            "https://shop.example:\(primary.port)/\(index)\(version)",
          ] + suite, environment: ["SSLKEYLOGFILE": log]
        ).wait()
        #expect(asked.status == 0 && asked.output == "secret answer", "\(suite): \(asked.error)")
      }
    }
    usleep(500_000)
    capturing.interrupt()
    let result = capturing.wait()
    #expect(result.status == 0)
    #expect(result.error.contains("\(suites.count * 2) exchanges"), "\(result.error)")
    #expect(result.error.contains("complete: 100%"), "\(result.error)")
    let recorded = try exchanges(session)
    let targets = recorded.compactMap { ($0["request"] as? [String: Any])?["target"] as? String }
    #expect(
      Set(targets) == Set(suites.indices.flatMap { index in ["--http1.1", "--http2"].map { "/\(index)\($0)" } }))
    for exchange in recorded {
      #expect(exchange["tls"] as? Bool == true)
      let facts = try #require(exchange["tls_session"] as? [String: Any])
      #expect(facts["server_name"] as? String == "shop.example")
      let body = ((exchange["response"] as? [String: Any])?["body"] as? [String: Any])?["text"] as? String
      #expect(body == "secret answer")
      let isHTTP2 = exchange["protocol"] as? String == "h2"
      #expect(facts["alpn"] as? String == (isHTTP2 ? "h2" : "http/1.1"))
    }
    // The secrets themselves are nowhere.
    let stored = try Data(contentsOf: URL(fileURLWithPath: session))
    let line = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").last?.split(separator: " ").last
    #expect(stored.range(of: Data((line ?? "x").utf8)) == nil)
  }

  @Test func withoutSecretsTheServerIsNamed() throws {
    let scratch = try Scratch()
    let primary = try server(in: scratch)
    let log = try scratch.write("empty.log", "")
    let capturing = try Child(
      UmbraProcess.binary.path,
      [
        "capture", "-i", "lo", "-p", "\(primary.port)", "--tls-keylog", log, "--tls-wait", "1s", "--progress", "plain",
      ])
    try #require(eventually { capturing.standardError.contains("capturing on lo") }, "\(capturing.standardError)")
    let asked = try Child(
      try #require(program("curl")),
      [
        "-sk", "--max-time", "10", "--resolve", "shop.example:\(primary.port):127.0.0.1",
        "https://shop.example:\(primary.port)/",
      ]
    ).wait()
    #expect(asked.status == 0)
    usleep(300_000)
    capturing.interrupt()
    let result = capturing.wait()
    #expect(result.error.contains("1 TLS connection to shop.example not read: no-secrets"), "\(result.error)")
  }
}
