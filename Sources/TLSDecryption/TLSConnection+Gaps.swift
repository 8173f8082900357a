// Finding the next record, and its number, behind a gap.
//
// In: ciphertext behind a gap. Out: a record that opens, with which the reader is in step again. Owner: `TLSConnection`.
// Bounds: `TLSLimits.trialsPerRecord` and `trialsPerConnection`.
//
// A boundary shows itself by a plausible header. Proof is the tag: it covers the record's number, so that the number is
// found by trying those which the lost bytes leave room for. For what is not protected the proof is another header behind.

import HTTPModel

extension TLSConnection {
  /// A gap is next in a direction.
  mutating func passGap(_ length: UInt64, _ side: TLSSide) {
    let before = self[side].lost?.bytes ?? 0
    let (sum, overflow) = before.addingReportingOverflow(length)
    self[side].lost = LostPlace(bytes: overflow ? .max : sum)
    self[side].handshakeIsCut = true
    self[side].handshake = HandshakeStream()
    // The hellos cannot be done without.
    if negotiations.isEmpty && side == .client || negotiations.first?.answer == nil && side == .server {
      giveUp(nil, .handshakeLost)
    }
  }

  /// Looks for a record in bytes that begin anywhere.
  mutating func findRecord(
    _ bytes: UnsafeRawBufferPointer, _ held: borrowing HeldCiphertext, _ side: TLSSide, isFinal: Bool,
    keys: borrowing KeyLog
  ) -> TLSConnection.Step {
    guard bytes.count >= RecordFrame.headerLength else { return isFinal ? .discard(bytes.count) : .wait }
    guard let frame = RecordFrame(bytes), frame.isPlausibleMidstream else {
      return .discard(nextCandidate(in: bytes))
    }
    let end = RecordFrame.headerLength + frame.length
    guard bytes.count >= end else { return isFinal ? .discard(nextCandidate(in: bytes)) : .wait }
    // What is not protected has no tag to prove it.
    if case .plaintext = self[side].epoch, frame.type != RecordFrame.ContentType.applicationData {
      if bytes.count >= end + RecordFrame.headerLength {
        let behind = RecordFrame(UnsafeRawBufferPointer(rebasing: bytes[end...]))
        guard behind?.isPlausibleMidstream == true else { return .discard(nextCandidate(in: bytes)) }
      } else if !isFinal {
        return .wait
      }
    }
    guard let arrival = held.headArrival else { return .wait }
    let record = Record(
      frame: frame, payload: UnsafeRawBufferPointer(rebasing: bytes[RecordFrame.headerLength..<end]),
      arrival: arrival, time: held.time(ofLastOf: end))
    switch resume(at: record, side, keys: keys) {
    case .opened: return self[side].isReadable ? .consume(end) : .stop
    case .passed: return .consume(end)
    case .blocked(let obstacle):
      block(side, obstacle, since: arrival.time)
      return .wait
    case .foreign: return .discard(nextCandidate(in: bytes))
    case .exhausted:
      giveUp(side, .recordNumberLost)
      return .stop
    }
  }

  /// The distance to the next place where a record of version 0x0303 may begin, at least 1.
  private func nextCandidate(in bytes: UnsafeRawBufferPointer) -> Int {
    var index = 2
    while index + 1 < bytes.count {
      if bytes[index] == 3, bytes[index + 1] == 3, (20...23).contains(bytes[index - 1]) { return index - 1 }
      index += 1
    }
    // The last bytes may be a header's first.
    return max(1, bytes.count - 2)
  }

  private enum Resumption {
    case opened
    /// A record of the handshake that is not protected.
    case passed
    case blocked(Obstacle)
    /// No keys and no number within the bounds open it.
    case foreign
    case exhausted
  }

  /// Keys that may open the next record, with the numbers that it may have.
  private struct Candidate {
    var epoch: Epoch
    var protection: RecordProtection
    var numbers: ClosedRange<UInt64>
    /// Whether application data was lost if this is the place.
    var losesData: Bool
  }

