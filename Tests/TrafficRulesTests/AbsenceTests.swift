import HTTPModel
import Testing

@testable import TrafficRules

/// The quick look that proves a text free of secrets, held against the search that reads all of it.
@Suite struct AbsenceTests {
  let key = Array("test key".utf8)

  /// Nothing is called like this: a rule that names it is looked for everywhere and never found.
  static let lookedForEverywhere = "redact: { json: [/no/where/\u{1}] }"

  func post(_ target: String, _ type: String, _ body: String) -> Exchange {
    exchange(request("POST", target, [("Content-Type", type)], body: Array(body.utf8)))
  }

  static let words = [
    "{", "}", "[", "]", "\"", "\"", "\"", "\\", "\\\"", "\\\\", "\\n", "\\u0022", "\\u003d", "\\u00e9", "\\/", "token",
    "pass", "word", "pin", "api_key", "key", ":", ":", ",", "=", "=", "&", "?", ";", "%", "%3d", "%22", "%3C", "%5B",
    "<", ">", "]", "://", ":\\/\\/", "ann:", "@", " ", "\n", "\t", "_", "-", "1", "x", "é", "SECRET99",
    #""token":"#, #"\"password\":\""#, #""a":""#, "?token=", "&b=", "<pin>",
  ]

  @Test func whatTheQuickLookPassesOverHoldsNothing() {
    var random = SystemRandomNumberGenerator()
    let types = ["application/json", "text/plain", "application/x-www-form-urlencoded", "text/html", ""]
    var (hidden, passedOver) = (0, 0)
    let catalog = SecretCatalog(RedactRule())
    var (quick, thorough) = (Redactor(key: key), Redactor(rules(Self.lookedForEverywhere).redact, key: key))
    for _ in 0..<3000 {
      func text(_ count: Int) -> String {
        (0..<Int.random(in: 0..<count, using: &random)).map { _ in Self.words.randomElement(using: &random)! }.joined()
      }
      let body = text(24)
      let target = "/a?" + text(8).filter { $0 > " " && $0 != "\n" }
      let sent = post(target, types.randomElement(using: &random)!, body)
      var (one, other) = (sent, sent)
      quick.redact(&one)
      thorough.redact(&other)
      #expect(one == other, "\(target) \(body.debugDescription)")
      if one.request!.body != sent.request!.body { hidden += 1 }
      if !Array(body.utf8).withUnsafeBufferPointer({ catalog.mayHoldSecret($0) }) { passedOver += 1 }
    }
    // Both happen, or the test says nothing.
    #expect(hidden > 50 && passedOver > 50)
  }

  @Test(arguments: [
    #"{"id":1,"customer":{"name":"Ann","mail":"ann@example.com"},"tags":["a=b","c"],"at":"12:30"}"#,
    #"{"url":"https://shop.example:8080/a?b=c&d=e","note":"one\ntwo \"quoted\" \u00e9t\u00e9"}"#,
    "GET /a?b=c HTTP/1.1\nHost: shop.example\n", "[1,2,3]", "{}", "\"", ":", "=", "\\", "", "://", "\":", "x\":",
  ]) func ordinaryTextsArePassedOver(_ text: String) {
    let catalog = SecretCatalog(RedactRule())
    #expect(Array(text.utf8).withUnsafeBufferPointer { !catalog.mayHoldSecret($0) })
  }

  @Test(arguments: [
    #"{"password":"x"}"#, #"{"a":{"Api-Key" : 1}}"#, #"{"_token_":"x"}"#, #"{"s":"{\"token\":1}"}"#,
    #"{"s":"\"token\"\n:1"}"#, #"{"p\u0061ssword":1}"#, #"{"db":"postgres://u:p@h/d"}"#, #"{"q":"a=1&token=x"}"#,
    #"{"q":"a\u0026token=x"}"#, "user[password]=x", "p%61ssword=x", "<a>\\n", "a=1;access_token=x",
  ]) func secretsAreNotPassedOver(_ text: String) {
    let catalog = SecretCatalog(RedactRule())
    #expect(Array(text.utf8).withUnsafeBufferPointer { catalog.mayHoldSecret($0) })
  }

  @Test func namesAreRefusedByTheirEndsOnlyWhereTheyAreNotInTheTable() {
    let table = NameTable(WellKnownNames.fields + ["x", "a.b"])
    for name in WellKnownNames.fields {
      for spelling in [name, name.uppercased(), name.replacing("_", with: "-"), "-" + name, name + "_"] {
        #expect(Array(spelling.utf8).withUnsafeBufferPointer { table.contains($0) }, "\(spelling)")
        let quoted = Array("\"\(spelling)\"".utf8)
        #expect(!quoted.withUnsafeBufferPointer { table.refuses(quoted: $0.littleWord(endingAt: $0.count)) })
      }
    }
    for (ending, isRefused) in [("tal\"", true), ("ken\"", false), ("k_n\"", false), ("ta1\"", false)] {
      let word = Array(ending.utf8).withUnsafeBufferPointer { $0.littleWord(endingAt: 4) }
      #expect(table.refuses(quoted: word) == isRefused, "\(ending)")
    }
    #expect(!Array(#"ta\""#.utf8).withUnsafeBufferPointer { table.refuses(quoted: $0.littleWord(endingAt: 4)) })
    for (name, isIn) in [("x", true), ("-X_", true), ("ab", true), ("A..B", true), ("y", false), ("", false)] {
      #expect(Array(name.utf8).withUnsafeBufferPointer { table.contains($0) } == isIn, "\(name)")
    }
  }
}
