// Segments of a few connections in any order, with any loss, repetition and closing, through reassembly.
//
// Input: options, then one operation after the other. The bytes sent are a function of their place, so that what comes
// out can be held against what went in.

import HTTPModel
import PacketHeaders
import TCPReassembly

enum SegmentsTarget: FuzzTarget {
  static let name = "segments"

  private static let steps: [Int64] = [
    0, 1_000, 5_000_000, 25_000_000, 2_100_000_000, 61_000_000_000, 601_000_000_000, -10_000_000,
  ]

  static func run(_ input: [UInt8]) throws(Violation) {
    var reader = InputReader(input)
    let options = reader.byte()
    var limits = ReassemblyLimits()
    if options & 1 != 0 {
      limits.heldBytes = 1500
      limits.heldBytesPerDirection = 900
      limits.heldSegmentsPerDirection = 4
      limits.connections = 2
    }
    var wire = SegmentWire(limits: limits, initial: options & 2 == 0 ? 7 : UInt32.max - 40)
    while !reader.isAtEnd {
      let operation = reader.byte()
      let ends = (connection: Int(operation >> 4 & 3), side: Int(operation >> 6 & 1))
      switch operation & 15 {
      case 0...6: try wire.send(ends, at: Int(reader.word()), count: Int(reader.byte()))
      case 7: try wire.send(ends, at: Int(reader.word()) << 16, count: Int(reader.byte()))
      case 8: try wire.send(ends, at: -1, count: 0, flags: .syn)
      case 9: try wire.send(ends, at: Int(reader.word()), count: Int(reader.byte()), flags: .fin)
      case 10: try wire.send(ends, at: Int(reader.word()), count: 0, flags: .rst)
      case 11: try wire.advance(by: steps[Int(reader.byte() & 7)])
      case 12: wire.acknowledged = Int(reader.word())
      case 13: try wire.send(ends, at: Int(reader.word()), count: Int(reader.byte()), cut: Int(reader.byte()))
      case 14: try wire.send(ends, at: Int(reader.word()), count: Int(reader.byte()), isFalse: true)
      default: wire.acknowledged = nil
      }
    }
    try wire.finish()
  }

  static var seeds: [[UInt8]] {
    let handshake: [UInt8] = [8, 8 | 64]
    let inOrder: [UInt8] = [0, 0, 0, 50, 12, 50, 0, 64, 0, 0, 80, 0, 50, 0, 20]
    let lossy: [UInt8] = [0, 100, 0, 50, 0, 0, 0, 50, 11, 4, 0, 50, 0, 30, 13, 200, 0, 40, 10]
    let ending: [UInt8] = [9, 240, 0, 0, 9 | 64, 80, 0, 0]
    return [
      [0] + handshake + inOrder + ending, [2] + handshake + lossy + ending, [3] + lossy + lossy + [14, 100, 0, 20],
      [1] + lossy + [10, 0, 0], [0] + handshake + [7, 0, 1, 9, 11, 5, 11, 6],
    ]
  }
}

/// Sends segments and holds the events against the contract of ``StreamEvent``.
private struct SegmentWire: ~Copyable {
  private struct Direction {
    var next: UInt64 = 0
    /// Sequence number of offset 0, as far as it is known.
    var origin: UInt32?
    /// The first bytes that had waited, while ``origin`` is not known.
    var unplaced: (offset: UInt64, bytes: [UInt8])?
    var isEnded = false
  }

  private struct Told {
    var directions = [Direction(), Direction()]
    /// Which of our sides is the originator.
    var originator: Int
    var connection: Int
  }

  /// What the segments to come acknowledge, as a place in the other side's stream.
  var acknowledged: Int? = 0

