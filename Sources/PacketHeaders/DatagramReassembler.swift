// Fragments of IP datagrams to whole datagrams (RFC 791, 3.2; RFC 8200, 4.5; RFC 5722).
//
// In: fragments in any order with their packet time. Out: the datagram that a fragment completes. Owner: PacketReader.
// Bounds: FragmentLimits. A fragment costs its own bytes and a search among at most `fragmentsPerDatagram` others.

public import HTTPModel

/// Puts IPv4 and IPv6 datagrams together.
///
/// A datagram is known by its addresses, identification, protocol (IPv4) and the virtual network that it travels in. Where
/// IPv4 fragments overlap, what came first stays; if the bytes differ, the datagram is disputed. Of IPv6 fragments that
/// overlap nothing is believed: the datagram is discarded with all that still comes of it. Exact copies are neither.
///
/// A fragment that the snap length cut leaves a hole in the middle of the datagram: what stands behind it is told as
/// missing too, since a segment can lack nothing but its end.
@safe public struct DatagramReassembler: ~Copyable {
  public let limits: FragmentLimits
  public private(set) var statistics = FragmentStatistics()

  private var slotOf: [GatheredDatagram.Key: Int] = [:]
  private var slots: [GatheredDatagram] = []
  private var free: [Int] = []
  /// Datagrams that wait or were discarded, and those that were completed, each in order of time.
  private var gathering = SlotList()
  private var completed = SlotList()
  /// The latest packet time seen.
  private var clock: Int64 = .min
  private var output = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var outputCount = 0

  /// An IP datagram's payload has at most so many octets.
  private static let longestPayload = 65_535

  public init(limits: FragmentLimits = FragmentLimits()) { self.limits = limits.clamped }

  deinit { unsafe output.deallocate() }

