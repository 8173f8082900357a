// Packets as they came, beside the session, for evidence.
//
// In: packets from any lane. Out: a ring of pcapng files, written by a thread of its own. Bounds: `queueLimit` bytes wait
// for the disk; a packet that finds no room is left out and counted, so that capture never waits.

import Glibc
import HTTPModel
import PacketHeaders
import PcapCapture
import Synchronization

final class RawPacketRecorder: Sendable {
  private struct Packet {
    var time: Timestamp
    var linkType: LinkType
    var interface: Int
    var range: Range<Int>
    var lengthOnWire: Int
  }

  private struct Batch {
    var packets: [Packet] = []
    var bytes: [UInt8] = []
    /// Whole lines of key logs. They stand before the packets of the batch.
    var secrets: [UInt8] = []
  }

  private struct State {
    var waiting = Batch()
    var shed: UInt64 = 0
    /// Of each key log, what follows its last whole line.
    var partialLines: [Int: [UInt8]] = [:]
    var secretBytes = 0
    var shedSecrets = 0
    var isEnding = false
    var problem: String?
  }

  private let state = Mutex(State())
  private let thread: Mutex<BackgroundThread?>
  private static let queueLimit = 32 << 20
  /// Each file begins with all secrets, so they get a part of its room only.
  private let secretLimit: Int

  /// Opens the ring and starts its thread.
  init(_ options: PacketRingOptions) throws {
    let ring: PacketRing
    do { ring = try PacketRing(options) } catch { throw CommandFailure("\(error)") }
    thread = Mutex(nil)
    secretLimit = options.byteLimit / options.files / 4
    let owner = RingOwner(ring)
    let started = try BackgroundThread { [self] in write(to: owner.ring) }
    thread.withLock { $0 = started }
  }

  /// Packets that the disk could not take.
  var shed: UInt64 { state.withLock { $0.shed } }

  /// Why writing has stopped; nil while all is well.
  var problem: String? { state.withLock { $0.problem } }

  /// Bytes of secrets for which there was no room in the files.
  var shedSecrets: Int { state.withLock { $0.shedSecrets } }

  /// Adds what came of a key log; its last line may be unfinished.
  /// - Parameter source: tells logs apart.
  func addSecrets(_ bytes: UnsafeRawBufferPointer, source: Int) {
    state.withLock { state in
      var lines = state.partialLines[source] ?? []
      lines += bytes
      let end = lines.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      // No line of a key log is that long.
      state.partialLines[source] = Array(lines[end...].prefix(4096))
      guard state.secretBytes + end <= secretLimit else {
        state.shedSecrets += end
        return
      }
      state.secretBytes += end
      state.waiting.secrets += lines[..<end]
    }
  }

  func add(_ packet: PacketRecord) {
    state.withLock { state in
      guard state.problem == nil, state.waiting.bytes.count + packet.bytes.count <= Self.queueLimit else {
        state.shed += 1
        return
      }
      let start = state.waiting.bytes.count
      state.waiting.bytes.append(contentsOf: packet.bytes)
      state.waiting.packets.append(
        Packet(
          time: packet.time, linkType: packet.linkType, interface: packet.interface,
          range: start..<state.waiting.bytes.count, lengthOnWire: packet.lengthOnWire))
    }
  }

  /// Writes what waits and closes the files.
  func finish() {
    state.withLock { $0.isEnding = true }
    thread.withLock { $0 }?.join()
  }

  private func write(to ring: PacketRing) {
    do {
      while true {
        let (batch, isEnding) = state.withLock { state in
          var batch = Batch()
          swap(&batch, &state.waiting)
          return (batch, state.isEnding)
        }
        try write(batch, to: ring)
        if isEnding { break }
        if batch.packets.isEmpty, batch.secrets.isEmpty { usleep(10_000) } else { try ring.flush() }
      }
      try ring.close()
    } catch {
      state.withLock { $0.problem = "\(error)" }
    }
  }

  private func write(_ batch: Batch, to ring: PacketRing) throws {
    if !batch.secrets.isEmpty { try ring.add(CaptureSecrets(kind: .tlsKeyLog, bytes: batch.secrets)) }
    try batch.bytes.withUnsafeBytes { bytes in
      for packet in batch.packets {
        try ring.add(
          PacketRecord(
            time: packet.time, linkType: packet.linkType, interface: packet.interface,
            bytes: UnsafeRawBufferPointer(rebasing: bytes[packet.range]), lengthOnWire: packet.lengthOnWire))
      }
    }
  }

  /// `@unchecked Sendable`: made by who starts the thread, which keeps no reference, then used by the thread alone.
  private final class RingOwner: @unchecked Sendable {
    let ring: PacketRing
    init(_ ring: PacketRing) { self.ring = ring }
  }
}
