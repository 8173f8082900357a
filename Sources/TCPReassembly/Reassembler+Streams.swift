// A segment's bytes into its stream.
// In: a segment and its stream. Out: data events, or bytes held behind a hole.
// The path of a segment in order is `carry` and the first branch of `accept`: it neither allocates nor copies.

import Glibc
import HTTPModel
import PacketHeaders

extension Reassembler {
  @inline(__always)
  mutating func carry(_ arrival: Arrival, on stream: Int) {
    let slot = stream >> 1
    let connection = table.connection(slot)
    connection.pointee.segments &+= 1
    let isSYN = arrival.segment.flags.contains(.syn)
    if connection.pointee.list == .halfOpen, !isSYN {
      table.move(slot, to: .open, at: clock)
    } else if clock &- connection.pointee.touched > touchInterval {
      table.move(slot, to: connection.pointee.list, at: clock)
    }
    if let acknowledgment = arrival.acknowledgment { acknowledge(acknowledgment, on: stream ^ 1) }
    if arrival.segment.isDisputed { tellDispute(arrival, on: stream) }
    if arrival.wireLength > 0 { accept(arrival, on: stream) }
    if arrival.segment.flags.contains(.fin) { noteFIN(arrival, on: stream) }
    let (one, other) = (table.direction(stream), table.direction(stream ^ 1))
    if one.pointee.held != nil || other.pointee.held != nil { settleHoles(slot) }
    if connection.pointee.isReset || one.pointee.phase == .ended && other.pointee.phase == .ended {
      closeIfOver(slot)
    }
  }

  @inline(__always)
  mutating func acknowledge(_ acknowledgment: UInt32, on stream: Int) {
    let direction = table.direction(stream)
    if direction.pointee.phase == .unknown {
      direction.pointee.measure(from: acknowledgment, as: .hinted)
      direction.pointee.hasHint = true
      return
    }
    guard let signed = direction.pointee.acknowledgedOffset(of: acknowledgment), signed >= 0 else { return }
    let offset = UInt64(signed)
    if offset > direction.pointee.acknowledged {
      direction.pointee.acknowledgedOne = offset &- direction.pointee.acknowledged == 1
      direction.pointee.acknowledged = offset
    }
    if direction.pointee.held != nil { noteEvidence(offset, on: stream) }
  }

  @inline(__always)
  private mutating func accept(_ arrival: Arrival, on stream: Int) {
    let direction = table.direction(stream)
    let count = arrival.payload.count
    if direction.pointee.phase == .flowing, direction.pointee.nextSequence == arrival.sequence,
      arrival.wireLength == count, direction.pointee.held == nil, direction.pointee.end == .max
    {
      deliver(arrival, 0..<count, on: stream)
    } else {
      acceptWithCare(arrival, on: stream)
    }
  }

  /// Tells the next bytes of a stream straight from the segment.
  @inline(__always)
  private mutating func deliver(_ arrival: Arrival, _ range: Range<Int>, on stream: Int) {
    let slot = stream >> 1
    let direction = table.direction(stream)
    if !table.connection(slot).pointee.isTold { tell(slot) }
    let offset = direction.pointee.next
    let count = UInt64(range.count)
    events.append(
      .data(
        handle(slot), side(stream), offset: offset, .segment(range),
        acknowledged: received(arrival.acknowledgment, by: stream), time: arrival.time))
    statistics.deliveredBytes &+= count
    direction.pointee.next = offset &+ count
    direction.pointee.nextSequence &+= UInt32(truncatingIfNeeded: count)
    if direction.pointee.highest < offset &+ count { direction.pointee.highest = offset &+ count }
  }

  @inline(__always)
  func handle(_ slot: Int) -> ConnectionHandle {
    ConnectionHandle(index: slot, number: table.connection(slot).pointee.number)
  }

  @inline(__always)
  func side(_ stream: Int) -> StreamDirection { stream & 1 == 0 ? .originator : .responder }

  /// The first event of a connection, and the ends that came before it.
  mutating func tell(_ slot: Int) {
    table.connection(slot).pointee.isTold = true
    events.append(.opened(handle(slot), opened(slot)))
    for stream in slot * 2...slot * 2 + 1 where table.direction(stream).pointee.phase == .ended {
      events.append(.ended(handle(slot), side(stream), .fin))
    }
  }

  /// What an acknowledgment number says of the opposite stream, less the one that it counts for a FIN.
  @inline(__always)
  private func received(_ acknowledgment: UInt32?, by stream: Int) -> UInt64? {
    let opposite = table.direction(stream ^ 1)
    guard let acknowledgment, opposite.pointee.phase == .flowing || opposite.pointee.phase == .ended,
      let offset = opposite.pointee.acknowledgedOffset(of: acknowledgment)
    else { return nil }
    return min(UInt64(max(0, offset)), opposite.pointee.end)
  }

  // MARK: The way of segments that are not next in line

