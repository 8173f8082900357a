// The key log: labels, cut lines, oddities, bounds, and that nothing prints a secret.

import Testing

@testable import TLSDecryption

@Suite("Key log")
struct KeyLogTests {
  private let randomText = String(repeating: "ab", count: 32)
  private let short = String(repeating: "01", count: 32)
  private let long = String(repeating: "C3", count: 48)

  @Test("Every label finds its place")
  func labels() throws {
    var log = KeyLog()
    log.append(
      """
      CLIENT_RANDOM \(randomText) \(long)
      CLIENT_EARLY_TRAFFIC_SECRET \(randomText) \(secret(2))
      CLIENT_HANDSHAKE_TRAFFIC_SECRET \(randomText) \(secret(3))
      SERVER_HANDSHAKE_TRAFFIC_SECRET \(randomText) \(secret(4))
      CLIENT_TRAFFIC_SECRET_0 \(randomText) \(secret(5))
      SERVER_TRAFFIC_SECRET_0 \(randomText) \(secret(6))
      SERVER_TRAFFIC_SECRET_15 \(randomText) \(secret(7))
      EXPORTER_SECRET \(randomText) \(secret(8))
      RSA Session-ID:0102FF Master-Key:\(long)

      """)
    let secrets = try #require(log.secrets(for: random(0xab)))
    #expect(secrets.master?.bytes == [UInt8](repeating: 0xc3, count: 48))
    #expect(secrets.clientEarlyTraffic?.bytes.first == 2)
    #expect(secrets.handshakeTraffic(.client)?.bytes.first == 3)
    #expect(secrets.handshakeTraffic(.server)?.bytes.first == 4)
    #expect(secrets.applicationTraffic(.client)?.bytes.first == 5)
    #expect(secrets.applicationTraffic(.server)?.bytes.first == 6)
    #expect(secrets.applicationTraffic(.server, generation: 15)?.bytes.first == 7)
    #expect(secrets.applicationTraffic(.server, generation: 1) == nil)
    #expect(secrets.applicationTraffic(.server, generation: -1) == nil)
    #expect(secrets.applicationTraffic(.client, generation: 15) == nil)
    #expect(log.master(sessionID: [1, 2, 255])?.bytes.count == 48)
    #expect(log.master(sessionID: [1, 2]) == nil)
    #expect(log.secrets(for: random(1)) == nil)
    #expect(log.generation == 8)
    #expect(log.counts == counts(secrets: 8, otherLabels: 1))
  }

  @Test("A log may be cut anywhere")
  func everySplit() throws {
    let text = Array("# made by a test\r\nCLIENT_RANDOM \(randomText) \(long)\r\n\nX y z\n".utf8)
    for split in 0...text.count {
      var log = KeyLog()
      log.append(Array(text[..<split]))
      log.append(Array(text[split...]))
      #expect(log.secrets(for: random(0xab))?.master != nil)
      #expect(log.counts == counts(secrets: 1, otherLabels: 1))
    }
    var byByte = KeyLog()
    for byte in text { byByte.append([byte]) }
    #expect(byByte.generation == 1)
  }

  @Test("A last line waits for its end")
  func unfinished() {
    var log = KeyLog()
    let line = "CLIENT_RANDOM \(randomText) \(long)"
    log.append(line)
    #expect(log.secrets(for: random(0xab)) == nil)
    log.endLine()
    #expect(log.secrets(for: random(0xab)) != nil)
    log.endLine()
    #expect(log.generation == 1)
  }

  @Test("Unfinished lines of two files do not mix")
  func sources() {
    var log = KeyLog()
    log.append("CLIENT_RANDOM \(randomText) ", source: 1)
    log.append("SERVER_TRAFFIC_SECRET_0 \(randomText) ", source: 2)
    log.append("\(long)\n", source: 1)
    log.append("\(short)\n", source: 2)
    #expect(log.counts == counts(secrets: 2))
  }

  @Test("The generation grows only when something is new")
  func generation() {
    var log = KeyLog()
    log.append("CLIENT_RANDOM \(randomText) \(long)\n")
    log.append("CLIENT_RANDOM \(randomText) \(long)\n")
    #expect(log.generation == 1)
    log.append("CLIENT_RANDOM \(randomText) \(String(repeating: "c4", count: 48))\n")
    #expect(log.generation == 2)
    #expect(log.secrets(for: random(0xab))?.master?.bytes.first == 0xc4)
    for _ in 0..<3 { log.append("RSA Session-ID:01 Master-Key:\(long)\n") }
    #expect(log.generation == 3)
  }

  @Test("Lines that are none are counted")
  func malformed() {
    let lines = [
      "CLIENT_RANDOM \(randomText) \(short)", "CLIENT_RANDOM \(randomText)00 \(long)", "CLIENT_RANDOM ab \(long)",
      "SERVER_TRAFFIC_SECRET_0 \(randomText) 0", "SERVER_TRAFFIC_SECRET_0 \(randomText) \(short)0",
      "CLIENT_RANDOM \(randomText) \(String(repeating: "g0", count: 48))", "client_random \(randomText) \(long)",
      "\u{0}\u{1}\u{ff} a b", "RSA Session-ID:01 Master-Key:\(short)", "RSA Session-ID: Master-Key:\(long)",
      "RSA Session-ID:\(short)01 Master-Key:\(long)", "-----BEGIN PRIVATE KEY-----",
      String(repeating: "A", count: PartialLine.limit + 1),
    ]
    for line in lines {
      var log = KeyLog()
      log.append(line + "\n")
      #expect(log.counts == counts(malformed: 1), "\(line.prefix(80))")
      #expect(log.generation == 0)
    }
    let others = [
      "CLIENT_RANDOM", "CLIENT_RANDOM \(randomText)", "CLIENT_RANDOM a b c", "CLIENT_TRAFFIC_SECRET_16 a b",
      "CLIENT_TRAFFIC_SECRET_ a b", "CLIENT_TRAFFIC_SECRET_000 a b", "RSA 0011223344556677 \(long)",
      "ECH_SECRET \(randomText) \(short)",
    ]
    for line in others {
      var log = KeyLog()
      log.append(line + "\n")
      #expect(log.counts == counts(otherLabels: 1), "\(line.prefix(80))")
    }
  }