  private var reassembler: Reassembler
  private let initial: UInt32
  private var time = Timestamp(nanoseconds: 1_000_000_000_000)
  private var open: [UInt32: Told] = [:]
  private var closed: Set<UInt32> = []
  private var delivered: UInt64 = 0
  private var missing: UInt64 = 0
  /// Bytes that differ from what stands at their place were sent.
  private var isTainted = false
  private var current: (ends: (connection: Int, side: Int), sequence: UInt32, payload: [UInt8])?

  init(limits: ReassemblyLimits, initial: UInt32) {
    reassembler = Reassembler(limits: limits)
    self.initial = initial
  }

  mutating func send(
    _ ends: (connection: Int, side: Int), at place: Int, count: Int, flags: TCPFlags = [], cut: Int = 0,
    isFalse: Bool = false
  ) throws(Violation) {
    let sequence = initial &+ 1 &+ UInt32(truncatingIfNeeded: place)
    var payload = (0..<count).map { byte(ends.side, sequence &+ UInt32($0)) }
    if isFalse {
      payload = payload.map { ~$0 }
      isTainted = true
    }
    let length = payload.count
    payload.removeLast(min(cut, length))
    var flags = flags
    if acknowledged != nil { flags.insert(.ack) }
    time = time.advanced(byNanoseconds: 1000)
    let segment = TCPSegment(
      source: address(ends.connection, ends.side), destination: address(ends.connection, 1 - ends.side),
      sequence: SequenceNumber(rawValue: sequence),
      acknowledgment: SequenceNumber(rawValue: initial &+ 1 &+ UInt32(truncatingIfNeeded: acknowledged ?? 0)),
      flags: flags, window: 1000, payload: 0..<payload.count, payloadLengthOnWire: length)
    // A SYN takes a number before its payload.
    current = (ends, flags.contains(.syn) ? sequence &+ 1 : sequence, payload)
    let time = time
    let events = payload.withUnsafeBytes { bytes in
      reassembler.receive(segment, payload: bytes, at: time)
      return drain()
    }
    try check(events)
    current = nil
  }

  mutating func advance(by step: Int64) throws(Violation) {
    time = time.advanced(byNanoseconds: step)
    reassembler.advance(to: time)
    try check(drain())
  }

  mutating func finish() throws(Violation) {
    reassembler.finish()
    try check(drain())
    try require(open.isEmpty, "\(open.count) connections are still open after the end")
    let statistics = reassembler.statistics
    try require(statistics.heldBytes == 0, "\(statistics.heldBytes) bytes are held after the end")
    try require(statistics.openConnections == 0, "\(statistics.openConnections) connections counted open after the end")
  }

  private func byte(_ side: Int, _ sequence: UInt32) -> UInt8 {
    UInt8(truncatingIfNeeded: (sequence &* 0x9e37_79b1) >> 24) ^ UInt8(side)
  }

  private func address(_ connection: Int, _ side: Int) -> TransportAddress {
    TransportAddress(address: IPAddress(v4: UInt32(1 + side)), port: UInt16(100 + connection))
  }

  private mutating func drain() -> [StreamEvent] {
    var events: [StreamEvent] = []
    while let event = reassembler.nextEvent() { events.append(event) }
    return events
  }

  private mutating func check(_ events: [StreamEvent]) throws(Violation) {
    for event in events {
      switch event {
      case .opened(let handle, let opened):
        let isNew = open[handle.number] == nil && !closed.contains(handle.number)
        try require(isNew, "connection \(handle.number) is opened twice")
        let side = opened.originator.address == IPAddress(v4: 1) ? 0 : 1
        open[handle.number] = Told(originator: side, connection: Int(opened.originator.port) - 100)
      case .data(let handle, let direction, let offset, let bytes, _, _):
        try require(bytes.count > 0, "data without bytes")
        delivered += UInt64(bytes.count)
        try progress(handle, direction, offset, UInt64(bytes.count))
        try checkContent(handle, direction, offset, bytes)
      case .gap(let handle, let direction, let offset, let length, _):
        try require(length > 0, "a gap without length")
        missing += length
        try progress(handle, direction, offset, length)
      case .overlapMismatch(let handle, _, _, let length):
        try require(open[handle.number] != nil, "a mismatch on a connection that is not open")
        try require(isTainted, "a mismatch of \(length) bytes where all copies are the same")
      case .ended(let handle, let direction, _):
        guard open[handle.number] != nil else { throw Violation(description: "an end on no open connection") }
        open[handle.number]!.directions[Int(direction.rawValue)].isEnded = true
      case .closed(let handle, _):
        try require(open.removeValue(forKey: handle.number) != nil, "a close of no open connection")
        closed.insert(handle.number)
      }
    }
    try checkAccounts()
  }

