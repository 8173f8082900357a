// One exchange a line, as INTERFACE promises it to scripts.

import Crypto
import HTTPModel

/// Turns exchanges into text for `umbra show`.
protocol ExchangePrinter {
  /// Printed once, before the first exchange.
  var header: String? { get }
  func text(_ exchange: Exchange) -> [UInt8]
  /// Printed once, after the last.
  var footer: String? { get }
}

extension ExchangePrinter {
  var footer: String? { nil }
}

struct JSONLinePrinter: ExchangePrinter {
  /// Adds `text` or `base64` to each body.
  var inlinesBodies: Bool
  /// Adds `json` to each gRPC message whose type it knows.
  var types: MessageTypes?
  /// Adds `endpoint`.
  var names: EndpointNames?
  var header: String? { nil }

  func text(_ exchange: Exchange) -> [UInt8] {
    var json = JSONWriter(reservingCapacity: 1024)
    json.beginObject()
    json.key("id")
    json.string("\(exchange.id)")
    json.key("protocol")
    json.string(exchange.version.identifier)
    json.key("connection")
    json.number(exchange.id.connection)
    json.key("stream")
    if let stream = exchange.stream { json.number(stream) } else { json.null() }
    json.key("client")
    json.string("\(exchange.client)")
    json.key("server")
    json.string("\(exchange.server)")
    json.key("tls")
    json.bool(exchange.isTLS)
    json.key("start")
    json.string("\(exchange.start)")
    if let names {
      json.key("endpoint")
      if let name = names.name(of: exchange) { json.string(name) } else { json.null() }
    }
    json.key("request")
    if let request = exchange.request { write(request, of: exchange, to: &json) } else { json.null() }
    json.key("response")
    if let response = exchange.response { write(response, to: &json) } else { json.null() }
    json.key("timing")
    writeTiming(of: exchange, to: &json)
    if exchange.hasDetails { write(exchange.details, of: exchange, to: &json) }
    if let connection = exchange.connection { write(connection, to: &json) }
    json.key("anomalies")
    json.beginArray()
    for anomaly in exchange.anomalies.members { json.string(anomaly.identifier) }
    json.endArray()
    json.endObject()
    json.endLine()
    return json.bytes
  }

  private func write(_ request: HTTPRequest, of exchange: Exchange, to json: inout JSONWriter) {
    json.beginObject()
    json.key("method")
    json.string(bytes: request.method)
    json.key("target")
    json.string(bytes: request.target)
    json.key("scheme")
    if let scheme = request.scheme {
      json.string(bytes: scheme)
    } else {
      json.string(exchange.isTLS ? "https" : "http")
    }
    json.key("authority")
    if let authority = request.authority { json.string(bytes: authority) } else { json.null() }
    json.key("headers")
    write(request.fields, to: &json)
    json.key("trailers")
    write(request.trailers, to: &json)
    json.key("body")
    write(request.body, to: &json)
    json.endObject()
  }

  private func write(_ response: HTTPResponse, to json: inout JSONWriter) {
    json.beginObject()
    json.key("status")
    json.number(response.status)
    json.key("reason")
    json.string(bytes: response.reason)
    json.key("headers")
    write(response.fields, to: &json)
    json.key("trailers")
    write(response.trailers, to: &json)
    json.key("informational")
    json.beginArray()
    for interim in response.informational { json.number(interim.status) }
    json.endArray()
    json.key("body")
    write(response.body, to: &json)
    json.endObject()
  }

  private func write(_ fields: HeaderFields, to json: inout JSONWriter) {
    json.beginArray()
    for index in fields.ranges.indices where !fields.isPseudoField(index) {
      json.beginArray()
      json.string(bytes: fields.name(at: index))
      json.string(bytes: fields.value(at: index))
      json.endArray()
    }
    json.endArray()
  }

  private func write(_ body: HTTPBody, to json: inout JSONWriter) {
    json.beginObject()
    json.key("size")
    json.number(body.size)
    json.key("sha256")
    if body.isComplete { json.string(hex(SHA256.hash(data: body.bytes))) } else { json.null() }
    json.key("complete")
    json.bool(body.isComplete)
    if !body.missing.isEmpty {
      json.key("missing")
      json.beginArray()
      for range in body.missing {
        json.beginArray()
        json.number(range.lowerBound)
        if range.upperBound == .max { json.null() } else { json.number(range.upperBound &- range.lowerBound) }
        json.endArray()
      }
      json.endArray()
    }
    if inlinesBodies {
      // Text that would not come back as the same bytes goes as base64.
      if let text = String(validating: body.bytes, as: UTF8.self) {
        json.key("text")
        json.string(text)
      } else {
        json.key("base64")
        json.string(base64(body.bytes))
      }
    }
    json.endObject()
  }

  private func writeTiming(of exchange: Exchange, to json: inout JSONWriter) {
    func microseconds(_ end: Timestamp?, since start: Timestamp?) -> Int64? {
      guard let end, let start else { return nil }
      return end.nanoseconds(since: start) / 1000
    }
    let start = exchange.request?.timing.start
    let values: [(String, Int64?)] = [
      ("request_us", microseconds(exchange.request?.timing.end, since: start)),
      ("first_byte_us", microseconds(exchange.response?.timing.start, since: start)),
      ("total_us", microseconds(exchange.response?.timing.end, since: start)),
    ]
    json.beginObject()
    for (name, value) in values {
      json.key(name)
      if let value { json.number(value) } else { json.null() }
    }
    json.endObject()
  }
}
