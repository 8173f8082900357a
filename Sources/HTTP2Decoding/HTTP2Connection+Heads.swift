// Purpose: header blocks to heads, trailers and promises (RFC 9113, 8.1 to 8.4).
// Input -> output: a block with its stream -> steps, queued. Bounds: HPACKLimits.

import HTTPModel

extension HTTP2Connection {
  mutating func receiveBlock(
    _ header: HTTP2FrameHeader, promised: UInt32, _ octets: HTTP2Octets, from side: HTTP2Side,
    _ bytes: UnsafeRawBufferPointer
  ) {
    fields.removeAll()
    let outcome: HPACKDecoder.Outcome
    switch octets {
    case .input(let range):
      outcome = hpack[side.rawValue].decode(UnsafeRawBufferPointer(rebasing: bytes[range]), into: &fields)
    case .held(let range):
      let held = frames[side.rawValue].takeHeld()
      outcome = held.withUnsafeBytes {
        hpack[side.rawValue].decode(UnsafeRawBufferPointer(rebasing: $0[range]), into: &fields)
      }
      frames[side.rawValue].giveBack(held)
    }
    var scan = FieldScan(fields)
    scan.anomalies.formUnion(outcome.anomalies)
    let start = frames[side.rawValue].frameStart
    guard header.stream != 0 else {
      tell(.h2StreamIdentifierInvalid, stream: 0, from: side)
      return
    }
    if header.type == .pushPromise {
      settleRoles(client: side.opposite)
      receivePromise(header, promised, &scan, start, from: side)
      return
    }
    if !clientIsCertain { settleRoles(scan, header, from: side) }
    receiveHeaders(header, &scan, start, from: side)
  }

  /// Only requests have `:method` and its like, only responses `:status`.
  private mutating func settleRoles(_ scan: FieldScan, _ header: HTTP2FrameHeader, from side: HTTP2Side) {
    if scan.hasRequestFields, !scan.hasStatus {
      settleRoles(client: side)
    } else if scan.hasStatus, !scan.hasRequestFields {
      settleRoles(client: side.opposite)
    }
  }

  private mutating func receiveHeaders(
    _ header: HTTP2FrameHeader, _ scan: inout FieldScan, _ start: Timestamp, from side: HTTP2Side
  ) {
    let id = header.stream
    let endsStream = header.flags.contains(.endStream)
    var slot = streams.slot(of: id)
    if slot < 0 {
      slot = begin(id, scan, from: side)
      guard slot >= 0 else { return }
    } else {
      streams[slot].isFresh = true
    }
    if let fault = streams[slot].state.receive(.headers, from: side), isWhole {
      tell(.anomaly(fault), id, slot, from: side)
    }
    switch streams[slot][side].phase {
    case .awaitingHead: receiveHead(slot, &scan, start, endsStream, from: side)
    case .body where isHeadAgain(slot, scan, from: side): receiveHead(slot, &scan, start, endsStream, from: side)
    case .body: receiveTrailers(slot, &scan, endsStream, from: side)
    case .ended: break
    }
    if endsStream { end(slot, from: side) }
  }

  /// A stream that is not followed: a new one; or one that is over, where a listener can only look away.
  private mutating func begin(_ id: UInt32, _ scan: FieldScan, from side: HTTP2Side) -> Int {
    let owner = opener(of: id)
    let isNew = id > peers[owner.rawValue].highestStream
    if side == client {
      // A request on a stream that was used already is told; trailers that cross a reset are not.
      guard isNew || !isWhole || scan.hasRequestFields else {
        tellIfClosed(id, from: side)
        return -1
      }
      let slot = insert(id, from: side, state: .open)
      if owner != side {
        tell(.anomaly(.h2StreamIdentifierInvalid), id, slot, from: side)
      } else if !isNew, isWhole {
        tell(.anomaly(.h2StreamClosed), id, slot, from: side)
      }
      return slot
    }
    guard !isWhole, isNew || !recentResets.contains(id) else {
      tellIfClosed(id, from: side)
      return -1
    }
    return insert(id, from: side, state: owner == side ? .halfClosed(client) : .open)
  }

  /// The answer whose status was not known was an interim one, or frames between were lost.
  private func isHeadAgain(_ slot: Int, _ scan: FieldScan, from side: HTTP2Side) -> Bool {
    let half = streams[slot][side]
    return scan.hasStatus && side != client && (half.isStatusUnknown || !half.isTold) && half.received == 0
  }

