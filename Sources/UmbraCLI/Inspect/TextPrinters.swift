// Exchanges for a person: a line each within 80 columns, one of them whole, or as a curl command.

import HTTP2Decoding
import HTTPModel

/// A line an exchange.
struct LinePrinter: ExchangePrinter {
  var colour: Bool

  var header: String? {
    "ID         TIME          METHOD  STATUS      SIZE   LATENCY  TARGET\n"
  }

  func text(_ exchange: Exchange) -> [UInt8] {
    let method = exchange.request.map { String(decoding: $0.method, as: UTF8.self) } ?? "-"
    let status = exchange.response.map { "\($0.status)" } ?? "-"
    let size = exchange.response.map { ByteSize(bytes: Int(clamping: $0.body.size)).description } ?? "-"
    let latency = exchange.latency.map(shortDuration) ?? "-"
    let target = exchange.request.map { String(decoding: $0.target, as: UTF8.self) } ?? "(no request seen)"
    // hh:mm:ss.mmm of the RFC 3339 text.
    let time = "\(exchange.start)".dropFirst(11).prefix(12)
    var line = "\(exchange.id)".padded(to: 10) + " " + time + "  "
    line += shortened(visibleLine(method), to: 7).padded(to: 7) + " "
    line += coloured(status.leftPadded(to: 6), exchange.response?.status)
    line += size.leftPadded(to: 10) + latency.leftPadded(to: 10) + "  "
    let isOdd = !exchange.anomalies.isEmpty
    line += shortened(visibleLine(target), to: isOdd ? 17 : 19) + (isOdd ? " !" : "")
    return Array((line + "\n").utf8)
  }

  private func coloured(_ text: String, _ status: UInt16?) -> String {
    guard colour, let status else { return text }
    switch status {
    case 500...: return "\u{1b}[31m\(text)\u{1b}[0m"
    case 400..<500: return "\u{1b}[33m\(text)\u{1b}[0m"
    default: return text
    }
  }
}

/// One exchange with heads, bodies and what is odd about it.
struct WholePrinter: ExchangePrinter {
  var header: String? { nil }

  func text(_ exchange: Exchange) -> [UInt8] {
    var text = "Exchange \(exchange.id)  \(exchange.start)\n"
    text += "\(exchange.client) -> \(exchange.server)  \(exchange.version.identifier)"
    text += exchange.stream.map { ", stream \($0)\n" } ?? "\n"
    text += connection(exchange.connection)
    if let reset = exchange.details.reset {
      let name = HTTP2ErrorCode(rawValue: reset.code).name ?? "error \(reset.code)"
      text += "reset by the \(reset.byClient ? "client" : "server"): \(name)\n"
    }
    if let parent = exchange.details.promisedBy { text += "pushed by stream \(parent)\n" }
    for anomaly in exchange.anomalies.members { text += "anomaly: \(anomaly.identifier)\n" }
    if let request = exchange.request {
      text += "\n> " + line(request.method) + " " + line(request.target) + "\n"
      text += fields(request.fields, prefix: "> ") + body(request.body, prefix: "> ")
      text += fields(request.trailers, prefix: "> (trailer) ")
    } else {
      text += "\n> (no request seen)\n"
    }
    text += exchange.response.map { answer($0, after: exchange.latency) } ?? "\n< (no response seen)\n"
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
    var text = "\nReplayed \(attempt.sent ?? attempt.scheduled): \(attempt.outcome.identifier)\n"
    if let response = attempt.response {
      text += answer(response, after: attempt.sent.map { attempt.end.nanoseconds(since: $0) })
    }
    return Array(text.utf8)
  }

  private func answer(_ response: HTTPResponse, after latency: Int64?) -> String {
    var text = ""
    for interim in response.informational {
      text += "\n< \(interim.status)\n" + fields(interim.fields, prefix: "< ")
    }
    text += "\n< \(response.status) " + line(response.reason)
    text += latency.map { "  (after \(shortDuration($0)))\n" } ?? "\n"
    text += fields(response.fields, prefix: "< ") + body(response.body, prefix: "< ")
    return text + fields(response.trailers, prefix: "< (trailer) ")
  }

  private func line(_ bytes: ArraySlice<UInt8>) -> String { visibleLine(String(decoding: bytes, as: UTF8.self)) }