  private mutating func acceptWithCare(_ arrival: Arrival, on stream: Int) {
    let direction = table.direction(stream)
    switch direction.pointee.phase {
    case .unknown:
      if isLikelyProbe(arrival) {
        direction.pointee.measure(from: arrival.sequence &+ 1, as: .hinted)
        direction.pointee.hasHint = true
        statistics.ignored.beforeStart &+= UInt64(arrival.payload.count)
        return
      }
      direction.pointee.measure(from: arrival.sequence, as: .joining)
    case .hinted:
      let distance = Int32(bitPattern: arrival.sequence &- direction.pointee.nextSequence)
      if distance == -1, arrival.wireLength == 1 {
        statistics.ignored.beforeStart &+= UInt64(arrival.payload.count)
        return
      }
      if distance == 0 || distance > 0 && table.direction(stream ^ 1).pointee.sawSYN {
        direction.pointee.rebase(to: direction.pointee.next)
      } else {
        direction.pointee.phase = .joining
      }
    case .joining, .flowing, .ended: break
    }
    place(arrival, on: stream)
  }

  /// A keep-alive probe as the first segment seen: one byte of garbage, by custom zero, without PSH (RFC 1122, 4.2.3.6).
  private func isLikelyProbe(_ arrival: Arrival) -> Bool {
    arrival.wireLength == 1 && arrival.payload.count == 1 && arrival.payload[0] == 0
      && arrival.segment.flags.isDisjoint(with: [.psh, .fin, .syn])
  }

  /// Delivers what is next in line, holds what is not, drops what is known; the first copy of a byte wins.
  private mutating func place(_ arrival: Arrival, on stream: Int) {
    let direction = table.direction(stream)
    let isJoining = direction.pointee.phase == .joining
    let captured = UInt64(arrival.payload.count)
    guard let start = direction.pointee.offset(of: arrival.sequence) else {
      statistics.ignored.outOfWindow &+= captured
      return
    }
    // Offsets below are non-negative: `floor` is, and everything before it is left out.
    let first = direction.pointee.held?.firstOffset ?? direction.pointee.next
    let floor = isJoining ? Int64(bitPattern: first) &- Direction.joinWindow : 0
    let capturedEnd = start &+ Int64(arrival.payload.count)
    let before = max(0, min(capturedEnd, floor) &- start)
    statistics.ignored.beforeStart &+= UInt64(before)
    let end = UInt64(max(capturedEnd, floor))
    var position = UInt64(max(start, floor))
    let limit = min(end, max(position, direction.pointee.end))
    statistics.ignored.afterEnd &+= end &- limit
    let known = isJoining ? 0 : min(limit, max(position, direction.pointee.next)) &- position
    let duplicatesBefore = statistics.duplicateBytes
    statistics.duplicateBytes &+= known
    position &+= known
    let isFresh = fill(position..<limit, from: arrival, start: start, on: stream)
    if !isFresh, statistics.duplicateBytes != duplicatesBefore {
      if arrival.network == table.connection(stream >> 1).pointee.network(of: stream & 1) {
        statistics.segmentsRetransmitted &+= 1
      } else {
        statistics.segmentsCopied &+= 1
      }
    }

    let wireEnd = start &+ Int64(arrival.wireLength)
    if wireEnd > capturedEnd, wireEnd > floor {
      let from = max(end, isJoining ? 0 : direction.pointee.next)
      let to = min(UInt64(wireEnd), direction.pointee.end)
      if from < to {
        direction.pointee.highest = max(direction.pointee.highest, to)
        if direction.pointee.phase == .flowing, direction.pointee.held == nil, from == direction.pointee.next {
          skip(to: to, .snapLength, on: stream)
        } else {
          held(of: stream).insert(OffsetRange(offset: from, end: to))
        }
      }
    }
    if isJoining {
      settleJoining(stream)
    } else if direction.pointee.held != nil {
      drain(stream, progress: isFresh)
    } else if direction.pointee.phase == .flowing, direction.pointee.next == direction.pointee.end {
      reachEnd(stream)
    }
    enforceLimits(stream)
  }

  /// Walks the range beside what is held. Returns whether any byte was new.
  private mutating func fill(_ range: Range<UInt64>, from arrival: Arrival, start: Int64, on stream: Int) -> Bool {
    let direction = table.direction(stream)
    let isFlowing = direction.pointee.phase == .flowing
    var position = range.lowerBound
    var isFresh = false
    var hasHeld = false
    var index = direction.pointee.held?.index(after: position) ?? 0
    while position < range.upperBound {
      let from = Int(Int64(bitPattern: position) &- start)
      var until = range.upperBound
      if let held = direction.pointee.held, index < held.endIndex {
        let neighbour = held[index]
        if neighbour.offset <= position {
          until = min(until, neighbour.end)
          compare(arrival, from, with: neighbour, position..<until, on: stream)
          statistics.duplicateBytes &+= until &- position
          position = until
          if isFlowing, neighbour.offset == direction.pointee.next {
            deliverHeld(stream)
            index = held.index(after: position)
          } else {
            index += 1
          }
          continue
        }
        until = min(until, neighbour.offset)
      }
      let piece = from..<from &+ Int(until &- position)
      isFresh = true
      if isFlowing, position == direction.pointee.next {
        deliver(arrival, piece, on: stream)
      } else {
        let bytes = [UInt8](UnsafeRawBufferPointer(rebasing: arrival.payload[piece]))
        held(of: stream).insert(
          HeldSegment(
            offset: position, time: arrival.time, arrived: clock, acknowledgment: arrival.acknowledgment,
            bytes: bytes), at: index)
        statistics.heldBytes &+= until &- position
        direction.pointee.highest = max(direction.pointee.highest, until)
        index += 1
        hasHeld = true
      }
      position = until
    }
    if hasHeld { statistics.segmentsOutOfOrder &+= 1 }
    return isFresh
  }

