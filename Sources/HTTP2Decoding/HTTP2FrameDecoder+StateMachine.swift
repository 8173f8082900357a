// Purpose: every state of frame decoding and every transition between them, in one switch.
// Input -> output: bytes, gaps and the stream's end -> events. Owner: HTTP2FrameDecoder. Bounds: HTTP2Limits.
//
//   preface ──24 bytes──▶ header ──DATA──▶ (padLength) ──▶ data ──┐
//      │ others             ▲  │                                  │
//      ▼                    │  ├──known, good──▶ payload ─────────┤
//   searching ──proof──▶ replay│                                  │
//      ▲                    │  ├──unknown, bad──▶ skip ───────────┤
//      │                    └──┼──────────────────────────────────┘
//      └── gap over a frame's end, header that contradicts a young lock
//
// Where RFC 9113 is not enough: a receiver gives the connection up at a frame error (5.4.1). A sniffer trusts the length
// and goes on; only where boundaries were found by a search, or the header is absurd, does it search again.

public import HTTPModel

extension HTTP2FrameDecoder {
  enum Source {
    case input
    /// Bytes of earlier calls, with the times at which they came.
    case replay([ArrivalMark])

    @inline(__always) var isInput: Bool { if case .input = self { true } else { false } }
  }

  /// The next event, or nil when all of `bytes` is consumed and more is needed.
  /// - Parameters:
  ///   - bytes: borrowed until return.
  ///   - offset: where to go on; moved over what is consumed.
  ///   - time: of the packet that brought the bytes.
  @inline(__always)
  public mutating func nextEvent(
    in bytes: UnsafeRawBufferPointer, at offset: inout Int, time now: Timestamp
  ) -> HTTP2FrameEvent? {
    if !pending.isEmpty || !replay.isEmpty, let event = nextHeldEvent(now) { return event }
    return step(bytes, &offset, .input, now)
  }

  /// Events of what is held come before those of the call's bytes.
  @inline(never)
  private mutating func nextHeldEvent(_ now: Timestamp) -> HTTP2FrameEvent? {
    if !pending.isEmpty { return pending.removeFirst() }
    // Taken out, so that a search within these bytes may leave others here.
    var bytes: [UInt8] = []
    var times: [ArrivalMark] = []
    swap(&bytes, &replay)
    swap(&times, &replayMarks)
    var offset = replayOffset
    replayOffset = 0
    let event = bytes.withUnsafeBytes { step($0, &offset, .replay(times), now) }
    if event == nil {
      time = now
    } else if replay.isEmpty {
      swap(&bytes, &replay)
      swap(&times, &replayMarks)
      replayOffset = offset
    } else {
      let shift = replay.count - offset
      replayMarks += times.lazy.filter { $0.end > offset }.map { ArrivalMark(end: $0.end + shift, time: $0.time) }
      replay += bytes[offset...]
    }
    return event
  }

