import HTTPModel

/// Brings together again what the sides did with an exchange, for delivery. Owner: the reading thread. Bounds: what is
/// read ahead, and the memory of some answers that were delivered.
struct Delivery {
  private let memory: HeldMemory
  /// Parts of exchanges that others are missing of, by place in the plan.
  private var open: [UInt64: [PlannedRequest]] = [:]
  /// Exchanges whose parts have not all ended.
  var outstanding = 0
  /// What was joined last.
  private var replayed = ReplayedExchange(exchange: Exchange(), attempts: [])
  /// Answers that nobody needs any more: others are read into their memory.
  private var spare: [HTTPResponse] = []

  private static let spareLimit = 256
  private static let spareSizeLimit = 4096

  init(memory: HeldMemory) { self.memory = memory }

  /// Takes parts that have ended, and delivers each exchange whose last part that is and of which one was sent.
  /// - Parameters:
  ///   - withRest: also those of which a part never ended; the run ended early.
  ///   - delivers: false lets all go.
  /// - Returns: what `deliver` threw, after which nothing was delivered any more.
  mutating func take(
    _ ended: [PlannedRequest], withRest: Bool, delivers: Bool, to deliver: (inout ReplayedExchange) throws -> Void
  ) -> (any Error)? {
    var failure: (any Error)?
    func hand(_ replayed: inout ReplayedExchange) {
      guard delivers, failure == nil else { return }
      do { try deliver(&replayed) } catch { failure = error }
    }
    for request in ended where join(request) {
      hand(&replayed)
      clear()
    }
    guard withRest else { return failure }
    // In the plan's order.
    for sequence in open.keys.sorted() where join(open.removeValue(forKey: sequence) ?? []) {
      hand(&replayed)
      clear()
    }
    return failure
  }

  /// - Returns: whether ``replayed`` now is what the sides did with its exchange.
  private mutating func join(_ request: PlannedRequest) -> Bool {
    if request.parts > 1 {
      guard open[request.sequence, default: []].count == request.parts - 1 else {
        open[request.sequence, default: []].append(request)
        return false
      }
      outstanding -= 1
      return join((open.removeValue(forKey: request.sequence) ?? []) + [request])
    }
    outstanding -= 1
    memory.add(-request.heldBytes)
    // Taken out, so that its arrays are moved rather than shared.
    guard let exchange = request.exchange.take(), let attempt = request.attempt.take() else { return false }
    replayed.exchange = exchange
    replayed.attempts.append(attempt)
    return true
  }

  private mutating func join(_ parts: [PlannedRequest]) -> Bool {
    var recorded: Exchange?
    for part in parts.sorted(by: { $0.side < $1.side }) {
      memory.add(-part.heldBytes)
      if let exchange = part.exchange.take() { recorded = exchange }
      if let attempt = part.attempt.take() { replayed.attempts.append(attempt) }
    }
    guard let recorded, !replayed.attempts.isEmpty else {
      clear()
      return false
    }
    replayed.exchange = recorded
    return true
  }

  /// Done with ``replayed``: what was left in it may be written over.
  private mutating func clear() {
    for index in replayed.attempts.indices where spare.count < Self.spareLimit {
      guard var answer = replayed.attempts[index].response.take() else { continue }
      // A large body is the recorded one's, or not worth keeping.
      if answer.body.bytes.count > Self.spareSizeLimit { answer.body.bytes = [] }
      if answer.fields.storage.count <= Self.spareSizeLimit { spare.append(answer) }
    }
    replayed.attempts.removeAll(keepingCapacity: true)
  }

  /// Gives planned requests the memory of answers.
  mutating func equip(_ batch: [PlannedRequest]) {
    for request in batch {
      guard let answer = spare.popLast() else { return }
      request.spareAnswer = answer
    }
  }
}
