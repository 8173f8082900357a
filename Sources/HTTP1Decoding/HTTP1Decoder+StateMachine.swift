// Purpose: every state of the decoder and every transition between them, in one switch.
// Input -> output: bytes, gaps and the stream's end -> events. Owner: HTTP1Decoder. Bounds: HTTP1Limits.
//
//                      PROXY v2                                     101, 2xx to CONNECT, enterTunnel()
//   preamble ──────────▶ balancerHeader                              ┌──────────────────────────▶ tunnel
//      │ (first byte CR)      │                                      │
//      ▼                      ▼      start line + section            │       (no body)
//   ┌──────────────────────▶ between ──────▶ head ───────────────────┼──────▶ ending ──┐
//   │                          │ ▲            │                      │          ▲      │
//   │           not a start    │ │ found      ├─▶ fixed ─────────────┼──────────┤      │
//   │           line           │ │            ├─▶ untilClose ── finish() ─▶ .end │      │
//   │                          ▼ │            └─▶ chunkLine ◀─▶ chunkData ─▶ chunkDataEnd
//   │                       searching ◀──┐          │ size 0                   │      │
//   │                          │         │          ▼                          │      │
//   │   nothing of HTTP seen   ▼         │       trailers ─────────────────────┘      │
//   │                       notHTTP      └── truncating ◀── broken chunk, section too large
//   └──────────────────────────────────────────────────────────────────────────────────┘
//   gap(): fixed, chunkData, untilClose stay where the gap is inside; everything else that reads a message ─▶ searching.
//
// Where RFC 9112 is not enough: it has a recipient give up at broken framing (6.3, 7.1). A sniffer goes on: it tells the
// truncation and searches for the next start line. It also fixes no meaning for a request whose codings do not end in
// chunked: here it has no body, and what follows is judged as a start line.

import HTTPModel

extension HTTP1Decoder {
  @usableFromInline
  enum State: Sendable {
    /// A request stream began with CR: an empty line, or version 2 of the PROXY protocol.
    case preamble
    case balancerHeader(remaining: Int)
    case between
    /// `held` begins with what may be a start line.
    case head
    case fixed(remaining: UInt64)
    case untilClose
    case chunkLine
    case chunkData(remaining: UInt64)
    case chunkDataEnd(afterCR: Bool)
    case trailers
    case ending
    case truncating(HTTP1Truncation)
    /// - `pastFirst`: the next byte was judged already and does not begin a message.
    case searching(pastFirst: Bool)
    case tunnel
    case notHTTP
  }

