import HTTPModel
import Testing

@testable import TrafficRules

@Suite struct PatternTests {
  func matches(_ pattern: String, _ text: String, _ subject: TextPattern.Subject = .text) throws -> Bool {
    try TextPattern(pattern, subject).matches(Array(text.utf8)[...])
  }

  @Test(arguments: [
    ("/api/**", "/api/a/b", true), ("/api/**", "/api", true), ("/api/**", "/api/", true), ("/api/**", "/apis", false),
    ("/api/*", "/api/a", true), ("/api/*", "/api/a/b", false), ("/*/b", "/a/b", true), ("/**/b", "/a/x/b", true),
    ("/a?c", "/abc", true), ("/a?c", "/a/c", false), ("/a\\*c", "/a*c", true), ("/a\\*c", "/abc", false),
    ("/*/x/**", "/q/x", true), ("/*/x/**", "/q/x/y/z", true), ("/a", "/a/", false), ("~^/v[12]/", "/v2/x", true),
    ("~^/v[12]/", "/x/v2/", false), ("~/v[12]/", "/x/v2/", true),
  ]) func paths(_ pattern: String, _ text: String, _ expected: Bool) throws {
    #expect(try matches(pattern, text, .path) == expected)
  }

  @Test func hostsTakeLabelsWithoutCase() throws {
    #expect(try matches("*.Shop.example", "EU.shop.EXAMPLE", .host))
    #expect(try !matches("*.shop.example", "a.b.shop.example", .host))
    #expect(try matches("**.shop.example", "a.b.shop.example", .host))
  }

  @Test(arguments: [
    ("a|bc", "xbcx", true), ("^(?:a|b)+$", "abba", true), ("^(?:a|b)+$", "abca", false), ("a{2,3}b", "aab", true),
    ("^a{2,3}$", "aaaa", false), ("^a{2}$", "aa", true), ("^a{2,}$", "aaaaa", true), ("a{x", "a{x", true),
    ("[^a-c]", "abc", false), ("[]a]", "]", true), ("[a\\]]", "]", true), ("[\\d-]+$", "1-2", true),
    ("\\bfoo\\b", "a foo.", true), ("\\bfoo\\b", "afoo", false), ("(?i)^ÄbC", "ÄBc", true), (".", "\n", false),
    ("^$", "", true), ("a*", "", true), ("\\x41", "A", true), ("é+", "éé", true), ("^é+$", "é\u{a9}", false),
    ("x*?y", "xxy", true), ("a\\.b", "a.b", true), ("a\\.b", "acb", false), ("\\w+@\\w+", "me@home", true),
  ]) func regularExpressions(_ pattern: String, _ text: String, _ expected: Bool) throws {
    #expect(try matches("~" + pattern, text) == expected)
  }

  @Test(arguments: [
    ("a(b", 1), ("a)b", 1), ("*a", 0), ("a**", 2), ("[a", 0), ("[z-a]", 3), ("(?=a)", 0), ("(a)\\1", 3), ("\\q", 0),
    ("a\\", 1), ("a{3,2}", 1), ("a{2000}", 1), ("[é]", 1), ("\\x4", 0), ("^*", 1),
  ]) func whatIsNoRegularExpressionIsNamedWithItsColumn(_ pattern: String, _ offset: Int) {
    let error = #expect(throws: PatternError.self) { try PatternSyntax.regularExpression(pattern) }
    #expect(error?.offset == offset)
  }

  @Test func repetitionsThatMultiplyAreRefused() {
    #expect(throws: PatternError.self) { try PatternSyntax.regularExpression("((a{100}){100}){100}") }
    #expect(throws: PatternError.self) {
      try PatternSyntax.regularExpression(String(repeating: "(", count: 1000) + String(repeating: ")", count: 1000))
    }
  }

  /// What takes backtracking matchers longer than the universe has.
  @Test func noPatternCanBeMadeToBacktrack() throws {
    for pattern in [
      "^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)(.*)(.*)(.*)x$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y",
    ] {
      let text = String(repeating: pattern.contains("x+") ? "x" : "a", count: 20_000) + "!"
      #expect(try !matches("~" + pattern, text))
    }
  }

  @Test func groupsAreThoseOfALeftmostMatchThatPrefersTheFirst() throws {
    func replaced(_ pattern: String, _ replacement: String, _ text: String) throws -> String? {
      try TextReplacement(pattern: pattern, replacement: replacement).applied(to: Array(text.utf8)).map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    #expect(try replaced("^/api/(.*)", "/v1/$1", "/api/x?y") == "/v1/x?y")
    #expect(try replaced("(a+)(a*)", "<$1|$2>", "baab") == "b<aa|>b")
    #expect(try replaced("(a+?)(a*)", "<$1|$2>", "baab") == "b<a|a>b")
    #expect(try replaced("(a|ab)(c|bcd)?", "<$1|$2>", "abcd") == "<a|bcd>")
    #expect(try replaced("(x)?y", "$$1[$1]", "y") == "$1[]")
    #expect(try replaced("\\d+", "$0$0", "a12b34") == "a1212b34")
    #expect(try replaced("q", "", "abc") == nil)
    #expect(throws: PatternError.self) { try TextReplacement(pattern: "a", replacement: "$1") }
    #expect(throws: PatternError.self) { try TextReplacement(pattern: "a", replacement: "$") }
  }

  @Test func networks() {
    #expect(NetworkRange("10.0.0.0/8")!.contains(.init("10.200.1.2")!))
    #expect(!NetworkRange("10.0.0.0/8")!.contains(.init("11.0.0.1")!))
    #expect(NetworkRange("10.0.0.0/8")!.contains(.init("::ffff:10.1.1.1")!))
    #expect(NetworkRange("0.0.0.0/0")!.contains(.init("1.2.3.4")!))
    #expect(NetworkRange("2001:db8::/33")!.contains(.init("2001:db8:7fff::1")!))
    #expect(!NetworkRange("2001:db8::/33")!.contains(.init("2001:db8:8000::1")!))
    #expect(NetworkRange("2001:db8::1/128")!.contains(.init("2001:db8::1")!))
    #expect(NetworkRange("2001:db8::1/127")!.contains(.init("2001:db8::")!))
    for text in ["10.0.0.0/33", "10.0.0/8", "::/129", "", "10.0.0.0/", "10.0.0.0/-1", "a/8"] {
      #expect(NetworkRange(text) == nil)
    }
  }
}
