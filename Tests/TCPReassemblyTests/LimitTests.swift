import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

@Suite("Memory stays under its limits")
struct LimitTests {
  private func limits(_ change: (inout ReassemblyLimits) -> Void) -> ReassemblyLimits {
    var limits = Wire.limits
    change(&limits)
    return limits
  }

  @Test func aDirectionHoldsSoManySegments() {
    let wire = Wire(limits { $0.heldSegmentsPerDirection = 10 })
    wire.handshake()
    for at in 0..<11 { wire.client(2 + at * 2, "x") }
    #expect(wire.only.originator.gaps == [.init(offset: 0, length: 2, cause: .evicted)])
    #expect(wire.only.originator.text == "x")
    #expect(wire.heldBytes(1, slot: 0) == 10)
    #expect(wire.statistics.evictedGapBytes == 2)
  }

  @Test func aDirectionHoldsSoManyBytes() {
    let wire = Wire(limits { $0.heldBytesPerDirection = 10_000 })
    wire.handshake()
    let payload = String(repeating: "x", count: 1000)
    for at in 0..<9 { wire.client(1 + at * 1001, payload) }
    #expect(wire.only.originator.next == 1001)
    #expect(wire.statistics.heldBytes == 8000)
  }

  @Test func nothingMayBeHeld() {
    let wire = Wire(limits { $0.heldBytesPerDirection = 0 })
    wire.handshake()
    wire.client(3, "def")
    wire.client(0, "abc")
    wire.client(6, "ghi")
    #expect(wire.only.originator.text == "defghi")
    #expect(wire.only.originator.gaps == [.init(offset: 0, length: 3, cause: .evicted)])
    #expect(wire.statistics.heldBytes == 0)
  }

  @Test func theLongestWaitingHoleGoesFirst() {
    let wire = Wire(limits { $0.heldBytes = 20 * 129 })
    for port in 0..<30 {
      let client = TransportAddress(address: .init(v4: 1), port: UInt16(port))
      wire.send(client, .server, 0, .syn)
      wire.send(client, .server, 3, .psh, [UInt8(port)])
    }
    #expect(wire.order.map(\.originator.bytes) == (0..<10).map { [UInt8($0)] })
    #expect(wire.statistics.heldBytes == 20)
  }

  @Test func theLongestIdleConnectionIsEvicted() {
    let wire = Wire(limits { $0.connections = 3 })
    for port: UInt16 in [1, 2, 3] {
      wire.send(.client, .init(address: .init(v4: 9), port: port), 10, .syn, after: 20_000_000_000)
      wire.send(.client, .init(address: .init(v4: 9), port: port), 11, .psh, [1])
    }
    wire.send(.client, .init(address: .init(v4: 9), port: 1), 12, .psh, [2], after: 20_000_000_000)
    wire.send(.client, .init(address: .init(v4: 9), port: 4), 10, .syn)
    #expect(wire.order.map(\.closed) == [nil, .evicted, nil])
    #expect(wire.statistics.connectionsEvicted == 1)
    #expect(wire.statistics.openConnections == 3)
  }

  @Test func halfOpenConnectionsGoBeforeOthers() {
    let wire = Wire(limits { $0.connections = 100 })
    wire.handshake()
    wire.client(0, "abc")
    for port in 0..<10_000 {
      wire.send(.init(address: .init(v4: UInt32(port)), port: 7), .server, 5, .syn, after: 1)
    }
    wire.client(3, "def")
    #expect(wire.only.originator.text == "abcdef")
    #expect(wire.statistics.halfOpenEvicted == 9901)
    #expect(wire.order.count == 1)
  }

  @Test func halfOpenConnectionsExpire() {
    let wire = Wire()
    wire.send(.client, .server, 5, .syn)
    wire.advance(61_000_000_000)
    #expect(wire.statistics.halfOpenExpired == 1)
    #expect(wire.statistics.openConnections == 0)
    #expect(wire.order.isEmpty)
  }

  @Test func aFloodOfSYNs() {
    var reassembler = Reassembler(limits: limits { $0.connections = 4096 })
    let empty = UnsafeRawBufferPointer(start: nil, count: 0)
    var events = 0
    for number in 0..<UInt32(200_000) {
      let segment = TCPSegment(
        source: .init(address: .init(v4: number &* 2_654_435_761), port: 9), destination: .server,
        sequence: SequenceNumber(rawValue: number), acknowledgment: SequenceNumber(rawValue: 0), flags: .syn, window: 0,
        payload: 0..<0, payloadLengthOnWire: 0)
      reassembler.receive(segment, payload: empty, at: Timestamp(nanoseconds: Int64(number)))
      while reassembler.nextEvent() != nil { events += 1 }
    }
    #expect(events == 0)
    #expect(reassembler.statistics.openConnections == 4096)
    #expect(reassembler.statistics.halfOpenEvicted == 200_000 - 4096)
  }

  @Test func segmentsThatNeverFillTheirGap() {
    let wire = Wire(
      limits {
        $0.connections = 64
        $0.heldBytes = 100_000
        $0.heldBytesPerDirection = 5000
      })
    for round in 0..<20_000 {
      let client = TransportAddress(address: .init(v4: UInt32(round % 200)), port: 1)
      wire.send(client, .server, UInt32(10 + round / 200 * 3), .psh, [1, 2], after: 10)
      #expect(wire.statistics.heldBytes <= 100_000 / 65)
      #expect(wire.statistics.openConnections <= 64)
    }
    wire.finish()
  }

  @Test func limitsWithoutSense() {
    var none = ReassemblyLimits()
    none.connections = -1
    none.heldBytes = -1
    none.heldBytesPerDirection = -1
    none.heldSegmentsPerDirection = -1
    none.idleTimeout = -1
    none.halfOpenTimeout = 0
    none.gapTimeout = 0
    none.retransmissionTimeout = -1
    none.acknowledgedGapTimeout = 0
    none.acknowledgedGapSegments = 0
    none.joinTimeout = 0
    none.joinSegments = 0
    none.closedLinger = -1
    let wire = Wire(none)
    wire.handshake()
    wire.client(3, "def")
    wire.advance(1000)
    wire.client(0, "abc", ack: 0, .fin)
    wire.finish()
    #expect(wire.statistics.openConnections == 0)
  }
}
