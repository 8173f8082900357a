// Purpose: every state of a stream and every transition between them, in one switch.
// Input -> output: what a side sent -> the next state, and whether it was allowed. Owner: HTTP2Connection.
//
//                           idle
//               PUSH_PROMISE │ HEADERS
//             ┌──────────────┴──────────────┐
//             ▼                             ▼
//        reserved(server)                 open
//             │ HEADERS by server           │ END_STREAM by X
//             ▼                             ▼
//        halfClosed(client) ───────── halfClosed(X)
//             │                             │ END_STREAM by the other
//             └──────────────┬──────────────┘
//                            ▼            RST_STREAM by either, from any state
//                          closed ◀──────────────────────────────
//
// RFC 9113, 5.1, has two such diagrams, one for each end, half-closed (local) of one being half-closed (remote) of the
// other. A listener between them needs one: who has ended. Where it is not enough: frames of the two sides cross, so a
// frame on a stream that its receiver has reset is no fault; and streams may have changed unseen in a gap.

import HTTPModel

enum StreamState: Hashable, Sendable {
  case reserved(by: HTTP2Side)
  case open
  /// By the side that has ended.
  case halfClosed(HTTP2Side)
  case closed
}

extension StreamState {
  enum Input { case headers, data, endStream, reset }

  /// - Returns: what the rules say against it; the state is changed all the same.
  mutating func receive(_ input: Input, from side: HTTP2Side) -> Anomaly? {
    switch (self, input) {
    case (_, .reset):
      self = .closed
      return nil
    case (.reserved(let owner), .headers):
      guard side == owner else { return .h2StreamIdle }
      self = .halfClosed(side.opposite)
      return nil
    case (.reserved, .data): return .h2StreamIdle
    case (.reserved(let owner), .endStream):
      self = side == owner ? .closed : self
      return nil
    case (.open, .headers), (.open, .data): return nil
    case (.open, .endStream):
      self = .halfClosed(side)
      return nil
    case (.halfClosed(let ended), .headers), (.halfClosed(let ended), .data):
      return side == ended ? .h2StreamClosed : nil
    case (.halfClosed(let ended), .endStream):
      if side != ended { self = .closed }
      return nil
    case (.closed, .headers), (.closed, .data): return .h2StreamClosed
    case (.closed, .endStream): return nil
    }
  }
}

extension HTTP2Connection {
  /// Begins to follow a stream; where too many are, gives one up.
  mutating func insert(_ id: UInt32, from side: HTTP2Side, state: StreamState) -> Int {
    if streams.count >= limits.maxStreams {
      let victim = streams.candidateForEviction()
      tell(.anomaly(.h2StreamEvicted), streams[victim].id, victim, from: side)
      close(victim, .evicted, from: side)
    }
    let owner = opener(of: id)
    func half(_ sender: HTTP2Side) -> StreamHalf {
      // An answer is not sent before its request, so one whose request was seen begins with its head.
      let mayHaveLostHead = peers[sender.rawValue].isBroken && (sender == client || side == sender)
      return StreamHalf(
        mayHaveLostHead: mayHaveLostHead, window: Int64(peers[sender.opposite.rawValue].settings.initialWindowSize))
    }
    let slot = streams.insert(
      StreamRecord(id: id, state: state, originator: half(.originator), responder: half(.responder)))
    peers[owner.rawValue].highestStream = max(peers[owner.rawValue].highestStream, id)
    peers[owner.rawValue].openStreams += 1
    if peers[owner.rawValue].openStreams > peers[owner.opposite.rawValue].settings.maxConcurrentStreams, isWhole,
      state == .open
    {
      tell(.anomaly(.h2ConcurrentStreamsExceeded), id, slot, from: owner)
    }
    return slot
  }

  /// RFC 9113, 5.1.1: clients begin odd streams.
  func opener(of id: UInt32) -> HTTP2Side { id & 1 == 1 ? client : client.opposite }

  /// Follows a stream no longer.
  mutating func close(_ slot: Int, _ reason: HTTP2StreamClosing, from side: HTTP2Side) {
    let id = streams[slot].id
    let owner = opener(of: id)
    peers[owner.rawValue].openStreams -= peers[owner.rawValue].openStreams > 0 ? 1 : 0
    streams.remove(slot)
    if reason == .reset {
      if recentResets.count == 32 { recentResets.removeFirst() }
      recentResets.append(id)
    }
    tell(.closed(reason), id, slot, from: side)
  }

  /// A frame came on a stream that is not followed: is that a fault?
  mutating func tellIfClosed(_ id: UInt32, from side: HTTP2Side) {
    guard isWhole, !recentResets.contains(id) else { return }
    let isIdle = id > peers[opener(of: id).rawValue].highestStream
    tell(.anomaly(isIdle ? .h2StreamIdle : .h2StreamClosed), id, -1, from: side)
  }

  /// The same, for frames that may come for a while on a stream that is closed (RFC 9113, 5.1).
  mutating func tellIfIdle(_ id: UInt32, from side: HTTP2Side) {
    guard isWhole, id > peers[opener(of: id).rawValue].highestStream else { return }
    tell(.anomaly(.h2StreamIdle), id, -1, from: side)
  }

  /// END_STREAM: the sender's message is complete.
  mutating func end(_ slot: Int, from side: HTTP2Side) {
    let id = streams[slot].id
    _ = streams[slot].state.receive(.endStream, from: side)
    tellEnd(slot, from: side)
    let other = side.opposite
    if streams[slot].state != .closed, side != client, mayHaveEnded(slot, other) {
      // The request's end, or all of it, lies in what was not seen: its answer is complete, so no more will come.
      tellEnd(slot, from: other)
      streams[slot].state = .closed
    }
    if streams[slot].state == .closed, streams.slot(of: id) == slot { close(slot, .ended, from: side) }
  }

  private func mayHaveEnded(_ slot: Int, _ side: HTTP2Side) -> Bool {
    let half = streams[slot][side]
    return half.lostFrom != .max || half.phase == .awaitingHead && peers[side.rawValue].isBroken
  }

  private mutating func tellEnd(_ slot: Int, from side: HTTP2Side) {
    let half = streams[slot][side]
    guard half.phase != .ended else { return }
    streams[slot][side].phase = .ended
    streams[slot][side].blockedSince = nil
    guard half.isTold else { return }
    var end = HTTP2MessageEnd()
    let isKnown = half.contentLength != .max && !half.forbidsBody
    if half.lostFrom != .max {
      if !isKnown || half.received > half.contentLength {
        end.missing = BodyRange(lowerBound: half.lostFrom, upperBound: .max)
      } else if half.received < half.contentLength {
        end.missing = BodyRange(
          lowerBound: half.lostFrom, upperBound: half.lostFrom &+ (half.contentLength - half.received))
      }
    } else if isKnown, half.received != half.contentLength {
      tell(.anomaly(.h2ContentLengthMismatch), streams[slot].id, slot, from: side)
    }
    tell(.end(end), streams[slot].id, slot, from: side)
  }
}
