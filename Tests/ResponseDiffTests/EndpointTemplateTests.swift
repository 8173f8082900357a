import Testing

@testable import ResponseDiff

@Suite struct EndpointTemplateTests {
  @Test(arguments: [
    ("/", "/"), ("/items/17", "/items/{id}"), ("/items/17?x=1", "/items/{id}"), ("/items/17/", "/items/{id}/"),
    ("/v1/items", "/v1/items"),
    ("/u/123e4567-e89b-12d3-a456-426614174000/x", "/u/{uuid}/x"), ("/d/2026-11-21", "/d/{date}"),
    ("/d/2026-11-21T10:00:00Z", "/d/{date}"),
    ("/m/a@b.org", "/m/{email}"), ("/m/a%40b.org", "/m/{email}"), ("/@name", "/@name"), ("/h/deadbeef01", "/h/{hex}"),
    ("/h/deadbeef", "/h/deadbeef"),
    ("/t/eyJhbGciOiJIUzI1NiJ9Az", "/t/{token}"), ("/getting-started-with-swift-6", "/getting-started-with-swift-6"),
    ("/items/17.json", "/items/{id}.json"), ("/index.html", "/index.html"), ("/1.0/x", "/1.0/x"), ("//a", "//a"),
    ("*", "*"), ("", ""),
    ("http://shop/items/17", "/items/{id}"), ("http://shop?x", "/"), ("/pkg.Service/Method", "/pkg.Service/Method"),
    ("/a;jsessionid=1", "/a"),
    ("/2026-11-2X", "/2026-11-2X"), ("/2026-11-21X", "/2026-11-21X"), ("host:443", "host:443"), ("/%", "/%"),
    ("/%40", "/%40"),
  ])
  func templates(target: String, path: String) {
    #expect(EndpointTemplate.name(method: "GET".utf8, target: target.utf8) == "GET \(path)")
  }

  @Test func longPathsAreCut() {
    let name = EndpointTemplate.name(method: "GET".utf8, target: ("/" + String(repeating: "a/", count: 5000)).utf8)
    #expect(name.utf8.count < 530 && name.hasSuffix("…"))
  }
}
