// Authenticated decryption of one message: AES-GCM, AES-CCM, ChaCha20-Poly1305.
// In: key, nonce, associated data, ciphertext with its tag. Out: plaintext, or a refusal. Owner: RecordCipher.
// Bounds: one record.

import Crypto

/// An AEAD with its key. RFC 5116, 6655, 8439.
enum AEADCipher: Sendable {
  case aesGCM(SymmetricKey)
  case aesCCM(AESCCM)
  case chaCha20Poly1305(SymmetricKey)

  /// The AEAD of a suite; nil where the suite has none.
  init?(suite: CipherSuite, key: [UInt8]) {
    let key = SymmetricKey(data: key)
    switch suite.cipher {
    case .aesGCM: self = .aesGCM(key)
    case .aesCCM(let tagLength): self = .aesCCM(AESCCM(key: key, tagLength: tagLength))
    case .chaCha20Poly1305: self = .chaCha20Poly1305(key)
    case .aesCBC: return nil
    }
  }

  /// The length of the tag at the end of a ciphertext, in bytes.
  var tagLength: Int {
    if case .aesCCM(let ccm) = self { ccm.tagLength } else { 16 }
  }

  /// Replaces `out`, which is empty, by the plaintext of `sealed`, ciphertext and tag, and returns true; false where the tag does
  /// not fit, and then `out` means nothing.
  func open<let length: Int>(
    _ sealed: UnsafeRawBufferPointer, nonce: InlineArray<12, UInt8>, _ associatedData: InlineArray<length, UInt8>,
    into out: inout [UInt8]
  ) -> Bool {
    guard sealed.count >= tagLength else { return false }
    return withUnsafeBytes(of: nonce) { nonce in
      withUnsafeBytes(of: associatedData) { associatedData in
        switch self {
        case .aesGCM(let key):
          Self.combine(nonce, sealed, into: &out)
          guard let box = try? AES.GCM.SealedBox(combined: out),
            let plaintext = try? AES.GCM.open(box, using: key, authenticating: associatedData)
          else { return false }
          out.removeAll(keepingCapacity: true)
          out.append(contentsOf: plaintext)
          return true
        case .chaCha20Poly1305(let key):
          Self.combine(nonce, sealed, into: &out)
          guard let box = try? ChaChaPoly.SealedBox(combined: out),
            let plaintext = try? ChaChaPoly.open(box, using: key, authenticating: associatedData)
          else { return false }
          out.removeAll(keepingCapacity: true)
          out.append(contentsOf: plaintext)
          return true
        case .aesCCM(let ccm):
          return ccm.open(sealed, nonce: nonce, associatedData: associatedData, into: &out)
        }
      }
    }
  }

  /// Composes the library's combined form, which it takes with a third less time for a short record than the parts.
  private static func combine(
    _ nonce: UnsafeRawBufferPointer, _ sealed: UnsafeRawBufferPointer, into out: inout [UInt8]
  ) {
    out.reserveCapacity(nonce.count &+ sealed.count)
    out.append(contentsOf: nonce)
    out.append(contentsOf: sealed)
  }
}
