// How long a hole is waited for, and what happens then.
// In: ACKs of the other side, packet time, limits. Out: gap events and the bytes behind them.
// A direction with a hole stands in one of three lists, each in order of time, so that looking for what is due costs
// nothing where nothing is.

import HTTPModel

extension Reassembler {
  /// The held segments of a direction, made where there are none.
  func held(of stream: Int) -> HeldSegments {
    let direction = table.direction(stream)
    if let held = direction.pointee.held { return held }
    let held = HeldSegments(stream: UInt32(stream))
    direction.pointee.held = held
    return held
  }

  /// Tells what can be told of a direction with a hole, and puts it in the list where its first hole belongs.
  ///
  /// - Parameter progress: bytes of the stream have just come, so that waiting begins anew.
  mutating func drain(_ stream: Int, progress: Bool) {
    let direction = table.direction(stream)
    guard let held = direction.pointee.held else { return }
    while direction.pointee.next < direction.pointee.end {
      let next = direction.pointee.next
      if let first = held.firstSegmentOffset, first <= next {
        deliverHeld(stream)
      } else if let cutEnd = held.cutEnd(at: next) {
        skip(to: min(cutEnd, held.firstSegmentOffset ?? .max, direction.pointee.end), .snapLength, on: stream)
      } else {
        break
      }
    }
    if direction.pointee.next >= direction.pointee.end {
      reachEnd(stream)
    } else if held.isEmpty, direction.pointee.end == .max {
      dropHeld(stream)
    } else {
      count(held)
      queueHole(stream, held, progress: progress)
    }
  }

  private mutating func queueHole(_ stream: Int, _ held: HeldSegments, progress: Bool) {
    let direction = table.direction(stream)
    let connection = table.connection(stream >> 1)
    let isNew = held.hole != direction.pointee.next
    let isAcknowledged = connection.pointee.isReset || held.acknowledged >= holeEnd(stream, held)
    let list: HoleList = isAcknowledged ? .acknowledged : .waiting
    if !isNew, held.list == list || held.list == .acknowledged { return }
    if isNew {
      held.hole = direction.pointee.next
      held.opened = progress ? clock : held.firstArrival ?? clock
      held.receiverLacks = false
    }
    queue(held, in: list, at: list == .waiting ? held.opened : clock)
  }

  private func holeEnd(_ stream: Int, _ held: HeldSegments) -> UInt64 {
    min(held.firstOffset ?? .max, table.direction(stream).pointee.end)
  }

  /// Bytes that will not come.
  mutating func skip(to end: UInt64, _ cause: GapCause, on stream: Int) {
    let slot = stream >> 1
    let direction = table.direction(stream)
    let offset = direction.pointee.next
    let length = end &- offset
    if !table.connection(slot).pointee.isTold { tell(slot) }
    events.append(.gap(handle(slot), side(stream), offset: offset, length: length, cause))
    direction.pointee.nextSequence = direction.pointee.sequence(of: end)
    direction.pointee.next = end
    statistics.gaps &+= 1
    switch cause {
    case .lost: statistics.lostBytes &+= length
    case .snapLength: statistics.snapLengthBytes &+= length
    case .evicted: statistics.evictedGapBytes &+= length
    }
  }

  /// Makes the first hole a gap, or ends the waiting for a stream's beginning.
  mutating func giveUpHole(_ stream: Int, _ cause: GapCause) {
    let direction = table.direction(stream)
    guard let held = direction.pointee.held else { return }
    if direction.pointee.phase == .joining {
      settleOrigin(stream)
    } else {
      skip(to: holeEnd(stream, held), cause, on: stream)
      drain(stream, progress: false)
    }
  }

  // MARK: Joining in mid-connection

  /// Looks whether enough was seen to say where the stream begins for this capture.
  mutating func settleJoining(_ stream: Int) {
    let direction = table.direction(stream)
    let held = held(of: stream)
    count(held)
    if held.list == nil { queue(held, in: .joining, at: clock) }
    let first = held.firstOffset ?? direction.pointee.end
    if held.entryCount >= limits.joinSegments || direction.pointee.hasHint && first == direction.pointee.next {
      settleOrigin(stream)
    }
  }

  /// Makes `origin`, or else the first byte that waits, the first of the stream.
  mutating func settleOrigin(_ stream: Int, at origin: UInt64? = nil) {
    let direction = table.direction(stream)
    let held = direction.pointee.held
    if let held { leaveList(held) }
    direction.pointee.rebase(to: origin ?? held?.firstOffset ?? min(direction.pointee.end, direction.pointee.next))
    guard let held else { return }
    for range in held.mismatches {
      let slot = stream >> 1
      if !table.connection(slot).pointee.isTold { tell(slot) }
      events.append(
        .overlapMismatch(handle(slot), side(stream), offset: range.offset, length: range.end &- range.offset))
    }
    held.mismatches = []
    drain(stream, progress: true)
  }

  // MARK: Evidence

  /// An ACK of the receiver came while there is a hole.
  mutating func noteEvidence(_ offset: UInt64, on stream: Int) {
    guard let held = table.direction(stream).pointee.held else { return }
    held.acknowledged = max(held.acknowledged, offset)
    switch held.list {
    case .joining?:
      if offset > held.firstOffset ?? .max { settleOrigin(stream) }
    case .waiting?:
      if offset >= holeEnd(stream, held) {
        queue(held, in: .acknowledged, at: clock)
      } else {
        held.receiverLacks = true
      }
    case .acknowledged?, nil: break
    }
  }

