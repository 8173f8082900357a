// AES in Counter with CBC-MAC mode, built on the library's CTR and CBC modes.
// In: key, nonce, associated data, ciphertext with its tag. Out: plaintext, or a refusal. Owner: AEADCipher.
// Bounds: associated data below 65,280 bytes; one record, copied a few times.

import Crypto
import CryptoExtras

/// AES-CCM. RFC 3610; as in TLS by RFC 6655 with a nonce of 12 bytes and a length field of 3.
///
/// One pass of CTR from counter 0 decrypts the message and makes the block that hides the tag, and one pass of CBC makes the tag,
/// so that the key is set up twice for a message and not twice for each block.
struct AESCCM: Sendable {
  private let key: SymmetricKey
  /// The tag's length in bytes: even, 4 to 16.
  let tagLength: Int

  init(key: SymmetricKey, tagLength: Int) {
    self.key = key
    self.tagLength = tagLength
  }

  /// Appends the plaintext of `sealed` to `out` and returns true; false where the tag does not fit. The nonce has 7 to 13 bytes.
  func open(
    _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
    into out: inout [UInt8]
  ) -> Bool {
    let length = sealed.count &- tagLength
    let lengthBytes = 15 &- nonce.count
    guard length >= 0, (2...8).contains(lengthBytes), associatedData.count < 0xff00,
      lengthBytes > 7 || length >> (8 &* lengthBytes) == 0
    else { return false }

    // Counter block 0 enciphers sixteen zeros to S_0, the blocks from 1 on the message.
    var stream = [UInt8](repeating: 0, count: 16)
    stream.reserveCapacity(16 &+ length)
    stream.append(contentsOf: UnsafeRawBufferPointer(rebasing: sealed[..<length]))
    let counter = [UInt8(lengthBytes &- 1)] + nonce + [UInt8](repeating: 0, count: lengthBytes)
    guard let start = try? AES._CTR.Nonce(nonceBytes: counter),
      let deciphered = try? AES._CTR.decrypt(stream, using: key, nonce: start)
    else { return false }
    stream.removeAll(keepingCapacity: true)
    stream.append(contentsOf: deciphered)
    let message = stream[16...]

    guard let expected = tag(message, nonce: nonce, associatedData: associatedData, lengthBytes: lengthBytes) else {
      return false
    }
    var difference: UInt8 = 0
    for index in 0..<tagLength {
      difference |= sealed[length &+ index] ^ stream[index] ^ expected[index]
    }
    guard difference == 0 else { return false }
    out.append(contentsOf: message)
    return true
  }

  /// The CBC-MAC over B_0, the associated data and the message, before S_0 hides it. RFC 3610 section 2.2.
  private func tag(
    _ message: ArraySlice<UInt8>, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
    lengthBytes: Int
  ) -> [UInt8]? {
    var blocks: [UInt8] = []
    blocks.reserveCapacity(64 &+ associatedData.count &+ message.count)
    let hasData: UInt8 = associatedData.isEmpty ? 0 : 0x40
    blocks.append(hasData | UInt8((tagLength &- 2) / 2) << 3 | UInt8(lengthBytes &- 1))
    blocks.append(contentsOf: nonce)
    for shift in (0..<lengthBytes).reversed() {
      blocks.append(UInt8(truncatingIfNeeded: message.count >> (8 &* shift)))
    }
    if !associatedData.isEmpty {
      blocks.append(UInt8(truncatingIfNeeded: associatedData.count >> 8))
      blocks.append(UInt8(truncatingIfNeeded: associatedData.count))
      blocks.append(contentsOf: associatedData)
      Self.fillBlock(&blocks)
    }
    blocks.append(contentsOf: message)
    Self.fillBlock(&blocks)
    guard let zero = try? AES._CBC.IV(ivBytes: repeatElement(0, count: 16)),
      let chained = try? AES._CBC.encrypt(blocks, using: key, iv: zero, noPadding: true)
    else { return nil }
    return [UInt8](chained.suffix(16))
  }

  private static func fillBlock(_ blocks: inout [UInt8]) {
    blocks.append(contentsOf: repeatElement(0, count: (16 &- blocks.count % 16) % 16))
  }
}
