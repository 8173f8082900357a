public import HTTPModel

/// When a request is to be sent.
public enum Arrival: Hashable, Sendable {
  /// Nanoseconds from the replay's start.
  case due(Int64)
  /// As soon as its connection is free.
  case whenReady
  /// Never: the profile has ended.
  case over
}

/// Walks a session, round after round, and says when each of its requests is due.
///
/// Input: recorded times in the session's order. Output: nanoseconds from the replay's start, never falling. It holds
/// a few numbers whatever the session's length.
public struct ArrivalSchedule: Sendable {
  public let pacing: Pacing
  /// Requests that were given a place, over all rounds.
  public private(set) var arrivals: UInt64 = 0
  /// The round being walked, from 0.
  public private(set) var round: UInt32 = 0
  /// Recorded nanoseconds that were left out of pauses.
  public private(set) var pausesCut: Int64 = 0

  private let maximumPause: Int64?
  private var walk: ArrivalWalk?
  /// The recorded time that this round counts from; nil until its first exchange.
  private var origin: Timestamp?
  /// Recorded nanoseconds that the rounds before this one took.
  private var base: Int64 = 0
  /// Recorded nanoseconds from ``origin`` to the latest exchange of this round, and how many exchanges it had.
  private var span: Int64 = 0
  private var exchanges: Int64 = 0
  /// Where the latest request that is sent stood in recorded time, pauses included.
  private var latestOffset: Int64 = 0
  private var latest: Int64 = 0

  /// - Parameters:
  ///   - maximumPause: recorded nanoseconds between two requests that are sent, and before the first; what is above is
  ///     left out. nil keeps every pause.
  ///   - seed: of a profile's random parts.
  public init(pacing: Pacing, maximumPause: Int64? = nil, seed: UInt64 = 1) {
    self.pacing = pacing
    self.maximumPause = maximumPause
    if case .profile(let profile) = pacing { walk = ArrivalWalk(profile, seed: seed) }
  }

  /// Counts an exchange that is not sent: it takes no arrival of a profile, and its time still passes.
  /// - Returns: when it would have been due; nil where its recorded time does not say.
  @discardableResult
  public mutating func pass(recorded: Timestamp) -> Int64? {
    let offset = offset(of: recorded)
    guard case .recorded(let speed) = pacing else { return nil }
    return speed.dividing(max(0, offset - pausesCut))
  }

  /// When the next request is due.
  ///
  /// A recorded time before an earlier one, which no sorted session holds, is due together with that one.
  public mutating func arrival(recorded: Timestamp) -> Arrival {
    let offset = offset(of: recorded)
    switch pacing {
    case .maximum:
      arrivals &+= 1
      return .whenReady
    case .recorded(let speed): latest = max(latest, speed.dividing(withoutPauses(offset)))
    case .profile:
      guard let due = walk?.next() else { return .over }
      latest = max(latest, due)
    }
    arrivals &+= 1
    return .due(latest)
  }

  /// Goes back to the session's first exchange.
  ///
  /// The new round starts one mean recorded gap after the last exchange, so that going round keeps the session's rate.
  public mutating func beginRound() {
    let gap = exchanges > 1 ? span / (exchanges - 1) : 0
    base = ArrivalSchedule.sum(base, ArrivalSchedule.sum(span, gap))
    (origin, span, exchanges) = (nil, 0, 0)
    round &+= 1
  }

  /// `offset` less what the pauses until then had too much.
  private mutating func withoutPauses(_ offset: Int64) -> Int64 {
    if let maximumPause {
      let pause = max(0, offset - latestOffset)
      pausesCut = ArrivalSchedule.sum(pausesCut, max(0, pause - maximumPause))
    }
    latestOffset = max(latestOffset, offset)
    return offset - pausesCut
  }

  /// Recorded nanoseconds from the first round's first exchange, 0 or more.
  private mutating func offset(of recorded: Timestamp) -> Int64 {
    let start = origin ?? recorded
    origin = start
    let difference = recorded.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
    let distance = difference.overflow ? (recorded < start ? 0 : Int64.max) : max(difference.partialValue, 0)
    span = max(span, distance)
    exchanges &+= 1
    return ArrivalSchedule.sum(base, distance)
  }

  /// Of two numbers from 0 on, cut at the largest.
  private static func sum(_ a: Int64, _ b: Int64) -> Int64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? Int64.max : sum
  }
}
