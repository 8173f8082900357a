/// Where captured bytes and packets went: what was seen equals what was kept plus what the rows below list.
///
/// Cumulative from a capture's start; ledgers of separate captures add.
public struct Ledger: Hashable, Sendable {
  /// One count each, by ``Row`` raw value; in place, since some are counted for every packet.
  @usableFromInline var counts: InlineArray<47, UInt64>

  /// What is counted. The order is that of printing; ``Row/identifier`` is what a session stores.
  public enum Row: Int, CaseIterable, Sendable {
    // Packets.
    case packetsSeen, packetsKernelDropped, packetsInterfaceDropped, packetsSnapCut, packetsUndecodable
    case packetsFragments, packetsNotTCP, packetsFiltered, packetsHurried
    // Of a saved capture, not payload.
    case fileBytesSkipped
    // IP fragments: what became of them.
    case fragmentsReassembled, fragmentsDuplicate, fragmentsInvalid, fragmentsExpired, fragmentsEvicted
    case fragmentOverlapMismatches
    // TCP payload bytes: the first equals the sum of the others of this group.
    case bytesSeen, bytesMessage, bytesTLS, bytesDuplicate, bytesNotHTTP, bytesSkipped, bytesTunnel, bytesPending
    // By how much a connection's bytes, as its readers counted them, differ from what it brought: always 0.
    case bytesUnaccounted
    // Payload bytes that were never seen, so outside that sum.
    case bytesGap, bytesSnapCut
    // Connections.
    case connectionsSeen, connectionsMidstream, connectionsNotHTTP, connectionsEncrypted, connectionsEvicted
    case connectionsExpired
    // Events of reassembly.
    case gaps, overlapMismatches, segmentsOutOfOrder, segmentsRetransmitted, segmentsCopied
    // Exchanges.
    case exchangesComplete, exchangesIncomplete, requestsWithoutResponse, responsesWithoutRequest
    case exchangesFiltered, exchangesSampledOut, exchangesShed, bodyBytesOverLimit, blocksShed
  }

  public init() { counts = InlineArray(repeating: 0) }

  public static func == (a: Ledger, b: Ledger) -> Bool { Row.allCases.allSatisfy { a[$0] == b[$0] } }

  public func hash(into hasher: inout Hasher) {
    for row in Row.allCases { hasher.combine(self[row]) }
  }

  /// The count of a row.
  @inlinable
  public subscript(row: Row) -> UInt64 {
    get { counts[row.rawValue] }
    set { counts[row.rawValue] = newValue }
  }

  /// Adds another capture's counts.
  public mutating func add(_ other: Ledger) {
    for row in Row.allCases { counts[row.rawValue] &+= other.counts[row.rawValue] }
  }

  /// The share of exchanges that were whole of all that were begun, times the share of packets that the kernel and
  /// the interface let through; 1 where there was nothing. What stood in a dropped packet is not known, so a capture
  /// with drops is never called complete even where no exchange shows damage.
  public var completeness: Double {
    let whole = Double(self[.exchangesComplete])
    // As doubles: a ledger that was read from a damaged file may hold any number.
    let broken = [Row.exchangesIncomplete, .requestsWithoutResponse, .responsesWithoutRequest, .exchangesShed]
      .reduce(0) { $0 + Double(self[$1]) }
    let share = whole + broken > 0 ? whole / (whole + broken) : 1
    return share * shareOfPacketsSeen
  }

  /// Packets that were read, of those and the ones that the kernel and the interface dropped; 1 where there was none.
  public var shareOfPacketsSeen: Double {
    let seen = Double(self[.packetsSeen])
    let dropped = Double(self[.packetsKernelDropped]) + Double(self[.packetsInterfaceDropped])
    return seen + dropped > 0 ? seen / (seen + dropped) : 1
  }
}

extension Ledger.Row {
  /// The stable name, as in JSON and session files.
  public var identifier: String { description.identifier }

  /// One line for a person.
  public var meaning: String { description.meaning }

