// One mitmproxy flow as an exchange. mitmproxy keeps bodies after transfer and before content coding and header fields as
// they were sent, which is what a session has.
//
// In: its members. Out: an exchange. Owner: MitmproxyReader, for a call. Bounds: the flow.

import HTTPModel

struct FlowEntry {
  enum Problem: Error {
    /// TCP, UDP, DNS.
    case otherProtocol
    /// From before mitmproxy 7.
    case tooOld
    case missing(String)
  }

  /// The first version of the format in which a WebSocket is part of its HTTP flow: mitmproxy 7.
  static let oldestVersion: Int64 = 12

  let flow: RecordedFlow
  var notes = ConversionNotes()
  /// What tells its connection from others of the file; nil where nothing does.
  private(set) var connection: String?

  init(_ flow: RecordedFlow) { self.flow = flow }

  mutating func exchange() throws(Problem) -> Exchange {
    guard let format = flow.members["version"] else { throw .missing("a flow without a version") }
    // Up to mitmproxy 3 the version was a list.
    guard let version = format.integer, version >= Self.oldestVersion else { throw .tooOld }
    if let type = flow.members["type"]?.text, type != "http" { throw .otherProtocol }
    guard let members = flow.request else { throw .missing("an HTTP flow without a request") }
    let nothing = FlowValue(type: UInt8(ascii: "~"), bytes: [])
    let client = flow.members["client_conn"] ?? nothing
    let server = flow.members["server_conn"] ?? nothing
    let created = (flow.members["timestamp_created"] ?? client["timestamp_start"])?.time ?? Timestamp(nanoseconds: 0)
    var exchange = Exchange()
    let http = httpVersion(members["http_version"])
    // On either side of the proxy.
    exchange.isTLS =
      client["tls"]?.isTrue ?? false || members["scheme"]?.text?.lowercased() == "https"
    let times = times(of: members, after: created)
    let request = try self.request(members, http, exchange.isTLS, times)
    exchange.request = request
    if http == .http11, request.fields.first("host") == nil { exchange.anomalies.insert(.http1HostMissing) }
    if let members = flow.response {
      let times = self.times(of: members, after: times.end)
      exchange.response = try response(members, http, to: request, times, &exchange.anomalies)
    } else {
      exchange.anomalies.insert(.http1RequestWithoutResponse)
    }
    if flow.members["error"].map({ $0.type != UInt8(ascii: "~") }) == true { notes.add(.flowsWithError) }
    exchange.client = (client["peername"] ?? client["address"])?.address ?? exchange.client
    let port = UInt16(clamping: members["port"]?.integer ?? 0)
    exchange.server =
      (server["peername"] ?? server["ip_address"])?.address ?? server["address"]?.address
      ?? TransportAddress(address: members["host"]?.text.flatMap { IPAddress($0) } ?? IPAddress(v4: 0), port: port)
    exchange.connection = exchange.isTLS ? facts(client["tls"]?.isTrue == true ? client : server) : nil
    connection = client["id"]?.text
    readMessages(into: &exchange, after: exchange.end)
    return exchange
  }

  private mutating func httpVersion(_ value: FlowValue?) -> HTTPVersion {
    switch value?.text?.lowercased() {
    case "http/2.0", "http/2": return .http2
    case "http/3", "http/3.0":
      notes.add(.http3AsHTTP2)
      return .http2
    case "http/1.0", "http/0.9": return .http10
    default: return .http11
    }
  }

  private func times(of members: [String: FlowValue], after before: Timestamp) -> MessageTiming {
    let start = members["timestamp_start"]?.time ?? before
    return MessageTiming(start: start, headEnd: start, end: max(start, members["timestamp_end"]?.time ?? start))
  }

  private func facts(_ connection: FlowValue) -> ConnectionFacts? {
    guard connection["tls"]?.isTrue == true, let version = connection["tls_version"]?.text else { return nil }
    let suite = (connection["cipher"] ?? connection["cipher_name"])?.text ?? ""
    return ConnectionFacts(
      tls: TLSFacts(
        version: version, suite: registeredCipherSuite(suite), serverName: connection["sni"]?.text,
        applicationProtocol: connection["alpn"]?.text))
  }

  // MARK: Messages

  private mutating func request(
    _ members: [String: FlowValue], _ version: HTTPVersion, _ isTLS: Bool, _ timing: MessageTiming
  ) throws(Problem) -> HTTPRequest {
    guard let fields = members["headers"]?.fields else { throw .missing("a request whose header fields can't be read") }
    var head = MessageComposition(version: version, fields: fields)
    let method = members["method"]?.bytes ?? []
    var target = members["path"]?.bytes ?? []
    var authority = members["authority"]?.bytes ?? []
    if authority.isEmpty, let host = members["host"]?.text, !host.isEmpty {
      let name = host.contains(":") ? "[\(host)]" : host
      let port = members["port"]?.integer ?? 0
      authority = Array((port == 0 || port == (isTLS ? 443 : 80) ? name : "\(name):\(port)").utf8)
    }
    let isConnect = method.elementsEqual("CONNECT".utf8)
    if isConnect { target = authority }
    if version == .http2 {
      // Sent as Host where the flow names no authority.
      let isHost = members["authority"]?.bytes.isEmpty ?? true && head.first("host") != nil
      if !isHost { head.fields.insert((Array(":authority".utf8), authority), at: 0) }
      if !isConnect { head.fields.insert((Array(":scheme".utf8), Array((isTLS ? "https" : "http").utf8)), at: 0) }
    }
    head.sanitise(&notes)
    var body = members["content"]?.body ?? HTTPBody()
    if members["content"]?.isNothing ?? true {
      let length = head.first("content-length").flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
      let isSafe = ["GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"].contains { method.elementsEqual($0.utf8) }
      if length != nil || !isSafe || head.first("transfer-encoding") != nil { body = unseen(length) }
      body.framing = version == .http2 ? .stream : length == nil ? head.responseFraming : .contentLength
      if body.isComplete || body.framing == .close { body.framing = version == .http2 ? .stream : .none }
    } else {
      body.framing = head.settleRequestFraming(body, &notes)
    }
    var request = head.request(method: method, target: target, body: body, timing: timing)
    let trailers = MessageComposition.trailers(members["trailers"]?.fields ?? [], &notes)
    if !trailers.isEmpty { request.trailers = trailers }
    return request
  }

