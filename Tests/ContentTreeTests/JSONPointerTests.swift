import Testing

@testable import ContentTree

@Suite struct JSONPointerTests {
  @Test(arguments: ["", "/", "/a", "/a~1b", "/m~0n", "/a//b", "/0/x y", "/*"])
  func readsAndWrites(text: String) { #expect(JSONPointer(text)?.description == text) }

  @Test(arguments: ["a", "/~", "/~2", "/a~", "#/a"])
  func refuses(text: String) { #expect(JSONPointer(text) == nil) }

  /// RFC 6901, 5.
  @Test(
    arguments: [
      ("", nil), ("/foo/0", "bar"), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/ ", "7"), ("/m~0n", "8"),
      ("/foo/1", "baz"), ("/foo/01", "-"), ("/foo/2", "-"), ("/foo/-", "-"), ("/none", "-"), ("/ /a", "-"),
    ] as [(String, String?)])
  func evaluates(text: String, value: String?) throws {
    let tree = try document(#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2," ":7,"m~n":8}"#)
    let node = tree.node(at: JSONPointer(text)!)
    if let value { #expect((node.map { tree.text(of: $0) } ?? "-") == value) } else { #expect(node == tree.root) }
  }

  @Test(arguments: [
    ("/a/*/b", "/a/0/b", true), ("/a/*/b", "/a/b", false), ("/**/id", "/id", true), ("/**/id", "/a/1/id", true),
    ("/**/id", "/a/idx", false), ("/a/**", "/a", true), ("/a/**", "/a/b/c", true), ("/a/**/z", "/a/z/z/y", false),
    ("/**/a/**/b", "/x/a/y/a/b", true), ("", "", true), ("", "/a", false), ("/~2", "/*", true), ("/~2", "/x", false),
  ])
  func matches(pattern: String, path: String, isMatch: Bool) throws {
    let pattern = try #require(JSONPointerPattern(pattern))
    #expect(pattern.matches(JSONPointer(path)!.tokens) == isMatch)
    #expect(JSONPointerPattern(pattern.description) == pattern)
  }

  @Test func coversWhatIsBelow() throws {
    let pattern = try #require(JSONPointerPattern("/a/*"))
    #expect(pattern.covers(["a", "0", "b", "c"]))
    #expect(!pattern.covers(["a"]))
    #expect(!pattern.covers(["b", "0"]))
  }

  @Test func manyWildcardsStayCheap() throws {
    let pattern = try #require(JSONPointerPattern(String(repeating: "/**/a", count: 50) + "/b"))
    #expect(!pattern.matches(Array(repeating: "a", count: 400)))
  }

  @Test func findsNodes() throws {
    let tree = try document(#"{"a":[{"p":1},{"p":2,"q":{"p":3}}],"p":4}"#)
    func found(_ text: String) -> [String] {
      tree.nodes(matching: JSONPointerPattern(text)!).map { tree.text(of: $0) }
    }
    #expect(found("/a/*/p") == ["1", "2"])
    #expect(found("/**/p") == ["1", "2", "3", "4"])
    #expect(found("/a/1/q/p") == ["3"])
    #expect(tree.nodes(matching: JSONPointerPattern("/**")!, limit: 3).count == 3)
  }
}
