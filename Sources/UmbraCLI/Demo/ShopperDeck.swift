// The demo shopper's requests, drawn like cards so that every kind comes up in every hundred.
// Owner: ShopperPlan. Bounds: a hundred cards.

import HTTPModel

/// Gives one request after the other, determined by a seed.
struct ShopperDeck {
  private enum Card: CaseIterable {
    case item, list, reviews, gzipSearch, plainSearch, user, logo, logoHeld, home, head
    case order, cart, health, moved, missing, stranger, options

    /// How many of a hundred.
    var count: Int {
      switch self {
      case .item: 24
      case .reviews, .gzipSearch: 12
      case .list, .user: 11
      case .plainSearch, .head, .order: 4
      case .logo, .logoHeld, .cart: 3
      case .home, .health, .missing: 2
      case .moved, .stranger, .options: 1
      }
    }

    /// Without effect, so that it may be pipelined and asked by an HTTP/1.0 client.
    var isRead: Bool { self != .order && self != .cart }
  }

  private let logoTag: String
  private var generator: SplitMix64
  private var cards: [Card] = []
  private var walks: [Card: Int] = [:]
  private let start: Int

  /// - Parameter seed: the shop's, too: conditional requests name the tag of its logo.
  init(seed: UInt64) {
    let noise = ShopNoise(now: Timestamp(nanoseconds: 0), requestID: 0)
    logoTag = ShopResponder(seed: seed).respond(to: ShopRequest("GET", "/static/logo.svg"), .primary, noise)
      .value("etag")!
    generator = SplitMix64(seed: seed)
    start = generator.number(in: 0...999)
  }

  /// Any request.
  mutating func draw() -> ShopperRequest {
    if cards.isEmpty { shuffle() }
    return request(cards.removeLast())
  }

  /// A request that may be repeated and has no body.
  mutating func drawRead() -> ShopperRequest {
    if !cards.contains(where: \.isRead) { shuffle() }
    return request(cards.remove(at: cards.lastIndex(where: \.isRead)!))
  }

  /// Puts a hundred cards under those that are left (Fisher-Yates).
  private mutating func shuffle() {
    var fresh = Card.allCases.flatMap { Array(repeating: $0, count: $0.count) }
    for index in fresh.indices.reversed() { fresh.swapAt(index, generator.number(in: 0...index)) }
    cards = fresh + cards
  }

  /// 1 ... count, in steps without a common factor: a few dozen draws meet every remainder of a small number.
  private mutating func walk(_ card: Card, step: Int, count: Int) -> Int {
    let taken = walks[card, default: 0]
    walks[card] = taken + 1
    return (start + taken * step) % count + 1
  }

  private mutating func request(_ card: Card) -> ShopperRequest {
    switch card {
    case .item: get("/items/\(walk(card, step: 29, count: ShopCatalog.itemCount))")
    case .reviews: get("/items/\(walk(card, step: 23, count: ShopCatalog.itemCount))/reviews")
    case .list: get("/items?page=\(walk(card, step: 3, count: 10))")
    case .gzipSearch: get("/search?q=" + words(), [ShopField("Accept-Encoding", "gzip")])
    case .plainSearch: get("/search?q=" + words())
    case .user: get("/users/\(walk(card, step: 7, count: ShopCatalog.userCount))", credentials())
    case .stranger: get("/users/\(walk(card, step: 7, count: ShopCatalog.userCount))")
    case .logo: get("/static/logo.svg")
    case .logoHeld: get("/static/logo.svg", [ShopField("If-None-Match", logoTag)])
    case .home: get("/", [ShopField("Accept-Language", "en, fr;q=0.8")])
    case .head: planned("HEAD", generator.element(of: ["/", "/static/logo.svg", "/health"]))
    case .health: get("/health")
    case .moved: get("/item/\(walk(card, step: 11, count: ShopCatalog.itemCount))")
    case .missing: get(generator.element(of: ["/items/9999", "/favicon.ico", "/items?page=99", "/wp-login.php"]))
    case .options: planned("OPTIONS", "/items")
    case .order: order()
    case .cart: cart()
    }
  }

  private func get(_ target: String, _ fields: [ShopField] = []) -> ShopperRequest { planned("GET", target, fields) }

  private func planned(
    _ method: String, _ target: String, _ fields: [ShopField] = [], body: [UInt8] = []
  ) -> ShopperRequest {
    let common = [
      ShopField("Host", "shop.example"), ShopField("User-Agent", "demo-shopper"), ShopField("Accept", "*/*"),
    ]
    return ShopperRequest(request: ShopRequest(method, target, fields: common + fields, body: body))
  }

  private mutating func words() -> String {
    generator.element(of: ShopCatalog.materials).lowercased() + "+"
      + generator.element(of: ShopCatalog.things).lowercased()
  }

  private mutating func credentials() -> [ShopField] {
    let customer = generator.number(in: 0...4)
    return [
      ShopField("Authorization", "Bearer " + ShopDigest(of: "customer \(customer)".utf8).text),
      ShopField("Cookie", "session=\(ShopDigest(of: "session \(customer)".utf8).text); theme=dark"),
    ]
  }

  private mutating func order() -> ShopperRequest {
    let item = generator.number(in: 1...ShopCatalog.itemCount)
    let body =
      "{\"item\":\(item),\"quantity\":\(generator.number(in: 1...9)),\"gift\":\(generator.number(in: 0...1) == 1)}"
    let fields = [
      ShopField("Content-Type", "application/json"),
      ShopField("Idempotency-Key", ShopDigest(word: generator.next()).text),
    ]
    return planned("POST", "/orders", fields + credentials(), body: Array(body.utf8))
  }

  private mutating func cart() -> ShopperRequest {
    let lines = (0..<generator.number(in: 4...400)).map { _ in
      "\(generator.number(in: 1...ShopCatalog.itemCount)),\(generator.number(in: 1...9))\n"
    }
    var cart = planned("POST", "/cart", [ShopField("Content-Type", "text/csv")], body: Array(lines.joined().utf8))
    cart.expectsContinue = generator.number(in: 0...2) == 0
    if cart.expectsContinue { cart.request.fields.append(ShopField("Expect", "100-continue")) }
    var left = cart.request.body.count
    while left > 0 {
      let size = min(left, generator.number(in: 1...900))
      cart.chunkSizes.append(size)
      left -= size
    }
    return cart
  }
}
