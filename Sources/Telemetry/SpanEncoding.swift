// Spans to an ExportTraceServiceRequest of OTLP/HTTP in JSON (OpenTelemetry protocol 1.x: identifiers in hexadecimal,
// 64-bit numbers as strings, enumerations as numbers).

import HTTPModel

extension AttemptSpan {
  static func request(_ spans: [AttemptSpan], version: String) -> [UInt8] {
    var json = JSONWriter(reservingCapacity: 512 * spans.count)
    json.beginObject()
    json.key("resourceSpans")
    json.beginArray()
    json.beginObject()
    json.key("resource")
    json.beginObject()
    json.attributes([("service.name", .text("umbra")), ("service.version", .text(version))])
    json.endObject()
    json.key("scopeSpans")
    json.beginArray()
    json.beginObject()
    json.key("scope")
    json.beginObject()
    json.key("name")
    json.string("umbra.replay")
    json.endObject()
    json.key("spans")
    json.beginArray()
    for span in spans { span.write(to: &json) }
    json.endArray()
    json.endObject()
    json.endArray()
    json.endObject()
    json.endArray()
    json.endObject()
    return json.takeBytes()
  }

  private func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("traceId", context.traceText)
    json.member("spanId", TraceContext.text(spanID))
    if hasParent { json.member("parentSpanId", TraceContext.text(context.spanID)) }
    if let state = context.state { json.member("traceState", state) }
    json.member("name", method)
    // SPAN_KIND_CLIENT.
    json.key("kind")
    json.number(3)
    json.member("startTimeUnixNano", "\(max(0, start.nanoseconds))")
    json.member("endTimeUnixNano", "\(max(0, end.nanoseconds))")
    var attributes: [(String, JSONWriter.Attribute)] = [
      ("http.request.method", .text(method)), ("url.path", .text(path)), ("umbra.target", .text(target)),
      ("umbra.role", .text(role.identifier)),
      ("umbra.exchange", .text(exchange.description)), ("umbra.outcome", .text(outcome.identifier)),
      ("umbra.lag_ns", .number(start.nanoseconds(since: scheduled))),
    ]
    if let status { attributes.append(("http.response.status_code", .number(Int64(status)))) }
    if !context.baggageKeys.isEmpty { attributes.append(("umbra.baggage_keys", .texts(context.baggageKeys))) }
    json.attributes(attributes)
    json.key("status")
    json.beginObject()
    // STATUS_CODE_ERROR as for clients: no answer, or one from 400.
    if outcome != .answered || (status ?? 0) >= 400 {
      json.key("code")
      json.number(2)
      if outcome != .answered { json.member("message", outcome.identifier) }
    }
    json.endObject()
    json.endObject()
  }
}

extension JSONWriter {
  fileprivate enum Attribute {
    case text(String)
    case texts([String])
    case number(Int64)
  }

  fileprivate mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  fileprivate mutating func attributes(_ attributes: [(String, Attribute)]) {
    key("attributes")
    beginArray()
    for (name, value) in attributes {
      beginObject()
      member("key", name)
      key("value")
      beginObject()
      switch value {
      case .text(let text): member("stringValue", text)
      case .number(let number): member("intValue", "\(number)")
      case .texts(let texts):
        key("arrayValue")
        beginObject()
        key("values")
        beginArray()
        for text in texts {
          beginObject()
          member("stringValue", text)
          endObject()
        }
        endArray()
        endObject()
      }
      endObject()
      endObject()
    }
    endArray()
  }
}
