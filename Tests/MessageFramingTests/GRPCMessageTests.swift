import HTTPModel
import MessageFraming
import Testing

@Suite("gRPC messages")
struct GRPCMessageTests {
  private func told(_ parts: [Part], isWeb: Bool = false, limit: UInt32 = 64 << 20) -> [String] {
    var decoder = GRPCMessageDecoder(isWeb: isWeb, messageLimit: limit)
    return decoder.transcript(parts)
  }

  @Test("Messages are found however the body is cut")
  func splits() {
    let body = message([1, 2, 3]) + message([]) + message(Array(repeating: 9, count: 20), flag: 1) + message([7])
    let expected = [
      "began at 0", "message 5+3 flag 0", "began at 8", "message 13+0 flag 0", "began at 13",
      "message 18+20 flag 1", "began at 38", "message 43+1 flag 0",
    ]
    for way in cuts(of: body) { #expect(told(way) == expected) }
    #expect(told([]) == [])
  }

  @Test("A body that ends inside a message")
  func truncated() {
    #expect(told([.bytes([0, 0])]) == ["began at 0", "message.truncated"])
    #expect(told([.bytes([0, 0, 0, 0, 9, 1, 2])]) == ["began at 0", "truncated 5+2/9", "message.truncated"])
    #expect(told([.bytes([0, 0, 0, 0, 9])]) == ["began at 0", "truncated 5+0/9", "message.truncated"])
    // The greatest length.
    #expect(
      told([.bytes([0, 255, 255, 255, 255, 1])])
        == ["began at 0", "message.over-limit", "truncated 5+1/4294967295", "message.truncated"])
  }

  @Test("A gap inside a message keeps the boundaries")
  func gapInside() {
    let body = message(Array(1...10)) + message([5])
    let expected = ["began at 0", "message 5+10 flag 0 incomplete", "began at 15", "message 20+1 flag 0"]
    for start in 5..<14 {
      for end in start + 1...15 {
        #expect(
          told([.bytes(Array(body[..<start])), .gap(UInt64(end - start)), .bytes(Array(body[end...]))]) == expected)
      }
    }
    #expect(told([.bytes(body), .gap(0), .bytes(message([1]))]).last == "message 26+1 flag 0")
  }

  @Test("A gap over a message's end loses them, and the message is still known")
  func gapBeyond() {
    let body = message(Array(1...10))
    let expected = ["began at 0", "message 5+10 flag 0 incomplete", "message.boundary-lost"]
    #expect(told([.bytes(Array(body[..<8])), .gap(8), .bytes(message([1, 2]))]) == expected)
    #expect(
      told([.bytes(Array(body[..<8])), .gap(nil), .frameBoundary, .bytes(message([1, 2]))])
        == ["began at 0", "truncated 5+3/10", "message.boundary-lost"])
    #expect(told([.bytes(Array(body[..<3])), .gap(1), .bytes(body)]) == ["began at 0", "message.boundary-lost"])
    #expect(told([.gap(.max), .gap(.max)]) == ["message.boundary-lost"])
  }

  @Test("Boundaries are found again where a DATA frame begins, with proof")
  func resumed() {
    let lost: [Part] = [.gap(100)]
    // A frame that holds a message, and one after it.
    #expect(
      told(lost + [.bytes([1, 2, 3]), .frameBoundary, .bytes(message([7, 7])), .frameBoundary, .bytes(message([8]))])
        == ["message.boundary-lost", "message 108+2 flag 0", "began at 110", "message 115+1 flag 0"])
    // A message over three frames.
    let long = message(Array(repeating: 3, count: 100))
    #expect(
      told(
        lost + [
          .frameBoundary, .bytes(Array(long[..<40])), .frameBoundary, .bytes(Array(long[40..<80])), .frameBoundary,
          .bytes(Array(long[80...])),
        ]) == ["message.boundary-lost", "message 105+100 flag 0"])
    // Three messages in a row, whatever follows.
    #expect(
      told(lost + [.frameBoundary, .bytes(message([1]) + message([2]) + message([3]) + [0])])
        == [
          "message.boundary-lost", "message 105+1 flag 0", "message 111+1 flag 0", "message 117+1 flag 0",
          "began at 118", "message.truncated",
        ])
    // Zeroes read as empty messages and prove nothing; nor does what only begins like a message.
    #expect(
      told(lost + [.frameBoundary, .bytes([UInt8](repeating: 0, count: 1000)), .frameBoundary]) == [
        "message.boundary-lost"
      ])
    #expect(told(lost + [.frameBoundary, .bytes([0, 0, 0, 0, 50, 1]), .frameBoundary]) == ["message.boundary-lost"])
    #expect(
      told(lost + [.frameBoundary, .bytes([9, 9, 9, 9, 9, 9]), .frameBoundary, .bytes(message([1])), .frameBoundary])
        == ["message.boundary-lost", "message 111+1 flag 0"])
  }

  @Test("A flag that does not exist ends the reading: what stands there is no gRPC")
  func flags() {
    let expected = ["began at 0", "grpc.flag-invalid", "message.boundary-lost"]
    for way in cuts(of: Array("<html>502 Bad Gateway</html>".utf8)) { #expect(told(way) == expected) }
    #expect(told([.bytes(message([1], flag: 0x80))]) == expected)
    #expect(told([.bytes(message([1], flag: 2))], isWeb: true) == expected)
  }

  @Test("gRPC-Web's trailers come last")
  func webTrailers() {
    let body = message([1]) + message(Array("grpc-status:0\r\n".utf8), flag: 0x80)
    #expect(
      told([.bytes(body)], isWeb: true)
        == ["began at 0", "message 5+1 flag 0", "began at 6", "message 11+15 flag 128"])
    #expect(told([.bytes(body + message([2]))], isWeb: true).contains("grpc.trailers-misplaced"))
  }

  @Test("Long messages are told and followed")
  func limit() {
    #expect(
      told([.bytes(message([1, 2, 3]) + message([1]))], limit: 2)
        == ["began at 0", "message.over-limit", "message 5+3 flag 0", "began at 8", "message 13+1 flag 0"])
  }

  @Test("Damaged bodies, gaps anywhere: every byte is consumed and places rise", arguments: 0..<20)
  func mutations(seed: UInt64) {
    var random = Randomness(state: seed)
    for _ in 0..<300 {
      var decoder = GRPCMessageDecoder(isWeb: Bool.random(using: &random), messageLimit: 1000)
      var end: UInt64 = 0
      for _ in 0..<20 {
        var bytes = message(
          Array(repeating: UInt8.random(in: 0...3, using: &random), count: .random(in: 0...30, using: &random)))
        if Int.random(in: 0..<4, using: &random) == 0 {
          bytes[.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
        }
        if Int.random(in: 0..<6, using: &random) == 0 { bytes.removeLast(.random(in: 0..<bytes.count, using: &random)) }
        if Bool.random(using: &random) { decoder.frameBoundary() }
        if Int.random(in: 0..<8, using: &random) == 0 {
          decoder.gap(Bool.random(using: &random) ? nil : .random(in: 0...50, using: &random))
        }
        var offset = 0
        bytes.withUnsafeBytes {
          while let event = decoder.nextEvent(in: $0, at: &offset) {
            guard case .message(let message) = event else { continue }
            #expect(message.offset >= end)
            end = message.offset + UInt64(message.length)
            #expect(end <= decoder.position)
          }
        }
        #expect(offset == bytes.count)
      }
    }
  }
}
