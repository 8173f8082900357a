// What a cipher suite's number says about the protection of records.
// In: an IANA number from a ServerHello. Out: the suite's name and algorithms. Owner: a value. Bounds: a fixed table.

/// A TLS 1.2 or TLS 1.3 cipher suite whose records can be opened.
///
/// The key exchange does not matter here: the key log tells its result. RFC 5246, 5288, 5289, 5487, 5489, 6655, 7251, 7905,
/// 8442, 8446, 8492.
struct CipherSuite: Hashable, Sendable {
  /// How a suite protects a record.
  enum Cipher: Hashable, Sendable {
    /// AES in Galois/Counter Mode, tag of 16 bytes.
    case aesGCM
    /// AES in Counter with CBC-MAC mode, tag of 8 or 16 bytes.
    case aesCCM(tagLength: Int)
    /// ChaCha20-Poly1305, tag of 16 bytes.
    case chaCha20Poly1305
    /// AES in CBC mode with an explicit IV and an HMAC.
    case aesCBC(RecordMAC)
  }

  /// The hash of a suite's HKDF or PRF.
  enum Hash: Hashable, Sendable {
    case sha256
    case sha384

    /// The digest's length in bytes.
    var length: Int { self == .sha256 ? 32 : 48 }
  }

  /// The hash of the HMAC that protects the records of a CBC suite.
  enum RecordMAC: Hashable, Sendable {
    case sha1
    case sha256
    case sha384

    /// The digest's length in bytes, which is the MAC key's length as well.
    var length: Int {
      switch self {
      case .sha1: 20
      case .sha256: 32
      case .sha384: 48
      }
    }
  }

  /// The number in the IANA registry.
  let number: UInt16
  /// The name in the IANA registry.
  let name: String
  /// Whether it belongs to TLS 1.3; TLS 1.2 otherwise (the CBC suites with SHA-1 are older, and read under TLS 1.2 only).
  let isTLS13: Bool
  /// The algorithm that protects the records.
  let cipher: Cipher
  /// The length of the cipher's key in bytes: 16 or 32.
  let keyLength: Int
  /// The hash of the key derivation: HKDF in TLS 1.3, the PRF in TLS 1.2.
  let hash: Hash

  /// The suite with this number, or nil where its records cannot be opened.
  init?(number: UInt16) {
    guard let suite = Self.table[number] else { return nil }
    self = suite
  }

  init(
    number: UInt16, name: String, isTLS13: Bool = false, cipher: Cipher, keyLength: Int, hash: Hash
  ) {
    self.number = number
    self.name = name
    self.isTLS13 = isTLS13
    self.cipher = cipher
    self.keyLength = keyLength
    self.hash = hash
  }
}