  private mutating func step(
    _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ source: Source, _ now: Timestamp
  ) -> HTTP2FrameEvent? {
    if source.isInput { time = now }
    while true {
      switch state {
      case .header:
        guard offset < bytes.count else { return nil }
        if partial.isEmpty { frameStart = arrival(of: offset, source, now) }
        guard let header = readHeader(bytes, &offset) else { return nil }
        note(offset, source)
        if let event = begin(header) { return event }

      case .data(let header, let remaining, let padding, let begun):
        if remaining > 0, offset >= bytes.count { return nil }
        let count = min(remaining, bytes.count - offset)
        let range = offset..<(offset + count)
        offset += count
        counts.data &+= UInt64(count)
        if remaining > count {
          state = .data(header, remaining: remaining - count, padding: padding, begun: true)
          note(offset, source)
          return .data(header, place(range, bytes, source.isInput ? 0 : nil), begins: !begun, ends: false)
        }
        let passed = min(padding, bytes.count - offset)
        offset += passed
        counts.framing &+= UInt64(passed)
        note(offset, source)
        if passed < padding {
          state = .data(header, remaining: 0, padding: padding - passed, begun: begun || count > 0)
          if count > 0 {
            return .data(header, place(range, bytes, source.isInput ? 0 : nil), begins: !begun, ends: false)
          }
          return nil
        }
        state = .header
        return .data(header, place(range, bytes, source.isInput ? 0 : nil), begins: !begun, ends: true)

      case .padLength(let header):
        guard offset < bytes.count else { return nil }
        let padding = Int(bytes[offset])
        offset += 1
        counts.framing &+= 1
        let rest = Int(header.length) - 1
        guard padding <= rest else {
          state = .skip(remaining: rest)
          return .invalid(header, .h2PaddingInvalid)
        }
        state = .data(header, remaining: rest - padding, padding: padding, begun: false)

      case .payload(let header):
        if let event = readPayload(header, bytes, &offset, source) { return event }
        guard case .header = state else { return nil }

      case .skip(let remaining):
        let count = min(remaining, bytes.count - offset)
        offset += count
        counts.framing &+= UInt64(count)
        guard count == remaining else {
          state = .skip(remaining: remaining - count)
          return nil
        }
        note(offset, source)
        state = .header
        if let event = closeLostBlock() { return event }

      case .preface(let matched):
        guard offset < bytes.count else { return nil }
        var matched = matched
        while offset < bytes.count, matched < 24, bytes[offset] == Self.preface.utf8Start[matched] {
          matched += 1
          offset += 1
        }
        note(offset, source)
        if matched == 24 {
          counts.framing &+= 24
          state = .header
          return .preface
        }
        guard offset < bytes.count else {
          state = .preface(matched)
          return nil
        }
        searchBehindPreface(matched, now)
        if !isPrefaceOptional { return .anomaly(.h2PrefaceInvalid, stream: 0) }

      case .searching:
        guard offset < bytes.count else { return nil }
        let window = UnsafeRawBufferPointer(rebasing: bytes[offset...])
        noteArrival(of: window.count, from: offset, source, now)
        let (taken, found) = search!.take(window)
        offset += taken
        if let found { return lock(at: found) }
        let dropped = search!.shrink()
        if dropped > 0 {
          counts.skipped &+= UInt64(dropped)
          return .skipped(dropped)
        }
        return nil
      }
    }
  }

  @inline(__always)
  private mutating func note(_ offset: Int, _ source: Source) {
    if !source.isInput { time = arrival(of: offset - 1, source, time) }
  }

  // MARK: Frames

