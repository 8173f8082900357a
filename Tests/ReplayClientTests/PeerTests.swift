import Glibc
import HTTPModel
import ReplayClient
import Testing

/// TLS and HTTP/2 with programs that others wrote.
@Suite(
  .serialized, .timeLimit(.minutes(3)), .enabled(if: program("openssl") != nil, "openssl is not installed"),
  .enabled(if: program("nginx") != nil, "nginx is not installed"))
struct PeerTests {
  private func options(_ change: (inout ReplayOptions) -> Void = { _ in }) -> ReplayOptions {
    testOptions {
      $0.checksTarget = true
      change(&$0)
    }
  }

  private func reason(_ session: [Exchange], to url: String, _ options: ReplayOptions) -> String {
    do {
      _ = try replay(session, to: url, options)
      return "no error"
    } catch { return "\(error)" }
  }

  @Test func nginxOverTLSAndInTheClear() throws {
    let files = try CertificateFolder()
    let (secure, plain) = (try freePort(), try freePort())
    let nginx = try PeerProcess(
      "nginx",
      [
        "-c",
        files.write(
          "nginx.conf",
          """
          daemon off; worker_processes 1; pid \(files.path("pid")); error_log \(files.path("error.log")); user root;
          events { worker_connections 64; }
          http {
            access_log off; client_body_temp_path \(files.path("b")); proxy_temp_path \(files.path("p"));
            fastcgi_temp_path \(files.path("f")); uwsgi_temp_path \(files.path("u")); scgi_temp_path \(files.path("s"));
            server { listen 127.0.0.1:\(secure) ssl http2; ssl_certificate \(files.path("server.pem"));
              ssl_certificate_key \(files.path("server.key")); keepalive_requests 5;
              location / { return 200 "$server_protocol $ssl_server_name $host $uri"; } }
            server { listen 127.0.0.1:\(plain) http2; location / { return 200 "$server_protocol $host $uri"; } }
            server { listen unix:\(files.path("sock")); location / { return 200 "socket $uri"; } }
          }
          """), "-p", files.folder,
      ], ready: { canConnect(secure) && canConnect(plain) })
    defer { nginx.end() }
    func bodies(_ session: [Exchange], _ url: String, _ change: (inout ReplayOptions) -> Void) throws -> [String] {
      try replay(session, to: url, options(change)).results.map { text($0.attempts[0].response?.body.bytes ?? []) }
    }
    func trusting(_ options: inout ReplayOptions) {
      options.security.authorities = files.path("ca.pem")
      options.resolved = [ResolvedName(host: "shop.test", port: secure, addresses: ["127.0.0.1"])]
    }
    let url = "https://shop.test:\(secure)"
    #expect(try bodies([multiplexed("/a")], url, trusting) == ["HTTP/2.0 shop.test shop /a"])
    #expect(try bodies([get("/b")], url, trusting) == ["HTTP/1.1 shop.test shop /b"])
    #expect(
      try bodies([get("/c")], url) {
        trusting(&$0)
        $0.protocolChoice = .http2
      } == ["HTTP/2.0 shop.test shop /c"])
    #expect(
      try bodies([multiplexed("/d")], url) {
        trusting(&$0)
        $0.protocolChoice = .http1
      } == ["HTTP/1.1 shop.test shop /d"])
    #expect(try bodies([multiplexed("/e")], "h2c://127.0.0.1:\(plain)") { _ in } == ["HTTP/2.0 shop /e"])
    #expect(try bodies([get("/f")], "http+unix://\(files.path("sock"))") { _ in } == ["socket /f"])

    // A connection serves five requests and says GOAWAY: no request is lost by it.
    let many = (1...23).map { (number: UInt32) in multiplexed("/\(number)", ordinal: number, length: 50) }
    let (outcome, _) = try replay(many, to: url, options(trusting))
    #expect(outcome.attempts == [.answered: 23] && outcome.connectionsOpened >= 2)

    // What is wrong is said before anything is sent, with what to do about it.
    #expect(
      reason(
        [get("/")], to: url, options { $0.resolved = [ResolvedName(host: "*", port: secure, addresses: ["127.0.0.1"])] }
      ).contains("--cacert"))
    let other = "https://other.test:\(secure)"
    #expect(
      reason(
        [get("/")], to: other,
        options {
          trusting(&$0)
          $0.resolved = [ResolvedName(host: "*", port: secure, addresses: ["127.0.0.1"])]
        }
      ).contains("other names"))
    #expect(
      try bodies([get("/g")], "https://127.0.0.1:\(secure)") { $0.security.isInsecure = true } == ["HTTP/1.1  shop /g"])
    #expect(reason([get("/")], to: "https://127.0.0.1:\(plain)", options()).contains("does not speak TLS"))
    #expect(reason([get("/")], to: "h2c://127.0.0.1:\(secure)", options()).contains("h"))
  }

  @Test func clientCertificates() throws {
    let files = try CertificateFolder()
    let port = try freePort()
    let server = try PeerProcess(
      "openssl",
      [
        "s_server", "-accept", "127.0.0.1:\(port)", "-cert", files.path("server.pem"), "-key", files.path("server.key"),
        "-CAfile", files.path("ca.pem"), "-Verify", "1", "-verify_return_error", "-www",
      ], ready: { canConnect(port) })
    defer { server.end() }
    func trusting(_ options: inout ReplayOptions) {
      options.security.authorities = files.path("ca.pem")
      options.resolved = [ResolvedName(host: "shop.test", port: port, addresses: ["127.0.0.1"])]
    }
    let url = "https://shop.test:\(port)"
    #expect(reason([get("/")], to: url, options(trusting)).contains("--cert"))
    let results = try replay(
      [get("/")], to: url,
      options {
        trusting(&$0)
        $0.security.certificate = files.path("client.pem")
        $0.security.key = files.path("client.key")
      }
    ).results
    #expect(results[0].attempts[0].response?.status == 200)
    #expect(
      reason(
        [get("/")], to: url,
        options {
          trusting(&$0)
          $0.security.certificate = files.path("client.pem")
        }
      ).contains("--key"))
    #expect(
      reason([get("/")], to: url, options { $0.security.authorities = files.path("missing.pem") }).contains(
        "missing.pem"))
    // s_server offers no ALPN.
    #expect(
      reason(
        [get("/")], to: url,
        options {
          trusting(&$0)
          $0.protocolChoice = .http2
          $0.security.certificate = files.path("client.pem")
          $0.security.key = files.path("client.key")
        }
      ).contains("HTTP/2"))
  }
}
