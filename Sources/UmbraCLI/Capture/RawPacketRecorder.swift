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
  }

  private struct State {
    var waiting = Batch()
    var shed: UInt64 = 0
    var isEnding = false
    var problem: String?
  }

  private let state = Mutex(State())
  private let thread: Mutex<BackgroundThread?>
  private static let queueLimit = 32 << 20

  /// Opens the ring and starts its thread.
  init(_ options: PacketRingOptions) throws {
    let ring: PacketRing
    do { ring = try PacketRing(options) } catch { throw CommandFailure("\(error)") }
    thread = Mutex(nil)
    let owner = RingOwner(ring)
    let started = try BackgroundThread { [self] in write(to: owner.ring) }
    thread.withLock { $0 = started }
  }

  /// Packets that the disk could not take.
  var shed: UInt64 { state.withLock { $0.shed } }

  /// Why writing has stopped; nil while all is well.
  var problem: String? { state.withLock { $0.problem } }

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
        if batch.packets.isEmpty { usleep(10_000) } else { try ring.flush() }
      }
      try ring.close()
    } catch {
      state.withLock { $0.problem = "\(error)" }
    }
  }

  private func write(_ batch: Batch, to ring: PacketRing) throws {
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