  /// ``nextEvent(in:at:)`` without memory of its own: neither allocates nor copies but into `parts`.
  public mutating func step(
    in bytes: UnsafeRawBufferPointer, at offset: inout Int, _ parts: inout HTTP1Parts
  ) -> HTTP1Step? {
    while true {
      if let anomaly = takeQueued() { return .anomaly(anomaly) }
      switch state {
      case .between:
        switch passEmptyLines(bytes, &offset) {
        case .needsMore: return nil
        case .mayBeBalancer:
          state = .preamble
          continue
        case .passed: break
        }
        if readWholeHead(bytes, &offset, &parts.head, &parts.names) { return .head }
        state = .head

      case .head:
        switch extendHead(bytes, &offset, &parts.head, &parts.names) {
        case .needsMore: return nil
        case .head: return .head
        case .passedOver:
          state = .between
          return skipHeld()
        case .tooLarge:
          state = .searching(pastFirst: false)
          previousByte = Octet.lf
          queued.insert(.http1HeadTooLarge)
          return skipHeld()
        case .rejected(let kind):
          if !established {
            state = .notHTTP
            counts.notHTTP &+= UInt64(held.count)
            parts.held = takeHeld()
            return .notHTTP(kind)
          }
          if last.offersSwitch {
            state = .tunnel
          } else {
            state = .searching(pastFirst: true)
            return .anomaly(last.forbidsBody ? .http1BodyNotAllowed : .http1StartLineInvalid)
          }
        }

      case .fixed(let remaining):
        guard offset < bytes.count else { return nil }
        if isDeclined(bytes, offset) {
          state = .between
          return .truncated(.declined)
        }
        let range = takeBody(bytes, &offset, atMost: remaining)
        let rest = remaining - UInt64(range.count)
        state = rest == 0 ? .ending : .fixed(remaining: rest)
        return .body(range)

      case .untilClose:
        guard offset < bytes.count else { return nil }
        return .body(takeBody(bytes, &offset, atMost: .max))

      case .chunkLine:
        guard offset < bytes.count else { return nil }
        if isDeclined(bytes, offset) {
          state = .between
          return .truncated(.declined)
        }
        switch readChunkLine(bytes, &offset) {
        case .needsMore: return nil
        case .chunk(size: 0):
          section = SectionEnd()
          state = .trailers
        case .chunk(let size):
          state = .chunkData(remaining: size)
          return .chunk(size: size)
        case .invalid:
          state = .truncating(.chunked)
          return .anomaly(.http1ChunkInvalid)
        }

      case .chunkData(let remaining):
        guard offset < bytes.count else { return nil }
        let range = takeBody(bytes, &offset, atMost: remaining)
        let rest = remaining - UInt64(range.count)
        state = rest == 0 ? .chunkDataEnd(afterCR: false) : .chunkData(remaining: rest)
        return .body(range)

      case .chunkDataEnd(let afterCR):
        guard offset < bytes.count else { return nil }
        switch bytes[offset] {
        case Octet.lf:
          offset += 1
          counts.framing &+= 1
          state = .chunkLine
          if !afterCR { tell(.http1ChunkBareLF) }
        case Octet.cr where !afterCR:
          offset += 1
          counts.framing &+= 1
          state = .chunkDataEnd(afterCR: true)
        default:
          state = .truncating(.chunked)
          return .anomaly(.http1ChunkInvalid)
        }

      case .trailers:
        guard offset < bytes.count else { return nil }
        switch readTrailers(bytes, &offset, &parts.names) {
        case .needsMore: return nil
        case .none: state = .ending
        case .section(let fields):
          state = .ending
          parts.trailers = fields
          return .trailers
        case .tooLarge:
          counts.skipped &+= dropHeld()
          state = .truncating(.trailers)
          return .anomaly(.http1HeadTooLarge)
        }

      case .ending:
        state = last.switches ? .tunnel : .between
        return .end

      case .truncating(let truncation):
        previousByte = Octet.lf
        state = .searching(pastFirst: false)
        return .truncated(truncation)

      case .searching(let pastFirst):
        if pastFirst {
          guard let byte = held.first ?? (offset < bytes.count ? bytes[offset] : nil) else { return nil }
          if held.isEmpty { offset += 1 } else { held.removeFirst() }
          state = .searching(pastFirst: false)
          return skipped(1, endingIn: byte)
        }
        switch search(bytes, &offset) {
        case .needsMore: return nil
        case .skipped(let count): return .skipped(count)
        case .found(let count):
          early = AnomalySet()
          state = held.isEmpty ? .between : .head
          if count > 0 { return .skipped(count) }
        case .exhausted:
          state = .notHTTP
          counts.notHTTP &+= UInt64(held.count)
          parts.held = takeHeld()
          return .notHTTP(.other)
        }

      case .tunnel:
        guard offset < bytes.count || !held.isEmpty else { return nil }
        let range = offset..<bytes.count
        offset = bytes.count
        counts.tunnel &+= UInt64(held.count + range.count)
        parts.held = takeHeld()
        return .tunnel(range)

      case .notHTTP:
        counts.notHTTP &+= UInt64(bytes.count - offset)
        offset = bytes.count
        return nil

      case .preamble:
        switch readPreamble(bytes, &offset) {
        case .needsMore: return nil
        case .emptyLines: state = .between
        case .balancer(let length):
          state = length > 0 ? .balancerHeader(remaining: length) : .between
          return skipHeld()
        case .other:
          state = .notHTTP
          counts.notHTTP &+= UInt64(held.count)
          parts.held = takeHeld()
          return .notHTTP(.other)
        }

      case .balancerHeader(let remaining):
        guard offset < bytes.count else { return nil }
        let count = min(remaining, bytes.count - offset)
        offset += count
        counts.skipped &+= UInt64(count)
        state = remaining > count ? .balancerHeader(remaining: remaining - count) : .between
        return .skipped(count)
      }
    }
  }

  /// The message that `head` begins, and what comes after its head.
  mutating func begin(_ head: HTTP1Head) {
    established = true
    messageSeen = true
    bodyPosition = 0
    told = AnomalySet()
    if !chunkExtension.isEmpty { chunkExtension = [] }
    switch head.framing {
    case .contentLength: state = head.contentLength == 0 ? .ending : .fixed(remaining: head.contentLength ?? 0)
    case .chunked: state = .chunkLine
    case .close: state = .untilClose
    case .none, .stream: state = .ending
    }
  }

