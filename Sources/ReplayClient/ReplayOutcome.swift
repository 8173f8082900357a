public import HTTPModel

/// Why a recorded exchange was not sent. The raw value is the stable name.
public enum WithheldReason: String, CaseIterable, Sendable {
  /// Its method is not among those allowed.
  case unsafeMethod = "unsafe-method"
  /// Bytes of its head or body are missing or were cut.
  case incompleteRequest = "incomplete-request"
  /// Only its response was seen.
  case noRequest = "no-request"
  /// Its method, path or authority stands in a part of HTTP/2's tables that was never seen.
  case unresolvedRequest = "unresolved-request"
  /// The server pushed it: no client has asked for it.
  case pushed = "pushed"
  /// A gRPC call, and unsafe requests are not allowed: its method says nothing about what it changes.
  case grpcCall = "grpc-call"
  /// A GraphQL mutation, or a persisted operation that may be one, and unsafe requests are not allowed.
  case graphQLMutation = "graphql-mutation"
  /// The rules select it not.
  case excludedByRules = "excluded-by-rules"
  /// It is not in the sample that the rules take.
  case sampledOut = "sampled-out"
  /// It was due, and so much was still waiting for this side that the others would have had to wait with it.
  case fellBehind = "fell-behind"
  /// It was due, and every target's breaker was open.
  case breakerOpen = "breaker-open"
  /// It was due, and the run was interrupted before it could be sent.
  case interrupted = "interrupted"
  /// It was due, and the run's duration was over before it could be sent.
  case durationOver = "duration-over"
}

/// What kept a request from being sent when it was due.
public enum LagCause: String, CaseIterable, Sendable {
  /// The generator itself: its event loop was busy, or the system gave its time to others.
  case generator
  /// The cap on requests in flight was reached.
  case concurrency
  /// As many requests of its route were in flight as the rules allow.
  case route
  /// No connection of the pool was free, or no more could be open.
  case connections
  /// The request before it on its connection had no answer yet, or the connection took its time.
  case target
  /// The target allowed no more streams at a time on its connection.
  case streams
}

/// What one target did.
public struct TargetOutcome: Hashable, Sendable {
  public var target: ReplayTarget
  public var attempts: UInt64 = 0
  /// Attempts that ended without a whole answer.
  public var failed: UInt64 = 0
  /// How often its breaker opened, and whether it was open when the run ended.
  public var breakerOpenings: UInt64 = 0
  public var endedOpen = false

  public init(target: ReplayTarget) { self.target = target }

  fileprivate mutating func add(_ other: TargetOutcome) {
    attempts += other.attempts
    failed += other.failed
    breakerOpenings += other.breakerOpenings
    endedOpen = endedOpen || other.endedOpen
  }
}

/// What a replay did, as counts. The attempts themselves went to `deliver`.
///
/// Of the shadow, unless ``besides`` says whom of. `planned` equals the withheld plus the attempts; those without a connection, and those that a fault aborted, were
/// not `sent`.
public struct ReplayOutcome: Sendable {
  /// Why sending ended.
  public enum End: String, Sendable {
    /// All rounds were carried out.
    case finished
    case interrupted
    case duration
  }

