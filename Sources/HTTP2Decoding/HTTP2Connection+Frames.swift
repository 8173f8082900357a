// Purpose: what each frame does to a connection and its streams (RFC 9113, 6). Heads: HTTP2Connection+Heads.swift.
// Input -> output: HTTP2FrameEvent -> HTTP2Steps, the first returned or all queued. Bounds: HTTP2Limits.

import HTTPModel

extension HTTP2Connection {
  /// - Returns: the step where it is the only one or the first; others are queued.
  @inline(__always)
  mutating func receive(
    _ frame: HTTP2FrameEvent, from side: HTTP2Side, _ bytes: UnsafeRawBufferPointer
  ) -> HTTP2Step? {
    if case .data(let header, let octets, let begins, let ends) = frame {
      return receiveData(header, octets, begins: begins, ends: ends, from: side)
    }
    receiveOther(frame, from: side, bytes)
    return nil
  }

  // MARK: DATA

  @inline(__always)
  private mutating func receiveData(
    _ header: HTTP2FrameHeader, _ octets: HTTP2Octets, begins: Bool, ends: Bool, from side: HTTP2Side
  ) -> HTTP2Step? {
    let slot = header.stream == 0 ? -1 : streams.slot(of: header.stream)
    if begins { beginData(header, slot, from: side) }
    var step: HTTP2Step?
    let count = octets.count
    if slot >= 0, streams[slot][side].phase == .body, streams[slot][side].isTold {
      streams[slot][side].received &+= UInt64(count)
      if count > 0 {
        let content: HTTP2Step.Content
        switch octets {
        case .input(let range): content = .body(range)
        case .held(let range):
          parts.held = Array(frames[side.rawValue].held[range])
          content = .heldBody
        }
        step = HTTP2Step(content: content, stream: header.stream, slot: slot, sender: side, time: now)
      }
    } else {
      headlessBytes &+= UInt64(count)
    }
    if let told = step, delivered < queue.count {
      queue.append(told)
      step = nil
    }
    if ends, header.flags.contains(.endStream), slot >= 0 { end(slot, from: side) }
    return step
  }

  @inline(__always)
  private mutating func beginData(_ header: HTTP2FrameHeader, _ slot: Int, from side: HTTP2Side) {
    peers[side.rawValue].sawFrame = true
    spendWindow(header.length, slot: slot, stream: header.stream, from: side)
    guard slot >= 0 else {
      if header.stream == 0 {
        tell(.h2StreamIdentifierInvalid, stream: 0, from: side)
      } else {
        tellIfClosed(header.stream, from: side)
      }
      return
    }
    streams[slot].isFresh = true
    if let fault = streams[slot].state.receive(.data, from: side) {
      if isWhole { tell(.anomaly(fault), header.stream, slot, from: side) }
    } else if streams[slot][side].phase == .awaitingHead {
      // Its head was lost, or never sent.
      streams[slot][side].phase = .body
      if isWhole { tell(.anomaly(.h2PseudoFieldMissing), header.stream, slot, from: side) }
    }
  }

  /// `count` bytes of a DATA frame's data are missing.
  mutating func loseData(_ count: UInt64, of header: HTTP2FrameHeader, from side: HTTP2Side) {
    let slot = header.stream == 0 ? -1 : streams.slot(of: header.stream)
    guard slot >= 0, streams[slot][side].phase == .body, streams[slot][side].isTold else { return }
    let start = streams[slot][side].received
    streams[slot][side].received &+= count
    tell(
      .missing(BodyRange(lowerBound: start, upperBound: start &+ count)), header.stream, slot, from: side)
  }

  /// Whole frames are missing: nobody knows of which streams.
  mutating func loseFrames(from side: HTTP2Side) {
    peers[side.rawValue].isBroken = true
    hpack[side.rawValue].loseTable()
    // Its SETTINGS may be among them, and its acknowledgements.
    frames[side.opposite.rawValue].maxFrameSize = nil
    let peer = side.opposite
    if let latest = peers[peer.rawValue].pendingSettings.last {
      peers[peer.rawValue].pendingSettings.removeAll()
      putInForce(latest, of: peer)
    }
    for slot in 0..<streams.capacity where streams.isOpen(slot) {
      streams[slot][side].mayHaveLostHead = true
      if streams[slot][side].phase == .body, streams[slot][side].lostFrom == .max {
        streams[slot][side].lostFrom = streams[slot][side].received
      }
    }
    tell(.framesLost, 0, -1, from: side)
  }