  private mutating func compare(
    _ arrival: Arrival, _ from: Int, with neighbour: HeldSegment, _ range: Range<UInt64>, on stream: Int
  ) {
    let count = Int(range.upperBound &- range.lowerBound)
    let isSame = neighbour.bytes.withUnsafeBytes { bytes in
      memcmp(
        arrival.payload.baseAddress! + from, bytes.baseAddress! + Int(range.lowerBound &- neighbour.offset), count) == 0
    }
    if isSame { return }
    statistics.overlapMismatches &+= 1
    let direction = table.direction(stream)
    if direction.pointee.phase == .joining {
      direction.pointee.held?.mismatches.append(OffsetRange(offset: range.lowerBound, end: range.upperBound))
      return
    }
    let slot = stream >> 1
    if !table.connection(slot).pointee.isTold { tell(slot) }
    events.append(
      .overlapMismatch(handle(slot), side(stream), offset: range.lowerBound, length: UInt64(count)))
  }

  /// The segment's bytes are those of one of two versions. Told before them, so that it is the message that they belong
  /// to which is marked.
  private mutating func tellDispute(_ arrival: Arrival, on stream: Int) {
    statistics.overlapMismatches &+= 1
    let (slot, direction) = (stream >> 1, table.direction(stream))
    guard arrival.wireLength > 0, direction.pointee.phase == .flowing || direction.pointee.phase == .ended,
      let offset = direction.pointee.offset(of: arrival.sequence), offset >= 0
    else { return }
    if !table.connection(slot).pointee.isTold { tell(slot) }
    events.append(
      .overlapMismatch(handle(slot), side(stream), offset: UInt64(offset), length: UInt64(arrival.wireLength)))
  }

  /// Tells the first held segment, which is next in line.
  mutating func deliverHeld(_ stream: Int) {
    let slot = stream >> 1
    let direction = table.direction(stream)
    guard let segment = direction.pointee.held?.takeFirst() else { return }
    if !table.connection(slot).pointee.isTold { tell(slot) }
    let count = UInt64(segment.bytes.count)
    statistics.heldBytes &-= count
    statistics.deliveredBytes &+= count
    direction.pointee.next = segment.offset &+ count
    direction.pointee.nextSequence &+= UInt32(truncatingIfNeeded: count)
    events.append(
      .data(
        handle(slot), side(stream), offset: segment.offset, .held(segment.bytes),
        acknowledged: received(segment.acknowledgment, by: stream), time: segment.time))
  }

  // MARK: FIN

  private mutating func noteFIN(_ arrival: Arrival, on stream: Int) {
    let direction = table.direction(stream)
    let sequence = arrival.sequence &+ UInt32(truncatingIfNeeded: arrival.wireLength)
    switch direction.pointee.phase {
    case .ended: return
    case .unknown: direction.pointee.measure(from: sequence, as: .joining)
    case .hinted:
      let distance = Int32(bitPattern: sequence &- direction.pointee.nextSequence)
      if distance == 0 || distance > 0 && table.direction(stream ^ 1).pointee.sawSYN {
        direction.pointee.rebase(to: direction.pointee.next)
      } else {
        direction.pointee.phase = .joining
      }
    case .joining, .flowing: break
    }
    // A FIN before bytes that the sender has sent is not believed; the first that is believed stands.
    guard direction.pointee.end == .max, let offset = direction.pointee.offset(of: sequence), offset >= 0,
      UInt64(offset) >= max(direction.pointee.next, direction.pointee.highest)
        || direction.pointee.phase == .joining && direction.pointee.held == nil
    else {
      if direction.pointee.phase == .joining { settleJoining(stream) }
      return
    }
    direction.pointee.end = UInt64(offset)
    if direction.pointee.phase == .joining {
      settleJoining(stream)
    } else if direction.pointee.held == nil, direction.pointee.next == direction.pointee.end {
      reachEnd(stream)
    } else {
      _ = held(of: stream)
      drain(stream, progress: false)
    }
  }

  /// Everything up to FIN was told.
  mutating func reachEnd(_ stream: Int) {
    let slot = stream >> 1
    dropHeld(stream)
    table.direction(stream).pointee.phase = .ended
    if table.connection(slot).pointee.isTold {
      events.append(.ended(handle(slot), side(stream), .fin))
    }
  }
}
