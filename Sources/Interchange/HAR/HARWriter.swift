// Exchanges to a HAR 1.2 file. In: exchanges in order of request start. Out: JSON, an entry at a time. What HAR has no
// place for and umbra reads back stands in `_umbra`, which other programs pass over. Owner: one conversion.
// Bounds: one exchange; a body with its content coding undone is at most `contentLimit` bytes.

import ContentCoding
public import HTTPModel

/// Writes HAR files.
public struct HARWriter: ExchangeWriting {
  public private(set) var notes = ConversionNotes()
  private let version: String
  private var isFirst = true
  private let contentLimit = 256 << 20

  /// - Parameter version: of the tool, for `creator`.
  public init(version: String) { self.version = version }

  public mutating func begin(into bytes: inout [UInt8]) {
    bytes += #"{"log":{"version":"1.2","creator":{"name":"umbra","version":""#.utf8
    bytes += version.utf8
    bytes += "\"},\"pages\":[],\"entries\":[".utf8
  }

  public mutating func end(into bytes: inout [UInt8]) { bytes += "\n]}}\n".utf8 }

  public mutating func append(_ exchange: Exchange, attempts: [Attempt], into bytes: inout [UInt8]) {
    guard let request = exchange.request else {
      notes.add(.responsesWithoutRequest)
      return
    }
    bytes += isFirst ? "\n".utf8 : ",\n".utf8
    isFirst = false
    var json = JSONWriter(reservingCapacity: 2048)
    json.beginObject()
    json.key("startedDateTime")
    // Six decimals: what every reader of dates takes.
    json.string("\(exchange.start)".prefix(26) + "Z")
    json.key("time")
    json.number(milliseconds(from: exchange.start, to: exchange.response?.timing.end ?? request.timing.end))
    write(request, of: exchange, to: &json)
    write(exchange.response, to: &json)
    json.key("cache")
    json.beginObject()
    json.endObject()
    writeTimings(of: exchange, request, to: &json)
    if exchange.server.address != IPAddress(v4: 0) {
      json.key("serverIPAddress")
      json.string("\(exchange.server.address)")
    }
    json.key("connection")
    json.string("\(exchange.id.connection)")
    writeMessages(of: exchange, to: &json)
    writeOwn(exchange, to: &json)
    json.endObject()
    bytes += json.bytes
    note(exchange, attempts)
  }

  private mutating func note(_ exchange: Exchange, _ attempts: [Attempt]) {
    notes.add(.interimResponses, UInt64(exchange.response?.informational.count ?? 0))
    if let messages = exchange.details.messages, messages.protocol != .webSocket { notes.add(.streamMessages) }
    if !exchange.details.unresolved.isEmpty { notes.add(.unresolvedFields) }
    if exchange.request?.trailers.isEmpty == false { notes.add(.trailers) }
    notes.add(.attempts, UInt64(attempts.count))
    for body in [exchange.request?.body, exchange.response?.body] {
      if let body, !body.isComplete { notes.add(.incompleteBodies) }
    }
  }

  private func milliseconds(from start: Timestamp, to end: Timestamp) -> Double {
    max(0, Double(end.nanoseconds(since: start)) / 1e6)
  }

  private func writeTimings(of exchange: Exchange, _ request: HTTPRequest, to json: inout JSONWriter) {
    json.key("timings")
    json.beginObject()
    for name in ["blocked", "dns", "connect", "ssl"] {
      json.key(name)
      json.number(-1)
    }
    json.key("send")
    json.number(milliseconds(from: request.timing.start, to: request.timing.end))
    json.key("wait")
    json.number(exchange.response.map { milliseconds(from: request.timing.end, to: $0.timing.start) } ?? 0)
    json.key("receive")
    json.number(exchange.response.map { milliseconds(from: $0.timing.start, to: $0.timing.end) } ?? 0)
    json.endObject()
  }

  // MARK: Messages

  private mutating func write(_ request: HTTPRequest, of exchange: Exchange, to json: inout JSONWriter) {
    let target = String(decoding: request.target, as: UTF8.self)
    let authority = request.authority.map { String(decoding: $0, as: UTF8.self) } ?? "\(exchange.server)"
    let scheme = exchange.isTLS ? "https" : "http"
    json.key("request")
    json.beginObject()
    json.key("method")
    json.string(bytes: request.method)
    json.key("url")
    json.string(
      target.contains("://") ? target : "\(scheme)://\(authority)\(target.hasPrefix("/") ? "" : "/")\(target)")
    json.key("httpVersion")
    json.string(request.version.nameInHAR)
    write(cookies: request.fields, name: "cookie", to: &json)
    write(request.fields, as: "headers", to: &json)
    json.key("queryString")
    json.beginArray()
    for pair in target.split(separator: "?", maxSplits: 1).dropFirst().first?.split(separator: "&") ?? [] {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      writePair(parts.first.map(String.init) ?? "", parts.count > 1 ? String(parts[1]) : "", to: &json)
    }
    json.endArray()
    if !request.body.bytes.isEmpty {
      let mediaType = request.fields.first("content-type").map { String(decoding: $0, as: UTF8.self) } ?? ""
      json.key("postData")
      json.beginObject()
      json.key("mimeType")
      json.string(mediaType)
      write(text: request.body.bytes, mediaType, to: &json)
      json.endObject()
    }
    json.key("headersSize")
    json.number(request.version == .http2 ? -1 : request.fields.storage.count)
    json.key("bodySize")
    json.number(request.body.size)
    json.endObject()
  }

