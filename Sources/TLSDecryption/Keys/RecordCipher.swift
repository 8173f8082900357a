// The ciphers of a record, each with its nonce and associated data.
// In: a record's header fields and payload. Out: plaintext that is still as the sender composed it. Owner: RecordProtection.
// Bounds: one record.

import Crypto

/// The fields of a record's header, and its number, as nonces and associated data need them.
struct RecordHeader: Sendable {
  let contentType: UInt8
  let version: UInt16
  let sequence: UInt64

  /// The associated data of TLS 1.3: the header itself. RFC 8446 section 5.2.
  func associatedData13(payloadLength: Int) -> InlineArray<5, UInt8> {
    [
      contentType, UInt8(truncatingIfNeeded: version >> 8), UInt8(truncatingIfNeeded: version),
      UInt8(truncatingIfNeeded: payloadLength >> 8), UInt8(truncatingIfNeeded: payloadLength),
    ]
  }

  /// What TLS 1.2 authenticates before the content: number, type, version, length. RFC 5246 sections 6.2.3.1 and 6.2.3.3.
  func associatedData12(contentLength: Int) -> InlineArray<13, UInt8> {
    InlineArray { index in
      switch index {
      case 0..<8: UInt8(truncatingIfNeeded: sequence >> UInt64(56 &- 8 &* index))
      case 8: contentType
      case 9: UInt8(truncatingIfNeeded: version >> 8)
      case 10: UInt8(truncatingIfNeeded: version)
      case 11: UInt8(truncatingIfNeeded: contentLength >> 8)
      default: UInt8(truncatingIfNeeded: contentLength)
      }
    }
  }
}

/// A cipher with the key of one direction.
enum RecordCipher: Sendable {
  /// TLS 1.3, and ChaCha20-Poly1305 of TLS 1.2: the number XORed into the IV makes the nonce. RFC 8446 section 5.3, RFC 7905.
  case implicitNonce(AEADCipher, iv: InlineArray<12, UInt8>, isTLS13: Bool)
  /// AES-GCM and AES-CCM of TLS 1.2: a salt and the payload's first eight bytes make the nonce. RFC 5288, RFC 6655.
  case explicitNonce(AEADCipher, salt: InlineArray<12, UInt8>)
  case cbc(CBCRecordCipher)

  /// The cipher of a TLS 1.3 suite; nil for CBC, which TLS 1.3 does not have.
  init?(tls13Key key: [UInt8], iv: [UInt8], suite: CipherSuite) {
    guard let aead = AEADCipher(suite: suite, key: key) else { return nil }
    self = .implicitNonce(aead, iv: InlineArray { iv[$0] }, isTLS13: true)
  }

  /// The cipher of one direction's part of a TLS 1.2 key block.
  init?(tls12 part: TLS12KeyLengths.Part, suite: CipherSuite, encryptThenMAC: Bool) {
    if case .aesCBC(let mac) = suite.cipher {
      self = .cbc(CBCRecordCipher(key: part.key, macKey: part.macKey, mac: mac, encryptThenMAC: encryptThenMAC))
      return
    }
    guard let aead = AEADCipher(suite: suite, key: part.key) else { return nil }
    if case .chaCha20Poly1305 = suite.cipher {
      self = .implicitNonce(aead, iv: InlineArray { part.iv[$0] }, isTLS13: false)
    } else {
      self = .explicitNonce(aead, salt: InlineArray { $0 < 4 ? part.iv[$0] : 0 })
    }
  }

  /// Opens one record; `out` is empty before, and holds what was decrypted after.
  func open(_ header: RecordHeader, payload: UnsafeRawBufferPointer, into out: inout [UInt8]) -> Opened {
    switch self {
    case .implicitNonce(let aead, let iv, let isTLS13):
      let contentLength = payload.count &- aead.tagLength
      guard contentLength >= (isTLS13 ? 1 : 0) else { return .malformed }
      var nonce = iv
      for index in 0..<8 { nonce[4 &+ index] ^= UInt8(truncatingIfNeeded: header.sequence >> UInt64(56 &- 8 &* index)) }
      let opened =
        isTLS13
        ? aead.open(payload, nonce: nonce, header.associatedData13(payloadLength: payload.count), into: &out)
        : aead.open(payload, nonce: nonce, header.associatedData12(contentLength: contentLength), into: &out)
      return opened ? .plaintext(contentType: header.contentType) : .badRecordMAC

    case .explicitNonce(let aead, let salt):
      let contentLength = payload.count &- 8 &- aead.tagLength
      guard contentLength >= 0 else { return .malformed }
      var nonce = salt
      for index in 0..<8 { nonce[4 &+ index] = payload[index] }
      let sealed = UnsafeRawBufferPointer(rebasing: payload[8...])
      let opened = aead.open(sealed, nonce: nonce, header.associatedData12(contentLength: contentLength), into: &out)
      return opened ? .plaintext(contentType: header.contentType) : .badRecordMAC

    case .cbc(let cipher):
      return cipher.open(header, payload: payload, into: &out)
    }
  }
}
