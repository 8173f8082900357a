import Foundation
import HTTPModel
import Testing

@Suite struct JSONWriterTests {
  private func written(_ write: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    write(&json)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  @Test func separatesMembersAndElements() {
    let text = written { json in
      json.beginObject()
      json.key("a")
      json.number(-1)
      json.key("b")
      json.beginArray()
      json.beginArray()
      json.endArray()
      json.null()
      json.bool(true)
      json.beginObject()
      json.endObject()
      json.endArray()
      json.key("c")
      json.string("x")
      json.endObject()
    }
    #expect(text == #"{"a":-1,"b":[[],null,true,{}],"c":"x"}"#)
  }

  @Test func indentsByTwoSpacesAndKeepsEmptyContainersShort() {
    var json = JSONWriter(layout: .indented)
    json.beginObject()
    json.key("a")
    json.beginArray()
    json.number(1)
    json.beginObject()
    json.endObject()
    json.endArray()
    json.key("b")
    json.beginArray()
    json.endArray()
    json.endObject()
    json.endLine()
    #expect(
      String(decoding: json.takeBytes(), as: UTF8.self) == "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}\n")
    #expect(json.bytes.isEmpty)
  }

  @Test func writesOneValueALine() {
    let text = written { json in
      for number in 1...3 {
        json.beginObject()
        json.key("n")
        json.number(number)
        json.endObject()
        json.endLine()
      }
    }
    #expect(text == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
  }

  @Test(arguments: [
    ("\"\\/", #""\"\\/""#), ("\u{8}\u{c}\n\r\t", #""\b\f\n\r\t""#), ("\u{0}\u{1f}\u{7f}", #""\u0000\u001f\u007f""#),
    ("\u{9b}\u{202e}\u{2028}", #""\u009b\u202e\u2028""#), ("é漢🙂", "\"é漢🙂\""), ("", "\"\""),
    ("0123456789abcdef\"0123456789", #""0123456789abcdef\"0123456789""#),
  ])
  func escapes(_ value: String, _ expected: String) {
    #expect(written { $0.string(value) } == expected)
    #expect(written { $0.string(bytes: Array(value.utf8)) } == expected)
  }

  @Test func anyBytesBecomeTheTextThatTheStandardLibraryMakesOfThem() throws {
    var generator = Xorshift(state: 0x9e37_79b9_7f4a_7c15)
    let interesting: [UInt8] = [
      0x00, 0x1f, 0x22, 0x41, 0x5c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe2, 0xed, 0xef,
      0xf0, 0xf1, 0xf4, 0xf5, 0xff,
    ]
    var cases = (UInt8.min...UInt8.max).map { [$0] }
    for _ in 0..<4000 {
      cases.append((0..<Int(generator.next() % 24)).map { _ in interesting.randomElement(using: &generator)! })
    }
    for bytes in cases {
      var json = JSONWriter()
      json.beginArray()
      json.string(bytes: bytes[...])
      json.endArray()
      let parsed = try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String]
      let expected = String(decoding: bytes, as: UTF8.self)
      #expect(parsed.map { Array($0[0].utf8) } == Array(expected.utf8), "\(bytes)")
    }
  }

  @Test func numbersAreFiniteAndReadBackAsTheyWere() {
    #expect(written { $0.number(UInt64.max) } == "18446744073709551615")
    for value in [0.1, 1e-7, 1e300, -2.5, 100, .leastNonzeroMagnitude] {
      #expect(Double(written { $0.number(value) }) == value)
    }
    for value in [Double.nan, .infinity, -.infinity] { #expect(written { $0.number(value) } == "null") }
  }
}

/// Marsaglia's generator, so that a failure can be repeated.
struct Xorshift: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
