// The library products are for others to build on: what they offer says what it is.

import Testing

@Suite("Documentation")
struct DocumentationTests {
  private let products: Set = ["TCPReassembly", "HTTP1Decoding", "HTTP2Decoding", "SessionFile", "ResponseDiff"]

  @Test("Every public type and function of a library product has a doc comment")
  func comments() {
    for file in SourceTree.sources where products.contains(file.target) {
      for (number, text) in file.code where declaresTypeOrFunction(text) {
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

  private func declaresTypeOrFunction(_ text: Substring) -> Bool {
    var words = text.split(separator: " ").drop { $0.hasPrefix("@") }
    guard words.first == "public" else { return false }
    let modifiers: Set<Substring> = ["public", "static", "mutating", "consuming", "convenience", "final", "indirect"]
    words = words.drop { modifiers.contains($0) }
    return ["struct", "class", "enum", "func", "protocol", "actor"].contains(words.first ?? "")
  }
}
