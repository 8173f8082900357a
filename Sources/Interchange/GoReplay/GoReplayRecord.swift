// A record of a GoReplay file: its meta line and where it ends.
//
//   TYPE ' ' ID ' ' TIME [' ' LATENCY] LF  HTTP message  LF 🐵🙈🙉 LF
//
// Type 1 is a request, 2 the recorded response, 3 a replayed one. The id joins them: 24 hexadecimal digits, 40 in older
// files, whose meta lines also lack the latency. Times are nanoseconds since the epoch. In: bytes. Out: values.

import HTTPModel

/// What a record is.
public enum GoReplayRecordType: UInt8, Sendable {
  case request = 1
  case response = 2
  case replayedResponse = 3
}

/// A record's first line.
struct GoReplayMeta: Hashable {
  var type: GoReplayRecordType
  var identifier: [UInt8]
  var time: Timestamp
  /// Nanoseconds: of 1 and 2 from its first to its last packet, of 3 the round trip. 0 where it was not written.
  var latency: Int64

  /// LF, three monkeys, LF.
  static let separator: [UInt8] =
    [0x0a, 0xf0, 0x9f, 0x90, 0xb5, 0xf0, 0x9f, 0x99, 0x88, 0xf0, 0x9f, 0x99, 0x89, 0x0a]
  /// No meta line is longer.
  static let lengthLimit = 256

  /// - Parameter line: without its line end.
  init?(_ line: some Collection<UInt8>) {
    guard line.count <= Self.lengthLimit else { return nil }
    var parts = line.split(separator: 0x20, omittingEmptySubsequences: false).map { Array($0) }
    if parts.last?.last == 0x0d { parts[parts.count - 1].removeLast() }
    guard parts.count == 3 || parts.count == 4, parts[0].count == 1,
      let type = GoReplayRecordType(rawValue: parts[0][0] &- 0x30)
    else { return nil }
    guard (1...128).contains(parts[1].count), parts[1].allSatisfy({ isToken($0) || $0 == UInt8(ascii: ":") }),
      let time = Int64(String(decoding: parts[2], as: UTF8.self))
    else { return nil }
    var latency: Int64 = 0
    if parts.count == 4 {
      guard let value = Int64(String(decoding: parts[3], as: UTF8.self)) else { return nil }
      latency = max(0, value)
    }
    self.type = type
    identifier = parts[1]
    self.time = Timestamp(nanoseconds: time)
    self.latency = latency
  }

  init(type: GoReplayRecordType, identifier: [UInt8], time: Timestamp, latency: Int64) {
    self.type = type
    self.identifier = identifier
    self.time = time
    self.latency = latency
  }

  /// With its line end.
  var line: [UInt8] {
    Array("\(type.rawValue) ".utf8) + identifier + Array(" \(time.nanoseconds) \(latency)\n".utf8)
  }
}
