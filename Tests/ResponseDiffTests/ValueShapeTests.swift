import ContentTree
import Testing

@testable import ResponseDiff

@Suite struct ValueShapeTests {
  @Test(
    arguments: [
      ("\"\"", .empty), ("null", .null), ("true", .boolean), ("17", .integer), ("-17", .integer), ("1.5", .real),
      ("1e9", .real), ("1700000000", .epochSeconds), ("1700000000123", .epochMilliseconds),
      ("\"1234\"", .digits), ("\"3f2504e0-4f89-11d3-9a0c-0305e82c3301\"", .uuid), ("\"2026-11-21\"", .date),
      ("\"2026-11-21T09:00:00.123Z\"", .time), ("\"2026-11-21 09:00:00+01:00\"", .time),
      ("\"Sun, 06 Nov 1994 08:49:37 GMT\"", .httpDate), ("\"deadbeef01\"", .hex), ("\"Zm9vYmFyYmF6MTIzNDU2\"", .token),
      ("\"a.b@example.org\"", .email), ("\"https://example.org/a?b=c\"", .url), ("\"10.0.0.1\"", .address),
      ("\"fe80::1\"", .address), ("\"hello world\"", .text), ("\"2026\"", .digits), ("\"order-confirmation\"", .text),
      ("{}", .object), ("[1]", .array), ("\"page 12 of 20 for you\"", .text),
    ] as [(String, ValueShape)])
  func shapes(text: String, shape: ValueShape) throws {
    let document = try JSONDocument(Array(text.utf8))
    #expect(ValueShape(of: document.root, in: document) == shape)
    #expect(ValueShape(ofQuoted: text) == shape)
  }

  @Test func ofFieldValues() {
    #expect(ValueShape(ofText: "3f2504e0-4f89-11d3-9a0c-0305e82c3301".utf8) == .uuid)
    #expect(ValueShape(ofText: Array(repeating: UInt8(ascii: "a"), count: 4000)) == .token)
    #expect(ValueShape(ofQuoted: nil) == .absent)
  }

  @Test func acceptance() {
    #expect(ValueShape.uuid.accepts(.uuid) && !ValueShape.uuid.accepts(.text) && !ValueShape.uuid.accepts(.null))
    #expect(ValueShape.hex.accepts(.digits) && ValueShape.token.accepts(.hex) && !ValueShape.token.accepts(.empty))
    #expect(ValueShape.integer.accepts(.epochSeconds) && !ValueShape.epochSeconds.accepts(.integer))
    #expect(ValueShape.text.accepts(.uuid) && !ValueShape.text.accepts(.integer) && !ValueShape.text.accepts(.empty))
    for shape in ValueShape.allCases { #expect(shape.accepts(shape) && !shape.phrase.isEmpty) }
  }

  @Test func anyBytes() {
    var state: UInt64 = 7
    for _ in 0..<5000 {
      let bytes = (0..<Int(state % 50)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1
        return UInt8(truncatingIfNeeded: state >> 40)
      }
      state = state &* 6_364_136_223_846_793_005 &+ 1
      _ = ValueShape(ofText: bytes)
      _ = ValueShape(ofQuoted: String(decoding: bytes, as: UTF8.self))
    }
  }
}
