import Testing

@testable import ContentTree

@Suite struct MarkupTests {
  private func tree(_ text: String, _ markup: Markup) -> String? {
    markup.jsonText(of: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(
    arguments: [
      ("<a/>", #"[{"a":{"":[]}}]"#),
      (
        "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x \"y\">]><a b = 'c&amp;d'> t <!-- n --><b>&x;&#65;</b></a>",
        #"[{"a":{"@b":"c&d","":["t",{"b":{"":["&x;A"]}}]}}]"#
      ),
      ("<a><![CDATA[<b>]]></a>", #"[{"a":{"":["<b>"]}}]"#), ("<a><b></a>", nil), ("<a", nil), ("<a b></a>", nil),
      ("<a></b>", nil), ("text", nil), ("", nil), ("<a>1 < 2</a>", nil), ("<a b=\"x></a>", nil),
    ] as [(String, String?)])
  func xml(text: String, expected: String?) { #expect(tree(text, .xml) == expected) }

  @Test(
    arguments: [
      (
        "<!doctype html><P CLASS=x hidden>a  b<br>c<p>d",
        #"[{"p":{"@class":"x","@hidden":"","":["a b",{"br":{"":[]}},"c"]}},{"p":{"":["d"]}}]"#
      ),
      ("<ul><li>1<li>2</ul>", #"[{"ul":{"":[{"li":{"":["1"]}},{"li":{"":["2"]}}]}}]"#),
      ("<script>if (a < b && '</p>') {}</script>x", #"[{"script":{"":["if (a < b && '</p>') {}"]}},"x"]"#),
      ("<b><i>x</b></i>y < z", #"[{"b":{"":[{"i":{"":["x"]}}]}},"y < z"]"#),
      ("<a href=/x?y>l</a", #"[{"a":{"@href":"/x?y","":["l"]}}]"#),
    ] as [(String, String?)])
  func html(text: String, expected: String?) { #expect(tree(text, .html) == expected) }

  @Test func deepNestingIsBounded() throws {
    let text = String(repeating: "<a>", count: 100_000)
    let html = try #require(Markup.html.document(of: Array(text.utf8)))
    #expect(html.edits(to: html).edits.isEmpty)
    #expect(Markup.xml.jsonText(of: Array((text + String(repeating: "</a>", count: 100_000)).utf8)) != nil)
    #expect(Markup.xml.jsonText(of: Array(text.utf8)) == nil)
  }

  @Test func anyBytes() {
    var state: UInt64 = 3
    let alphabet = Array("<>/!?-[]&;#x='\" abp\u{0}é".utf8) + [0xff]
    for _ in 0..<20_000 {
      let bytes = (0..<Int((state >> 33) % 60)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return alphabet[Int(state >> 33) % alphabet.count]
      }
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      for markup in [Markup.xml, .html] {
        guard let text = markup.jsonText(of: bytes) else { continue }
        #expect((try? JSONDocument(text, limits: JSONLimits(depth: 1024))) != nil)
      }
    }
  }
}
