// What an exchange has beyond its messages, as JSON. Keys stand only where there is something to say.

import HTTP2Decoding
import HTTPModel

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
