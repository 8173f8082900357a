// Hostile traffic beside honest traffic: memory stays within its limit and the honest exchanges come out whole.

import Foundation
import Testing

struct AttackTests {
  /// What may come on top of --memory-limit: the program, its tables when empty, the writer's queue and buffers.
  private static let baseline = 96 << 20
  private static let limit = 32 << 20

  /// Writes a capture of `packets` attack packets, with an honest conversation spread among them, and captures from it.
  private func withstand(
    packets: Int, _ attack: (inout PacketFile, Int) throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let scratch = try Scratch()
    let path = scratch.path("attack.pcap")
    let honest = 50
    var file = try PacketFile(path)
    var conversation = HonestConversation()
    for index in 0..<packets {
      try attack(&file, index)
      if index % (packets / honest) == 0 { try conversation.exchange(in: &file) }
    }
    try file.finish()
    let session = scratch.path("s.umbra")
    let child = try Child(
      UmbraProcess.binary.path, ["capture", "-r", path, "-w", session, "--memory-limit", "\(Self.limit)", "-p", "80"])
    let (result, peakBytes) = child.waitWatchingMemory()
    #expect(result.status == 0, "\(result.error)", sourceLocation: sourceLocation)
    #expect(
      peakBytes > 1 << 20 && peakBytes < Self.baseline + Self.limit,
      "\(peakBytes >> 20) MB at its peak; \(result.error)",
      sourceLocation: sourceLocation)
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl", "--where", "path~^/honest/"])
    let whole = shown.output.split(separator: "\n").filter { $0.contains("\"status\":200") }
    #expect(whole.count == conversation.count, "honest exchanges: \(result.error)", sourceLocation: sourceLocation)
  }

  @Test func connectionsThatAreNeverOpened() throws {
    try withstand(packets: 200_000) { file, index in
      try file.tcp(client: UInt32(index), port: UInt16(1024 + index % 60_000), flags: 0x02, sequence: UInt32(index))
    }
  }

  @Test func connectionsThatSendTwoBytesAndStay() throws {
    try withstand(packets: 200_000) { file, index in
      let client = UInt32(index / 2)
      if index % 2 == 0 {
        try file.tcp(client: client, port: 2000, flags: 0x02, sequence: 1)
      } else {
        try file.tcp(client: client, port: 2000, flags: 0x18, sequence: 2, payload: Array("GE".utf8))
      }
    }
  }

  @Test func segmentsThatNeverFillTheirGap() throws {
    let payload = [UInt8](repeating: 0x41, count: 1400)
    try withstand(packets: 100_000) { file, index in
      // 64 connections, each with a hole at its beginning.
      let (client, number) = (UInt32(index % 64), index / 64)
      if number == 0 { try file.tcp(client: client, port: 3000, flags: 0x02, sequence: 0) }
      try file.tcp(
        client: client, port: 3000, flags: 0x18, sequence: UInt32(10_000 + number * 1400), payload: payload)
    }
  }

  @Test func everySecondByte() throws {
    try withstand(packets: 100_000) { file, index in
      let (client, number) = (UInt32(index % 8), index / 8)
      if number == 0 { try file.tcp(client: client, port: 4000, flags: 0x02, sequence: 0) }
      try file.tcp(client: client, port: 4000, flags: 0x18, sequence: UInt32(3 + number * 2), payload: [0x41])
    }
  }

  @Test func headersWithoutEnd() throws {
    let line = Array(("X-Filler: " + String(repeating: "a", count: 1380) + "\r\n").utf8)
    try withstand(packets: 100_000) { file, index in
      let (client, number) = (UInt32(index % 32), index / 32)
      if number == 0 {
        try file.tcp(client: client, port: 5000, flags: 0x02, sequence: 0)
        try file.tcp(client: client, port: 5000, flags: 0x18, sequence: 1, payload: Array("GET / HTTP/1.1\r\n".utf8))
      }
      try file.tcp(
        client: client, port: 5000, flags: 0x18, sequence: UInt32(17 + number * line.count), payload: line)
    }
  }

  @Test func requestsThatAreNeverAnswered() throws {
    let request = Array("GET /flood HTTP/1.1\r\nHost: shop\r\n\r\n".utf8)
    try withstand(packets: 100_000) { file, index in
      let (client, number) = (UInt32(index % 16), index / 16)
      if number == 0 { try file.tcp(client: client, port: 6000, flags: 0x02, sequence: 0) }
      try file.tcp(
        client: client, port: 6000, flags: 0x18, sequence: UInt32(1 + number * request.count), payload: request)
    }
  }

  @Test func bodiesThatNeverEnd() throws {
    let head = Array("POST /flood HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
    let chunks = Array(String(repeating: "1\r\nx\r\n", count: 200).utf8)
    try withstand(packets: 100_000) { file, index in
      let (client, number) = (UInt32(index % 16), index / 16)
      if number == 0 {
        try file.tcp(client: client, port: 7000, flags: 0x02, sequence: 0)
        try file.tcp(client: client, port: 7000, flags: 0x18, sequence: 1, payload: head)
      }
      try file.tcp(
        client: client, port: 7000, flags: 0x18, sequence: UInt32(1 + head.count + number * chunks.count),
        payload: chunks)
    }
  }

  @Test func fragmentsThatNeverComplete() throws {
    try withstand(packets: 200_000) { file, index in
      try file.fragment(client: UInt32(index), identification: UInt16(truncatingIfNeeded: index))
    }
  }
}