  /// Gives up what is due of a connection's holes.
  mutating func settleHoles(_ slot: Int) {
    settleHoles(of: slot * 2)
    settleHoles(of: slot * 2 + 1)
  }

  mutating func settleHoles(of stream: Int) {
    guard let held = table.direction(stream).pointee.held else { return }
    switch held.list {
    case .joining?:
      if clock &- held.queued >= limits.joinTimeout { settleOrigin(stream) }
    case .acknowledged?:
      let segments = table.connection(stream >> 1).pointee.segments &- held.segmentsWhenQueued
      guard segments >= limits.acknowledgedGapSegments || clock &- held.queued >= limits.acknowledgedGapTimeout
      else { return }
      // Holes that were covered when this one was have waited as long.
      let covered = held.acknowledgedWhenQueued
      let isReset = table.connection(stream >> 1).pointee.isReset
      giveUpHole(stream, .lost)
      while table.direction(stream).pointee.held === held, isReset || holeEnd(stream, held) <= covered {
        giveUpHole(stream, .lost)
      }
    case .waiting?:
      while table.direction(stream).pointee.held === held, held.list == .waiting, isOverdue(held) {
        giveUpHole(stream, .lost)
      }
    case nil: break
    }
  }

  private func isOverdue(_ held: HeldSegments) -> Bool {
    clock &- held.opened >= (held.receiverLacks ? limits.retransmissionTimeout : limits.gapTimeout)
  }

  /// Gives up one hole, or one patience, that is due anywhere. False where none is.
  mutating func settleOneHole() -> Bool {
    for list in [HoleList.joining, .acknowledged, .waiting] {
      guard let stream = firstStream(of: list), let held = table.direction(stream).pointee.held else { continue }
      let patience =
        switch list {
        case .joining: limits.joinTimeout
        case .acknowledged: limits.acknowledgedGapTimeout
        case .waiting: limits.gapTimeout
        }
      guard clock &- held.queued >= patience else { continue }
      if list == .waiting, !isOverdue(held) {
        queue(held, in: .waiting, at: clock)
      } else {
        settleHoles(of: stream)
        closeIfOver(stream >> 1)
      }
      return true
    }
    return false
  }

  // MARK: Limits

  func isOverLimit(_ held: HeldSegments) -> Bool {
    held.cost > limits.heldBytesPerDirection || held.entryCount > limits.heldSegmentsPerDirection
  }

  mutating func enforceLimits(_ stream: Int) {
    while let held = table.direction(stream).pointee.held, isOverLimit(held) { giveUpHole(stream, .evicted) }
    while heldCost > limits.heldBytes {
      guard
        let longest = firstStream(of: .acknowledged) ?? firstStream(of: .waiting) ?? firstStream(of: .joining)
      else { return }
      giveUpHole(longest, .evicted)
      if longest >> 1 != stream >> 1 { closeIfOver(longest >> 1) }
    }
  }

  private mutating func count(_ held: HeldSegments) {
    heldCost += held.cost - held.countedCost
    held.countedCost = held.cost
  }

  /// Forgets what a direction holds; whatever is left of it lies after the end.
  mutating func dropHeld(_ stream: Int) {
    let direction = table.direction(stream)
    guard let held = direction.pointee.held else { return }
    statistics.heldBytes &-= UInt64(held.byteCount)
    statistics.ignored.afterEnd &+= UInt64(held.byteCount)
    heldCost -= held.countedCost
    leaveList(held)
    direction.pointee.held = nil
  }

  // MARK: Lists

  func firstStream(of list: HoleList) -> Int? {
    let head = self[headOf: list]
    return head == .max ? nil : Int(head)
  }

  private mutating func queue(_ held: HeldSegments, in list: HoleList, at time: Int64) {
    leaveList(held)
    let tail = self[tailOf: list]
    held.list = list
    held.previous = tail
    held.following = .max
    held.queued = time
    held.acknowledgedWhenQueued = held.acknowledged
    held.segmentsWhenQueued = table.connection(Int(held.stream) >> 1).pointee.segments
    if tail == .max {
      self[headOf: list] = held.stream
    } else {
      table.direction(Int(tail)).pointee.held?.following = held.stream
    }
    self[tailOf: list] = held.stream
  }

  private mutating func leaveList(_ held: HeldSegments) {
    guard let list = held.list else { return }
    if held.previous == .max {
      self[headOf: list] = held.following
    } else {
      table.direction(Int(held.previous)).pointee.held?.following = held.following
    }
    if held.following == .max {
      self[tailOf: list] = held.previous
    } else {
      table.direction(Int(held.following)).pointee.held?.previous = held.previous
    }
    held.list = nil
  }

  private subscript(headOf list: HoleList) -> UInt32 {
    get {
      switch list {
      case .joining: holeHeads.0
      case .waiting: holeHeads.1
      case .acknowledged: holeHeads.2
      }
    }
    set {
      switch list {
      case .joining: holeHeads.0 = newValue
      case .waiting: holeHeads.1 = newValue
      case .acknowledged: holeHeads.2 = newValue
      }
    }
  }

  private subscript(tailOf list: HoleList) -> UInt32 {
    get {
      switch list {
      case .joining: holeTails.0
      case .waiting: holeTails.1
      case .acknowledged: holeTails.2
      }
    }
    set {
      switch list {
      case .joining: holeTails.0 = newValue
      case .waiting: holeTails.1 = newValue
      case .acknowledged: holeTails.2 = newValue
      }
    }
  }
}
