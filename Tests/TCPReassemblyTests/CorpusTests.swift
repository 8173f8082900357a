// Captures of encapsulated and fragmented traffic: the streams' bytes come out. Bodies are compared where HTTP is decoded.

import Foundation
import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

/// One capture of the shared corpus, where that is there.
struct EncapsulatedCapture: Sendable, CustomTestStringConvertible {
  var path: String
  var testDescription: String { path.split(separator: "/").suffix(2).joined(separator: "/") }

  static let folder: URL? = {
    let fallback = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/corpus")
    let named = ProcessInfo.processInfo.environment["UMBRA_CORPUS"].map { URL(fileURLWithPath: $0) }
    let folder = (named ?? fallback).appendingPathComponent("pcap")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  static func all(_ group: String) -> [EncapsulatedCapture] {
    guard let folder = folder?.appendingPathComponent(group) else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".pcap") }.sorted().map {
      EncapsulatedCapture(path: folder.appendingPathComponent($0).path)
    }
  }

  struct Stream {
    var opened: OpenedConnection
    var bytes: [[UInt8]] = [[], []]
    var missing: [UInt64] = [0, 0]

    /// The bytes that `sender` sent, or nil where it is no end of the connection.
    func bytes(from sender: String) -> [UInt8]? {
      sender == "\(opened.originator)" ? bytes[0] : sender == "\(opened.responder)" ? bytes[1] : nil
    }
  }

  /// The capture's connections in order, and what became of fragments.
  func streams() throws -> ([Stream], FragmentStatistics) {
    let file = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    // Magic, version, zone, accuracy, snap length, link type; then records of time, two lengths, bytes.
    let isBigEndian = file[0] == 0xa1
    func word(_ offset: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(file[offset + (isBigEndian ? 3 - $1 : $1)]) << (8 * $1) }
    }
    try #require(word(0) == 0xa1b2_c3d4 || word(0) == 0xa1b2_3c4d)
    let unit = word(0) == 0xa1b2_c3d4 ? 1000 : 1
    let linkType = LinkType(rawValue: UInt32(word(20) & 0xfff_ffff))
    var reader = PacketReader()
    var reassembler = Reassembler()
    var streams: [UInt32: Stream] = [:]
    func drain(_ payload: UnsafeRawBufferPointer) {
      while let event = reassembler.nextEvent() {
        switch event {
        case .opened(let handle, let opened): streams[handle.number] = Stream(opened: opened)
        case .data(let handle, let direction, _, let bytes, _, _):
          switch bytes {
          case .segment(let range): streams[handle.number]!.bytes[Int(direction.rawValue)] += payload[range]
          case .held(let held): streams[handle.number]!.bytes[Int(direction.rawValue)] += held
          }
        case .gap(let handle, let direction, _, let length, _):
          streams[handle.number]!.missing[Int(direction.rawValue)] += length
        case .overlapMismatch, .ended, .closed: break
        }
      }
    }
    var offset = 24
    while offset + 16 <= file.count, offset + 16 + word(offset + 8) <= file.count {
      let time = Timestamp(seconds: Int64(word(offset)), nanoseconds: Int64(word(offset + 4) * unit))
      file.withUnsafeBytes { bytes in
        let packet = UnsafeRawBufferPointer(rebasing: bytes[offset + 16..<offset + 16 + word(offset + 8)])
        let content = reader.read(packet, lengthOnWire: word(offset + 12), linkType: linkType, at: time)
        guard case .tcp(let segment) = content else { return }
        let payload = UnsafeRawBufferPointer(rebasing: reader.bytes[segment.payload])
        reassembler.receive(segment, payload: payload, at: time)
        drain(payload)
      }
      offset += 16 + word(offset + 8)
    }
    reader.finish()
    reassembler.finish()
    drain(UnsafeRawBufferPointer(start: nil, count: 0))
    return (streams.sorted { $0.key < $1.key }.map(\.value), reader.fragmentStatistics)
  }
}

