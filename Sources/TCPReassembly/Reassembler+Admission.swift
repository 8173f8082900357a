// Which connection a segment belongs to, where that is not plain: SYN, RST, unknown and closed connections.
// In: a segment and what the table found. Out: the stream that carries it, or -1 where nothing of it goes on.

import HTTPModel
import PacketHeaders

extension Reassembler {
  /// - Parameter found: twice the slot plus the direction, or -1.
  mutating func admit(_ arrival: Arrival, found stream: Int) -> Int {
    let flags = arrival.segment.flags
    guard stream >= 0 else {
      if let other = connectionInOtherNetwork(arrival) { return admit(arrival, found: other) }
      if !flags.contains(.rst), flags.contains(.syn) || arrival.wireLength > 0 { return begin(arrival) }
      statistics.segmentsUnattached &+= 1
      return ignore(arrival)
    }
    let connection = table.connection(stream >> 1)
    if connection.pointee.list == .closed { return admitLate(arrival, on: stream) }
    if flags.contains(.rst) { return reset(arrival, on: stream) }
    if let candidate = connection.pointee.candidate, agrees(arrival, on: stream, with: candidate) {
      return begin(candidate, insteadOf: stream, with: arrival)
    }
    return flags.contains(.syn) ? synchronize(arrival, on: stream) : stream
  }

  private mutating func ignore(_ arrival: Arrival) -> Int {
    statistics.ignored.notStream &+= UInt64(arrival.payload.count)
    return -1
  }

  // MARK: Beginning

  /// Puts a connection into the table that begins with this segment, and returns the segment's stream.
  private mutating func begin(_ arrival: Arrival) -> Int {
    let segment = arrival.segment
    let isSYN = segment.flags.contains(.syn)
    let stream = insert(
      sender: segment.source, receiver: segment.destination, in: segment.encapsulation,
      isResponder: isSYN && segment.flags.contains(.ack), list: isSYN ? .halfOpen : .open)
    if isSYN {
      begin(stream, initialSequence: segment.sequence.rawValue)
    } else {
      statistics.connectionsMidstream &+= 1
    }
    return stream
  }

  private mutating func insert(
    sender: TransportAddress, receiver: TransportAddress, in encapsulation: Encapsulation, isResponder: Bool,
    list: ConnectionList
  ) -> Int {
    limitNetworks(sender, receiver)
    while table.count >= table.limit { evict() }
    lastNumber = lastNumber == .max ? 1 : lastNumber + 1
    statistics.connections &+= 1
    statistics.openConnections &+= 1
    let slot = table.insert(
      originator: isResponder ? receiver : sender, responder: isResponder ? sender : receiver,
      in: encapsulation, number: lastNumber, list: list, at: clock)
    return slot * 2 + (isResponder ? 1 : 0)
  }

  private mutating func begin(_ stream: Int, initialSequence: UInt32) {
    let direction = table.direction(stream)
    direction.pointee.sawSYN = true
    direction.pointee.initialSequence = initialSequence
    direction.pointee.begin(at: initialSequence &+ 1)
  }

  private mutating func evict() {
    if let slot = table.first(of: .closed) {
      table.remove(slot)
    } else if let slot = table.first(of: .halfOpen) ?? table.first(of: .open) {
      close(slot, .evicted)
    }
  }

  // MARK: SYN on a known connection

  private mutating func synchronize(_ arrival: Arrival, on stream: Int) -> Int {
    let direction = table.direction(stream)
    let initial = arrival.segment.sequence.rawValue
    if direction.pointee.sawSYN {
      return initial == direction.pointee.initialSequence ? stream : propose(arrival, on: stream)
    }
    switch direction.pointee.phase {
    case .unknown:
      let opposite = table.direction(stream ^ 1)
      if let acknowledgment = arrival.acknowledgment, opposite.pointee.sawSYN {
        guard let offset = opposite.pointee.acknowledgedOffset(of: acknowledgment), offset >= 0 else {
          return ignore(arrival)
        }
      }
      noteHandshake(stream)
      begin(stream, initialSequence: initial)
    case .hinted, .joining:
      let first = direction.pointee.held?.firstOffset ?? min(direction.pointee.next, direction.pointee.end)
      guard let offset = direction.pointee.offset(of: arrival.sequence).map(UInt64.init(bitPattern:)),
        offset <= first, first - offset <= UInt64(Direction.joinWindow)
      else { return propose(arrival, on: stream) }
      noteHandshake(stream)
      direction.pointee.sawSYN = true
      direction.pointee.initialSequence = initial
      settleOrigin(stream, at: offset)
    case .flowing, .ended:
      guard direction.pointee.sequence(of: 0) == arrival.sequence else { return propose(arrival, on: stream) }
      noteHandshake(stream)
      direction.pointee.sawSYN = true
      direction.pointee.initialSequence = initial
    }
    return stream
  }

  /// A connection that was joined by its data turns out to have been seen from its start.
  private mutating func noteHandshake(_ stream: Int) {
    if !table.direction(stream).pointee.sawSYN, !table.direction(stream ^ 1).pointee.sawSYN {
      statistics.connectionsMidstream &-= 1
    }
  }

