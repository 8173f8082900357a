import HTTPModel
import Testing

@testable import ResponseDiff

@Suite struct EndpointCatalogTests {
  @Test func valuesAreLearned() {
    var catalog = EndpointCatalog(valuesPerStep: 10)
    func name(_ path: String) -> String { catalog.name(of: request("GET", path)) }
    for number in 0..<100 { _ = name("/users/\(Self.word(number))/posts") }
    #expect(name("/users/alice/posts") == "GET /users/{name}/posts")
    #expect(name("/users/bob") == "GET /users/{name}")
    #expect(name("/users/7") == "GET /users/{id}")
    #expect(name("/users") == "GET /users")
  }

  @Test func manyResourcesSeenOftenAreNames() {
    var catalog = EndpointCatalog(valuesPerStep: 10)
    for _ in 0..<100 { for number in 0..<9 { _ = catalog.name(of: request("GET", "/api/\(Self.word(number))")) } }
    for number in 0..<40 { _ = catalog.name(of: request("GET", "/api/\(Self.word(number))")) }
    #expect(catalog.name(of: request("GET", "/api/" + Self.word(3))) == "GET /api/" + Self.word(3))
  }

  @Test func rulesComeFirst() {
    let patterns = ["GET /a/{x}/b", "/files/**", "/v/*"].map { EndpointPattern($0)! }
    var catalog = EndpointCatalog(patterns: patterns)
    #expect(catalog.name(of: request("GET", "/a/q/b?x=1")) == "GET /a/{x}/b")
    #expect(catalog.name(of: request("PUT", "/a/q/b")) == "PUT /a/q/b")
    #expect(catalog.name(of: request("GET", "/files/a/b/c")) == "GET /files/**")
    #expect(catalog.name(of: request("GET", "/v/1")) == "GET /v/*")
    #expect(EndpointPattern("a") == nil && EndpointPattern("/a/**/b") == nil && EndpointPattern("") == nil)
    #expect(patterns[0].description == "GET /a/{x}/b")
  }

  @Test(
    arguments: [
      ("POST", "/graphql", #"{"query":"query A { a }","operationName":"GetUser"}"#, "POST /graphql GetUser"),
      ("POST", "/graphql", #"{"query":"mutation Put($a: Int) { a }"}"#, "POST /graphql Put"),
      ("POST", "/graphql", #"{"query":"{ a }"}"#, "POST /graphql"), ("POST", "/graphql", "[", "POST /graphql"),
      ("GET", "/graphql?operationName=Q&query=x", "", "GET /graphql Q"),
      ("GET", "/api/gql?query=query+Named%7Ba%7D", "", "GET /api/gql Named"),
      ("POST", "/graphql", #"{"operationName":"a b<script>"}"#, "POST /graphql"),
      ("POST", "/other", #"{"operationName":"GetUser"}"#, "POST /other"),
    ])
  func graphQL(method: String, target: String, body: String, expected: String) {
    var catalog = EndpointCatalog()
    #expect(catalog.name(of: request(method, target, body: body)) == expected)
  }

  /// Where a path is known by the place at which it ends, that place and the method must stand for one name.
  @Test func onePlaceIsOneName() {
    var generator = SplitMix64(seed: 7)
    var catalog = EndpointCatalog(valuesPerStep: 10)
    var names: [Int: String] = [:]
    let steps = [
      "items", "17", "17.json", "a@b.org", "", "{id}", "{name}", "deadbeef01", "2026-11-21", "x%40y.org", "l",
    ]
    let ends = [
      "", "?q=/1/2", "#f", ";p=1", "/", String(repeating: "/deep", count: 20), String(repeating: "/long1", count: 90),
    ]
    var known = 0
    for number in 0..<4000 {
      var path = ""
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let isNew = Int.random(in: 0..<8, using: &generator) == 0
        path += "/" + (isNew ? Self.word(number) : steps.randomElement(using: &generator)!)
      }
      let request = request("GET", path + ends.randomElement(using: &generator)!)
      let visit = catalog.visit(request)
      var name: [UInt8] = []
      catalog.write(request, visit, into: &name)
      let text = String(decoding: name, as: UTF8.self)
      guard let leaf = visit.leaf else { continue }
      known += 1
      #expect(names[leaf] == nil || names[leaf] == text, "\(request.target)")
      names[leaf] = text
    }
    #expect(known > 2000 && names.count > 50)
  }

  @Test func memoryIsBounded() {
    var catalog = EndpointCatalog()
    for number in 0..<30_000 {
      _ = catalog.name(of: request("GET", "/\(Self.word(number % 20))/\(Self.word(number))/\(Self.word(number / 3))"))
    }
    #expect(catalog.name(of: request("GET", "/x/y")) == "GET /x/y")
  }

  /// Letters only.
  private static func word(_ number: Int) -> String {
    String(String(number, radix: 10).map { Character(UnicodeScalar(UInt8(ascii: "a") + UInt8($0.wholeNumberValue!))) })
      + "word"
  }
}
