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