  private mutating func receiveHead(
    _ slot: Int, _ scan: inout FieldScan, _ start: Timestamp, _ endsStream: Bool, from side: HTTP2Side
  ) {
    let isRequest = side == client
    if endsStream, streams[slot][side].mayHaveLostHead, !scan.hasRequestFields, !scan.hasStatus {
      // Trailers of a message whose head was never seen.
      return
    }
    check(&scan, isRequest: isRequest)
    let id = streams[slot].id
    if !isRequest, let status = scan.status, status < 200 {
      makeHead(scan, start, isRequest: false, endsStream)
      tell(.informational, id, slot, from: side)
      return
    }
    if isRequest { streams[slot].answersHead = isHead(scan) }
    var half = streams[slot][side]
    half.phase = .body
    half.isTold = true
    half.isStatusUnknown = !isRequest && scan.status == nil
    half.contentLength = scan.contentLength ?? .max
    half.forbidsBody = !isRequest && (streams[slot].answersHead || scan.status == 304)
    streams[slot][side] = half
    makeHead(scan, start, isRequest: isRequest, endsStream)
    tell(.head, id, slot, from: side)
  }

  private mutating func receiveTrailers(
    _ slot: Int, _ scan: inout FieldScan, _ endsStream: Bool, from side: HTTP2Side
  ) {
    if !endsStream { scan.anomalies.insert(.h2TrailersWithoutEnd) }
    if scan.hasStatus || scan.hasRequestFields { scan.anomalies.insert(.h2PseudoFieldInvalid) }
    guard streams[slot][side].isTold else { return }
    fields.write(to: &parts.trailers.fields, from: 0)
    parts.trailers.anomalies = scan.anomalies
    parts.trailers.marks = fields.unionOfMarks.isEmpty ? [] : fields.marks
    parts.trailers.unresolved = fields.unresolved
    tell(.trailers, streams[slot].id, slot, from: side)
  }

  private mutating func receivePromise(
    _ header: HTTP2FrameHeader, _ promised: UInt32, _ scan: inout FieldScan, _ start: Timestamp, from side: HTTP2Side
  ) {
    let slot = reserve(promised, by: header.stream, from: side)
    guard slot >= 0 else { return }
    check(&scan, isRequest: true)
    streams[slot].answersHead = isHead(scan)
    makeHead(scan, start, isRequest: true, true)
    tell(.promise(by: header.stream), promised, slot, from: side)
  }

  /// RFC 9113, 6.6.
  private mutating func reserve(_ promised: UInt32, by stream: UInt32, from side: HTTP2Side) -> Int {
    let isValid =
      promised & 1 == 0 && promised > peers[side.rawValue].highestStream && side != client
      && (peers[side.opposite.rawValue].settings.enablesPush || !isWhole)
    if !isValid { tell(.h2PushInvalid, stream: stream, from: side) }
    guard promised != 0, streams.slot(of: promised) < 0 else { return -1 }
    let slot = insert(promised, from: side, state: .reserved(by: side))
    streams[slot][side.opposite].phase = .ended
    return slot
  }

  /// A block could not be read: what it would have begun goes on without it.
  mutating func loseBlock(_ header: HTTP2FrameHeader, promised: UInt32, from side: HTTP2Side) {
    hpack[side.rawValue].loseTable()
    guard header.stream != 0, header.type == .headers else { return }
    var slot = streams.slot(of: header.stream)
    if slot < 0 {
      guard side == client, header.stream > peers[opener(of: header.stream).rawValue].highestStream else { return }
      slot = insert(header.stream, from: side, state: .open)
    }
    _ = streams[slot].state.receive(.headers, from: side)
    if streams[slot][side].phase == .awaitingHead { streams[slot][side].phase = .body }
    tell(.anomaly(.h2HeadLost), header.stream, slot, from: side)
    tell(.headLost, header.stream, slot, from: side)
    if header.flags.contains(.endStream) { end(slot, from: side) }
  }

  // MARK: Heads

  private func isHead(_ scan: FieldScan) -> Bool {
    guard let method = scan.method, method.count == 4 else { return false }
    return fields.storage[Int(method.lowerBound)..<Int(method.upperBound)].elementsEqual("HEAD".utf8)
  }

