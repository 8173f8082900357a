// The library products are for others to build on: what they offer says what it is.

import Testing

@Suite("Documentation")
struct DocumentationTests {
  private let products: Set = ["TCPReassembly", "HTTP1Decoding", "HTTP2Decoding", "SessionFile", "ResponseDiff"]

  /// With the nouns that all of them speak in.
  private var documented: Set<String> { products.union(["HTTPModel"]) }

  @Test("Every public type, function and property of a library product has a doc comment")
  func comments() {
    for file in SourceTree.sources where documented.contains(file.target) {
      for (number, text) in file.code where declaresDocumented(text) {
        let before = file.lines[..<(number - 1)].reversed().map { $0.trimmingPrefix { $0 == " " } }
        let comment = before.drop { $0.hasPrefix("@") }.first ?? ""
        #expect(comment.hasPrefix("///"), "\(file.path):\(number) has no doc comment")
      }
    }
  }

  @Test("Every library product has an article with an example")
  func articles() {
    for product in products.sorted() {
      let article = SourceTree.text("Sources/\(product)/\(product).docc/\(product).md")
      #expect(article?.contains("```swift") == true, "\(product) has no article with an example")
    }
  }

  /// What an initialiser takes, the properties say; what a conformance does, its protocol.
  private func declaresDocumented(_ text: Substring) -> Bool {
    var words = text.split(separator: " ").drop { $0.hasPrefix("@") }
    guard words.first == "public" else { return false }
    let modifiers: Set<Substring> = [
      "public", "static", "mutating", "consuming", "convenience", "final", "indirect", "private(set)", "internal(set)",
    ]
    words = words.drop { modifiers.contains($0) }
    if words.first == "func", let name = words.dropFirst().first {
      return !["==", "<"].contains(name) && !name.hasPrefix("hash(")
    }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "actor", "var", "let", "typealias"]
    return words.first.map { kinds.contains($0) || $0.hasPrefix("subscript") } ?? false
  }
}