  // MARK: Other frames

  private mutating func receiveOther(
    _ frame: HTTP2FrameEvent, from side: HTTP2Side, _ bytes: UnsafeRawBufferPointer
  ) {
    switch frame {
    case .data: break
    case .preface: settleRoles(client: side)
    case .block(let header, let promised, let octets):
      noteFirst(header, from: side)
      receiveBlock(header, promised: promised, octets, from: side, bytes)
    case .lostBlock(let header, let promised):
      noteFirst(header, from: side)
      loseBlock(header, promised: promised, from: side)
    case .control(let header, let octets):
      noteFirst(header, from: side)
      switch octets {
      case .input(let range):
        receiveControl(header, UnsafeRawBufferPointer(rebasing: bytes[range]), from: side)
      case .held(let range):
        let held = frames[side.rawValue].takeHeld()
        held.withUnsafeBytes { receiveControl(header, UnsafeRawBufferPointer(rebasing: $0[range]), from: side) }
        frames[side.rawValue].giveBack(held)
      }
    case .invalid(let header, let anomaly):
      noteFirst(header, from: side)
      tell(anomaly, stream: header.stream, from: side)
    case .unknown(let header): noteFirst(header, from: side)
    case .anomaly(let anomaly, let stream): tell(anomaly, stream: stream, from: side)
    case .skipped(let count): tell(.skipped(count), 0, -1, from: side)
    case .locked: break
    case .lostBoundaries:
      tell(.h2FrameBoundaryLost, stream: 0, from: side)
      loseFrames(from: side)
    }
  }

  /// RFC 9113, 3.4: SETTINGS come first from either side.
  private mutating func noteFirst(_ header: HTTP2FrameHeader, from side: HTTP2Side) {
    guard !peers[side.rawValue].sawFrame else { return }
    peers[side.rawValue].sawFrame = true
    if !peers[side.rawValue].isBroken, header.type != .settings || header.flags.contains(.ack) {
      tell(.h2SettingsMissing, stream: 0, from: side)
    }
  }

  private mutating func receiveControl(
    _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer, from side: HTTP2Side
  ) {
    switch header.type {
    case .settings: receiveSettings(header, payload, from: side)
    case .windowUpdate: receiveWindowUpdate(header, payload, from: side)
    case .resetStream: receiveReset(header, HTTP2ErrorCode(rawValue: word(payload, 0)), from: side)
    case .goAway:
      let goaway = HTTP2GoAway(
        lastStream: word(payload, 0) & 0x7fff_ffff, code: HTTP2ErrorCode(rawValue: word(payload, 4)), time: now)
      if side == .originator { self.goaway.originator = goaway } else { self.goaway.responder = goaway }
      tell(.goaway(lastStream: goaway.lastStream, goaway.code), 0, -1, from: side)
    case .priority:
      if word(payload, 0) & 0x7fff_ffff == header.stream {
        tell(.h2PrioritySelfDependency, stream: header.stream, from: side)
      }
    case .ping, .data, .headers, .pushPromise, .continuation, nil: break
    }
  }

  private mutating func receiveReset(_ header: HTTP2FrameHeader, _ code: HTTP2ErrorCode, from side: HTTP2Side) {
    let slot = streams.slot(of: header.stream)
    guard slot >= 0 else {
      tellIfIdle(header.stream, from: side)
      return
    }
    if side == client, streams[slot][side.opposite].phase == .awaitingHead,
      resets.add(at: now, limit: limits.maxResetsPerSecond)
    {
      tell(.h2RapidReset, stream: 0, from: side)
    }
    _ = streams[slot].state.receive(.reset, from: side)
    tell(.reset(code), header.stream, slot, from: side)
    close(slot, .reset, from: side)
  }

  // MARK: Roles

  /// Something tells for certain who the client is.
  mutating func settleRoles(client side: HTTP2Side) {
    guard !clientIsCertain else { return }
    clientIsCertain = true
    tellSearches()
    guard client != side else { return }
    client = side
    tell(.rolesReversed, 0, -1, from: side)
  }

  private func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
    UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}

extension HTTP2Octets {
  /// In bytes.
  @inlinable
  public var count: Int {
    switch self {
    case .input(let range), .held(let range): range.count
    }
  }
}