  private mutating func write(_ response: HTTPResponse?, to json: inout JSONWriter) {
    let fields = response?.fields ?? HeaderFields()
    let mediaType = fields.first("content-type").map { String(decoding: $0, as: UTF8.self) } ?? ""
    let body = response?.body ?? HTTPBody()
    let codings = ContentCoding.names(in: fields.indices(of: "content-encoding").map { fields.value(at: $0) })
    let content = codings.isEmpty ? nil : try? ContentCoding.decode(body.bytes, codings: codings, limit: contentLimit)
    json.key("response")
    json.beginObject()
    json.key("status")
    json.number(response?.status ?? 0)
    json.key("statusText")
    json.string(bytes: response?.reason ?? [])
    json.key("httpVersion")
    json.string(response?.version.nameInHAR ?? "unknown")
    write(cookies: fields, name: "set-cookie", to: &json)
    write(fields, as: "headers", to: &json)
    if let trailers = response?.trailers, !trailers.isEmpty { write(trailers, as: "_trailers", to: &json) }
    json.key("content")
    json.beginObject()
    json.key("size")
    json.number(content.map { UInt64($0.count) } ?? body.size)
    if let content, body.isComplete {
      json.key("compression")
      json.number(Int64(content.count) - Int64(body.bytes.count))
    }
    json.key("mimeType")
    json.string(mediaType)
    if !body.bytes.isEmpty { write(text: content ?? body.bytes, mediaType, to: &json) }
    json.endObject()
    json.key("redirectURL")
    json.string(bytes: fields.first("location") ?? [])
    json.key("headersSize")
    json.number(response == nil || response?.version == .http2 ? -1 : fields.storage.count)
    json.key("bodySize")
    json.number(response == nil ? -1 : Int64(clamping: body.size))
    json.endObject()
  }

  private mutating func write(_ fields: HeaderFields, as name: String, to json: inout JSONWriter) {
    json.key(name)
    json.beginArray()
    for index in fields.ranges.indices where !fields.isPseudoField(index) {
      if String(validating: fields.value(at: index), as: UTF8.self) == nil { notes.add(.notUTF8) }
      writePair(
        String(decoding: fields.name(at: index), as: UTF8.self),
        String(decoding: fields.value(at: index), as: UTF8.self),
        to: &json)
    }
    json.endArray()
  }

  private func write(cookies fields: HeaderFields, name: StaticString, to json: inout JSONWriter) {
    json.key("cookies")
    json.beginArray()
    for index in fields.indices(of: name) {
      let pairs = String(decoding: fields.value(at: index), as: UTF8.self).split(separator: ";")
      // The pairs behind the first of a Set-Cookie are attributes.
      for pair in name.utf8CodeUnitCount == 6 ? pairs : Array(pairs.prefix(1)) {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        writePair(parts[0].trimmingBlanks, parts.count > 1 ? parts[1].trimmingBlanks : "", to: &json)
      }
    }
    json.endArray()
  }

  private func writePair(_ name: String, _ value: String, to json: inout JSONWriter) {
    json.beginObject()
    json.key("name")
    json.string(name)
    json.key("value")
    json.string(value)
    json.endObject()
  }

  /// As text where a reader gets the same bytes back from it.
  private func write(text bytes: [UInt8], _ mediaType: String, to json: inout JSONWriter) {
    let charset = MediaTypeText.charset(of: mediaType) ?? "utf-8"
    let isSafe = charset == "utf-8" || charset == "utf8" || !bytes.contains { $0 >= 0x80 }
    json.key("text")
    if isSafe, let text = String(validating: bytes, as: UTF8.self) {
      json.string(text)
    } else {
      json.string(base64Encoded(bytes))
      json.key("encoding")
      json.string("base64")
    }
  }

  // MARK: What goes beyond HAR 1.2

  private func writeMessages(of exchange: Exchange, to json: inout JSONWriter) {
    guard let messages = exchange.details.messages, messages.protocol == .webSocket else { return }
    json.key("_resourceType")
    json.string("websocket")
    json.key("_webSocketMessages")
    json.beginArray()
    for message in messages.messages {
      let bytes = messages.bytes(of: message, in: nil) ?? []
      json.beginObject()
      json.key("type")
      json.string(message.direction == .request ? "send" : "receive")
      json.key("time")
      json.number(Double(message.time.nanoseconds) / 1e9)
      json.key("opcode")
      json.number(message.kind.rawValue)
      json.key("data")
      if message.kind == .text { json.string(bytes: bytes) } else { json.string(base64Encoded(bytes)) }
      json.endObject()
    }
    json.endArray()
  }

  private func writeOwn(_ exchange: Exchange, to json: inout JSONWriter) {
    json.key("_umbra")
    json.beginObject()
    json.key("id")
    json.string("\(exchange.id)")
    json.key("client")
    json.string("\(exchange.client)")
    json.key("server")
    json.string("\(exchange.server)")
    if let stream = exchange.stream {
      json.key("stream")
      json.number(stream)
    }
    for (name, body) in [("request_size", exchange.request?.body), ("response_size", exchange.response?.body)] {
      guard let body, !body.isComplete else { continue }
      json.key(name)
      json.number(body.size)
    }
    json.key("anomalies")
    json.beginArray()
    for anomaly in exchange.anomalies.members { json.string(anomaly.identifier) }
    json.endArray()
    json.endObject()
  }
}

extension HTTPVersion {
  fileprivate var nameInHAR: String {
    switch self {
    case .http10: "HTTP/1.0"
    case .http11: "HTTP/1.1"
    case .http2: "HTTP/2"
    }
  }
}
