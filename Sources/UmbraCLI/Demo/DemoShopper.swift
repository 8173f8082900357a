// The demo's client: carries out a ShopperPlan over loopback and checks every answer against the primary's.
//
// In: a plan, a port on 127.0.0.1. Out: real traffic, and a tally of it. Owner: the demo command. Bounds: the plan's
// connections, ShopperConnection.patience for an answer.

/// Shops at a ``DemoShop``.
struct DemoShopper: Sendable {
  let plan: ShopperPlan
  private let responder: ShopResponder

  /// - Parameters:
  ///   - seed: the shop's.
  ///   - requests: how many in all.
  ///   - duration: the span over which they are spread.
  init(seed: UInt64, requests: Int = 400, duration: Duration = .milliseconds(2500)) {
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
          try await ShopperConnection(planned: connection, responder: responder, port: port).run(start: start)
        }
      }
      var total = ShopperTally()
      for try await tally in group { total.add(tally) }
      return total
    }
  }
}
