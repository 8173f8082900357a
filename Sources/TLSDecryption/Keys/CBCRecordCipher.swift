// AES-CBC with HMAC, the older protection of TLS 1.2 records.
// In: a record's header fields and payload. Out: plaintext, or a refusal. Owner: RecordCipher. Bounds: one record, copied twice.

import Crypto
import CryptoExtras

/// GenericBlockCipher with an explicit IV, in both orders: MAC, then padding, then encryption (RFC 5246 section 6.2.3.2), and
/// encryption, then MAC (RFC 7366).
///
/// Nobody waits for an answer here, so nothing takes pains to run in constant time.
struct CBCRecordCipher: Sendable {
  private let key: SymmetricKey
  private let mac: RecordHMAC
  private let encryptThenMAC: Bool

  init(key: [UInt8], macKey: [UInt8], mac: CipherSuite.RecordMAC, encryptThenMAC: Bool) {
    self.key = SymmetricKey(data: key)
    self.mac = RecordHMAC(mac, key: macKey)
    self.encryptThenMAC = encryptThenMAC
  }

  /// Opens one record; `out` is empty before, and of no meaning after a refusal.
  func open(_ header: RecordHeader, payload: UnsafeRawBufferPointer, into out: inout [UInt8]) -> Opened {
    // IV, then at least one block, then the MAC where it is outside.
    let encryptedEnd = payload.count &- (encryptThenMAC ? mac.length : 0)
    guard encryptedEnd >= 32, encryptedEnd % 16 == 0 else { return .malformed }
    let protected = UnsafeRawBufferPointer(rebasing: payload[..<encryptedEnd])
    if encryptThenMAC {
      let tag = UnsafeRawBufferPointer(rebasing: payload[encryptedEnd...])
      guard mac.fits(tag, header.associatedData12(contentLength: encryptedEnd), protected) else {
        return .badRecordMAC
      }
    }
    guard let iv = try? AES._CBC.IV(ivBytes: protected[..<16]),
      let decrypted = try? AES._CBC.decrypt(
        UnsafeRawBufferPointer(rebasing: protected[16...]), using: key, iv: iv, noPadding: true)
    else { return .malformed }
    out.append(contentsOf: decrypted)
    guard Self.removePadding(&out) else { return .badRecordMAC }
    guard !encryptThenMAC else { return .plaintext(contentType: header.contentType) }

    let contentLength = out.count &- mac.length
    guard contentLength >= 0 else { return .badRecordMAC }
    let fits = out.withUnsafeBytes { bytes in
      mac.fits(
        UnsafeRawBufferPointer(rebasing: bytes[contentLength...]),
        header.associatedData12(contentLength: contentLength), UnsafeRawBufferPointer(rebasing: bytes[..<contentLength])
      )
    }
    guard fits else { return .badRecordMAC }
    out.removeSubrange(contentLength...)
    return .plaintext(contentType: header.contentType)
  }

  /// Takes the padding and its length off the end; false where not every byte of it is its length.
  private static func removePadding(_ bytes: inout [UInt8]) -> Bool {
    guard let last = bytes.last, Int(last) < bytes.count else { return false }
    let start = bytes.count &- 1 &- Int(last)
    guard bytes[start...].allSatisfy({ $0 == last }) else { return false }
    bytes.removeSubrange(start...)
    return true
  }
}

/// An HMAC that has taken in its key already, so that a record costs no key set-up.
enum RecordHMAC: Sendable {
  case sha1(HMAC<Insecure.SHA1>)
  case sha256(HMAC<SHA256>)
  case sha384(HMAC<SHA384>)

  init(_ mac: CipherSuite.RecordMAC, key: [UInt8]) {
    let key = SymmetricKey(data: key)
    switch mac {
    case .sha1: self = .sha1(HMAC(key: key))
    case .sha256: self = .sha256(HMAC(key: key))
    case .sha384: self = .sha384(HMAC(key: key))
    }
  }

  /// The MAC's length in bytes.
  var length: Int {
    switch self {
    case .sha1: 20
    case .sha256: 32
    case .sha384: 48
    }
  }

  /// Whether `tag` is the MAC over the associated data and the content.
  func fits(
    _ tag: UnsafeRawBufferPointer, _ associatedData: InlineArray<13, UInt8>, _ content: UnsafeRawBufferPointer
  ) -> Bool {
    switch self {
    case .sha1(let keyed): Self.fits(tag, keyed, associatedData, content)
    case .sha256(let keyed): Self.fits(tag, keyed, associatedData, content)
    case .sha384(let keyed): Self.fits(tag, keyed, associatedData, content)
    }
  }

  private static func fits<H: HashFunction>(
    _ tag: UnsafeRawBufferPointer, _ keyed: HMAC<H>, _ associatedData: InlineArray<13, UInt8>,
    _ content: UnsafeRawBufferPointer
  ) -> Bool {
    var mac = keyed
    withUnsafeBytes(of: associatedData) { mac.update(data: $0) }
    mac.update(data: content)
    return mac.finalize().elementsEqual(tag)
  }
}
