import Foundation
import HTTPModel
import Testing

@testable import SessionFile

/// Files whose blocks are encrypted: what reads them, what does not, and what damage does.
@Suite struct EncryptionTests {
  private let key = SessionKey(Array("a key that is a secret".utf8))

  private func write(_ path: String, key: SessionKey?, exchanges: Int = 300) throws {
    let writer = try SessionWriter(
      .path(path, overwrite: true), kind: .session, created: Timestamp(nanoseconds: 7), key: key)
    _ = writer.put(.metadata(["source": "s3cr3t-metadata"]))
    let encoder = SessionEncoder()
    for ordinal in 0..<exchanges {
      var exchange = Exchange(
        id: ExchangeID(connection: 1, ordinal: UInt32(ordinal + 1)),
        client: TransportAddress(address: IPAddress(v4: 1), port: 1),
        server: TransportAddress(address: IPAddress(v4: 2), port: 2))
      let time = Timestamp(nanoseconds: Int64(ordinal) * 1000)
      let head = Array("GET /s3cr3t/\(ordinal) HTTP/1.1\r\n\r\n".utf8)
      exchange.request = HTTPRequest(
        version: .http11, methodRange: 0..<3, targetRange: 4..<UInt32(head.count - 13),
        fields: HeaderFields(storage: head), timing: MessageTiming(start: time, headEnd: time, end: time))
      if let block = encoder.append(exchange) { _ = writer.put(block) }
      if ordinal == exchanges / 2, let block = encoder.sealBlock() { _ = writer.put(block) }
    }
    while let block = encoder.sealBlock() { _ = writer.put(block) }
    var ledger = Ledger()
    ledger[.exchangesComplete] = 7
    try writer.finish(ledger: ledger)
  }

  private func withFile(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("encrypted-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private func error(_ body: () throws -> Void) -> SessionFileError? {
    do { try body() } catch { return error as? SessionFileError }
    return nil
  }

  @Test func whatIsEncryptedIsReadWithItsKeyAlone() throws {
    try withFile { path in
      try write(path, key: key)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(bytes.range(of: Data("s3cr3t".utf8)) == nil)
      let reader = try SessionReader(path: path, key: key)
      #expect(reader.metadata["source"] == "s3cr3t-metadata" && reader.ledger?[.exchangesComplete] == 7)
      #expect(reader.exchangeCount == 300 && reader.isFinished)
      var count = 0
      while let exchange = try reader.next() {
        #expect(exchange.request?.target.elementsEqual("/s3cr3t/\(count)".utf8) == true)
        count += 1
      }
      #expect(count == 300 && reader.damage.isEmpty)
      #expect(error { _ = try SessionReader(path: path) } == .encrypted(path: path))
      let other = SessionKey(Array("a key that is no secret".utf8))
      #expect(error { _ = try SessionReader(path: path, key: other) } == .wrongKey(path: path))
    }
  }

  @Test func aFileInTheClearNeedsNoKeyAndIsOfTheFirstVersion() throws {
    try withFile { path in
      try write(path, key: nil)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path))[8] == 1)
      #expect(try SessionReader(path: path, key: key).exchangeCount == 300)
    }
  }

  @Test func twoFilesUnderOneKeyShareNothing() throws {
    try withFile { first in
      try withFile { second in
        try write(first, key: key)
        try write(second, key: key)
        let (a, b) = (
          try Array(Data(contentsOf: URL(fileURLWithPath: first))),
          try Array(Data(contentsOf: URL(fileURLWithPath: second)))
        )
        #expect(a[8] == 2 && b[8] == 2)
        // The first block's payload.
        #expect(a[96..<128] != b[96..<128])
      }
    }
  }

  @Test func aBlockThatWasChangedIsDamageAndTheOthersAreRead() throws {
    try withFile { path in
      try write(path, key: key)
      let whole = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
      // The second block of exchanges, checksums mended as whoever forges it would.
      let blocks = whole.withUnsafeBytes { bytes in
        bytes.indices.dropLast(64).filter { BlockHeader(UnsafeRawBufferPointer(rebasing: bytes[$0...])) != nil }
      }
      let place = blocks[2]
      for (name, isPayload) in [("payload", true), ("header", false)] {
        var forged = whole
        forged.withUnsafeMutableBytes { bytes in
          var header = BlockHeader(UnsafeRawBufferPointer(rebasing: bytes[place...]))!
          let payload = place + 64..<place + 64 + Int(header.storedLength)
          if isPayload { bytes[payload.lowerBound + 5] ^= 1 } else { header.minStart.nanoseconds -= 1 }
          header.payloadChecksum = CRC32C.checksum(Array(bytes[payload]))
          header.write(to: bytes.baseAddress! + place)
        }
        // Without the index, which has a copy of the header.
        try Data(forged.dropLast(32)).write(to: URL(fileURLWithPath: path))
        let reader = try SessionReader(path: path, key: key)
        var count = 0
        while try reader.next() != nil { count += 1 }
        #expect(count > 0 && count < 300, "\(name): \(count)")
        #expect(reader.damage.contains { $0.cause == .block && $0.offset == UInt64(place) }, "\(reader.damage)")
      }
      var headless = whole
      headless[3] ^= 1
      try Data(headless).write(to: URL(fileURLWithPath: path))
      #expect(error { _ = try SessionReader(path: path, key: key) } == .encryptedHeaderLost(path: path))
    }
  }

  @Test func everyCutAndFlipIsReadWithoutHarm() throws {
    try withFile { path in
      try write(path, key: key, exchanges: 4)
      let whole = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
      for place in stride(from: 0, to: whole.count, by: 7) {
        var flipped = whole
        flipped[place] ^= 0x55
        for bytes in [flipped, Array(whole[..<place])] {
          try Data(bytes).write(to: URL(fileURLWithPath: path))
          guard let reader = try? SessionReader(path: path, key: key) else { continue }
          var count = 0
          while (try? reader.next()) ?? nil != nil { count += 1 }
          #expect(count <= 4)
        }
      }
    }
  }
}
