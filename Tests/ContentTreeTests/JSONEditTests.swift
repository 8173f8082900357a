import Testing

@testable import ContentTree

@Suite struct JSONEditTests {
  /// One word an edit: `kind place`.
  private func edits(
    _ a: String, _ b: String, _ options: JSONComparisonOptions = JSONComparisonOptions()
  ) throws -> [String] {
    try document(a).edits(to: document(b), options: options).edits.map { edit in
      "\(edit.kind) \(JSONPointer(tokens: edit.tokens))"
    }
  }

  @Test(
    arguments: [
      ("1", "1", []), ("1", "2", ["changed "]), ("null", "0", ["type "]), ("true", "false", ["changed "]),
      ("\"1\"", "1", ["type "]), ("[]", "{}", ["type "]), (" [ 1 , 2 ] ", "[1,2]", []),
      (#"{"a":1}"#, #"{"a":2}"#, ["changed /a"]), (#"{"a":1}"#, "{}", ["removed /a"]),
      ("{}", #"{"a":null}"#, ["added /a"]),
      (#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, ["memberOrder "]),
      (#"{"a":1,"b":2,"c":3}"#, #"{"a":1,"c":4}"#, ["removed /b", "changed /c"]),
      (#"{"a":"é"}"#, #"{"a":"\u00e9"}"#, []), (#"{"a/b":{"~":1}}"#, #"{"a/b":{"~":2}}"#, ["changed /a~1b/~0"]),
      (#"{"\u0061":1}"#, #"{"a":1}"#, []), (#"{"a":1,"a":2}"#, #"{"a":1}"#, ["removed /a"]),
      (#"{"a":1,"a":2}"#, #"{"a":1,"a":3}"#, ["changed /a"]),
      (#"{"x":{"y":[1,{"z":null}]}}"#, #"{"x":{"y":[1,{"z":"n"}]}}"#, ["type /x/y/1/z"]),
    ] as [(String, String, [String])])
  func objectsAndScalars(a: String, b: String, expected: [String]) throws { #expect(try edits(a, b) == expected) }

  @Test(
    arguments: [
      ("[1,2,3]", "[1,5,3]", ["changed /1"]), ("[1,2,3]", "[1,3]", ["removed /1"]), ("[1,3]", "[1,2,3]", ["added /1"]),
      ("[1,2,3]", "[3,2,1]", ["elementOrder "]), ("[1,2,3,4]", "[2,1,3,4]", ["elementOrder "]),
      ("[]", "[1,2]", ["added /0", "added /1"]), ("[1,2]", "[]", ["removed /0", "removed /1"]),
      ("[1,2,3,4,5]", "[1,9,3,5]", ["changed /1", "removed /3"]), ("[1,1,2]", "[1,2,2]", ["changed /1"]),
      ("[[1],[2]]", "[[2],[1]]", ["elementOrder "]), ("[1.0,2]", "[1,2.0]", []),
      ("[1.0,2,3]", "[1,3,2]", ["elementOrder "]),
      (#"[{"id":1,"v":1},{"id":2,"v":2}]"#, #"[{"id":2,"v":2}]"#, ["removed /0"]),
      (#"[{"id":1,"v":1},{"v":2,"id":2}]"#, #"[{"id":2,"v":2},{"id":1,"v":1}]"#, ["elementOrder ", "memberOrder /1"]),
      (#"[1,{"a":1},2]"#, #"[{"a":2},2]"#, ["removed /0", "changed /1/a"]),
    ] as [(String, String, [String])])
  func arrays(a: String, b: String, expected: [String]) throws { #expect(try edits(a, b) == expected) }

  @Test func tooLargeToAlignGoesByIndex() throws {
    let options = JSONComparisonOptions(alignmentLimit: 5)
    #expect(try edits("[1,2,3,4]", "[0,9,8]", options) == ["changed /0", "changed /1", "changed /2", "length "])
  }

  @Test func equalEndsCostNoTable() throws {
    let options = JSONComparisonOptions(alignmentLimit: 0)
    #expect(try edits("[1,2,3,4]", "[1,2,4]", options) == ["removed /2"])
  }

  @Test func ignoredPlacesAreLeftOut() throws {
    let options = JSONComparisonOptions(ignore: [JSONPointerPattern("/**/at")!, JSONPointerPattern("/x/0")!])
    #expect(
      try edits(#"{"at":1,"x":[{"v":1},{"v":1,"at":3}]}"#, #"{"at":2,"x":[{"v":2},{"v":2,"at":4}]}"#, options)
        == ["changed /x/1/v"])
  }

  @Test func editLimitIsTold() throws {
    let result = try document("[1,2,3,4]").edits(to: document("[5,6,7,8]"), options: .init(editLimit: 2))
    #expect(result.edits.count == 2 && result.isCut)
    let all = try document("[1,2]").edits(to: document("[5,6]"), options: .init(editLimit: 2))
    #expect(all.edits.count == 2 && !all.isCut)
  }

  @Test func generalPointersHideIndicesOnly() throws {
    let edit = try document(#"{"a":[{"*":1,"0":1}]}"#).edits(to: document(#"{"a":[{"*":2,"0":1}]}"#)).edits[0]
    #expect(edit.generalPointer == "/a/*/~2")
  }

  @Test func printingIsBounded() throws {
    let tree = try document(#"{"a":[1,"é😀",{}],"b":[]}"#)
    #expect(tree.prettyText(of: tree.root) == "{\n  \"a\": [\n    1,\n    \"é😀\",\n    {}\n  ],\n  \"b\": []\n}")
    #expect(tree.excerpt(of: tree.root) == #"{"a": [1, "é😀", {}], "b": []}"#)
    for limit in 0..<60 {
      let text = tree.excerpt(of: tree.root, limit: limit)
      #expect(text.utf8.count <= limit + 3)
      #expect(!text.contains("\u{fffd}"))
    }
  }

  @Test func hostileShapesStayCheap() throws {
    // Each level holds much text before the next: comparing must not read it again at every level.
    let filler = String(repeating: "x", count: 2000)
    func nested(_ leaf: String) throws -> JSONDocument {
      let opening = String(repeating: "[\"\(filler)\",", count: 400)
      return try document(opening + leaf + String(repeating: "]", count: 400))
    }
    #expect(try nested("1").edits(to: nested("2")).edits.count == 1)
    let twice = (0..<20_000).map { _ in "\"a\":1" }.joined(separator: ",")
    #expect(try document("{\(twice)}").edits(to: document("{\(twice),\"a\":1}")).edits.map(\.kind) == [.added])
    let long = (0..<20_000).map(String.init).joined(separator: ",")
    let other = (0..<20_001).map { String($0 * 3 + 1) }.joined(separator: ",")
    #expect(try document("[\(long)]").edits(to: document("[\(other)]")).isCut)
  }

  @Test func mutationsAreNamed() throws {
    var random = SeededRandom(seed: 7)
    for round in 0..<3000 {
      var tree = RandomTree.object(depth: 4, &random)
      let before = tree.text
      let place = tree.mutate(&random)
      let (a, b) = (try document(before), try document(tree.text))
      let spaced = try document(before + " ")
      #expect(a.edits(to: a).edits.isEmpty && a.isEqual(to: spaced))
      let edits = a.edits(to: b).edits
      #expect(edits.count == 1, "round \(round): \(before) to \(tree.text): \(edits)")
      #expect(edits.first.map { JSONPointer(tokens: $0.tokens).description } == place, "\(before) to \(tree.text)")
      #expect(TreeHash.all(of: a)[0] != TreeHash.all(of: b)[0])
    }
  }

  @Test func shufflingMembersIsOnlyOrder() throws {
    var random = SeededRandom(seed: 8)
    for _ in 0..<1000 {
      var tree = RandomTree.object(depth: 4, &random)
      let a = try document(tree.text)
      tree.shuffle(&random)
      let b = try document(tree.text)
      #expect(a.isEqual(to: b))
      #expect(a.edits(to: b).edits.allSatisfy { $0.kind == .memberOrder })
      #expect(TreeHash.all(of: a)[0] == TreeHash.all(of: b)[0])
    }
  }
}

/// A document that can be changed in one known place.
indirect enum RandomTree {
  case scalar(String)
  case array([RandomTree])
  case object([(name: String, value: RandomTree)])

  static func object(depth: Int, _ random: inout SeededRandom) -> RandomTree {
    let count = Int(random.next() % 5) + 1
    return .object((0..<count).map { ("k\($0)/~é", value(depth: depth - 1, &random)) })
  }

  private static func value(depth: Int, _ random: inout SeededRandom) -> RandomTree {
    switch random.next() % (depth > 0 ? 8 : 6) {
    case 0: .scalar("null")
    case 1: .scalar("true")
    case 2: .scalar("\"\(random.next() % 100)\\u00e9x\"")
    case 3: .scalar("\(random.next() % 1000).5")
    case 4: .scalar("\"plain text \(random.next() % 10)\"")
    case 5: .scalar("\(random.next())")
    case 6: object(depth: depth, &random)
    default: .array((0..<Int(random.next() % 6)).map { _ in value(depth: depth - 1, &random) })
    }
  }

  var text: String {
    switch self {
    case .scalar(let text): text
    case .array(let elements): "[" + elements.map(\.text).joined(separator: ",") + "]"
    case .object(let members): "{" + members.map { "\"\($0.name)\":\($0.value.text)" }.joined(separator: ", ") + "}"
    }
  }

  /// Puts a value that stands nowhere else at a random place; its pointer.
  mutating func mutate(_ random: inout SeededRandom) -> String {
    switch self {
    case .array(var elements) where !elements.isEmpty:
      let index = Int(random.next() % UInt64(elements.count))
      let below = elements[index].mutate(&random)
      self = .array(elements)
      return "/\(index)" + below
    case .object(var members) where !members.isEmpty:
      let index = Int(random.next() % UInt64(members.count))
      let below = members[index].value.mutate(&random)
      self = .object(members)
      return JSONPointer(tokens: [members[index].name]).description + below
    default:
      self = .scalar("\"changed\"")
      return ""
    }
  }

  mutating func shuffle(_ random: inout SeededRandom) {
    switch self {
    case .scalar: break
    case .array(var elements):
      for index in elements.indices { elements[index].shuffle(&random) }
      self = .array(elements)
    case .object(var members):
      members.shuffle(using: &random)
      for index in members.indices { members[index].value.shuffle(&random) }
      self = .object(members)
    }
  }
}

@Suite struct FormFieldTests {
  @Test(
    arguments: [
      ("", []), ("a=1&b=2", [("a", "1"), ("b", "2")]), ("a", [("a", "")]), ("=x", [("", "x")]),
      ("&&a=1&", [("a", "1")]),
      ("a+b=c%20d%3D%26", [("a b", "c d=&")]), ("a=%zz%4&b=%", [("a", "%zz%4"), ("b", "%")]), ("a=b=c", [("a", "b=c")]),
    ] as [(String, [(String, String)])])
  func reads(body: String, expected: [(String, String)]) {
    let fields = FormField.read(Array(body.utf8))
    #expect(fields == expected.map { FormField(name: Array($0.0.utf8), value: Array($0.1.utf8)) })
  }

  @Test func fieldLimit() { #expect(FormField.read(Array("a&b&c".utf8), limit: 2) == nil) }
}