  /// The schedule's start, on the clock of the attempts.
  public var started: Timestamp
  /// When the last attempt ended.
  public var ended: Timestamp
  public var end: End
  /// Exchanges of the session that were due, withheld ones included.
  public var planned: UInt64 = 0
  /// Requests of which at least the first byte was handed to the kernel.
  public var sent: UInt64 = 0
  /// Sent more than 10 ms after they were due.
  public var late: UInt64 = 0
  /// The longest time from due to sent, in nanoseconds.
  public var largestLag: Int64 = 0
  /// What held up the requests that were late, by cause: the one that took most of the time counts.
  public var lateBecause: [LagCause: UInt64] = [:]
  /// The event loop's CPU time as a share of the run's, of several the busiest one's: near 1, the generator was at its
  /// limit.
  public var generatorLoad: Double = 0
  public var skipped: [WithheldReason: UInt64] = [:]
  /// Attempts by outcome.
  public var attempts: [AttemptOutcome: UInt64] = [:]
  /// Rounds that were begun.
  public var rounds: UInt32 = 0
  public var connectionsOpened: UInt64 = 0
  /// Requests sent a second time because a kept connection turned out to be closed.
  public var resent: UInt64 = 0
  /// Times that a request was tried again by ``ReplayOptions/retries``.
  public var retried: UInt64 = 0
  /// Requests that a fault struck, by `delay`, `abort` and `reset`.
  public var faults: [String: UInt64] = [:]
  /// In the order in which they were given.
  public var targets: [TargetOutcome] = []
  /// Requests that waited because the target allowed no more streams at a time (RFC 9113, 5.1.2).
  public var waitedForStream: UInt64 = 0
  public var bytesSent: UInt64 = 0
  public var bytesReceived: UInt64 = 0
  /// The same of the primary and of the control, where they were asked; planned for them is what was planned for the
  /// shadow.
  public var besides: [AttemptRole: ReplayOutcome] = [:]

  public init(started: Timestamp, ended: Timestamp, end: End) {
    self.started = started
    self.ended = ended
    self.end = end
  }

  /// Takes in what another thread of the same run did with its part of the same plan.
  mutating func add(_ other: ReplayOutcome) {
    started = min(started, other.started)
    ended = max(ended, other.ended)
    if end == .finished { end = other.end }
    planned += other.planned
    sent += other.sent
    late += other.late
    largestLag = max(largestLag, other.largestLag)
    lateBecause.merge(other.lateBecause, uniquingKeysWith: +)
    generatorLoad = max(generatorLoad, other.generatorLoad)
    skipped.merge(other.skipped, uniquingKeysWith: +)
    attempts.merge(other.attempts, uniquingKeysWith: +)
    rounds = max(rounds, other.rounds)
    connectionsOpened += other.connectionsOpened
    resent += other.resent
    retried += other.retried
    faults.merge(other.faults, uniquingKeysWith: +)
    for (index, target) in other.targets.enumerated() where index < targets.count { targets[index].add(target) }
    waitedForStream += other.waitedForStream
    bytesSent += other.bytesSent
    bytesReceived += other.bytesReceived
  }
}

/// A running replay's counts for a progress line, all of one moment give or take a batch: of the shadow, unless
/// ``besides`` says whom of.
public struct ReplayProgress: Hashable, Sendable {
  public var planned: UInt64 = 0
  public var sent: UInt64 = 0
  public var answered: UInt64 = 0
  /// Attempts that ended without a whole answer.
  public var failed: UInt64 = 0
  public var withheld: UInt64 = 0
  public var inFlight: UInt64 = 0
  /// Due and waiting for a connection or for the cap.
  public var waiting: UInt64 = 0
  public var openConnections: UInt64 = 0
  /// Targets that are left alone at this moment.
  public var breakersOpen: UInt64 = 0
  /// From due to sent, of the latest request, in nanoseconds.
  public var lag: Int64 = 0
  /// How the latest failed attempt ended; nil while none failed.
  public var latestFailure: AttemptOutcome?
  /// The same of the primary and of the control, where they are asked.
  public var besides: [AttemptRole: ReplayProgress] = [:]

  public init() {}

  /// Takes in what another thread of the same run does.
  mutating func add(_ other: ReplayProgress) {
    planned += other.planned
    sent += other.sent
    answered += other.answered
    failed += other.failed
    withheld += other.withheld
    inFlight += other.inFlight
    waiting += other.waiting
    openConnections += other.openConnections
    breakersOpen = max(breakersOpen, other.breakersOpen)
    lag = max(lag, other.lag)
    latestFailure = latestFailure ?? other.latestFailure
  }
}
