// Findings of every severity, with answers as they come from a shop's service.

import HTTPModel
import ResponseDiff

extension SampleReports {
  static let clusters: [DifferenceCluster] = [
    cluster(
      "3f8a11c09e2b", "GET /orders/{id}", .status, .changed, .high, 84, of: 4_102,
      "The status became 500 for 84 of 4,102 answers of GET /orders/{id}.",
      example(
        (7, 3), "GET /orders/9912?expand=lines → 200, shadow 500", .status, .changed, .high, "200 OK",
        "500 Internal Server Error", head() + orderBody,
        head("500 Internal Server Error", type: "text/plain", length: 35) + "lines[0].price: cannot parse “12.50”\n"),
      more: 2),
    cluster(
      "a91c5520d4f7", "GET /items", .bodyPath("/items/*/price"), .type, .high, 112, of: 3_950,
      "`price` became text for 112 of 3,950 answers of GET /items; it was a number in every recorded one.",
      example(
        (12, 1), "GET /items?currency=JPY&page=2 → 200, shadow 200", .bodyPath("/items/*/price"), .type, .high, "12.5",
        "\"12.50\"", head() + itemsBody, head() + itemsBody.replacing("12.5,", with: "\"12.50\",")),
      more: 1),
    cluster(
      "77d0be3149aa", "GET /users/{id}/recommendations", .answer, .error, .high, 5, of: 2_211,
      "No answer came for 5 of 2,211 requests of GET /users/{id}/recommendations: the connection was reset.",
      example(
        (88, 14), "GET /users/551/recommendations → 200, shadow connection-reset", .answer, .error, .high, "200 OK",
        nil, head() + "{\n  \"for\": 551,\n  \"items\": []\n}", "")),
    cluster(
      "e2f6097b5c11", "GET /orders/{id}", .bodyPath("/customer/address/street"), .removed, .high, 33, of: 4_102,
      "`customer.address.street` is missing in 33 of 4,102 answers of GET /orders/{id}.",
      example(
        (7, 9), "GET /orders/77 → 200, shadow 200", .bodyPath("/customer/address/street"), .removed, .high,
        "\"Hlavní 12, 602 00 Brno\"", nil, head() + orderBody,
        head() + orderBody.replacing("      \"street\": \"Hlavní 12, 602 00 Brno\",\n", with: ""))),
    cluster(
      "05b3d2a8f6c4", "GET /orders/{id}", .bodyPath("/total"), .changed, .medium, 279, of: 4_102,
      "`total` differs in 279 of 4,102 answers of GET /orders/{id}, by at most 0.01.",
      example(
        (9, 2), "GET /orders/12 → 200, shadow 200", .bodyPath("/total"), .changed, .medium, "1041.985", "1041.99",
        head() + orderBody, head() + orderBody.replacing("1041.985", with: "1041.99"))),
    cluster(
      "c4470e91ab83", "GET /items", .header("cache-control"), .changed, .medium, 6, of: 3_950, noise: 4, p: 0.3770,
      "cache-control differs in 6 of 3,950 answers of GET /items; the control shows the same in 4.",
      example(
        (31, 4), "GET /items?page=9 → 200, shadow 200", .header("cache-control"), .changed, .medium,
        "max-age=60, must-revalidate", "max-age=60", head() + itemsBody,
        head(cache: "max-age=60") + itemsBody), isConfirmed: false),
    cluster(
      "1dd8a66e0f25", "GET /users/{id}/recommendations", .bodyPath("/debug"), .added, .low, 47, of: 2_211,
      "`debug` is new in 47 of 2,211 answers of GET /users/{id}/recommendations.",
      example(
        (90, 2), "GET /users/7/recommendations → 200, shadow 200", .bodyPath("/debug"), .added, .low, nil,
        "{\"shard\": 3, \"took_ms\": 41}", head() + "{\n  \"for\": 7,\n  \"items\": []\n}",
        head() + "{\n  \"for\": 7,\n  \"items\": [],\n  \"debug\": {\n    \"shard\": 3,\n    \"took_ms\": 41\n  }\n}")),
    cluster(
      "99e4c1720b6d", "GET /static/{file}", .header("content-encoding"), .changed, .info, 1_700, of: 1_700,
      "The content coding changed from gzip to br in every answer of GET /static/{file}; the content is the same.",
      example(
        (101, 1), "GET /static/app.js → 200, shadow 200", .header("content-encoding"), .changed, .info, "gzip", "br",
        head(type: "text/javascript") + "export const version = 4;\n",
        head(type: "text/javascript") + "export const version = 4;\n"), isConfirmed: false),
  ]

