// TLS records and handshakes, with the secrets that belong to them and without.
//
// Input: options, the length of a key log and the log, then one operation after the other: bytes, gaps and ends of
// either side, secrets that come late, time that passes.

import HTTPModel
import TLSDecryption

enum TLSTarget: FuzzTarget {
  static let name = "tls"
  static var longestInput: Int { 8192 }

  static func run(_ input: [UInt8]) throws(Violation) {
    let whole = try told(input, pieces: .max)
    let options = input.first ?? 0
    // Where hardly anything may be held, or record numbers are searched for, it counts how bytes come in.
    guard options & 1 == 0 else { return }
    for pieces in [1, 7] {
      let cut = try told(input, pieces: pieces)
      try require(cut == whole, "in pieces of \(pieces): \(cut), not \(whole)")
    }
  }

  /// What was read of each side, and how it ended.
  private struct Told: Equatable {
    var plaintext: [[UInt8]] = [[], []]
    var gaps = [0, 0]
    /// Whether both directions fall at once or one after the other depends on whose turn it was when bytes came.
    var unreadable: Set<String> = []
    var facts: TLSFacts?
  }

  private static func told(_ input: [UInt8], pieces: Int) throws(Violation) -> Told {
    var reader = InputReader(input)
    let options = reader.byte()
    var limits = TLSLimits()
    if options & 1 != 0 { limits.heldBytes = 2000 }
    limits.trialsPerRecord = 16
    limits.trialsPerConnection = 256
    var keys = KeyLog(limits: KeyLog.Limits(connections: 4))
    let log = reader.bytes(Int(reader.word()))
    if options & 4 == 0 { log.withUnsafeBytes { keys.append($0) } }
    var connection = TLSConnection(limits: limits, joinedMidstream: options & 2 != 0)
    var told = Told()
    var fed: UInt64 = 0
    var offsets: [UInt64] = [0, 0]
    var time = Timestamp(nanoseconds: 1_000_000_000)
    while !reader.isAtEnd {
      let operation = reader.byte()
      let side: TLSSide = operation & 1 == 0 ? .client : .server
      let length = Int(reader.word())
      switch operation >> 1 & 7 {
      case 4: connection.gap(UInt64(length), from: side, time: time, keys: keys)
      case 5: connection.end(side, time: time, keys: keys)
      case 6: time = time.advanced(byNanoseconds: Int64(length) * 10_000_000)
      case 7:
        log.withUnsafeBytes { keys.append($0) }
        connection.retry(keys: keys, time: time)
      default:
        let bytes = reader.bytes(length)
        var start = 0
        while start < bytes.count {
          let end = start + min(pieces, bytes.count - start)
          bytes[start..<end].withUnsafeBytes {
            connection.receive(
              $0, from: side, offset: offsets[side == .client ? 0 : 1], acknowledged: nil, time: time, keys: keys)
          }
          offsets[side == .client ? 0 : 1] += UInt64(end - start)
          fed += UInt64(end - start)
          start = end
          try drain(&connection, &told)
        }
      }
      try drain(&connection, &told)
      let accounted = connection.recordBytes &+ connection.unreadBytes &+ UInt64(connection.heldCiphertext)
      try require(accounted == fed, "\(accounted) bytes are accounted for, of \(fed)")
    }
    connection.close(time: time, keys: keys)
    try drain(&connection, &told)
    try require(connection.heldBytes == 0, "\(connection.heldBytes) bytes are held after the end")
    let accounted = connection.recordBytes &+ connection.unreadBytes
    try require(accounted == fed, "\(accounted) bytes are accounted for at the end, of \(fed)")
    let count = told.plaintext.reduce(0) { $0 + $1.count }
    try require(UInt64(count) == connection.plaintextBytes, "\(count) bytes of plaintext are not what was counted")
    try require(connection.plaintextBytes <= connection.recordBytes, "more came out than went in")
    told.facts = connection.facts
    return told
  }

  private static func drain(_ connection: inout TLSConnection, _ told: inout Told) throws(Violation) {
    while let event = connection.nextEvent() {
      switch event {
      case .plaintext(let side, let bytes, _, _, _):
        try require(!bytes.isEmpty, "a record without data was told")
        told.plaintext[side == .client ? 0 : 1] += bytes
      case .gap(let side, _): told.gaps[side == .client ? 0 : 1] += 1
      case .unreadable(_, let reason, _): told.unreadable.insert(reason.identifier)
      case .closed, .alert, .anomaly, .ended: break
      }
    }
  }

  /// Each recording with its secrets, with late ones, with a gap, and joined in its middle.
  static var seeds: [[UInt8]] {
    TLSSeeds.recordings.flatMap { recording -> [[UInt8]] in
      let log = Array((recording.keyLog + "\n").utf8)
      let operations = recording.flights.map { flight -> [UInt8] in
        operation(flight.isServer ? 1 : 0, octets(flight.bytes))
      }
      var header = [UInt8(log.count & 0xff), UInt8(log.count >> 8)]
      header += log
      func seed(_ options: UInt8, _ operations: [[UInt8]]) -> [UInt8] {
        var input = [options]
        input += header
        for operation in operations { input += operation }
        return input
      }
      var late = operations
      late.insert([14, 0, 0], at: late.count - 1)
      var cut = operations
      cut[3] = [8, 20, 0]
      return [
        seed(0, operations), seed(4, late), seed(0, cut), seed(2, Array(operations.dropFirst(2))), seed(5, operations),
      ]
    }
  }

  private static func operation(_ kind: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [kind, UInt8(bytes.count & 0xff), UInt8(bytes.count >> 8)] + bytes
  }

  private static func octets(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
