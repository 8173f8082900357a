// The demo shop's answers: a request, a variant and some noise in, a response out.
// Owner: a value without state, so that a request answered twice is answered alike. Bounds: linear in the request.

import HTTPModel

/// Answers requests to the shop.
///
/// The same request gives the same answer whenever it is asked, but for what ``ShopNoise`` brings in. Where the canary
/// differs is said in ``DemoShop/plantedRegressions``.
struct ShopResponder: Sendable {
  let catalog: ShopCatalog
  private let seed: UInt64

  init(seed: UInt64) {
    catalog = ShopCatalog(seed: seed)
    self.seed = seed
  }

  func respond(to request: ShopRequest, _ variant: ShopVariant, _ noise: ShopNoise) -> ShopResponse {
    let exchange = ShopExchange(request: request, variant: variant, noise: noise)
    let path = exchange.path
    switch (request.method, path.first, path.count) {
    case ("OPTIONS", _, _): return exchange.answer(204, fields: [ShopField("Allow", "GET, HEAD, OPTIONS, POST")])
    case ("POST", "orders", 1): return order(exchange)
    case ("POST", "cart", 1): return cart(exchange)
    case ("GET", _, _), ("HEAD", _, _): return read(exchange)
    default:
      return exchange.failure(405, "\(request.method) is not done here", fields: [ShopField("Allow", "GET, HEAD")])
    }
  }

  private func read(_ exchange: ShopExchange) -> ShopResponse {
    let path = exchange.path
    switch (path.first, path.count) {
    case (nil, 0): return home(exchange)
    case ("health", 1): return exchange.json(200, [.init("status", "ok")])
    case ("items", 1): return list(exchange)
    case ("items", 2): return item(exchange, path[1])
    case ("items", 3) where path[2] == "reviews": return reviews(exchange, path[1])
    // Where items lived in an earlier release.
    case ("item", 2): return exchange.answer(301, fields: [ShopField("Location", "/items/\(path[1])")])
    case ("search", 1): return search(exchange)
    case ("static", 2) where path[1] == "logo.svg": return logo(exchange)
    case ("users", 2): return user(exchange, path[1])
    default: return exchange.failure(404, "nothing here")
    }
  }

  private func home(_ exchange: ShopExchange) -> ShopResponse {
    let rows = catalog.items.prefix(8).map { item in
      "<li><a href=\"/items/\(item.number)\">\(item.name)</a> \(item.price) \(item.currency)</li>\n"
    }
    let page =
      "<!doctype html>\n<html lang=\"en\">\n<title>The demo shop</title>\n<h1>The demo shop</h1>\n<ul>\n"
      + rows.joined() + "</ul>\n</html>\n"
    return exchange.answer(
      200, fields: [ShopField("Content-Type", "text/html; charset=utf-8"), ShopField("Cache-Control", "no-cache")],
      content: .whole(Array(page.utf8)))
  }

  private func list(_ exchange: ShopExchange) -> ShopResponse {
    let size = 20
    let pages = (catalog.items.count + size - 1) / size
    guard let page = Int(exchange.query["page"] ?? "1"), (1...pages).contains(page) else {
      return exchange.failure(404, "there are pages 1 to \(pages)")
    }
    let items = catalog.items[(page - 1) * size..<min(page * size, catalog.items.count)].map { item in
      ShopJSON.object([
        .init("id", .integer(item.number)), .init("name", .string(item.name)),
        .init("price", .number(item.price)), .init("currency", .string(item.currency)),
      ])
    }
    return exchange.json(
      200,
      [
        .init("page", .integer(page)), .init("pages", .integer(pages)), .init("items", .array(items)),
        exchange.generatedAt,
      ],
      fields: exchange.variant == .canary ? [] : [ShopField("Cache-Control", "public, max-age=60")])
  }

  private func item(_ exchange: ShopExchange, _ segment: String) -> ShopResponse {
    guard let item = Int(segment).flatMap(catalog.item) else { return exchange.failure(404, "no such item") }
    let isCanary = exchange.variant == .canary
    var stock: [ShopJSON.Member] = [.init("count", .integer(item.stock))]
    if !(isCanary && item.number % 7 == 3) { stock.append(.init("warehouse", .string(item.warehouse))) }
    return exchange.json(
      200,
      [
        .init("id", .integer(item.number)), .init("name", .string(item.name)),
        .init("price", isCanary && item.currency == "JPY" ? .string(item.price) : .number(item.price)),
        .init("currency", .string(item.currency)), .init("rating", .number(item.rating)),
        .init("tags", .array(item.tags.map { .string($0) })), .init("stock", .object(stock)), exchange.generatedAt,
      ],
      fields: [ShopField("Cache-Control", "public, max-age=30"), ShopField("Vary", "Accept-Encoding")])
  }

