// Purpose: the streams of a connection that are followed, found by identifier in constant time.
// Input -> output: identifiers -> slots, which stay the same while a stream is followed. Owner: HTTP2Connection.
// Bounds: `limit` streams; beyond it the caller evicts one that was not used lately.

import HTTPModel

/// One sender's half of a stream.
struct StreamHalf: Sendable {
  enum Phase: UInt8, Sendable { case awaitingHead, body, ended }

  var phase = Phase.awaitingHead
  /// The head was handed out, so body and end are too.
  var isTold = false
  /// The status of the response that was told is not known: it may be an interim one.
  var isStatusUnknown = false
  /// Its head may have been sent unseen: what looks like trailers is taken for trailers.
  var mayHaveLostHead = false
  /// No body although Content-Length may promise one: answers to HEAD, 304.
  var forbidsBody = false
  /// Body bytes so far, seen or known to be missing.
  var received: UInt64 = 0
  /// `.max` where not known.
  var contentLength = UInt64.max
  /// Where frames were lost while the body was open; `.max` where none were.
  var lostFrom = UInt64.max
  /// What the sender may still send, as far as known.
  var window: Int64
  var blockedSince: Timestamp?
}

struct StreamRecord: Sendable {
  var id: UInt32
  var state: StreamState
  var originator: StreamHalf
  var responder: StreamHalf
  /// Used since it began, or since the last round of evictions.
  var isFresh = false
  var answersHead = false

  @inline(__always)
  subscript(side: HTTP2Side) -> StreamHalf {
    get { side == .originator ? originator : responder }
    _modify { if side == .originator { yield &originator } else { yield &responder } }
  }
}

struct StreamTable: Sendable {
  private(set) var count = 0
  private var records: [StreamRecord] = []
  private var isUsed: [Bool] = []
  private var free: [Int] = []
  /// Open addressing, linear probing; 0 is an empty place, which is no stream's identifier.
  private var keys: [UInt32]
  private var slots: [Int32]
  /// The next slot that an eviction looks at.
  private var hand = 0

  init() {
    keys = Array(repeating: 0, count: 32)
    slots = Array(repeating: 0, count: 32)
  }

  /// Every slot is below.
  var capacity: Int { records.count }

  @inline(__always)
  func slot(of id: UInt32) -> Int {
    let mask = keys.count &- 1
    var place = home(id, mask)
    while true {
      let key = keys[place]
      if key == id { return Int(slots[place]) }
      if key == 0 { return -1 }
      place = (place &+ 1) & mask
    }
  }

  @inline(__always)
  subscript(slot: Int) -> StreamRecord {
    get { records[slot] }
    _modify { yield &records[slot] }
  }

  func isOpen(_ slot: Int) -> Bool { isUsed[slot] }

  mutating func insert(_ record: StreamRecord) -> Int {
    if (count + 1) * 2 > keys.count { grow() }
    let slot: Int
    if let last = free.popLast() {
      slot = last
      records[slot] = record
      isUsed[slot] = true
    } else {
      slot = records.count
      records.append(record)
      isUsed.append(true)
    }
    place(record.id, slot)
    count += 1
    return slot
  }

  mutating func remove(_ slot: Int) {
    let mask = keys.count - 1
    var hole = home(records[slot].id, mask)
    while keys[hole] != records[slot].id { hole = (hole + 1) & mask }
    // What comes after moves up as far as its own home allows, so that no search ends too early.
    var next = (hole + 1) & mask
    while keys[next] != 0 {
      let distance = (next - home(keys[next], mask)) & mask
      if distance >= (next - hole) & mask {
        keys[hole] = keys[next]
        slots[hole] = slots[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    keys[hole] = 0
    isUsed[slot] = false
    free.append(slot)
    count -= 1
  }

  /// A stream that was not used since the hand came by last (second chance). There must be one.
  mutating func candidateForEviction() -> Int {
    while true {
      if hand >= records.count { hand = 0 }
      defer { hand += 1 }
      guard isUsed[hand] else { continue }
      if !records[hand].isFresh { return hand }
      records[hand].isFresh = false
    }
  }

  @inline(__always)
  private func home(_ id: UInt32, _ mask: Int) -> Int {
    // The identifiers of one side are all odd or all even.
    Int(truncatingIfNeeded: (id &* 0x9e37_79b1) >> 7) & mask
  }

  private mutating func place(_ id: UInt32, _ slot: Int) {
    let mask = keys.count - 1
    var place = home(id, mask)
    while keys[place] != 0 { place = (place + 1) & mask }
    keys[place] = id
    slots[place] = Int32(slot)
  }

  private mutating func grow() {
    keys = Array(repeating: 0, count: keys.count * 2)
    slots = Array(repeating: 0, count: keys.count)
    for slot in records.indices where isUsed[slot] { place(records[slot].id, slot) }
  }
}
