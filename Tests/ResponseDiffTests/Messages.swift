// Messages for the tests of this target.

import HTTPModel

func fields(_ list: [(String, String)]) -> HeaderFields {
  var fields = HeaderFields()
  for (name, value) in list { fields.append(name: name.utf8, value: value.utf8) }
  return fields
}

func moment(_ milliseconds: Int64) -> Timestamp { Timestamp(nanoseconds: milliseconds * 1_000_000) }

func timing(from start: Int64 = 0, to end: Int64 = 0) -> MessageTiming {
  MessageTiming(start: moment(start), headEnd: moment(start), end: moment(end))
}

func body(_ bytes: [UInt8]) -> HTTPBody { HTTPBody(bytes: bytes, size: UInt64(bytes.count), framing: .contentLength) }

func response(
  _ status: UInt16 = 200, _ list: [(String, String)] = [], body text: String = "", trailers: [(String, String)] = [],
  end: Int64 = 0
) -> HTTPResponse {
  HTTPResponse(
    version: .http11, status: status, reasonRange: 0..<0, fields: fields(list), trailers: fields(trailers),
    body: body(Array(text.utf8)), timing: timing(from: end, to: end))
}

func json(_ text: String, _ status: UInt16 = 200) -> HTTPResponse {
  response(status, [("Content-Type", "application/json"), ("Content-Length", String(text.utf8.count))], body: text)
}

func request(
  _ method: String = "GET", _ target: String = "/", _ list: [(String, String)] = [], body text: String = "",
  end: Int64 = 0
) -> HTTPRequest {
  var all = HeaderFields(storage: Array("\(method) \(target) HTTP/1.1\r\n".utf8))
  for (name, value) in [("Host", "shop")] + list { all.append(name: name.utf8, value: value.utf8) }
  let methodEnd = UInt32(method.utf8.count)
  return HTTPRequest(
    version: .http11, methodRange: 0..<methodEnd,
    targetRange: methodEnd + 1..<methodEnd + 1 + UInt32(target.utf8.count), fields: all, body: body(Array(text.utf8)),
    timing: timing(to: end))
}
