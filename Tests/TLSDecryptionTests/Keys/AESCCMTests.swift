// AES-CCM against packet vectors of RFC 3610 section 8, and lengths around a block.

import Crypto
import Testing

@testable import TLSDecryption

@Suite("AES-CCM")
struct AESCCMTests {
  struct Vector: Sendable {
    let number: Int
    let nonce: String
    let associatedLength: Int
    /// Where the counting plaintext ends; it begins where the associated data ends.
    let end: Int
    let tagLength: Int
    let sealed: String
  }

  static let vectors = [
    Vector(
      number: 1, nonce: "00000003020100a0a1a2a3a4a5", associatedLength: 8, end: 0x1f, tagLength: 8,
      sealed: "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0"),
    Vector(
      number: 2, nonce: "00000004030201a0a1a2a3a4a5", associatedLength: 8, end: 0x20, tagLength: 8,
      sealed: "72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3ba091d56e10400916"),
    Vector(
      number: 3, nonce: "00000005040302a0a1a2a3a4a5", associatedLength: 8, end: 0x21, tagLength: 8,
      sealed: "51b1e5f44a197d1da46b0f8e2d282ae871e838bb64da8596574adaa76fbd9fb0c5"),
    Vector(
      number: 4, nonce: "00000006050403a0a1a2a3a4a5", associatedLength: 12, end: 0x1f, tagLength: 8,
      sealed: "a28c6865939a9a79faaa5c4c2a9d4a91cdac8c96c861b9c9e61ef1"),
    Vector(
      number: 7, nonce: "00000009080706a0a1a2a3a4a5", associatedLength: 8, end: 0x1f, tagLength: 10,
      sealed: "0135d1b2c95f41d5d1d4fec185d166b8094e999dfed96c048c56602c97acbb7490"),
  ]

  private let key = SymmetricKey(data: Array(UInt8(0xc0)...0xcf))

  @Test("Opens the packets of RFC 3610", arguments: vectors)
  func packetVectors(_ vector: Vector) {
    let sealed = bytes(ofHex: vector.sealed)
    let associated = (0..<vector.associatedLength).map { UInt8($0) }
    let expected = (vector.associatedLength..<vector.end).map { UInt8($0) }
    #expect(open(sealed, vector, associated) == expected)
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 0x80
      #expect(open(changed, vector, associated) == nil)
    }
    #expect(open(sealed, vector, associated + [0]) == nil)
    #expect(open(sealed, vector, []) == nil)
    #expect(open(Array(sealed.prefix(vector.tagLength - 1)), vector, associated) == nil)
  }

  @Test("A nonce of a length that CCM does not have opens nothing")
  func nonceLengths() {
    let ccm = AESCCM(key: key, tagLength: 8)
    for length in [0, 6, 14, 16] {
      var out: [UInt8] = []
      let opened = [UInt8](repeating: 0, count: 40).withUnsafeBytes { sealed in
        [UInt8](repeating: 0, count: length).withUnsafeBytes { nonce in
          ccm.open(sealed, nonce: nonce, associatedData: nonce, into: &out)
        }
      }
      #expect(!opened)
      #expect(out.isEmpty)
    }
  }

  private func open(_ sealed: [UInt8], _ vector: Vector, _ associated: [UInt8]) -> [UInt8]? {
    let ccm = AESCCM(key: key, tagLength: vector.tagLength)
    var out: [UInt8] = []
    let opened = sealed.withUnsafeBytes { sealed in
      bytes(ofHex: vector.nonce).withUnsafeBytes { nonce in
        associated.withUnsafeBytes { ccm.open(sealed, nonce: nonce, associatedData: $0, into: &out) }
      }
    }
    return opened ? out : nil
  }
}
