// Purpose: what the states of HTTP1Decoder+StateMachine.swift read; nothing here changes the state, apart from the
// beginning of a message. Input -> output: bytes at an offset -> what they are, or that more are needed.

import Glibc
import HTTPModel

extension HTTP1Decoder {
  enum HeadRead {
    case needsMore
    case head(HTTP1Event)
    /// A balancer's line, in `held`.
    case passedOver
    case tooLarge
    case rejected(HTTP1Rejection.Kind)
  }

  enum ChunkLineRead { case needsMore, chunk(size: UInt64), invalid }
  enum TrailersRead { case needsMore, none, section(HeaderFields), tooLarge }
  enum SearchRead { case needsMore, skipped(Int), found(after: Int), exhausted }
  enum PreambleRead { case needsMore, emptyLines, balancer(length: Int), other }

  // MARK: Between messages

  /// RFC 9112, 2.2: empty lines before a start line are passed over; so is other white space. False where nothing
  /// else is there yet, and where the first byte asks for a look at the PROXY protocol.
  mutating func passEmptyLines(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Bool {
    while offset < bytes.count {
      switch bytes[offset] {
      case Octet.cr, Octet.lf:
        if bytes[offset] == Octet.cr, role == .request, !established, counts.total == 0 {
          state = .preamble
          return false
        }
        early.insert(.http1LeadingEmptyLine)
      case Octet.space, Octet.tab: early.insert(.http1StartLineInvalid)
      default: return true
      }
      offset += 1
      counts.framing &+= 1
    }
    return false
  }

  /// Version 2 of the PROXY protocol: a signature that begins with empty lines, two bytes, a length, and as much.
  mutating func readPreamble(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> PreambleRead {
    let signature: StaticString = "\r\n\r\n\0\r\nQUIT\n"
    while offset < bytes.count {
      let index = held.count
      guard index >= 12 || bytes[offset] == signature.utf8Start[index] else {
        guard index <= 4 else { return .other }
        early.insert(.http1LeadingEmptyLine)
        counts.framing &+= dropHeld()
        return .emptyLines
      }
      held.append(bytes[offset])
      offset += 1
      if held.count == 16 { return .balancer(length: Int(held[14]) << 8 | Int(held[15])) }
    }
    return .needsMore
  }

  // MARK: Heads

  /// The usual case: the whole head stands in `bytes`. Nil where it does not, or is anything but a plain head.
  mutating func readWholeHead(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> HTTP1Event? {
    let count = min(bytes.count - offset, limits.maxHeadBytes)
    let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + offset
    guard let feed = lineFeed(base, from: 0, to: min(count, limits.maxStartLineBytes)),
      case .message(let line) = StartLine.parse(base, feed, role: role), !line.isSimple,
      case .complete(let end, let ranges, let anomalies) = FieldSection.parse(
        base, from: feed + 1, to: count, maxFields: limits.maxFields)
    else { return nil }
    let storage = [UInt8](unsafeUninitializedCapacity: end) { buffer, initialized in
      memcpy(buffer.baseAddress!, base, end)
      initialized = end
    }
    let head = makeHead(line, base, HeaderFields(storage: storage, ranges: ranges), anomalies)
    offset += end
    return begin(head)
  }

  /// Adds to `held` what belongs to the head, first up to the end of its start line.
  mutating func extendHead(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> HeadRead {
    while offset < bytes.count {
      guard startLineKnown else {
        if let read = extendStartLine(bytes, &offset) { return read }
        continue
      }
      let from = offset
      let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
      let limit = min(bytes.count, from + (limits.maxHeadBytes - held.count))
      let end = section.find(base, from: from, to: limit)
      held.append(contentsOf: bytes[from..<(end ?? limit)])
      offset = end ?? limit
      if end == nil, held.count < limits.maxHeadBytes { return .needsMore }
      startLineKnown = false
      return end == nil ? .tooLarge : completeHead()
    }
    return .needsMore
  }

  /// Nil where the start line is complete and good.
  private mutating func extendStartLine(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> HeadRead? {
    let from = offset
    let longest = min(limits.maxStartLineBytes, limits.maxHeadBytes)
    let limit = min(bytes.count, from + (longest - held.count))
    let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let feed = lineFeed(base, from: from, to: limit)
    let earlier = held.count
    held.append(contentsOf: bytes[from..<(feed.map { $0 + 1 } ?? limit)])
    offset = from + (held.count - earlier)
    let lineCount = held.count - (feed == nil ? 0 : 1)
    let role = role
    let verdict: StartLineVerdict? = held.withUnsafeBufferPointer { held in
      if feed != nil { return StartLine.parse(held.baseAddress!, lineCount, role: role) }
      return lineCount < longest && StartLine.mayBegin(held.baseAddress!, lineCount, role: role)
        ? nil : .invalid
    }
    switch verdict {
    case nil: return .needsMore
    case .message(let line) where line.isSimple:
      return completeSimple(line)
    case .message:
      startLineKnown = true
      section = SectionEnd()
      return nil
    case .proxy where counts.total == 0:
      return .passedOver
    case .http2: return rejected(.http2, earlier, &offset, from)
    case .proxy, .invalid:
      let isTLS = held.count > 1 && held[0] == 0x16 && held[1] == 0x03
      return rejected(isTLS ? .tls : .other, earlier, &offset, from)
    }
  }

  /// Gives back what this call added to `held`.
  private mutating func rejected(
    _ kind: HTTP1Rejection.Kind, _ earlier: Int, _ offset: inout Int, _ from: Int
  ) -> HeadRead {
    held.removeLast(held.count - earlier)
    offset = from
    return .rejected(kind)
  }

  private mutating func completeHead() -> HeadRead {
    let storage = takeHeld()
    let maxFields = limits.maxFields
    let role = role
    let parsed = storage.withUnsafeBufferPointer { buffer -> (StartLine, [FieldRange], AnomalySet)? in
      let base = buffer.baseAddress!
      guard let feed = lineFeed(base, from: 0, to: buffer.count),
        case .message(let line) = StartLine.parse(base, feed, role: role),
        case .complete(_, let ranges, let anomalies) = FieldSection.parse(
          base, from: feed + 1, to: buffer.count, maxFields: maxFields)
      else { return nil }
      return (line, ranges, anomalies)
    }
    guard let (line, ranges, anomalies) = parsed else {
      held = storage
      return .tooLarge
    }
    // Built from the array alone: `held` gave it up, so nothing is copied.
    let head = storage.withUnsafeBufferPointer {
      makeHead(line, $0.baseAddress!, HeaderFields(storage: storage, ranges: ranges), anomalies)
    }
    return .head(begin(head))
  }

  private mutating func completeSimple(_ line: StartLine) -> HeadRead {
    let storage = takeHeld()
    let head = storage.withUnsafeBufferPointer {
      makeHead(line, $0.baseAddress!, HeaderFields(storage: storage), AnomalySet())
    }
    return .head(begin(head))
  }

  private mutating func makeHead(
    _ line: StartLine, _ base: Octets, _ fields: HeaderFields, _ anomalies: AnomalySet
  ) -> HTTP1Head {
    let said = MessageFraming(base, fields.ranges)
    counts.head &+= UInt64(fields.storage.count)
    var anomalies = anomalies
    anomalies.formUnion(line.anomalies)
    anomalies.formUnion(said.anomalies)
    anomalies.formUnion(early)
    early = AnomalySet()
    if last.closesConnection { anomalies.insert(.http1DataAfterClose) }
    if said.hasTransferEncoding, line.version == .http10 { anomalies.insert(.http1TransferEncodingInHTTP10) }
    var head = HTTP1Head(
      startLine: .response(
        status: line.status,
        reason: UInt32(truncatingIfNeeded: line.partStart)..<UInt32(truncatingIfNeeded: line.partEnd)),
      version: line.version, fields: fields, framing: .none, contentLength: said.contentLength,
      closesConnection: said.closesConnection(after: line.version), switchesProtocol: false, expectsContinue: false,
      anomalies: anomalies)
    if role == .request {
      asRequest(&head, line, base, said)
    } else {
      asResponse(&head, line.status, said)
    }
    return head
  }

  private mutating func asRequest(_ head: inout HTTP1Head, _ line: StartLine, _ base: Octets, _ said: MessageFraming) {
    head.startLine = .request(
      method: 0..<UInt32(truncatingIfNeeded: line.methodEnd),
      target: UInt32(truncatingIfNeeded: line.partStart)..<UInt32(truncatingIfNeeded: line.partEnd))
    head.framing = said.ofRequest
    head.expectsContinue = said.expectsContinue
    head.switchesProtocol =
      said.hasUpgrade && said.saysUpgrade || line.methodEnd == 7 && memcmp(base, "CONNECT", 7) == 0
    if said.hosts > 1 { head.anomalies.insert(.http1HostRepeated) }
    if said.hosts == 0, line.version == .http11 { head.anomalies.insert(.http1HostMissing) }
    last = LastHead(closesConnection: head.closesConnection, offersSwitch: head.switchesProtocol)
  }

  private mutating func asResponse(_ head: inout HTTP1Head, _ status: UInt16, _ said: MessageFraming) {
    let isInterim = status >= 100 && status < 200 && status != 101
    let isConnected = answering == .connect && status >= 200 && status < 300
    head.switchesProtocol = status == 101 || isConnected
    let hasNoBody = status >= 100 && status < 200 || status == 204 || status == 304 || answering == .head || isConnected
    head.framing = hasNoBody ? .none : said.ofResponse(status: status)
    if head.framing == .close { head.closesConnection = true }
    if isInterim { head.closesConnection = false }
    last = LastHead(
      closesConnection: head.closesConnection, forbidsBody: hasNoBody, switches: head.switchesProtocol)
  }

  // MARK: Bodies

  mutating func takeBody(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int, atMost: UInt64) -> Range<Int> {
    let available = bytes.count - offset
    let count = UInt64(available) <= atMost ? available : Int(atMost)
    let range = offset..<(offset + count)
    offset += count
    counts.body &+= UInt64(count)
    bodyPosition &+= UInt64(count)
    mayBeDeclined = false
    return range
  }

  func isDeclined(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Bool {
    mayBeDeclined && StartLineSearch.isRequestLine(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
  }

  mutating func readChunkLine(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> ChunkLineRead {
    mayBeDeclined = false
    let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let from = offset
    let limit = min(bytes.count, from + (limits.maxChunkLineBytes - held.count))
    guard let feed = lineFeed(base, from: from, to: limit) else {
      held.append(contentsOf: bytes[from..<limit])
      offset = limit
      return held.count < limits.maxChunkLineBytes ? .needsMore : .invalid
    }
    if held.isEmpty {
      guard let line = ChunkLine(base + from, feed - from) else { return .invalid }
      offset = feed + 1
      counts.framing &+= UInt64(feed + 1 - from)
      return noted(line, base + from)
    }
    let earlier = held.count
    held.append(contentsOf: bytes[from..<feed])
    let text = takeHeld()
    return text.withUnsafeBufferPointer {
      guard let line = ChunkLine($0.baseAddress!, $0.count) else {
        held = Array(text.prefix(earlier))
        return .invalid
      }
      counts.framing &+= UInt64($0.count + 1)
      offset = feed + 1
      return noted(line, $0.baseAddress!)
    }
  }

  private mutating func noted(_ line: ChunkLine, _ base: Octets) -> ChunkLineRead {
    for anomaly in line.anomalies.isEmpty ? [] : line.anomalies.members { tell(anomaly) }
    if line.extensionStart < line.end {
      chunkExtension = Array(
        UnsafeBufferPointer(start: base + line.extensionStart, count: line.end - line.extensionStart))
    } else if !chunkExtension.isEmpty {
      chunkExtension = []
    }
    return .chunk(size: line.size)
  }

  mutating func readTrailers(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> TrailersRead {
    if held.isEmpty, bytes.count - offset >= 2, bytes[offset] == Octet.cr, bytes[offset + 1] == Octet.lf {
      offset += 2
      counts.trailers &+= 2
      return .none
    }
    let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let from = offset
    let limit = min(bytes.count, from + (limits.maxHeadBytes - held.count))
    let end = section.find(base, from: from, to: limit)
    held.append(contentsOf: bytes[from..<(end ?? limit)])
    offset = end ?? limit
    if end == nil { return held.count < limits.maxHeadBytes ? .needsMore : .tooLarge }
    let storage = takeHeld()
    let maxFields = limits.maxFields
    let parsed = storage.withUnsafeBufferPointer {
      FieldSection.parse($0.baseAddress!, from: 0, to: $0.count, maxFields: maxFields)
    }
    guard case .complete(_, let ranges, let anomalies) = parsed else {
      held = storage
      return .tooLarge
    }
    counts.trailers &+= UInt64(storage.count)
    for anomaly in anomalies.members { tell(anomaly) }
    return ranges.isEmpty ? .none : .section(HeaderFields(storage: storage, ranges: ranges))
  }

  // MARK: Searching

  /// Never more than a head may have, so that what is kept back of one fits.
  private var searchedLine: Int {
    min(StartLineSearch.usualLongest, limits.maxStartLineBytes, limits.maxHeadBytes)
  }

  mutating func search(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> SearchRead {
    var available = bytes.count - offset
    if !messageSeen {
      let budget = limits.maxSearchBytes - min(limits.maxSearchBytes, counts.skipped &+ UInt64(held.count))
      if budget == 0 { return .exhausted }
      available = UInt64(available) <= budget ? available : Int(budget)
    }
    guard available > 0 else { return .needsMore }
    return held.isEmpty ? searchHere(bytes, &offset, available) : searchAcross(bytes, &offset, available)
  }

  private mutating func searchHere(
    _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ available: Int
  ) -> SearchRead {
    let window = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + available)])
    switch StartLineSearch.next(window, role: role, previous: previousByte, longest: searchedLine) {
    case .found(let start):
      if start > 0 { skipped(start, endingIn: window[start - 1]) }
      offset += start
      return .found(after: start)
    case .none(let skip):
      if skip > 0 { skipped(skip, endingIn: window[skip - 1]) }
      held.append(contentsOf: window[skip...])
      offset += available
      return skip > 0 ? .skipped(skip) : .needsMore
    }
  }

  /// What was kept back of earlier calls, and as much of this one as can complete a start line that begins there.
  private mutating func searchAcross(
    _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ available: Int
  ) -> SearchRead {
    let earlier = held.count
    let added = min(available, searchedLine)
    held.append(contentsOf: bytes[offset..<(offset + added)])
    offset += added
    let result = held.withUnsafeBytes {
      StartLineSearch.next($0, role: role, previous: previousByte, longest: searchedLine)
    }
    let (passed, isFound) =
      switch result {
      case .found(let start): (start, true)
      case .none(let skip): (skip, false)
      }
    if passed > 0 { skipped(passed, endingIn: held[passed - 1]) }
    if passed >= earlier {
      // Nothing of earlier calls is left: go on in the caller's bytes.
      offset -= earlier + added - passed
      held = []
    } else {
      held.removeFirst(passed)
      if isFound {
        held.removeLast(added)
        offset -= added
        readHeldStartLine()
      }
    }
    if isFound { return .found(after: passed) }
    return passed > 0 ? .skipped(passed) : offset < bytes.count ? search(bytes, &offset) : .needsMore
  }

  /// A status line is told from text by the line after it, so all of it and some of that line may be held.
  private mutating func readHeldStartLine() {
    startLineKnown = held.withUnsafeBufferPointer { held in
      guard let base = held.baseAddress, let feed = lineFeed(base, from: 0, to: held.count),
        case .message = StartLine.parse(base, feed, role: role)
      else { return false }
      section = SectionEnd()
      _ = section.find(base, from: feed + 1, to: held.count)
      return true
    }
  }

  @discardableResult
  mutating func skipped(_ count: Int, endingIn byte: UInt8) -> HTTP1Event {
    counts.skipped &+= UInt64(count)
    previousByte = byte
    return .skipped(count)
  }

  // MARK: Accounts

  /// Empties `held` and says how much it was, for the account that it goes to.
  mutating func dropHeld() -> UInt64 {
    defer { held = [] }
    return UInt64(held.count)
  }

  mutating func skipHeld() -> HTTP1Event {
    let count = held.count
    counts.skipped &+= dropHeld()
    return .skipped(count)
  }

  mutating func takeHeld() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &held)
    return taken
  }

  /// Queues an oddity of the message being read, once for each message.
  mutating func tell(_ anomaly: Anomaly) {
    guard !told.contains(anomaly) else { return }
    told.insert(anomaly)
    queued.insert(anomaly)
  }

  @inline(__always)
  mutating func takeQueued() -> Anomaly? {
    queued.isEmpty ? nil : queued.popFirst()
  }
}

extension AnomalySet {
  fileprivate mutating func popFirst() -> Anomaly? {
    guard let first = members.first else { return nil }
    let bit = UInt64(first.rawValue)
    if bit < 64 { low &= ~(1 << bit) } else { high &= ~(1 << (bit - 64)) }
    return first
  }
}
