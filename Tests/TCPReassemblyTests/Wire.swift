import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

/// A tap on a wire: segments by hand in, whole streams out. After each segment it holds the reassembler to what it
/// promises always: every byte is accounted for, offsets rise without holes, `opened` is first and `closed` last.
final class Wire {
  struct Stream: Equatable {
    var bytes: [UInt8] = []
    var next: UInt64 = 0
    var gaps: [Gap] = []
    var mismatches: [Range<UInt64>] = []
    var end: StreamEnd?
    /// Events with bytes borrowed from a segment, and with bytes that were held.
    var borrowed = 0
    var held = 0
    /// What each piece's sender had received of the opposite stream.
    var acknowledged: [UInt64?] = []
    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  struct Gap: Equatable {
    var offset: UInt64
    var length: UInt64
    var cause: GapCause
  }

  final class Connection {
    var opened: OpenedConnection
    var streams: [Stream] = [Stream(), Stream()]
    var closed: CloseReason?
    init(_ opened: OpenedConnection) { self.opened = opened }
    var originator: Stream { streams[0] }
    var responder: Stream { streams[1] }
  }

  private var reassembler: Reassembler
  /// Nanoseconds; each segment comes a microsecond after the one before.
  var now: Int64 = 1_000_000_000_000
  /// Of the segments that follow.
  var network = Encapsulation.none
  var isDisputed = false
  private(set) var connections: [UInt32: Connection] = [:]
  /// In the order in which they were told of.
  private(set) var order: [Connection] = []

  /// With a short grace for acknowledged holes, on which the times in the tests are laid.
  static let limits: ReassemblyLimits = {
    var limits = ReassemblyLimits()
    limits.acknowledgedGapTimeout = 20_000_000
    return limits
  }()

  init(_ limits: ReassemblyLimits = Wire.limits) { reassembler = Reassembler(limits: limits) }

  var statistics: ReassemblyStatistics { reassembler.statistics }
  var only: Connection {
    order.first ?? Connection(.init(originator: .client, responder: .server, sawHandshake: false))
  }

  func position(_ number: UInt32, slot: Int, _ direction: StreamDirection) -> UInt64? {
    reassembler.position(ConnectionHandle(index: slot, number: number), direction)
  }

  func heldBytes(_ number: UInt32, slot: Int) -> Int {
    reassembler.heldBytes(ConnectionHandle(index: slot, number: number))
  }

  /// - Parameters:
  ///   - cut: how many bytes of the payload's tail the snap length took.
  ///   - beyond: how many it took behind those.
  func send(
    _ source: TransportAddress, _ destination: TransportAddress, _ sequence: UInt32, ack: UInt32? = nil,
    _ flags: TCPFlags = [], _ payload: [UInt8] = [], cut: Int = 0, beyond: Int = 0, after: Int64 = 1000
  ) {
    now += after
    let captured = payload.dropLast(cut)
    let segment = TCPSegment(
      source: source, destination: destination, sequence: SequenceNumber(rawValue: sequence),
      acknowledgment: SequenceNumber(rawValue: ack ?? 0), flags: ack == nil ? flags : flags.union(.ack), window: 64240,
      payload: 0..<captured.count, payloadLengthOnWire: payload.count + beyond,
      encapsulation: network, isDisputed: isDisputed)
    Array(captured).withUnsafeBytes { bytes in
      reassembler.receive(segment, payload: bytes, at: Timestamp(nanoseconds: now))
      drain(bytes)
    }
  }

  func advance(_ nanoseconds: Int64) {
    now += nanoseconds
    reassembler.advance(to: Timestamp(nanoseconds: now))
    drain(UnsafeRawBufferPointer(start: nil, count: 0))
  }

  func finish() {
    reassembler.finish()
    drain(UnsafeRawBufferPointer(start: nil, count: 0))
    #expect(statistics.heldBytes == 0)
    #expect(statistics.openConnections == 0)
    #expect(connections.values.allSatisfy { $0.closed != nil })
  }

