// Two servers as functions: a primary with all the noise that real ones have, and a shadow with planted regressions.

import HTTPModel

@testable import ResponseDiff

/// What is wrong with the shadow, and as what it has to be found.
struct Planted {
  var endpoint: String
  var location: DifferenceLocation
  var kind: DifferenceKind
}

struct PlantedServers {
  static let pairsPerEndpoint = 150

  static let regressions = [
    Planted(endpoint: "GET /items/{id}", location: .bodyPath("/price"), kind: .type),
    Planted(endpoint: "GET /quotes/{id}", location: .bodyPath("/amount"), kind: .changed),
    Planted(endpoint: "GET /users/{id}", location: .bodyPath("/email"), kind: .removed),
    Planted(endpoint: "GET /orders/{id}/lines", location: .bodyPath("/lines"), kind: .order),
    Planted(endpoint: "GET /lists", location: .header("cache-control"), kind: .removed),
    Planted(endpoint: "GET /reviews/{id}", location: .status, kind: .changed),
    Planted(endpoint: "GET /search", location: .latency, kind: .changed),
    Planted(endpoint: "POST /shop.Orders/Get", location: .body, kind: .changed),
  ]

  private enum Side { case primary, shadow }

  private var random: SplitMix64

  private var controlRandom: SplitMix64

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    controlRandom = SplitMix64(seed: ~seed)
  }

  /// All endpoints in turn, the last two of them without a regression.
  mutating func answers() -> [Answers] {
    (0..<Self.pairsPerEndpoint * 10).map { number in
      let (endpoint, id) = (number % 10, number / 10)
      let request = self.request(endpoint, id)
      let primary = response(endpoint, id, request, .primary)
      // A request's own weight, which all sides share, and what each meets with by itself.
      let weight = Double.random(in: 3..<30, using: &random)
      let slowness = endpoint == 6 ? 1.5 : 1
      return Answers(
        request: request, recorded: response(endpoint, id, request, .primary),
        shadow: response(endpoint, id, request, .shadow), primary: primary,
        control: response(endpoint, id, request, .primary),
        times: (weight * slowness + Self.jitter(&random), weight + Self.jitter(&random)),
        controlTime: weight + Self.jitter(&controlRandom))
    }
  }

  private static func jitter(_ random: inout SplitMix64) -> Double {
    let usual = Double.random(in: 0..<2, using: &random)
    return Int.random(in: 0..<50, using: &random) == 0 ? usual + 40 : usual
  }

  private func request(_ endpoint: Int, _ id: Int) -> HTTPRequest {
    let number = 1000 + id * 7
    return switch endpoint {
    case 0:
      ResponseDiffTests.request("GET", "/items/\(number)?currency=\(["EUR", "JPY", "USD"][id % 3])&page=\(id % 5)")
    case 1: ResponseDiffTests.request("GET", "/quotes/\(number)")
    case 2:
      ResponseDiffTests.request("GET", "/users/\(number)", id % 4 == 0 ? [("X-View", "compact")] : [("X-View", "full")])
    case 3: ResponseDiffTests.request("GET", "/orders/\(number)/lines")
    case 4: ResponseDiffTests.request("GET", "/lists?page=\(id % 9)")
    case 5: ResponseDiffTests.request("GET", "/reviews/\(number)")
    case 6: ResponseDiffTests.request("GET", "/search?q=w\(id % 40)")
    case 7: ResponseDiffTests.request("POST", "/shop.Orders/Get", [("Content-Type", "application/grpc")])
    case 8: ResponseDiffTests.request("GET", "/health")
    default: ResponseDiffTests.request("GET", "/carts/\(number)")
    }
  }

  private mutating func response(_ endpoint: Int, _ id: Int, _ request: HTTPRequest, _ side: Side) -> HTTPResponse {
    let isShadow = side == .shadow
    // Either side is overloaded now and then.
    if Int.random(in: 0..<100, using: &random) == 0 { return json("{\"error\":\"busy\"}", 503) }
    if endpoint == 5, isShadow, id % 50 == 3 { return json("{\"error\":\"null\"}", 500) }
    if endpoint == 7 { return grpc(id, isShadow ? 3 : 2) }
    var headers = [("Content-Type", "application/json"), ("X-Request-Id", uuid())]
    if !(endpoint == 4 && isShadow) { headers.append(("Cache-Control", "max-age=60")) }
    let tags = ["\"a\"", "\"b\"", "\"c\"", "\"d\""].shuffled(using: &random).joined(separator: ",")
    let noise =
      "\"trace\":\"\(uuid())\",\"generated_at\":\"2026-11-21T10:\(10 + id % 50):\(Int.random(in: 10..<60, using: &random))Z\","
      + "\"tags\":[\(tags)],\"left\":\(Int.random(in: 0..<10, using: &random) == 0 ? 7 : 8)"
    let content: String
    switch endpoint {
    case 0:
      let price = "\(id).5"
      content = "\"id\":\(id),\"price\":\(isShadow && id % 3 == 1 ? "\"\(price)\"" : price)"
    case 1: content = "\"amount\":0.12345678901\(isShadow ? "" : "\(1 + id % 9)")"
    case 2: content = "\"name\":\"n\(id)\"" + (isShadow && id % 4 == 0 ? "" : ",\"email\":\"n\(id)@e.example\"")
    case 3:
      let lines = (0..<4).map { "{\"id\":\(id * 10 + $0),\"quantity\":\($0 + 1)}" }
      content = "\"lines\":[\((isShadow ? lines.reversed() : lines).joined(separator: ","))]"
    default: content = "\"ok\":true"
    }
    return ResponseDiffTests.response(200, headers, body: "{\(content),\(noise)}")
  }

  /// A message with an id and an enum, as gRPC frames it.
  private func grpc(_ id: Int, _ state: UInt8) -> HTTPResponse {
    let message: [UInt8] = [0x08, UInt8(id & 0x7f), 0x10, state, 0x1a, 2, 0x68, 0x69]
    var response = ResponseDiffTests.response(
      200, [("Content-Type", "application/grpc")], trailers: [("grpc-status", "0")])
    response.body = body([0, 0, 0, 0, UInt8(message.count)] + message)
    return response
  }

  private mutating func uuid() -> String {
    func digits(_ count: Int) -> String {
      let text = String(random.next() | 1 << 63, radix: 16)
      return String(text.suffix(count))
    }
    return "\(digits(8))-\(digits(4))-4\(digits(3))-8\(digits(3))-\(digits(12))"
  }
}
