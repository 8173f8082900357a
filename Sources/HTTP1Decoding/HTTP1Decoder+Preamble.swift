// Purpose: what may stand before a message, and the accounts of bytes and oddities; no state is changed here, that is for HTTP1Decoder+StateMachine.swift.
// Input -> output: bytes at an offset -> what they are, or that more are needed. Bounds: HTTP1Limits.

import HTTPModel

extension HTTP1Decoder {
  enum EmptyLinesRead {
    /// Something else is next.
    case passed
    case needsMore
    /// The stream begins as version 2 of the PROXY protocol does.
    case mayBeBalancer
  }
  enum PreambleRead { case needsMore, emptyLines, balancer(length: Int), other }

  // MARK: Between messages

  /// RFC 9112, 2.2: empty lines before a start line are passed over; so is other white space.
  mutating func passEmptyLines(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> EmptyLinesRead {
    while offset < bytes.count {
      switch bytes[offset] {
      case Octet.cr, Octet.lf:
        if bytes[offset] == Octet.cr, role == .request, !established, counts.total == 0 {
          return .mayBeBalancer
        }
        early.insert(.http1LeadingEmptyLine)
      case Octet.space, Octet.tab: early.insert(.http1StartLineInvalid)
      default: return .passed
      }
      offset += 1
      counts.framing &+= 1
    }
    return .needsMore
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

  // MARK: Accounts

  /// Empties `held` and says how much it was, for the account that it goes to.
  mutating func dropHeld() -> UInt64 {
    defer { held = [] }
    return UInt64(held.count)
  }

  mutating func skipHeld() -> HTTP1Step {
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
