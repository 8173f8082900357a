// Purpose: what a decoder does where boundaries or blocks are lost: searches, gaps, the stream's end, arrival times.
// Input -> output: see HTTP2FrameDecoder. Bounds: HTTP2Limits; at most 4096 different arrival times of a search.

import HTTPModel

extension HTTP2FrameDecoder {
  // MARK: Searches

  mutating func beginSearch() {
    if case .preface(let matched) = state { counts.skipped &+= UInt64(matched) }
    counts.skipped &+= UInt64(partial.count)
    partial.removeAll(keepingCapacity: true)
    var next = FrameBoundarySearch(limit: limits.maxSearchBytes)
    next.context = FrameContext(
      maxFrameSize: maxFrameSize, highestStream: highestStream, senderIsClient: senderIsClient)
    search = next
    marks.removeAll(keepingCapacity: true)
    state = .searching
  }

  /// What began like a preface is none: its bytes are searched too.
  mutating func searchBehindPreface(_ matched: Int, _ now: Timestamp) {
    state = .searching
    beginSearch()
    let bytes = UnsafeRawBufferPointer(start: Self.preface.utf8Start, count: matched)
    noteArrival(of: matched, from: 0, .input, now)
    _ = search!.take(bytes)
  }

  /// The search's byte at `place` is a frame's first.
  mutating func lock(at place: Int) -> HTTP2FrameEvent {
    let found = search.take()!
    let passed = place - found.base
    counts.skipped &+= UInt64(passed)
    replay = Array(found.window[passed...])
    replayOffset = 0
    replayMarks = marks.lazy.filter { $0.end > place }.map { ArrivalMark(end: $0.end - place, time: $0.time) }
    marks.removeAll(keepingCapacity: true)
    state = .header
    framesSinceLock = 0
    guard passed > 0 else { return .locked }
    pending.append(.locked)
    return .skipped(passed)
  }

  /// Notes when bytes that the search takes came; beyond a number of different times the last one stands for the rest.
  mutating func noteArrival(of count: Int, from offset: Int, _ source: Source, _ now: Timestamp) {
    let end = search!.end
    switch source {
    case .input: mark(end + count, at: now)
    case .replay(let times):
      for time in times where time.end > offset { mark(end + time.end - offset, at: time.time) }
    }
  }

  private mutating func mark(_ end: Int, at time: Timestamp) {
    if let last = marks.last, last.time == time || marks.count >= 4096 {
      marks[marks.count - 1].end = end
    } else {
      marks.append(ArrivalMark(end: end, time: time))
    }
  }

  func arrival(of offset: Int, _ source: Source, _ now: Timestamp) -> Timestamp {
    guard case .replay(let times) = source else { return now }
    var low = 0
    var high = times.count
    while low < high {
      let middle = (low + high) / 2
      if times[middle].end <= offset { low = middle + 1 } else { high = middle }
    }
    return low < times.count ? times[low].time : now
  }

  // MARK: Blocks

  /// The block that `header` begins or continues cannot be read.
  mutating func loseBlock(_ header: HTTP2FrameHeader) {
    var block = open ?? OpenBlock(header: header, promised: 0, start: frameStart)
    block.isLost = true
    block.isEnding = header.flags.contains(.endHeaders)
    open = block
    held.removeAll(keepingCapacity: true)
  }

  /// Where a frame that was passed over ends a lost block: its event.
  mutating func closeLostBlock() -> HTTP2FrameEvent? {
    guard let block = open, block.isLost, block.isEnding else { return nil }
    open = nil
    frameStart = block.start
    return .lostBlock(block.header, promised: block.promised)
  }

  // MARK: Gaps and ends

  /// `length` bytes of the stream are missing here. Pull all events of the bytes before it first, and go on pulling
  /// after it.
  public mutating func gap(_ length: UInt64) -> HTTP2FrameGap {
    switch state {
    case .data(let header, let remaining, let padding, let begun) where length <= UInt64(remaining + padding):
      let count = min(Int(length), remaining)
      state = .data(
        header, remaining: remaining - count, padding: padding - (Int(length) - count), begun: begun || count > 0)
      return count > 0 ? .insideData(header, count: UInt64(count)) : .insideFrame(header)
    case .data(let header, let remaining, _, _):
      loseBoundaries()
      return .lost(data: header, count: UInt64(remaining))
    case .payload(let header) where length <= UInt64(Int(header.length) - partial.count):
      state = .skip(remaining: Int(header.length) - partial.count - Int(length))
      counts.skipped &+= UInt64(partial.count)
      partial.removeAll(keepingCapacity: true)
      if header.type == .headers || header.type == .pushPromise || header.type == .continuation { loseBlock(header) }
      return .insideFrame(header)
    case .skip(let remaining) where length <= UInt64(remaining):
      state = .skip(remaining: remaining - Int(length))
      return .insideFrame(HTTP2FrameHeader(length: 0, rawType: .max, flags: [], stream: 0))
    case .searching:
      counts.skipped &+= UInt64(search?.window.count ?? 0)
      beginSearch()
      return .lost(data: nil, count: 0)
    case .padLength(let header):
      loseBoundaries()
      return .lost(data: header, count: 0)
    case .preface, .header, .payload, .skip:
      loseBoundaries()
      return .lost(data: nil, count: 0)
    }
  }

  private mutating func loseBoundaries() {
    if let block = open.take() { pending.append(.lostBlock(block.header, promised: block.promised)) }
    beginSearch()
  }

  /// The stream has ended. Pull ``nextEvent(in:at:time:)`` with no bytes until nil, before and after.
  public mutating func finish() {
    switch state {
    case .searching:
      if let place = search?.atEnd() {
        pending.append(lock(at: place))
      } else {
        let count = search?.window.count ?? 0
        counts.skipped &+= UInt64(count)
        beginSearch()
        if count > 0 { pending.append(.skipped(count)) }
      }
    case .header where partial.isEmpty && open == nil: break
    case .preface(0): break
    case .header, .data, .padLength, .payload, .skip, .preface:
      counts.framing &+= UInt64(heldBytes)
      partial.removeAll(keepingCapacity: true)
      if let block = open.take() { pending.append(.lostBlock(block.header, promised: block.promised)) }
      pending.append(.anomaly(.h2FrameTruncated, stream: 0))
      state = .header
    }
  }
}
