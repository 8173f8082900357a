// The demo's servers and client over loopback: real traffic, every answer checked.

import NIOCore
import Testing

@testable import UmbraCLI

@Suite struct DemoShopTests {
  /// Among a thousand other tests a task may wait for minutes until it is its turn.
  private func shopper(seed: UInt64, requests: Int) -> DemoShopper {
    DemoShopper(seed: seed, requests: requests, duration: .zero, patience: .minutes(20))
  }

  @Test func `the primary answers a whole plan as it should`() async throws {
    let shop = try await DemoShop(variant: .primary, seed: 11)
    let shopper = shopper(seed: 11, requests: 400)
    let tally = try await shopper.run(port: shop.port)
    await shop.stop()
    #expect(tally.complaints == [])
    #expect(tally.requests == 400)
    #expect(tally.answered == 400)
    #expect(tally.connections == shopper.plan.connections.count)
    #expect(Set(tally.statuses.keys).isSuperset(of: [200, 201, 204, 301, 304, 401, 404]))
    #expect(tally.statuses[500] == nil)
  }

  @Test func `the shopper complains about the canary, and only where regressions are planted`() async throws {
    let shop = try await DemoShop(variant: .canary, seed: 11)
    let tally = try await shopper(seed: 11, requests: 400).run(port: shop.port)
    await shop.stop()
    #expect(tally.answered == 400)
    #expect(tally.wrong > 0)
    #expect(tally.complaints.count == ShopperTally.complaintLimit)
    let paths = ["GET /items/", "GET /search", "GET /users/"]
    #expect(tally.complaints.allSatisfy { complaint in paths.contains { complaint.hasPrefix($0) } })
  }

  @Test func `the kernel chooses a port, and two shops have two`() async throws {
    let first = try await DemoShop(variant: .primary, seed: 1)
    let second = try await DemoShop(variant: .canary, seed: 1)
    #expect(first.port > 0 && second.port > 0 && first.port != second.port)
    await first.stop()
    await second.stop()
  }

  @Test func `a port in use is an error`() async throws {
    let shop = try await DemoShop(variant: .primary, seed: 1)
    await #expect(throws: (any Error).self) {
      _ = try await DemoShop(variant: .canary, seed: 1, port: shop.port)
    }
    await shop.stop()
  }

  @Test func `a shop that is gone is a complaint, not an error`() async throws {
    let shop = try await DemoShop(variant: .primary, seed: 1)
    await shop.stop()
    let shopper = shopper(seed: 1, requests: 40)
    let tally = try await shopper.run(port: shop.port)
    #expect(tally.answered == 0)
    #expect(tally.wrong == shopper.plan.connections.count)
  }
}