  private var description: (identifier: String, meaning: String) {
    switch self {
    case .packetsSeen: ("packets_seen", "packets read")
    case .packetsKernelDropped: ("packets_kernel_dropped", "packets the kernel dropped before they were read")
    case .packetsInterfaceDropped: ("packets_interface_dropped", "packets the interface dropped")
    case .packetsSnapCut: ("packets_snap_cut", "packets cut by the snap length")
    case .packetsUndecodable: ("packets_undecodable", "packets whose headers could not be read")
    case .packetsFragments: ("packets_fragments", "IP fragments that were not reassembled")
    case .fragmentsReassembled: ("fragments_reassembled", "IP fragments put together")
    case .fragmentsDuplicate: ("fragments_duplicate", "IP fragments that came again")
    case .fragmentsInvalid: ("fragments_invalid", "IP fragments that contradict themselves or each other")
    case .fragmentsExpired: ("fragments_expired", "IP fragments whose datagram was never whole")
    case .fragmentsEvicted: ("fragments_evicted", "IP fragments given up at a memory limit")
    case .fragmentOverlapMismatches: ("fragment_overlap_mismatches", "IP fragments that overlap with other bytes")
    case .packetsNotTCP: ("packets_not_tcp", "packets that carry no TCP")
    case .packetsFiltered: ("packets_filtered", "packets of other ports or excluded by the filter")
    case .packetsHurried: ("packets_hurried", "packets read before older ones, as the reordering window was full")
    case .fileBytesSkipped: ("file_bytes_skipped", "bytes of a damaged capture file that could not be read")
    case .bytesSeen: ("bytes_seen", "TCP payload bytes read")
    case .bytesMessage: ("bytes_message", "in HTTP messages, framing included")
    case .bytesTLS: ("bytes_tls", "in TLS handshakes, record headers and tags")
    case .bytesDuplicate: ("bytes_duplicate", "sent again, already counted")
    case .bytesNotHTTP: ("bytes_not_http", "on connections that do not speak HTTP")
    case .bytesSkipped: ("bytes_skipped", "skipped on the way to the next message")
    case .bytesTunnel: ("bytes_tunnel", "in tunnels and upgraded connections")
    case .bytesPending: ("bytes_pending", "waiting for what comes before or after them")
    case .bytesUnaccounted: ("bytes_unaccounted", "lost count of: a fault of umbra's own, please report it")
    case .bytesGap: ("bytes_gap", "never seen: missing from the stream")
    case .bytesSnapCut: ("bytes_snap_cut", "never seen: cut off by the snap length")
    case .connectionsSeen: ("connections_seen", "TCP connections")
    case .connectionsMidstream: ("connections_midstream", "joined after their start")
    case .connectionsNotHTTP: ("connections_not_http", "that do not speak HTTP")
    case .connectionsEncrypted: ("connections_encrypted", "that speak TLS and could not be read")
    case .connectionsEvicted: ("connections_evicted", "given up at a limit")
    case .connectionsExpired: ("connections_expired", "idle for too long")
    case .gaps: ("gaps", "gaps in streams")
    case .overlapMismatches: ("overlap_mismatches", "retransmissions with other bytes")
    case .segmentsOutOfOrder: ("segments_out_of_order", "segments out of order")
    case .segmentsRetransmitted: ("segments_retransmitted", "segments sent again")
    case .segmentsCopied: ("segments_copied", "copies of a segment, captured at more than one place")
    case .exchangesComplete: ("exchanges_complete", "exchanges with both messages whole")
    case .exchangesIncomplete: ("exchanges_incomplete", "exchanges with a part missing")
    case .requestsWithoutResponse: ("requests_without_response", "requests without an answer")
    case .responsesWithoutRequest: ("responses_without_request", "answers without a request")
    case .exchangesFiltered: ("exchanges_filtered", "exchanges excluded by rules")
    case .exchangesSampledOut: ("exchanges_sampled_out", "exchanges outside the sample")
    case .exchangesShed: ("exchanges_shed", "exchanges lost because the disk was too slow")
    case .bodyBytesOverLimit: ("body_bytes_over_limit", "body bytes over the body limit, counted and hashed")
    case .blocksShed: ("blocks_shed", "blocks the disk could not take")
    }
  }

  /// What becomes of a payload byte: these add up to ``bytesSeen``, each counted where the byte was consumed.
  public static let payloadFates: [Ledger.Row] = [
    .bytesMessage, .bytesTLS, .bytesDuplicate, .bytesNotHTTP, .bytesSkipped, .bytesTunnel, .bytesPending,
  ]

  /// The row with this stable name.
  public init?(identifier: String) {
    guard let row = Ledger.Row.allCases.first(where: { $0.identifier == identifier }) else { return nil }
    self = row
  }
}

extension Ledger {
  /// Every payload byte that was seen is in one of ``Row/payloadFates``, of each connection by itself and of all.
  public var isBalanced: Bool {
    self[.bytesUnaccounted] == 0 && self[.bytesSeen] == Row.payloadFates.reduce(0) { $0 &+ self[$1] }
  }

  /// What was counted after `earlier`, an older state of the same ledger. Bytes that waited then count as seen again, so
  /// that the sum of the parts still is what was seen.
  public func since(_ earlier: Ledger) -> Ledger {
    var rest = self
    for row in Row.allCases where row != .bytesPending { rest[row] &-= earlier[row] }
    rest[.bytesSeen] &+= earlier[.bytesPending]
    return rest
  }
}
