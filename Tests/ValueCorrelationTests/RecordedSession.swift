import HTTPModel
import ValueCorrelation

/// A session written as heads and bodies, an exchange a second; each answer comes half a second after its request.
struct RecordedSession {
  private(set) var exchanges: [Exchange] = []

  @discardableResult
  mutating func add(
    _ head: String, body: String = "", answer: String = "HTTP/1.1 200 OK", answerBody: String = "",
    connection: UInt32 = 1, start: Double? = nil, takes: Double = 0.5
  ) -> ExchangeID {
    let id = ExchangeID(connection: connection, ordinal: UInt32(exchanges.count + 1))
    let begin = Timestamp(nanoseconds: Int64((start ?? Double(exchanges.count)) * 1e9))
    let end = begin.advanced(byNanoseconds: Int64(takes * 1e9))
    let address = TransportAddress(address: IPAddress(v4: 0x7f00_0001), port: 80)
    exchanges.append(
      Exchange(
        id: id, client: address, server: address,
        request: makeRequest(head, body: body, at: begin),
        response: makeResponse(answer, body: answerBody, at: end)))
    return id
  }

  func graph(limits: CorrelationLimits = CorrelationLimits()) -> CorrelationGraph {
    var finder = CorrelationFinder(limits: limits)
    for exchange in exchanges { finder.add(exchange) }
    return finder.finish()
  }

  /// Each link as `1-1 body:/id -> 1-2 path/2 percent`.
  func links(limits: CorrelationLimits = CorrelationLimits()) -> [String] {
    let graph = graph(limits: limits)
    return graph.links.map { link in
      "\(link.producer) \(graph.source(of: link)) -> \(link.dependant) \(graph.place(of: link)) \(link.encoding.identifier)"
    }
  }
}

/// - Parameter head: lines without their ends; the fields `Content-Length` is added to a body's.
func makeRequest(_ head: String, body: String = "", at time: Timestamp = Timestamp(nanoseconds: 0)) -> HTTPRequest {
  let lines = head.split(separator: "\n").map { String($0) }
  let (fields, startLine) = makeHead(lines, body: body)
  let parts = startLine.split(separator: " ")
  let method = UInt32(parts[0].utf8.count)
  let target = UInt32(parts[1].utf8.count)
  return HTTPRequest(
    version: .http11, methodRange: 0..<method, targetRange: method + 1..<method + 1 + target, fields: fields,
    body: HTTPBody(
      bytes: Array(body.utf8), size: UInt64(body.utf8.count), framing: body.isEmpty ? .none : .contentLength),
    timing: MessageTiming(start: time, headEnd: time, end: time))
}

func makeResponse(_ head: String, body: String = "", at time: Timestamp = Timestamp(nanoseconds: 0)) -> HTTPResponse {
  let lines = head.split(separator: "\n").map { String($0) }
  let (fields, startLine) = makeHead(lines, body: body)
  return HTTPResponse(
    version: .http11, status: UInt16(startLine.split(separator: " ")[1])!, reasonRange: 0..<0, fields: fields,
    body: HTTPBody(
      bytes: Array(body.utf8), size: UInt64(body.utf8.count), framing: body.isEmpty ? .none : .contentLength),
    timing: MessageTiming(start: time, headEnd: time, end: time))
}

private func makeHead(_ lines: [String], body: String) -> (HeaderFields, String) {
  var fields = HeaderFields(storage: Array((lines[0] + "\r\n").utf8))
  let length = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
  for line in lines.dropFirst() + length {
    let colon = line.firstIndex(of: ":")!
    let start = UInt32(fields.storage.count)
    let name = UInt32(line[..<colon].utf8.count)
    fields.storage += Array((line + "\r\n").utf8)
    fields.ranges.append(
      FieldRange(
        nameStart: start, nameEnd: start + name, valueStart: start + name + 2,
        valueEnd: UInt32(fields.storage.count) - 2))
  }
  fields.storage += [0x0d, 0x0a]
  return (fields, lines[0])
}

/// What a request would be on the wire.
func wire(_ request: HTTPRequest) -> String {
  String(decoding: request.fields.storage + request.body.bytes, as: UTF8.self)
}
