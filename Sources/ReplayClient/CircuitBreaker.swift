/// Stops sending to a target that fails, tries it again after a while, and goes on once it answers.
///
///                    share of failures over the limit
///       ┌──────────┐ ───────────────────────────────> ┌──────────┐
///       │  closed  │                                  │   open   │ <──┐
///       └──────────┘                                  └──────────┘    │
///            ^                                             │ time is  │ a probe
///            │ every probe is answered  ┌────────────┐     │ up       │ fails, or
///            └───────────────────────── │ half open  │ <───┘          │ is silent
///                                       └────────────┘ ───────────────┘
///
/// A pure value: times in nanoseconds go in, states and admissions come out. Results of requests that were admitted in a
/// state before the present one change nothing. Each time that probing fails the wait is doubled, up to a limit.
/// Bounds: ``slotCount`` pairs of counts.
struct CircuitBreaker: Sendable {
  enum State: Hashable, Sendable {
    /// Everything is admitted.
    case closed
    /// Nothing is admitted before this time.
    case open(until: Int64)
    /// A few probes are admitted.
    case halfOpen
  }

  /// What a result was admitted as: given back with it.
  struct Ticket: Hashable, Sendable {
    fileprivate var generation: UInt32
  }

  enum Result: Sendable {
    case success, failure
    /// Nothing was learnt of the target.
    case abandoned
  }

  private let options: BreakerOptions
  private(set) var state = State.closed
  /// How often it went from closed to open.
  private(set) var openings: UInt64 = 0
  /// How often in a row probing has failed.
  private(set) var failedProbings: UInt32 = 0

  /// Raised with each change of state, so that an old ticket is known.
  private var generation: UInt32 = 0
  /// The window, cut into slots: results and failures of each, the latest at `slot`.
  private var slots = [(results: UInt32, failures: UInt32)](repeating: (0, 0), count: CircuitBreaker.slotCount)
  private var slot: Int64 = 0
  private var slotEnd = Int64.min
  /// While half open: probes that were admitted, and that were answered.
  private var probes: UInt32 = 0
  private var answeredProbes: UInt32 = 0

  static let slotCount = 10

  init(_ options: BreakerOptions) { self.options = options }

  /// Whether ``admit(at:)`` would admit.
  func admits(at now: Int64) -> Bool {
    switch state {
    case .closed: true
    case .open(let until): now >= until
    case .halfOpen: probes < options.probes
    }
  }

  /// Admits a request; its result is told by ``record(_:of:at:)``, whatever it is. nil where it must not be sent.
  mutating func admit(at now: Int64) -> Ticket? {
    if case .open(let until) = state, now >= until { enter(.halfOpen) }
    switch state {
    case .closed: break
    case .open: return nil
    case .halfOpen:
      guard probes < options.probes else { return nil }
      probes += 1
    }
    return Ticket(generation: generation)
  }

  mutating func record(_ result: Result, of ticket: Ticket, at now: Int64) {
    guard ticket.generation == generation else { return }
    switch (state, result) {
    case (.closed, .success), (.closed, .failure): count(isFailure: result == .failure, at: now)
    case (.halfOpen, .success):
      answeredProbes += 1
      guard answeredProbes >= options.probes else { return }
      failedProbings = 0
      enter(.closed)
    case (.halfOpen, .failure):
      failedProbings &+= 1
      open(at: now)
    case (.halfOpen, .abandoned): probes -= 1
    case (.closed, .abandoned), (.open, _): break
    }
  }

  private mutating func count(isFailure: Bool, at now: Int64) {
    if now >= slotEnd {
      let length = max(1, options.window / Int64(CircuitBreaker.slotCount))
      let current = now / length
      let passed = current &- slot
      slotEnd = (current &+ 1).multipliedReportingOverflow(by: length).partialValue
      // After a silence longer than the window every slot is empty, whichever is the latest.
      for step in 0..<max(0, min(passed, Int64(CircuitBreaker.slotCount))) { slots[index(current &- step)] = (0, 0) }
      slot = max(slot, current)
    }
    slots[index(slot)].results &+= 1
    guard isFailure else { return }
    slots[index(slot)].failures &+= 1
    let (results, failures) = slots.reduce((UInt64(0), UInt64(0))) { ($0.0 + UInt64($1.0), $0.1 + UInt64($1.1)) }
    if results >= UInt64(options.minimumCount), Double(failures) >= options.share * Double(results) {
      openings &+= 1
      open(at: now)
    }
  }

  private func index(_ slot: Int64) -> Int { Int(UInt64(bitPattern: slot) % UInt64(CircuitBreaker.slotCount)) }

  private mutating func open(at now: Int64) {
    let doublings = min(failedProbings, 30)
    let wait = options.wait.multipliedReportingOverflow(by: 1 << Int64(doublings))
    enter(.open(until: now &+ min(wait.overflow ? .max : wait.partialValue, options.longestWait)))
  }

  private mutating func enter(_ next: State) {
    state = next
    generation &+= 1
    (probes, answeredProbes) = (0, 0)
    if next == .closed { for index in slots.indices { slots[index] = (0, 0) } }
  }
}

/// When a target is left alone.
public struct BreakerOptions: Hashable, Sendable {
  /// The share of failures that opens it, above 0 up to 1.
  public var share: Double
  /// Nanoseconds of results that count.
  public var window: Int64
  /// Results in the window below which it stays closed.
  public var minimumCount = 20
  /// Nanoseconds until it is tried again; doubled each time that this fails.
  public var wait: Int64 = 1_000_000_000
  public var longestWait: Int64 = 30_000_000_000
  /// Requests that try it; all of them must be answered.
  public var probes: UInt32 = 3

  public init(share: Double, window: Int64) {
    self.share = share
    self.window = window
  }

  /// `50%/10s`: half of the results of ten seconds.
  public static let standard = BreakerOptions(share: 0.5, window: 10_000_000_000)
}