  private func drain(_ payload: UnsafeRawBufferPointer) {
    while let event = reassembler.nextEvent() {
      switch event {
      case .opened(let handle, let opened):
        #expect(connections[handle.number] == nil)
        let connection = Connection(opened)
        connections[handle.number] = connection
        order.append(connection)
      case .data(let handle, let direction, let offset, let bytes, let acknowledged, _):
        change(handle, direction) { stream in
          if stream.next != offset || stream.end != nil || bytes.count == 0 {
            Issue.record("data at \(offset) of \(bytes.count) bytes does not follow \(stream.next)")
          }
          stream.next += UInt64(bytes.count)
          stream.acknowledged.append(acknowledged)
          switch bytes {
          case .segment(let range):
            stream.bytes += payload[range]
            stream.borrowed += 1
          case .held(let held):
            stream.bytes += held
            stream.held += 1
          }
        }
      case .gap(let handle, let direction, let offset, let length, let cause):
        change(handle, direction) { stream in
          if stream.next != offset || stream.end != nil || length == 0 {
            Issue.record("a gap at \(offset) of \(length) bytes does not follow \(stream.next)")
          }
          stream.next += length
          stream.gaps.append(Gap(offset: offset, length: length, cause: cause))
        }
      case .overlapMismatch(let handle, let direction, let offset, let length):
        change(handle, direction) { $0.mismatches.append(offset..<offset + length) }
      case .ended(let handle, let direction, let end):
        change(handle, direction) { stream in
          #expect(stream.end == nil)
          stream.end = end
        }
      case .closed(let handle, let reason):
        #expect(connections[handle.number]?.closed == nil)
        connections[handle.number]?.closed = reason
      }
    }
    let s = statistics
    if s.capturedBytes != s.deliveredBytes + s.duplicateBytes + s.ignored.total + s.heldBytes {
      Issue.record("bytes are unaccounted for: \(s)")
    }
  }

  private func change(_ handle: ConnectionHandle, _ direction: StreamDirection, _ body: (inout Stream) -> Void) {
    guard let connection = connections[handle.number], connection.closed == nil else {
      Issue.record("an event of a connection that is not open: \(handle)")
      return
    }
    body(&connection.streams[Int(direction.rawValue)])
  }
}

extension TransportAddress {
  static let client = TransportAddress(address: IPAddress(v4: 0x7f00_0001), port: 50_000)
  static let server = TransportAddress(address: IPAddress(v4: 0x7f00_0001), port: 8080)
}

/// Conversation between `client` (initial sequence number `c`) and `server` (`s`): positions are offsets into the
/// streams, as people count them.
extension Wire {
  static let c: UInt32 = 1000
  static let s: UInt32 = 9000

  func handshake() {
    send(.client, .server, Self.c, .syn)
    send(.server, .client, Self.s, ack: Self.c &+ 1, .syn)
    send(.client, .server, Self.c &+ 1, ack: Self.s &+ 1)
  }

  /// A segment of the client's at offset `at`, which acknowledges the server's stream up to `ack`.
  func client(
    _ at: Int, _ text: String = "", ack: Int = 0, _ flags: TCPFlags = [], cut: Int = 0, after: Int64 = 1000
  ) {
    send(
      .client, .server, Self.c &+ 1 &+ UInt32(truncatingIfNeeded: at),
      ack: Self.s &+ 1 &+ UInt32(truncatingIfNeeded: ack), flags, Array(text.utf8), cut: cut, after: after)
  }

  func server(
    _ at: Int, _ text: String = "", ack: Int = 0, _ flags: TCPFlags = [], cut: Int = 0, after: Int64 = 1000
  ) {
    send(
      .server, .client, Self.s &+ 1 &+ UInt32(truncatingIfNeeded: at),
      ack: Self.c &+ 1 &+ UInt32(truncatingIfNeeded: ack), flags, Array(text.utf8), cut: cut, after: after)
  }
}
