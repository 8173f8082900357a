// The demo shop's answers as values: what each route says, and in what the canary differs.

import ContentCoding
import HTTPModel
import Testing

@testable import UmbraCLI

private let noise = ShopNoise(now: Timestamp(seconds: 784_111_777, nanoseconds: 5_000_000), requestID: 0xbeef)
private let responder = ShopResponder(seed: 7)

private func ask(
  _ method: String, _ target: String, _ fields: [ShopField] = [], body: String = "", of variant: ShopVariant = .primary
) -> ShopResponse {
  responder.respond(to: ShopRequest(method, target, fields: fields, body: Array(body.utf8)), variant, noise)
}

private func text(_ response: ShopResponse) -> String { String(decoding: response.bytes, as: UTF8.self) }

private let credentials = [ShopField("Authorization", "Bearer redacted.00"), ShopField("Cookie", "a=b; session=c")]

@Suite struct ShopResponderTests {
  @Test(arguments: [
    ("GET", "/", 200, "text/html; charset=utf-8"), ("GET", "/health", 200, "application/json"),
    ("GET", "/items", 200, "application/json"), ("GET", "/items?page=10", 200, "application/json"),
    ("GET", "/items?page=11", 404, "application/json"), ("GET", "/items?page=x", 404, "application/json"),
    ("GET", "/items/200", 200, "application/json"), ("GET", "/items/0", 404, "application/json"),
    ("GET", "/items/201", 404, "application/json"), ("GET", "/items/1/reviews", 200, "application/json"),
    ("GET", "/search?q=brass+lantern", 200, "application/json"), ("GET", "/search", 400, "application/json"),
    ("GET", "/static/logo.svg", 200, "image/svg+xml"), ("GET", "/users/1", 401, "application/json"),
    ("GET", "/nothing/here", 404, "application/json"), ("HEAD", "/", 200, "text/html; charset=utf-8"),
    ("DELETE", "/items/1", 405, "application/json"), ("POST", "/orders", 400, "application/json"),
    ("GET", "", 200, "text/html; charset=utf-8"),
  ])
  func `a route's status and media type`(method: String, target: String, status: Int, mediaType: String) {
    let answer = ask(method, target)
    #expect(answer.status == status)
    #expect(answer.value("Content-Type") == mediaType)
    #expect(answer.value("Date") == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(answer.value("X-Request-Id") == "000000000000beef")
  }

  @Test func `an item has a price, a stock and a time`() {
    let item = responder.catalog.item(4)!
    let body = text(ask("GET", "/items/4"))
    #expect(body.hasPrefix("{\"id\":4,\"name\":\"\(item.name)\",\"price\":\(Double(item.price)!),\"currency\":\"EUR\""))
    #expect(body.contains("\"warehouse\":\"\(item.warehouse)\""))
    #expect(body.hasSuffix("\"generated_at\":\"1994-11-06T08:49:37.005Z\"}"))
  }

  @Test func `reviews come in pieces`() {
    guard case .pieces(let pieces) = ask("GET", "/items/3/reviews").content else {
      Issue.record("not in pieces")
      return
    }
    #expect(pieces.count > 1)
    #expect(pieces.dropLast().allSatisfy { $0.count == pieces[0].count })
  }

  @Test func `a search is compressed where that is accepted`() throws {
    let plain = ask("GET", "/search?q=oak%20chair")
    let packed = ask("GET", "/search?q=oak+chair", [ShopField("Accept-Encoding", "br, gzip;q=0.8")])
    #expect(plain.value("Content-Encoding") == nil)
    #expect(packed.value("Content-Encoding") == "gzip")
    #expect(text(plain).hasPrefix("{\"query\":\"oak chair\",\"hits\":[{"))
    #expect(try ContentCoding.decode(packed.bytes, codings: ["gzip"], limit: 1 << 16) == plain.bytes)
  }

  @Test func `a logo that is held is not sent again`() throws {
    let tag = try #require(ask("GET", "/static/logo.svg").value("ETag"))
    let again = ask("GET", "/static/logo.svg", [ShopField("If-None-Match", "\"x\", \(tag)")])
    #expect(again.status == 304)
    #expect(again.content == .none)
    #expect(again.value("ETag") == tag)
    #expect(ask("GET", "/static/logo.svg", [ShopField("If-None-Match", "\"x\"")]).status == 200)
  }

  @Test func `a user wants a credential, of whatever value`() {
    #expect(ask("GET", "/users/1", credentials).status == 200)
    #expect(ask("GET", "/users/61", credentials).status == 404)
    #expect(ask("GET", "/users/1", [credentials[0]]).value("WWW-Authenticate") != nil)
    #expect(ask("GET", "/users/1", [credentials[1]]).status == 401)
    #expect(ask("GET", "/users/1", [ShopField("Authorization", "Basic eA=="), credentials[1]]).status == 401)
  }

  @Test func `an order sent again is the same order`() {
    let key = [ShopField("Idempotency-Key", "k")]
    let first = ask("POST", "/orders", key, body: "{\"item\":17,\"quantity\": 2}")
    #expect(first.status == 201)
    #expect(first.value("Location")?.count == 24)
    #expect(ask("POST", "/orders", key, body: "{\"item\":17,\"quantity\": 2}") == first)
    #expect(text(first).contains("\"item\":17,\"quantity\":2"))
  }

  @Test(arguments: ["", "{}", "{\"item\":0,\"quantity\":1}", "{\"item\":1,\"quantity\":99999999999999999999}"])
  func `an order that says nothing is refused`(body: String) {
    #expect(ask("POST", "/orders", [ShopField("Idempotency-Key", "k")], body: body).status == 422)
  }

  @Test func `a cart is counted`() {
    let body = text(ask("POST", "/cart", body: "1,2\n3,4\n"))
    #expect(body.hasPrefix("{\"lines\":2,\"bytes\":8,\"checksum\":\""))
  }

  @Test func `a redirection and OPTIONS have no content`() {
    #expect(ask("GET", "/item/9").value("Location") == "/items/9")
    #expect(ask("GET", "/item/9").content == .whole([]))
    #expect(ask("OPTIONS", "/items").content == .none)
  }

  @Test(arguments: ["/%", "/%zz", "/%2", "?", "/search?q=%00%22%5c", "//", "*", "/items/99999999999999999999"])
  func `a target of any form is answered`(target: String) {
    for variant in ShopVariant.allCases { #expect(ask("GET", target, of: variant).status >= 200) }
  }
}
