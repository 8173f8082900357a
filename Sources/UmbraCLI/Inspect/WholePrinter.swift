// One exchange whole, for a person.

import HTTP2Decoding
import HTTPModel

/// One exchange with heads, bodies and what is odd about it.
struct WholePrinter: ExchangePrinter {
  var palette = Palette(isOn: false)
  /// Bodies as they were sent.
  var isRaw = false
  /// What names the fields of gRPC messages.
  var types: MessageTypes?
  var header: String? { nil }

  private func bodies(_ exchange: Exchange? = nil) -> BodyText {
    BodyText(palette: palette, isRaw: isRaw, types: types, call: exchange?.request?.target ?? [])
  }

  func text(_ exchange: Exchange) -> [UInt8] {
    var text = palette.strong("Exchange \(exchange.id)") + "  \(exchange.start)\n"
    text += "\(exchange.client) -> \(exchange.server)  \(exchange.version.identifier)"
    text += exchange.stream.map { ", stream \($0)\n" } ?? "\n"
    text += connection(exchange.connection)
    if let reset = exchange.details.reset {
      let name = HTTP2ErrorCode(rawValue: reset.code).name ?? "error \(reset.code)"
      text += "reset by the \(reset.byClient ? "client" : "server"): \(name)\n"
    }
    if let parent = exchange.details.promisedBy { text += "pushed by stream \(parent)\n" }
    for anomaly in exchange.anomalies.members { text += palette.warning("anomaly: \(anomaly.identifier)") + "\n" }
    if let request = exchange.request {
      text += "\n> " + palette.strong(line(request.method) + " " + line(request.target)) + "\n"
      text += fields(request.fields, prefix: "> ")
      text += bodies(exchange).text(
        request.body, request.fields, messages: exchange.details.messages, direction: .request)
      text += fields(request.trailers, prefix: "> (trailer) ")
    } else {
      text += "\n> (no request seen)\n"
    }
    text +=
      exchange.response.map { answer($0, after: exchange.latency, of: exchange) }
      ?? "\n< (no response seen)\n"
    if let messages = exchange.details.messages { text += list(messages, of: exchange) }
    return Array(text.utf8)
  }

  /// A line for each message, with the beginning of its text.
  private func list(_ messages: StreamMessages, of exchange: Exchange) -> String {
    var text = "\n"
    for message in messages.messages.prefix(1000) {
      let isRequest = message.direction == .request
      let after = shortDuration(message.time.nanoseconds(since: exchange.start))
      text +=
        "\(isRequest ? ">" : "<") message \(message.kind.identifier), \(counted(message.length, "byte")), at \(after)"
      let bytes = messages.bytes(of: message, in: isRequest ? exchange.request?.body : exchange.response?.body)
      if message.kind == .text, let content = bytes.flatMap({ String(validating: $0.prefix(2000), as: UTF8.self) }) {
        text += ": " + visibleLine(content)
      }
      text += "\n"
    }
    let more = messages.omitted + UInt64(max(0, messages.messages.count - 1000))
    return more > 0 ? text + "(\(counted(more, "message")) not shown)\n" : text
  }

  private func connection(_ facts: ConnectionFacts?) -> String {
    guard let facts else { return "" }
    var text = facts.encapsulation.isEmpty ? "" : "through \(facts.encapsulation)\n"
    if let tls = facts.tls {
      let parts = [tls.version, tls.suite, tls.serverName, tls.applicationProtocol].compactMap { $0 }
      text += visibleLine(parts.joined(separator: ", ")) + "\n"
    }
    return text
  }

  /// What came of sending the request again.
  func text(_ attempt: Attempt) -> [UInt8] {
    var text =
      "\nReplayed \(attempt.sent ?? attempt.scheduled) to the \(attempt.role.identifier): \(attempt.outcome.identifier)\n"
    if let response = attempt.response {
      text += answer(response, after: attempt.sent.map { attempt.end.nanoseconds(since: $0) })
    }
    return Array(text.utf8)
  }

  private func answer(_ response: HTTPResponse, after latency: Int64?, of exchange: Exchange? = nil) -> String {
    var text = ""
    for interim in response.informational {
      text += "\n< \(interim.status)\n" + fields(interim.fields, prefix: "< ")
    }
    text += "\n< " + palette.status(palette.strong("\(response.status) " + line(response.reason)), response.status)
    text += latency.map { "  (after \(shortDuration($0)))\n" } ?? "\n"
    text += fields(response.fields, prefix: "< ")
    text += bodies(exchange).text(
      response.body, response.fields, messages: exchange?.details.messages, direction: .response)
    return text + fields(response.trailers, prefix: "< (trailer) ")
  }

  private func line(_ bytes: ArraySlice<UInt8>) -> String { visibleLine(String(decoding: bytes, as: UTF8.self)) }

  private func fields(_ fields: HeaderFields, prefix: String) -> String {
    fields.ranges.indices.map { index in
      // Nothing was seen of a name that stands in a table of before.
      let name = fields.name(at: index).isEmpty ? "(unknown)" : line(fields.name(at: index))
      return "\(prefix)\(palette.name(name)): \(line(fields.value(at: index)))\n"
    }.joined()
  }
}
