public import HTTPModel

/// Walks a session, round after round, and says when each of its requests is due.
///
/// Input: recorded times in the session's order. Output: nanoseconds from the replay's start, never falling. It holds
/// a few numbers whatever the session's length.
public struct ArrivalSchedule: Sendable {
  public let pacing: Pacing
  /// Requests that were given a due time, over all rounds.
  public private(set) var arrivals: UInt64 = 0
  /// The round being walked, from 0.
  public private(set) var round: UInt32 = 0

  /// The recorded time that this round counts from; nil until its first exchange.
  private var origin: Timestamp?
  /// Recorded nanoseconds that the rounds before this one took.
  private var base: Int64 = 0
  /// Recorded nanoseconds from ``origin`` to the latest exchange of this round, and how many exchanges it had.
  private var span: Int64 = 0
  private var exchanges: Int64 = 0
  private var latest: Int64 = 0

  public init(pacing: Pacing) { self.pacing = pacing }

  /// Counts an exchange that is not sent: it takes no place in a constant rate, and its time still passes.
  public mutating func pass(recorded: Timestamp) { _ = offset(of: recorded) }

  /// When the next request is due; nil where the pacing has no due times.
  ///
  /// A recorded time before an earlier one, which no sorted session holds, is due together with that one.
  public mutating func arrival(recorded: Timestamp) -> Int64? {
    let offset = offset(of: recorded)
    defer { arrivals &+= 1 }
    guard let due = pacing.due(index: arrivals, recordedOffset: offset) else { return nil }
    latest = max(latest, due)
    return latest
  }

  /// Goes back to the session's first exchange.
  ///
  /// The new round starts one mean recorded gap after the last exchange, so that going round keeps the session's rate.
  public mutating func beginRound() {
    let gap = exchanges > 1 ? span / (exchanges - 1) : 0
    let length = span.addingReportingOverflow(gap)
    let sum = base.addingReportingOverflow(length.overflow ? Int64.max : length.partialValue)
    base = sum.overflow ? Int64.max : sum.partialValue
    (origin, span, exchanges) = (nil, 0, 0)
    round &+= 1
  }

  /// Recorded nanoseconds from the first round's first exchange.
  private mutating func offset(of recorded: Timestamp) -> Int64 {
    let start = origin ?? recorded
    origin = start
    let difference = recorded.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
    let distance = difference.overflow ? (recorded < start ? 0 : Int64.max) : max(difference.partialValue, 0)
    span = max(span, distance)
    exchanges &+= 1
    let sum = base.addingReportingOverflow(distance)
    return sum.overflow ? Int64.max : sum.partialValue
  }
}
