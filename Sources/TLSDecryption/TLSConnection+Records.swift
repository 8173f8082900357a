// What a record means in its epoch: which keys open it, and what its content does.
//
// In: whole records in order. Out: plaintext, alerts, handshake messages. Owner: `TLSConnection`. Bounds: one record.
//
//              client                                   server
//   TLS 1.3    plaintext -> [early] -> handshake ->     plaintext -> handshake -> application
//              application
//   TLS 1.2    plaintext -> changed(0) -> changed(1)    the same, at each side's ChangeCipherSpec

import HTTPModel

extension TLSConnection {
  /// Reads one whole record at its place in order.
  mutating func read(_ record: Record, from side: TLSSide, keys: borrowing KeyLog) -> Reading {
    let reading: Reading
    switch self[side].epoch {
    case .plaintext: reading = readPlain(record, from: side, keys: keys)
    case .handshake: reading = read13(record, from: side, keys: keys)
    case .early, .application:
      if isAhead(record, of: side.other) { return .blocked(.order) }
      reading = read13(record, from: side, keys: keys)
    case .changed(let index): reading = read12(record, index, from: side, keys: keys)
    }
    guard reading == .consumed else { return reading }
    self[side].hasRecord = true
    return self[side].isReadable ? .consumed : .stopped
  }

  /// Whether a direction waits for secrets of which the other one's may be there already, with what was sent before.
  private func isAhead(_ record: Record, of other: TLSSide) -> Bool {
    guard case .blocked(.secrets, _) = self[other].reader, let first = self[other].held.headArrival else {
      return false
    }
    return first.time <= record.arrival.time
  }

  // MARK: - Before protection

  private mutating func readPlain(_ record: Record, from side: TLSSide, keys: borrowing KeyLog) -> Reading {
    if !self[side].hasRecord, !beginsConnection(record, side) {
      giveUp(nil, joinedMidstream ? .joinedInMidConnection : .malformed)
      return .stopped
    }
    switch record.frame.type {
    case RecordFrame.ContentType.handshake:
      if side == .server, negotiations.isEmpty { return .blocked(.peer) }
      return take(handshake: record.payload, from: side, at: record.time)
    case RecordFrame.ContentType.changeCipherSpec:
      if negotiations.first?.wasRetried == true { return .consumed }
      guard let answer = negotiations.first?.answer else { return .blocked(.peer) }
      if answer.isTLS13 == false { self[side].enter(.changed(0)) }
      return .consumed
    case RecordFrame.ContentType.alert:
      take(alert: record.payload, from: side, at: record.time)
      return .consumed
    case RecordFrame.ContentType.applicationData:
      guard let negotiation = negotiations.first, let answer = negotiation.answer else { return .blocked(.peer) }
      guard answer.isTLS13 == true else {
        giveUp(side, .malformed)
        return .stopped
      }
      return enter13(negotiation, side, keys: keys).map { .blocked($0) } ?? read13(record, from: side, keys: keys)
    default: return .consumed
    }
  }

  /// Whether a direction can begin with this: a hello, or an alert that refuses one.
  private func beginsConnection(_ record: Record, _ side: TLSSide) -> Bool {
    switch record.frame.type {
    case RecordFrame.ContentType.alert: return record.payload.count == 2 && !joinedMidstream
    case RecordFrame.ContentType.handshake:
      let hello = side == .client ? HandshakeMessage.Kind.clientHello : HandshakeMessage.Kind.serverHello
      guard let type = record.payload.first else { return false }
      return type == hello || side == .server && type == HandshakeMessage.Kind.helloRequest
    default: return false
    }
  }

  // MARK: - TLS 1.3

  /// Chooses the first protected epoch of a direction; returns what it lacks.
  private mutating func enter13(_ negotiation: Negotiation, _ side: TLSSide, keys: borrowing KeyLog) -> Obstacle? {
    if side == .client, negotiation.hello.offersEarlyData {
      let canAccept = !negotiation.wasRetried && negotiation.answer?.hello.takesPreSharedKey == true
      var accepts = negotiation.acceptsEarlyData
      if !canAccept { accepts = false }
      if accepts == nil {
        // EncryptedExtensions will tell, where they can be read.
        let comes = server.isReadable && server.lost == nil && !server.handshakeIsCut
        if comes, server.epoch == .plaintext || server.epoch == .handshake,
          negotiation.traffic(.server, .handshake, keys: keys) != nil
        {
          return .peer
        }
      }
      if accepts ?? true, let early = negotiation.traffic(.client, .early, keys: keys) {
        self[side].enter(.early, early)
        return nil
      }
      guard enterHandshake(negotiation, side, keys: keys) else { return .secrets }
      if accepts == false { append(.anomaly(.tlsEarlyDataRejected)) } else { append(.gap(side, time: now)) }
      self[side].skipped = 0
      return nil
    }
    return enterHandshake(negotiation, side, keys: keys) ? nil : .secrets
  }

  private mutating func enterHandshake(_ negotiation: Negotiation, _ side: TLSSide, keys: borrowing KeyLog) -> Bool {
    if let handshake = negotiation.traffic(side, .handshake, keys: keys) {
      self[side].enter(.handshake, handshake)
      return true
    }
    // A logger that tells the application secrets alone: the handshake is passed over.
    guard let application = negotiation.traffic(side, .application, keys: keys) else { return false }
    self[side].enter(.application, application)
    self[side].skipped = 0
    return true
  }

