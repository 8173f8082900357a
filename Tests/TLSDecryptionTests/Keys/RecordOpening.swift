// What the tests of keys share: bytes from hexadecimal text, and a record opened in one call.

@testable import TLSDecryption

/// The bytes that pairs of hexadecimal digits spell; spaces are passed over.
func bytes(ofHex text: String) -> [UInt8] {
  let digits = text.filter { $0 != " " }.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

extension RecordProtection {
  /// Opens a record whose header says version 3.3.
  func opening(
    _ payload: [UInt8], sequence: UInt64, contentType: UInt8 = 23
  ) -> (result: Opened, plaintext: [UInt8]) {
    var out: [UInt8] = [1, 2, 3]
    let result = payload.withUnsafeBytes {
      open(contentType: contentType, version: 0x0303, payload: $0, sequence: sequence, into: &out)
    }
    return (result, out)
  }
}

extension RecordVector {
  /// The keys that sealed this record.
  func protection() -> RecordProtection? {
    guard let suite = CipherSuite(number: suite) else { return nil }
    guard suite.isTLS13 else {
      let both = RecordProtection.tls12(
        master: Secret(Self.master), clientRandom: Self.clientRandom, serverRandom: Self.serverRandom, suite: suite,
        encryptThenMAC: encryptThenMAC)
      return side == .client ? both?.client : both?.server
    }
    let (client, server) = suite.hash == .sha256 ? Self.traffic256 : Self.traffic384
    return side == .client
      ? RecordProtection(tls13: Secret(client), suite: suite)
      : RecordProtection(tls13: Secret(server), suite: suite)?.updated()
  }
}
