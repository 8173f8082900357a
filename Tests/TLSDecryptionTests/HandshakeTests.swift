// The parts below a connection: handshake messages from records, hellos, and ciphertext that is held.

import HTTPModel
import Testing

@testable import TLSDecryption

@Suite("Handshake messages")
struct HandshakeTests {
  private let messages: [UInt8] = [14, 0, 0, 0, 20, 0, 0, 2, 7, 8, 24, 0, 0, 1, 1]

  @Test("come out whole from records cut anywhere", arguments: 1...15)
  func cuts(size: Int) {
    var stream = HandshakeStream()
    var found: [HandshakeMessage] = []
    for start in stride(from: 0, to: messages.count, by: size) {
      messages[start..<min(messages.count, start + size)].withUnsafeBytes { stream.append($0) }
      while let message = stream.next(limit: 100) { found.append(message) }
    }
    #expect(found.map(\.type) == [14, 20, 24] && found.map { Array($0.body) } == [[], [7, 8], [1]])
    #expect(!stream.isInMessage)
  }

  @Test("that are too long are told by type and passed over", arguments: 1...15)
  func tooLong(size: Int) {
    var stream = HandshakeStream()
    var found: [HandshakeMessage] = []
    for start in stride(from: 0, to: messages.count, by: size) {
      messages[start..<min(messages.count, start + size)].withUnsafeBytes { stream.append($0) }
      while let message = stream.next(limit: 1) { found.append(message) }
    }
    #expect(found.map(\.type) == [14, 20, 24] && found.map { Array($0.body) } == [[], [], [1]])
  }

  @Test("hellos that are cut or damaged are refused or read, never more")
  func hellos() {
    let hello = ScriptedPeers().stream[.client].map { Array($0.dropFirst(5)) } ?? []
    let length = 4 + Int(hello[2]) << 8 + Int(hello[3])
    let whole = HandshakeMessage(type: 1, bytes: Array(hello[..<length]))
    #expect(ClientHello(whole)?.serverName == "a.example")
    #expect(ClientHello(whole)?.random == [UInt8](repeating: 0xc1, count: 32))
    for count in 4..<length {
      let cut = HandshakeMessage(type: 1, bytes: Array(hello[..<count]))
      if let read = ClientHello(cut) { #expect(read.serverName == nil) }
      _ = (ServerHello(cut), EncryptedExtensions(cut))
    }
    for place in 4..<length {
      for value: UInt8 in [0, 1, 0x7f, 0xff] {
        var damaged = whole
        damaged.bytes[place] = value
        _ = (ClientHello(damaged), ServerHello(damaged), EncryptedExtensions(damaged))
      }
    }
  }
}

@Suite("Ciphertext that is held")
struct HeldCiphertextTests {
  private func arrival(_ offset: UInt64, _ time: Int64) -> Arrival {
    Arrival(offset: offset, acknowledged: offset * 2, time: Timestamp(nanoseconds: time))
  }

  @Test("keeps bytes, gaps and their places in order")
  func order() {
    var held = HeldCiphertext()
    [UInt8]([1, 2, 3]).withUnsafeBytes { held.append($0, arrival(10, 1)) }
    [UInt8]([4, 5]).withUnsafeBytes { held.append($0, arrival(13, 2)) }
    held.appendGap(100)
    [UInt8]([6]).withUnsafeBytes { held.append($0, arrival(115, 3)) }
    #expect(held.available == 5 && held.count == 6 && held.isCutByGap && held.takeGap() == nil)
    #expect(held.time(ofLastOf: 3).nanoseconds == 1 && held.time(ofLastOf: 4).nanoseconds == 2)
    held.consume(4)
    #expect(held.headArrival?.offset == 14 && held.headArrival?.acknowledged == 26)
    #expect(held.withAvailable { Array($0) } == [5])
    held.consume(1)
    #expect(held.headArrival == nil && held.takeGap() == 100 && !held.isCutByGap)
    #expect(held.headArrival?.offset == 115 && held.available == 1)
    held.consume(1)
    #expect(held.isEmpty && held.footprint == 0)
  }

  @Test("two gaps without bytes between them are two")
  func gaps() {
    var held = HeldCiphertext()
    held.appendGap(1)
    held.appendGap(2)
    #expect(!held.isEmpty && held.takeGap() == 1 && held.takeGap() == 2 && held.takeGap() == nil && held.isEmpty)
  }

  @Test("goes round in bounded memory")
  func rounds() {
    var held = HeldCiphertext()
    let piece = [UInt8](repeating: 9, count: 1000)
    for round in 0..<2000 {
      piece.withUnsafeBytes { held.append($0, arrival(UInt64(round) * 1000, Int64(round))) }
      if round > 0 { held.consume(1000) }
      #expect(held.count == 1000 && held.headArrival?.offset == UInt64(round) * 1000)
    }
  }
}
