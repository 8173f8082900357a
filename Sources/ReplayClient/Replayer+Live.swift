public import HTTPModel
import Synchronization

/// What live traffic has next for a replay.
public enum LiveStep: Sendable {
  /// A request to be sent at once. `arrived` is when it was whole, in nanoseconds of the monotonic clock: its lateness
  /// is counted from then.
  case send(Exchange, arrived: Int64)
  /// Nothing now; ``Replayer/wake()`` says when to ask again.
  case nothing
  /// Nothing any more.
  case over
}

extension Replayer {
  /// Sends requests as they come, and returns when the last attempt has ended after ``LiveStep/over``. Once for each
  /// instance.
  ///
  /// The pacing, the rounds and the shard of `options` mean nothing here: a request is due when it arrives. At most
  /// `options.readAheadCount` requests and `options.memoryLimit` bytes are taken and not delivered.
  /// - Parameters:
  ///   - next: asked on this thread whenever there may be something to do. Without room it gives no request, and may do
  ///     work of its own.
  ///   - deliver: as of ``run(next:closesConnection:deliver:)``.
  public func run(
    live next: (_ hasRoom: Bool) throws -> LiveStep, deliver: (inout ReplayedExchange) throws -> Void
  ) throws(ReplayError) -> ReplayOutcome {
    try withEngine { running, memory throws(ReplayError) in
      try carryOut(running, memory: memory, live: next, deliver: deliver)
    }
  }

  /// Lets the thread of ``run(live:deliver:)`` ask for more. From any thread; does nothing while none runs.
  public func wake() { state.withLock { $0.running?.handover.wakeReader() } }

  /// Requests planned at a time.
  private static let liveBatch = 128

  private func carryOut(
    _ running: Running, memory: HeldMemory, live next: (Bool) throws -> LiveStep,
    deliver: (inout ReplayedExchange) throws -> Void
  ) throws(ReplayError) -> ReplayOutcome {
    let handover = running.handover
    var plan = PlanReader(options: options, sides: sides.map(\.role))
    var delivery = Delivery(memory: memory)
    var (isOver, isOverTold) = (false, false)
    var failure: ReplayError?
    func fail(_ error: ReplayError) {
      failure = failure ?? error
      running.stop(grace: 0)
    }
    let start = running.begin()
    while true {
      var batch: [PlannedRequest] = []
      var count = 0
      do {
        asking: while !isOver, count < Replayer.liveBatch {
          let hasRoom =
            failure == nil && !handover.isStopping && delivery.outstanding + count < options.readAheadCount
            && memory.hasRoomToRead
          switch try next(hasRoom) {
          case .send(let exchange, let arrived):
            let planned = plan.plan(exchange, due: max(0, arrived &- start), memory: memory)
            if !planned.isEmpty { count += 1 }
            batch += planned
          case .nothing: break asking
          case .over: isOver = true
          }
          if !hasRoom { break }
        }
      } catch { fail(.sessionFailed(error)) }
      delivery.outstanding += count
      delivery.equip(batch)
      if !batch.isEmpty || isOver && !isOverTold {
        isOverTold = isOver
        if handover.plan(batch, isSessionOver: isOver) { running.execute { $0.planHasGrown() } }
        publishWithheld(plan)
      }
      let (ended, outcomes) = handover.takeEnded(waits: count < Replayer.liveBatch)
      let error = delivery.take(ended, withRest: outcomes != nil, delivers: failure == nil, to: deliver)
      if let error { fail(.deliveryFailed(error)) }
      guard let outcomes else { continue }
      if let failure { throw failure }
      return outcome(outcomes, plan)
    }
  }
}