  private mutating func response(
    _ members: [String: FlowValue], _ version: HTTPVersion, to request: HTTPRequest, _ timing: MessageTiming,
    _ anomalies: inout AnomalySet
  ) throws(Problem) -> HTTPResponse {
    guard let status = members["status_code"]?.integer.flatMap({ UInt16(exactly: $0) }), (100...999).contains(status)
    else { throw .missing("a response without a status") }
    guard let fields = members["headers"]?.fields else {
      throw .missing("a response whose header fields can't be read")
    }
    // The request's version: what the server behind the proxy spoke, the client never saw.
    var head = MessageComposition(version: version, fields: fields)
    if version == .http2, httpVersion(members["http_version"]) != .http2 { head.translateToHTTP2() }
    head.sanitise(&notes)
    let mayHaveBody =
      !request.method.elementsEqual("HEAD".utf8) && status >= 200 && status != 204 && status != 304
      && !(request.method.elementsEqual("CONNECT".utf8) && status < 300)
    var body = HTTPBody()
    if mayHaveBody {
      let content = members["content"]
      if content?.isNothing ?? true {
        body = unseen(head.first("content-length").flatMap { Int64(String(decoding: $0, as: UTF8.self)) })
        if !body.isComplete, members["timestamp_end"]?.time == nil { anomalies.insert(.http1TruncatedByClose) }
      } else {
        body = content?.body ?? HTTPBody()
      }
      body.framing = version == .http2 ? .stream : head.responseFraming
    } else if version == .http2 {
      body.framing = .stream
    }
    var response = head.response(
      status: status, reason: members["reason"]?.bytes ?? [], body: body, timing: timing)
    let trailers = MessageComposition.trailers(members["trailers"]?.fields ?? [], &notes)
    if !trailers.isEmpty { response.trailers = trailers }
    return response
  }

  /// A body that mitmproxy passed on without keeping it.
  private mutating func unseen(_ size: Int64?) -> HTTPBody {
    var body = HTTPBody()
    if size == 0 { return body }
    notes.add(.bodiesNotInFile)
    if let size, size > 0 {
      body.lack(upTo: size)
    } else {
      body.isComplete = false
      body.missing = [BodyRange(lowerBound: 0, upperBound: .max)]
    }
    return body
  }

  // MARK: WebSocket

  private mutating func readMessages(into exchange: inout Exchange, after before: Timestamp) {
    guard let members = flow.webSocket else { return }
    var messages = StreamMessages(.webSocket)
    func add(_ kind: StreamMessage.Kind, isFromClient: Bool, _ bytes: [UInt8], at time: Timestamp, isCut: Bool) {
      messages.messages.append(
        StreamMessage(
          direction: isFromClient ? .request : .response, kind: kind, flags: isCut ? .cut : [], time: time,
          offset: UInt64(messages.bytes.count), length: UInt64(bytes.count)))
      messages.bytes += bytes
    }
    messages.omitted = flow.omittedMessages
    notes.add(.messagesOmitted, flow.omittedMessages)
    var last = before
    for message in flow.messages {
      let parts = message.elements
      guard parts.count >= 3, let opcode = parts[0].integer else {
        notes.add(.messagesOmitted)
        messages.omitted += 1
        continue
      }
      if parts.count > 3 { last = parts[3].time ?? last }
      add(
        StreamMessage.Kind(rawValue: UInt8(clamping: opcode)) ?? .reserved, isFromClient: parts[1].isTrue,
        parts[2].bytes, at: last, isCut: !message.content.isComplete)
    }
    // 1006 stands for an end without a close frame, 1005 for one without a code (RFC 6455, 7.4.1).
    if let code = members["close_code"]?.integer, code != 1006, let code = UInt16(exactly: code) {
      let reason = members["close_reason"]?.bytes ?? []
      let payload = code == 1005 ? [] : [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)] + reason
      add(
        .close, isFromClient: members["closed_by_client"]?.isTrue ?? false, payload,
        at: members["timestamp_end"]?.time ?? last, isCut: false)
    }
    exchange.details.messages = messages
  }
}

extension MessageComposition {
  /// What a proxy does to fields of HTTP/1 (RFC 9113, 8.2).
  fileprivate mutating func translateToHTTP2() {
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] { remove(name) }
    for index in fields.indices {
      fields[index].name = fields[index].name.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
    }
  }
}
