// The key schedules against published values: RFC 8448 section 3, and a P_SHA256 vector that implementers share.

import Testing

@testable import TLSDecryption

@Suite("Key derivation")
struct KeyDerivationTests {
  private let clientHandshake = Secret(
    bytes(ofHex: "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"))
  private let serverHandshake = bytes(ofHex: "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
  private let clientApplication = bytes(ofHex: "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5")
  private let serverApplication = bytes(ofHex: "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643")

  @Test("HKDF-Expand-Label gives the keys of RFC 8448")
  func traceKeys() {
    let schedule = TLS13KeySchedule(hash: .sha256)
    func keyAndIV(_ secret: [UInt8]) -> [[UInt8]] {
      [
        schedule.expandLabel(secret, label: "key", length: 16), schedule.expandLabel(secret, label: "iv", length: 12),
      ]
    }
    #expect(
      keyAndIV(serverHandshake) == [
        bytes(ofHex: "3fce516009c21727d0f2e4e86ee403bc"), bytes(ofHex: "5d313eb2671276ee13000b30"),
      ])
    #expect(
      keyAndIV(clientApplication) == [
        bytes(ofHex: "17422dda596ed5d9acd890e3c63f5051"), bytes(ofHex: "5b78923dee08579033e523d9"),
      ])
    #expect(
      keyAndIV(serverApplication) == [
        bytes(ofHex: "9f02283b6c9c07efc26bb9f2ac92e356"), bytes(ofHex: "cf782b88dd83549aadf1e984"),
      ])
  }

  @Test("HKDF-Expand-Label takes a context")
  func context() {
    // The resumption secret of RFC 8448 section 3, from its ticket nonce 00 00.
    let resumptionMaster = bytes(ofHex: "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c")
    let resumption = TLS13KeySchedule(hash: .sha256)
      .expandLabel(resumptionMaster, label: "resumption", context: [0, 0], length: 32)
    #expect(resumption == bytes(ofHex: "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3"))
  }

  @Test("The client's records of RFC 8448 open")
  func clientRecords() throws {
    let suite = try #require(CipherSuite(number: 0x1301))
    let handshake = try #require(RecordProtection(tls13: clientHandshake, suite: suite))
    let finished = handshake.opening(
      bytes(
        ofHex: "75ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1caeacab6867"
          + "d726c40546"), sequence: 0)
    #expect(finished.result == .plaintext(contentType: 22))
    #expect(
      finished.plaintext
        == bytes(ofHex: "14000020a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61"))

    let application = try #require(RecordProtection(tls13: Secret(clientApplication), suite: suite))
    let data = application.opening(
      bytes(
        ofHex: "a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a"
          + "6292a2977014bd1e3deae63aeebb21694915e4"), sequence: 0)
    #expect(data.result == .plaintext(contentType: 23))
    #expect(data.plaintext == Array(0..<50))
    let alert = application.opening(bytes(ofHex: "c9872760655666b74d7ff1153efd6db6d0b0e3"), sequence: 1)
    #expect(alert.result == .plaintext(contentType: 21))
    #expect(alert.plaintext == [1, 0])
  }

  @Test("The server's records of RFC 8448 open")
  func serverRecords() throws {
    let suite = try #require(CipherSuite(number: 0x1301))
    let application = try #require(RecordProtection(tls13: Secret(serverApplication), suite: suite))
    let ticket = application.opening(
      bytes(
        ofHex: "3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a015940252f"
          + "55713e061dc13e078891a38efbcf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e09c30ba1e62"
          + "972ac46f75f7b981be63439b2999ce13064615139891d5e4c5b406f16e3fc181a77ca475840025db2f0a77f81b5ab05b"
          + "94c01346755f69232c86519d86cbeeac87aac347d143f9605d64f650db4d023e70e952ca49fe5137121c74bc2697687e"
          + "248746d6df353005f3bce18696129c8153556b3b6c6779b37bf15985684f"), sequence: 0)
    #expect(ticket.result == .plaintext(contentType: 22))
    #expect(ticket.plaintext.count == 205)
    #expect(ticket.plaintext.starts(with: [4, 0, 0, 0xc9]))
    let data = application.opening(
      bytes(
        ofHex: "2e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2"
          + "e5f0a21c0047c2abf332540dd032e167c2955d"), sequence: 1)
    #expect(data.result == .plaintext(contentType: 23))
    #expect(data.plaintext == Array(0..<50))
    let alert = application.opening(bytes(ofHex: "b58fd67166ebf599d24720cfbe7efa7a8864a9"), sequence: 2)
    #expect(alert.result == .plaintext(contentType: 21))
  }

  @Test("P_SHA256 and P_SHA384 give the known answers")
  func pseudorandomFunction() {
    let secret = bytes(ofHex: "9bbe436ba940f017b17652849a71db35")
    let seed = bytes(ofHex: "a0ba9f936cda311827a6f796ffd5198c")
    #expect(
      TLS12PRF(hash: .sha256).expand(secret: secret, label: "test label", seed: seed, length: 100)
        == bytes(
          ofHex: "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
            + "0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
            + "87347b66"))
    // Computed with python's hmac.
    #expect(
      TLS12PRF(hash: .sha384).expand(secret: secret, label: "test label", seed: seed, length: 100)
        == bytes(
          ofHex: "dd88775cd827187b67a3f7652b5c13f715791cc46e0274a6d3fb16651103defc544cd8afb68369a219bb918b8b21ddb1"
            + "764af0a70339e6dec085e574f655851ba692513203536bdfc3675e53768210f0a2389dd324311a440c7c30ef44b391d9"
            + "14c3b0c7"))
    #expect(TLS12PRF(hash: .sha256).expand(secret: secret, label: "", seed: [], length: 0).isEmpty)
  }
}
