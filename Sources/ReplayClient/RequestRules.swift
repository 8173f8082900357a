public import HTTPModel

/// What rules make of recorded requests, one by one, in the session's order.
///
/// Rules may change while a run lasts; what they said of one request holds for it.
public protocol RequestRules: AnyObject, Sendable {
  /// Whether a request is sent, and how. Asked on the thread that reads the session or live traffic, once for each
  /// exchange and round.
  func handling(of exchange: Exchange, round: UInt32) -> RequestHandling
  /// The request that is sent for an exchange to whom has this role; nil where that is `request` as it is. Asked on the
  /// same thread, and on the event loop for requests that had to wait for values of others' answers, which then stand in
  /// `request`.
  func rewritten(_ request: HTTPRequest, of exchange: Exchange, for role: AttemptRole) -> HTTPRequest?
}

/// What becomes of one request, beside what the options say.
public struct RequestHandling: Sendable {
  /// Why it is not sent; nil leaves that to the options.
  public var withheld: WithheldReason?
  /// Whether it is sent though it may change something; nil leaves that to the options.
  public var allowsUnsafe: Bool?
  public var route: RequestRoute?
  /// Beside those of the options. A throttle holds for the connection that is opened for the request.
  public var faults: [Fault] = []

  public init() {}
}

/// Limits of the requests of one kind, in place of those of the options.
public struct RequestRoute: Hashable, Sendable {
  /// What is waited before a request is tried again: nothing, always the same, or what ``RetryBackoff`` says.
  public enum Backoff: Sendable { case none, constant, exponential }

  /// Tells it from others: requests of one number share a cap.
  public var number: Int
  /// Nanoseconds from an attempt's first byte to the last of its answer, above 0.
  public var timeout: Int64?
  public var retries: UInt32?
  public var backoff = Backoff.exponential
  /// The most requests of this route in flight, 1 or more.
  public var concurrency: Int?

  public init(number: Int) { self.number = number }
}

/// Caps on requests in flight of single routes, and what waits for them. Confined to the event loop.
///
/// Bounds: an entry for each capped route that has something in flight or waiting.
struct RouteGates {
  enum Waiting {
    /// A recorded connection whose next request is of the route.
    case lane(Lane)
    /// A request of a pool.
    case request(PlannedRequest)
  }

  private struct Gate {
    var inFlight = 0
    /// The longest waiting last.
    var waiting: [Waiting] = []
  }

  /// Of each cap.
  private let share: EvenShare
  private var gates: [Int: Gate] = [:]
  /// What waits at all of them.
  private(set) var waitingCount = 0

  init(share: EvenShare) { self.share = share }

  func hasRoom(for route: RequestRoute?) -> Bool {
    guard let route, let cap = route.concurrency else { return true }
    return gates[route.number].map { $0.inFlight < max(1, share.of(cap)) } ?? true
  }

  mutating func wait(_ waiting: Waiting, for route: RequestRoute) {
    gates[route.number, default: Gate()].waiting.insert(waiting, at: 0)
    waitingCount += 1
  }

  mutating func enter(_ route: RequestRoute?) {
    if let route, route.concurrency != nil { gates[route.number, default: Gate()].inFlight += 1 }
  }

  /// A request of the route has ended.
  /// - Returns: what may go on now.
  mutating func leave(_ route: RequestRoute?) -> Waiting? {
    guard let route, route.concurrency != nil else { return nil }
    gates[route.number]?.inFlight -= 1
    return next(of: route)
  }

  /// What waits longest for the route, where it has room; also called where a request that was let go was not sent.
  mutating func next(of route: RequestRoute?) -> Waiting? {
    guard let route, hasRoom(for: route), var gate = gates[route.number] else { return nil }
    defer { gates[route.number] = gate.inFlight == 0 && gate.waiting.isEmpty ? nil : gate }
    guard let next = gate.waiting.popLast() else { return nil }
    waitingCount -= 1
    return next
  }

  /// Forgets what waits, as nothing more is sent.
  mutating func removeWaiting() {
    for number in gates.keys { gates[number]?.waiting = [] }
    waitingCount = 0
  }
}
