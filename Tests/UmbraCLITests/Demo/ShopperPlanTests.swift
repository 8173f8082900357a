// The shopper's plan: the same for a seed, spread over its time, with every way of sending in it.

import Testing

@testable import UmbraCLI

@Suite struct ShopperPlanTests {
  @Test func `a seed determines a plan`() {
    let plan = ShopperPlan(seed: 5, requests: 400, duration: .seconds(2))
    #expect(plan == ShopperPlan(seed: 5, requests: 400, duration: .seconds(2)))
    #expect(plan != ShopperPlan(seed: 6, requests: 400, duration: .seconds(2)))
  }

  @Test(arguments: [0, 1, 2, 9, 21, 100, 400, 1003])
  func `it has as many requests as were asked for, in order of time`(count: Int) {
    let plan = ShopperPlan(seed: 1, requests: count, duration: .seconds(2))
    #expect(plan.requests.count == count)
    for connection in plan.connections {
      let times = connection.bursts.map(\.at)
      #expect(times == times.sorted())
      #expect(times.allSatisfy { $0 >= .zero && $0 < .seconds(2) })
    }
  }

  @Test func `it sends in every way`() {
    let plan = ShopperPlan(seed: 1, requests: 400, duration: .seconds(2))
    let requests = plan.requests
    func count(_ matches: (ShopperRequest) -> Bool) -> Int { requests.count(where: matches) }
    #expect(plan.connections.count { $0.kind == .keepAlive } == 6)
    #expect(plan.connections.first { $0.kind == .pipelining }?.bursts.allSatisfy { $0.requests.count == 3 } == true)
    #expect(plan.connections.count { $0.kind == .http10 } == 20)
    #expect(count { $0.chunkSizes.count > 1 } >= 3)
    #expect(count { $0.expectsContinue } >= 1)
    #expect(count { $0.request.method == "HEAD" } >= 3)
    #expect(count { $0.request.method == "OPTIONS" } >= 1)
    #expect(count { $0.request.target == "/orders" } >= 3)
    #expect(count { $0.request.value("if-none-match") != nil } >= 3)
    #expect(count { $0.request.value("accept-encoding") == "gzip" } >= 30)
    #expect(count { $0.request.value("authorization") != nil } >= 30)
  }

  @Test func `only what may be repeated is pipelined or sent by HTTP/1.0`() {
    for connection in ShopperPlan(seed: 3, requests: 1000, duration: .seconds(1)).connections
    where connection.kind != .keepAlive {
      for burst in connection.bursts {
        #expect(burst.requests.allSatisfy { $0.request.method != "POST" && $0.request.body.isEmpty })
      }
    }
  }

  @Test func `the sizes of chunks add up to the body`() {
    for planned in ShopperPlan(seed: 3, requests: 1000, duration: .seconds(1)).requests
    where !planned.chunkSizes.isEmpty {
      #expect(planned.chunkSizes.reduce(0, +) == planned.request.body.count)
      #expect(planned.chunkSizes.allSatisfy { $0 > 0 })
    }
  }
}
