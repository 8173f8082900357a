import Testing

@testable import ContentTree

@Suite struct ArrayComparisonTests {
  /// One line an edit: pointer and kind.
  private func edits(_ a: String, _ b: String, _ options: JSONComparisonOptions = .init()) throws -> [String] {
    let (x, y) = (try JSONDocument(Array(a.utf8)), try JSONDocument(Array(b.utf8)))
    return x.edits(to: y, options: options).edits.map { edit in
      edit.tokens.map { "/" + $0 }.joined() + " \(edit.kind)"
    }
  }

  @Test(
    arguments: [
      // By a key that shows itself: what moved moved, and the one that changed is told at its place.
      (
        #"[{"id":1,"p":1},{"id":2,"p":2},{"id":3,"p":3}]"#, #"[{"id":3,"p":3},{"id":1,"p":1},{"id":2,"p":9}]"#,
        [" elementOrder", "/1/p changed"]
      ),
      (
        #"[{"id":1,"p":1},{"id":2,"p":2},{"id":3,"p":3}]"#, #"[{"id":1,"p":1},{"id":3,"p":4}]"#,
        ["/1 removed", "/2/p changed"]
      ),
      (
        #"[{"id":1,"p":1},{"id":2,"p":2}]"#, #"[{"id":1,"p":5},{"id":7,"p":7},{"id":2,"p":6}]"#,
        ["/0/p changed", "/1/p changed", "/1 added"]
      ),
      // An identifier that changed by itself is no other element.
      (
        #"[{"id":1,"p":1,"n":"a"},{"id":2,"p":2,"n":"b"},{"id":3,"p":3,"n":"c"}]"#,
        #"[{"id":1,"p":1,"n":"x"},{"id":2,"p":2,"n":"y"},{"id":9,"p":3,"n":"c"}]"#,
        ["/0/n changed", "/1/n changed", "/2/id changed"]
      ),
      // Identifiers that are all new are no key.
      (
        #"[{"id":1,"p":1},{"id":2,"p":2}]"#, #"[{"id":11,"p":1},{"id":12,"p":2}]"#, ["/0/id changed", "/1/id changed"]
      ),
      // A prefix and a shift, without keys.
      ("[1,2,3,4,5]", "[9,1,2,3,4]", [" elementOrder", "/4 changed"]),
      ("[1,2,3,4]", "[4,2,3,9]", [" elementOrder", "/0 changed"]),
      ("[[1,2],[3,4],[5,6]]", "[[3,4],[5,7]]", ["/0 removed", "/2/1 changed"]),
      (
        #"[{"a":1,"b":2,"c":3},{"a":1,"b":9,"c":8}]"#, #"[{"a":1,"b":9,"c":7}]"#, ["/0 removed", "/1/c changed"]
      ),
      ("[]", "[1]", ["/0 added"]), ("[1]", "[]", ["/0 removed"]), ("[1,1]", "[1]", ["/1 removed"]),
      ("[null,1]", "[1,null]", [" elementOrder"]),
    ] as [(String, String, [String])])
  func pairs(a: String, b: String, expected: [String]) throws { #expect(try edits(a, b) == expected) }

  private func rule(_ order: JSONArrayRule.Order) -> JSONComparisonOptions {
    JSONComparisonOptions(arrays: [JSONArrayRule(at: JSONPointerPattern("/l")!, order: order)])
  }

  @Test func sets() throws {
    let (a, b) = (#"{"l":[1,2,2,3]}"#, #"{"l":[3,1,2]}"#)
    #expect(try edits(a, b, rule(.set)) == [])
    #expect(try edits(a, b, rule(.multiset)) == ["/l/2 removed"])
    #expect(try edits(a, #"{"l":[3,1,2,5]}"#, rule(.set)) == ["/l/3 added"])
    #expect(try edits(#"{"l":[1,2],"m":[1,2]}"#, #"{"l":[2,1],"m":[2,1]}"#, rule(.set)) == ["/m elementOrder"])
  }

  @Test func namedKeysAndLists() throws {
    let (a, b) = (#"{"l":[{"k":1,"id":5},{"k":2,"id":6}]}"#, #"{"l":[{"k":2,"id":5},{"k":1,"id":6}]}"#)
    #expect(try edits(a, b) == ["/l/0/k changed", "/l/1/k changed"])
    #expect(try edits(a, b, rule(.key("k"))) == ["/l elementOrder", "/l/0/id changed", "/l/1/id changed"])
    let moved = #"{"l":[{"k":2,"id":6},{"k":9,"id":5}]}"#
    #expect(try edits(a, moved) == ["/l elementOrder", "/l/0/k changed"])
    #expect(try edits(#"{"l":[{"k":1},{"k":1}]}"#, #"{"l":[{"k":2},{"k":1}]}"#, rule(.key("k"))).count == 2)
  }

  @Test func nearNumbers() throws {
    func options(_ within: Double, _ isRelative: Bool) -> JSONComparisonOptions {
      JSONComparisonOptions(
        numbers: [JSONNumberRule(at: JSONPointerPattern("/p")!, within: within, isRelative: isRelative)])
    }
    #expect(try edits(#"{"p":1.00}"#, #"{"p":1.01}"#, options(0.01, false)) == [])
    #expect(try edits(#"{"p":1.00}"#, #"{"p":1.02}"#, options(0.01, false)) == ["/p changed"])
    #expect(try edits(#"{"p":100}"#, #"{"p":101}"#, options(0.01, true)) == [])
    #expect(
      try edits(#"{"p":100,"q":1}"#, #"{"p":102,"q":1.01}"#, options(0.01, true)) == ["/p changed", "/q changed"])
    #expect(try edits(#"{"p":1e999}"#, #"{"p":2e999}"#, options(5, false)) == ["/p changed"])
  }

  /// Arrays on which pairing everything with everything would take hours.
  @Test(arguments: ["numbers", "objects", "nested", "same", "keys"])
  func neverQuadratic(kind: String) throws {
    let count = 60_000
    func element(_ number: Int, _ side: Int) -> String {
      switch kind {
      case "numbers": "\(number * 2 + side)"
      case "objects": "{\"a\":\(number * 2 + side),\"b\":[\(number % 7)],\"c\":\(side)}"
      case "same": number % 3 == side ? "1" : "0"
      case "keys": "{\"id\":\((number * 7919) % count + side * 100),\"v\":\(side)}"
      default: "[" + (0..<10).map { "[\(($0 * 31 + number * side) % 11),\($0)]" }.joined(separator: ",") + "]"
      }
    }
    func text(_ side: Int) -> [UInt8] {
      let count = kind == "nested" ? count / 10 : count
      return Array(("[" + (0..<count - side * 3).map { element($0, side) }.joined(separator: ",") + "]").utf8)
    }
    let (a, b) = (try JSONDocument(text(0)), try JSONDocument(text(1)))
    let found = a.edits(to: b)
    #expect(!found.edits.isEmpty && found.edits.count <= 256)
    if kind == "numbers" || kind == "objects" { #expect(found.isApproximate) }
    #expect(a.edits(to: a).edits.isEmpty)
  }

  /// Few changes in a large array are found where they are, without a table.
  @Test func largeArraysWithFewChanges() throws {
    let numbers = (0..<50_000).map { "\"v\($0)\"" }
    var other = numbers
    other[40_000] = "\"x\""
    other.insert("\"new\"", at: 20_000)
    other.remove(at: 10)
    let found = try edits("[\(numbers.joined(separator: ","))]", "[\(other.joined(separator: ","))]")
    #expect(found == [" elementOrder", "/10 changed", "/40000 changed"])
  }
}
