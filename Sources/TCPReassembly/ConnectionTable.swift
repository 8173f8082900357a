// Finds a connection's slot by its two addresses, in either order.
// In: addresses. Out: slots. Owner: Reassembler. Bounds: `limit` slots in pages that are never moved or given back;
// buckets are 8 bytes, two to four for each slot in use.

import HTTPModel
import PacketHeaders

/// Slots in pages, an open-addressing hash table over them, and the lists that order them by time.
///
/// A bucket holds 32 bits of hash and the slot's number plus one, so that a probe touches a slot only where the hash
/// agrees. The hash is seeded per table: nobody who sends packets can choose collisions. Connections of equal addresses in
/// several virtual networks have equal hashes; the Reassembler bounds how many there are.
struct ConnectionTable: ~Copyable {
  private static let pageShift = 9
  private static let pageSize = 1 << pageShift

  let limit: Int
  private(set) var count = 0
  private var slots = 0
  private var freeSlot: UInt32 = .max
  private let connectionPages: UnsafeMutablePointer<UnsafeMutablePointer<Connection>>
  private let directionPages: UnsafeMutablePointer<UnsafeMutablePointer<Direction>>
  private var buckets: UnsafeMutablePointer<UInt64>
  private var mask: Int
  private let seeds: (UInt64, UInt64, UInt64)
  private var heads: (UInt32, UInt32, UInt32) = (.max, .max, .max)
  private var tails: (UInt32, UInt32, UInt32) = (.max, .max, .max)

  init(limit: Int) {
    self.limit = min(max(limit, 1), 1 << 30)
    let pages = (self.limit + Self.pageSize - 1) >> Self.pageShift
    connectionPages = .allocate(capacity: pages)
    directionPages = .allocate(capacity: pages)
    mask = 1023
    buckets = .allocate(capacity: 1024)
    buckets.initialize(repeating: 0, count: 1024)
    var random = SystemRandomNumberGenerator()
    seeds = (random.next(), random.next(), random.next() | 1)
  }

  deinit {
    for page in 0..<(slots + Self.pageSize - 1) >> Self.pageShift {
      connectionPages[page].deinitialize(count: Self.pageSize).deallocate()
      directionPages[page].deinitialize(count: Self.pageSize * 2).deallocate()
    }
    connectionPages.deallocate()
    directionPages.deallocate()
    buckets.deallocate()
  }

  @inline(__always)
  func connection(_ slot: Int) -> UnsafeMutablePointer<Connection> {
    connectionPages[slot >> Self.pageShift] + (slot & (Self.pageSize - 1))
  }

  /// - Parameter stream: twice the slot, plus the direction.
  @inline(__always)
  func direction(_ stream: Int) -> UnsafeMutablePointer<Direction> {
    directionPages[stream >> (Self.pageShift + 1)] + (stream & (Self.pageSize * 2 - 1))
  }

  /// The slot of a handle that still names its connection.
  func slot(of handle: ConnectionHandle) -> Int? {
    guard handle.index >= 0, handle.index < slots else { return nil }
    let connection = connection(handle.index)
    return connection.pointee.isUsed && connection.pointee.number == handle.number ? handle.index : nil
  }

  // MARK: Look-up

