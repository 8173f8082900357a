// What the demo's shopper will ask, when and over which connection, as data.
// In: a seed, a number of requests, a span of time. Out: connections with their requests. Owner: a value.
// Bounds: one element a request.

/// A request of the plan and how it is sent.
struct ShopperRequest: Hashable, Sendable {
  var request: ShopRequest
  /// Sizes of the chunks that the body is sent in; empty where it goes under Content-Length.
  var chunkSizes: [Int] = []
  /// The body waits for 100 (RFC 9110, 10.1.1).
  var expectsContinue = false
}

/// Requests that are written before the first of their answers is read.
struct ShopperBurst: Hashable, Sendable {
  /// From the start of the run. A burst is not sent before the one in front of it is answered.
  var at: Duration
  var requests: [ShopperRequest]
}

/// A connection and what goes over it, in order.
struct ShopperVisit: Hashable, Sendable {
  enum Kind: String, CaseIterable, Sendable {
    /// One request after the other.
    case keepAlive
    /// Several at once (RFC 9112, 9.3.2).
    case pipelining
    /// HTTP/1.0: one request, and the server closes.
    case http10
  }

  var kind: Kind
  var bursts: [ShopperBurst]
}

/// A run of the shopper.
struct ShopperPlan: Hashable, Sendable {
  let connections: [ShopperVisit]

  /// - Parameters:
  ///   - requests: how many in all, from 0.
  ///   - duration: the span over which they are spread evenly.
  init(seed: UInt64, requests: Int, duration: Duration) {
    var deck = ShopperDeck(seed: seed)
    var generator = SplitMix64(seed: seed &+ 1)
    var persistent = (0..<Self.keepAliveConnections).map { _ in ShopperVisit(kind: .keepAlive, bursts: []) }
    var pipelining = ShopperVisit(kind: .pipelining, bursts: [])
    var single: [ShopperVisit] = []
    var planned = 0
    while planned < requests {
      let at = duration * planned / requests
      switch planned % 20 {
      case 7 where requests - planned >= 3:
        pipelining.bursts.append(ShopperBurst(at: at, requests: (0..<3).map { _ in deck.drawRead() }))
        planned += 3
      case 15:
        single.append(
          ShopperVisit(kind: .http10, bursts: [ShopperBurst(at: at, requests: [deck.drawRead()])]))
        planned += 1
      default:
        let burst = ShopperBurst(at: at, requests: [deck.draw()])
        persistent[generator.number(in: 0...persistent.count - 1)].bursts.append(burst)
        planned += 1
      }
    }
    connections = (persistent + [pipelining] + single).filter { !$0.bursts.isEmpty }
  }

  /// In order of connection, then of time.
  var requests: [ShopperRequest] { connections.flatMap { $0.bursts.flatMap(\.requests) } }

  private static let keepAliveConnections = 6
}
