// One handshake of a connection: what was asked, what was answered, and which keys follow from it.
// In: hellos and a key log. Out: facts and record protections. Owner: `TLSConnection`. Bounds: two hellos.

import HTTPModel

/// What a server's answer means to an observer.
struct Answer {
  /// nil where the version is not read.
  var isTLS13: Bool?
  /// nil where its records cannot be opened.
  var suite: CipherSuite?
  var hello: ServerHello

  init(_ hello: ServerHello) {
    self.hello = hello
    suite = CipherSuite(number: hello.suite)
    switch hello.version {
    case 0x0304: isTLS13 = true
    case 0x0303: isTLS13 = false
    default: isTLS13 = nil
    }
  }

  var versionName: String {
    switch hello.version {
    case 0x0300: return "SSLv3"
    case 0x0301: return "TLSv1.0"
    case 0x0302: return "TLSv1.1"
    case 0x0303: return "TLSv1.2"
    case 0x0304: return "TLSv1.3"
    case 0x7f00...0x7fff: return "TLSv1.3-draft-\(hello.version & 0xff)"
    default: return "0x" + hexadecimal(hello.version)
    }
  }

  var suiteName: String { suite?.name ?? "0x" + hexadecimal(hello.suite) }

  /// Why it is not read, nil where it is.
  var obstacle: TLSUnreadable? {
    guard let isTLS13 else { return .version(versionName) }
    guard let suite, suite.isTLS13 == isTLS13 else { return .suite(suiteName) }
    return nil
  }

  private func hexadecimal(_ number: UInt16) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}

struct Negotiation {
  var hello: ClientHello
  /// A HelloRetryRequest was seen: TLS 1.3, and early data refused.
  var wasRetried = false
  var answer: Answer?
  /// From EncryptedExtensions.
  var applicationProtocol: String?
  /// nil until EncryptedExtensions was read.
  var acceptsEarlyData: Bool?

  init(_ hello: ClientHello) { self.hello = hello }

  var facts: TLSFacts? {
    answer.map {
      TLSFacts(
        version: $0.versionName, suite: $0.suiteName, serverName: hello.serverName,
        applicationProtocol: applicationProtocol ?? $0.hello.applicationProtocol)
    }
  }

  func secrets(_ keys: borrowing KeyLog) -> ClientSecrets? {
    hello.random.withUnsafeBytes { ClientRandom($0) }.flatMap { keys.secrets(for: $0) }
  }

  /// The keys of a direction under TLS 1.2; nil without a logged secret.
  func changed(_ side: TLSSide, keys: borrowing KeyLog) -> RecordProtection? {
    guard let answer, let suite = answer.suite else { return nil }
    guard
      let master = secrets(keys)?.master
        ?? (answer.hello.sessionID.isEmpty ? nil : keys.master(sessionID: answer.hello.sessionID)),
      let both = RecordProtection.tls12(
        master: master, clientRandom: hello.random, serverRandom: answer.hello.random, suite: suite,
        encryptThenMAC: answer.hello.encryptsThenMACs)
    else { return nil }
    return side == .client ? both.client : both.server
  }

  /// The keys of a direction under TLS 1.3 for one of its three epochs; nil without a logged secret.
  func traffic(_ side: TLSSide, _ epoch: Epoch, keys: borrowing KeyLog) -> RecordProtection? {
    guard let suite = answer?.suite, let secrets = secrets(keys) else { return nil }
    let secret =
      switch epoch {
      case .early: secrets.clientEarlyTraffic
      case .handshake: secrets.handshakeTraffic(side)
      case .application: secrets.applicationTraffic(side)
      case .plaintext, .changed: nil as Secret?
      }
    return secret.flatMap { RecordProtection(tls13: $0, suite: suite) }
  }
}
