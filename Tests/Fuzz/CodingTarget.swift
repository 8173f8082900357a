// Bodies through the removal of content codings.
//
// Input: which codings, then the body.

import ContentCoding

enum CodingTarget: FuzzTarget {
  static let name = "coding"

  private static let stacks = [["gzip"], ["deflate"], ["br"], ["zstd"], ["gzip", "br"], ["identity", "deflate"]]
  private static let limit = 100_000

  static func run(_ input: [UInt8]) throws(Violation) {
    var reader = InputReader(input)
    let codings = stacks[Int(reader.byte()) % stacks.count]
    let content: [UInt8]
    do { content = try ContentCoding.decode(reader.rest(), codings: codings, limit: limit) } catch {
      switch error {
      case .truncated(_, let decoded), .malformed(_, let decoded): content = decoded
      case .overLimit, .unknownCoding, .tooManyCodings: content = []
      }
    }
    try require(content.count <= limit, "\(content.count) bytes came out")
  }

  /// "hello hello hello" in each coding.
  static var seeds: [[UInt8]] {
    let deflated: [UInt8] = [0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x90, 0x00]
    let gzip: [UInt8] =
      [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + deflated + [0x7b, 0x1f, 0x30, 0x26, 17, 0, 0, 0]
    return [
      [0] + gzip, [0] + gzip + gzip, [1] + deflated, [1, 0x78, 0x9c] + deflated + [0x3a, 0x41, 0x06, 0x7d],
      [2, 0x0b, 0x08, 0x80] + Array("hello hello hello".utf8) + [0x03],
      [3, 0x28, 0xb5, 0x2f, 0xfd, 0x20, 17, 0x89, 0x00, 0x00] + Array("hello hello hello".utf8), [4] + gzip,
      [5] + deflated,
    ]
  }
}
