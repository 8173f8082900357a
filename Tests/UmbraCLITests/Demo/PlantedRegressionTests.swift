// The canary differs where the planted regressions say, and nowhere else; the shopper's plan meets each of them.

import HTTPModel
import ResponseDiff
import Testing

@testable import UmbraCLI

private let noise = ShopNoise(now: Timestamp(nanoseconds: 0), requestID: 0)

/// The regressions by which a request's two answers differ, told by the responder's own terms.
private func regressions(_ request: ShopRequest, _ responder: ShopResponder) -> (Set<String>, explained: Bool) {
  let primary = responder.respond(to: request, .primary, noise)
  let canary = responder.respond(to: request, .canary, noise)
  var found: Set<String> = []
  if primary.status != canary.status { return (["status"], true) }
  if primary.fields != canary.fields { found.insert("header:cache-control") }
  let before = String(decoding: primary.bytes, as: UTF8.self)
  let after = String(decoding: canary.bytes, as: UTF8.self)
  if before.contains("\"warehouse\"") != after.contains("\"warehouse\"") { found.insert("body:/stock/warehouse") }
  if before.contains("\"price\":\"") != after.contains("\"price\":\"") { found.insert("body:/price") }
  if before != after, before.contains("\"score\":") { found.insert("body:/hits/*/score") }
  return (found, primary.fields == canary.fields && before == after || !found.isEmpty)
}

/// The path with its numbers in braces, after the method.
private func endpoint(_ request: ShopRequest) -> String {
  let path = request.target.prefix { $0 != "?" }.split(separator: "/")
  return request.method + " /" + path.map { Int($0) == nil ? String($0) : "{id}" }.joined(separator: "/")
}

@Suite struct PlantedRegressionTests {
  @Test(arguments: Array(0..<12) + [UInt64.max])
  func `a plan of 400 requests meets every regression, and no other difference`(seed: UInt64) {
    let responder = ShopResponder(seed: seed)
    let plan = ShopperPlan(seed: seed, requests: 400, duration: .seconds(2))
    var met: [String: Int] = [:]
    for planned in plan.requests {
      var request = planned.request
      request.fields.removeAll { $0.name == "Accept-Encoding" }
      let (locations, isExplained) = regressions(request, responder)
      #expect(isExplained, "\(request.method) \(request.target)")
      for location in locations { met["\(endpoint(request)) \(location)", default: 0] += 1 }
    }
    #expect(Set(met.keys) == Set(DemoShop.plantedRegressions.map { "\($0.endpoint) \($0.location)" }))
    #expect(met.values.allSatisfy { $0 >= 3 }, "\(met)")
  }

  @Test func `the canary thinks longer where it is said`() {
    let responder = ShopResponder(seed: 1)
    for planned in ShopperPlan(seed: 1, requests: 400, duration: .seconds(1)).requests {
      let times = ShopVariant.allCases.map {
        responder.respond(to: planned.request, $0, noise).thinkingMilliseconds
      }
      let planted = DemoShop.plantedSlowness.first { $0.endpoint == endpoint(planned.request) }
      let extra = planned.request.target.contains("9999") ? 0 : planted?.milliseconds ?? 0
      #expect(times[1] - times[0] == extra)
    }
  }

  @Test func `noise is in every answer that has it and nowhere else`() {
    let responder = ShopResponder(seed: 1)
    let other = ShopNoise(now: Timestamp(seconds: 86_400 * 365, nanoseconds: 0), requestID: 9)
    for planned in ShopperPlan(seed: 1, requests: 400, duration: .seconds(1)).requests {
      var request = planned.request
      request.fields.removeAll { $0.name == "Accept-Encoding" }
      let first = responder.respond(to: request, .primary, noise)
      let second = responder.respond(to: request, .primary, other)
      let names = zip(first.fields, second.fields).filter { $0 != $1 }.map(\.0.name)
      #expect(names == ["Date", "X-Request-Id"])
      let moved = first.bytes.count == second.bytes.count && first.bytes != second.bytes
      #expect(moved == String(decoding: first.bytes, as: UTF8.self).contains("\"generated_at\""))
    }
  }
}