  /// A SYN with another initial sequence number: believed at once where the old connection is over or never was.
  private mutating func propose(_ arrival: Arrival, on stream: Int) -> Int {
    let slot = stream >> 1
    let connection = table.connection(slot)
    if let other = connectionInOtherNetwork(arrival, than: slot) {
      close(slot, .replaced)
      return admit(arrival, found: other)
    }
    if connection.pointee.list == .halfOpen || connection.pointee.isReset
      || table.direction(stream).pointee.phase == .ended
    {
      close(slot, .replaced)
      return begin(arrival)
    }
    connection.pointee.candidate = ConnectionCandidate(
      direction: StreamDirection(rawValue: UInt8(stream & 1))!, initialSequence: arrival.segment.sequence.rawValue,
      payloadLength: UInt32(arrival.wireLength), acknowledgment: arrival.acknowledgment)
    return ignore(arrival)
  }

  /// Whether a segment continues the connection that a SYN proposed.
  func agrees(_ arrival: Arrival, on stream: Int, with candidate: ConnectionCandidate) -> Bool {
    let first = candidate.initialSequence &+ 1
    if stream & 1 == Int(candidate.direction.rawValue) {
      return !arrival.segment.flags.contains(.syn) && arrival.sequence &- first <= candidate.payloadLength
    }
    if let acknowledgment = arrival.acknowledgment { return acknowledgment &- first <= candidate.payloadLength }
    return false
  }

  private mutating func begin(
    _ candidate: ConnectionCandidate, insteadOf stream: Int, with arrival: Arrival
  ) -> Int {
    let isSender = stream & 1 == Int(candidate.direction.rawValue)
    let (source, destination) = (arrival.segment.source, arrival.segment.destination)
    close(stream >> 1, .replaced)
    let proposed = insert(
      sender: isSender ? source : destination, receiver: isSender ? destination : source,
      in: arrival.segment.encapsulation, isResponder: candidate.acknowledgment != nil, list: .halfOpen)
    begin(proposed, initialSequence: candidate.initialSequence)
    if let acknowledgment = candidate.acknowledgment { acknowledge(acknowledgment, on: proposed ^ 1) }
    return admit(arrival, found: isSender ? proposed : proposed ^ 1)
  }

  // MARK: RST

  /// A RST is believed where its sequence number lies between what the receiver acknowledged and a little more than
  /// the sender sent (RFC 9293, 3.10.7.4; a receiver is stricter, but it has seen what capture may have missed).
  private mutating func reset(_ arrival: Arrival, on stream: Int) -> Int {
    statistics.ignored.notStream &+= UInt64(arrival.payload.count)
    guard isPlausibleReset(arrival, on: stream) else {
      statistics.resetsIgnored &+= 1
      return -1
    }
    let slot = stream >> 1
    table.connection(slot).pointee.isReset = true
    if let acknowledgment = arrival.acknowledgment { acknowledge(acknowledgment, on: stream ^ 1) }
    for stream in slot * 2...slot * 2 + 1 {
      if table.direction(stream).pointee.phase == .joining { settleOrigin(stream) }
      if table.direction(stream).pointee.held != nil { drain(stream, progress: false) }
    }
    closeIfOver(slot)
    return -1
  }

  private func isPlausibleReset(_ arrival: Arrival, on stream: Int) -> Bool {
    let direction = table.direction(stream).pointee
    switch direction.phase {
    case .flowing, .ended, .joining:
      guard let offset = direction.offset(of: arrival.sequence) else { return false }
      let reach = max(direction.highest, direction.next, direction.acknowledged)
      return offset >= Int64(bitPattern: min(direction.acknowledged, direction.next))
        && offset <= Int64(bitPattern: reach) &+ 65_535
    case .unknown, .hinted:
      if direction.phase == .hinted, let offset = direction.offset(of: arrival.sequence),
        offset >= Int64(bitPattern: direction.next), offset <= Int64(bitPattern: direction.acknowledged) &+ 65_535
      {
        return true
      }
      // The refusal of a SYN: no sequence number, and an ACK of exactly what was sent.
      let opposite = table.direction(stream ^ 1).pointee
      guard let acknowledgment = arrival.acknowledgment,
        let offset = opposite.acknowledgedOffset(of: acknowledgment)
      else { return false }
      return opposite.phase == .flowing && offset >= 0 && offset <= Int64(bitPattern: opposite.highest) &+ 1
    }
  }

  // MARK: After the end

  /// A segment of a closed connection: late, or the first seen of a new one on the same addresses.
  private mutating func admitLate(_ arrival: Arrival, on stream: Int) -> Int {
    let direction = table.direction(stream)
    let flags = arrival.segment.flags
    if flags.contains(.rst) { return ignore(arrival) }
    if flags.contains(.syn) {
      if direction.pointee.sawSYN, direction.pointee.initialSequence == arrival.segment.sequence.rawValue {
        return ignore(arrival)
      }
    } else {
      if arrival.wireLength == 0 { return -1 }
      let count = Int64(arrival.payload.count)
      let next = Int64(bitPattern: direction.pointee.next)
      if direction.pointee.phase != .flowing && direction.pointee.phase != .ended {
        statistics.ignored.afterEnd &+= UInt64(count)
        return -1
      }
      let offset = next &+ Int64(Int32(bitPattern: arrival.sequence &- direction.pointee.nextSequence))
      if offset >= next - 64 * Direction.joinWindow, offset <= next + Direction.joinWindow {
        let duplicate = min(count, max(0, next - offset))
        statistics.duplicateBytes &+= UInt64(duplicate)
        statistics.ignored.afterEnd &+= UInt64(count - duplicate)
        if count > 0, duplicate == count { statistics.segmentsRetransmitted &+= 1 }
        return -1
      }
    }
    let other = connectionInOtherNetwork(arrival, than: stream >> 1)
    table.remove(stream >> 1)
    if let other { return admit(arrival, found: other) }
    return begin(arrival)
  }
}
