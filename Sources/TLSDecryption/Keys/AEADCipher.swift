// Authenticated decryption of one message: AES-GCM, AES-CCM, ChaCha20-Poly1305.
// In: key, nonce, associated data, ciphertext with its tag. Out: plaintext, or a refusal. Owner: RecordCipher.
// Bounds: one record.

import Crypto

/// An AEAD with its key. RFC 5116, 6655, 8439.
enum AEADCipher: Sendable {
  case context(AEADContext)
  case aesCCM(AESCCM)

  /// The AEAD of a suite; nil where the suite has none.
  init?(suite: CipherSuite, key: [UInt8]) {
    let algorithm: AEADContext.Algorithm
    switch suite.cipher {
    case .aesGCM: algorithm = .aesGCM
    case .chaCha20Poly1305: algorithm = .chaCha20Poly1305
    case .aesCCM(let tagLength):
      self = .aesCCM(AESCCM(key: SymmetricKey(data: key), tagLength: tagLength))
      return
    case .aesCBC: return nil
    }
    guard let context = AEADContext(algorithm, key: key) else { return nil }
    self = .context(context)
  }

  /// The length of the tag at the end of a ciphertext, in bytes.
  var tagLength: Int {
    if case .aesCCM(let ccm) = self { ccm.tagLength } else { AEADContext.tagLength }
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
        case .context(let context):
          guard let plaintext = context.open(sealed, nonce: nonce, associatedData: associatedData) else { return false }
          out = plaintext
          return true
        case .aesCCM(let ccm):
          return ccm.open(sealed, nonce: nonce, associatedData: associatedData, into: &out)
        }
      }
    }
  }
}
