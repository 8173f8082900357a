// TLS connections of the corpus as the calls that they become: bytes, gaps, ends, and the key log beside them.

import Glibc
import HTTPModel
import PacketHeaders
import PcapCapture
import TCPReassembly
import TLSDecryption

/// One call on a connection, with its bytes owned.
enum Call {
  case receive(TLSSide, [UInt8], offset: UInt64, acknowledged: UInt64?, Timestamp)
  case gap(TLSSide, UInt64, Timestamp)
  case end(TLSSide, Timestamp)
}

/// A connection of a capture.
struct Recording {
  var name: String
  var calls: [Call] = []
  var joinedMidstream: Bool

  /// The stream of one side; gaps are left out.
  func stream(_ side: TLSSide) -> [UInt8] {
    calls.flatMap { call -> [UInt8] in
      guard case .receive(side, let bytes, _, _, _) = call else { return [] }
      return bytes
    }
  }
}

enum Corpus {
  /// The corpus' folder of captures, or nil without a corpus.
  static let folder: String? = {
    let named = getenv("UMBRA_CORPUS").map { String(cString: $0) }
    let package = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    let folder = (named ?? package + "/../shared/corpus") + "/pcap"
    return access(folder + "/tls", R_OK) == 0 ? folder : nil
  }()

  static func captures(_ below: String) -> [String] {
    guard let folder, let directory = opendir(folder + "/" + below) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name.hasSuffix(".pcap") || name.hasSuffix(".pcapng") { names.append("\(folder)/\(below)/\(name)") }
    }
    return names.sorted()
  }

  static func bytes(of path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
    return bytes
  }

  /// The TLS connections of a capture, in order of their first byte, and its key log.
  static func load(_ path: String) throws -> (connections: [Recording], keys: KeyLog) {
    var keys = KeyLog()
    if let log = bytes(of: path + ".keylog") { log.withUnsafeBytes { keys.append($0) } }
    keys.endLine()
    let capture = try SavedCapture(path: path)
    var reader = PacketReader()
    var reassembler = Reassembler()
    var loading = Loading()
    while let packet = try capture.next() {
      let content = reader.read(
        packet.bytes, lengthOnWire: packet.lengthOnWire, linkType: packet.linkType, at: packet.time)
      guard case .tcp(let segment) = content else { continue }
      let payload = UnsafeRawBufferPointer(rebasing: reader.bytes[segment.payload])
      reassembler.receive(segment, payload: payload, at: packet.time)
      while let event = reassembler.nextEvent() { loading.take(event, payload, packet.time) }
    }
    reassembler.finish()
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    while let event = reassembler.nextEvent() { loading.take(event, none, loading.time) }
    for secrets in capture.takeSecrets() where secrets.kind == .tlsKeyLog {
      secrets.bytes.withUnsafeBytes { keys.append($0) }
      keys.endLine()
    }
    return (loading.recordings(path.split(separator: "/").last.map(String.init) ?? path), keys)
  }
}

private struct Loading {
  private enum Place { case data([UInt8], UInt64, UInt64?), gap(UInt64), end }
  private var order: [UInt32] = []
  private var sawHandshake: [UInt32: Bool] = [:]
  private var calls: [UInt32: [(StreamDirection, Place, Timestamp)]] = [:]
  var time = Timestamp(nanoseconds: 0)

  mutating func take(_ event: StreamEvent, _ payload: UnsafeRawBufferPointer, _ now: Timestamp) {
    time = max(time, now)
    switch event {
    case .opened(let handle, let opened):
      order.append(handle.number)
      sawHandshake[handle.number] = opened.sawHandshake
    case .data(let handle, let direction, let offset, let bytes, let acknowledged, let time):
      let owned: [UInt8] =
        switch bytes {
        case .segment(let range): Array(payload[range])
        case .held(let held): held
        }
      calls[handle.number, default: []].append((direction, .data(owned, offset, acknowledged), time))
    case .gap(let handle, let direction, _, let length, _):
      calls[handle.number, default: []].append((direction, .gap(length), time))
    case .ended(let handle, let direction, _): calls[handle.number, default: []].append((direction, .end, time))
    case .overlapMismatch, .closed: break
    }
  }

