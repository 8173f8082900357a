// Every kind of suite against records that another implementation sealed; refusals; hostile lengths.

import Testing

@testable import TLSDecryption

@Suite("Record protection")
struct RecordProtectionTests {
  @Test("Opens what another implementation sealed", arguments: RecordVector.all)
  func opens(_ vector: RecordVector) throws {
    let protection = try #require(vector.protection())
    let opened = protection.opening(bytes(ofHex: vector.payload), sequence: vector.sequence)
    #expect(opened.result == .plaintext(contentType: 23))
    #expect(opened.plaintext == bytes(ofHex: vector.plaintext))
  }

  @Test("Every bit of a payload is authenticated", arguments: RecordVector.all)
  func mutatedPayload(_ vector: RecordVector) throws {
    let protection = try #require(vector.protection())
    var payload = bytes(ofHex: vector.payload)
    for index in payload.indices {
      let bit = UInt8(1) << UInt8(index % 8)
      payload[index] ^= bit
      let opened = protection.opening(payload, sequence: vector.sequence)
      #expect(opened.result == .badRecordMAC, "byte \(index)")
      #expect(opened.plaintext.isEmpty)
      payload[index] ^= bit
    }
  }

  @Test("The number and the header are authenticated", arguments: RecordVector.all)
  func otherHeader(_ vector: RecordVector) throws {
    let protection = try #require(vector.protection())
    let payload = bytes(ofHex: vector.payload)
    #expect(protection.opening(payload, sequence: vector.sequence &+ 1).result == .badRecordMAC)
    #expect(protection.opening(payload, sequence: .max).result == .badRecordMAC)
    #expect(protection.opening(payload, sequence: vector.sequence, contentType: 22).result == .badRecordMAC)
    var out: [UInt8] = []
    let result = payload.withUnsafeBytes {
      protection.open(contentType: 23, version: 0x0301, payload: $0, sequence: vector.sequence, into: &out)
    }
    #expect(result == .badRecordMAC)
  }

  @Test("Every shorter payload is refused", arguments: RecordVector.all)
  func shortened(_ vector: RecordVector) throws {
    let protection = try #require(vector.protection())
    let payload = bytes(ofHex: vector.payload)
    for length in 0..<payload.count {
      let opened = protection.opening(Array(payload[..<length]), sequence: vector.sequence)
      #expect(opened.result == .badRecordMAC || opened.result == .malformed, "\(length) bytes")
      #expect(opened.plaintext.isEmpty)
    }
    #expect(protection.opening([], sequence: 0).result == .malformed)
  }

  @Test("More than a header's length can say is no record", arguments: RecordVector.all)
  func longerThanARecord(_ vector: RecordVector) throws {
    let protection = try #require(vector.protection())
    let longest = [UInt8](repeating: 0xa5, count: 0xffff)
    #expect(protection.opening(longest, sequence: 0).result != .plaintext(contentType: 23))
    #expect(protection.opening(longest + [0xa5], sequence: 0).result == .malformed)
  }

  @Test("The two directions have keys of their own")
  func directions() throws {
    for vector in RecordVector.all {
      let other = RecordVector(
        suite: vector.suite, encryptThenMAC: vector.encryptThenMAC, side: vector.side.other,
        sequence: vector.sequence, contentType: vector.contentType, payload: vector.payload,
        plaintext: vector.plaintext)
      let protection = try #require(other.protection())
      #expect(protection.opening(bytes(ofHex: vector.payload), sequence: vector.sequence).result == .badRecordMAC)
    }
  }

  @Test("The wrong order of MAC and encryption is refused")
  func otherOrder() throws {
    for vector in RecordVector.all where vector.suite == 0xC013 || vector.suite == 0xC028 {
      let other = RecordVector(
        suite: vector.suite, encryptThenMAC: !vector.encryptThenMAC, side: vector.side,
        sequence: vector.sequence, contentType: vector.contentType, payload: vector.payload,
        plaintext: vector.plaintext)
      let protection = try #require(other.protection())
      let opened = protection.opening(bytes(ofHex: vector.payload), sequence: vector.sequence)
      #expect(opened.result == .badRecordMAC || opened.result == .malformed)
    }
  }

  @Test("Secrets of a wrong length or version make no keys")
  func wrongSecrets() throws {
    let gcm13 = try #require(CipherSuite(number: 0x1301))
    let gcm12 = try #require(CipherSuite(number: 0xC02F))
    let random = [UInt8](repeating: 7, count: 32)
    #expect(RecordProtection(tls13: Secret([]), suite: gcm13) == nil)
    #expect(RecordProtection(tls13: Secret([UInt8](repeating: 1, count: 48)), suite: gcm13) == nil)
    #expect(RecordProtection(tls13: Secret(random), suite: gcm12) == nil)
    let master = Secret([UInt8](repeating: 1, count: 48))
    func keys(_ master: Secret, _ client: [UInt8], _ server: [UInt8], _ suite: CipherSuite) -> Bool {
      RecordProtection.tls12(
        master: master, clientRandom: client, serverRandom: server, suite: suite, encryptThenMAC: false) != nil
    }
    #expect(keys(master, random, random, gcm12))
    #expect(!keys(master, random, random, gcm13))
    #expect(!keys(Secret(random), random, random, gcm12))
    #expect(!keys(master, [], random, gcm12))
    #expect(!keys(master, random, random + [0], gcm12))
    let protection = RecordProtection.tls12(
      master: master, clientRandom: random, serverRandom: random, suite: gcm12, encryptThenMAC: false)
    #expect(protection?.client.updated() == nil)
  }
}
