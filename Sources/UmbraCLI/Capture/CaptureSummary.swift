import HTTPModel

/// What is said at the end of a capture, on standard error.
struct CaptureSummary {
  var origin: String
  var ledger: Ledger
  var notes: [String]
  var exchanges: UInt64
  var written: SessionSink.Written?
  /// Nanoseconds from the first to the last packet.
  var packetTime: Int64
  /// Nanoseconds that the command ran.
  var elapsed: Int64

  var text: String {
    var lines: [String] = []
    var first = "\(counted(exchanges, "exchange")) from \(origin)"
    if packetTime > 0 { first += " over \(shortDuration(packetTime))" }
    first += "; \(counted(ledger[.packetsSeen], "packet")), \(ByteSize(bytes: Int(clamping: ledger[.bytesSeen])))"
    lines.append(first)
    lines.append(contentsOf: LedgerText.lines(ledger))
    for note in notes { lines.append("note: \(note)") }
    lines.append(contentsOf: exchanges > 0 ? LedgerText.advice(ledger).map { "  → \($0)" } : emptyAdvice)
    if let written, let last = written.files.last {
      let name = last == "-" ? "standard output" : last
      let others = written.files.count > 1 ? " and \(counted(written.files.count - 1, "file")) before it" : ""
      lines.append("wrote \(name)\(others), \(ByteSize(bytes: Int(clamping: written.bytes)))")
    }
    return lines.map { "umbra: \($0)\n" }.joined()
  }

  private var emptyAdvice: [String] {
    if ledger[.packetsSeen] == 0 {
      return ["no packet came: check the interface ('umbra interfaces'), the ports (-p) and the filter (-f)"]
    }
    if ledger[.packetsFiltered] > 0, ledger[.bytesSeen] == 0 {
      return ["no packet matched the ports (-p) or the filter (-f): try without them"]
    }
    if ledger[.connectionsEncrypted] > 0 {
      return ["the connections speak TLS: give the secrets with --tls-keylog FILE, or capture behind the TLS proxy"]
    }
    return ["no HTTP was found in them: check the ports (-p)"]
  }
}

/// A ledger in a few lines: completeness first, then every row of loss that is not 0.
enum LedgerText {
  /// Rows that say that something was lost or left out, the gravest first.
  static let losses: [Ledger.Row] = [
    .packetsKernelDropped, .packetsInterfaceDropped, .exchangesShed, .blocksShed, .bytesGap, .packetsSnapCut,
    .bytesSnapCut, .fileBytesSkipped, .connectionsEvicted, .bytesUnaccounted, .exchangesIncomplete,
    .requestsWithoutResponse, .responsesWithoutRequest, .bytesPending, .overlapMismatches, .packetsUndecodable,
    .packetsFragments, .connectionsEncrypted, .connectionsNotHTTP, .connectionsMidstream, .connectionsExpired,
    .bytesSkipped, .bodyBytesOverLimit, .packetsHurried, .packetsFiltered,
  ]

  static func lines(_ ledger: Ledger) -> [String] {
    var lines = ["complete: \(percentage(ledger.completeness)) of exchanges, as far as the packets tell"]
    for row in losses where ledger[row] > 0 {
      lines.append("  \(grouped(ledger[row])) \(row.meaning)")
    }
    return lines
  }

  /// What an operator can do about rows that are not 0.
  static func advice(_ ledger: Ledger) -> [String] { remedies.filter { ledger[$0.0] > 0 }.map(\.1) }

  private static let remedies: [(Ledger.Row, String)] = [
    (.packetsKernelDropped, "kernel drops: --body-limit, --sample or a narrower filter; a larger --buffer; --fanout"),
    (.exchangesShed, "shed exchanges: write to a faster disk, or keep less (--body-limit)"),
    (.blocksShed, "shed blocks: write to a faster disk, or keep less (--body-limit)"),
    (.bytesSnapCut, "packets cut: capture with a greater --snaplen, or tcpdump -s 0"),
    (.connectionsEvicted, "connections given up: a greater --memory-limit, or a narrower filter"),
    (.connectionsEncrypted, "TLS: give its secrets with --tls-keylog, or capture behind the proxy that ends it"),
    (.packetsUndecodable, "unreadable headers: the capture may be damaged, or of a link type that is not known"),
  ]
}
