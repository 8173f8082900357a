import Testing

@testable import ContentTree

func document(_ text: String) throws -> JSONDocument { try JSONDocument(Array(text.utf8)) }

@Suite struct JSONReaderTests {
  @Test(arguments: [
    ("", JSONError.Reason.empty, 0), ("  ", .empty, 2), ("[1,", .endOfText, 3), ("[1,]", .unexpectedByte, 3),
    ("[,1]", .unexpectedByte, 1), ("{\"a\"}", .unexpectedByte, 4), ("{\"a\":1,}", .unexpectedByte, 7),
    ("{a:1}", .unexpectedByte, 1), ("[1}", .unexpectedByte, 2), ("tru", .literal, 0), ("nulL", .literal, 0),
    ("-", .number, 1), ("1.", .number, 2), ("1e+", .number, 3), ("01", .trailing, 1), ("+1", .unexpectedByte, 0),
    ("\"a", .endOfText, 2), ("\"\\x\"", .escape, 1), ("\"\\u12g4\"", .escape, 1), ("\"a\tb\"", .controlCharacter, 2),
    ("1 2", .trailing, 2), ("{\"a\":", .endOfText, 5), ("[", .endOfText, 1), ("\"\\", .escape, 1),
    ("\"12345678\u{1}\"", .controlCharacter, 9),
  ])
  func refusesWithReasonAndOffset(text: String, reason: JSONError.Reason, offset: Int) {
    #expect(throws: JSONError(reason: reason, offset: offset)) { try document(text) }
  }

  @Test(
    arguments: [
      [0xff], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf0, 0x80, 0x80, 0x80],
      [0xc3], [0xe2, 0x82], [0x80], [0xf5, 0x80, 0x80, 0x80],
    ] as [[UInt8]])
  func refusesWhatIsNotUTF8(bytes: [UInt8]) {
    #expect(throws: JSONError(reason: .utf8, offset: 1)) { try JSONDocument([0x22] + bytes + [0x22]) }
  }

  @Test func skipsAByteOrderMark() throws {
    #expect(try JSONDocument([0xef, 0xbb, 0xbf, 0x31]).text(of: JSONNode(index: 0)) == "1")
  }

  @Test func keepsSpellingOfNumbers() throws {
    let tree = try document("[1, 1.0, -0, 10e-1, 1E400]")
    #expect(tree.children(of: tree.root).map { tree.text(of: $0.value) } == ["1", "1.0", "-0", "10e-1", "1E400"])
    #expect(
      tree.children(of: tree.root).map { tree.kind(of: $0.value) } == [.integer, .real, .integer, .real, .real])
  }

  @Test func decodesEscapes() throws {
    let tree = try document(#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00x""#)
    #expect(tree.text(of: tree.root) == "\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{20ac}\u{1f600}x")
  }

  @Test func keepsLoneSurrogatesApart() throws {
    let (a, b) = (try document(#""\ud800""#), try document(#""\ud801""#))
    #expect(!a.isEqual(to: b))
    #expect(a.isEqual(to: try document(#""\uD800""#)))
    #expect(!a.isEqual(to: try document(#""\ufffd""#)))
    #expect(a.text(of: a.root) == #"\ud800"#)
    #expect(a.prettyText(of: a.root) == #""\ud800""#)
  }

  @Test func seesDuplicateNames() throws {
    let tree = try document(#"{"a":1,"a":2}"#)
    #expect(tree.count(of: tree.root) == 2)
    #expect(tree.children(of: tree.root).map { tree.text(of: $0.value) } == ["1", "2"])
    #expect(!tree.isEqual(to: try document(#"{"a":2}"#)))
  }

  @Test func sourceRangesHoldQuotesAndBrackets() throws {
    let tree = try document(#" { "k" : [ "v\n" , 12 ] } "#)
    let array = try #require(tree.children(of: tree.root).first { _ in true })
    func source(_ node: JSONNode) -> String { String(decoding: tree.bytes[tree.sourceRange(of: node)], as: UTF8.self) }
    #expect(source(tree.root) == #"{ "k" : [ "v\n" , 12 ] }"#)
    #expect(source(array.name!) == #""k""#)
    #expect(tree.children(of: array.value).map { source($0.value) } == [#""v\n""#, "12"])
  }

  @Test func depthLimitHoldsWithoutRecursion() throws {
    let deep = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
    #expect(throws: Never.self) { try document(deep) }
    #expect(throws: JSONError(reason: .depth, offset: 512)) { try document("[" + deep + "]") }
    #expect(throws: JSONError(reason: .depth, offset: 512)) { try document(String(repeating: "[", count: 1_000_000)) }
  }

  @Test func walksAtTheGreatestDepth() throws {
    let limits = JSONLimits(depth: .max)
    #expect(limits.depth == JSONLimits.greatestDepth)
    func deep(_ leaf: String) throws -> JSONDocument {
      let text = String(repeating: "{\"a\":[", count: 512) + leaf + String(repeating: "]}", count: 512)
      return try JSONDocument(Array(text.utf8), limits: limits)
    }
    let (a, b) = (try deep("1"), try deep("2"))
    #expect(a.edits(to: b).edits.count == 1)
    #expect(a.prettyText(of: a.root).utf8.count > 512)
    #expect(a.nodes(matching: JSONPointerPattern("/**/a")!).count == 512)
  }

  @Test func sizeAndNodeLimits() {
    #expect(throws: JSONError(reason: .size, offset: 3)) {
      try JSONDocument(Array("1234".utf8), limits: .init(size: 3))
    }
    let many = Array(("[" + Array(repeating: "1", count: 100).joined(separator: ",") + "]").utf8)
    #expect(throws: JSONError.self) { try JSONDocument(many, limits: .init(nodes: 100)) }
    #expect(throws: Never.self) { try JSONDocument(many, limits: .init(nodes: 101)) }
  }

  @Test func everyPrefixIsRefusedWithoutTrap() throws {
    let text = Array(#"{"a":[1.5e+3,"\u00e9\ud83d\ude00é€😀",true,false,null,{"b":{}}],"c":"long enough to step"}"#.utf8)
    #expect(throws: Never.self) { try JSONDocument(text) }
    for end in text.indices { #expect(throws: JSONError.self) { try JSONDocument(Array(text[..<end])) } }
  }

  @Test func randomBytesNeverTrap() {
    var random = SeededRandom(seed: 1)
    let alphabet = Array(#"{}[]",:\u0dD8-+.eE1tfn "#.utf8) + [0xc3, 0xa9, 0xff, 0x00, 0xed]
    for _ in 0..<20_000 {
      let bytes = (0..<Int(random.next() % 40)).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
      guard let tree = try? JSONDocument(bytes) else { continue }
      #expect(tree.isEqual(to: tree))
      _ = tree.prettyText(of: tree.root, limit: 20)
    }
  }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}
