import ContentCoding
import Testing

@Suite("Raw inflating in pieces")
struct RawInflaterTests {
  /// Bytes that compress, but not to nothing.
  private func sample(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 5) & 0x3f } }

  /// A DEFLATE stream with a final block.
  private func deflated(_ bytes: [UInt8]) -> [UInt8] {
    let gzip = ContentCoding.gzip(bytes)
    return Array(gzip[10..<gzip.count - 8])
  }

  @Test("What a piece completes comes out with it", arguments: [1, 2, 7, 100, 100_000])
  func pieces(size: Int) {
    let content = sample(50_000)
    let stream = deflated(content)
    var inflater = RawInflater()
    var output: [UInt8] = []
    var total = 0
    for start in stride(from: 0, to: stream.count, by: size) {
      let count = stream[start..<min(start + size, stream.count)].withUnsafeBytes {
        inflater.inflate($0, limit: .max, into: &output)
      }
      total += count ?? -1
    }
    #expect(output == content && total == content.count)
  }

  @Test("A flushed stream goes on with the same window, and forgets it when told")
  func window() {
    var inflater = RawInflater()
    var output: [UInt8] = []
    func add(_ bytes: [UInt8], _ inflater: inout RawInflater) -> Int? {
      bytes.withUnsafeBytes { inflater.inflate($0, limit: .max, into: &output) }
    }
    #expect(add([0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff], &inflater) == 5)
    #expect(add([0xf2, 0x00, 0x11, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff], &inflater) == 5)
    #expect(output == Array("HelloHello".utf8))
    inflater.reset()
    // The second message refers to a window that is gone.
    #expect(add([0xf2, 0x00, 0x11, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff], &inflater) == nil)
    #expect(add([0xf2], &inflater) == nil)
    inflater.reset()
    #expect(add([0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff], &inflater) == 5)
  }

  @Test("A final block ends no stream, and keeps the window")
  func finalBlocks() {
    var inflater = RawInflater()
    var output: [UInt8] = []
    let stream =
      [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0xf2, 0x00, 0x11, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff] as [UInt8]
    #expect(stream.withUnsafeBytes { inflater.inflate($0, limit: .max, into: &output) } == 10)
    #expect(output == Array("HelloHello".utf8))
    // Many empty ones.
    let many = [UInt8]((0..<50_000).flatMap { _ in [0x03, 0x00] as [UInt8] })
    #expect(many.withUnsafeBytes { inflater.inflate($0, limit: .max, into: &output) } == 0)
  }

  @Test("What goes over the limit is counted and dropped")
  func limit() {
    let content = [UInt8](repeating: 7, count: 3_000_000)
    let stream = deflated(content)
    for limit in [0, 1, 1000, 2_999_999] {
      var inflater = RawInflater()
      var output: [UInt8] = []
      #expect(stream.withUnsafeBytes { inflater.inflate($0, limit: limit, into: &output) } == content.count)
      #expect(output.count == limit)
    }
  }

  @Test("Damage is told and what came before it is kept")
  func damage() {
    let content = sample(20_000)
    let stream = deflated(content)
    for place in stride(from: 0, to: stream.count, by: 97) {
      var damaged = stream
      damaged[place] ^= 0x55
      var inflater = RawInflater()
      var output: [UInt8] = []
      _ = damaged.withUnsafeBytes { inflater.inflate($0, limit: 100_000, into: &output) }
      #expect(output.count <= 100_000)
    }
    var inflater = RawInflater()
    var output: [UInt8] = []
    #expect([UInt8]().withUnsafeBytes { inflater.inflate($0, limit: 10, into: &output) } == 0)
  }
}