  @inline(__always)
  private mutating func readHeader(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> HTTP2FrameHeader? {
    let size = HTTP2FrameHeader.size
    if partial.isEmpty, bytes.count - offset >= size {
      let header = HTTP2FrameHeader(bytes.baseAddress! + offset)
      offset += size
      counts.framing &+= UInt64(size)
      return header
    }
    let count = min(size - partial.count, bytes.count - offset)
    partial.append(contentsOf: bytes[offset..<(offset + count)])
    offset += count
    guard partial.count == size else { return nil }
    let header = partial.withUnsafeBytes { HTTP2FrameHeader($0.baseAddress!) }
    partial.removeAll(keepingCapacity: true)
    counts.framing &+= UInt64(size)
    return header
  }

  /// What comes after a header; an event where it is to be told of at once.
  @inline(__always)
  private mutating func begin(_ header: HTTP2FrameHeader) -> HTTP2FrameEvent? {
    if framesSinceLock < Self.certainty {
      if isContradiction(header) {
        beginSearch()
        return .lostBoundaries
      }
      framesSinceLock += 1
    }
    if open != nil, header.type != .continuation || header.stream != open!.header.stream {
      return interrupt(header)
    }
    if header.type == .data, header.length <= maxFrameSize ?? .max {
      state = dataState(header)
      return nil
    }
    return beginOther(header)
  }

  @inline(__always)
  private func dataState(_ header: HTTP2FrameHeader) -> State {
    header.flags.contains(.padded) && header.length > 0
      ? .padLength(header) : .data(header, remaining: Int(header.length), padding: 0, begun: false)
  }

  /// A block that is not ended is followed by something else than its continuation (RFC 9113, 6.10).
  private mutating func interrupt(_ header: HTTP2FrameHeader) -> HTTP2FrameEvent? {
    let block = open.take()!
    pending.append(.lostBlock(block.header, promised: block.promised))
    if let event = beginOther(header) { pending.append(event) }
    return .anomaly(.h2ContinuationExpected, stream: block.header.stream)
  }

  private mutating func beginOther(_ header: HTTP2FrameHeader) -> HTTP2FrameEvent? {
    guard let type = header.type else {
      if header.length > maxFrameSize ?? FrameContext.largestUnknown {
        // Neither the type nor the length is one: these are no frames any more.
        framesSinceLock = 0
        beginSearch()
        return .lostBoundaries
      }
      state = .skip(remaining: Int(header.length))
      return .unknown(header)
    }
    if let fault = fault(header, type) {
      let isBlock = type == .headers || type == .pushPromise || type == .continuation
      state = .skip(remaining: Int(header.length))
      if isBlock { loseBlock(header) }
      return .invalid(header, fault)
    }
    let isOversized = header.length > maxFrameSize ?? .max
    if type == .data {
      state = dataState(header)
    } else if type == .continuation, open == nil {
      // Joined inside a block, or one that nothing began.
      loseBlock(header)
      state = .skip(remaining: Int(header.length))
      return framesSinceLock < Self.certainty ? nil : .anomaly(.h2ContinuationUnexpected, stream: header.stream)
    } else if Int(header.length) + (open == nil ? 0 : held.count) > limits.maxHeaderBlockBytes || open?.isLost == true {
      return passOver(header, type)
    } else {
      state = .payload(header)
    }
    return isOversized ? .anomaly(.h2FrameSizeExceeded, stream: header.stream) : nil
  }

  /// What is too large to be held, or belongs to a block that is lost already.
  private mutating func passOver(_ header: HTTP2FrameHeader, _ type: HTTP2FrameType) -> HTTP2FrameEvent? {
    state = .skip(remaining: Int(header.length))
    switch type {
    case .headers, .pushPromise, .continuation:
      let isNew = open?.isLost != true
      loseBlock(header)
      return isNew ? .anomaly(.h2HeaderBlockTooLarge, stream: header.stream) : nil
    default: return .invalid(header, .h2FrameSizeExceeded)
    }
  }

  /// Lengths and streams that a type demands (RFC 9113, 6).
  private func fault(_ header: HTTP2FrameHeader, _ type: HTTP2FrameType) -> Anomaly? {
    let length = header.length
    switch type {
    case .settings, .ping, .goAway:
      if header.stream != 0 { return .h2StreamIdentifierInvalid }
      if type == .ping { return length == 8 ? nil : .h2FrameSizeInvalid }
      if type == .goAway { return length >= 8 ? nil : .h2FrameSizeInvalid }
      return length % 6 == 0 && (length == 0 || !header.flags.contains(.ack)) ? nil : .h2FrameSizeInvalid
    case .priority, .resetStream:
      if header.stream == 0 { return .h2StreamIdentifierInvalid }
      return length == (type == .priority ? 5 : 4) ? nil : .h2FrameSizeInvalid
    case .windowUpdate: return length == 4 ? nil : .h2FrameSizeInvalid
    case .headers, .pushPromise, .continuation, .data: return nil
    }
  }

  private func isContradiction(_ header: HTTP2FrameHeader) -> Bool {
    let context = FrameContext(maxFrameSize: maxFrameSize, highestStream: 0, senderIsClient: nil)
    if header.type == nil { return header.length > 16_384 }
    // Undefined flags are to be ignored (4.1), also soon after a lock.
    var plain = header
    plain.flags = plain.flags.intersection(FramePlausibility.definedFlags(header))
    if plain.type == .data, plain.length == 0 { return plain.stream == 0 }
    return FramePlausibility.evidence(plain, context) == nil
  }

  // MARK: Payloads

  /// Nil where more is needed, or where the frame is a block's part and not its last (the state tells).
  @inline(__always)
  private mutating func readPayload(
    _ header: HTTP2FrameHeader, _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ source: Source
  ) -> HTTP2FrameEvent? {
    let length = Int(header.length)
    let start = offset
    if partial.isEmpty, bytes.count - offset >= length {
      offset += length
      note(offset, source)
      state = .header
      let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
      return complete(header, payload, inputStart: source.isInput ? start : nil)
    }
    let count = min(length - partial.count, bytes.count - offset)
    partial.append(contentsOf: bytes[offset..<(offset + count)])
    offset += count
    guard partial.count == length else { return nil }
    note(offset, source)
    state = .header
    var payload: [UInt8] = []
    swap(&payload, &partial)
    let event = payload.withUnsafeBytes { complete(header, $0, inputStart: nil) }
    payload.removeAll(keepingCapacity: true)
    swap(&payload, &partial)
    return event
  }

  /// - Parameter inputStart: where the payload stands in the caller's bytes; nil where it stands elsewhere.
  private mutating func complete(
    _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer, inputStart: Int?
  ) -> HTTP2FrameEvent? {
    switch header.type {
    case .headers, .pushPromise: return completeBlock(header, payload, inputStart)
    case .continuation: return completeContinuation(header, payload)
    default:
      counts.framing &+= UInt64(payload.count)
      return .control(header, place(0..<payload.count, payload, inputStart))
    }
  }

  private mutating func completeBlock(
    _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer, _ inputStart: Int?
  ) -> HTTP2FrameEvent? {
    guard let part = FramePlausibility.fragment(payload, of: header) else {
      counts.framing &+= UInt64(payload.count)
      loseBlock(header)
      if let lost = closeLostBlock() { pending.append(lost) }
      let isPadding = header.flags.contains(.padded) && payload.count > 0
      return .invalid(header, isPadding ? .h2PaddingInvalid : .h2FrameSizeInvalid)
    }
    counts.blocks &+= UInt64(part.count)
    counts.framing &+= UInt64(payload.count - part.count)
    var promised: UInt32 = 0
    if header.type == .pushPromise { promised = word(payload, at: part.lowerBound - 4) }
    if header.type == .headers, header.flags.contains(.priority),
      word(payload, at: part.lowerBound - 5) == header.stream
    {
      // Told after the block, which it does not change.
      pending.append(.anomaly(.h2PrioritySelfDependency, stream: header.stream))
    }
    let octets = place(part, payload, header.flags.contains(.endHeaders) ? inputStart : nil)
    if header.flags.contains(.endHeaders) { return .block(header, promised: promised, octets) }
    open = OpenBlock(header: header, promised: promised, start: frameStart)
    return pending.isEmpty ? nil : pending.removeFirst()
  }

  private mutating func completeContinuation(
    _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer
  ) -> HTTP2FrameEvent? {
    counts.blocks &+= UInt64(payload.count)
    held.append(contentsOf: payload)
    open!.continuations += 1
    let isFlood = open!.continuations == limits.maxContinuations + 1
    let flood = HTTP2FrameEvent.anomaly(.h2ContinuationFlood, stream: header.stream)
    guard header.flags.contains(.endHeaders) else { return isFlood ? flood : nil }
    let block = open.take()!
    frameStart = block.start
    let event = HTTP2FrameEvent.block(block.header, promised: block.promised, .held(0..<held.count))
    guard isFlood else { return event }
    pending.append(event)
    return flood
  }

  /// Bytes that are not the caller's are copied to where an event may point.
  @inline(__always)
  private mutating func place(
    _ part: Range<Int>, _ bytes: UnsafeRawBufferPointer, _ inputStart: Int?
  ) -> HTTP2Octets {
    if let inputStart { return .input((inputStart + part.lowerBound)..<(inputStart + part.upperBound)) }
    held.removeAll(keepingCapacity: true)
    held.append(contentsOf: bytes[part])
    return .held(0..<held.count)
  }

  private func word(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt32 {
    UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) & 0x7fff_ffff
  }
}
