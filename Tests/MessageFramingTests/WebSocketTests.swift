import HTTPModel
import MessageFraming
import Testing

@Suite("WebSocket frames")
struct WebSocketTests {
  private let key: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]

  private func told(
    _ parts: [Part], from sender: WebSocketSender = .server, limits: WebSocketLimits = WebSocketLimits(),
    joined: Bool = false
  ) -> [String] {
    var decoder = WebSocketDecoder(sender: sender, limits: limits, joinedMidstream: joined)
    return decoder.transcript(parts)
  }

  private func hello(_ text: String = "Hello") -> [UInt8] { Array(text.utf8) }

  @Test("The examples of RFC 6455, 5.7, however they are cut")
  func examples() {
    func check(_ bytes: [UInt8], from sender: WebSocketSender, _ expected: [String]) {
      for way in cuts(of: bytes) { #expect(told(way, from: sender) == expected) }
    }
    check(hexadecimal("81 05 48 65 6c 6c 6f"), from: .server, ["began", "text 'Hello'"])
    check(hexadecimal("81 85 37 fa 21 3d 7f 9f 4d 51 58"), from: .client, ["began", "text 'Hello'"])
    check(hexadecimal("01 03 48 65 6c 80 02 6c 6f"), from: .server, ["began", "text 'Hello' in 2"])
    check(hexadecimal("89 05 48 65 6c 6c 6f"), from: .server, ["control began", "ping 'Hello'"])
    check(hexadecimal("8a 85 37 fa 21 3d 7f 9f 4d 51 58"), from: .client, ["control began", "pong 'Hello'"])
  }

  @Test("Lengths in two and eight bytes, masked at any place")
  func lengths() {
    for count in [0, 1, 3, 31, 32, 33, 125, 126, 127, 65535, 65536, 70001] {
      let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      for (sender, key) in [(WebSocketSender.server, nil), (.client, self.key)] {
        let bytes = frame(2, payload, key: key) + frame(2, [1, 2], key: key)
        for cut in [bytes.count, 1, 7, count / 2 + 9, bytes.count - 1] where cut <= bytes.count {
          var decoder = WebSocketDecoder(sender: sender)
          var kept: [[UInt8]] = []
          for part in [bytes[..<cut], bytes[cut...]] {
            var offset = 0
            part.withUnsafeBytes { part in
              while let event = decoder.nextEvent(in: part, at: &offset) {
                if case .message(let message) = event { decoder.withBytes(of: message) { kept.append(Array($0)) } }
              }
            }
          }
          #expect(kept == [payload, [1, 2]])
        }
      }
    }
  }

  @Test("Control frames between a message's frames")
  func interleaved() {
    let bytes =
      frame(1, hello("a"), fin: false) + frame(9, [1]) + frame(0, hello("b"), fin: false) + frame(10, [])
      + frame(0, hello("c"))
    for way in cuts(of: bytes) {
      #expect(
        told(way) == ["began", "control began", "ping 01", "control began", "pong ''", "text 'abc' in 3"])
    }
  }

  @Test("Close codes and reasons")
  func close() {
    func closing(_ payload: [UInt8]) -> [String] { Array(told([.bytes(frame(8, payload))]).dropFirst()) }
    #expect(closing([]) == ["close ''"])
    #expect(closing([0x03, 0xe8] + hello("bye")) == ["close 03e8627965"])
    #expect(closing([0x03]).first == "websocket.close-invalid")
    #expect(closing([0x03, 0xee]).first == "websocket.close-invalid")
    #expect(closing([0x0b, 0xb8]) == ["close 0bb8"])
    #expect(closing([0x03, 0xe8, 0xff]).first == "websocket.close-invalid")
    let read = WebSocketClose([0x03, 0xe9] + hello("going"))
    #expect(read.code == 1001 && read.reason == "going")
    #expect(WebSocketClose([]).code == nil)
    for code: UInt16 in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
      #expect(!WebSocketClose.isValid(code: code))
    }
    #expect(told([.bytes(frame(8, []) + frame(1, hello()))]).contains("websocket.close-invalid"))
  }

  @Test("What frames must not do is named, and the reading goes on")
  func anomalies() {
    func found(_ bytes: [UInt8], from sender: WebSocketSender = .server) -> [String] {
      told([.bytes(bytes)], from: sender).filter { $0.contains(".") }
    }
    #expect(found(frame(1, hello(), key: key)) == ["websocket.mask-invalid"])
    #expect(found(frame(1, hello()), from: .client) == ["websocket.mask-invalid"])
    #expect(found(frame(1, hello(), rsv: 1)) == ["websocket.reserved-bits"])
    #expect(found(frame(3, hello())) == ["websocket.opcode-unknown"])
    #expect(found(frame(11, hello())) == ["websocket.opcode-unknown"])
    #expect(found(frame(9, hello(), fin: false)) == ["websocket.control-frame-invalid"])
    #expect(found(frame(9, Array(repeating: 1, count: 126))) == ["websocket.control-frame-invalid"])
    #expect(found(frame(0, hello())) == ["websocket.continuation-invalid"])
    #expect(found(frame(1, hello(), fin: false) + frame(1, hello())) == ["websocket.continuation-invalid"])
    #expect(found([0x81, 126, 0, 1, 0x41]) == ["websocket.length-invalid"])
    #expect(found([0x81, 127, 0, 0, 0, 0, 0, 0, 0, 1, 0x41]) == ["websocket.length-invalid"])
    #expect(
      found([0x81, 127, 255, 0, 0, 0, 0, 0, 0, 1, 0x41]) == ["websocket.length-invalid", "message.boundary-lost"])
    #expect(found(frame(1, [0xc3, 0x28])) == ["websocket.text-not-utf8"])
    #expect(found(frame(1, [0xc3], fin: false) + frame(0, [0xa9])) == [])
    #expect(found(frame(2, [0xc3, 0x28])) == [])
    #expect(found(Array(frame(1, hello()).dropLast())) == ["message.truncated"])
    #expect(found([0x81]) == ["message.truncated"])
    #expect(found(frame(1, hello(), fin: false)) == ["message.truncated"])
  }

  @Test("A message that another interrupts is told as incomplete, with its own bytes")
  func interrupted() {
    for way in cuts(of: frame(1, hello("one"), fin: false) + frame(2, []) + frame(2, hello("two"))) {
      #expect(
        told(way) == [
          "began", "websocket.continuation-invalid", "text 'one' incomplete", "began", "binary ''", "began",
          "binary 'two'",
        ])
    }
  }

  @Test("Gaps inside a payload keep the boundaries and the mask's place")
  func gaps() {
    let bytes = frame(2, Array(repeating: 0x41, count: 20), key: key) + frame(1, hello("end"), key: key)
    for start in 6..<25 {
      for end in start + 1...26 {
        let kept = String(repeating: "A", count: 20 - (end - start))
        #expect(
          told(
            [.bytes(Array(bytes[..<start])), .gap(UInt64(end - start)), .bytes(Array(bytes[end...]))], from: .client)
            == ["began", "binary '\(kept)' incomplete", "began", "text 'end'"])
      }
    }
  }

  @Test("Boundaries are found again by a chain of frames that ends with a call")
  func resumed() {
    let frames = frame(1, hello("a"), key: key) + frame(2, [1, 2], key: key) + frame(10, [], key: key)
    let before = Array(frame(1, hello("before"), key: key).prefix(8))
    #expect(
      told([.bytes(before), .gap(40), .bytes(frames), .bytes(frame(1, hello("after"), key: key))], from: .client)
        == ["began", "text 'be' incomplete", "message.boundary-lost", "began", "text 'after'"])
    // Not where the call ends inside a frame, nor with bytes that are no frames.
    #expect(
      told([.bytes(Array(frames.dropLast())), .bytes(frame(1, hello(), key: key))], from: .client, joined: true) == [])
    #expect(told([.bytes(Array(repeating: 0, count: 64)), .bytes(frame(1, hello()))], joined: true) == [])
    // In the middle of a fragmented message.
    #expect(
      told(
        [.bytes(frames), .bytes(frame(0, hello("rest"), key: key) + frame(1, hello("x"), key: key))], from: .client,
        joined: true)
        == ["began", "unknown 'rest' incomplete", "began", "text 'x'"])
  }

  @Test("Messages over the limit are cut and counted")
  func limits() {
    let limits = WebSocketLimits(messageBytes: 4)
    #expect(
      told([.bytes(frame(1, hello(), fin: false) + frame(0, hello()) + frame(1, hello("ab")))], limits: limits)
        == ["began", "message.over-limit", "text 'Hell' in 2 cut", "began", "text 'ab'"])
    // A character that the limit cuts is no fault.
    #expect(
      told([.bytes(frame(1, hello("abc\u{e9}")))], limits: limits) == [
        "began", "message.over-limit", "text 616263c3 cut",
      ])
    #expect(
      told([.bytes([0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1])], limits: limits).last
        == "message.truncated")
  }

  @Test("UTF-8 is checked as RFC 3629 defines it")
  func utf8() {
    for (bytes, isValid) in [
      ("c280", true), ("c1bf", false), ("e0a080", true), ("e09f80", false), ("eda080", false), ("ed9fbf", true),
      ("f0908080", true), ("f08f8080", false), ("f48fbfbf", true), ("f4908080", false), ("f5808080", false),
      ("80", false),
      ("6161616161616161c3", false), ("6161616161616161c3a9", true),
    ] {
      #expect(told([.bytes(frame(1, hexadecimal(bytes)))]).contains("websocket.text-not-utf8") != isValid)
    }
  }

  @Test("Damaged streams: every byte is consumed, whatever stands there", arguments: 0..<20)
  func mutations(seed: UInt64) {
    var random = Randomness(state: seed)
    for _ in 0..<200 {
      let sender: WebSocketSender = Bool.random(using: &random) ? .client : .server
      var decoder = WebSocketDecoder(
        sender: sender, limits: WebSocketLimits(messageBytes: 50), joinedMidstream: Bool.random(using: &random))
      for _ in 0..<20 {
        let payload = Array(
          repeating: UInt8.random(in: 0...255, using: &random), count: .random(in: 0...140, using: &random))
        var bytes = frame(
          [0, 1, 2, 8, 9, 10].randomElement(using: &random)!, payload, fin: Bool.random(using: &random),
          key: sender == .client ? key : nil)
        if Int.random(in: 0..<4, using: &random) == 0 {
          bytes[Int.random(in: 0..<2, using: &random)] = .random(in: 0...255, using: &random)
        }
        if Int.random(in: 0..<6, using: &random) == 0 { bytes.removeLast(.random(in: 0..<bytes.count, using: &random)) }
        if Int.random(in: 0..<8, using: &random) == 0 {
          decoder.gap(Bool.random(using: &random) ? nil : .random(in: 0...200, using: &random))
        }
        var offset = 0
        bytes.withUnsafeBytes {
          while let event = decoder.nextEvent(in: $0, at: &offset) {
            guard case .message(let message) = event else { continue }
            decoder.withBytes(of: message) { #expect($0.count <= (message.isControl ? 125 : 50)) }
          }
        }
        #expect(offset == bytes.count)
      }
      decoder.finish()
      var offset = 0
      while decoder.nextEvent(in: UnsafeRawBufferPointer(start: nil, count: 0), at: &offset) != nil {}
      decoder.gap(3)
      #expect([1, 2].withUnsafeBytes { decoder.nextEvent(in: $0, at: &offset) } == nil)
    }
  }
}
