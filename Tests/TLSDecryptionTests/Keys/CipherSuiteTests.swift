// The table of suites: names as the registry spells them, algorithms by name.

import Testing

@testable import TLSDecryption

@Suite("Cipher suites")
struct CipherSuiteTests {
  @Test("Names and algorithms of some suites")
  func some() throws {
    let ccm = try #require(CipherSuite(number: 0xC0AA))
    #expect(ccm.name == "TLS_PSK_DHE_WITH_AES_128_CCM_8")
    #expect(ccm.cipher == .aesCCM(tagLength: 8))
    #expect(ccm.keyLength == 16)
    #expect(ccm.hash == .sha256)
    let cbc = try #require(CipherSuite(number: 0xC028))
    #expect(cbc.name == "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384")
    #expect(cbc.cipher == .aesCBC(.sha384))
    #expect(cbc.hash == .sha384)
    #expect(CipherSuite(number: 0x1305)?.name == "TLS_AES_128_CCM_8_SHA256")
    #expect(CipherSuite(number: 0x1305)?.isTLS13 == true)
    #expect(CipherSuite(number: 0xCCA8)?.name == "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")
  }

  @Test("Ciphers that are not read have no suite")
  func others() {
    // NULL, RC4, 3DES, Camellia, ARIA, the signalling values, GREASE, an unassigned number.
    for number: UInt16 in [0x0000, 0x0005, 0x000A, 0x0041, 0xC03C, 0x00FF, 0x5600, 0x0A0A, 0x1306, 0xFFFF] {
      #expect(CipherSuite(number: number) == nil)
    }
  }

  @Test("Every name tells its algorithms")
  func consistent() {
    var counts = (total: 0, tls13: 0)
    var names: Set<String> = []
    for number in UInt16.min...UInt16.max {
      guard let suite = CipherSuite(number: number) else { continue }
      counts.total += 1
      counts.tls13 += suite.isTLS13 ? 1 : 0
      names.insert(suite.name)
      #expect(suite.number == number)
      #expect(suite.name.hasPrefix("TLS_"))
      #expect(suite.name.contains("_WITH_") != suite.isTLS13)
      #expect(suite.name.contains("AES_128") == (suite.keyLength == 16))
      #expect(suite.name.hasSuffix("SHA384") == (suite.hash == .sha384))
      switch suite.cipher {
      case .aesGCM: #expect(suite.name.contains("_GCM_"))
      case .aesCCM(let tagLength): #expect(suite.name.contains("_CCM_8") == (tagLength == 8))
      case .chaCha20Poly1305: #expect(suite.name.contains("_CHACHA20_POLY1305_"))
      case .aesCBC(.sha1): #expect(suite.name.hasSuffix("_CBC_SHA"))
      case .aesCBC(.sha256): #expect(suite.name.hasSuffix("_CBC_SHA256"))
      case .aesCBC(.sha384): #expect(suite.name.hasSuffix("_CBC_SHA384"))
      }
    }
    #expect(counts == (130, 5))
    #expect(names.count == counts.total)
  }
}
