import Glibc
import NIOCore
import NIOSSL

/// How `https` targets are trusted and what they are shown, in curl's terms.
public struct TargetSecurity: Hashable, Sendable {
  /// `--cacert`: a PEM file of the authorities that are trusted instead of the system's.
  public var authorities: String?
  /// `--cert`: a PEM file with the client's certificate, those between it and its authority, and, without ``key``, its
  /// key.
  public var certificate: String?
  /// `--key`: a PEM file with the certificate's private key, not encrypted.
  public var key: String?
  /// `--insecure`: any certificate will do.
  public var isInsecure = false

  public init() {}
}

/// `--resolve HOST:PORT:ADDR`: where a name and port are, whatever the system says.
public struct ResolvedName: Hashable, Sendable {
  /// In lower case; `*` is any name.
  public var host: String
  public var port: UInt16
  /// IPv4 or IPv6 addresses as text, in the order in which they are tried.
  public var addresses: [String]

  public init(host: String, port: UInt16, addresses: [String]) {
    self.host = host
    self.port = port
    self.addresses = addresses
  }
}

/// Which application protocols a connection offers, the preferred one first (RFC 7301).
enum OfferedProtocols: Hashable, Sendable {
  case http1
  case http2
  case either

  var names: [String] {
    switch self {
    case .http1: ["http/1.1"]
    case .http2: ["h2"]
    case .either: ["h2", "http/1.1"]
    }
  }
}

/// What TLS connections of a run are made from: one context for each set of offered protocols, since reading the
/// system's authorities takes a while.
struct SecurityContexts: Sendable {
  private var contexts: [OfferedProtocols: NIOSSLContext] = [:]

  init(_ security: TargetSecurity, offering offers: [OfferedProtocols]) throws(ReplayError) {
    var configuration = TLSConfiguration.makeClientConfiguration()
    // Nobody waits for a target that does not answer the end of TLS.
    configuration.shutdownTimeout = .milliseconds(100)
    if security.isInsecure { configuration.certificateVerification = .none }
    if let path = security.authorities {
      configuration.trustRoots = .certificates(try SecurityContexts.certificates(path, flag: "--cacert"))
    }
    if let path = security.certificate {
      configuration.certificateChain = try SecurityContexts.certificates(path, flag: "--cert").map { .certificate($0) }
      configuration.privateKey = .privateKey(
        try SecurityContexts.key(security.key ?? path, isOwnFile: security.key != nil))
    } else if security.key != nil {
      throw .optionOutOfRange(name: "--key", expected: "the certificate it belongs to, with --cert")
    }
    for offer in Set(offers) {
      configuration.applicationProtocols = offer.names
      do { contexts[offer] = try NIOSSLContext(configuration: configuration) } catch {
        throw .certificateUnusable(file: security.certificate ?? security.authorities ?? "", reason: "\(error)")
      }
    }
  }

  subscript(offer: OfferedProtocols) -> NIOSSLContext? { contexts[offer] }

  private static func certificates(_ path: String, flag: String) throws(ReplayError) -> [NIOSSLCertificate] {
    try checkReadable(path)
    guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty else {
      throw .certificateUnusable(file: path, reason: "\(flag) takes a file of certificates in PEM")
    }
    return certificates
  }

  private static func key(_ path: String, isOwnFile: Bool) throws(ReplayError) -> NIOSSLPrivateKey {
    try checkReadable(path)
    guard let key = try? NIOSSLPrivateKey(file: path, format: .pem) else {
      throw .certificateUnusable(
        file: path,
        reason: isOwnFile
          ? "--key takes a private key in PEM that is not encrypted"
          : "it holds no private key in PEM that is not encrypted: name the key's file with --key")
    }
    return key
  }

  private static func checkReadable(_ path: String) throws(ReplayError) {
    guard access(path, R_OK) == 0 else {
      throw .certificateUnusable(file: path, reason: String(cString: strerror(errno)))
    }
  }
}
