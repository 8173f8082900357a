import HTTPModel
import Testing

@testable import TrafficRules

@Suite struct ExchangeMatchTests {
  let order = exchange(
    request(
      "POST", "/api/orders?id=7&tag=a%20b&flag",
      [("Host", "Shop.example:8080"), ("X-User", "7"), ("X-User", "8"), ("Cookie", "a=b; sid=x")], body: [1, 2, 3]),
    response(503, [], body: [1]), client: "10.1.2.3")

  @Test(arguments: [
    ("method: POST", true), ("method: [GET, PUT]", false), ("method: P*", true), ("path: /api/**", true),
    ("path: /api/orders", true), ("path: /orders", false), ("host: shop.example", true),
    ("host: shop.example:8080", true), ("host: \"*.example\"", true), ("host: other", false),
    ("header: { X-User: 8 }", true), ("header: { x-user: [1, 2] }", false), ("header: { X-None: }", false),
    ("header: X-User", true), ("header: { X-User: '*' }", true), ("query: { id: 7 }", true),
    ("query: { tag: a b }", true),
    ("query: { id: 8 }", false), ("query: flag", true), ("query: [id, none]", false), ("status: 5xx", true),
    ("status: [404, 500-502]", false), ("protocol: http/1.1", true), ("protocol: [h2, grpc]", false),
    ("client: 10.0.0.0/8", true), ("client: [192.0.2.0/24, 10.1.2.4]", false), ("server: 192.0.2.200", true),
    ("size: 3", true), ("size: '>3'", false), ("size: 1..1KB", true), ("response_size: '<=1'", true),
    ("grpc: /a.B/*", false), ("{ method: POST, status: 200 }", false), ("not: { method: POST }", false),
    ("any: [{ method: GET }, { path: /api/** }]", true), ("{ not: { any: [{ method: GET }, { status: 4xx }] } }", true),
  ]) func conditions(_ condition: String, _ expected: Bool) {
    let (set, problems) = read(
      "version: 1\nselect:\n  - include: \(condition.hasPrefix("{") ? condition : "{ \(condition) }")")
    #expect(problems == [])
    #expect(set.selection(of: order).isTaken == expected)
  }

  @Test func gRPCIsToldByItsContentType() {
    let call = exchange(
      request(
        "POST", "/shop.Cart/Add", [("content-type", "application/grpc+proto"), (":authority", "x")], version: .http2))
    let set = rules("select: [{ include: { grpc: /shop.Cart/*, protocol: grpc, host: x } }]")
    #expect(set.selection(of: call).isTaken)
    #expect(!set.selection(of: order).isTaken)
  }

  @Test func excludeGoesBeforeInclude() {
    let set = rules("select: [{ include: { path: /** } }, { exclude: { method: POST } }]")
    #expect(!set.selection(of: order).isTaken)
    #expect(set.selection(of: exchange(request())).isTaken)
    #expect(!set.selection(of: exchange(nil, response())).isTaken)
  }

  @Test func rulesSayWhetherTheyNeedTheResponse() {
    #expect(!rules("select: [{ include: { path: /a } }]").selectsByResponse)
    #expect(rules("select: [{ include: { not: { any: [{ status: 404 }] } } }]").selectsByResponse)
  }
}
