// Packets that are somewhat out of order, held back until their order is known.
//
// In: packets. Out: the same in order of time, as far as a window goes. Owner: one SavedCaptureSet. Bounds: a window of
// packet time and a number of bytes; what is over that goes out, earliest first.

import HTTPModel
import PacketHeaders

/// A window over packet time; each packet is copied into it once.
struct ReorderWindow {
  /// Nanoseconds that a packet may come after one with a later time.
  let span: Int64
  /// Bytes of packets held at most.
  let limit: Int
  /// Packets that came too late to be put in order.
  private(set) var late: UInt64 = 0
  /// Packets that went out before their time because the window was full.
  private(set) var hurried: UInt64 = 0
  private(set) var heldBytes = 0

  private struct Held {
    var time: Int64
    /// Order of arrival, which holds where times are equal.
    var number: UInt64
    var linkType: LinkType
    var interface: Int
    var lengthOnWire: Int
    var slab: Int
    var offset: Int
    var count: Int

    func precedes(_ other: Held) -> Bool { time != other.time ? time < other.time : number < other.number }
  }

  /// Room for packets: filled from the front, empty again when all of its packets have gone.
  private final class Slab {
    let bytes: UnsafeMutableRawPointer
    let capacity: Int
    var used = 0
    var packets = 0

    init(_ capacity: Int) {
      self.capacity = capacity
      bytes = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { bytes.deallocate() }
  }

  /// A binary heap.
  private var heap: [Held] = []
  private var slabs: [Slab?] = []
  private var idle: [Int] = []
  private var filling: Int?
  private var numbers: UInt64 = 0
  private var latest = Int64.min
  private var lastOut = Int64.min
  /// What was lent last; its room is free from the next call on.
  private var lent: Int?

  private static let slabSize = 1 << 18

  init(span: Int64, limit: Int) {
    self.span = span
    self.limit = limit
  }

  var isEmpty: Bool { heap.isEmpty }

  mutating func push(_ packet: PacketRecord) {
    release()
    let time = packet.time.nanoseconds
    if time < lastOut { late &+= 1 }
    latest = max(latest, time)
    let count = packet.bytes.count
    let (slab, offset) = room(count)
    if let base = packet.bytes.baseAddress { (slabs[slab]!.bytes + offset).copyMemory(from: base, byteCount: count) }
    heldBytes += count
    heap.append(
      Held(
        time: time, number: numbers, linkType: packet.linkType, interface: packet.interface,
        lengthOnWire: packet.lengthOnWire, slab: slab, offset: offset, count: count))
    numbers &+= 1
    var child = heap.count - 1
    while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// The earliest packet, where none that is still in order can come before it, or in any case where `isLast`. Its bytes
  /// are lent until the next call.
  mutating func pop(isLast: Bool) -> PacketRecord? {
    release()
    guard let first = heap.first else { return nil }
    let isRipe = first.time <= latest.subtractingReportingOverflow(span).partialValue || latest < .min + span
    // A packet of no bytes costs room too.
    let isFull = heldBytes + heap.count * MemoryLayout<Held>.stride > limit
    guard isRipe || isFull || isLast else { return nil }
    if !isRipe, !isLast { hurried &+= 1 }
    removeFirst()
    heldBytes -= first.count
    lastOut = max(lastOut, first.time)
    lent = first.slab
    return PacketRecord(
      time: Timestamp(nanoseconds: first.time), linkType: first.linkType, interface: first.interface,
      bytes: UnsafeRawBufferPointer(start: slabs[first.slab]!.bytes + first.offset, count: first.count),
      lengthOnWire: first.lengthOnWire)
  }

  private mutating func removeFirst() {
    let last = heap.removeLast()
    if heap.isEmpty { return }
    heap[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(heap[parent]) else { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }

  private mutating func room(_ count: Int) -> (slab: Int, offset: Int) {
    if let filling, slabs[filling]!.capacity - slabs[filling]!.used >= count { return take(count, of: filling) }
    filling = nil
    if count <= ReorderWindow.slabSize, let index = idle.popLast() {
      if slabs[index] == nil { slabs[index] = Slab(ReorderWindow.slabSize) }
      filling = index
      return take(count, of: index)
    }
    // A packet longer than a slab gets one of its own, which is given back with it.
    let slab = Slab(max(count, ReorderWindow.slabSize))
    if let index = idle.popLast() {
      slabs[index] = slab
      filling = index
    } else {
      filling = slabs.count
      slabs.append(slab)
    }
    return take(count, of: filling!)
  }

  private mutating func take(_ count: Int, of index: Int) -> (slab: Int, offset: Int) {
    let slab = slabs[index]!
    defer {
      slab.used += count
      slab.packets += 1
    }
    return (index, slab.used)
  }

  private mutating func release() {
    guard let index = lent else { return }
    lent = nil
    let slab = slabs[index]!
    slab.packets -= 1
    guard slab.packets == 0 else { return }
    slab.used = 0
    if index == filling { return }
    // A few stay for what comes; the others go back.
    if idle.count >= 4 || slab.capacity > ReorderWindow.slabSize { slabs[index] = nil }
    idle.append(index)
  }
}
