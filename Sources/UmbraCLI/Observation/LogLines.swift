// One line of JSON for each exchange, attempt and event. In: redacted messages. Out: bytes with their line end.

import Glibc
import HTTPModel

/// A line of the access log. Times are RFC 3339, durations microseconds; queries are left out.
struct AccessLine {
  private var json = JSONWriter(reservingCapacity: 512)

  /// A captured exchange.
  init(_ exchange: Exchange) {
    begin("exchange", exchange.start, exchange.id)
    json.key("client")
    json.string(exchange.client.description)
    json.key("server")
    json.string(exchange.server.description)
    if let request = exchange.request { add(request) }
    if let response = exchange.response { add(response, nil) }
    if let request = exchange.request, let response = exchange.response {
      json.key("latency_us")
      json.number(response.timing.end.nanoseconds(since: request.timing.end) / 1000)
    }
    if !exchange.anomalies.isEmpty {
      json.key("anomalies")
      json.beginArray()
      for anomaly in exchange.anomalies.members { json.string(anomaly.identifier) }
      json.endArray()
    }
    json.endObject()
    json.endLine()
  }

  /// An attempt, beside the answer that was recorded.
  init(_ attempt: Attempt, of exchange: Exchange, _ request: HTTPRequest, target: String) {
    begin("attempt", attempt.sent ?? attempt.scheduled, attempt.exchange)
    json.key("target")
    json.string(target)
    json.key("role")
    json.string(attempt.role.identifier)
    add(request)
    json.key("outcome")
    json.string(attempt.outcome.identifier)
    if let response = attempt.response { add(response, exchange.response) }
    if let sent = attempt.sent {
      json.key("latency_us")
      json.number(attempt.end.nanoseconds(since: sent) / 1000)
      json.key("lag_us")
      json.number(sent.nanoseconds(since: attempt.scheduled) / 1000)
    }
    json.endObject()
    json.endLine()
  }

  var bytes: [UInt8] { json.bytes }

  private mutating func begin(_ kind: String, _ time: Timestamp, _ id: ExchangeID) {
    json.beginObject()
    json.key("time")
    json.string(time.description)
    json.key("kind")
    json.string(kind)
    json.key("id")
    json.string(id.description)
  }

  private mutating func add(_ request: HTTPRequest) {
    json.key("method")
    json.string(bytes: request.method)
    json.key("path")
    json.string(bytes: request.target.prefix { $0 != 0x3f })
    json.key("request_bytes")
    json.number(request.body.size)
  }

  private mutating func add(_ response: HTTPResponse, _ recorded: HTTPResponse?) {
    json.key("status")
    json.number(response.status)
    json.key("response_bytes")
    json.number(response.body.size)
    guard let recorded else { return }
    json.key("primary_status")
    json.number(recorded.status)
  }
}

/// A line of the audit log: who did what, when.
struct AuditLine {
  private var json = JSONWriter(reservingCapacity: 512)

  init(_ event: String, command: String, _ facts: [(String, String)]) {
    json.beginObject()
    for (name, value) in [
      ("time", Timestamp(nanoseconds: wallNow()).description), ("event", event), ("command", command),
      ("version", umbraVersion),
    ] {
      json.key(name)
      json.string(value)
    }
    for (name, value) in [("pid", Int64(getpid())), ("uid", Int64(getuid())), ("euid", Int64(geteuid()))] {
      json.key(name)
      json.number(value)
    }
    if let user = getenv("SUDO_USER") {
      json.key("sudo_user")
      json.string(String(cString: user))
    }
    for (name, value) in facts {
      json.key(name)
      json.string(value)
    }
    json.endObject()
    json.endLine()
  }

  var bytes: [UInt8] { json.bytes }
}
