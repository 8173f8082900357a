// A block's stored payload to ciphertext, and back: AES-256-GCM (NIST SP 800-38D) under a key of the file's own.
//
// In: a payload, its block's header. Out: the ciphertext and its tag. Owner: a writer's thread, a reader. Bounds: one block.

import Crypto

/// What files are encrypted to and read with: any octets that are kept secret.
public struct SessionKey: Sendable {
  private let key: SymmetricKey

  /// - Parameter octets: 16 or more, of which nobody can guess any.
  public init(_ octets: [UInt8]) { key = SymmetricKey(data: octets) }

  /// Of one file: the header's first 28 octets, of which 48 bits are drawn for each file, make it another one
  /// (HKDF, RFC 5869).
  func cipher(for header: FileHeader) -> BlockCipher {
    BlockCipher(
      key: HKDF<SHA256>.deriveKey(
        inputKeyMaterial: key, salt: Array(header.encoded().prefix(28)), info: Array("umbra session blocks".utf8),
        outputByteCount: 32))
  }
}

struct BlockCipher: Sendable {
  /// Octets of ciphertext beyond the payload's.
  static let tagLength = 16

  fileprivate let key: SymmetricKey

  /// - Parameter header: of the block as it will be stored, but for the payload's checksum.
  /// - Returns: ciphertext and tag.
  func sealed(_ payload: UnsafeRawBufferPointer, header: BlockHeader) -> [UInt8]? {
    guard let nonce = try? AES.GCM.Nonce(data: BlockCipher.nonce(header)),
      let box = try? AES.GCM.seal(payload, using: key, nonce: nonce, authenticating: BlockCipher.authenticated(header))
    else { return nil }
    return Array(box.ciphertext) + box.tag
  }

  /// - Returns: nil where it was sealed under another key, or header or payload are not those that were sealed.
  func opened(_ stored: UnsafeRawBufferPointer, header: BlockHeader) -> [UInt8]? {
    guard stored.count >= BlockCipher.tagLength, let nonce = try? AES.GCM.Nonce(data: BlockCipher.nonce(header)),
      let box = try? AES.GCM.SealedBox(
        nonce: nonce, ciphertext: stored.dropLast(BlockCipher.tagLength), tag: stored.suffix(BlockCipher.tagLength)),
      let payload = try? AES.GCM.open(box, using: key, authenticating: BlockCipher.authenticated(header))
    else { return nil }
    return Array(payload)
  }

  /// The block's number, which no other block of the file has.
  private static func nonce(_ header: BlockHeader) -> [UInt8] {
    [0, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: header.sequence >> (8 * $0)) }
  }

  /// The header but for its marker and checksums.
  private static func authenticated(_ header: BlockHeader) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: BlockHeader.size)
    bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
    return Array(bytes[8..<56])
  }
}
