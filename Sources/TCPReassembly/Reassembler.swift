// Segments to ordered bytes and explicit gaps.
// In: TCP segments with their packet time. Out: StreamEvents, pulled. Owner: one capture, serial.
// Bounds: ReassemblyLimits; a segment costs constant time, and in order neither allocates nor copies.

public import HTTPModel
public import PacketHeaders

/// Puts the segments of many connections back into streams, and says what is missing.
///
/// Any order, repetition, resegmentation or overlap of the same bytes yields the same streams. It knows no clock but the
/// packets' own; checksums are not verified. After each ``receive(_:payload:at:)``, ``advance(to:)`` and ``finish()``
/// the events are to be drained with ``nextEvent()``.
///
/// A hole becomes a gap when the receiver's ACK covers it, when FIN and silence prove that nothing will come, when the
/// time is up, or at a limit. Memory: see ``ReassemblyLimits``, and about 290 bytes for each connection in the table.
/// How connections of equal addresses in different virtual networks are told apart: `Reassembler+Networks.swift`.
public struct Reassembler: ~Copyable {
  /// What it may hold, and for how long.
  public let limits: ReassemblyLimits
  /// What went through it so far.
  public internal(set) var statistics = ReassemblyStatistics()

  var table: ConnectionTable
  var events = EventQueue()
  /// The latest packet time seen.
  var clock: Int64 = .min
  var lastNumber: UInt32 = 0
  /// Cost of everything held, against ``ReassemblyLimits/heldBytes``.
  var heldCost = 0
  /// First and last stream of each ``HoleList``.
  var holeHeads: (UInt32, UInt32, UInt32) = (.max, .max, .max)
  var holeTails: (UInt32, UInt32, UInt32) = (.max, .max, .max)
  var isSweeping = false
  var isFinishing = false
  /// A connection's place in its list is renewed at most this often, so that a segment seldom touches its neighbours.
  let touchInterval: Int64

  public init(limits: ReassemblyLimits = ReassemblyLimits()) {
    self.limits = limits.clamped
    table = ConnectionTable(limit: self.limits.connections)
    touchInterval = min(self.limits.idleTimeout, self.limits.halfOpenTimeout) / 64
  }

  /// Takes one segment. The events of the one before are to be drained first.
  ///
  /// - Parameters:
  ///   - payload: the captured part of the segment's payload; borrowed until the events are drained.
  ///   - time: the packet's time. It may go backwards; waiting is measured by the latest time seen.
  public mutating func receive(_ segment: TCPSegment, payload: UnsafeRawBufferPointer, at time: Timestamp) {
    assert(events.isEmpty, "events are to be drained before the next segment")
    if time.nanoseconds > clock { clock = time.nanoseconds }
    let arrival = Arrival(segment, payload, time)
    statistics.segments &+= 1
    statistics.capturedBytes &+= UInt64(payload.count)
    statistics.wireBytes &+= UInt64(arrival.wireLength)
    var stream = table.find(segment.source, segment.destination, in: arrival.network)
    if stream < 0 || arrival.isControl || table.connection(stream >> 1).pointee.needsCare {
      stream = admit(arrival, found: stream)
      if stream < 0 { return }
    }
    carry(arrival, on: stream)
  }

  /// The next event, or nil when there is none for now.
  public mutating func nextEvent() -> StreamEvent? {
    // Events are handed on without a look inside: unpacking one costs more than all the rest here.
    while events.isEmpty {
      if isFinishing {
        isFinishing = finishStep()
      } else if isSweeping {
        isSweeping = sweepStep()
      } else {
        return nil
      }
    }
    return events.take()
  }

  /// Says that packet time has come to `time`: what has waited too long is given up. Its events come from
  /// ``nextEvent()``, which does the work step by step; to be called now and then, some times a second of packet time.
  public mutating func advance(to time: Timestamp) {
    if time.nanoseconds > clock { clock = time.nanoseconds }
    isSweeping = true
  }

  /// Says that capture has ended: what waits behind holes comes out with its gaps and every connection closes, as
  /// ``nextEvent()`` is drained. Segments may not follow.
  public mutating func finish() { isFinishing = true }

  // MARK: Look-ups

  /// The addresses, as far as the connection is still in the table.
  public func connection(_ handle: ConnectionHandle) -> OpenedConnection? {
    guard let slot = table.slot(of: handle) else { return nil }
    return opened(slot)
  }

  /// The offset of the next byte to be told.
  public func position(_ handle: ConnectionHandle, _ direction: StreamDirection) -> UInt64? {
    guard let slot = table.slot(of: handle) else { return nil }
    let d = table.direction(slot * 2 + Int(direction.rawValue))
    return d.pointee.phase == .flowing || d.pointee.phase == .ended ? d.pointee.next : 0
  }

  /// Payload bytes that wait behind holes of a connection's two directions.
  public func heldBytes(_ handle: ConnectionHandle) -> Int {
    guard let slot = table.slot(of: handle) else { return 0 }
    return (table.direction(slot * 2).pointee.held?.byteCount ?? 0)
      + (table.direction(slot * 2 + 1).pointee.held?.byteCount ?? 0)
  }

  func opened(_ slot: Int) -> OpenedConnection {
    let c = table.connection(slot)
    return OpenedConnection(
      originator: c.pointee.originator, responder: c.pointee.responder,
      sawHandshake: table.direction(slot * 2).pointee.sawSYN || table.direction(slot * 2 + 1).pointee.sawSYN,
      encapsulation: c.pointee.encapsulation)
  }
}

/// One segment on its way through.
struct Arrival {
  let segment: TCPSegment
  let payload: UnsafeRawBufferPointer
  let time: Timestamp
  /// Payload bytes on the wire, at least as many as captured.
  let wireLength: Int
  /// Sequence number of the first payload byte: a SYN takes one before it.
  let sequence: UInt32

  @inline(__always)
  init(_ segment: TCPSegment, _ payload: UnsafeRawBufferPointer, _ time: Timestamp) {
    self.segment = segment
    self.payload = payload
    self.time = time
    wireLength = max(payload.count, min(segment.payloadLengthOnWire, Int(Direction.window)))
    sequence = segment.sequence.rawValue &+ (segment.flags.contains(.syn) ? 1 : 0)
  }

  @inline(__always) var network: UInt32 { segment.encapsulation.fingerprint }
  @inline(__always) var isControl: Bool { segment.flags.contains(.syn) || segment.flags.contains(.rst) }
  @inline(__always) var acknowledgment: UInt32? {
    segment.flags.contains(.ack) ? segment.acknowledgment.rawValue : nil
  }
}
