// One printed exchange read back. In: its JSON. Out: an exchange. Owner: JSONLineReader, for a call.

import ContentTree
import HTTPModel

struct ExchangeLine {
  let json: JSONValue
  let bodyLimit: Int
  var notes = ConversionNotes()

  init(_ json: JSONValue, bodyLimit: Int) {
    self.json = json
    self.bodyLimit = bodyLimit
  }

  /// Nil where the line is none, or has neither message.
  mutating func exchange() -> Exchange? {
    guard json.kind == .object, let start = json["start"]?.string.flatMap({ Timestamp(dateText: $0) }) else {
      return nil
    }
    let requestJSON = json["request"]
    let responseJSON = json["response"]
    guard requestJSON?.kind == .object || responseJSON?.kind == .object else { return nil }
    var exchange = Exchange()
    let connection = json["connection"]?.integer.flatMap { UInt32(exactly: $0) } ?? 1
    exchange.id =
      json["id"]?.string.flatMap { ExchangeID($0) } ?? ExchangeID(connection: connection, ordinal: UInt32(clamping: 1))
    exchange.client = json["client"]?.string.flatMap { TransportAddress($0) } ?? exchange.client
    exchange.server = json["server"]?.string.flatMap { TransportAddress($0) } ?? exchange.server
    exchange.isTLS = json["tls"]?.bool ?? false
    exchange.stream = json["stream"]?.integer.flatMap { UInt32(exactly: $0) }
    for name in json["anomalies"]?.elements.compactMap(\.string) ?? [] {
      if let anomaly = Anomaly.allCases.first(where: { $0.identifier == name }) { exchange.anomalies.insert(anomaly) }
    }
    let version: HTTPVersion =
      switch json["protocol"]?.string {
      case "h2": .http2
      case "http/1.0": .http10
      default: .http11
      }
    let times = times(from: start, hasRequest: requestJSON != nil)
    if let requestJSON { exchange.request = request(requestJSON, version, exchange.isTLS, times.request) }
    if let responseJSON { exchange.response = response(responseJSON, version, times.response) }
    readDetails(into: &exchange)
    return exchange
  }

  private func times(from start: Timestamp, hasRequest: Bool) -> (request: MessageTiming, response: MessageTiming) {
    let timing = json["timing"]
    func after(_ name: StaticString) -> Timestamp? {
      timing?[name]?.integer.map { start.advanced(byNanoseconds: $0 &* 1000) }
    }
    let requestEnd = after("request_us") ?? start
    let first = hasRequest ? after("first_byte_us") ?? requestEnd : start
    return (
      MessageTiming(start: start, headEnd: start, end: requestEnd),
      MessageTiming(start: first, headEnd: first, end: after("total_us") ?? first)
    )
  }

  private mutating func request(
    _ json: JSONValue, _ version: HTTPVersion, _ isTLS: Bool, _ timing: MessageTiming
  ) -> HTTPRequest {
    var head = MessageComposition(version: version, fields: fields(json["headers"]))
    if version == .http2 {
      let scheme = json["scheme"]?.bytes ?? Array((isTLS ? "https" : "http").utf8)
      if let authority = json["authority"]?.bytes { head.fields.insert((Array(":authority".utf8), authority), at: 0) }
      head.fields.insert((Array(":scheme".utf8), scheme), at: 0)
    }
    head.sanitise(&notes, keepsUnknownNames: true)
    var body = body(json["body"])
    body.framing = framing(head, body, isRequest: true)
    var request = head.request(
      method: json["method"]?.bytes ?? [], target: json["target"]?.bytes ?? [], body: body, timing: timing)
    let trailers = MessageComposition.trailers(fields(json["trailers"]), &notes)
    if !trailers.isEmpty { request.trailers = trailers }
    return request
  }

  private mutating func response(_ json: JSONValue, _ version: HTTPVersion, _ timing: MessageTiming) -> HTTPResponse {
    var head = MessageComposition(version: version, fields: fields(json["headers"]))
    head.sanitise(&notes, keepsUnknownNames: true)
    let interim = (json["informational"]?.elements ?? []).compactMap { $0.integer.flatMap { UInt16(exactly: $0) } }
    notes.add(.interimFieldsLost, UInt64(interim.count))
    var body = body(json["body"])
    body.framing = framing(head, body, isRequest: false)
    var response = head.response(
      status: UInt16(clamping: json["status"]?.integer ?? 0), reason: json["reason"]?.bytes ?? [],
      informational: interim.map {
        InformationalResponse(status: $0, fields: HeaderFields(), time: timing.start)
      }, body: body, timing: timing)
    let trailers = MessageComposition.trailers(fields(json["trailers"]), &notes)
    if !trailers.isEmpty { response.trailers = trailers }
    return response
  }

  private func fields(_ json: JSONValue?) -> [(name: [UInt8], value: [UInt8])] {
    (json?.elements ?? []).compactMap { field in
      let pair = field.elements
      guard pair.count == 2, let name = pair[0].bytes, let value = pair[1].bytes else { return nil }
      return (name, value)
    }
  }

  private func framing(_ head: MessageComposition, _ body: HTTPBody, isRequest: Bool) -> BodyFraming {
    if head.version == .http2 { return .stream }
    if let coding = head.first("transfer-encoding"),
      String(decoding: coding, as: UTF8.self).lowercased().hasSuffix("chunked")
    {
      return .chunked
    }
    if head.first("content-length") != nil { return .contentLength }
    return isRequest || body.size == 0 ? .none : .close
  }

  private mutating func body(_ json: JSONValue?) -> HTTPBody {
    guard let json else { return HTTPBody() }
    let bytes = json["base64"]?.base64 ?? json["text"]?.bytes
    let size = json["size"]?.integer ?? Int64(bytes?.count ?? 0)
    var collected = CollectedBody(limit: bodyLimit)
    (bytes ?? []).withUnsafeBytes { collected.append($0) }
    var body = collected.finish(framing: .none, truncation: nil)
    if bytes == nil, size > 0 {
      notes.add(.bodiesNotInFile)
      body.lack(upTo: size)
    } else if json["complete"]?.bool == false {
      body.isComplete = false
      body.size = max(body.size, UInt64(clamping: size))
      body.missing = (json["missing"]?.elements ?? []).compactMap { range in
        let ends = range.elements.map { $0.integer.flatMap { UInt64(exactly: $0) } }
        guard ends.count == 2, let start = ends[0] else { return nil }
        let end = ends[1].map { start.addingReportingOverflow($0) }
        return BodyRange(lowerBound: start, upperBound: end.map { $0.overflow ? .max : $0.partialValue } ?? .max)
      }
    }
    return body
  }
}
