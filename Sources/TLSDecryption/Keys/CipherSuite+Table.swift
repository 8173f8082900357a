// The suites of the IANA registry "TLS Cipher Suites" whose records can be opened.
// In: nothing. Out: suites by number. Owner: the type. Bounds: the lists below.

extension CipherSuite {
  static let table: [UInt16: CipherSuite] = {
    var table: [UInt16: CipherSuite] = [:]
    for suite in tls13 { table[suite.number] = suite }
    for family in families {
      for (number, keyExchange) in family.members {
        table[number] = CipherSuite(
          number: number, name: "TLS_\(keyExchange)_WITH_\(family.name)", cipher: family.cipher,
          keyLength: family.keyLength, hash: family.hash)
      }
    }
    return table
  }()

  private static let tls13: [CipherSuite] = [
    CipherSuite(
      number: 0x1301, name: "TLS_AES_128_GCM_SHA256", isTLS13: true, cipher: .aesGCM, keyLength: 16, hash: .sha256),
    CipherSuite(
      number: 0x1302, name: "TLS_AES_256_GCM_SHA384", isTLS13: true, cipher: .aesGCM, keyLength: 32, hash: .sha384),
    CipherSuite(
      number: 0x1303, name: "TLS_CHACHA20_POLY1305_SHA256", isTLS13: true, cipher: .chaCha20Poly1305, keyLength: 32,
      hash: .sha256),
    CipherSuite(
      number: 0x1304, name: "TLS_AES_128_CCM_SHA256", isTLS13: true, cipher: .aesCCM(tagLength: 16), keyLength: 16,
      hash: .sha256),
    CipherSuite(
      number: 0x1305, name: "TLS_AES_128_CCM_8_SHA256", isTLS13: true, cipher: .aesCCM(tagLength: 8), keyLength: 16,
      hash: .sha256),
  ]

  /// TLS 1.2 suites that differ in their key exchange only.
  private struct Family {
    /// The part of the names after `_WITH_`.
    let name: String
    let cipher: Cipher
    let keyLength: Int
    let hash: Hash
    let members: [(UInt16, String)]
  }

