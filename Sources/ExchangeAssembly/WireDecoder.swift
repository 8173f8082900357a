// Packets to exchanges: the whole decoding half of a capture, without IO.
//
// In: packets with their packet time. Out: finished exchanges and a ledger. Owner: one capture, one thread.
// Bounds: ReassemblyLimits and AssemblyLimits.

public import HTTPModel
public import PacketHeaders
public import TCPReassembly

/// Reads HTTP exchanges from packets.
///
/// Hand in a packet, then take exchanges until there are none, then the next packet. Cost on the in-order path: header
/// parsing, one table look-up and the HTTP decoder; payload is copied once, into the message it belongs to.
public struct WireDecoder: ~Copyable {
  private var reassembler: Reassembler
  private var assembler: ExchangeAssembler
  private var reader: PacketReader
  private let serverPorts: [ClosedRange<UInt16>]
  private var packets = Ledger()
  private var now = Timestamp(nanoseconds: .min)
  private var lastAdvance = Timestamp(nanoseconds: .min)

  /// Packet time between two looks at what has expired.
  private static let advanceInterval: Int64 = 100_000_000

  public init(
    parsing: ParsingOptions = ParsingOptions(), fragments: FragmentLimits = FragmentLimits(),
    reassembly: ReassemblyLimits = ReassemblyLimits(), assembly: AssemblyLimits = AssemblyLimits()
  ) {
    reassembler = Reassembler(limits: reassembly)
    assembler = ExchangeAssembler(limits: assembly)
    reader = PacketReader(options: parsing, limits: fragments)
    serverPorts = assembly.serverPorts
  }

  /// Takes the next packet; its bytes are borrowed for the call.
  /// - Parameter lengthOnWire: more than `packet.count` where the snap length cut it.
  public mutating func receive(
    _ packet: UnsafeRawBufferPointer, lengthOnWire: Int, linkType: LinkType, at time: Timestamp
  ) {
    packets[.packetsSeen] += 1
    if packet.count < lengthOnWire { packets[.packetsSnapCut] += 1 }
    switch reader.read(packet, lengthOnWire: lengthOnWire, linkType: linkType, at: time) {
    case .tcp(let segment):
      guard isWanted(segment) else {
        packets[.packetsFiltered] += 1
        return
      }
      let payload = UnsafeRawBufferPointer(rebasing: reader.bytes[segment.payload])
      packets[.bytesSeen] += UInt64(payload.count)
      // Packets of several interfaces may be a little out of order; the clock never goes back.
      now = max(now, time)
      reassembler.receive(segment, payload: payload, at: time)
      drain(payload, at: time)
      if now.nanoseconds &- lastAdvance.nanoseconds >= Self.advanceInterval || lastAdvance.nanoseconds == .min {
        advance(to: now)
      }
    case .fragment: break
    case .notTCP: packets[.packetsNotTCP] += 1
    case .undecodable: packets[.packetsUndecodable] += 1
    }
  }

  /// Lets time pass without a packet: gaps become known, idle connections expire.
  public mutating func advance(to time: Timestamp) {
    now = max(now, time)
    lastAdvance = now
    reader.advance(to: now)
    reassembler.advance(to: now)
    drain(UnsafeRawBufferPointer(start: nil, count: 0), at: now)
    assembler.retry(at: now)
  }

  /// Adds lines of a key log (NSS format) to what is known of TLS secrets; the last may be unfinished.
  /// - Parameter source: tells logs that grow at the same time apart.
  public mutating func addKeyLog(_ bytes: UnsafeRawBufferPointer, source: Int) {
    assembler.addKeyLog(bytes, source: source)
  }

  /// What came after the last line's end is a line.
  public mutating func endKeyLogLine(source: Int) { assembler.endKeyLogLine(source: source) }

  /// TLS connections that could not be read; the names of the first thousand.
  public var unreadable: [UnreadableTLS: UInt64] { assembler.unreadable }

