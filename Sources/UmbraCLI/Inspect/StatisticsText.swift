// A session's figures for a person: what it holds, its busiest endpoints, and what its ledger means.

import HTTPModel
import SessionFile

struct StatisticsText {
  private let statistics: SessionStatistics
  private let palette: Palette
  private let width: Int

  init(_ statistics: SessionStatistics, palette: Palette) {
    self.statistics = statistics
    self.palette = palette
    width = max(80, terminalWidth ?? 80)
  }

  func text(of source: ExchangeSource, showing limit: Int) -> String {
    overview(source) + table(showing: limit) + anomalies + LedgerExplanation(palette: palette).text(source.ledger)
      + UnreadableConnections(source.metadata).notes.map { "  \($0)\n" }.joined()
  }

  private func row(_ name: String, _ value: String) -> String { palette.faint(name.padded(to: 12)) + value + "\n" }

  private func overview(_ source: ExchangeSource) -> String {
    let total = statistics.total
    var text = ""
    for key in ["source", "ports", "filter"] {
      guard let value = source.metadata[key] else { continue }
      text += row(key, wrapped(visibleLine(value), to: width, indent: 12))
    }
    var count = grouped(total.exchanges)
    if let range = source.timeRange {
      let span = range.upperBound.nanoseconds(since: range.lowerBound)
      count += ", from \("\(range.lowerBound)".prefix(19))Z over \(shortDuration(span))"
      if span > 0 { count += ", \(fixed(Double(total.exchanges) / (Double(span) / 1e9), 1))/s" }
    }
    text += row("exchanges", count)
    if total.exchanges > 1 { text += row("over time", sparkline(total.spread)) }
    text += row(
      "bytes",
      "\(ByteSize(bytes: Int(clamping: total.requestBytes))) in requests' bodies, "
        + "\(ByteSize(bytes: Int(clamping: total.responseBytes))) in responses'")
    if let p50 = total.latency.quantile(0.5), let p95 = total.latency.quantile(0.95),
      let p99 = total.latency.quantile(0.99), let most = total.latency.quantile(1)
    {
      text += row(
        "latency",
        "p50 \(shortDuration(p50)), p95 \(shortDuration(p95)), p99 \(shortDuration(p99)), most \(shortDuration(most))")
    }
    let protocols = statistics.protocols.sorted { $0.key < $1.key }
    text += row("protocols", protocols.map { "\($0.key) \(grouped($0.value))" }.joined(separator: ", "))
    let statuses = total.statuses.sorted { $0.key < $1.key }.map { status, count in
      palette.status("\(status == 0 ? "none" : "\(status)") \(grouped(count))", status)
    }
    return text + row("status", statuses.joined(separator: ", "))
  }

  private func table(showing limit: Int) -> String {
    let titles = "EXCHANGES  WHOLE     p50     p95     p99  5xx  OVER TIME     ENDPOINT"
    var text = "\n" + palette.strong(titles) + "\n"
    for (name, endpoint) in statistics.busiest.prefix(max(0, limit)) {
      text += grouped(endpoint.exchanges).leftPadded(to: 9)
      let whole = percentage(endpoint.completeness(1)).leftPadded(to: 7)
      text += endpoint.whole == endpoint.exchanges ? whole : palette.bad(whole)
      for quantile in [0.5, 0.95, 0.99] {
        text += (endpoint.latency.quantile(quantile).map(shortDuration) ?? "-").leftPadded(to: 8)
      }
      let failed = endpoint.statuses.filter { $0.key >= 500 }.values.reduce(0, +)
      let cell = (failed == 0 ? "-" : grouped(failed)).leftPadded(to: 5)
      text += failed == 0 ? cell : palette.bad(cell)
      text += "  " + sparkline(halved(endpoint.spread)) + "  " + shortened(visibleLine(name), to: width - 61) + "\n"
    }
    let rest = statistics.endpoints.count - max(0, limit)
    return rest > 0 ? text + "\(grouped(rest)) more; --endpoints N shows them\n" : text
  }

  private var anomalies: String {
    guard !statistics.anomalies.isEmpty else { return "" }
    let sorted = statistics.anomalies.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
    let lines = sorted.map { grouped($0.value).leftPadded(to: 9) + "  \($0.key.identifier)\n" }
    return "\n" + palette.strong("ANOMALIES") + "\n" + lines.joined()
  }

  private func halved(_ counts: [UInt32]) -> [UInt32] {
    stride(from: 0, to: counts.count - 1, by: 2).map { counts[$0] &+ counts[$0 + 1] }
  }

  /// A bar for each count, as high as its share of the greatest; a dot for none.
  private func sparkline(_ counts: [UInt32]) -> String {
    let bars = Array("▁▂▃▄▅▆▇█")
    let most = Double(counts.max() ?? 0)
    return String(
      counts.map { count in
        count == 0 || most == 0 ? "·" : bars[min(bars.count - 1, Int(Double(count) / most * Double(bars.count)))]
      })
  }
}

/// A ledger with what its rows mean and what to do about them.
struct LedgerExplanation {
  var palette: Palette

  func text(_ ledger: Ledger?) -> String {
    var text = "\n" + palette.strong("LEDGER") + "\n"
    guard let ledger else {
      return text + "The session holds no ledger: it was not finished, so what was lost is not known.\n"
    }
    let lines = LedgerText.lines(ledger)
    text += (lines.first ?? "") + "\n"
    if ledger[.packetsSeen] > 0 {
      let seen = ledger[.bytesSeen]
      text += "  \(counted(ledger[.packetsSeen], "packet")) on \(counted(ledger[.connectionsSeen], "connection"))"
      text += ", \(ByteSize(bytes: Int(clamping: seen))) of payload"
      let fates = Self.fates.filter { ledger[$0.0] > 0 }
      if seen > 0, !fates.isEmpty {
        let shares = fates.map { row, word in "\(percentage(Double(ledger[row]) / Double(seen))) \(word)" }
        text += ": " + shares.joined(separator: ", ")
      }
      text += "\n"
    }
    for line in lines.dropFirst() { text += line + "\n" }
    for advice in LedgerText.advice(ledger) { text += palette.faint("  → \(advice)") + "\n" }
    return text
  }

  /// What became of the payload: ``Ledger/Row/payloadFates`` in a word each.
  private static let fates: [(Ledger.Row, String)] = [
    (.bytesMessage, "HTTP"), (.bytesTLS, "TLS"), (.bytesDuplicate, "sent again"), (.bytesNotHTTP, "not HTTP"),
    (.bytesSkipped, "skipped"), (.bytesTunnel, "in tunnels"), (.bytesPending, "unread at the end"),
    (.bytesUnaccounted, "unaccounted for"),
  ]
}
