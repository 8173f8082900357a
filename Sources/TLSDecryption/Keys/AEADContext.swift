// One AEAD of swift-crypto's with its key, ready for message after message.
// In: key, nonce, associated data, ciphertext with its tag. Out: plaintext, or a refusal. Owner: AEADCipher.
// Bounds: one record.

import CAEAD

/// AES-GCM or ChaCha20-Poly1305 with a tag of 16 bytes; its key is expanded once.
///
/// `@unchecked Sendable`: opening a message does not change the context.
final class AEADContext: @unchecked Sendable {
  enum Algorithm {
    /// By the key's length, of 16 or of 32 bytes.
    case aesGCM
    case chaCha20Poly1305
  }

  static let tagLength = 16

  private let context: OpaquePointer

  /// Nil where the key's length is not one of the algorithm's.
  init?(_ algorithm: Algorithm, key: [UInt8]) {
    let aead =
      switch (algorithm, key.count) {
      case (.aesGCM, 16): CCryptoBoringSSL_EVP_aead_aes_128_gcm()
      case (.aesGCM, 32): CCryptoBoringSSL_EVP_aead_aes_256_gcm()
      case (.chaCha20Poly1305, 32): CCryptoBoringSSL_EVP_aead_chacha20_poly1305()
      default: nil as OpaquePointer?
      }
    guard let aead, let context = CCryptoBoringSSL_EVP_AEAD_CTX_new(aead, key, key.count, 0) else { return nil }
    self.context = context
  }

  deinit { CCryptoBoringSSL_EVP_AEAD_CTX_free(context) }

  /// The plaintext of `sealed`, ciphertext and tag; nil where the tag does not fit.
  func open(
    _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer
  ) -> [UInt8]? {
    let room = sealed.count &- Self.tagLength
    guard room >= 0 else { return nil }
    var fits = false
    let plaintext = [UInt8](unsafeUninitializedCapacity: room) { out, count in
      fits =
        CCryptoBoringSSL_EVP_AEAD_CTX_open(
          context, out.baseAddress, &count, room, nonce.bytes, nonce.count, sealed.bytes, sealed.count,
          associatedData.bytes, associatedData.count) == 1
      if !fits { count = 0 }
    }
    return fits ? plaintext : nil
  }
}

extension UnsafeRawBufferPointer {
  fileprivate var bytes: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}