  /// ``finish()`` as a step.
  mutating func finishingStep(_ parts: inout HTTP1Parts) -> HTTP1Step? {
    if let anomaly = takeQueued() { return .anomaly(anomaly) }
    switch state {
    case .between, .notHTTP: return nil
    case .ending, .untilClose:
      state = .between
      return .end
    case .truncating(let truncation):
      state = .between
      return .truncated(truncation)
    case .head:
      startLineKnown = false
      state = .between
      counts.skipped &+= dropHeld()
      return .truncated(.head)
    case .fixed(let remaining):
      state = .between
      return .truncated(mayBeDeclined ? .declined : .body(missing: remaining))
    case .chunkLine, .chunkData, .chunkDataEnd:
      counts.framing &+= dropHeld()
      state = .between
      return .truncated(mayBeDeclined ? .declined : .chunked)
    case .trailers:
      counts.trailers &+= dropHeld()
      state = .between
      return .truncated(.trailers)
    case .preamble, .balancerHeader, .searching:
      state = .between
      return held.isEmpty ? nil : skipHeld()
    case .tunnel:
      guard !held.isEmpty else { return nil }
      counts.tunnel &+= UInt64(held.count)
      parts.held = takeHeld()
      return .tunnel(0..<0)
    }
  }

  /// `length` bytes of the stream are missing here. Pull all events of the bytes before it first, and go on pulling
  /// after it: a gap that reaches exactly to a body's end is followed by its end.
  public mutating func gap(_ length: UInt64) -> HTTP1GapEffect {
    guard length > 0 else { return .outsideMessages }
    let position = bodyPosition
    let (reached, overflow) = position.addingReportingOverflow(length)
    let end = overflow ? UInt64.max : reached
    switch state {
    case .untilClose:
      bodyPosition = end
      return .insideBody(BodyRange(lowerBound: position, upperBound: end))
    case .fixed(let remaining) where length <= remaining:
      bodyPosition = end
      mayBeDeclined = false
      state = length == remaining ? .ending : .fixed(remaining: remaining - length)
      return .insideBody(BodyRange(lowerBound: position, upperBound: end))
    case .chunkData(let remaining) where length <= remaining:
      bodyPosition = end
      state = length == remaining ? .chunkDataEnd(afterCR: false) : .chunkData(remaining: remaining - length)
      return .insideBody(BodyRange(lowerBound: position, upperBound: end))
    case .fixed(let remaining):
      beginSearch()
      return .bodyCut(from: position, length: remaining)
    case .head, .chunkLine, .chunkData, .chunkDataEnd, .trailers, .truncating:
      beginSearch()
      return .messageLost
    case .between, .ending:
      established = true
      last = LastHead(switches: last.switches)
      return .betweenMessages
    case .preamble, .balancerHeader, .searching:
      beginSearch()
      return .betweenMessages
    case .tunnel, .notHTTP:
      return .outsideMessages
    }
  }

  /// Gives up the message being read, if any, and searches for the next one.
  public mutating func resynchronize() { beginSearch() }

  /// The connection speaks another protocol after the message being read, or from here on where none is.
  ///
  /// For the direction whose own bytes do not tell: requests after the response that switched.
  public mutating func enterTunnel() {
    last.switches = true
    switch state {
    case .between, .head, .searching, .preamble, .balancerHeader, .notHTTP:
      startLineKnown = false
      state = .tunnel
    default: break
    }
  }

  /// The body that the last head announced may be left out: of a request, where the final response came before any byte
  /// of what `Expect: 100-continue` announced; of a response, where the request was never seen and may have been a HEAD.
  ///
  /// What comes next decides: where it begins with a whole start line, or
  /// nothing comes, the message ends as ``HTTP1Truncation/declined``. This looks no further than the next call's bytes.
  public mutating func declineBody() {
    switch state {
    case .fixed, .chunkLine: mayBeDeclined = bodyPosition == 0 && held.isEmpty
    default: break
    }
  }

  private mutating func beginSearch() {
    counts.skipped &+= dropHeld()
    startLineKnown = false
    established = true
    mayBeDeclined = false
    last = LastHead()
    early = AnomalySet()
    previousByte = Octet.lf
    state = .searching(pastFirst: false)
  }
}
