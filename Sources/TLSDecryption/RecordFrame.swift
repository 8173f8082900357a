// The five bytes before each record, RFC 8446 section 5.1.
// In: bytes at a place where a record may begin. Out: its type, version and length. Owner: a value. Bounds: lengths to 18,432.

/// A record's header, as it stands on the wire.
struct RecordFrame: Hashable {
  enum ContentType {
    static let changeCipherSpec: UInt8 = 20
    static let alert: UInt8 = 21
    static let handshake: UInt8 = 22
    static let applicationData: UInt8 = 23
  }

  /// The header's length in bytes.
  static let headerLength = 5
  /// 2^14 of content and the 2,048 that TLS 1.2 allows for protection; TLS 1.3 allows 256.
  static let longestPayload = (1 << 14) + 2048
  /// The most ciphertext that a record of full length takes in practice, header included: no suite adds as much.
  static let fullLength = (1 << 14) + 256 + headerLength
  /// The least ciphertext that a protected record takes, header included: an inner type and a tag.
  static let shortestProtected = headerLength + 17

  var type: UInt8
  var version: UInt16
  /// Of the payload, in bytes.
  var length: Int

  /// Reads the header at the begin of `bytes`; nil where that is none. `bytes` has at least 5 bytes.
  init?(_ bytes: UnsafeRawBufferPointer) {
    type = bytes[0]
    version = UInt16(bytes[1]) << 8 | UInt16(bytes[2])
    length = Int(bytes[3]) << 8 | Int(bytes[4])
    guard (20...24).contains(type), version >= 0x0300, version <= 0x0304, length <= Self.longestPayload else {
      return nil
    }
  }

  /// Whether it may begin a record in the middle of a stream of TLS 1.2 or 1.3, where nothing else vouches for it.
  var isPlausibleMidstream: Bool { type <= 23 && version == 0x0303 && length > 0 }
}
