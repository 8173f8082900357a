public import HTTPModel
public import ReplaySchedule

/// How a session is sent. The defaults are those of `umbra replay`.
public struct ReplayOptions: Sendable {
  /// Which connections requests travel on.
  public enum Connections: Hashable, Sendable {
    /// One for each recorded connection, opened when its first request is due and closed when its last one is done.
    case recorded
    /// This many, kept open; a due request takes the first that is free.
    case pool(Int)
  }

  /// What stands in the Host field. Unless it is as recorded, a request without one is given one.
  public enum Host: Hashable, Sendable {
    case recorded
    /// The target's own name and port.
    case target
    case name(String)
  }

  /// A header field added to the end of each request's head.
  public struct Marker: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  public var pacing = Pacing.realTime
  /// The longest recorded pause, in recorded nanoseconds; nil keeps every pause.
  public var maximumPause: Int64?
  /// Of everything random that must be repeatable: a profile's arrivals, faults, who is asked first.
  public var seed: UInt64 = 1
  /// Which of the session's connections this process replays. Arrivals of a profile are counted over all shards, so
  /// that shards that start together send what one process would have sent, at the same times.
  public var shard = ReplayShard.whole
  /// The most requests in flight to the shadow, and to the primary and the control as many each; others that are due
  /// wait, and their lateness counts. 1 or more.
  public var concurrency = 1024
  public var connections = Connections.recorded
  /// Event loops, each on a thread of its own, that share the shadow's connections and caps evenly; each has breakers
  /// and retries of its own. More than 1 only where the shadow alone is asked and nothing depends on its answers.
  public var threads = 1
  public var protocolChoice = ProtocolChoice.recorded
  /// Of `https` targets.
  public var security = TargetSecurity()
  /// Where names are, before the system is asked.
  public var resolved: [ResolvedName] = []
  /// Nanoseconds from an attempt's first byte to the last of its answer.
  public var timeout: Int64 = 10_000_000_000
  /// Nanoseconds from an attempt's first byte to the first of its answer; nil for ``timeout``.
  public var firstByteTimeout: Int64?
  /// How often a safe request is sent again that got no connection, or whose connection ended before any of its answer;
  /// after ``RetryBackoff``'s waits. Other requests are never doubled.
  public var retries: UInt32 = 0
  /// When a target is left alone; nil for never.
  public var breaker: BreakerOptions? = .standard
  /// What is made to go wrong on purpose.
  public var faults: [Fault] = []
  /// Nanoseconds for a connection to be made.
  public var connectTimeout: Int64 = 3_000_000_000
  /// Methods that are sent, in the spelling of the wire; the others are withheld, and so are gRPC calls and GraphQL
  /// mutations whatever their method. nil sends everything.
  public var methods: Set<String>? = ["GET", "HEAD", "OPTIONS"]
  /// Whether what is sent to the shadow and may change something also goes to the primary and the control. Without it
  /// they are sent safe methods only, and of those no gRPC calls and GraphQL mutations.
  public var sendsUnsafeToPrimary = false
  /// Before anything is sent a connection is made and closed, so that a wrong or dead target is told at once. Without
  /// it every attempt fails by itself.
  public var checksTarget = true
  public var host = Host.recorded
  public var marker: Marker?
  /// What decides of each request whether it is sent, as what and how; nil leaves all of that to the options.
  public var rules: (any RequestRules)?
  /// Nanoseconds by which reading the session goes ahead of the schedule at most, so that ``rules`` that change show
  /// soon; nil leaves that to ``readAheadCount``. Without due times ``readAheadCount`` alone bounds it.
  public var readAheadTime: Int64?
  /// What requests need of the target's own answers; nil sends them as they were recorded.
  public var dependencies: (any ReplayDependencies)?
  /// Nanoseconds that a request waits at most for the answers that it needs.
  public var dependencyTimeout: Int64 = 10_000_000_000
  /// What makes this run's idempotency keys differ from the recorded ones and from another run's; nil leaves the keys
  /// of unsafe requests as they are.
  public var idempotencyRun: String?
  /// Fields that a request is sent with in place of its own, by request, exchange, round and whom it is sent to.
  public typealias ReplacedFields =
    @Sendable (HTTPRequest, ExchangeID, UInt32, AttemptRole) -> [(name: [UInt8], value: [UInt8])]
  public var replacedFields: ReplacedFields?
  /// How often to go through the session at most. 1 or more.
  public var rounds: UInt32 = 1
  /// Nanoseconds after which nothing more is sent; nil for no limit.
  public var duration: Int64?
  /// Bytes kept of a response's body; the rest is counted, and hashed so that equality can still be told.
  public var bodyLimit = 10_000_000
  /// The most requests read and not yet delivered.
  public var readAheadCount = 16_384
  /// Bytes of exchanges and answers held at one time. At the limit reading pauses, and answers keep no more body.
  public var memoryLimit = 256 * 1024 * 1024
  /// The most connections open at one time with ``Connections/recorded``; beyond it the longest idle one makes room.
  /// Never above what the process's limit on open files allows.
  public var openConnections = 16_384
  /// Nanoseconds that a recorded connection stays open without a request while its recorded end is not known.
  public var idleTimeout: Int64 = 60_000_000_000
  /// Nanoseconds that ``Replayer/interrupt()`` leaves to requests in flight.
  public var interruptGrace: Int64 = 5_000_000_000