  @Test("A line without end takes bounded room and spoils nothing after it")
  func endlessLine() {
    var log = KeyLog()
    let piece = [UInt8](repeating: UInt8(ascii: "A"), count: 1000)
    for _ in 0..<1000 { log.append(piece) }
    log.append("\nCLIENT_RANDOM \(randomText) \(long)\n")
    #expect(log.counts == counts(secrets: 1, malformed: 1))
  }

  @Test("The oldest connection goes first")
  func eviction() {
    var log = KeyLog(limits: .init(connections: 3))
    for number: UInt8 in 1...5 {
      log.append("CLIENT_RANDOM \(randomHex(number)) \(long)\n")
      log.append("CLIENT_TRAFFIC_SECRET_0 \(randomHex(1)) \(short)\n")
    }
    // Number 1 was first and came back after it was evicted.
    #expect(log.secrets(for: random(2)) == nil)
    #expect(log.secrets(for: random(3)) == nil)
    #expect(log.secrets(for: random(4)) != nil)
    #expect(log.secrets(for: random(1)) != nil)
    #expect(log.secrets(for: random(1))?.master == nil)
    #expect(log.secrets(for: random(5)) != nil)
    #expect(log.counts.evicted == 3)
    #expect(log.description == "KeyLog(connections: 3, sessions: 0)")
  }

  @Test("Damaged logs are read to their end, whatever they hold")
  func damage() {
    let line = Array(
      "SERVER_HANDSHAKE_TRAFFIC_SECRET \(randomText) \(short)\nRSA Session-ID:01 Master-Key:\(long)\n".utf8)
    var state: UInt64 = 88_172_645_463_325_252
    func next() -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state & 0xffff)
    }
    var log = KeyLog(limits: .init(connections: 8))
    for _ in 0..<3000 {
      var damaged = line
      for _ in 0..<(1 + next() % 3) {
        let place = next() % damaged.count
        switch next() % 3 {
        case 0: damaged[place] = UInt8(next() & 0xff)
        case 1: damaged.remove(at: place)
        default: damaged.insert([0x0a, 0x20, 0x00, 0x30][next() % 4], at: place)
        }
      }
      log.append(damaged)
    }
    log.append("\nCLIENT_RANDOM \(randomHex(9)) \(long)\n")
    #expect(log.secrets(for: random(9))?.master != nil)
    #expect(log.counts.malformed > 0)
    #expect(log.counts.evicted > 0)
  }

  @Test("Tabs, several spaces and a missing LF before the end are taken")
  func spacing() {
    var log = KeyLog()
    log.append("  CLIENT_RANDOM\t\(randomText.uppercased())   \(long) \r\r\n   \t\r\n #x\n")
    #expect(log.counts == counts(secrets: 1))
    #expect(log.secrets(for: random(0xab)) != nil)
  }

  @Test("Nothing prints a secret")
  func descriptions() throws {
    var log = KeyLog()
    log.append("CLIENT_RANDOM \(randomText) \(long)\nSERVER_TRAFFIC_SECRET_0 \(randomText) \(long)\n")
    log.append("CLIENT_RANDOM \(randomText)")
    let secrets = try #require(log.secrets(for: random(0xab)))
    var texts = ["\(log)", String(reflecting: log), "\(secrets)", String(reflecting: secrets)]
    var dumped = ""
    dump(log, to: &dumped)
    dump(secrets, to: &dumped)
    texts.append(dumped)
    for text in texts {
      #expect(!text.lowercased().contains("c3c3"))
      #expect(!text.contains("195"))
    }
  }

  private func secret(_ first: UInt8) -> String {
    randomHex(first)
  }

  private func randomHex(_ byte: UInt8) -> String {
    String(repeating: (byte < 16 ? "0" : "") + String(byte, radix: 16), count: 32)
  }

  private func random(_ byte: UInt8) -> ClientRandom {
    [UInt8](repeating: byte, count: 32).withUnsafeBytes { ClientRandom($0)! }
  }

  private func counts(secrets: UInt64 = 0, otherLabels: UInt64 = 0, malformed: UInt64 = 0) -> KeyLog.Counts {
    var counts = KeyLog.Counts()
    (counts.secrets, counts.otherLabels, counts.malformed) = (secrets, otherLabels, malformed)
    return counts
  }
}

extension KeyLog {
  fileprivate mutating func append(_ bytes: [UInt8], source: Int = 0) {
    bytes.withUnsafeBytes { append($0, source: source) }
  }

  fileprivate mutating func append(_ text: String, source: Int = 0) {
    append(Array(text.utf8), source: source)
  }
}
