// `umbra stats`: what a session holds, endpoint by endpoint, and what its ledger says.

import ArgumentParser
import HTTPModel
import ResponseDiff
import SessionFile

struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a session's endpoints, rates, sizes, latencies and ledger.",
    discussion: """
      Latency is from a request's last byte to its answer's last byte, as seen on the wire.

        umbra stats day.umbra
        umbra stats day.umbra --format json
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(
    help: ArgumentHelp("A session; '-' is standard input.", valueName: "session"),
    completion: .file(extensions: ["umbra"]))
  var session: String

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format: Format = .text

  @Option(help: ArgumentHelp("Endpoints shown in text.", valueName: "n"))
  var endpoints = 20

  func run() throws {
    let source = try ExchangeSource(path: session)
    var statistics = SessionStatistics()
    while let exchange = try source.next() { statistics.add(exchange) }
    let output = try Output()
    switch format {
    case .text: try output.write(statistics.text(of: source, showing: endpoints))
    case .json: try output.write(statistics.json(of: source))
    }
    try output.flush()
    source.reportDamage()
  }
}

/// What is counted of a session, in memory that does not grow with it.
struct SessionStatistics {
  struct Endpoint {
    var exchanges: UInt64 = 0
    var statuses: [UInt16: UInt64] = [:]
    var requestBytes: UInt64 = 0
    var responseBytes: UInt64 = 0
    var latency = LatencyHistogram()
  }

  private(set) var endpoints: [String: Endpoint] = [:]
  private(set) var total = Endpoint()
  private(set) var protocols: [String: UInt64] = [:]
  private(set) var anomalies: [Anomaly: UInt64] = [:]

  /// Endpoints kept apart; the others are counted together.
  private static let endpointLimit = 1_000

  mutating func add(_ exchange: Exchange) {
    let name = exchange.request.map(EndpointTemplate.name(of:)) ?? "(no request seen)"
    let key = endpoints[name] != nil || endpoints.count < Self.endpointLimit ? name : "(others)"
    endpoints[key, default: Endpoint()].add(exchange)
    total.add(exchange)
    protocols[exchange.version.identifier, default: 0] += 1
    if !exchange.anomalies.isEmpty {
      for anomaly in exchange.anomalies.members { anomalies[anomaly, default: 0] += 1 }
    }
  }

  private var busiest: [(String, Endpoint)] {
    endpoints.sorted { ($1.value.exchanges, $0.key) < ($0.value.exchanges, $1.key) }.map { ($0.key, $0.value) }
  }

  func text(of source: ExchangeSource, showing limit: Int) -> String {
    var text = ""
    for key in ["source", "ports", "filter"] {
      guard let value = source.metadata[key] else { continue }
      text += "\(key.padded(to: 12))\(wrapped(visibleLine(value), to: 80, indent: 12))\n"
    }
    text += "\("exchanges".padded(to: 12))\(grouped(total.exchanges))"
    if let range = source.timeRange {
      let span = range.upperBound.nanoseconds(since: range.lowerBound)
      text += ", from \("\(range.lowerBound)".prefix(19))Z over \(shortDuration(span))"
      if span > 0 { text += ", \(fixed(Double(total.exchanges) / (Double(span) / 1e9), 1))/s" }
    }
    text += "\n\("bytes".padded(to: 12))\(ByteSize(bytes: Int(clamping: total.requestBytes))) in requests' bodies, "
    text += "\(ByteSize(bytes: Int(clamping: total.responseBytes))) in responses'\n"
    text += "\("protocols".padded(to: 12))"
    text += protocols.sorted { $0.key < $1.key }.map { "\($0.key) \(grouped($0.value))" }.joined(separator: ", ")
    text += "\n\("status".padded(to: 12))"
    text += total.statuses.sorted { $0.key < $1.key }
      .map { "\($0.key == 0 ? "none" : "\($0.key)") \(grouped($0.value))" }.joined(separator: ", ")
    text += "\n\nEXCHANGES     p50     p95     p99  5xx  ENDPOINT\n"
    for (name, endpoint) in busiest.prefix(limit) {
      text += grouped(endpoint.exchanges).leftPadded(to: 9)
      for quantile in [0.5, 0.95, 0.99] {
        text += (endpoint.latency.quantile(quantile).map(shortDuration) ?? "-").leftPadded(to: 8)
      }
      let failed = endpoint.statuses.filter { $0.key >= 500 }.values.reduce(0, +)
      text += (failed == 0 ? "-" : grouped(failed)).leftPadded(to: 5)
      text += "  " + shortened(visibleLine(name), to: 40) + "\n"
    }
    if endpoints.count > limit { text += "\(grouped(endpoints.count - limit)) more; --endpoints N shows them\n" }
    if !anomalies.isEmpty {
      text += "\nANOMALIES\n"
      for (anomaly, count) in anomalies.sorted(by: { $1.value < $0.value }) {
        text += grouped(count).leftPadded(to: 9) + "  \(anomaly.identifier)\n"
      }
    }
    if let ledger = source.ledger {
      text += "\nLEDGER\n"
      text += LedgerText.lines(ledger).joined(separator: "\n") + "\n"
    } else {
      text += "\nThe session holds no ledger: it was not finished, so what was lost is not known.\n"
    }
    return text
  }

  func json(of source: ExchangeSource) -> [UInt8] {
    var json = JSONWriter(layout: .indented)
    json.beginObject()
    json.key("exchanges")
    json.number(total.exchanges)
    json.key("start")
    if let range = source.timeRange { json.string("\(range.lowerBound)") } else { json.null() }
    json.key("end")
    if let range = source.timeRange { json.string("\(range.upperBound)") } else { json.null() }
    json.key("metadata")
    json.beginObject()
    for entry in source.metadata.entries {
      json.key(entry.key)
      json.string(entry.value)
    }
    json.endObject()
    json.key("protocols")
    json.beginObject()
    for (name, count) in protocols.sorted(by: { $0.key < $1.key }) {
      json.key(name)
      json.number(count)
    }
    json.endObject()
    json.key("endpoints")
    json.beginArray()
    for (name, endpoint) in busiest { endpoint.write(name, to: &json) }
    json.endArray()
    json.key("anomalies")
    json.beginObject()
    for (anomaly, count) in anomalies.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      json.key(anomaly.identifier)
      json.number(count)
    }
    json.endObject()
    json.key("ledger")
    if let ledger = source.ledger {
      json.beginObject()
      for row in Ledger.Row.allCases {
        json.key(row.identifier)
        json.number(ledger[row])
      }
      json.key("completeness")
      json.number(ledger.completeness)
      json.endObject()
    } else {
      json.null()
    }
    json.endObject()
    json.endLine()
    return json.bytes
  }
}

extension SessionStatistics.Endpoint {
  fileprivate mutating func add(_ exchange: Exchange) {
    exchanges += 1
    // 0 stands for no answer.
    statuses[exchange.response?.status ?? 0, default: 0] += 1
    requestBytes += exchange.request?.body.size ?? 0
    responseBytes += exchange.response?.body.size ?? 0
    if let nanoseconds = exchange.latency { latency.record(nanoseconds) }
  }

  fileprivate func write(_ name: String, to json: inout JSONWriter) {
    json.beginObject()
    json.key("endpoint")
    json.string(name)
    json.key("exchanges")
    json.number(exchanges)
    json.key("statuses")
    json.beginObject()
    for (status, count) in statuses.sorted(by: { $0.key < $1.key }) {
      json.key(status == 0 ? "none" : "\(status)")
      json.number(count)
    }
    json.endObject()
    json.key("request_bytes")
    json.number(requestBytes)
    json.key("response_bytes")
    json.number(responseBytes)
    json.key("latency_us")
    json.beginObject()
    for (key, quantile) in [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("max", 1)] {
      json.key(key)
      if let value = latency.quantile(quantile) { json.number(Double(value) / 1000) } else { json.null() }
    }
    json.endObject()
    json.endObject()
  }
}
