// A TLS 1.3 connection made by a script: TLS_AES_128_GCM_SHA256, secrets chosen, so that every record's place is known.

import Crypto
import HTTPModel

@testable import TLSDecryption

/// Writes the records of both sides and the key log that fits them.
struct ScriptedPeers {
  /// One side's keys in one epoch.
  private struct Keys {
    var secret: [UInt8]
    var sequence: UInt64 = 0
  }

  let random = [UInt8](repeating: 0xc1, count: 32)
  private(set) var stream: [TLSSide: [UInt8]] = [.client: [], .server: []]
  /// Where each record of a side begins.
  private(set) var boundaries: [TLSSide: [Int]] = [.client: [], .server: []]
  private var keys: [TLSSide: Keys] = [:]
  private let schedule = TLS13KeySchedule(hash: .sha256)

  /// The hellos, EncryptedExtensions and Finished of both sides; `http/1.1` is agreed on.
  init(serverName: String = "a.example") {
    let name = Array(serverName.utf8)
    let sni = Self.vector16(Self.vector16([0] + Self.vector16(name)))
    record(
      22, message(1, [3, 3] + random + [0] + [0, 2, 0x13, 0x01] + [1, 0] + Self.vector16([0, 0] + sni)), .client)
    let chosen: [UInt8] = [0, 43, 0, 2, 3, 4]
    let serverRandom = [UInt8](repeating: 0x5e, count: 32)
    record(22, message(2, [3, 3] + serverRandom + [0] + [0x13, 0x01, 0] + Self.vector16(chosen)), .server)
    for side in [TLSSide.server, .client] { keys[side] = Keys(secret: secret(side, 0)) }
    let alpn: [UInt8] = [0, 16] + Self.vector16(Self.vector16([8] + Array("http/1.1".utf8)))
    record(20, [1], .server)
    seal(22, message(8, Self.vector16(alpn)), .server)
    seal(22, message(20, [UInt8](repeating: 7, count: 32)), .server)
    record(20, [1], .client)
    seal(22, message(20, [UInt8](repeating: 9, count: 32)), .client)
    for side in [TLSSide.server, .client] { keys[side] = Keys(secret: secret(side, 1)) }
  }

  /// The key log; `flip` spoils every secret.
  func keyLog(flip: UInt8 = 0, _ labels: [String]? = nil) -> KeyLog {
    var log = KeyLog()
    for (label, side, epoch) in Self.labels where labels?.contains(label) ?? true {
      let secret = secret(side, epoch).map { $0 ^ flip }
      let line = "\(label) \(Self.hexadecimal(random)) \(Self.hexadecimal(secret))\n"
      Array(line.utf8).withUnsafeBytes { log.append($0) }
    }
    return log
  }

  static let labels: [(String, TLSSide, UInt8)] = [
    ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", .client, 0), ("SERVER_HANDSHAKE_TRAFFIC_SECRET", .server, 0),
    ("CLIENT_TRAFFIC_SECRET_0", .client, 1), ("SERVER_TRAFFIC_SECRET_0", .server, 1),
  ]

  mutating func send(_ text: [UInt8], _ side: TLSSide, padding: Int = 0) { seal(23, text, side, padding: padding) }

  mutating func send(_ text: String, _ side: TLSSide) { send(Array(text.utf8), side) }

  mutating func updateKey(_ side: TLSSide) {
    seal(22, message(24, [0]), side)
    guard let old = keys[side]?.secret else { return }
    keys[side] = Keys(secret: schedule.expandLabel(old, label: "traffic upd", length: 32))
  }

  mutating func sendTicket(_ side: TLSSide, inRecordsOf size: Int) {
    let ticket = message(4, [UInt8](repeating: 1, count: 100))
    for start in stride(from: 0, to: ticket.count, by: size) {
      seal(22, Array(ticket[start..<min(ticket.count, start + size)]), side)
    }
  }

  mutating func close(_ side: TLSSide) { seal(21, [1, 0], side) }

  /// A record that no key opens.
  mutating func sendGarbage(_ side: TLSSide) { record(23, [UInt8](repeating: 0xee, count: 40), side) }

  private func secret(_ side: TLSSide, _ epoch: UInt8) -> [UInt8] {
    [UInt8](repeating: 0x10 + epoch * 16 + side.rawValue, count: 32)
  }

  private mutating func record(_ type: UInt8, _ payload: [UInt8], _ side: TLSSide) {
    boundaries[side, default: []].append(stream[side]?.count ?? 0)
    stream[side, default: []] += [type, 3, 3] + Self.vector16(payload)
  }

  private mutating func seal(_ type: UInt8, _ content: [UInt8], _ side: TLSSide, padding: Int = 0) {
    guard let current = keys[side] else { return }
    let inner = content + [type] + [UInt8](repeating: 0, count: padding)
    let key = SymmetricKey(data: schedule.expandLabel(current.secret, label: "key", length: 16))
    var iv = schedule.expandLabel(current.secret, label: "iv", length: 12)
    for byte in 0..<8 { iv[11 - byte] ^= UInt8(truncatingIfNeeded: current.sequence >> (8 * UInt64(byte))) }
    let length = inner.count + 16
    let header: [UInt8] = [23, 3, 3, UInt8(length >> 8), UInt8(length & 0xff)]
    guard let nonce = try? AES.GCM.Nonce(data: iv),
      let box = try? AES.GCM.seal(inner, using: key, nonce: nonce, authenticating: header)
    else { return }
    keys[side]?.sequence += 1
    record(23, Array(box.ciphertext) + Array(box.tag), side)
  }

  private func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
    [type, UInt8(body.count >> 16), UInt8(body.count >> 8 & 0xff), UInt8(body.count & 0xff)] + body
  }

  private static func vector16(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xff)] + bytes
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The whole connection in pieces of at most `size` bytes, the server's hello behind the client's, a millisecond apart
  /// each; then the rest of the server's direction, and that of the client's, or the other way round.
  func recording(piece size: Int = 1 << 20, clientFirst: Bool = false) -> Recording {
    var recording = Recording(name: "script", joinedMidstream: false)
    let firstClient = 1
    var time: Int64 = 0
    func add(_ side: TLSSide, _ range: Range<Int>) {
      guard let bytes = stream[side] else { return }
      for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
        let end = min(range.upperBound, start + size)
        time += 1_000_000
        recording.calls.append(
          .receive(
            side, Array(bytes[start..<end]), offset: UInt64(start), acknowledged: nil,
            Timestamp(nanoseconds: time)))
      }
    }
    let client = boundaries[.client] ?? []
    let total = stream[.client]?.count ?? 0
    let hello = client.count > firstClient ? client[firstClient] : total
    add(.client, 0..<hello)
    let answer = clientFirst ? boundaries[.server]?[1] ?? 0 : stream[.server]?.count ?? 0
    add(.server, 0..<answer)
    add(.client, hello..<total)
    add(.server, answer..<(stream[.server]?.count ?? 0))
    return recording
  }
}
