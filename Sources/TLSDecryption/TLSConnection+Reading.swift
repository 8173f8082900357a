// Records from ciphertext: in place where a segment holds them whole, else from what is held.
//
// In: bytes of a direction. Out: records, to `read(_:_:)` of TLSConnection+Records. Owner: `TLSConnection`. Bounds: each
// turn consumes ciphertext or stops.

import HTTPModel

/// A record with its circumstances, borrowed for a call.
struct Record {
  var frame: RecordFrame
  var payload: UnsafeRawBufferPointer
  /// Of the record's first byte.
  var arrival: Arrival
  /// Of the record's last byte.
  var time: Timestamp
}

/// What came of trying to read a record.
enum Reading: Hashable {
  case consumed
  /// It stays until what it lacks is there.
  case blocked(Obstacle)
  /// The direction, or the connection, was given up; the record was not consumed.
  case stopped
}

extension TLSConnection {
  /// Reads whole records from a segment, where nothing is held before it. Returns how many bytes were consumed.
  mutating func readInPlace(
    _ bytes: UnsafeRawBufferPointer, from side: TLSSide, _ arrival: Arrival, keys: borrowing KeyLog
  ) -> Int {
    var read = 0
    while self[side].lost == nil, bytes.count - read >= RecordFrame.headerLength {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[read...])
      guard let frame = RecordFrame(rest) else { break }
      let end = RecordFrame.headerLength + frame.length
      guard rest.count >= end else { break }
      let record = Record(
        frame: frame, payload: UnsafeRawBufferPointer(rebasing: rest[RecordFrame.headerLength..<end]),
        arrival: arrival.moved(by: read), time: arrival.time)
      guard self.read(record, from: side, keys: keys) == .consumed else { break }
      recordBytes &+= UInt64(end)
      read += end
    }
    return read
  }

  /// Reads on in both directions, the earlier head first, until neither can.
  mutating func readHeld(keys: borrowing KeyLog) {
    while client.hasWork || server.hasWork {
      let first: TLSSide
      switch (client.held.headArrival, server.held.headArrival) {
      case (let a?, let b?): first = a.time <= b.time ? .client : .server
      case (nil, _): first = .client
      case (_, nil): first = .server
      }
      if turn(first, keys: keys) { continue }
      if turn(first.other, keys: keys) { continue }
      return
    }
  }

  /// Reads one record, passes one gap or tells the end. False where nothing more can be done now.
  private mutating func turn(_ side: TLSSide, keys: borrowing KeyLog) -> Bool {
    guard self[side].isReadable else { return tellEnd(side) }
    if self[side].held.isEmpty { return tellEnd(side) }
    if let length = self[side].held.takeGap() {
      passGap(length, side)
      return true
    }
    var held = HeldCiphertext()
    swap(&held, &self[side].held)
    let isFinal = held.isCutByGap || self[side].ended
    let step =
      self[side].lost == nil
      ? held.withAvailable { readHead($0, held, side, isFinal: isFinal, keys: keys) }
      : held.withAvailable { findRecord($0, held, side, isFinal: isFinal, keys: keys) }
    switch step {
    case .consume(let count):
      recordBytes &+= UInt64(count)
      held.consume(count)
      if case .blocked = self[side].reader { self[side].reader = .reading }
      swap(&held, &self[side].held)
      return true
    case .discard(let count):
      held.consume(count)
      swap(&held, &self[side].held)
      countUnread(count)
      self[side].lost?.bytes &+= UInt64(count)
      return true
    case .wait:
      swap(&held, &self[side].held)
      return false
    case .stop:
      countUnread(held.count)
      return true
    }
  }

  enum Step {
    case consume(Int)
    /// Bytes that are no whole record.
    case discard(Int)
    case wait
    /// Reading of the direction ended.
    case stop
  }

  private mutating func readHead(
    _ bytes: UnsafeRawBufferPointer, _ held: borrowing HeldCiphertext, _ side: TLSSide, isFinal: Bool,
    keys: borrowing KeyLog
  ) -> Step {
    guard bytes.count >= RecordFrame.headerLength else { return isFinal ? .discard(bytes.count) : .wait }
    guard let frame = RecordFrame(bytes) else { return loseBoundary(side) }
    let end = RecordFrame.headerLength + frame.length
    guard bytes.count >= end else { return isFinal ? .discard(bytes.count) : .wait }
    guard let arrival = held.headArrival else { return .wait }
    let record = Record(
      frame: frame, payload: UnsafeRawBufferPointer(rebasing: bytes[RecordFrame.headerLength..<end]),
      arrival: arrival, time: held.time(ofLastOf: end))
    switch read(record, from: side, keys: keys) {
    case .consumed: return .consume(end)
    case .stopped: return .stop
    case .blocked(let obstacle):
      block(side, obstacle, since: arrival.time)
      return .wait
    }
  }

  /// The bytes at the head begin no record.
  private mutating func loseBoundary(_ side: TLSSide) -> Step {
    guard self[side].hasRecord else {
      giveUp(nil, joinedMidstream ? .joinedInMidConnection : .malformed)
      return .stop
    }
    append(.anomaly(.tlsRecordMalformed))
    guard self[side].hasOpened else {
      giveUp(side, .malformed)
      return .stop
    }
    self[side].lost = LostPlace(bytes: 0)
    return .discard(1)
  }

  mutating func block(_ side: TLSSide, _ obstacle: Obstacle, since: Timestamp) {
    if case .blocked(let before, _) = self[side].reader, before == obstacle { return }
    self[side].reader = .blocked(obstacle, since: since)
  }

  /// Where a direction's last byte was read or given up, its end is told once. Never calls for another turn.
  private mutating func tellEnd(_ side: TLSSide) -> Bool {
    guard self[side].ended, !self[side].endTold else { return false }
    self[side].endTold = true
    if self[side].lost != nil { append(.gap(side, time: self[side].endTime)) }
    append(.ended(side, time: self[side].endTime))
    return false
  }

  /// Sets the clock and gives up what waited too long.
  mutating func advance(to time: Timestamp) {
    if time > now { now = time }
    guard isBlocked, now.nanoseconds > Int64.min else { return }
    let (limit, overflow) = now.nanoseconds.subtractingReportingOverflow(max(0, limits.waitNanoseconds))
    if !overflow { abandonBlocked(since: Timestamp(nanoseconds: limit)) }
  }

  /// Gives up the directions that have been blocked since `time` or longer.
  mutating func abandonBlocked(since time: Timestamp) {
    var reasons: [(TLSSide, TLSUnreadable)] = []
    for side in [TLSSide.client, .server] {
      guard case .blocked(let obstacle, let since) = self[side].reader, obstacle != .order, since <= time else {
        continue
      }
      reasons.append((side, obstacle == .secrets ? .noSecrets : .handshakeLost))
    }
    guard let first = reasons.first else { return }
    // What waits for the other direction alone falls with it.
    if let secrets = reasons.first(where: { $0.1 == .noSecrets }), !client.hasOpened, !server.hasOpened,
      reasons.count == 2 || self[secrets.0.other].held.isEmpty
    {
      giveUp(nil, .noSecrets)
    } else if reasons.count == 2, reasons[0].1 == reasons[1].1 {
      giveUp(nil, first.1)
    } else {
      for (side, reason) in reasons { giveUp(side, reason) }
    }
  }

  /// Forgets what is held of a direction, or of both, and reads no more of it.
  mutating func giveUp(_ side: TLSSide?, _ reason: TLSUnreadable) {
    let sides = side.map { [$0] } ?? [.client, .server]
    let stopped = sides.filter { self[$0].isReadable }
    guard !stopped.isEmpty else { return }
    for side in stopped {
      countUnread(self[side].held.count)
      self[side].held = HeldCiphertext()
      self[side].reader = .dead(reason)
      self[side].protection = nil
      self[side].handshake = HandshakeStream()
    }
    switch reason {
    case .noSecrets: append(.anomaly(.tlsNoSecrets))
    case .joinedInMidConnection: append(.anomaly(.tlsJoinedInMidConnection))
    case .recordNumberLost: append(.anomaly(.tlsRecordLost))
    case .malformed, .badRecordMAC, .holdLimit, .handshakeLost, .version, .suite: break
    }
    append(.unreadable(stopped.count == 2 ? nil : stopped[0], reason, serverName: serverName))
    for side in stopped { _ = tellEnd(side) }
  }

  /// Where too much is held: a direction that lacks secrets does not take the other one with it.
  mutating func keepToLimit(keys: borrowing KeyLog) {
    guard heldBytes > limits.heldBytes else { return }
    for side in [TLSSide.client, .server] {
      if case (.blocked(.secrets, _), .blocked(.order, _)) = (self[side].reader, self[side.other].reader) {
        giveUp(side, .holdLimit)
        readHeld(keys: keys)
      }
    }
    if heldBytes > limits.heldBytes { giveUp(nil, .holdLimit) }
  }

  mutating func countUnread(_ count: Int) { unreadBytes &+= UInt64(max(0, count)) }

  /// A whole record is left unread where its reader will count it as read.
  mutating func passOver(_ record: Record) {
    let count = RecordFrame.headerLength + record.payload.count
    countUnread(count)
    recordBytes &-= UInt64(count)
  }

  mutating func append(_ event: TLSEvent) {
    if case .plaintext(_, let bytes, _, _, _) = event { plaintextBytes &+= UInt64(bytes.count) }
    events.append(event)
  }
}

extension Timestamp {
  static let max = Timestamp(nanoseconds: .max)
}
