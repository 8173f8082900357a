// What the demo shop takes: orders and carts.
// Owner: ShopResponder. Bounds: a body is read once and only for what is answered.

extension ShopResponder {
  /// An order in JSON. Its name follows from its idempotency key, so that sending it again makes no second one.
  func order(_ exchange: ShopExchange) -> ShopResponse {
    guard let key = exchange.request.value("idempotency-key"), !key.isEmpty else {
      return exchange.failure(400, "Idempotency-Key is missing")
    }
    let body = exchange.request.body
    guard let number = integer("item", in: body), let quantity = integer("quantity", in: body),
      (1...99).contains(quantity), let item = catalog.item(number)
    else { return exchange.failure(422, "an order is {\"item\": 1...\(catalog.items.count), \"quantity\": 1...99}") }
    let name = ShopDigest(of: key.utf8).text
    return exchange.json(
      201,
      [
        .init("order", .string(name)), .init("item", .integer(item.number)),
        .init("quantity", .integer(quantity)), .init("currency", .string(item.currency)),
        .init("status", "accepted"), exchange.generatedAt,
      ],
      fields: [ShopField("Location", "/orders/\(name)")])
  }

  /// A cart of any length, one line a position, mostly sent in chunks.
  func cart(_ exchange: ShopExchange) -> ShopResponse {
    let body = exchange.request.body
    return exchange.json(
      200,
      [
        .init("lines", .integer(body.count { $0 == 0x0a })), .init("bytes", .integer(body.count)),
        .init("checksum", .string(ShopDigest(of: body).text)), exchange.generatedAt,
      ])
  }

  /// The integer that stands after `"name":`, or nil. The shop's own clients write nothing deeper.
  private func integer(_ name: String, in body: [UInt8]) -> Int? {
    let mark = Array("\"\(name)\":".utf8)
    guard body.count >= mark.count,
      let start = (0...body.count - mark.count).first(where: { body[$0...].starts(with: mark) })
    else { return nil }
    let digits = body[(start + mark.count)...].drop { $0 == 0x20 }.prefix { $0 >= 0x30 && $0 <= 0x39 }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