  private func reviews(_ exchange: ShopExchange, _ segment: String) -> ShopResponse {
    guard let item = Int(segment).flatMap(catalog.item) else { return exchange.failure(404, "no such item") }
    let isCanary = exchange.variant == .canary
    var answer =
      isCanary && item.number % 11 == 4
      ? exchange.failure(500, "the review store did not answer")
      : exchange.json(
        200,
        [
          .init("item", .integer(item.number)),
          .init(
            "reviews",
            .array(
              item.reviews.map { review in
                .object([
                  .init("author", .string(review.author)), .init("stars", .integer(review.stars)),
                  .init("text", .string(review.text)),
                ])
              })), exchange.generatedAt,
        ])
    if answer.status == 200 { answer.content = .pieces(of: answer.bytes, size: 97 + item.number % 64) }
    answer.thinkingMilliseconds = 2 + (isCanary ? DemoShop.plantedSlowness[0].milliseconds : 0)
    return answer
  }

  private func search(_ exchange: ShopExchange) -> ShopResponse {
    guard let words = exchange.query["q"], !words.isEmpty else { return exchange.failure(400, "q is missing") }
    var generator = SplitMix64(seed: seed ^ ShopDigest(of: words.utf8).word)
    let hits = (0..<generator.number(in: 3...12)).map { _ in
      let item = generator.element(of: catalog.items)
      // Nine digits; the canary keeps six of them.
      let billionths = generator.number(in: 100_000_001...999_999_999)
      let score = exchange.variant == .canary ? min((billionths + 500) / 1000, 999_999) : billionths
      return ShopJSON.object([
        .init("id", .integer(item.number)), .init("name", .string(item.name)),
        .init("score", .number("0.\(score)")),
      ])
    }
    var answer = exchange.json(
      200, [.init("query", .string(words)), .init("hits", .array(hits)), exchange.generatedAt],
      fields: [ShopField("Cache-Control", "private, max-age=5"), ShopField("Vary", "Accept-Encoding")])
    answer.thinkingMilliseconds = 1
    return exchange.acceptsGzip ? answer.gzipped() : answer
  }

  private func logo(_ exchange: ShopExchange) -> ShopResponse {
    let content = Array(
      """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="12" fill="#24292f"/>\
      <circle cx="32" cy="32" r="18" fill="#\(String(seed & 0x7f_7f7f | 0x80_8080, radix: 16))"/></svg>

      """.utf8)
    let tag = "\"\(ShopDigest(of: content).text)\""
    let fields = [ShopField("ETag", tag), ShopField("Cache-Control", "public, max-age=3600")]
    let held = exchange.request.value("if-none-match").map { $0 == "*" || $0.contains(tag) } ?? false
    if held { return exchange.answer(304, fields: fields) }
    return exchange.answer(
      200, fields: [ShopField("Content-Type", "image/svg+xml")] + fields, content: .whole(content))
  }

  private func user(_ exchange: ShopExchange, _ segment: String) -> ShopResponse {
    // That there is a credential is all that is asked: a recording holds a token in its place.
    let bearer = exchange.request.value("authorization")?.split(separator: " ") ?? []
    guard bearer.count == 2, bearer[0] == "Bearer", exchange.request.value("cookie")?.contains("session=") == true
    else {
      return exchange.failure(401, "who asks?", fields: [ShopField("WWW-Authenticate", "Bearer realm=\"shop\"")])
    }
    guard let user = Int(segment).flatMap(catalog.user), !(exchange.variant == .canary && user.number % 5 == 2) else {
      return exchange.failure(404, "no such user")
    }
    return exchange.json(
      200,
      [
        .init("id", .integer(user.number)), .init("name", .string(user.name)), .init("city", .string(user.city)),
        .init("points", .integer(user.points)), exchange.generatedAt,
      ],
      fields: [ShopField("Cache-Control", "private, no-store")])
  }
}