  func recordings(_ name: String) -> [Recording] {
    order.compactMap { number in
      let calls = calls[number] ?? []
      var client: StreamDirection?
      for direction in StreamDirection.allCases where client == nil {
        let first = calls.lazy.compactMap { call -> [UInt8]? in
          guard call.0 == direction, case .data(let bytes, _, _) = call.1 else { return nil }
          return bytes
        }
        switch Array(first.joined().prefix(8)).withUnsafeBytes({ TLSConnection.recognise($0) }) {
        case .clientHello: client = direction
        case .serverHello: client = direction.opposite
        case .laterRecord: client = .originator
        case .needsMore, .notTLS: break
        }
      }
      guard let client else { return nil }
      var recording = Recording(name: name, joinedMidstream: sawHandshake[number] != true)
      recording.calls = calls.map { direction, place, time in
        let side: TLSSide = direction == client ? .client : .server
        return switch place {
        case .data(let bytes, let offset, let acknowledged):
          .receive(side, bytes, offset: offset, acknowledged: acknowledged, time)
        case .gap(let length): .gap(side, length, time)
        case .end: .end(side, time)
        }
      }
      return recording
    }
  }
}

/// What became of a recording.
struct Outcome: Equatable {
  var client: [UInt8] = []
  var server: [UInt8] = []
  var gaps: [TLSSide: Int] = [:]
  var closed: Set<TLSSide> = []
  var ended: Set<TLSSide> = []
  var anomalies: [Anomaly] = []
  var unreadable: [TLSUnreadable] = []
  var facts: TLSFacts?
  var unreadBytes: UInt64 = 0
  /// Offsets of plaintext, by side, have to rise.
  var isOrdered = true
  /// Whose plaintext came, turn by turn.
  var turns: [TLSSide] = []
  private var last: [TLSSide: UInt64] = [:]

  subscript(side: TLSSide) -> [UInt8] { side == .client ? client : server }

  mutating func drain(_ connection: inout TLSConnection) {
    while let event = connection.nextEvent() {
      switch event {
      case .plaintext(let side, let bytes, let offset, _, _):
        if let last = last[side], last >= offset { isOrdered = false }
        last[side] = offset
        if turns.last != side { turns.append(side) }
        if side == .client { client += bytes } else { server += bytes }
      case .gap(let side, _): gaps[side, default: 0] += 1
      case .closed(let side, _): closed.insert(side)
      case .alert: break
      case .anomaly(let anomaly): anomalies.append(anomaly)
      case .ended(let side, _): ended.insert(side)
      case .unreadable(_, let reason, _): unreadable.append(reason)
      }
    }
  }
}

extension Recording {
  /// Carries the calls out. `keys` is asked for the key log before each call, by the call's index.
  func run(limits: TLSLimits = TLSLimits(), keys: (Int) -> KeyLog) -> Outcome {
    var connection = TLSConnection(limits: limits, joinedMidstream: joinedMidstream)
    var outcome = Outcome()
    var time = Timestamp(nanoseconds: 0)
    for (index, call) in calls.enumerated() {
      let log = keys(index)
      switch call {
      case .receive(let side, let bytes, let offset, let acknowledged, let now):
        time = max(time, now)
        bytes.withUnsafeBytes {
          connection.receive($0, from: side, offset: offset, acknowledged: acknowledged, time: now, keys: log)
        }
      case .gap(let side, let length, let now):
        time = max(time, now)
        connection.gap(length, from: side, time: now, keys: log)
      case .end(let side, let now):
        time = max(time, now)
        connection.end(side, time: now, keys: log)
      }
      outcome.drain(&connection)
    }
    connection.close(time: time, keys: keys(calls.count))
    outcome.drain(&connection)
    outcome.facts = connection.facts
    outcome.unreadBytes = connection.unreadBytes
    return outcome
  }

  func run(_ keys: KeyLog, limits: TLSLimits = TLSLimits()) -> Outcome { run(limits: limits) { _ in keys } }
}
