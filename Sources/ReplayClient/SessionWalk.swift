public import HTTPModel
public import ReplaySchedule

/// Decides, exchange by exchange and round by round, what a replay sends and when; nothing is sent by it.
///
/// The plan of a replay, and all that `--dry-run` knows of one. Input: exchanges in the session's order. Bounds: a few
/// numbers whatever the session's length.
public struct SessionWalk: Sendable {
  public enum Step: Hashable, Sendable {
    case send(Arrival)
    case withheld(WithheldReason)
    /// Another shard's.
    case elsewhere
    /// Nothing more is sent: the profile has ended.
    case over
  }

  private let admission: Admission
  private let rounds: UInt32
  private let shard: ReplayShard
  private let rules: (any RequestRules)?
  private var schedule: ArrivalSchedule
  /// Something of this round is sent; a round without anything is not repeated.
  private var isRoundUseful = false

  public init(options: ReplayOptions) {
    admission = Admission(options: options)
    rules = options.rules
    rounds = options.rounds
    shard = options.shard
    schedule = ArrivalSchedule(pacing: options.pacing, maximumPause: options.maximumPause, seed: options.seed)
  }

  /// The round being walked, from 0.
  public var round: UInt32 { schedule.round }
  /// What the rules said of the exchange of the last step.
  private(set) var handling = RequestHandling()
  /// When the last one that was withheld would have been due, in nanoseconds from the schedule's start.
  private(set) var passed: Int64?
  /// Recorded nanoseconds that were left out of pauses.
  public var pausesCut: Int64 { schedule.pausesCut }

  public mutating func step(_ exchange: Exchange) -> Step {
    let isOurs = shard.contains(exchange)
    if let rules { handling = rules.handling(of: exchange, round: round) }
    if let reason = handling.withheld ?? admission.withholding(exchange, allowsUnsafe: handling.allowsUnsafe) {
      passed = schedule.pass(recorded: exchange.start)
      return isOurs ? .withheld(reason) : .elsewhere
    }
    let arrival = schedule.arrival(recorded: exchange.start)
    if arrival == .over { return .over }
    guard isOurs else { return .elsewhere }
    isRoundUseful = true
    return .send(arrival)
  }

  /// Whether a request that is sent to the shadow may change something, so that without
  /// ``ReplayOptions/sendsUnsafeToPrimary`` neither the primary nor the control is sent it.
  public static func isForShadowOnly(_ exchange: Exchange) -> Bool { Admission.withholdingFromPrimary(exchange) != nil }

  /// Goes on to the next round after the session's last exchange.
  /// - Returns: false where there is none.
  public mutating func beginRound() -> Bool {
    guard isRoundUseful, schedule.round < rounds - 1 else { return false }
    isRoundUseful = false
    schedule.beginRound()
    return true
  }
}