  /// The header tables that HTTP/2 connections have shown; nil unless ``AssemblyLimits/assumesHeaderTables``. Those of a
  /// first pass over a capture may be set before the second, in which connections that came earlier have them too.
  public var shownHeaderTables: ShownHeaderTables? {
    get { assembler.shownHeaderTables }
    set { assembler.shownHeaderTables = newValue }
  }

  /// The capture has ended: everything that is open is told as it stands.
  public mutating func finish() {
    let end = now.nanoseconds == .min ? Timestamp(nanoseconds: 0) : now
    reader.finish()
    reassembler.finish()
    drain(UnsafeRawBufferPointer(start: nil, count: 0), at: end)
    assembler.finish(at: end)
  }

  /// The next finished exchange; nil when more packets are needed.
  public mutating func nextExchange() -> Exchange? { assembler.nextExchange() }

  /// Puts the next finished exchange in the place of `exchange`, whose memory is used for another one: handed in again
  /// and again, one exchange takes in all of a capture without an allocation for each.
  /// - Returns: false where there is none; `exchange` is as it was.
  public mutating func nextExchange(into exchange: inout Exchange) -> Bool {
    assembler.nextExchange(into: &exchange)
  }

  /// Requests that became whole since the last call, their answers not looked at, where ``AssemblyLimits/tellsRequests``
  /// asks for them. To be called after each packet. Each comes again, under the same id, from ``nextExchange()``.
  public mutating func takeRequests() -> [Exchange] { assembler.takeRequests() }

  /// Exchanges whose request ended before `time` and is still unanswered, each once, so that a writer need not wait for
  /// the answer. They come again, under the same id, from ``nextExchange()``. Looks at every open connection: to be
  /// called once a second or so.
  public func takeUnanswered(before time: Timestamp) -> [Exchange] { assembler.takeUnanswered(before: time) }

  /// The latest packet time.
  public var time: Timestamp? { now.nanoseconds == .min ? nil : now }

  /// Bytes held in unfinished messages and behind holes.
  public var heldBytes: Int {
    assembler.heldBytes + Int(clamping: reassembler.statistics.heldBytes) + reader.fragmentStatistics.heldBytes
  }

  /// All rows but those of the packet source and of the disk.
  public var ledger: Ledger {
    var ledger = packets
    ledger.add(assembler.ledger)
    let fragments = reader.fragmentStatistics
    ledger[.packetsFragments] = fragments.lost &+ fragments.pending
    ledger[.fragmentsReassembled] = fragments.reassembled
    ledger[.fragmentsDuplicate] = fragments.duplicate
    ledger[.fragmentsInvalid] = fragments.invalid &+ fragments.discarded
    ledger[.fragmentsExpired] = fragments.expired
    ledger[.fragmentsEvicted] = fragments.evicted
    ledger[.fragmentOverlapMismatches] = fragments.overlapMismatches
    let statistics = reassembler.statistics
    ledger[.bytesDuplicate] = statistics.duplicateBytes
    ledger[.bytesSkipped] += statistics.ignored.total
    ledger[.bytesPending] += statistics.heldBytes
    ledger[.connectionsSeen] = statistics.connections
    ledger[.connectionsMidstream] = statistics.connectionsMidstream
    ledger[.connectionsEvicted] = statistics.connectionsEvicted
    ledger[.connectionsExpired] = statistics.connectionsExpired
    ledger[.segmentsOutOfOrder] = statistics.segmentsOutOfOrder
    ledger[.segmentsRetransmitted] = statistics.segmentsRetransmitted
    ledger[.segmentsCopied] = statistics.segmentsCopied
    return ledger
  }

  private mutating func drain(_ payload: UnsafeRawBufferPointer, at time: Timestamp) {
    while let event = reassembler.nextEvent() { assembler.receive(event, payload: payload, at: time) }
  }

  private func isWanted(_ segment: TCPSegment) -> Bool {
    serverPorts.isEmpty
      || serverPorts.contains { $0.contains(segment.source.port) || $0.contains(segment.destination.port) }
  }
}
