// A session's figures. In: its exchanges. Out: counts, and JSON. Owner: one command. Bounds: 1,000 endpoints.

import HTTPModel
import SessionFile

/// What is counted of a session, in memory that does not grow with it.
struct SessionStatistics {
  struct Endpoint {
    var exchanges: UInt64 = 0
    /// With both messages whole.
    var whole: UInt64 = 0
    var statuses: [UInt16: UInt64] = [:]
    var requestBytes: UInt64 = 0
    var responseBytes: UInt64 = 0
    var latency = LatencyHistogram()
    /// Exchanges that began in each part of the session's time.
    var spread: [UInt32] = []
  }

  /// Parts that the session's time is cut into.
  static let parts = 24

  private(set) var endpoints: [String: Endpoint] = [:]
  private(set) var total = Endpoint()
  private(set) var protocols: [String: UInt64] = [:]
  private(set) var anomalies: [Anomaly: UInt64] = [:]

  private let range: ClosedRange<Timestamp>?

  /// Endpoints kept apart; the others are counted together.
  private static let endpointLimit = 1_000

  private let names: EndpointNames

  /// - Parameter range: the first and last start; nil where there is no exchange.
  init(range: ClosedRange<Timestamp>?, names: EndpointNames) {
    self.range = range
    self.names = names
  }

  mutating func add(_ exchange: Exchange) {
    let part = part(of: exchange.start)
    let name = names.name(of: exchange) ?? "(no request seen)"
    let key = endpoints[name] != nil || endpoints.count < Self.endpointLimit ? name : "(others)"
    endpoints[key, default: Endpoint()].add(exchange, part)
    total.add(exchange, part)
    protocols[exchange.version.identifier, default: 0] += 1
    if !exchange.anomalies.isEmpty {
      for anomaly in exchange.anomalies.members { anomalies[anomaly, default: 0] += 1 }
    }
  }

  private func part(of start: Timestamp) -> Int {
    guard let range else { return 0 }
    let whole = Double(range.upperBound.nanoseconds(since: range.lowerBound))
    guard whole > 0 else { return 0 }
    let share = Double(start.nanoseconds(since: range.lowerBound)) / whole
    return min(Self.parts - 1, max(0, Int(share * Double(Self.parts))))
  }

  /// By count of exchanges, the most first.
  var busiest: [(String, Endpoint)] {
    endpoints.sorted { ($1.value.exchanges, $0.key) < ($0.value.exchanges, $1.key) }.map { ($0.key, $0.value) }
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
    for entry in source.metadata.entries where entry.key != UnreadableConnections.key {
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
    let shareOfPackets = source.ledger?.shareOfPacketsSeen
    for (name, endpoint) in busiest { endpoint.write(name, shareOfPackets, to: &json) }
    json.endArray()
    json.key("anomalies")
    json.beginObject()
    for (anomaly, count) in anomalies.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      json.key(anomaly.identifier)
      json.number(count)
    }
    json.endObject()
    json.key("tls_not_read")
    UnreadableConnections(source.metadata).write(to: &json)
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
  fileprivate mutating func add(_ exchange: Exchange, _ part: Int) {
    exchanges += 1
    if exchange.isWhole { whole += 1 }
    if spread.isEmpty { spread = Array(repeating: 0, count: SessionStatistics.parts) }
    spread[part] &+= 1
    // 0 stands for no answer.
    statuses[exchange.response?.status ?? 0, default: 0] += 1
    requestBytes += exchange.request?.body.size ?? 0
    responseBytes += exchange.response?.body.size ?? 0
    if let nanoseconds = exchange.latency { latency.record(nanoseconds) }
  }

  /// The share of exchanges that are whole, times the share of packets that were seen: what stood in a packet that was
  /// dropped may have been of any endpoint.
  func completeness(_ shareOfPackets: Double) -> Double {
    exchanges > 0 ? Double(whole) / Double(exchanges) * shareOfPackets : shareOfPackets
  }

  fileprivate func write(_ name: String, _ shareOfPackets: Double?, to json: inout JSONWriter) {
    json.beginObject()
    json.key("endpoint")
    json.string(name)
    json.key("exchanges")
    json.number(exchanges)
    json.key("completeness")
    if let shareOfPackets { json.number(completeness(shareOfPackets)) } else { json.null() }
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
    json.key("over_time")
    json.beginArray()
    for count in spread { json.number(count) }
    json.endArray()
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
