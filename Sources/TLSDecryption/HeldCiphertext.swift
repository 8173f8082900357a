// One direction's bytes that no record reader has consumed, with where they came from and the gaps among them.
//
// In: bytes, gaps. Out: the contiguous bytes at the head. Owner: `DirectionState`. Bounds: none of its own; `footprint`
// is what `TLSLimits.heldBytes` is compared with, and counts the marks of tiny segments too.

import HTTPModel

/// Where and when bytes stood in their TCP stream.
struct Arrival: Hashable, Sendable {
  var offset: UInt64
  var acknowledged: UInt64?
  var time: Timestamp

  func moved(by count: Int) -> Arrival {
    Arrival(offset: offset &+ UInt64(count), acknowledged: acknowledged, time: time)
  }
}

struct HeldCiphertext {
  private struct Mark {
    /// The index in `bytes`, as it would be had nothing been removed from its front.
    var position: Int
    /// nil marks a gap of `length`.
    var arrival: Arrival?
    var length: UInt64
  }

  private var bytes: [UInt8] = []
  /// Index in `bytes` of the first byte not consumed.
  private var head = 0
  /// Positions that were removed from the front of `bytes`.
  private var removed = 0
  private var marks: [Mark] = []
  private var firstMark = 0
  /// Positions of the gaps in `marks`, from `firstGap` on.
  private var gaps: [Int] = []
  private var firstGap = 0

  var isEmpty: Bool { head == bytes.count && firstGap == gaps.count }

  var footprint: Int { bytes.count - head + (marks.count - firstMark) * MemoryLayout<Mark>.stride }

  /// Bytes not consumed, over all gaps.
  var count: Int { bytes.count - head }

  /// Bytes at the head up to the next gap.
  var available: Int { (firstGap < gaps.count ? gaps[firstGap] - removed : bytes.count) - head }

  /// Whether the head's bytes end at a gap.
  var isCutByGap: Bool { firstGap < gaps.count }

  mutating func append(_ new: UnsafeRawBufferPointer, _ arrival: Arrival) {
    marks.append(Mark(position: removed + bytes.count, arrival: arrival, length: 0))
    bytes.append(contentsOf: new)
  }

  mutating func appendGap(_ length: UInt64) {
    let position = removed + bytes.count
    marks.append(Mark(position: position, arrival: nil, length: length))
    gaps.append(position)
  }

  /// The head's bytes up to the next gap; borrowed for the call.
  func withAvailable<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[head..<head + available])) }
  }

  /// When the head's first byte came; nil where nothing is held or a gap is next.
  var headArrival: Arrival? {
    guard firstMark < marks.count, let arrival = marks[firstMark].arrival else { return nil }
    return arrival.moved(by: max(0, removed + head - marks[firstMark].position))
  }

  /// The time of the byte `count` - 1 behind the head; `count` is from 1 to `available`.
  func time(ofLastOf count: Int) -> Timestamp {
    let last = removed + head + count - 1
    var index = firstMark
    while index + 1 < marks.count, marks[index + 1].position <= last { index += 1 }
    return marks[index].arrival?.time ?? Timestamp(nanoseconds: .min)
  }

  /// Drops bytes at the head, at most `available`.
  mutating func consume(_ count: Int) {
    head += count
    let position = removed + head
    while firstMark + 1 < marks.count, marks[firstMark + 1].position <= position, marks[firstMark].arrival != nil {
      firstMark += 1
    }
    if head == bytes.count, firstGap == gaps.count { return clear() }
    if head > 1 << 16, head > bytes.count / 2 {
      bytes.removeFirst(head)
      removed += head
      head = 0
    }
    if firstMark > 1 << 10, firstMark > marks.count / 2 {
      marks.removeFirst(firstMark)
      firstMark = 0
    }
  }

  /// Takes the gap at the head, where `available` is 0, and tells its length.
  mutating func takeGap() -> UInt64? {
    guard firstGap < gaps.count, available == 0 else { return nil }
    while firstMark < marks.count, marks[firstMark].arrival != nil { firstMark += 1 }
    guard firstMark < marks.count else { return nil }
    let length = marks[firstMark].length
    firstMark += 1
    firstGap += 1
    if firstGap == gaps.count {
      gaps.removeAll(keepingCapacity: false)
      firstGap = 0
    }
    if head == bytes.count, firstGap == gaps.count { clear() }
    return length
  }

  /// Forgets all; memory too where it was much.
  mutating func clear() {
    removed = 0
    head = 0
    bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 16)
    marks.removeAll(keepingCapacity: marks.capacity <= 1 << 8)
    firstMark = 0
    gaps.removeAll(keepingCapacity: false)
    firstGap = 0
  }
}
