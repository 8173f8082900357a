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
  /// The most requests in flight; others that are due wait, and their lateness counts. 1 or more.
  public var concurrency = 1024
  public var connections = Connections.recorded
  /// Nanoseconds from an attempt's first byte to the last of its answer.
  public var timeout: Int64 = 10_000_000_000
  /// Nanoseconds for a connection to be made.
  public var connectTimeout: Int64 = 3_000_000_000
  /// Methods that are sent, in the spelling of the wire; the others are withheld. nil sends every method.
  public var methods: Set<String>? = ["GET", "HEAD", "OPTIONS"]
  /// Before anything is sent a connection is made and closed, so that a wrong or dead target is told at once. Without
  /// it every attempt fails by itself.
  public var checksTarget = true
  public var host = Host.recorded
  public var marker: Marker?
  /// How often to go through the session. 1 or more.
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
  public var interruptGrace: Int64 = 1_000_000_000
  /// Which of a run's targets this one is, for ``HTTPModel/Attempt/target``.
  public var targetIndex: UInt16 = 0

  public init() {}

  func validate() throws(ReplayError) {
    func require(_ holds: Bool, _ name: String, _ expected: String) throws(ReplayError) {
      if !holds { throw .optionOutOfRange(name: name, expected: expected) }
    }
    try require((1...1_000_000).contains(concurrency), "concurrency", "1 to 1000000")
    if case .pool(let size) = connections { try require((1...1_000_000).contains(size), "connections", "1 to 1000000") }
    let day: Int64 = 86_400_000_000_000
    try require((1...day).contains(timeout), "timeout", "above 0, up to a day")
    try require((1...day).contains(connectTimeout), "connect timeout", "above 0, up to a day")
    try require(rounds >= 1, "loop", "1 or more")
    try require(duration.map { $0 > 0 } ?? true, "duration", "above 0")
    try require(bodyLimit >= 0, "body limit", "0 or more bytes")
    try require(readAheadCount >= 1, "read-ahead", "1 or more requests")
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