  private static func cluster(
    _ id: String, _ endpoint: String, _ location: DifferenceLocation, _ kind: DifferenceKind,
    _ severity: DifferenceSeverity, _ count: UInt64, of compared: UInt64, noise: UInt64? = nil, p: Double? = nil,
    _ explanation: String, _ example: DifferenceExample, more: Int = 0, isConfirmed: Bool = true
  ) -> DifferenceCluster {
    let examples = (0...more).map { index in
      var copy = example
      copy.exchange.ordinal += UInt32(index * 5)
      return copy
    }
    var cluster = DifferenceCluster(
      id: id, endpoint: endpoint, location: location, kind: kind, severity: severity, count: count, compared: compared,
      noise: noise, pValue: p, isConfirmed: isConfirmed, explanation: explanation, examples: examples)
    cluster.evidence = severity == .info ? .harmless : !isConfirmed ? .noise : .significant
    cluster.curl = examples.first?.curl
    // Of each thing that a finding may have, one has it.
    if location == .bodyPath("/items/*/price") {
      cluster.features = [
        SeparatingFeature(text: "currency=JPY", isAbsent: false, affected: 1, others: 0),
        SeparatingFeature(text: "header accept-language", isAbsent: true, affected: 1, others: 0.018),
      ]
      cluster.related = [
        RelatedPlace(
          id: "b2", location: .header("x-price-format"), kind: .added, severity: .low, count: 112)
      ]
      cluster.smallest = SmallestRequest(
        state: .minimal, exchange: ExchangeID(connection: 31, ordinal: 4), asked: 14, needed: ["currency=JPY"],
        omitted: 3, command: "curl -i -H 'Host: shop.example' 'http://canary.example:8080/items?currency=JPY'",
        primaryCommand: "curl -i 'http://shop.example/items?currency=JPY'",
        explanation:
          "Asked again 14 times: of 2 query parameters and 2 header fields it takes only currency=JPY.")
    }
    cluster.isKnown = location == .bodyPath("/debug")
    return cluster
  }

  private static func example(
    _ id: (UInt32, UInt32), _ requestLine: String, _ location: DifferenceLocation, _ kind: DifferenceKind,
    _ severity: DifferenceSeverity, _ expected: String?, _ actual: String?, _ expectedText: String,
    _ actualText: String
  ) -> DifferenceExample {
    let target = requestLine.split(separator: " ")[1]
    return DifferenceExample(
      exchange: ExchangeID(connection: id.0, ordinal: id.1), requestLine: requestLine,
      difference: Difference(
        location: location, kind: kind, severity: severity, expected: expected, actual: actual),
      expectedText: expectedText, actualText: actualText,
      curl: "curl -sS 'http://shop.example\(target)' \\\n  -H 'Accept: application/json' \\\n  -H 'X-User: 4711'")
  }

  private static func head(
    _ status: String = "200 OK", type: String = "application/json", length: Int = 948,
    cache: String = "max-age=60, must-revalidate"
  ) -> String {
    """
    HTTP/1.1 \(status)
    server: shop/4.1
    content-type: \(type)
    content-length: \(length)
    cache-control: \(cache)
    vary: accept, accept-encoding


    """
  }

  private static let orderBody = """
    {
      "id": 9912,
      "state": "paid",
      "currency": "CZK",
      "customer": {
        "id": 4711,
        "name": "Žofie Nováková",
        "address": {
          "street": "Hlavní 12, 602 00 Brno",
          "country": "CZ"
        }
      },
      "lines": [
        {
          "sku": "A-1003",
          "quantity": 3,
          "price": 12.5
        },
        {
          "sku": "B-0417",
          "quantity": 1,
          "price": 1004.485
        }
      ],
      "total": 1041.985
    }
    """

  private static let itemsBody = """
    {
      "page": 2,
      "items": [
        {
          "sku": "A-1003",
          "price": 12.5,
          "currency": "JPY",
          "stock": 4
        },
        {
          "sku": "A-1004",
          "price": 980,
          "currency": "JPY",
          "stock": 0
        }
      ]
    }
    """
}