  /// Twice the slot plus the sender's direction, or -1.
  ///
  /// - Parameter network: fingerprint of the virtual network that the sender's direction is seen in.
  @inline(__always)
  func find(_ source: TransportAddress, _ destination: TransportAddress, in network: UInt32) -> Int {
    let hash = self.hash(source, destination)
    let forward = Self.ports(source, destination)
    let backward = Self.ports(destination, source)
    var bucket = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = buckets[bucket]
      if entry == 0 { return -1 }
      if UInt32(truncatingIfNeeded: entry >> 32) == hash {
        let slot = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
        let c = connection(slot)
        if c.pointee.ports == forward, c.pointee.originatorLow == source.address.low,
          c.pointee.responderLow == destination.address.low, c.pointee.originatorHigh == source.address.high,
          c.pointee.responderHigh == destination.address.high, c.pointee.originatorNetwork == network
        {
          return slot &* 2
        }
        if c.pointee.ports == backward, c.pointee.originatorLow == destination.address.low,
          c.pointee.responderLow == source.address.low, c.pointee.originatorHigh == destination.address.high,
          c.pointee.responderHigh == source.address.high, c.pointee.responderNetwork == network
        {
          return slot &* 2 &+ 1
        }
      }
      bucket = (bucket &+ 1) & mask
    }
  }

  /// A walk over the connections between two addresses in whatever virtual network.
  struct Walk {
    fileprivate let source: TransportAddress
    fileprivate let destination: TransportAddress
    fileprivate let hash: UInt32
    fileprivate var bucket: Int
  }

  func walk(_ source: TransportAddress, _ destination: TransportAddress) -> Walk {
    let hash = self.hash(source, destination)
    return Walk(source: source, destination: destination, hash: hash, bucket: Int(truncatingIfNeeded: hash) & mask)
  }

  /// The next stream of a walk, as ``find(_:_:in:)`` names it, or nil. The table must not change on the way.
  func next(_ walk: inout Walk) -> Int? {
    while buckets[walk.bucket] != 0 {
      let entry = buckets[walk.bucket]
      walk.bucket = (walk.bucket &+ 1) & mask
      guard UInt32(truncatingIfNeeded: entry >> 32) == walk.hash else { continue }
      let slot = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
      let c = connection(slot)
      let (originator, responder) = (c.pointee.originator, c.pointee.responder)
      if originator == walk.source, responder == walk.destination { return slot &* 2 }
      if originator == walk.destination, responder == walk.source { return slot &* 2 &+ 1 }
    }
    return nil
  }

  @inline(__always)
  private static func ports(_ originator: TransportAddress, _ responder: TransportAddress) -> UInt64 {
    UInt64(originator.port) << 16 | UInt64(responder.port) | (originator.address.isIPv6 ? 1 << 33 : 0)
      | (responder.address.isIPv6 ? 1 << 32 : 0)
  }

  /// The same for both orders of the two addresses.
  @inline(__always)
  private func hash(_ a: TransportAddress, _ b: TransportAddress) -> UInt32 {
    let x = half(a)
    let y = half(b)
    let mixed = Self.fold(x &+ y ^ seeds.0, (x ^ y) &+ seeds.2)
    return UInt32(truncatingIfNeeded: mixed ^ mixed >> 32)
  }

  @inline(__always)
  private func half(_ address: TransportAddress) -> UInt64 {
    let low = Self.fold(address.address.low ^ seeds.0, UInt64(address.port) ^ seeds.1)
    return address.address.isIPv6 ? Self.fold(address.address.high ^ seeds.1, low ^ seeds.2) : low
  }

  /// 64 by 64 bits to 128, the halves joined: each bit of the operands reaches most of the result.
  @inline(__always)
  private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  // MARK: Slots

  /// A fresh connection in `list`; the addresses are not in the table with this network, and the table is not full.
  mutating func insert(
    originator: TransportAddress, responder: TransportAddress, in encapsulation: Encapsulation, number: UInt32,
    list: ConnectionList, at clock: Int64
  ) -> Int {
    if (count + 1) * 2 > mask { grow() }
    let slot = takeSlot()
    let c = connection(slot)
    var fresh = Connection()
    fresh.originatorHigh = originator.address.high
    fresh.originatorLow = originator.address.low
    fresh.responderHigh = responder.address.high
    fresh.responderLow = responder.address.low
    fresh.ports = Self.ports(originator, responder)
    fresh.hash = hash(originator, responder)
    fresh.encapsulation = encapsulation
    fresh.originatorNetwork = encapsulation.fingerprint
    fresh.responderNetwork = fresh.originatorNetwork
    fresh.number = number
    fresh.isUsed = true
    c.pointee = fresh
    direction(slot * 2).pointee = Direction()
    direction(slot * 2 + 1).pointee = Direction()
    place(slot, hash: fresh.hash)
    link(slot, to: list, at: clock)
    count += 1
    return slot
  }

  mutating func remove(_ slot: Int) {
    let c = connection(slot)
    unlink(slot)
    var hole = Int(c.pointee.hash) & mask
    while UInt32(truncatingIfNeeded: buckets[hole]) != UInt32(slot + 1) { hole = (hole + 1) & mask }
    // Entries after the hole move back over it unless that would put them before their own bucket.
    var probe = (hole + 1) & mask
    while buckets[probe] != 0 {
      let home = Int(buckets[probe] >> 32) & mask
      if (probe - home) & mask >= (probe - hole) & mask {
        buckets[hole] = buckets[probe]
        hole = probe
      }
      probe = (probe + 1) & mask
    }
    buckets[hole] = 0
    direction(slot * 2).pointee.held = nil
    direction(slot * 2 + 1).pointee.held = nil
    c.pointee.isUsed = false
    c.pointee.following = freeSlot
    freeSlot = UInt32(slot)
    count -= 1
  }

  private mutating func takeSlot() -> Int {
    if freeSlot != .max {
      let slot = Int(freeSlot)
      freeSlot = connection(slot).pointee.following
      return slot
    }
    if slots & (Self.pageSize - 1) == 0 {
      let page = slots >> Self.pageShift
      connectionPages[page] = .allocate(capacity: Self.pageSize)
      connectionPages[page].initialize(repeating: Connection(), count: Self.pageSize)
      directionPages[page] = .allocate(capacity: Self.pageSize * 2)
      directionPages[page].initialize(repeating: Direction(), count: Self.pageSize * 2)
    }
    slots += 1
    return slots - 1
  }

  private func place(_ slot: Int, hash: UInt32) {
    var bucket = Int(hash) & mask
    while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
    buckets[bucket] = UInt64(hash) << 32 | UInt64(slot + 1)
  }

  private mutating func grow() {
    let old = buckets
    let oldCount = mask + 1
    mask = oldCount * 2 - 1
    buckets = .allocate(capacity: mask + 1)
    buckets.initialize(repeating: 0, count: mask + 1)
    for index in 0..<oldCount where old[index] != 0 {
      place(Int(old[index] & 0xffff_ffff) - 1, hash: UInt32(old[index] >> 32))
    }
    old.deallocate()
  }

  // MARK: Lists

  /// The slot that has stood in a list longest, or nil.
  func first(of list: ConnectionList) -> Int? {
    let head = self[headOf: list]
    return head == .max ? nil : Int(head)
  }

  mutating func move(_ slot: Int, to list: ConnectionList, at clock: Int64) {
    unlink(slot)
    link(slot, to: list, at: clock)
  }

  private mutating func link(_ slot: Int, to list: ConnectionList, at clock: Int64) {
    let c = connection(slot)
    let tail = self[tailOf: list]
    c.pointee.list = list
    c.pointee.touched = clock
    c.pointee.previous = tail
    c.pointee.following = .max
    if tail == .max {
      self[headOf: list] = UInt32(slot)
    } else {
      connection(Int(tail)).pointee.following = UInt32(slot)
    }
    self[tailOf: list] = UInt32(slot)
  }

  private mutating func unlink(_ slot: Int) {
    let c = connection(slot)
    let (previous, following, list) = (c.pointee.previous, c.pointee.following, c.pointee.list)
    if previous == .max {
      self[headOf: list] = following
    } else {
      connection(Int(previous)).pointee.following = following
    }
    if following == .max {
      self[tailOf: list] = previous
    } else {
      connection(Int(following)).pointee.previous = previous
    }
  }

  private subscript(headOf list: ConnectionList) -> UInt32 {
    get {
      switch list {
      case .halfOpen: heads.0
      case .open: heads.1
      case .closed: heads.2
      }
    }
    set {
      switch list {
      case .halfOpen: heads.0 = newValue
      case .open: heads.1 = newValue
      case .closed: heads.2 = newValue
      }
    }
  }

  private subscript(tailOf list: ConnectionList) -> UInt32 {
    get {
      switch list {
      case .halfOpen: tails.0
      case .open: tails.1
      case .closed: tails.2
      }
    }
    set {
      switch list {
      case .halfOpen: tails.0 = newValue
      case .open: tails.1 = newValue
      case .closed: tails.2 = newValue
      }
    }
  }
}