  private static let families: [Family] = [
    Family(
      name: "AES_128_GCM_SHA256", cipher: .aesGCM, keyLength: 16, hash: .sha256,
      members: [
        (0x009C, "RSA"), (0x009E, "DHE_RSA"), (0x00A0, "DH_RSA"), (0x00A2, "DHE_DSS"), (0x00A4, "DH_DSS"),
        (0x00A6, "DH_anon"), (0x00A8, "PSK"), (0x00AA, "DHE_PSK"), (0x00AC, "RSA_PSK"), (0xC02B, "ECDHE_ECDSA"),
        (0xC02D, "ECDH_ECDSA"), (0xC02F, "ECDHE_RSA"), (0xC031, "ECDH_RSA"), (0xC0B0, "ECCPWD"),
        (0xD001, "ECDHE_PSK"),
      ]),
    Family(
      name: "AES_256_GCM_SHA384", cipher: .aesGCM, keyLength: 32, hash: .sha384,
      members: [
        (0x009D, "RSA"), (0x009F, "DHE_RSA"), (0x00A1, "DH_RSA"), (0x00A3, "DHE_DSS"), (0x00A5, "DH_DSS"),
        (0x00A7, "DH_anon"), (0x00A9, "PSK"), (0x00AB, "DHE_PSK"), (0x00AD, "RSA_PSK"), (0xC02C, "ECDHE_ECDSA"),
        (0xC02E, "ECDH_ECDSA"), (0xC030, "ECDHE_RSA"), (0xC032, "ECDH_RSA"), (0xC0B1, "ECCPWD"),
        (0xD002, "ECDHE_PSK"),
      ]),
    Family(
      name: "AES_128_CCM", cipher: .aesCCM(tagLength: 16), keyLength: 16, hash: .sha256,
      members: [
        (0xC09C, "RSA"), (0xC09E, "DHE_RSA"), (0xC0A4, "PSK"), (0xC0A6, "DHE_PSK"), (0xC0AC, "ECDHE_ECDSA"),
      ]),
    Family(
      name: "AES_256_CCM", cipher: .aesCCM(tagLength: 16), keyLength: 32, hash: .sha256,
      members: [
        (0xC09D, "RSA"), (0xC09F, "DHE_RSA"), (0xC0A5, "PSK"), (0xC0A7, "DHE_PSK"), (0xC0AD, "ECDHE_ECDSA"),
      ]),
    Family(
      name: "AES_128_CCM_8", cipher: .aesCCM(tagLength: 8), keyLength: 16, hash: .sha256,
      members: [
        (0xC0A0, "RSA"), (0xC0A2, "DHE_RSA"), (0xC0A8, "PSK"), (0xC0AA, "PSK_DHE"), (0xC0AE, "ECDHE_ECDSA"),
      ]),
    Family(
      name: "AES_256_CCM_8", cipher: .aesCCM(tagLength: 8), keyLength: 32, hash: .sha256,
      members: [
        (0xC0A1, "RSA"), (0xC0A3, "DHE_RSA"), (0xC0A9, "PSK"), (0xC0AB, "PSK_DHE"), (0xC0AF, "ECDHE_ECDSA"),
      ]),
    Family(
      name: "AES_128_CCM_SHA256", cipher: .aesCCM(tagLength: 16), keyLength: 16, hash: .sha256,
      members: [(0xC0B2, "ECCPWD"), (0xD005, "ECDHE_PSK")]),
    Family(
      name: "AES_256_CCM_SHA384", cipher: .aesCCM(tagLength: 16), keyLength: 32, hash: .sha384,
      members: [(0xC0B3, "ECCPWD")]),
    Family(
      name: "AES_128_CCM_8_SHA256", cipher: .aesCCM(tagLength: 8), keyLength: 16, hash: .sha256,
      members: [(0xD003, "ECDHE_PSK")]),
    Family(
      name: "CHACHA20_POLY1305_SHA256", cipher: .chaCha20Poly1305, keyLength: 32, hash: .sha256,
      members: [
        (0xCCA8, "ECDHE_RSA"), (0xCCA9, "ECDHE_ECDSA"), (0xCCAA, "DHE_RSA"), (0xCCAB, "PSK"), (0xCCAC, "ECDHE_PSK"),
        (0xCCAD, "DHE_PSK"), (0xCCAE, "RSA_PSK"),
      ]),
    Family(
      name: "AES_128_CBC_SHA", cipher: .aesCBC(.sha1), keyLength: 16, hash: .sha256,
      members: [
        (0x002F, "RSA"), (0x0030, "DH_DSS"), (0x0031, "DH_RSA"), (0x0032, "DHE_DSS"), (0x0033, "DHE_RSA"),
        (0x0034, "DH_anon"), (0x008C, "PSK"), (0x0090, "DHE_PSK"), (0x0094, "RSA_PSK"), (0xC004, "ECDH_ECDSA"),
        (0xC009, "ECDHE_ECDSA"), (0xC00E, "ECDH_RSA"), (0xC013, "ECDHE_RSA"), (0xC018, "ECDH_anon"),
        (0xC01D, "SRP_SHA"), (0xC01E, "SRP_SHA_RSA"), (0xC01F, "SRP_SHA_DSS"), (0xC035, "ECDHE_PSK"),
      ]),
    Family(
      name: "AES_256_CBC_SHA", cipher: .aesCBC(.sha1), keyLength: 32, hash: .sha256,
      members: [
        (0x0035, "RSA"), (0x0036, "DH_DSS"), (0x0037, "DH_RSA"), (0x0038, "DHE_DSS"), (0x0039, "DHE_RSA"),
        (0x003A, "DH_anon"), (0x008D, "PSK"), (0x0091, "DHE_PSK"), (0x0095, "RSA_PSK"), (0xC005, "ECDH_ECDSA"),
        (0xC00A, "ECDHE_ECDSA"), (0xC00F, "ECDH_RSA"), (0xC014, "ECDHE_RSA"), (0xC019, "ECDH_anon"),
        (0xC020, "SRP_SHA"), (0xC021, "SRP_SHA_RSA"), (0xC022, "SRP_SHA_DSS"), (0xC036, "ECDHE_PSK"),
      ]),
    Family(
      name: "AES_128_CBC_SHA256", cipher: .aesCBC(.sha256), keyLength: 16, hash: .sha256,
      members: [
        (0x003C, "RSA"), (0x003E, "DH_DSS"), (0x003F, "DH_RSA"), (0x0040, "DHE_DSS"), (0x0067, "DHE_RSA"),
        (0x006C, "DH_anon"), (0x00AE, "PSK"), (0x00B2, "DHE_PSK"), (0x00B6, "RSA_PSK"), (0xC023, "ECDHE_ECDSA"),
        (0xC025, "ECDH_ECDSA"), (0xC027, "ECDHE_RSA"), (0xC029, "ECDH_RSA"), (0xC037, "ECDHE_PSK"),
      ]),
    Family(
      name: "AES_256_CBC_SHA256", cipher: .aesCBC(.sha256), keyLength: 32, hash: .sha256,
      members: [
        (0x003D, "RSA"), (0x0068, "DH_DSS"), (0x0069, "DH_RSA"), (0x006A, "DHE_DSS"), (0x006B, "DHE_RSA"),
        (0x006D, "DH_anon"),
      ]),
    Family(
      name: "AES_256_CBC_SHA384", cipher: .aesCBC(.sha384), keyLength: 32, hash: .sha384,
      members: [
        (0x00AF, "PSK"), (0x00B3, "DHE_PSK"), (0x00B7, "RSA_PSK"), (0xC024, "ECDHE_ECDSA"), (0xC026, "ECDH_ECDSA"),
        (0xC028, "ECDHE_RSA"), (0xC02A, "ECDH_RSA"), (0xC038, "ECDHE_PSK"),
      ]),
  ]
}
