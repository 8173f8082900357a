// How servers, proxies and clients are made to log their TLS secrets: for `umbra doctor --tls` and the manual.

/// What logs its secrets, and how it is told to.
struct KeyLogAdvice {
  var program: String
  /// What to do; lines that begin with two blanks are commands or configuration.
  var text: String

  static let all = [
    KeyLogAdvice(
      program: "curl, wget2, Firefox, Chromium",
      text: """
        The environment names the file, for curl as for browsers; Chromium has a flag too.
          SSLKEYLOGFILE=/run/keys.log curl https://shop.example/
          chromium --ssl-key-log-file=/run/keys.log
        """),
    KeyLogAdvice(
      program: "OpenSSL 3.5 and newer",
      text: """
        Where it was built with enable-sslkeylog, every program that uses it heeds SSLKEYLOGFILE. Its own tools take a \
        flag in any version.
          openssl s_server -keylogfile /run/keys.log ...
        """),
    KeyLogAdvice(
      program: "nginx, HAProxy and others with an older OpenSSL",
      text: """
        nginx has no setting: preload a library that sets OpenSSL's key log callback (SSL_CTX_set_keylog_callback) on \
        each context, or put it behind Envoy. HAProxy logs secrets through a log format, with tune.ssl.keylog on.
          Environment=LD_PRELOAD=/usr/local/lib/libsslkeylog.so SSLKEYLOGFILE=/run/keys.log
        """),
    KeyLogAdvice(
      program: "Envoy and Istio",
      text: """
        In common_tls_context of a listener's or cluster's transport socket:
          key_log: { path: /run/keys.log }
        local_address_range and remote_address_range there narrow it to some connections.
        """),
    KeyLogAdvice(
      program: "Go",
      text: """
        In the program, for crypto/tls and net/http:
          tls.Config{KeyLogWriter: file}
        """),
    KeyLogAdvice(
      program: "Python",
      text: """
        ssl.create_default_context() and requests heed SSLKEYLOGFILE; a server's own context takes:
          context.keylog_filename = "/run/keys.log"
        grpcio logs no secrets: end TLS in front of it.
        """),
    KeyLogAdvice(
      program: "Node.js",
      text: """
        A flag, in NODE_OPTIONS too; in a program the 'keylog' event of a server or socket.
          node --tls-keylog=/run/keys.log server.js
        """),
    KeyLogAdvice(
      program: "Java",
      text: """
        The JDK logs none: an agent does, as extract-tls-secrets or jSSLKeyLog.
          java -javaagent:extract-tls-secrets.jar=/run/keys.log -jar server.jar
        """),
  ]

  /// What everyone has to know who switches it on.
  static let risks = """
    Whoever has the key log and the packets can read everything, passwords included, also later. Keep it on a memory \
    file system (/run), readable by one user (chmod 600), for as long as is needed; then remove it. umbra holds \
    secrets in memory only and writes none, unless --raw-with-secrets asks for it. What it writes is the decrypted \
    traffic: redaction (see --keep-credentials) applies to it as to any other.
    """
}
