import Testing

@testable import ContentTree

@Suite(.enabled(if: Corpus.isPresent, Corpus.note)) struct CorpusTests {
  @Test func jsonTestSuiteAgrees() {
    var counts: [Character: Int] = [:]
    for name in Corpus.files(in: "JSONTestSuite") {
      let tree = try? JSONDocument(Corpus.bytes("JSONTestSuite/\(name)"))
      counts[name.first!, default: 0] += 1
      switch name.first! {
      case "y": #expect(tree != nil, "\(name) is JSON")
      case "n": #expect(tree == nil, "\(name) is not JSON")
      default: break
      }
    }
    #expect(counts["y"] ?? 0 > 50 && counts["n"] ?? 0 > 50 && counts["i"] ?? 0 > 10)
  }

  @Test func transformFilesLoseNothing() throws {
    func tree(_ name: String) throws -> JSONDocument {
      try JSONDocument(Corpus.bytes("JSONTestSuite-transform/\(name)"))
    }
    for name in Corpus.files(in: "JSONTestSuite-transform") where !name.hasPrefix("string_3_invalid") {
      let original = try tree(name)
      let again = try JSONDocument(Array(original.prettyText(of: original.root).utf8))
      #expect(original.isEqual(to: again), "\(name) survives printing")
    }
    // 10000000000000000999 and 10000000000000000000 are one binary64.
    let number = try tree("number_10000000000000000999.json")
    let text = String(decoding: number.bytes, as: UTF8.self)
    #expect(!number.isEqual(to: try document(text.replacing("0999", with: "1000"))))
    // Composed and decomposed names are two names.
    let names = try tree("object_key_nfc_nfd.json")
    #expect(names.count(of: names.root) == 2)
    let twice = try tree("object_same_key_different_values.json")
    #expect(twice.count(of: twice.root) == 2)
  }

  @Test func canonicalFormIsTheSameValue() throws {
    let names = Corpus.files(in: "jcs/input")
    #expect(names.count == 4)
    for name in names {
      let input = try JSONDocument(Corpus.bytes("jcs/input/\(name)"))
      let output = try JSONDocument(Corpus.bytes("jcs/output/\(name)"))
      // The canonical form rounds numbers to binary64; that a comparison of texts must see.
      let edits = input.edits(to: output, options: JSONComparisonOptions(seesMemberOrder: false)).edits
      for edit in edits {
        let (a, b) = (input.text(of: edit.expected!), output.text(of: edit.actual!))
        #expect(edit.kind == .changed && Double(a) == Double(b), "\(name) \(edit.generalPointer): \(a), \(b)")
      }
    }
  }

  @Test func patchedDocumentsDiffer() throws {
    var seen = 0
    for file in ["tests", "spec_tests"] {
      let cases = try JSONDocument(Corpus.bytes("json-patch/\(file).json"))
      for child in cases.children(of: cases.root) {
        guard let doc = cases.member("doc", of: child.value), let expected = cases.member("expected", of: child.value)
        else { continue }
        let (a, b) = (try cases.subdocument(doc), try cases.subdocument(expected))
        let isSame = a.isEqual(to: b)
        let printed = [a, b].map { $0.excerpt(of: $0.root, limit: .max) }
        if printed[0] == printed[1] { #expect(isSame) }
        #expect(isSame == a.edits(to: b).edits.allSatisfy { $0.kind == .memberOrder })
        #expect(isSame == b.isEqual(to: a))
        seen += 1
      }
    }
    #expect(seen > 30)
  }

  @Test func structuralDiffCases() throws {
    let cases = try JSONDocument(Corpus.bytes("jd/core.json"))
    for child in cases.children(of: cases.root) {
      guard let a = cases.member("content_a", of: child.value), let b = cases.member("content_b", of: child.value),
        let output = cases.member("expected_output", of: child.value),
        let expected = try? document(cases.text(of: a)), let actual = try? document(cases.text(of: b))
      else { continue }
      var edits = expected.edits(to: actual, options: JSONComparisonOptions(seesMemberOrder: false)).edits
      // These cases compare numbers as binary64; ours are exact.
      edits.removeAll { edit in
        guard let a = edit.expected, let b = edit.actual, let x = Double(expected.text(of: a)) else { return false }
        return x == Double(actual.text(of: b))
      }
      let name = cases.member("name", of: child.value).map { cases.text(of: $0) } ?? ""
      #expect(edits.isEmpty == cases.text(of: output).isEmpty, "\(name): \(edits)")
    }
  }
}

extension JSONDocument {
  fileprivate func member(_ name: String, of node: JSONNode) -> JSONNode? {
    children(of: node).first { text(of: $0.name!) == name }?.value
  }

  fileprivate func subdocument(_ node: JSONNode) throws -> JSONDocument {
    try JSONDocument(Array(bytes[sourceRange(of: node)]))
  }
}
