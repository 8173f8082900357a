public import HTTPModel

/// What requests need of the target's answers to others before they can be sent.
///
/// Asked on the event loop and on the thread that reads the session: it must be quick, and the same for the same
/// exchange at any time.
public protocol ReplayDependencies: Sendable {
  /// The exchanges whose answers a request needs, all of them before it in the session; empty for most.
  func producers(of dependant: ExchangeID) -> [ExchangeID]
  /// Whether a later request needs something of the answer to this one.
  func isProducer(_ exchange: ExchangeID) -> Bool
  /// What is kept of the target's answer to a producer, by numbers that only these dependencies understand.
  func values(in response: HTTPResponse, to producer: ExchangeID) -> [UInt32: [UInt8]]
  /// The request as it is to be sent; nil where the answers to its producers lack something.
  func substituted(
    _ request: HTTPRequest, of dependant: ExchangeID, values: (ExchangeID) -> [UInt32: [UInt8]]
  ) -> HTTPRequest?
}

/// What came of the requests that others wait for, and who waits. Confined to the event loop.
///
/// Bounds: what is kept of an answer for 65,536 producers, or for those of two rounds where these have more, and the
/// requests that wait.
struct AnswerBoard {
  private struct Key: Hashable {
    var round: UInt32
    var exchange: ExchangeID
  }

  private enum State {
    case made([UInt32: [UInt8]])
    case failed
  }

  private var states: [Key: State] = [:]
  private var waiting: [Key: [PlannedRequest]] = [:]
  private var round: UInt32 = 0

  private static let keptLimit = 65_536

  enum Readiness { case ready, waits, blocked }

  func readiness(of request: PlannedRequest) -> Readiness {
    if request.needs.isEmpty { return .ready }
    if request.isBlocked { return .blocked }
    var readiness = Readiness.ready
    for producer in request.needs {
      switch states[Key(round: request.round, exchange: producer)] {
      case .made: continue
      case .failed: return .blocked
      case nil: readiness = .waits
      }
    }
    return readiness
  }

  /// Lets a request wait for the first of its producers that has not ended.
  mutating func add(_ request: PlannedRequest) {
    let missing = request.needs.first { states[Key(round: request.round, exchange: $0)] == nil }
    if let missing { waiting[Key(round: request.round, exchange: missing), default: []].append(request) }
  }

  func values(of producer: ExchangeID, round: UInt32) -> [UInt32: [UInt8]] {
    if case .made(let values)? = states[Key(round: round, exchange: producer)] { return values }
    return [:]
  }

  /// - Parameter values: of the answer; nil where none came.
  /// - Returns: the requests that waited for this one.
  mutating func settle(_ exchange: ExchangeID, round: UInt32, _ values: [UInt32: [UInt8]]?) -> [PlannedRequest] {
    if round > self.round {
      self.round = round
      // Short rounds overlap, as many as are read ahead; a round with more producers than that overlaps one other.
      if states.count > AnswerBoard.keptLimit { states = states.filter { $0.key.round &+ 1 >= round } }
    }
    let key = Key(round: round, exchange: exchange)
    states[key] = values.map { .made($0) } ?? .failed
    return waiting.removeValue(forKey: key) ?? []
  }

  mutating func removeAll() {
    states.removeAll()
    waiting.removeAll()
  }
}