/// A conversation that is answered, one exchange at a time.
private struct HonestConversation {
  private(set) var count = 0
  private var client: UInt32 = 1
  private var server: UInt32 = 1
  private static let address: UInt32 = 0xff_ffff

  mutating func exchange(in file: inout PacketFile) throws {
    if count == 0 {
      try file.tcp(client: Self.address, port: 999, flags: 0x02, sequence: 0)
      try file.tcp(client: Self.address, port: 999, fromServer: true, flags: 0x12, sequence: 0, acknowledged: 1)
    }
    count += 1
    let request = Array("GET /honest/\(count) HTTP/1.1\r\nHost: shop\r\n\r\n".utf8)
    try file.tcp(
      client: Self.address, port: 999, flags: 0x18, sequence: client, acknowledged: server, payload: request)
    client += UInt32(request.count)
    let response = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8)
    try file.tcp(
      client: Self.address, port: 999, fromServer: true, flags: 0x18, sequence: server, acknowledged: client,
      payload: response)
    server += UInt32(response.count)
  }
}

/// A capture file of raw IPv4 packets between clients in 10.0.0.0/8 and one server; a microsecond lies between two.
private struct PacketFile {
  private let handle: FileHandle
  private var buffer: [UInt8]
  private var microseconds: UInt64 = 1_700_000_000_000_000

  init(_ path: String) throws {
    try Data().write(to: URL(fileURLWithPath: path))
    handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    buffer = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0]
  }

  mutating func tcp(
    client: UInt32, port: UInt16, fromServer: Bool = false, flags: UInt8, sequence: UInt32, acknowledged: UInt32 = 0,
    payload: [UInt8] = []
  ) throws {
    begin(length: 40 + payload.count, client: client, fromServer: fromServer, fragment: 0, identification: 0)
    append(fromServer ? UInt16(80) : port)
    append(fromServer ? port : UInt16(80))
    append(sequence)
    append(acknowledged)
    buffer += [0x50, acknowledged > 0 ? flags | 0x10 : flags & 0xef, 0xff, 0xff, 0, 0, 0, 0]
    buffer += payload
    if buffer.count > 1 << 20 { try flush() }
  }

  /// The first 1,024 bytes of a datagram of which nothing else comes.
  mutating func fragment(client: UInt32, identification: UInt16) throws {
    begin(length: 1044, client: client, fromServer: false, fragment: 0x2000, identification: identification)
    buffer += [UInt8](repeating: 0x41, count: 1024)
    if buffer.count > 1 << 20 { try flush() }
  }

  mutating func finish() throws {
    try flush()
    try handle.close()
  }

  private mutating func begin(
    length: Int, client: UInt32, fromServer: Bool, fragment: UInt16, identification: UInt16
  ) {
    microseconds += 1
    for value in [
      UInt32(microseconds / 1_000_000), UInt32(microseconds % 1_000_000), UInt32(length), UInt32(length),
    ] {
      for shift in [0, 8, 16, 24] { buffer.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
    }
    buffer += [0x45, 0]
    append(UInt16(length))
    append(identification)
    append(fragment)
    buffer += [64, 6, 0, 0]
    let (host, server) = (0x0a00_0000 | client & 0xff_ffff, UInt32(0xc000_0201))
    append(fromServer ? server : host)
    append(fromServer ? host : server)
  }

  private mutating func append(_ value: UInt16) {
    buffer.append(UInt8(value >> 8))
    buffer.append(UInt8(truncatingIfNeeded: value))
  }

  private mutating func append(_ value: UInt32) {
    append(UInt16(value >> 16))
    append(UInt16(truncatingIfNeeded: value))
  }

  private mutating func flush() throws {
    try handle.write(contentsOf: buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