  /// RFC 9113, 8.3.1 and 8.3.2; RFC 8441, 4. What may hide behind an unresolved name is not called missing.
  private func check(_ scan: inout FieldScan, isRequest: Bool) {
    let isOpen = fields.unionOfMarks.contains(.nameUnresolved)
    guard isRequest else {
      if scan.hasRequestFields { scan.anomalies.insert(.h2PseudoFieldInvalid) }
      if !scan.hasStatus, !isOpen { scan.anomalies.insert(.h2PseudoFieldMissing) }
      return
    }
    if scan.hasStatus { scan.anomalies.insert(.h2PseudoFieldInvalid) }
    let isConnect = scan.method.map { bytes(of: $0).elementsEqual("CONNECT".utf8) } ?? false
    var isMissing = scan.method == nil
    if isConnect, scan.protocol == nil {
      isMissing = scan.authority == nil
      if scan.scheme != nil || scan.path != nil { scan.anomalies.insert(.h2PseudoFieldInvalid) }
    } else {
      isMissing = isMissing || scan.scheme == nil || scan.path == nil
      if scan.protocol != nil, !isConnect { scan.anomalies.insert(.h2PseudoFieldInvalid) }
      if let path = scan.path, path.isEmpty { scan.anomalies.insert(.h2PseudoFieldInvalid) }
    }
    if isMissing, !isOpen { scan.anomalies.insert(.h2PseudoFieldMissing) }
  }

  private func bytes(of range: Range<UInt32>) -> ArraySlice<UInt8> {
    fields.storage[Int(range.lowerBound)..<Int(range.upperBound)]
  }

  private mutating func makeHead(_ scan: FieldScan, _ start: Timestamp, isRequest: Bool, _ endsStream: Bool) {
    fields.write(to: &parts.head.fields, from: scan.firstRegular)
    parts.head.isRequest = isRequest
    parts.head.endsStream = endsStream
    parts.head.start = start
    parts.head.method = isRequest ? scan.method ?? 0..<0 : 0..<0
    parts.head.scheme = isRequest ? scan.scheme : nil
    parts.head.authority = isRequest ? scan.authority : nil
    parts.head.path = isRequest ? scan.path : nil
    parts.head.protocol = isRequest ? scan.protocol : nil
    parts.head.status = isRequest ? nil : scan.status
    parts.head.contentLength = scan.contentLength
    parts.head.anomalies = scan.anomalies
    if parts.head.hasMarks { parts.head.forgetMarks() }
    if !fields.unionOfMarks.isEmpty || scan.isMixed { addMarks(scan) }
  }

  /// The rarer parts: marks, and pseudo-header fields that stand among the regular ones.
  private mutating func addMarks(_ scan: FieldScan) {
    // In place, without a copy of the arrays.
    var head = HTTP2Head()
    swap(&head, &parts.head)
    defer { swap(&head, &parts.head) }
    let first = scan.firstRegular
    for reference in fields.unresolved {
      if reference.field < first {
        head.unresolvedPseudoFields.append(reference)
      } else {
        var moved = reference
        moved.field -= first
        head.unresolved.append(moved)
      }
    }
    if !fields.unionOfMarks.isEmpty { head.marks = Array(fields.marks[first...]) }
    guard scan.isMixed else { return }
    let misplaced = head.fields.ranges.indices.filter { index in
      let range = head.fields.ranges[index]
      return range.nameStart < range.nameEnd && head.fields.storage[Int(range.nameStart)] == 0x3a
    }
    for index in misplaced.reversed() {
      head.fields.ranges.remove(at: index)
      if !head.marks.isEmpty { head.marks.remove(at: index) }
      for place in head.unresolved.indices where head.unresolved[place].field > index {
        head.unresolved[place].field -= 1
      }
    }
  }
}

extension HPACKFieldList {
  /// The fields as a message keeps them, in the memory that `target` has; see ``headerFields(from:)``.
  fileprivate func write(to target: inout HeaderFields, from first: Int) {
    target.storage.removeAll(keepingCapacity: true)
    withUnsafeBytes { target.storage.append(contentsOf: $0) }
    target.ranges.removeAll(keepingCapacity: true)
    ranges.withUnsafeBufferPointer { target.ranges.append(contentsOf: UnsafeBufferPointer(rebasing: $0[first...])) }
  }
}