@Suite(.enabled(if: EncapsulatedCapture.folder != nil, "the shared corpus is not here; set UMBRA_CORPUS"))
struct CorpusTests {
  private struct Expectation: Decodable {
    struct Connection: Decodable {
      var client: String
      var server: String
      var `protocol`: String
      var missingBytes: [String: UInt64]?
      var exchanges: [Exchange]?
    }
    struct Exchange: Decodable {
      var request: Message?
      var response: Message?
    }
    struct Message: Decodable {
      var method: String?
      var target: String?
      var status: Int?
      /// Its beginning, or nil of a message that has none.
      var startLine: String? {
        if let method, let target { "\(method) \(target) HTTP/1." } else { status.map { "HTTP/1.1 \($0) " } }
      }
    }
    var connections: [Connection]
  }

  /// Every expected connection is there once, with exactly the bytes missing that are, and every head in order.
  @Test(arguments: EncapsulatedCapture.all("adversarial/encap"))
  func adversarial(_ capture: EncapsulatedCapture) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let expected = try decoder.decode(
      Expectation.self, from: Data(contentsOf: URL(fileURLWithPath: capture.path + ".expected.json")))
    var (streams, fragments) = try capture.streams()
    for connection in expected.connections {
      let place = streams.firstIndex { stream in
        guard let client = stream.bytes(from: connection.client), let server = stream.bytes(from: connection.server)
        else {
          return false
        }
        // HTTP/2's heads are compressed: of those, only that nothing is missing.
        let exchanges = connection.protocol == "http/1.1" ? connection.exchanges ?? [] : []
        return Self.hold(exchanges.compactMap(\.request?.startLine), in: client)
          && Self.hold(exchanges.compactMap(\.response?.startLine), in: server)
      }
      guard let place else {
        Issue.record("\(connection.client) and \(connection.server) are not there")
        continue
      }
      let stream = streams.remove(at: place)
      let isReversed = "\(stream.opened.originator)" != connection.client
      #expect(stream.missing[isReversed ? 1 : 0] == connection.missingBytes?["client"] ?? 0)
      #expect(stream.missing[isReversed ? 0 : 1] == connection.missingBytes?["server"] ?? 0)
    }
    #expect(streams.isEmpty, "made up")
    #expect(fragments.pending == 0 && fragments.heldBytes == 0)
  }

  /// Whether the texts stand in the bytes in this order.
  private static func hold(_ texts: [String], in bytes: [UInt8]) -> Bool {
    var rest = Data(bytes)[...]
    for text in texts {
      guard let place = rest.range(of: Data(text.utf8)) else { return false }
      rest = rest[place.upperBound...]
    }
    return true
  }

  /// What others' captures hold by tshark's account, but for those below.
  @Test(arguments: EncapsulatedCapture.all("encap"))
  func others(_ capture: EncapsulatedCapture) throws {
    let name = String(capture.testDescription.split(separator: "/").last!)
    let (streams, _) = try capture.streams()
    let lines = try String(contentsOfFile: capture.path + ".truth.jsonl", encoding: .utf8).split(separator: "\n")
    for line in lines {
      let truth = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      guard let sender = truth["src"] as? String, truth["kind"] as? String == "request" else { continue }
      let method = try #require(truth["method"] as? String)
      let target = try #require(truth["target"] as? String)
      let isThere = streams.contains { stream in
        stream.bytes(from: sender).map { Self.hold(["\(method) \(target)"], in: $0) } ?? false
      }
      if Self.unread.contains(name) {
        #expect(!isThere, "\(name) is read now")
      } else {
        #expect(isThere, "\(sender) \(method) \(target)")
      }
    }
  }

  /// Compressed payloads (IPComp, RFC 3173): tshark inflates them.
  private static let unread: Set = ["libpcap__filter-AH-IPcomp-IPv4.pcap"]
}