  private mutating func progress(
    _ handle: ConnectionHandle, _ side: StreamDirection, _ offset: UInt64, _ length: UInt64
  ) throws(Violation) {
    guard let direction = open[handle.number]?.directions[Int(side.rawValue)] else {
      throw Violation(description: "bytes or a gap on no open connection")
    }
    try require(!direction.isEnded, "bytes or a gap after the end")
    try require(direction.next == offset, "offset \(offset) follows \(direction.next)")
    open[handle.number]!.directions[Int(side.rawValue)].next = offset + length
  }

  /// Bytes of the segment at hand tell where its stream began; bytes that had waited must stand at their place.
  private mutating func checkContent(
    _ handle: ConnectionHandle, _ side: StreamDirection, _ offset: UInt64, _ bytes: StreamBytes
  ) throws(Violation) {
    guard let told = open[handle.number] else { return }
    var direction = told.directions[Int(side.rawValue)]
    let sender = side == .originator ? told.originator : 1 - told.originator
    switch bytes {
    case .segment(let range):
      guard let current else { throw Violation(description: "bytes of a segment while none is received") }
      try require(
        current.ends == (told.connection, sender) && range.upperBound <= current.payload.count,
        "bytes of another segment")
      let origin = current.sequence &+ UInt32(range.lowerBound) &- UInt32(truncatingIfNeeded: offset)
      try require(direction.origin == nil || direction.origin == origin, "the stream's beginning has moved")
      direction.origin = origin
    case .held(let held):
      if direction.origin == nil { direction.unplaced = direction.unplaced ?? (offset, held) }
      try checkHeld(direction, sender, offset, held)
    }
    if direction.origin != nil, let (offset, held) = direction.unplaced {
      direction.unplaced = nil
      try checkHeld(direction, sender, offset, held)
    }
    open[handle.number]!.directions[Int(side.rawValue)] = direction
  }

  private func checkHeld(_ direction: Direction, _ sender: Int, _ offset: UInt64, _ held: [UInt8]) throws(Violation) {
    guard let origin = direction.origin, !isTainted else { return }
    let first = origin &+ UInt32(truncatingIfNeeded: offset)
    let isRight = held.indices.allSatisfy { held[$0] == byte(sender, first &+ UInt32($0)) }
    try require(isRight, "bytes at offset \(offset) are not those that were sent there")
  }

  private func checkAccounts() throws(Violation) {
    let s = reassembler.statistics
    try require(
      s.capturedBytes == s.deliveredBytes + s.duplicateBytes + s.ignored.total + s.heldBytes,
      "captured \(s.capturedBytes), delivered \(s.deliveredBytes), duplicate \(s.duplicateBytes), "
        + "ignored \(s.ignored.total), held \(s.heldBytes)")
    try require(s.deliveredBytes == delivered, "\(s.deliveredBytes) bytes counted as delivered, \(delivered) told")
    let gaps = s.lostBytes + s.snapLengthBytes + s.evictedGapBytes
    try require(gaps == missing, "gaps of \(gaps) bytes counted, of \(missing) told")
    try require(s.heldBytes <= UInt64(reassembler.limits.heldBytes), "\(s.heldBytes) bytes are held")
  }
}
