// Session and run files through their reader.
//
// Input: a file, whose checksums are made right first: the fuzzer would not guess them, and behind them is what counts.

import ContentCoding
import HTTP1Decoding
import HTTPModel
import SessionFile

enum SessionTarget: FuzzTarget {
  static let name = "session"
  static let longestInput = 16_384

  static func run(_ input: [UInt8]) throws(Violation) {
    guard let file = MemoryFile(withChecksums(input)) else { return }
    do {
      let reader = try SessionReader(path: file.path, cacheLimit: 1 << 20)
      let first = try read(reader)
      reader.rewind()
      let second = try read(reader)
      try require(first == second, "read twice, \(first) and \(second)")
      for name in try reader.blobNames() { _ = try reader.blob(named: name) }
      _ = (reader.metadata.entries.count, reader.ledger?.completeness, reader.timeRange)
      for damage in reader.damage { _ = "\(damage)" }
    } catch let violation as Violation { throw violation } catch { _ = "\(error)" }
  }

  /// How many exchanges and replayed exchanges a reader tells.
  private static func read(_ reader: SessionReader) throws -> [Int] {
    var counts = [0, 0]
    while let exchange = try reader.next() {
      try check(exchange)
      counts[0] += 1
    }
    while let replayed = try reader.nextReplayed() {
      try check(replayed.exchange)
      counts[1] += replayed.attempts.count + 1
    }
    return counts
  }

  /// A file may hold anything, and its reader hands over what is there; but nothing that cannot be printed, redacted
  /// or sent.
  private static func check(_ exchange: Exchange) throws(Violation) {
    for fields in [exchange.request?.fields, exchange.response?.fields].compactMap({ $0 }) {
      for index in fields.ranges.indices { _ = (fields.name(at: index).count, fields.value(at: index).count) }
    }
    for body in [exchange.request?.body, exchange.response?.body].compactMap({ $0 }) {
      for range in body.missing { try require(range.lowerBound <= range.upperBound, "missing bytes \(range)") }
    }
    guard let request = exchange.request else { return }
    _ = (request.method.count, request.target.count, request.authority?.count, exchange.response?.reason.count)
    var edits = HTTP1RequestEdits()
    edits.replaced = [(Array("host".utf8), Array("other".utf8))]
    edits.removed = [Array("x".utf8)]
    var bytes: [UInt8] = []
    serialize(request: request, edits: edits, into: &bytes)
  }

  // MARK: Checksums

  private static func withChecksums(_ input: [UInt8]) -> [UInt8] {
    var file = input
    guard file.count >= 32 else { return file }
    let salt = crc(file[0..<28])
    put(salt, at: 28, of: &file)
    var position = 32
    while position + 64 <= file.count, file[position] == 0xf5 {
      let end = min(file.count, position + 64 + Int(word(file, position + 16)))
      put(salt, at: position + 12, of: &file)
      put(crc(file[position + 64..<end]), at: position + 56, of: &file)
      put(crc(file[position..<position + 60]), at: position + 60, of: &file)
      position = end
    }
    if file.count - position == 32 {
      put(salt, at: position + 16, of: &file)
      put(crc(file[position..<position + 20]), at: position + 20, of: &file)
    }
    return file
  }

  private static func word(_ file: [UInt8], _ position: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(file[position + $1]) << UInt32(8 * $1) }
  }

  private static func put(_ value: UInt32, at position: Int, of file: inout [UInt8]) {
    for byte in 0..<4 { file[position + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
  }

  /// CRC-32C, a bit at a time.
  private static func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    ~bytes.reduce(~0 as UInt32) { state, byte in
      (0..<8).reduce(state ^ UInt32(byte)) { state, _ in state & 1 == 1 ? state >> 1 ^ 0x82f6_3b78 : state >> 1 }
    }
  }

  // MARK: Seeds

  static var seeds: [[UInt8]] {
    let files = [SessionFileKind.session, .run].compactMap { try? written($0) }
    return files.flatMap { file in
      let plain = uncompressed(file)
      // With its index, and as a writer that was killed leaves it.
      return [file, plain, Array(plain.dropLast(32))]
    }
  }

  private static func written(_ kind: SessionFileKind) throws -> [UInt8] {
    guard let file = MemoryFile([]) else { return [] }
    let writer = try SessionWriter(
      .descriptor(file.descriptor, name: file.path), kind: kind,
      created: Timestamp(nanoseconds: 1_790_000_000_000_000_000))
    var metadata = SessionMetadata()
    metadata["tool"] = "umbra"
    _ = writer.put(.metadata(metadata))
    let encoder = SessionEncoder()
    for ordinal in 1...3 as ClosedRange<UInt32> {
      let exchange = sample(ordinal)
      let attempt = Attempt(
        exchange: exchange.id, scheduled: exchange.start, sent: exchange.start, firstByte: nil, end: exchange.end,
        outcome: .answered, response: exchange.response)
      let block =
        kind == .run
        ? encoder.append(ReplayedExchange(exchange: exchange, attempts: [attempt])) : encoder.append(exchange)
      if let block { _ = writer.put(block) }
    }
    while let block = encoder.sealBlock() { _ = writer.put(block) }
    var ledger = Ledger()
    ledger[.packetsSeen] = 7
    try writer.finish(ledger: ledger)
    return file.contents
  }

  private static func sample(_ ordinal: UInt32) -> Exchange {
    let start = Timestamp(nanoseconds: 1_790_000_000_000_000_000 + Int64(ordinal) * 1000)
    let timing = MessageTiming(start: start, headEnd: start, end: start.advanced(byNanoseconds: 10))
    let request = Array("POST /a HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    let response = Array("HTTP/1.1 200 OK\r\nX: 1\r\n\r\n".utf8)
    let address = TransportAddress(address: IPAddress(v4: 0x7f00_0001), port: 80)
    return Exchange(
      id: ExchangeID(connection: 1, ordinal: ordinal), client: address, server: address,
      request: HTTPRequest(
        version: .http11, methodRange: 0..<4, targetRange: 5..<7,
        fields: HeaderFields(
          storage: request, ranges: [FieldRange(nameStart: 18, nameEnd: 22, valueStart: 24, valueEnd: 25)]),
        body: HTTPBody(bytes: [1, 2, 3], size: 3, framing: .chunked, chunkSizes: [1, 2]), timing: timing),
      response: HTTPResponse(
        version: .http11, status: 200, reasonRange: 13..<15,
        fields: HeaderFields(
          storage: response, ranges: [FieldRange(nameStart: 17, nameEnd: 18, valueStart: 20, valueEnd: 21)]),
        body: HTTPBody(
          bytes: [4], size: 9, isComplete: false, framing: .contentLength,
          missing: [BodyRange(lowerBound: 1, upperBound: 9)]), timing: timing),
      anomalies: [.tcpGap])
  }

  /// The same file with its blocks stored as they are, so that a mutation changes one value.
  private static func uncompressed(_ file: [UInt8]) -> [UInt8] {
    guard file.count > 32 else { return file }
    var plain = Array(file[..<32])
    var position = 32
    while position + 64 <= file.count, file[position] == 0xf5 {
      let end = min(file.count, position + 64 + Int(word(file, position + 16)))
      var header = Array(file[position..<position + 64])
      var payload = Array(file[position + 64..<end])
      if header[9] == 1, let content = try? ContentCoding.decode(payload, codings: ["zstd"], limit: 1 << 20) {
        payload = content
        header[9] = 0
        put(UInt32(payload.count), at: 16, of: &header)
      }
      plain += header + payload
      position = end
    }
    return plain + file[position...]
  }
}
