// JSON texts through the reader, walks, writers and the comparison; form bodies and markup through theirs.
//
// Input: options, then one text, or two with a 0 between.

import ContentTree

enum JSONTarget: FuzzTarget {
  static let name = "json"

  static func run(_ input: [UInt8]) throws(Violation) {
    var reader = InputReader(input)
    let options = reader.byte()
    let limits = options & 1 == 0 ? JSONLimits() : JSONLimits(depth: 4, size: 512, nodes: 32)
    let texts = reader.rest().split(separator: 0, maxSplits: 1).map { Array($0) }
    var documents: [JSONDocument] = []
    for text in texts {
      _ = FormField.read(text, limit: 50)
      try checkMarkup(text)
      do { documents.append(try JSONDocument(text, limits: limits)) } catch {
        try require(error.offset >= 0 && error.offset <= max(text.count, limits.size), "an error at \(error.offset)")
      }
    }
    for document in documents { try check(document) }
    if documents.count == 2 { try check(documents[0], documents[1], editLimit: options & 2 == 0 ? 256 : 3) }
  }

  /// Whatever is read as markup is a JSON text of the depth that JSON's reader allows.
  private static func checkMarkup(_ text: [UInt8]) throws(Violation) {
    for markup in [Markup.xml, .html] {
      guard let json = markup.jsonText(of: text) else { continue }
      let limits = JSONLimits(depth: JSONLimits.greatestDepth)
      guard (try? JSONDocument(json, limits: limits)) != nil else {
        throw Violation(description: "\(markup) became what is no JSON")
      }
    }
  }

  private static func check(_ document: JSONDocument) throws(Violation) {
    try walk(document, document.root)
    try require(document.isEqual(to: document), "a document differs from itself")
    try require(document.edits(to: document).edits.isEmpty, "a document has edits to itself")
    _ = document.excerpt(of: document.root, limit: 10)
    if let pattern = JSONPointerPattern("/**/a/*") { _ = document.nodes(matching: pattern, limit: 100) }
    let text = document.prettyText(of: document.root, limit: 1 << 20)
    do {
      let again = try JSONDocument(Array(text.utf8))
      try require(document.isEqual(to: again), "what was written reads differently: \(text)")
    } catch let error as JSONError {
      throw Violation(description: "what was written is no JSON (\(error)): \(text)")
    } catch let error as Violation { throw error } catch {}
  }

  private static func walk(_ document: JSONDocument, _ node: JSONNode) throws(Violation) {
    let range = document.sourceRange(of: node)
    try require(range.lowerBound >= 0 && range.upperBound <= document.bytes.count, "a node at \(range)")
    _ = document.text(of: node)
    for child in document.children(of: node) {
      if let name = child.name { _ = document.text(of: name) }
      try walk(document, child.value)
    }
  }

  private static func check(_ a: JSONDocument, _ b: JSONDocument, editLimit: Int) throws(Violation) {
    try require(a.isEqual(to: b) == b.isEqual(to: a), "equality is not symmetric")
    for alignmentLimit in [1 << 18, 4, 0] {
      let options = JSONComparisonOptions(editLimit: editLimit, alignmentLimit: alignmentLimit)
      let found = a.edits(to: b, options: options)
      try require(found.edits.count <= editLimit, "\(found.edits.count) edits")
      if !a.isEqual(to: b) { try require(!found.edits.isEmpty, "different, but without an edit") }
      for edit in found.edits {
        if let expected = edit.expected { _ = a.excerpt(of: expected) }
        if let actual = edit.actual { _ = b.excerpt(of: actual) }
        let pattern = JSONPointerPattern(edit.generalPointer)
        try require(pattern?.matches(edit.tokens) == true, "\(edit.generalPointer) does not name \(edit.tokens)")
      }
    }
  }

  static var seeds: [[UInt8]] {
    let texts = [
      #"{"a":[1,2.50,-0,1e400,"x\u00e9\ud83d\ude00\ud800"],"b":{"a":null,"a":true},"c~/*":"\n"}"#,
      #"[[1,2,3],{"id":1},{"id":2},[],"",false]"#, #"[{"id":2},{"id":1},[3,2,1],0.1E-2]"#, "  123456789012345678901",
      "\u{feff}{\"k\":\"v\"}", #""\\\"\/\b\f\n\r\t""#,
    ]
    return texts.map { [0] + $0.utf8 } + zip(texts, texts.dropFirst()).map { [2] + $0.utf8 + [0] + $1.utf8 }
      + [[0] + Array("a=1&b=%20+%zz&&c".utf8), [0] + Array("<a b='1'>&#65;<![CDATA[x]]><!-- y --><c/></a>".utf8)]
  }
}
