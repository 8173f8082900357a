// What an exchange has beyond its messages, as JSON. Keys stand only where there is something to say.

import HTTP2Decoding
import HTTPModel
import MessageFraming

extension JSONLinePrinter {
  func write(_ details: ExchangeDetails, of exchange: Exchange, to json: inout JSONWriter) {
    if let reset = details.reset {
      json.key("reset")
      json.beginObject()
      json.key("by")
      json.string(reset.byClient ? "client" : "server")
      json.key("code")
      json.number(reset.code)
      json.key("name")
      if let name = HTTP2ErrorCode(rawValue: reset.code).name { json.string(name) } else { json.null() }
      json.endObject()
    }
    if let parent = details.promisedBy {
      json.key("pushed_by")
      json.number(parent)
    }
    if !details.unresolved.isEmpty { write(details.unresolved, of: exchange, to: &json) }
    if let messages = details.messages {
      if messages.protocol != .webSocket { writeCall(exchange, messages, to: &json) }
      write(messages, of: exchange, to: &json)
    }
  }

  private func writeCall(_ exchange: Exchange, _ messages: StreamMessages, to json: inout JSONWriter) {
    let trailers = messages.webTrailers(in: exchange.response?.body)
    guard let call = GRPCCall(request: exchange.request, response: exchange.response, webTrailers: trailers) else {
      return
    }
    json.key("grpc")
    json.beginObject()
    json.key("method")
    if let path = call.path { json.string(bytes: path[...]) } else { json.null() }
    json.key("status")
    if let status = call.status { json.number(status.code) } else { json.null() }
    json.key("message")
    if let status = call.status { json.string(status.message) } else { json.null() }
    json.key("kind")
    json.string(GRPCCallKind(messages: messages).rawValue)
    for (name, direction) in [("request_messages", StreamMessage.Direction.request), ("response_messages", .response)] {
      json.key(name)
      json.number(messages.messages.count { $0.direction == direction && $0.kind == .grpc })
    }
    json.endObject()
  }

  /// Each with its direction, time since the exchange's start, kind and size; with bodies inlined, its contents too.
  private func write(_ messages: StreamMessages, of exchange: Exchange, to json: inout JSONWriter) {
    json.key("messages")
    json.beginArray()
    for message in messages.messages {
      json.beginObject()
      json.key("from")
      json.string(message.direction == .request ? "client" : "server")
      json.key("at_us")
      json.number(message.time.nanoseconds(since: exchange.start) / 1000)
      json.key("kind")
      json.string(message.kind.identifier)
      json.key("size")
      json.number(message.length)
      for (flag, name) in StreamMessage.Flags.names where message.flags.contains(flag) {
        json.key(name)
        json.bool(true)
      }
      let body = message.direction == .request ? exchange.request?.body : exchange.response?.body
      if message.kind == .grpc, let types, let path = exchange.request?.target {
        let fields = message.direction == .request ? exchange.request?.fields : exchange.response?.fields
        let content = messages.content(of: message, in: body, coding: fields?.grpcEncoding)
        if let text = content.flatMap({ types.json($0, message.direction, of: path) }) {
          json.key("json")
          json.value(text: text)
        }
      }
      if inlinesBodies, let bytes = messages.bytes(of: message, in: body) {
        if message.kind != .grpc, let text = String(validating: bytes, as: UTF8.self) {
          json.key("text")
          json.string(text)
        } else {
          json.key("base64")
          json.string(base64(Array(bytes)))
        }
      }
      json.endObject()
    }
    json.endArray()
    if messages.omitted > 0 {
      json.key("messages_omitted")
      json.number(messages.omitted)
    }
  }

  /// Fields of which a part is not known: in which section, at which place of its array there.
  private func write(_ fields: [UnresolvedField], of exchange: Exchange, to json: inout JSONWriter) {
    json.key("unresolved")
    json.beginArray()
    for field in fields {
      guard let place = place(of: field, in: exchange) else { continue }
      json.beginObject()
      json.key("in")
      json.string(field.section.identifier)
      json.key("field")
      json.number(place)
      json.key("name_known")
      json.bool(!field.isNameUnknown)
      json.key("assumed")
      json.bool(field.isAssumed)
      json.endObject()
    }
    json.endArray()
  }

  /// Its index in the array that is printed, which lacks the pseudo-header fields; nil for one of those.
  private func place(of field: UnresolvedField, in exchange: Exchange) -> Int? {
    guard field.section == .request, let fields = exchange.request?.fields else { return Int(field.field) }
    guard field.field < fields.count, !fields.isPseudoField(Int(field.field)) else { return nil }
    return (0..<Int(field.field)).count { !fields.isPseudoField($0) }
  }

  func write(_ connection: ConnectionFacts, to json: inout JSONWriter) {
    if !connection.encapsulation.isEmpty {
      json.key("encapsulation")
      json.string(connection.encapsulation)
    }
    guard let tls = connection.tls else { return }
    json.key("tls_session")
    json.beginObject()
    json.key("version")
    json.string(tls.version)
    json.key("suite")
    json.string(tls.suite)
    json.key("server_name")
    if let name = tls.serverName { json.string(name) } else { json.null() }
    json.key("alpn")
    if let name = tls.applicationProtocol { json.string(name) } else { json.null() }
    json.endObject()
  }
}

extension UnresolvedField.Section {
  /// The path of the section in the printed exchange.
  fileprivate var identifier: String {
    switch self {
    case .request: "request.headers"
    case .response: "response.headers"
    case .requestTrailers: "request.trailers"
    case .responseTrailers: "response.trailers"
    }
  }
}

extension StreamMessage.Kind {
  /// The stable name.
  var identifier: String {
    switch self {
    case .unknown: "unknown"
    case .text: "text"
    case .binary: "binary"
    case .close: "close"
    case .ping: "ping"
    case .pong: "pong"
    case .reserved: "reserved"
    case .grpc: "grpc"
    case .trailers: "trailers"
    }
  }
}

extension StreamMessage.Flags {
  fileprivate static let names: [(StreamMessage.Flags, String)] = [
    (.compressed, "compressed"), (.stillCompressed, "still_compressed"), (.incomplete, "incomplete"), (.cut, "cut"),
    (.fragmented, "fragmented"),
  ]
}
