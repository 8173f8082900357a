// Purpose: reads heads, whole or in parts, and what they say about the message; only beginning a message changes the state.
// Input -> output: bytes at an offset -> a head, or that more are needed. Bounds: HTTP1Limits.

import Glibc
import HTTPModel

extension HTTP1Decoder {
  enum HeadRead {
    case needsMore
    case head
    /// A balancer's line, in `held`.
    case passedOver
    case tooLarge
    case rejected(HTTP1Rejection.Kind)
  }

  /// The usual case: the whole head stands in `bytes`.
  /// - Returns: false where it does not, or is anything but a plain head.
  mutating func readWholeHead(
    _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ head: inout HTTP1Head, _ names: inout KnownNames
  ) -> Bool {
    let count = min(bytes.count - offset, limits.maxHeadBytes)
    let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + offset
    var said = MessageFraming()
    guard let end = StartLineEnd(base, to: min(count, limits.maxStartLineBytes)),
      case .message(let line) = StartLine.parse(base, end, role: role), !line.isSimple,
      case .complete(let end, let anomalies) = FieldSection.parse(
        base, from: end.feed + 1, to: count, isClean: end.isClean, limits, role, &names, &head.fields.ranges, &said)
    else { return false }
    head.fields.storage.replaceSubrange(
      0..<head.fields.storage.count, with: UnsafeBufferPointer(start: base, count: end))
    offset += end
    makeHead(line, base, anomalies, said, &head)
    return true
  }

  /// Adds to `held` what belongs to the head, first up to the end of its start line.
  mutating func extendHead(
    _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ head: inout HTTP1Head, _ names: inout KnownNames
  ) -> HeadRead {
    while offset < bytes.count {
      guard startLineKnown else {
        if let read = extendStartLine(bytes, &offset, &head) { return read }
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
      return end == nil ? .tooLarge : completeHead(&head, &names)
    }
    return .needsMore
  }

  /// Nil where the start line is complete and good.
  private mutating func extendStartLine(
    _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ head: inout HTTP1Head
  ) -> HeadRead? {
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
      let base = held.baseAddress!
      if feed != nil { return StartLine.parse(base, StartLineEnd(base, feedAt: lineCount), role: role) }
      return lineCount < longest && StartLine.mayBegin(base, lineCount, role: role)
        ? nil : .invalid
    }
    switch verdict {
    case nil: return .needsMore
    case .message(let line) where line.isSimple:
      return completeSimple(line, &head)
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

  private mutating func completeHead(_ head: inout HTTP1Head, _ names: inout KnownNames) -> HeadRead {
    let storage = takeHeld()
    var said = MessageFraming()
    let parsed = storage.withUnsafeBufferPointer { buffer -> (StartLine, AnomalySet)? in
      let base = buffer.baseAddress!
      guard let end = StartLineEnd(base, to: buffer.count),
        case .message(let line) = StartLine.parse(base, end, role: role),
        case .complete(_, let anomalies) = FieldSection.parse(
          base, from: end.feed + 1, to: buffer.count, isClean: end.isClean, limits, role, &names, &head.fields.ranges,
          &said)
      else { return nil }
      return (line, anomalies)
    }
    guard let (line, anomalies) = parsed else {
      held = storage
      return .tooLarge
    }
    // `held` gave it up, so nothing is copied.
    head.fields.storage = storage
    storage.withUnsafeBufferPointer { makeHead(line, $0.baseAddress!, anomalies, said, &head) }
    return .head
  }

  private mutating func completeSimple(_ line: StartLine, _ head: inout HTTP1Head) -> HeadRead {
    let storage = takeHeld()
    head.fields = HeaderFields(storage: storage)
    storage.withUnsafeBufferPointer { makeHead(line, $0.baseAddress!, AnomalySet(), MessageFraming(), &head) }
    return .head
  }

  /// Fills in what the start line and the fields, which stand in `head` already, say; the message begins.
  private mutating func makeHead(
    _ line: StartLine, _ base: Octets, _ anomalies: AnomalySet, _ said: MessageFraming, _ head: inout HTTP1Head
  ) {
    counts.head &+= UInt64(head.fields.storage.count)
    head.anomalies = anomalies
    head.anomalies.formUnion(line.anomalies)
    head.anomalies.formUnion(said.anomalies)
    head.anomalies.formUnion(early)
    early = AnomalySet()
    if last.closesConnection { head.anomalies.insert(.http1DataAfterClose) }
    if said.hasTransferEncoding, line.version == .http10 { head.anomalies.insert(.http1TransferEncodingInHTTP10) }
    if role == .request {
      head.startLine = .request(method: offsets(0, line.methodEnd), target: offsets(line.partStart, line.partEnd))
      head.framing = said.ofRequest
      if said.hosts > 1 { head.anomalies.insert(.http1HostRepeated) }
      if said.hosts == 0, line.version == .http11 { head.anomalies.insert(.http1HostMissing) }
      head.answered = answered(by: line, base)
      last = afterRequest(line, said, connects: head.answered == .connect)
    } else {
      head.startLine = .response(status: line.status, reason: offsets(line.partStart, line.partEnd))
      head.framing = responseFraming(line.status, said)
      head.answered = .other
      last = afterResponse(line, said, head.framing)
    }
    head.version = line.version
    head.contentLength = said.contentLength
    head.closesConnection = last.closesConnection
    head.switchesProtocol = last.switches || last.offersSwitch
    head.expectsContinue = role == .request && said.expectsContinue
    begin(head)
  }

  @inline(__always)
  private func offsets(_ start: Int, _ end: Int) -> Range<UInt32> {
    Range(uncheckedBounds: (UInt32(truncatingIfNeeded: start), UInt32(truncatingIfNeeded: end)))
  }

  // Inlined, as these are only asked once: a call would be handed a copy of the decoder.

  @inline(__always)
  private func answered(by line: StartLine, _ base: Octets) -> AnsweredMethod {
    switch line.methodEnd {
    case 4 where memcmp(base, "HEAD", 4) == 0: .head
    case 7 where memcmp(base, "CONNECT", 7) == 0: .connect
    default: .other
    }
  }

  @inline(__always)
  private func afterRequest(_ line: StartLine, _ said: MessageFraming, connects: Bool) -> LastHead {
    let offersSwitch = said.hasUpgrade && said.saysUpgrade || connects
    return LastHead(closesConnection: said.closesConnection(after: line.version), offersSwitch: offersSwitch)
  }

  @inline(__always)
  private func responseFraming(_ status: UInt16, _ said: MessageFraming) -> BodyFraming {
    forbidsBody(status) ? .none : said.ofResponse(status: status)
  }

  @inline(__always)
  private func afterResponse(_ line: StartLine, _ said: MessageFraming, _ framing: BodyFraming) -> LastHead {
    let isInterim = line.status >= 100 && line.status < 200 && line.status != 101
    let closes = framing == .close || said.closesConnection(after: line.version)
    return LastHead(
      closesConnection: closes && !isInterim, forbidsBody: forbidsBody(line.status),
      switches: line.status == 101 || connects(line.status))
  }

  /// RFC 9112, 6.3, items 1 and 2.
  @inline(__always)
  private func forbidsBody(_ status: UInt16) -> Bool {
    status >= 100 && status < 200 || status == 204 || status == 304 || answering == .head || connects(status)
  }

  @inline(__always)
  private func connects(_ status: UInt16) -> Bool { answering == .connect && status >= 200 && status < 300 }
}