  /// The captured payload of the last datagram; borrowed until the next ``receive(_:of:at:)``.
  public var payload: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: output[..<outputCount])
  }

  /// Takes a fragment.
  ///
  /// - Parameters:
  ///   - packet: the bytes that ``IPFragment/payload`` is a range of; may be ``payload``.
  ///   - time: the packet's time. It may go backwards; waiting is measured by the latest time seen.
  /// - Returns: the datagram, where this fragment completes it.
  public mutating func receive(
    _ fragment: IPFragment, of packet: UnsafeRawBufferPointer, at time: Timestamp
  ) -> Datagram? {
    advance(to: time)
    statistics.fragments &+= 1
    let length = fragment.payloadLengthOnWire
    guard length > 0, length <= Self.longestPayload, fragment.offset + length <= Self.longestPayload,
      !fragment.hasMore || length & 7 == 0
    else {
      statistics.invalid &+= 1
      return nil
    }
    guard let slot = slot(for: fragment) else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: packet[fragment.payload])
    let costBefore = slots[slot].cost
    let outcome = unsafe slots[slot].take(fragment, bytes, limit: limits.fragmentsPerDatagram)
    statistics.heldBytes += slots[slot].cost - costBefore
    switch outcome {
    case .kept, .disputed:
      statistics.pending &+= 1
      if outcome == .disputed { statistics.overlapMismatches &+= 1 }
    case .known, .contradicted:
      statistics.duplicate &+= 1
      if outcome == .contradicted { statistics.overlapMismatches &+= 1 }
      return nil
    case .refused:
      statistics.discarded &+= UInt64(slots[slot].fragments) &+ 1
      statistics.pending &-= UInt64(slots[slot].fragments)
      statistics.datagramsDiscarded &+= 1
      empty(slot, as: .discarded)
      return nil
    }
    guard slots[slot].isComplete else {
      makeRoom(for: 0)
      return nil
    }
    return complete(slot)
  }

  /// Lets packet time pass: what has waited too long is given up.
  public mutating func advance(to time: Timestamp) {
    clock = max(clock, time.nanoseconds)
    while completed.first >= 0, clock &- slots[completed.first].since > limits.duplicateWindow {
      remove(completed.first)
    }
    while gathering.first >= 0, clock &- slots[gathering.first].since > limits.timeout { expire(gathering.first) }
  }

  /// Gives up what waits; it counts as expired.
  public mutating func finish() {
    while completed.first >= 0 { remove(completed.first) }
    while gathering.first >= 0 { expire(gathering.first) }
  }

  // MARK: Slots

  /// Where the fragment's datagram gathers; nil where the fragment is of no use.
  private mutating func slot(for fragment: IPFragment) -> Int? {
    let key = GatheredDatagram.Key(fragment)
    if let slot = slotOf[key] {
      switch slots[slot].state {
      case .gathering: return slot
      case .completed: statistics.duplicate &+= 1
      case .discarded: statistics.discarded &+= 1
      }
      return nil
    }
    makeRoom(for: 1)
    let slot = free.popLast() ?? slots.count
    if slot == slots.count { slots.append(GatheredDatagram()) }
    slots[slot] = GatheredDatagram(key: key, fragment, since: clock)
    slotOf[key] = slot
    gathering.append(slot, &slots)
    statistics.heldBytes += slots[slot].cost
    return slot
  }

  /// Gives up the oldest datagrams until `count` more fit: first those that are only remembered.
  private mutating func makeRoom(for count: Int) {
    while slotOf.count + count > limits.datagrams || statistics.heldBytes > limits.heldBytes {
      if completed.first >= 0 {
        remove(completed.first)
      } else if gathering.first >= 0 {
        let slot = gathering.first
        if slots[slot].state == .gathering {
          statistics.evicted &+= UInt64(slots[slot].fragments)
          statistics.pending &-= UInt64(slots[slot].fragments)
          statistics.datagramsEvicted &+= 1
        }
        remove(slot)
      } else {
        return
      }
    }
  }

  private mutating func expire(_ slot: Int) {
    if slots[slot].state == .gathering {
      statistics.expired &+= UInt64(slots[slot].fragments)
      statistics.pending &-= UInt64(slots[slot].fragments)
      statistics.datagramsExpired &+= 1
    }
    remove(slot)
  }

  private mutating func remove(_ slot: Int) {
    if slots[slot].state == .completed { completed.remove(slot, &slots) } else { gathering.remove(slot, &slots) }
    slotOf[slots[slot].key] = nil
    statistics.heldBytes -= slots[slot].cost
    slots[slot] = GatheredDatagram()
    free.append(slot)
  }

  /// Keeps only the memory that the datagram was there, so that what still comes of it begins no other.
  private mutating func empty(_ slot: Int, as state: GatheredDatagram.State) {
    statistics.heldBytes -= slots[slot].cost
    slots[slot].empty(as: state)
    statistics.heldBytes += slots[slot].cost
  }

  private mutating func complete(_ slot: Int) -> Datagram {
    if unsafe output.baseAddress == nil {
      unsafe output = .allocate(byteCount: Self.longestPayload, alignment: 8)
    }
    outputCount = unsafe slots[slot].copy(to: output)
    let datagram = slots[slot].datagram
    statistics.reassembled &+= UInt64(slots[slot].fragments)
    statistics.pending &-= UInt64(slots[slot].fragments)
    statistics.datagrams &+= 1
    gathering.remove(slot, &slots)
    empty(slot, as: .completed)
    slots[slot].since = clock
    completed.append(slot, &slots)
    return datagram
  }
}

/// A list through ``GatheredDatagram/previous`` and ``GatheredDatagram/following``; -1 is no slot.
private struct SlotList {
  private(set) var first = -1
  private var last = -1

  mutating func append(_ slot: Int, _ slots: inout [GatheredDatagram]) {
    slots[slot].previous = last
    slots[slot].following = -1
    if last >= 0 { slots[last].following = slot } else { first = slot }
    last = slot
  }

  mutating func remove(_ slot: Int, _ slots: inout [GatheredDatagram]) {
    let (previous, following) = (slots[slot].previous, slots[slot].following)
    if previous >= 0 { slots[previous].following = following } else { first = following }
    if following >= 0 { slots[following].previous = previous } else { last = previous }
  }
}
