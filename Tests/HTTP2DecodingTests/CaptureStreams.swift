// The two sides of each connection in a saved capture, as a listener sees them.
//
// Bytes come in causal order: what a sender had received before what it sent then, as far as acknowledgements tell.

import Foundation
import HTTP2Decoding
import HTTPModel
import PacketHeaders
import PcapCapture
import TCPReassembly

struct CapturedConnection {
  var originator: TransportAddress
  var responder: TransportAddress
  var sawHandshake: Bool
  var seen: [Seen] = []

  private struct Waiting {
    var side: HTTP2Side
    var acknowledged: UInt64
    var end: UInt64
    var item: Seen
  }
  private var waiting: [Waiting] = []
  private var read: [UInt64] = [0, 0]

  init(_ opened: OpenedConnection) {
    originator = opened.originator
    responder = opened.responder
    sawHandshake = opened.sawHandshake
  }

  mutating func add(_ item: Seen, _ side: HTTP2Side, end: UInt64, acknowledged: UInt64?) {
    waiting.append(Waiting(side: side, acknowledged: acknowledged ?? 0, end: end, item: item))
    release()
  }

  mutating func close() {
    for item in waiting { seen.append(item.item) }
    waiting = []
  }

  private mutating func release() {
    var index = 0
    while index < waiting.count {
      let item = waiting[index]
      let isFirst = !waiting[..<index].contains { $0.side == item.side }
      guard isFirst, item.acknowledged <= read[item.side.opposite.rawValue] else {
        index += 1
        continue
      }
      read[item.side.rawValue] = max(read[item.side.rawValue], item.end)
      seen.append(item.item)
      waiting.remove(at: index)
      index = 0
    }
  }

  static func all(in path: String) throws -> [CapturedConnection] {
    let source = try SavedCapture(path: path)
    var reassembler = Reassembler()
    var connections: [CapturedConnection] = []
    var numbers: [Int: Int] = [:]
    func drain(_ payload: UnsafeRawBufferPointer) {
      while let event = reassembler.nextEvent() {
        switch event {
        case .opened(let handle, let opened):
          numbers[handle.index] = connections.count
          connections.append(CapturedConnection(opened))
        case .data(let handle, let direction, let offset, let bytes, let acknowledged, _):
          let octets: [UInt8]
          switch bytes {
          case .segment(let range): octets = Array(payload[range])
          case .held(let held): octets = held
          }
          let side: HTTP2Side = direction == .originator ? .originator : .responder
          connections[numbers[handle.index]!].add(
            .bytes(side, octets), side, end: offset + UInt64(octets.count), acknowledged: acknowledged)
        case .gap(let handle, let direction, let offset, let length, _):
          let side: HTTP2Side = direction == .originator ? .originator : .responder
          connections[numbers[handle.index]!].add(.gap(side, length), side, end: offset + length, acknowledged: nil)
        case .ended(let handle, let direction, _):
          let side: HTTP2Side = direction == .originator ? .originator : .responder
          connections[numbers[handle.index]!].add(.finish(side), side, end: 0, acknowledged: nil)
        case .closed(let handle, _): connections[numbers[handle.index]!].close()
        case .overlapMismatch: break
        }
      }
    }
    while let packet = try source.next() {
      let parser = PacketParser(linkType: packet.linkType)
      guard case .tcp(let segment) = parser.parse(packet.bytes.bytes, lengthOnWire: packet.lengthOnWire) else {
        continue
      }
      let payload = UnsafeRawBufferPointer(rebasing: packet.bytes[segment.payload])
      reassembler.receive(segment, payload: payload, at: packet.time)
      drain(payload)
    }
    reassembler.finish()
    drain(UnsafeRawBufferPointer(start: nil, count: 0))
    return connections
  }

  /// Bytes of a side, gaps left out.
  func bytes(_ side: HTTP2Side) -> [UInt8] {
    seen.flatMap { item -> [UInt8] in
      if case .bytes(side, let bytes) = item { bytes } else { [] }
    }
  }
}
