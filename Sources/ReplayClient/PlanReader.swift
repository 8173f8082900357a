import HTTPModel
import ReplaySchedule

/// Reads a session round by round and plans what is sent.
///
/// Input: exchanges in the session's order. Output: requests with their due times, and counts of what is withheld.
struct PlanReader {
  private let admission: Admission
  private let rounds: UInt32
  private let followsRecordedConnections: Bool
  private var schedule: ArrivalSchedule
  /// Something of this round is sent; a round without anything is not repeated.
  private var isRoundUseful = false

  /// Nothing more will come.
  private(set) var isOver = false
  private(set) var withheld: [WithheldReason: UInt64] = [:]

  init(options: ReplayOptions) {
    admission = Admission(options: options)
    rounds = options.rounds
    followsRecordedConnections = options.connections == .recorded
    schedule = ArrivalSchedule(pacing: options.pacing)
  }

  /// Exchanges that are looked at in one call at most, so that a long stretch of withheld ones delays no result.
  private static let examinedAtOnce = 4096

  /// Plans up to `limit` requests, fewer where `memory` has no room for more or the session ends.
  /// - Throws: what `next` throws.
  mutating func read(
    limit: Int, memory: HeldMemory, next: (UInt32) throws -> Exchange?, closesConnection: (ExchangeID) -> Bool
  ) throws -> [PlannedRequest] {
    var batch: [PlannedRequest] = []
    for _ in 0..<PlanReader.examinedAtOnce {
      guard batch.count < limit, batch.isEmpty || memory.hasRoomToRead else { break }
      guard let exchange = try next(schedule.round) else {
        if !beginRound() { break }
        continue
      }
      if let reason = admission.withholding(exchange) {
        schedule.pass(recorded: exchange.start)
        withheld[reason, default: 0] += 1
        continue
      }
      guard let planned = plan(exchange, closesConnection) else { continue }
      memory.add(planned.heldBytes)
      batch.append(planned)
    }
    return batch
  }

  private mutating func plan(_ exchange: Exchange, _ closesConnection: (ExchangeID) -> Bool) -> PlannedRequest? {
    guard let request = exchange.request else { return nil }
    isRoundUseful = true
    let round = schedule.round
    return PlannedRequest(
      exchange: exchange, request: request, round: round, due: schedule.arrival(recorded: exchange.start),
      closesConnection: followsRecordedConnections && closesConnection(exchange.id))
  }

  /// Goes on to the next round, or ends the plan.
  private mutating func beginRound() -> Bool {
    guard isRoundUseful, schedule.round + 1 < rounds else {
      isOver = true
      return false
    }
    isRoundUseful = false
    schedule.beginRound()
    return true
  }
}