  private mutating func resume(at record: Record, _ side: TLSSide, keys: borrowing KeyLog) -> Resumption {
    guard let negotiation = negotiations.first, let answer = negotiation.answer else { return .blocked(.peer) }
    let candidates: [Candidate]
    if answer.isTLS13 == true {
      if isChangeCipherSpec(record) { return .passed }
      guard record.frame.type == RecordFrame.ContentType.applicationData else { return .foreign }
      candidates = candidates13(negotiation, side, keys: keys)
    } else {
      if case .plaintext = self[side].epoch, isChangeCipherSpec(record) {
        self[side].enter(.changed(0))
        self[side].lost = nil
        return .passed
      }
      candidates = candidates12(side, keys: keys)
    }
    if candidates.isEmpty { return .blocked(.secrets) }
    var plaintext: [UInt8] = []
    for candidate in candidates {
      for number in candidate.numbers {
        guard trials < limits.trialsPerConnection else { return .exhausted }
        trials += 1
        switch open(record, candidate.protection, number, into: &plaintext) {
        case .malformed: return unopened(record, side)
        case .badRecordMAC: continue
        case .plaintext(let type):
          self[side].lost = nil
          if candidate.losesData {
            append(.anomaly(.tlsRecordLost))
            append(.gap(side, time: record.time))
          }
          if self[side].epoch != candidate.epoch || candidate.numbers.lowerBound == 0 {
            self[side].enter(candidate.epoch, candidate.protection)
          }
          self[side].handshakeIsCut = candidate.epoch == .handshake
          self[side].sequence = number
          return take(plaintext, type, record, from: side) == .blocked(.secrets) ? .foreign : .opened
        }
      }
    }
    return unopened(record, side)
  }

  private func isChangeCipherSpec(_ record: Record) -> Bool {
    record.frame.type == RecordFrame.ContentType.changeCipherSpec && record.payload.count == 1
      && record.payload[0] == 1
  }

  /// A record that no candidate opens: under TLS 1.2 it may be a message from before the ChangeCipherSpec.
  private func unopened(_ record: Record, _ side: TLSSide) -> Resumption {
    if case .plaintext = self[side].epoch, negotiations.first?.answer?.isTLS13 == false,
      record.frame.type == RecordFrame.ContentType.handshake
    {
      return .passed
    }
    return .foreign
  }

  /// The most and the least records that fit into what was lost.
  private func lostRecords(_ side: TLSSide) -> (least: UInt64, most: UInt64) {
    let bytes = self[side].lost?.bytes ?? 0
    let least = bytes / UInt64(RecordFrame.fullLength)
    let room = UInt64(max(1, limits.trialsPerRecord))
    return (least, min(bytes / UInt64(RecordFrame.shortestProtected) + 1, least &+ room))
  }

  private func candidates13(_ negotiation: Negotiation, _ side: TLSSide, keys: borrowing KeyLog) -> [Candidate] {
    let (least, most) = lostRecords(side)
    let sequence = self[side].sequence
    var candidates: [Candidate] = []
    var application: RecordProtection?
    switch self[side].epoch {
    case .plaintext, .early, .handshake:
      let isHandshake = self[side].epoch == .handshake
      let handshake = isHandshake ? self[side].protection : negotiation.traffic(side, .handshake, keys: keys)
      if let handshake {
        let first = isHandshake ? sequence : 0
        candidates.append(
          Candidate(
            epoch: .handshake, protection: handshake, numbers: first...(first &+ min(most, 64)), losesData: false))
      }
      // Without these keys a record that is theirs would be taken for none.
      guard let first = negotiation.traffic(side, .application, keys: keys) else { return [] }
      candidates.append(Candidate(epoch: .application, protection: first, numbers: 0...0, losesData: false))
      candidates.append(
        Candidate(epoch: .application, protection: first, numbers: 1...max(1, most), losesData: true))
      application = first
    case .application:
      application = self[side].protection ?? negotiation.traffic(side, .application, keys: keys)
      if let application {
        candidates.append(
          Candidate(
            epoch: .application, protection: application, numbers: (sequence &+ least)...(sequence &+ most),
            losesData: true))
      }
    case .changed: break
    }
    // A KeyUpdate may have been in the gap, or two.
    for _ in 0..<2 {
      guard let next = application?.updated() else { break }
      candidates.append(Candidate(epoch: .application, protection: next, numbers: 0...min(most, 64), losesData: true))
      application = next
    }
    return candidates
  }

  private func candidates12(_ side: TLSSide, keys: borrowing KeyLog) -> [Candidate] {
    let (least, most) = lostRecords(side)
    switch self[side].epoch {
    case .changed(let index):
      guard index < negotiations.count,
        let protection = self[side].protection ?? negotiations[index].changed(side, keys: keys)
      else { return [] }
      let sequence = self[side].sequence
      return [
        Candidate(
          epoch: .changed(index), protection: protection, numbers: (sequence &+ least)...(sequence &+ most),
          losesData: true)
      ]
    default:
      guard let protection = negotiations.first?.changed(side, keys: keys) else { return [] }
      return [
        // Its Finished is the first record; data was lost only where that is behind it too.
        Candidate(epoch: .changed(0), protection: protection, numbers: 0...1, losesData: false),
        Candidate(epoch: .changed(0), protection: protection, numbers: 2...max(2, most), losesData: true),
      ]
    }
  }
}