  private func fields(_ fields: HeaderFields, prefix: String) -> String {
    fields.ranges.indices.map { index in
      // Nothing was seen of a name that stands in a table of before.
      let name = fields.name(at: index).isEmpty ? "(unknown)" : line(fields.name(at: index))
      return "\(prefix)\(name): \(line(fields.value(at: index)))\n"
    }.joined()
  }

  private func body(_ body: HTTPBody, prefix: String) -> String {
    guard body.size > 0 else { return "" }
    var text = "\(prefix)\n"
    if let content = String(validating: body.bytes.prefix(65_536), as: UTF8.self),
      !content.unicodeScalars.contains("\0")
    {
      for part in content.split(separator: "\n", omittingEmptySubsequences: false) {
        text += visibleLine(String(part)) + "\n"
      }
    } else {
      text += "(\(counted(body.size, "byte")), not text)\n"
    }
    if body.bytes.count < body.size { text += "(\(grouped(body.size - UInt64(body.bytes.count))) bytes not kept)\n" }
    for range in body.missing {
      let length = range.upperBound == .max ? "the rest" : counted(range.upperBound - range.lowerBound, "byte")
      text += "(never captured: \(length) from byte \(grouped(range.lowerBound)))\n"
    }
    return text
  }
}

/// A shell command that sends the request again.
struct CurlPrinter: ExchangePrinter {
  var header: String? { nil }

  func text(_ exchange: Exchange) -> [UInt8] {
    guard let request = exchange.request else {
      return Array("# \(exchange.id): no request was seen\n".utf8)
    }
    func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
    let method = text(request.method)
    // As recorded: brackets are no ranges, dots are no steps.
    var words = ["curl", "--globoff", "--path-as-is"]
    if method == "HEAD" {
      words.append("--head")
    } else if method != "GET" || request.body.size > 0 {
      words += ["-X", quoted(method)]
    }
    if exchange.stream != nil { words.append(exchange.isTLS ? "--http2" : "--http2-prior-knowledge") }
    for index in request.fields.ranges.indices where !request.fields.isPseudoField(index) {
      let name = request.fields.name(at: index)
      // curl frames the body itself.
      if ["content-length", "transfer-encoding", "host"].contains(text(name).lowercased()) { continue }
      let value = text(request.fields.value(at: index))
      words += ["-H", quoted(value.isEmpty ? "\(text(name));" : "\(text(name)): \(value)")]
    }
    var isBinary = false
    if request.body.size > 0 {
      if let body = String(validating: request.body.bytes, as: UTF8.self), !body.contains("\0") {
        // Not --data-binary, which takes a body that begins with @ for the name of a file.
        words += ["--data-raw", quoted(body)]
      } else {
        isBinary = true
        words += ["--data-binary", "@-"]
      }
    }
    let authority = request.authority.map(text) ?? "\(exchange.server)"
    let target = text(request.target)
    let scheme = exchange.isTLS ? "https" : "http"
    if target.hasPrefix("/") {
      words.append(quoted("\(scheme)://\(authority)\(target)"))
    } else {
      words += ["--request-target", quoted(target), quoted("\(scheme)://\(authority)/")]
    }
    let command = words.joined(separator: " ")
    return Array(
      ((isBinary ? "printf %s \(base64(request.body.bytes)) | base64 -d | \(command)" : command) + "\n").utf8)
  }

  /// For a POSIX shell: in single quotes unless it is plain.
  private func quoted(_ text: String) -> String {
    let plain = text.utf8.allSatisfy {
      $0 >= 0x30 && $0 <= 0x39 || $0 >= 0x41 && $0 <= 0x5a || $0 >= 0x61 && $0 <= 0x7a || "_-./:=,@%+".utf8.contains($0)
    }
    if plain, !text.isEmpty { return text }
    return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
  }
}

/// Text off the wire for a terminal: control characters are shown, never obeyed.
func visibleLine(_ text: String) -> String {
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator:
      result += scalar == "\t" ? "  " : "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// At most `width` characters, an ellipsis in the place of what is left out.
func shortened(_ text: String, to width: Int) -> String {
  text.count <= width ? text : text.prefix(width - 1) + "…"
}