  public init() {}

  func validate() throws(ReplayError) {
    func require(_ holds: Bool, _ name: String, _ expected: String) throws(ReplayError) {
      if !holds { throw .optionOutOfRange(name: name, expected: expected) }
    }
    try require((1...1_000_000).contains(concurrency), "concurrency", "1 to 1000000")
    if case .pool(let size) = connections { try require((1...1_000_000).contains(size), "connections", "1 to 1000000") }
    try require((1...64).contains(threads), "threads", "1 to 64")
    try require(concurrency >= threads, "concurrency", "at least one request in flight for each of \(threads) threads")
    if case .pool(let size) = connections {
      try require(size >= threads, "connections", "at least one for each of \(threads) threads")
    }
    try require(threads == 1 || dependencies == nil, "threads", "1 where requests need the target's own answers")
    let day: Int64 = 86_400_000_000_000
    try require((1...day).contains(timeout), "timeout", "above 0, up to a day")
    try require((1...day).contains(connectTimeout), "connect timeout", "above 0, up to a day")
    try require(firstByteTimeout.map { (1...day).contains($0) } ?? true, "first byte timeout", "above 0, up to a day")
    try require(maximumPause.map { $0 >= 0 } ?? true, "pause", "0 or more")
    try require((1...day).contains(dependencyTimeout), "wait for answers", "above 0, up to a day")
    try require(retries <= 100, "retries", "at most 100")
    if let breaker {
      try require(breaker.share > 0 && breaker.share <= 1, "breaker", "a share above 0%, up to 100%")
      try require((1_000_000...day).contains(breaker.window), "breaker", "a window from 1ms to a day")
      try require(
        breaker.wait > 0 && breaker.probes > 0 && breaker.longestWait > 0, "breaker", "waits and probes above 0")
    }
    for fault in faults {
      try require(ReplayOptions.isPossible(fault), "fault", "shares to 100%, times to a day, a status")
    }
    try require(rounds >= 1, "loop", "1 or more")
    try require(duration.map { $0 > 0 } ?? true, "duration", "above 0")
    try require(bodyLimit >= 0, "body limit", "0 or more bytes")
    try require(readAheadCount >= 1, "read-ahead", "1 or more requests")
    try require(readAheadTime.map { $0 > 0 } ?? true, "read-ahead", "a time above 0")
    try require(memoryLimit >= 1, "memory limit", "1 or more bytes")
    try require(openConnections >= 1, "open connections", "1 or more")
    try require((1...day).contains(idleTimeout), "idle timeout", "above 0, up to a day")
    try require((0...day).contains(interruptGrace), "grace", "up to a day")
    if case .name(let name) = host {
      try require(ReplayOptions.isFieldValue(name), "host", "a host name, optionally with a port")
    }
    if let marker {
      try require(ReplayOptions.isToken(marker.name), "marker", "a header field's name before the colon")
      try require(ReplayOptions.isFieldValue(marker.value), "marker", "a value of printable characters")
    }
  }

  private static func isPossible(_ fault: Fault) -> Bool {
    switch fault {
    case .delay(let share, let range):
      (0...1).contains(share) && range.lowerBound >= 0 && range.upperBound <= 86_400_000_000_000
    case .abort(let share, let status): (0...1).contains(share) && (200...599).contains(status)
    case .reset(let share): (0...1).contains(share)
    case .throttle(let bytesPerSecond): (1...1_000_000_000_000).contains(bytesPerSecond)
    }
  }

  /// RFC 9110, 5.6.2.
  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }

  /// RFC 9110, 5.5: nothing that could end the line.
  private static func isFieldValue(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7f }
  }
}
