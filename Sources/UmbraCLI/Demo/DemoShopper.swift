// The demo's client: carries out a ShopperPlan over loopback and checks every answer against the primary's.
//
// In: a plan, a port on 127.0.0.1. Out: real traffic, and a tally of it. Owner: the demo command. Bounds: the plan's
// connections, its patience for an answer.

import NIOCore

/// Shops at a ``DemoShop``.
struct DemoShopper: Sendable {
  let plan: ShopperPlan
  private let responder: ShopResponder
  private let patience: TimeAmount

  /// - Parameters:
  ///   - seed: the shop's.
  ///   - requests: how many in all.
  ///   - duration: the span over which they are spread.
  ///   - patience: how long the answers to a burst of requests may take.
  init(
    seed: UInt64, requests: Int = 400, duration: Duration = .milliseconds(2500), patience: TimeAmount = .seconds(10)
  ) {
    self.patience = patience
    plan = ShopperPlan(seed: seed, requests: requests, duration: duration)
    responder = ShopResponder(seed: seed)
  }

  /// Sends the plan and returns when the last answer is in. What goes wrong is in the tally.
  /// - Throws: `CancellationError`.
  func run(port: Int) async throws -> ShopperTally {
    let start = ContinuousClock.now
    return try await withThrowingTaskGroup(of: ShopperTally.self) { group in
      for connection in plan.connections {
        group.addTask {
          try await ShopperConnection(planned: connection, responder: responder, port: port, patience: patience).run(
            start: start)
        }
      }
      var total = ShopperTally()
      for try await tally in group { total.add(tally) }
      return total
    }
  }
}
