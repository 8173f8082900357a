public import ContentCoding
import HTTPModel
public import MessageFraming
import Testing

extension RawInflater: MessageInflater {}

@Suite("permessage-deflate")
struct WebSocketDeflateTests {
  private func told(
    _ parts: [Part], takesContextOver: Bool = true, limits: WebSocketLimits = WebSocketLimits(), joined: Bool = false,
    key: [UInt8]? = nil
  ) -> [String] {
    var deflate = WebSocketDeflate()
    deflate.serverNoContextTakeover = !takesContextOver
    deflate.clientNoContextTakeover = !takesContextOver
    var decoder = WebSocketDecoder(
      sender: key == nil ? .server : .client, deflate: deflate, inflater: RawInflater(), limits: limits,
      joinedMidstream: joined)
    return decoder.transcript(parts)
  }

  private let first = hexadecimal("f2 48 cd c9 c9 07 00")
  /// "Hello" again, in terms of the window that the first left.
  private let second = hexadecimal("f2 00 11 00 00")

  private func compressed(_ payload: [UInt8], fin: Bool = true, key: [UInt8]? = nil) -> [UInt8] {
    frame(1, payload, fin: fin, rsv: 4, key: key)
  }

  @Test("The examples of RFC 7692, 7.2.3, however they are cut")
  func examples() {
    let hello = ["began", "text 'Hello' compressed"]
    for way in cuts(of: compressed(first)) { #expect(told(way) == hello) }
    for way in cuts(of: compressed(Array(first[..<3]), fin: false) + frame(0, Array(first[3...]))) {
      #expect(told(way) == ["began", "text 'Hello' in 2 compressed"])
    }
    for way in cuts(of: compressed(first) + compressed(second)) { #expect(told(way) == hello + hello) }
    #expect(told([.bytes(compressed(first) + compressed(first))], takesContextOver: false) == hello + hello)
    // A block without compression, one that is final, and two blocks.
    #expect(told([.bytes(compressed(hexadecimal("00 05 00 fa ff 48 65 6c 6c 6f 00")))]) == hello)
    #expect(told([.bytes(compressed(hexadecimal("f3 48 cd c9 c9 07 00 00")) + compressed(second))]) == hello + hello)
    #expect(told([.bytes(compressed(hexadecimal("f2 48 05 00 00 00 ff ff ca c9 c9 07 00")))]) == hello)
    // An empty message is one byte.
    #expect(told([.bytes(compressed([0]))]) == ["began", "text '' compressed"])
  }

  @Test("Masked, and between control frames and messages that are not compressed")
  func mixed() {
    let key: [UInt8] = [1, 2, 3, 4]
    let bytes =
      compressed(Array(first[..<2]), fin: false, key: key) + frame(9, [5], key: key)
      + frame(0, Array(first[2...]), key: key)
      + frame(1, Array("plain".utf8), key: key) + compressed(second, key: key)
    for way in cuts(of: bytes) {
      #expect(
        told(way, key: key) == [
          "began", "control began", "ping 05", "text 'Hello' in 2 compressed", "began", "text 'plain'", "began",
          "text 'Hello' compressed",
        ])
    }
  }

  @Test("After a gap nothing that may refer to it is inflated")
  func gaps() {
    let stream = compressed(first) + compressed(second)
    let parts: [Part] = [.bytes(Array(stream[..<4])), .gap(2), .bytes(Array(stream[6...]))]
    #expect(told(parts).last == "text f200110000 compressed still")
    #expect(
      told(
        [.bytes(Array(stream[..<4])), .gap(2), .bytes(Array(stream[6..<9]) + compressed(first))],
        takesContextOver: false
      ).last == "text 'Hello' compressed")
    let frames = (0..<3).flatMap { _ in frame(2, [1]) }
    #expect(
      told([.bytes(frames), .bytes(compressed(second))], joined: true) == ["began", "text f200110000 compressed still"])
    #expect(
      told([.bytes(frames), .bytes(compressed(first))], takesContextOver: false, joined: true) == [
        "began", "text 'Hello' compressed",
      ])
  }

  @Test("What is no DEFLATE is named, and with it what refers to it")
  func damaged() {
    #expect(
      told([.bytes(compressed([0xff, 0xff]) + compressed(second) + frame(1, [0x61]))]) == [
        "began", "message.coding-invalid", "text '' compressed cut", "began", "text f200110000 compressed still",
        "began",
        "text 'a'",
      ])
    #expect(
      told([.bytes(compressed([0xff, 0xff]) + compressed(first))], takesContextOver: false).last
        == "text 'Hello' compressed")
  }

  @Test("A bomb costs no more than its limits")
  func bomb() {
    // Ten million zeroes.
    let gzip = ContentCoding.gzip([UInt8](repeating: 0, count: 10_000_000), level: 9)
    let bomb = Array(gzip[10..<gzip.count - 8]) + [0]
    let kept = told(
      [.bytes(compressed(bomb) + compressed(hexadecimal("00")))], limits: WebSocketLimits(messageBytes: 1000))
    #expect(kept == ["began", "message.over-limit", "text of 1000 compressed cut", "began", "text '' compressed"])
    let stopped = told(
      [.bytes(compressed(bomb) + compressed(second))],
      limits: WebSocketLimits(messageBytes: 1000, inflatedBytes: 5_000_000))
    #expect(
      stopped == [
        "began", "message.over-limit", "text of 1000 compressed cut", "began", "text f200110000 compressed still",
      ])
  }

  @Test("Without an agreement, compressed messages are kept as they are")
  func notAgreed() {
    var decoder = WebSocketDecoder(sender: .server)
    #expect(
      decoder.transcript([.bytes(compressed(first))])
        == ["began", "websocket.reserved-bits", "text f248cdc9c90700 compressed still"])
  }
}
