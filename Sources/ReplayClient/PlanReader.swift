import HTTPModel
import ReplaySchedule

/// Reads a session round by round and plans what is sent.
///
/// Input: exchanges in the session's order. Output: requests with their due times, one for each side that is sent it, and
/// counts of what is withheld.
struct PlanReader {
  private let options: ReplayOptions
  /// By side, the shadow first.
  private let roles: [AttemptRole]
  private let admission: Admission
  private let idempotency: IdempotencyKey?
  private let followsRecordedConnections: Bool
  private var walk: SessionWalk
  /// Of this round and by side, the exchanges that others need and that are sent.
  private var producers: [Set<ExchangeID>]
  private var sequence: UInt64 = 0

  /// The latest due time that was planned, in nanoseconds from the schedule's start.
  private(set) var latestDue: Int64 = 0
  /// Nothing more will come.
  private(set) var isOver = false
  /// Requests were planned that may share a connection with others at one time.
  private(set) var hasHTTP2 = false
  private(set) var withheld: [WithheldReason: UInt64] = [:]
  /// Sent to the shadow, and not to the side.
  private(set) var withheldBySide: [[WithheldReason: UInt64]]

  /// - Parameter sides: as of ``ReplaySide/all(shadow:primary:control:options:)``.
  init(options: ReplayOptions, sides: [AttemptRole] = [.shadow]) {
    self.options = options
    roles = options.threads > 1 ? [.shadow] : sides
    producers = Array(repeating: [], count: roles.count)
    withheldBySide = Array(repeating: [:], count: roles.count)
    admission = Admission(options: options)
    idempotency = options.idempotencyRun.map { IdempotencyKey(run: $0) }
    followsRecordedConnections = options.connections == .recorded
    walk = SessionWalk(options: options)
  }

  /// Exchanges that are looked at in one call at most, so that a long stretch of withheld ones delays no result.
  private static let examinedAtOnce = 4096

  /// Plans the requests of up to `limit` exchanges, fewer where `memory` has no room for more or the session ends.
  /// - Throws: what `next` throws.
  mutating func read(
    limit: Int, until due: Int64? = nil, memory: HeldMemory, next: (UInt32) throws -> Exchange?,
    closesConnection: (ExchangeID) -> Bool
  ) throws -> [PlannedRequest] {
    var batch: [PlannedRequest] = []
    var count = 0
    for _ in 0..<PlanReader.examinedAtOnce {
      guard count < limit, batch.isEmpty || memory.hasRoomToRead, due.map({ latestDue <= $0 }) ?? true else { break }
      guard let exchange = try next(walk.round) else {
        if walk.beginRound() {
          for side in producers.indices { producers[side].removeAll() }
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
        let first = batch.count
        plan(consume exchange, arrival, walk.handling, memory, closesConnection, into: &batch)
        guard batch.count > first else { continue }
        latestDue = batch[first].due ?? latestDue
        count += 1
      }
    }
    return batch
  }

  /// Plans a request of live traffic.
  /// - Parameter due: nanoseconds from the schedule's start.
  /// - Returns: a request for each side; none where it is withheld.
  mutating func plan(_ exchange: Exchange, due: Int64, memory: HeldMemory) -> [PlannedRequest] {
    let handling = options.rules?.handling(of: exchange, round: 0) ?? RequestHandling()
    if let reason = handling.withheld ?? admission.withholding(exchange, allowsUnsafe: handling.allowsUnsafe) {
      withheld[reason, default: 0] += 1
      return []
    }
    var planned: [PlannedRequest] = []
    plan(exchange, .due(due), handling, memory, { _ in false }, into: &planned)
    return planned
  }

  /// Appends a request for each side that is sent it.
  private mutating func plan(
    _ exchange: consuming Exchange, _ arrival: Arrival, _ handling: RequestHandling, _ memory: HeldMemory,
    _ closesConnection: (ExchangeID) -> Bool, into planned: inout [PlannedRequest]
  ) {
    guard var request = exchange.request else { return }
    if exchange.hasDetails { request.removeUnresolved(exchange.details.unresolved) }
    let due: Int64? = if case .due(let due) = arrival { due } else { nil }
    let closes = followsRecordedConnections && closesConnection(exchange.id)
    sequence += 1
    let first = plan(exchange, request, handling, side: 0, due: due, closes)
    memory.add(first.heldBytes)
    if options.protocolChoice == .http2 || first.wasHTTP2 && options.protocolChoice == .recorded { hasHTTP2 = true }
    if options.threads > 1 { first.side = thread(of: first) }
    if roles.count == 1 {
      first.exchange = consume exchange
      return planned.append(first)
    }
    first.exchange = exchange
    var parts = [first]
    let reason = options.sendsUnsafeToPrimary ? nil : Admission.withholdingFromPrimary(exchange)
    for side in roles.indices.dropFirst() {
      if let reason {
        withheldBySide[side][reason, default: 0] += 1
        continue
      }
      let part = plan(exchange, request, handling, side: side, due: due, closes)
      part.exchange = exchange
      // The exchange is the same; only the answer will be another.
      part.heldBytes = PlanReader.partBytes
      memory.add(part.heldBytes)
      parts.append(part)
    }
    let order = SideOrder.order(of: roles.count, seed: options.seed, exchange: exchange.id, round: walk.round)
    for part in parts { (part.parts, part.order) = (parts.count, order) }
    planned += parts
  }

  /// What was recorded on one connection stays together; what goes on any is dealt out.
  private func thread(of request: PlannedRequest) -> Int {
    let number = followsRecordedConnections ? SplitMix64.mixed(request.connectionKey) : request.sequence
    return Int(number % UInt64(options.threads))
  }

  /// A round figure for what a further side's part holds by itself.
  private static let partBytes = 512

  private mutating func plan(
    _ exchange: borrowing Exchange, _ recorded: HTTPRequest, _ handling: RequestHandling, side: Int, due: Int64?,
    _ closesConnection: Bool
  ) -> PlannedRequest {
    // Looked at where it stands: bound to a name it would be copied.
    let hasDependencies = if case .some = options.dependencies { true } else { false }
    let needs = hasDependencies ? options.dependencies!.producers(of: exchange.id) : []
    var request = recorded
    // Values of other answers go to their recorded places first.
    if needs.isEmpty, let rewritten = options.rules?.rewritten(request, of: exchange, for: roles[side]) {
      request = rewritten
    }
    let planned = PlannedRequest(
      exchange: exchange, request: request, round: walk.round, due: due, closesConnection: closesConnection)
    (planned.sequence, planned.side) = (sequence, side)
    if let idempotency { planned.replaced = idempotency.replacements(in: request, round: walk.round) }
    if let fields = options.replacedFields {
      planned.replaced += fields(request, exchange.id, walk.round, roles[side])
    }
    if hasDependencies {
      planned.needs = needs
      planned.isBlocked = needs.contains { !producers[side].contains($0) }
      planned.isNeeded = options.dependencies!.isProducer(exchange.id)
      if planned.isNeeded { producers[side].insert(exchange.id) }
    }
    planned.route = handling.route
    if side == 0, !options.faults.isEmpty || !handling.faults.isEmpty {
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
