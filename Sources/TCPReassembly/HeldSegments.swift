// What waits behind a hole of one direction.
// In: pieces that overlap nothing held. Out: the same in order of offset. Owner: Direction, while there is a hole.
// Bounds: the Reassembler's limits on bytes and on segments.

import HTTPModel

/// Bytes out of order: `bytes` begins at `offset`.
struct HeldSegment {
  var offset: UInt64
  var time: Timestamp
  /// The clock when it came: ``time`` may lie behind it.
  var arrived: Int64
  /// The segment's own, which tells what its sender had received.
  var acknowledgment: UInt32?
  var bytes: [UInt8]

  @inline(__always) var end: UInt64 { offset &+ UInt64(bytes.count) }
}

/// A range of offsets: of the part of a segment that the snap length cut off, which bytes that come later may fill.
struct OffsetRange {
  var offset: UInt64
  var end: UInt64
}

/// Which of the waiting lists a direction stands in.
enum HoleList: Int, CaseIterable {
  /// The stream's first byte is not known yet.
  case joining = 0
  /// Nothing says that the bytes of the first hole are lost.
  case waiting = 1
  /// The receiver acknowledged the bytes of the first hole, or the connection was reset.
  case acknowledged = 2
}

final class HeldSegments {
  /// Twice the connection's slot plus the direction.
  let stream: UInt32
  /// Rising and not overlapping from ``first`` on; those before it were told and wait to be swept out together.
  private var segments: [HeldSegment] = []
  private var first = 0
  /// Rising offsets.
  private var cuts: [OffsetRange] = []
  private(set) var byteCount = 0
  /// The furthest ACK that came while there was a hole: those before it may belong to another point of the capture.
  var acknowledged: UInt64 = 0
  /// The receiver sent an ACK, since the first hole opened, that does not cover it.
  var receiverLacks = false
  var list: HoleList?
  /// Streams before and after this one in ``list``.
  var previous: UInt32 = .max
  var following: UInt32 = .max
  /// Where the first hole begins.
  var hole: UInt64 = .max
  /// Since when the first hole is waited for, and when it was put in its list.
  var opened: Int64 = 0
  var queued: Int64 = 0
  /// ``acknowledged`` and the connection's count of segments when it was put in its list.
  var acknowledgedWhenQueued: UInt64 = 0
  var segmentsWhenQueued: UInt32 = 0
  /// Disagreements found while joining, to be told when offsets are known.
  var mismatches: [OffsetRange] = []
  /// What of ``cost`` the Reassembler has counted.
  var countedCost = 0

  init(stream: UInt32) { self.stream = stream }

  var isEmpty: Bool { first == segments.count && cuts.isEmpty }

  var entryCount: Int { segments.count - first + cuts.count }

  /// What counts against the limits.
  var cost: Int { byteCount + entryCount * ReassemblyLimits.overheadPerHeldSegment }

  /// When the first segment came.
  var firstArrival: Int64? { first < segments.count ? segments[first].arrived : nil }

  var firstSegmentOffset: UInt64? { first < segments.count ? segments[first].offset : nil }

  /// Where the first hole ends, as far as is known; nil where nothing but an end is waited for.
  var firstOffset: UInt64? {
    switch (firstSegmentOffset, cuts.first?.offset) {
    case (let segment?, let cut?): min(segment, cut)
    case (let segment?, nil): segment
    case (nil, let cut): cut
    }
  }

  /// Index of the first segment that ends after `offset`; ``endIndex`` where there is none.
  func index(after offset: UInt64) -> Int {
    guard let last = segments.last, first < segments.count, last.end > offset else { return segments.count }
    var (low, high) = (first, segments.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].end > offset { high = middle } else { low = middle + 1 }
    }
    return low
  }

  var endIndex: Int { segments.count }

  subscript(index: Int) -> HeldSegment { segments[index] }

  func insert(_ segment: HeldSegment, at index: Int) {
    byteCount += segment.bytes.count
    segments.insert(segment, at: index)
  }

  /// Takes the first segment out; the places of a few are swept out at once, so that the cost is constant.
  func takeFirst() -> HeldSegment {
    let segment = segments[first]
    segments[first].bytes = []
    first += 1
    byteCount -= segment.bytes.count
    if first == segments.count || first >= 64 && first * 2 >= segments.count {
      segments.removeFirst(first)
      first = 0
    }
    return segment
  }

  func insert(_ cut: OffsetRange) {
    var index = cuts.count
    while index > 0, cuts[index - 1].offset > cut.offset { index -= 1 }
    if index > 0, cuts[index - 1].offset == cut.offset {
      cuts[index - 1].end = max(cuts[index - 1].end, cut.end)
    } else {
      cuts.insert(cut, at: index)
    }
  }

  /// The end of the cut that `next` stands in, or nil. Cuts that end before are forgotten.
  func cutEnd(at next: UInt64) -> UInt64? {
    var reached = 0
    var end = next
    while reached < cuts.count, cuts[reached].offset <= next {
      end = max(end, cuts[reached].end)
      reached += 1
    }
    guard reached > 0 else { return nil }
    if end > next {
      cuts[0].end = end
      cuts.removeSubrange(1..<reached)
      return end
    }
    cuts.removeSubrange(0..<reached)
    return nil
  }

  func rebase(by origin: UInt64) {
    for index in first..<segments.count { segments[index].offset &-= origin }
    for index in cuts.indices {
      cuts[index].offset &-= origin
      cuts[index].end &-= origin
    }
    for index in mismatches.indices {
      mismatches[index].offset &-= origin
      mismatches[index].end &-= origin
    }
    acknowledged = acknowledged > origin ? acknowledged &- origin : 0
  }
}