  private mutating func read13(_ record: Record, from side: TLSSide, keys: borrowing KeyLog) -> Reading {
    switch record.frame.type {
    case RecordFrame.ContentType.changeCipherSpec: return .consumed
    case RecordFrame.ContentType.alert where record.payload.count == 2:
      take(alert: record.payload, from: side, at: record.time)
      return .consumed
    case RecordFrame.ContentType.handshake where self[side].skipped != nil:
      // The second ClientHello, behind early data that was refused.
      return .consumed
    case RecordFrame.ContentType.applicationData: break
    default: return fail(record, side)
    }
    guard let protection = protection13(side, keys: keys) else { return .blocked(.secrets) }
    var plaintext: [UInt8] = []
    let opened = open(record, protection, self[side].sequence, into: &plaintext)
    if case .plaintext(let type) = opened {
      return take(plaintext, type, record, from: side)
    }
    switch self[side].epoch {
    case .early:
      // The end of early data was lost, or the server refused it after all.
      guard let negotiation = negotiations.first, enterHandshake(negotiation, side, keys: keys) else {
        return .blocked(.secrets)
      }
      self[side].skipped = 0
      return read13(record, from: side, keys: keys)
    case .handshake:
      if let negotiation = negotiations.first,
        let application = negotiation.traffic(side, .application, keys: keys),
        case .plaintext(let type) = open(record, application, 0, into: &plaintext)
      {
        self[side].enter(.application, application)
        return take(plaintext, type, record, from: side)
      }
    default: break
    }
    if let skipped = self[side].skipped, skipped <= limits.skippedEarlyDataBytes {
      self[side].skipped = skipped + record.payload.count
      passOver(record)
      return .consumed
    }
    return fail(record, side)
  }

  /// The keys of the direction's epoch, made where the epoch has just begun.
  private mutating func protection13(_ side: TLSSide, keys: borrowing KeyLog) -> RecordProtection? {
    if let protection = self[side].protection { return protection }
    let made = negotiations.first?.traffic(side, self[side].epoch, keys: keys)
    self[side].protection = made
    return made
  }

  // MARK: - TLS 1.2

  private mutating func read12(
    _ record: Record, _ index: Int, from side: TLSSide, keys: borrowing KeyLog
  ) -> Reading {
    if self[side].protection == nil {
      guard index < negotiations.count, negotiations[index].answer != nil else { return .blocked(.peer) }
      guard let made = negotiations[index].changed(side, keys: keys) else { return .blocked(.secrets) }
      self[side].protection = made
    }
    guard let protection = self[side].protection else { return .blocked(.secrets) }
    var plaintext: [UInt8] = []
    switch open(record, protection, self[side].sequence, into: &plaintext) {
    case .plaintext(let type): return take(plaintext, type, record, from: side)
    case .badRecordMAC, .malformed:
      // A fatal alert may come unprotected where the sender never got as far as its keys.
      if record.frame.type == RecordFrame.ContentType.alert, record.payload.count == 2 {
        take(alert: record.payload, from: side, at: record.time)
        return .consumed
      }
      return fail(record, side)
    }
  }

  // MARK: - Content

  func open(
    _ record: Record, _ protection: RecordProtection, _ sequence: UInt64, into plaintext: inout [UInt8]
  ) -> Opened {
    protection.open(
      contentType: record.frame.type, version: record.frame.version, payload: record.payload, sequence: sequence,
      into: &plaintext)
  }

  /// Acts on a record that was opened with the number `sequence` of its direction.
  mutating func take(_ plaintext: [UInt8], _ type: UInt8, _ record: Record, from side: TLSSide) -> Reading {
    self[side].sequence &+= 1
    self[side].badInARow = 0
    self[side].hasOpened = true
    self[side].skipped = nil
    switch type {
    case RecordFrame.ContentType.applicationData:
      guard !plaintext.isEmpty else { return .consumed }
      if self[side].closeNotified { append(.anomaly(.tlsDataAfterClose)) }
      append(
        .plaintext(
          side, plaintext, offset: record.arrival.offset, acknowledged: record.arrival.acknowledged,
          time: record.time))
      return .consumed
    case RecordFrame.ContentType.handshake:
      return plaintext.withUnsafeBytes { take(handshake: $0, from: side, at: record.time) }
    case RecordFrame.ContentType.alert:
      plaintext.withUnsafeBytes { take(alert: $0, from: side, at: record.time) }
      return .consumed
    case RecordFrame.ContentType.changeCipherSpec:
      if case .changed(let index) = self[side].epoch { self[side].enter(.changed(index + 1)) }
      return .consumed
    default: return .consumed
    }
  }

  mutating func take(alert: UnsafeRawBufferPointer, from side: TLSSide, at time: Timestamp) {
    guard alert.count == 2 else { return }
    if alert[1] == 0 {
      self[side].closeNotified = true
      append(.closed(side, time: time))
    } else {
      append(.alert(side, level: alert[0], description: alert[1]))
    }
  }

  /// A record at its place did not open.
  private mutating func fail(_ record: Record, _ side: TLSSide) -> Reading {
    append(.anomaly(.tlsBadRecordMAC))
    append(.gap(side, time: record.time))
    self[side].sequence &+= 1
    self[side].badInARow += 1
    guard self[side].badInARow >= Self.badRecordLimit else {
      passOver(record)
      return .consumed
    }
    if self[side].hasOpened {
      // Records were inserted or removed unseen: look for the number from here on.
      self[side].sequence -= min(self[side].sequence, UInt64(self[side].badInARow))
      self[side].lost = LostPlace(bytes: UInt64(Self.badRecordLimit * RecordFrame.fullLength))
      self[side].badInARow = 0
      passOver(record)
    } else {
      giveUp(self[side.other].hasOpened ? side : nil, .badRecordMAC)
      return .stopped
    }
    return .consumed
  }

  /// Records in a row that do not open before the secrets, or the record's number, are taken as wrong.
  static var badRecordLimit: Int { 3 }
}
