// Field names that a decoder's parts have seen before change nothing of what is decoded: only how fast.

import HTTP1Decoding
import HTTPModel
import Testing

@Suite struct KnownNamesTests {
  /// Names that differ in their ends, their case and their length only, and such as mean something.
  private static let names = [
    "Host", "Hos", "Hosts", "HOST", "host", "Content-Length", "Content-Lengt", "Content-Lengths", "content-length",
    "Transfer-Encoding", "Transfer-Encodin", "Connection", "connection", "Connections", "Expect", "Upgrade", "TE", "X",
    "Upgrade-Insecure-Requests", "Access-Control-Allow-Credentials", "Access-Control-Allow-Credential",
    "X-23456789012345678901234567890", "X-234567890123456789012345678901", "X-2345678901234567890123456789012345678",
  ]
  private static let values = [
    "", "7", "7, 8", "chunked", "gzip, chunked", "close", "keep-alive, Upgrade", "h2c", "100-continue", " padded \t",
    "a: b", ":",
  ]
  private static let damage = Array("\r\n \t:;,0Hh\0\u{7f}".utf8) + [0xff]

  private func head(_ role: HTTP1Decoder.Role, _ random: inout Random) -> [UInt8] {
    var wire = role == .request ? "GET /a HTTP/1.1\r\n" : "HTTP/1.1 200 OK\r\n"
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      let name = Self.names.randomElement(using: &random)!
      wire += "\(name):\(Bool.random(using: &random) ? " " : "")\(Self.values.randomElement(using: &random)!)\r\n"
    }
    var bytes = Array((wire + "\r\n").utf8)
    if Int.random(in: 0..<3, using: &random) == 0 {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = Self.damage.randomElement(using: &random)!
    }
    // What is looked at of a line at once may reach beyond the head, or to the end of what is there.
    return bytes + [UInt8](repeating: 0x61, count: Int.random(in: 0...40, using: &random))
  }

  private func steps(_ bytes: [UInt8], _ role: HTTP1Decoder.Role, _ parts: inout HTTP1Parts) -> [String] {
    var decoder = HTTP1Decoder(role: role)
    var told: [String] = []
    bytes.withUnsafeBytes { buffer in
      var offset = 0
      while let step = decoder.step(in: buffer, at: &offset, &parts) {
        told.append("\(step)")
        if case .head = step { told.append("\(parts.head)") }
      }
    }
    return told
  }

  @Test(arguments: 0..<8)
  func namesThatCameBeforeChangeNothing(seed: Int) {
    var random = Random(UInt64(5000 + seed))
    var shared = HTTP1Parts()
    var heads = 0
    for round in 0..<600 {
      let role = Bool.random(using: &random) ? HTTP1Decoder.Role.request : .response
      let bytes = head(role, &random)
      var fresh = HTTP1Parts()
      let expected = steps(bytes, role, &fresh)
      let told = steps(bytes, role, &shared)
      guard told == expected else {
        Issue.record("seed \(seed), round \(round): \(told) instead of \(expected); \(text(bytes).debugDescription)")
        return
      }
      if expected.first == "head" { heads += 1 }
    }
    #expect(heads > 200)
  }
}
