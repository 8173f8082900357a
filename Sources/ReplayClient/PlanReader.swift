import HTTPModel
import ReplaySchedule

/// Reads a session round by round and plans what is sent.
///
/// Input: exchanges in the session's order. Output: requests with their due times, and counts of what is withheld.
struct PlanReader {
  private let options: ReplayOptions
  private let admission: Admission
  private let idempotency: IdempotencyKey?
  private let followsRecordedConnections: Bool
  private var walk: SessionWalk
  /// Of this round, the exchanges that others need and that are sent.
  private var producers: Set<ExchangeID> = []

  /// The latest due time that was planned, in nanoseconds from the schedule's start.
  private(set) var latestDue: Int64 = 0
  /// Nothing more will come.
  private(set) var isOver = false
  private(set) var withheld: [WithheldReason: UInt64] = [:]

  init(options: ReplayOptions) {
    self.options = options
    admission = Admission(options: options)
    idempotency = options.idempotencyRun.map { IdempotencyKey(run: $0) }
    followsRecordedConnections = options.connections == .recorded
    walk = SessionWalk(options: options)
  }

  /// Exchanges that are looked at in one call at most, so that a long stretch of withheld ones delays no result.
  private static let examinedAtOnce = 4096

  /// Plans up to `limit` requests, fewer where `memory` has no room for more or the session ends.
  /// - Throws: what `next` throws.
  mutating func read(
    limit: Int, until due: Int64? = nil, memory: HeldMemory, next: (UInt32) throws -> Exchange?,
    closesConnection: (ExchangeID) -> Bool
  ) throws -> [PlannedRequest] {
    var batch: [PlannedRequest] = []
    for _ in 0..<PlanReader.examinedAtOnce {
      guard batch.count < limit, batch.isEmpty || memory.hasRoomToRead, due.map({ latestDue <= $0 }) ?? true else {
        break
      }
      guard let exchange = try next(walk.round) else {
        if walk.beginRound() {
          producers.removeAll()
          continue
        }
        isOver = true
        break
      }
      switch walk.step(exchange) {
      case .elsewhere: continue
      case .withheld(let reason):
        withheld[reason, default: 0] += 1
        latestDue = max(latestDue, walk.passed ?? 0)
      case .over:
        isOver = true
        return batch
      case .send(let arrival):
        guard let planned = plan(exchange, arrival, walk.handling, closesConnection) else { continue }
        latestDue = planned.due ?? latestDue
        memory.add(planned.heldBytes)
        batch.append(planned)
      }
    }
    return batch
  }

  /// Plans a request of live traffic.
  /// - Parameter due: nanoseconds from the schedule's start.
  /// - Returns: nil where it is withheld.
  mutating func plan(_ exchange: Exchange, due: Int64, memory: HeldMemory) -> PlannedRequest? {
    let handling = options.rules?.handling(of: exchange, round: 0) ?? RequestHandling()
    if let reason = handling.withheld ?? admission.withholding(exchange, allowsUnsafe: handling.allowsUnsafe) {
      withheld[reason, default: 0] += 1
      return nil
    }
    guard let planned = plan(exchange, .due(due), handling, { _ in false }) else { return nil }
    memory.add(planned.heldBytes)
    return planned
  }

  private mutating func plan(
    _ exchange: Exchange, _ arrival: Arrival, _ handling: RequestHandling, _ closesConnection: (ExchangeID) -> Bool
  ) -> PlannedRequest? {
    guard var request = exchange.request else { return nil }
    if exchange.hasDetails { request.removeUnresolved(exchange.details.unresolved) }
    let needs = options.dependencies?.producers(of: exchange.id) ?? []
    // Values of other answers go to their recorded places first.
    if needs.isEmpty, let rewritten = options.rules?.rewritten(request, of: exchange) { request = rewritten }
    let due: Int64? = if case .due(let due) = arrival { due } else { nil }
    let planned = PlannedRequest(
      exchange: exchange, request: request, round: walk.round, due: due,
      closesConnection: followsRecordedConnections && closesConnection(exchange.id))
    if let idempotency { planned.replaced = idempotency.replacements(in: request, round: walk.round) }
    if let fields = options.replacedFields { planned.replaced += fields(request, exchange.id, walk.round) }
    if let dependencies = options.dependencies {
      planned.needs = needs
      planned.isBlocked = needs.contains { !producers.contains($0) }
      planned.isNeeded = dependencies.isProducer(exchange.id)
      if planned.isNeeded { producers.insert(exchange.id) }
    }
    planned.route = handling.route
    if !options.faults.isEmpty || !handling.faults.isEmpty {
      planned.fault = InjectedFault(
        options.faults, ofRequest: handling.faults, seed: options.seed, exchange: exchange.id, round: walk.round)
    }
    return planned
  }
}

extension HTTPRequest {
  /// Leaves out fields of which a part was never seen: an empty value would say something that nobody has said.
  fileprivate mutating func removeUnresolved(_ unresolved: [UnresolvedField]) {
    for field in unresolved.sorted(by: { $0.field > $1.field }) where !field.isAssumed {
      let index = Int(field.field)
      switch field.section {
      case .request where index < fields.count: fields.ranges.remove(at: index)
      case .requestTrailers where index < trailers.count: trailers.ranges.remove(at: index)
      default: break
      }
    }
  }
}
