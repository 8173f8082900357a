// How connections end: both FINs, RST, idleness, limits, the end of capture.
// Out: the last bytes and gaps, then `ended` and `closed`. Steps are taken as events are drained, so that the end of a
// capture with many connections needs no memory for all their events.

import HTTPModel

extension Reassembler {
  /// Closes a connection that has nothing more to wait for.
  mutating func closeIfOver(_ slot: Int) {
    let connection = table.connection(slot)
    guard connection.pointee.isUsed, connection.pointee.list != .closed else { return }
    let (one, other) = (table.direction(slot * 2), table.direction(slot * 2 + 1))
    if one.pointee.phase == .ended, other.pointee.phase == .ended {
      close(slot, .finished)
    } else if connection.pointee.isReset, one.pointee.held == nil, other.pointee.held == nil {
      close(slot, .reset)
    }
  }

  /// Tells everything that waits, then the close. After FIN and RST the connection is remembered for a while.
  mutating func close(_ slot: Int, _ reason: CloseReason) {
    let cause: GapCause = reason == .evicted ? .evicted : .lost
    for stream in slot * 2...slot * 2 + 1 { flush(stream, cause) }
    let connection = table.connection(slot)
    if connection.pointee.isTold {
      if reason == .reset {
        for stream in slot * 2...slot * 2 + 1 where table.direction(stream).pointee.phase != .ended {
          events.append(.ended(handle(slot), side(stream), .reset))
        }
      }
      events.append(.closed(handle(slot), reason))
    }
    statistics.openConnections &-= 1
    switch (reason, connection.pointee.list) {
    case (.expired, .halfOpen): statistics.halfOpenExpired &+= 1
    case (.expired, _): statistics.connectionsExpired &+= 1
    case (.evicted, .halfOpen): statistics.halfOpenEvicted &+= 1
    case (.evicted, _): statistics.connectionsEvicted &+= 1
    case (.replaced, _): statistics.connectionsReplaced &+= 1
    case (.finished, _), (.reset, _), (.captureEnded, _): break
    }
    switch reason {
    case .finished, .reset:
      connection.pointee.candidate = nil
      table.move(slot, to: .closed, at: clock)
    case .expired, .evicted, .replaced, .captureEnded: table.remove(slot)
    }
  }

  /// Settles all holes of a direction, then tells what the receiver acknowledged of bytes that were never seen.
  private mutating func flush(_ stream: Int, _ cause: GapCause) {
    let direction = table.direction(stream)
    if direction.pointee.phase == .joining { settleOrigin(stream) }
    while direction.pointee.held != nil { giveUpHole(stream, cause) }
    if direction.pointee.phase == .hinted { direction.pointee.rebase(to: direction.pointee.next) }
    guard direction.pointee.phase == .flowing, direction.pointee.acknowledged > direction.pointee.next else { return }
    // The acknowledgment counts a FIN as one; where that was not captured, the last step of one, or one alone, is it.
    let length = direction.pointee.acknowledged &- direction.pointee.next
    let missing = length == 1 || direction.pointee.acknowledgedOne ? length &- 1 : length
    if missing > 0 { skip(to: direction.pointee.next &+ missing, .lost, on: stream) }
  }

  // MARK: Steps of draining

  /// Does one thing that is due by time. False where nothing is.
  mutating func sweepStep() -> Bool {
    if settleOneHole() { return true }
    if let slot = table.first(of: .closed), isOlder(slot, than: limits.closedLinger) {
      table.remove(slot)
    } else if let slot = table.first(of: .halfOpen), isOlder(slot, than: limits.halfOpenTimeout) {
      close(slot, .expired)
    } else if let slot = table.first(of: .open), isOlder(slot, than: limits.idleTimeout) {
      close(slot, .expired)
    } else {
      return false
    }
    return true
  }

  private func isOlder(_ slot: Int, than limit: Int64) -> Bool {
    clock &- table.connection(slot).pointee.touched > limit
  }

  /// Closes one connection at the end of capture, in order of their last segments. False where none is left.
  mutating func finishStep() -> Bool {
    if let slot = table.first(of: .open) ?? table.first(of: .halfOpen) {
      close(slot, .captureEnded)
    } else if let slot = table.first(of: .closed) {
      table.remove(slot)
    } else {
      return false
    }
    return true
  }
}
