// Opens the protected records of one direction.
// In: a record's header fields, payload and number. Out: its plaintext, or why not. Owner: a TLS connection, one value for
// each direction and epoch. Bounds: payloads of at most 65,535 bytes, which is what a record's header can say.

import Crypto

/// What became of one record.
enum Opened: Hashable, Sendable {
  /// The output holds the plaintext. For TLS 1.3 the type is the inner one and the padding is gone.
  case plaintext(contentType: UInt8)
  /// Its tag, MAC or padding is not what these keys and this number give.
  case badRecordMAC
  /// It cannot be a record of this suite: too short, too long, no whole number of blocks, no inner type.
  case malformed
}

/// The keys of one direction in one epoch. Opening changes nothing in it, so one value may try many record numbers.
final class RecordProtection: Sendable {
  /// The suite that it was made for.
  let suite: CipherSuite
  private let cipher: RecordCipher
  /// TLS 1.3 only: what the next generation follows from.
  private let trafficSecret: Secret?

  /// Keys from a TLS 1.3 traffic secret (RFC 8446 section 7.3). Nil for a TLS 1.2 suite or where the secret's length is not that
  /// of the suite's hash.
  init?(tls13 trafficSecret: Secret, suite: CipherSuite) {
    guard suite.isTLS13, trafficSecret.bytes.count == suite.hash.length else { return nil }
    let schedule = TLS13KeySchedule(hash: suite.hash)
    let key = schedule.expandLabel(trafficSecret.bytes, label: "key", length: suite.keyLength)
    let iv = schedule.expandLabel(trafficSecret.bytes, label: "iv", length: 12)
    guard let cipher = RecordCipher(tls13Key: key, iv: iv, suite: suite) else { return nil }
    self.suite = suite
    self.cipher = cipher
    self.trafficSecret = trafficSecret
  }

  /// Keys of both directions from a TLS 1.2 master secret (RFC 5246 section 6.3). Nil for a TLS 1.3 suite, or where the master
  /// secret is not 48 bytes or a random not 32. `encryptThenMAC` says that RFC 7366 was agreed on; it concerns CBC suites only.
  static func tls12(
    master: Secret, clientRandom: [UInt8], serverRandom: [UInt8], suite: CipherSuite, encryptThenMAC: Bool
  ) -> (client: RecordProtection, server: RecordProtection)? {
    guard !suite.isTLS13, master.bytes.count == 48, clientRandom.count == 32, serverRandom.count == 32 else {
      return nil
    }
    let lengths = TLS12KeyLengths(suite: suite)
    let block = TLS12PRF(hash: suite.hash).expand(
      secret: master.bytes, label: "key expansion", seed: serverRandom + clientRandom, length: lengths.total)
    guard
      let client = RecordCipher(tls12: lengths.client(of: block), suite: suite, encryptThenMAC: encryptThenMAC),
      let server = RecordCipher(tls12: lengths.server(of: block), suite: suite, encryptThenMAC: encryptThenMAC)
    else { return nil }
    return (RecordProtection(suite: suite, cipher: client), RecordProtection(suite: suite, cipher: server))
  }

  private init(suite: CipherSuite, cipher: RecordCipher) {
    self.suite = suite
    self.cipher = cipher
    trafficSecret = nil
  }

  /// The keys after a TLS 1.3 KeyUpdate of this direction (RFC 8446 section 7.2); nil under TLS 1.2.
  func updated() -> RecordProtection? {
    guard let trafficSecret else { return nil }
    let next = TLS13KeySchedule(hash: suite.hash)
      .expandLabel(trafficSecret.bytes, label: "traffic upd", length: suite.hash.length)
    return RecordProtection(tls13: Secret(next), suite: suite)
  }

  /// Opens one record.
  ///
  /// - Parameters:
  ///   - contentType: The type in the record's header.
  ///   - version: The version in the record's header.
  ///   - payload: What follows the header: explicit nonce or IV, ciphertext, tag. Borrowed until return.
  ///   - sequence: The record's number in its direction and epoch, from 0.
  ///   - out: Replaced by the plaintext, its capacity kept; empty after anything but `.plaintext`.
  func open(
    contentType: UInt8, version: UInt16, payload: UnsafeRawBufferPointer, sequence: UInt64, into out: inout [UInt8]
  ) -> Opened {
    out.removeAll(keepingCapacity: true)
    guard payload.count <= 0xffff else { return .malformed }
    let header = RecordHeader(contentType: contentType, version: version, sequence: sequence)
    let result = cipher.open(header, payload: payload, into: &out)
    switch result {
    case .plaintext where suite.isTLS13: return Self.stripInnerPadding(&out)
    case .plaintext: break
    case .badRecordMAC, .malformed: out.removeAll(keepingCapacity: true)
    }
    return result
  }

  /// Takes the zeros and the inner content type off the end of a TLSInnerPlaintext. RFC 8446 section 5.4.
  private static func stripInnerPadding(_ out: inout [UInt8]) -> Opened {
    guard let last = out.lastIndex(where: { $0 != 0 }) else {
      out.removeAll(keepingCapacity: true)
      return .malformed
    }
    let contentType = out[last]
    out.removeSubrange(last...)
    return .plaintext(contentType: contentType)
  }
}
