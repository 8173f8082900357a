// Captures and sessions made by the tests themselves.

import Foundation
import Testing

enum Sessions {
  /// A capture file without packets, and a session made from it.
  static func empty(in scratch: Scratch) throws -> (capture: String, session: String) {
    let capture = scratch.path("empty-\(UUID().uuidString).pcap")
    try Data(pcapHeader).write(to: URL(fileURLWithPath: capture))
    return (capture, try session(from: capture, in: scratch))
  }

  /// A session of two exchanges on one connection: GET /one 200, GET /two 404.
  static func small(in scratch: Scratch) throws -> String { try session(from: capture(in: scratch), in: scratch) }

  /// The packets of ``small(in:)``.
  static func capture(in scratch: Scratch) throws -> String {
    var conversation = Packets()
    for (target, status) in [("/one", "200 OK"), ("/two", "404 Not Found")] {
      conversation.fromClient("GET \(target) HTTP/1.1\r\nHost: shop\r\n\r\n")
      conversation.fromServer("HTTP/1.1 \(status)\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
    }
    return try write(conversation, in: scratch)
  }

  /// A capture file of one conversation.
  static func write(_ conversation: Packets, in scratch: Scratch) throws -> String {
    let path = scratch.path("small-\(UUID().uuidString).pcap")
    try Data(pcapHeader + conversation.bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  private static func session(from capture: String, in scratch: Scratch) throws -> String {
    let path = scratch.path("made-\(UUID().uuidString).umbra")
    let result = try UmbraProcess.run(["capture", "-r", capture, "-w", path])
    #expect(result.status == 0, "\(result.error)")
    return path
  }

  /// Little-endian, microseconds, raw IP.
  static let pcapHeader: [UInt8] =
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0]
}

/// One TCP conversation as records of a capture file.
struct Packets {
  private(set) var bytes: [UInt8] = []
  private var clientSequence: UInt32 = 1000
  private var serverSequence: UInt32 = 9000
  private var time: UInt32 = 0
  private let clientPort: UInt16

  init(clientPort: UInt16 = 40_000) {
    self.clientPort = clientPort
    append(fromClient: true, flags: 0x02, payload: [])
    clientSequence += 1
    append(fromClient: false, flags: 0x12, payload: [])
    serverSequence += 1
  }

  mutating func fromClient(_ text: String) {
    append(fromClient: true, flags: 0x18, payload: Array(text.utf8))
    clientSequence += UInt32(text.utf8.count)
  }

  mutating func fromServer(_ text: String) {
    append(fromClient: false, flags: 0x18, payload: Array(text.utf8))
    serverSequence += UInt32(text.utf8.count)
  }

  private mutating func append(fromClient: Bool, flags: UInt8, payload: [UInt8]) {
    func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }
    func big(_ value: UInt32) -> [UInt8] { big(UInt16(value >> 16)) + big(UInt16(truncatingIfNeeded: value)) }
    func little(_ value: UInt32) -> [UInt8] { big(value).reversed() }
    let (client, server): ([UInt8], [UInt8]) = ([192, 0, 2, 1], [192, 0, 2, 2])
    let ports = fromClient ? big(clientPort) + big(UInt16(80)) : big(UInt16(80)) + big(clientPort)
    let numbers =
      fromClient ? big(clientSequence) + big(serverSequence) : big(serverSequence) + big(clientSequence)
    let tcp = ports + numbers + [0x50, flags, 0xff, 0xff, 0, 0, 0, 0] + payload
    let header: [UInt8] = [0x45, 0] + big(UInt16(20 + tcp.count)) + [0, 0, 0, 0, 64, 6, 0, 0]
    let packet = header + (fromClient ? client + server : server + client) + tcp
    time += 1000
    bytes += little(1_700_000_000) + little(time) + little(UInt32(packet.count)) + little(UInt32(packet.count)) + packet
  }
}
