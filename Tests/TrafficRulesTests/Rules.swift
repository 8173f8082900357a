// Rules and exchanges, as short as tests want them.

import HTTPModel
import TrafficRules

let today = RuleDate("2026-11-21")!

/// Reads one file; its problems as `LINE:COLUMN: message`.
func read(_ text: String, name: String = "r.yaml") -> (rules: RuleSet, problems: [String]) {
  let (rules, problems) = RuleReader.read([(name, Array(text.utf8))], today: today)
  return (rules, problems.map { "\($0.place.line):\($0.place.column): \($0.message)" })
}

func rules(_ text: String) -> RuleSet { read("version: 1\n" + text).rules }

/// A head laid out as HTTP/1 does.
func head(_ startLine: String, _ fields: [(String, String)]) -> HeaderFields {
  var head = HeaderFields(storage: Array((startLine + "\r\n").utf8))
  for (name, value) in fields {
    let start = UInt32(head.storage.count)
    head.storage += Array("\(name): \(value)\r\n".utf8)
    let end = start + UInt32(name.utf8.count)
    head.ranges.append(
      FieldRange(nameStart: start, nameEnd: end, valueStart: end + 2, valueEnd: UInt32(head.storage.count - 2)))
  }
  head.storage += Array("\r\n".utf8)
  return head
}

private let timing = MessageTiming(
  start: Timestamp(nanoseconds: 0), headEnd: Timestamp(nanoseconds: 0), end: Timestamp(nanoseconds: 0))

func request(
  _ method: String = "GET", _ target: String = "/", _ fields: [(String, String)] = [("Host", "shop")],
  body: [UInt8] = [], version: HTTPVersion = .http11
) -> HTTPRequest {
  let end = UInt32(method.utf8.count)
  return HTTPRequest(
    version: version, methodRange: 0..<end, targetRange: end + 1..<end + 1 + UInt32(target.utf8.count),
    fields: head("\(method) \(target) HTTP/1.1", fields),
    body: HTTPBody(bytes: body, size: UInt64(body.count), framing: body.isEmpty ? .none : .contentLength),
    timing: timing)
}

func response(_ status: UInt16 = 200, _ fields: [(String, String)] = [], body: [UInt8] = []) -> HTTPResponse {
  HTTPResponse(
    version: .http11, status: status, reasonRange: 13..<15, fields: head("HTTP/1.1 \(status) OK", fields),
    body: HTTPBody(bytes: body, size: UInt64(body.count), framing: .contentLength), timing: timing)
}

func exchange(
  _ request: HTTPRequest?, _ response: HTTPResponse? = nil, client: String = "192.0.2.1", port: UInt16 = 40_000,
  connection: UInt32 = 1, ordinal: UInt32 = 1
) -> Exchange {
  Exchange(
    id: ExchangeID(connection: connection, ordinal: ordinal),
    client: TransportAddress(address: IPAddress(client)!, port: port),
    server: TransportAddress(address: IPAddress("192.0.2.200")!, port: 80), request: request, response: response)
}

func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
