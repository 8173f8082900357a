// What TLS 1.3 hides inside a record: the type, and padding before and after nothing. Sealed here with the library.

import Crypto
import Testing

@testable import TLSDecryption

@Suite("TLSInnerPlaintext")
struct InnerPlaintextTests {
  private let secret = [UInt8](repeating: 0x5a, count: 32)

  @Test("Padding is taken off, and the type is the last byte that is not zero")
  func padding() throws {
    #expect(try open(inner: [1, 0, 2, 0, 0, 21, 0, 0, 0]) == (.plaintext(contentType: 21), [1, 0, 2, 0, 0]))
    #expect(try open(inner: [22]) == (.plaintext(contentType: 22), []))
    #expect(try open(inner: [23] + [UInt8](repeating: 0, count: 4096)) == (.plaintext(contentType: 23), []))
  }

  @Test("Nothing but zeros has no type")
  func onlyZeros() throws {
    #expect(try open(inner: [0]) == (.malformed, []))
    #expect(try open(inner: [UInt8](repeating: 0, count: 300)) == (.malformed, []))
  }

  @Test("A tag over nothing is no TLS 1.3 record")
  func empty() throws {
    #expect(try open(inner: []) == (.malformed, []))
  }

  private func open(inner: [UInt8]) throws -> (Opened, [UInt8]) {
    let schedule = TLS13KeySchedule(hash: .sha256)
    let key = schedule.expandLabel(secret, label: "key", length: 16)
    let iv = schedule.expandLabel(secret, label: "iv", length: 12)
    let length = inner.count + 16
    let header: [UInt8] = [23, 3, 3, UInt8(length >> 8), UInt8(length & 255)]
    let box = try AES.GCM.seal(
      inner, using: SymmetricKey(data: key), nonce: AES.GCM.Nonce(data: iv), authenticating: header)
    let suite = try #require(CipherSuite(number: 0x1301))
    let protection = try #require(RecordProtection(tls13: Secret(secret), suite: suite))
    let opened = protection.opening([UInt8](box.ciphertext) + [UInt8](box.tag), sequence: 0)
    return (opened.result, opened.plaintext)
  }
}
